"""The life of one call: how it will end, and what happens on the way. Decided by the seed, before the phone rings."""

from datetime import datetime, timedelta
from typing import NamedTuple

from attrs import frozen
from msgspec import UNSET, UnsetType, structs

from ._dice import Dice
from ._people import rate
from ._time import iso
from ._wire import Message, Recording, Speech, Status

MESSAGE_STATUSES = (
    "Queued",
    "Initiated",
    "Ringing",
    "InProgress",
    "Completed",
    "Busy",
    "NoAnswer",
    "Failed",
    "Unknown",
    "Unsent",
    "Terminated",
)
"""Source: Routee, "Voice messaging statuses"."""

APPLICATION = "Sandbox"
_ENDINGS = ((0.70, "Completed"), (0.79, "Busy"), (0.95, "NoAnswer"), (1.0, "Failed"))
_RECORDED = 0.29  # of the answered calls, so that a fifth of all messages has a recording
_LONGEST_RING = 20.0


@frozen(kw_only=True)
class Script:
    """What all calls of a campaign have in common."""

    sender: str
    campaign: str | UnsetType = UNSET
    speech: Speech | UnsetType = UNSET
    file_url: str | UnsetType = UNSET
    collects_tones: bool = False
    recordings_url: str
    """Where recordings are downloaded, up to their id."""


class Turn(NamedTuple):
    """A change of status, so many seconds after its campaign began."""

    after: float
    status: str


class Ending(NamedTuple):
    """How a call ends, and for how many seconds somebody listened."""

    status: str
    seconds: int


def ending(dice: Dice) -> Ending:
    """How one call will end."""
    roll = dice.random()
    status = next(status for limit, status in _ENDINGS if roll < limit)
    return Ending(status, 5 + int(dice.random() * 20) if status == "Completed" else 0)


def turns(dice: Dice, end: Ending, *, dialled: float, longest_ring: float = _LONGEST_RING) -> tuple[Turn, ...]:
    """Every status of a call and its second, from the queue to the end.

    Its turn comes ``dialled`` seconds after the campaign's beginning; if nobody answers it rings for ``longest_ring``.
    """
    initiated = dialled + 0.5 + dice.random()
    rings = initiated + 0.5 + dice.random() * 2
    way = [(0.0, "Queued"), (initiated, "Initiated"), (rings, "Ringing")]
    picked_up = rings + min(1 + dice.random() * 4, longest_ring)
    if end.status == "Failed":
        way[2] = (rings, end.status)
    elif end.status == "NoAnswer":
        way += [(rings + longest_ring, end.status)]
    elif end.status == "Busy":
        way += [(picked_up, end.status)]
    else:
        way += [(picked_up, "InProgress"), (picked_up + end.seconds, end.status)]
    return tuple(Turn(round(after, 3), status) for after, status in way)


def ended_message(
    dice: Dice,
    script: Script,
    to: str,
    end: Ending,
    at: datetime,
    *,
    groups: tuple[str, ...] | UnsetType = UNSET,
    conversation: str | UnsetType = UNSET,
    direction: str = "Outbound",
) -> Message:
    """The message as it is tracked once its call is over, at ``at``."""
    message_id = dice.uuid()
    country, second = rate(to)
    answered = end.seconds > 0
    recorded = answered and dice.random() < _RECORDED
    return Message(
        message_id=message_id,
        conversation_tracking_id=conversation,
        to=to,
        sender=script.sender,
        groups=groups,
        country=country or UNSET,
        status=Status(end.status, iso(at)),
        campaign=script.campaign,
        application_name=APPLICATION,
        originating_service="Voice",
        direction=direction,
        duration=end.seconds,
        file_url=script.file_url,
        message=script.speech,
        price=round(end.seconds * second, 6),
        charge_interval=1,
        collected_tones=_tones(dice) if answered and script.collects_tones else UNSET,
        recordings=(_recording(dice, script, message_id, to, end, at, conversation),) if recorded else (),
        answered_by=_answered_by(dice) if answered else UNSET,
    )


def under_way(message: Message, turn: Turn, began: datetime) -> Message:
    """The same message while its call is not over: what only the end tells is missing."""
    status = Status(turn.status, iso(began + timedelta(seconds=turn.after)))
    return structs.replace(message, status=status, duration=UNSET, price=UNSET, collected_tones=UNSET, recordings=(), answered_by=UNSET)


def _tones(dice: Dice) -> str:
    """Keys pressed; none at all is an empty text."""
    return "".join(dice.choice("0123456789*#") for _ in range(dice.randint(0, 4)))


def _answered_by(dice: Dice) -> str:
    roll = dice.random()
    return "HUMAN" if roll < 0.75 else "MACHINE" if roll < 0.95 else "UNKNOWN"


def _recording(dice: Dice, script: Script, message_id: str, to: str, end: Ending, at: datetime, conversation: str | UnsetType) -> Recording:
    tracking_id = dice.uuid()
    return Recording(
        tracking_id=tracking_id,
        start=iso(at - timedelta(seconds=end.seconds)),
        end=iso(at),
        sender=script.sender,
        to=to,
        url=script.recordings_url + tracking_id,
        voice_tracking_ids=(message_id,),
        duration=end.seconds,
        conversation_tracking_id=conversation,
    )
