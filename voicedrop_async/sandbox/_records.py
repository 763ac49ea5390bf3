"""Spacivox's records. Source: Spacivox, "Voicemail drop records"."""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from ._dice import Dice
from ._people import mobile
from ._time import iso, read_moment
from ._wire import Record

_SPAN = timedelta(days=7)
_STATES = (1, 1, 1, 1, 1, 1, 1, 0, 2, 3)
"""Sent 0, delivered 1, failed 2, rejected 3: as often as they occur."""
_CAMPAIGNS, _TEAMS = 6, 3


DROPS = "/j/voicemail_drop_records"
LISTS: Mapping[str, Callable[[Dice], Mapping[str, Any]]] = {
    DROPS: lambda _: {},
    "/j/text_records": lambda dice: {"portal": dice.choice((None, 1, 2)), "body": dice.choice(("Your order is ready", "Call us back"))},
}
"""What is listed, by path, and what such a record has beside what each has."""


def past_records(seed: int, count: int, now: datetime) -> dict[str, list[Record]]:
    """``count`` records of each list, of the seven days before ``now``, oldest first, the same ones for the same seed."""
    return {path: _past(Dice.of(seed, "drops" if path == DROPS else path), count, now, own) for path, own in LISTS.items()}


def _past(dice: Dice, count: int, now: datetime, own: Callable[[Dice], Mapping[str, Any]]) -> list[Record]:
    step = _SPAN / max(count, 1)
    return [_record(dice, number, now - _SPAN + step * (number - 1 + dice.random()), own) for number in range(1, count + 1)]


def _record(dice: Dice, number: int, at: datetime, own: Callable[[Dice], Mapping[str, Any]]) -> Record:
    campaign = dice.randint(1, _CAMPAIGNS)
    return Record(
        campaign=campaign,
        id=number,
        job=1000 + number,
        number=mobile(dice),
        reference=f"C{number:06}",
        state=dice.choice(_STATES),
        team=1 + campaign % _TEAMS,
        timestamp=iso(at),
        **own(dice),
    )


def records_between(records: list[Record], start: datetime, end: datetime, team: int | None) -> list[Record]:
    """The records of a range. Both ends are included; the page does not say."""

    def at(record: Record) -> datetime:
        return read_moment(record.timestamp)

    cut = records[bisect_left(records, start, key=at) : bisect_right(records, end, key=at)]
    return [record for record in cut if team in (None, record.team)]
