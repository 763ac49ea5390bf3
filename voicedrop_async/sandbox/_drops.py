"""Spacivox's voicemail drop records. Source: Spacivox, "Voicemail drop records"."""

from bisect import bisect_left, bisect_right
from datetime import datetime, timedelta

from ._dice import Dice
from ._people import mobile
from ._time import iso, read_moment
from ._wire import Drop

_SPAN = timedelta(days=7)
_STATES = (1, 1, 1, 1, 1, 1, 1, 0, 2, 3)
"""Sent 0, delivered 1, failed 2, rejected 3: as often as they occur."""
_CAMPAIGNS, _TEAMS = 6, 3


def past_drops(seed: int, count: int, now: datetime) -> list[Drop]:
    """``count`` records of the seven days before ``now``, oldest first, the same ones for the same seed."""
    dice = Dice.of(seed, "drops")
    step = _SPAN / max(count, 1)
    return [_drop(dice, number, now - _SPAN + step * (number - 1 + dice.random())) for number in range(1, count + 1)]


def _drop(dice: Dice, number: int, at: datetime) -> Drop:
    campaign = dice.randint(1, _CAMPAIGNS)
    return Drop(
        campaign=campaign,
        id=number,
        job=1000 + number,
        number=mobile(dice),
        reference=f"C{number:06}",
        state=dice.choice(_STATES),
        team=1 + campaign % _TEAMS,
        timestamp=iso(at),
    )


def drops_between(drops: list[Drop], start: datetime, end: datetime, team: int | None) -> list[Drop]:
    """The records of a range. Both ends are included; the page does not say."""

    def at(drop: Drop) -> datetime:
        return read_moment(drop.timestamp)

    cut = drops[bisect_left(drops, start, key=at) : bisect_right(drops, end, key=at)]
    return [drop for drop in cut if team in (None, drop.team)]
