"""A part of a list, and what became of it: plain data, as JSON and back."""

from datetime import UTC, datetime
from enum import Enum
from hashlib import sha256
from typing import Literal, Self

import msgspec
from attrs import frozen

from voicedrop_async._checks import check_count
from voicedrop_async.errors import ConfigError
from voicedrop_async.models import WalkReport


class _Json:
    """Plain data, as JSON and back."""

    __slots__ = ()

    def to_json(self) -> str:
        """Return it as a line of JSON."""
        return msgspec.json.encode(self).decode()

    @classmethod
    def from_json(cls, text: str | bytes) -> Self:
        """Return what ``to_json`` wrote.

        Raises:
            ConfigError: It is something else.
        """
        try:
            return msgspec.json.decode(text, type=cls)
        except (msgspec.MsgspecError, ValueError):
            raise ConfigError(f"text: no JSON of a {cls.__name__}") from None


@frozen(kw_only=True)
class Shard(_Json):
    """A part of a list: what is to be asked for. It holds no secret and no phone number, and can go through any queue."""

    service: Literal["routee", "spacivox"]
    """Whose list it is."""
    start: datetime | None = None
    """Aware; None for a whole campaign. Tracked messages are asked for from a second before the end of the shard before: whose the
    edge is, nobody knows."""
    end: datetime | None = None
    """Likewise. Drop records end before it; whether tracked messages do is not documented."""
    campaign_id: str | None = None
    """Tracking id of the campaign, if it is one that is listed."""
    page_size: int = 100
    """Items a request, of tracked messages."""
    counted: int | None = None
    """Items by the service's count when the plan was made; of a part that was cut, what was left of the whole. None for drop
    records, which the service does not count."""

    def __attrs_post_init__(self) -> None:
        check_count("page_size", self.page_size, 1)

    @property
    def id(self) -> str:
        """A hash of what is asked for: the same in every plan that asks for the same, whatever was counted."""
        moments = [None if moment is None else moment.astimezone(UTC).isoformat() for moment in (self.start, self.end)]
        return sha256(repr((self.service, *moments, self.campaign_id, self.page_size)).encode()).hexdigest()[:20]

    @property
    def requests(self) -> int:
        """Requests that it takes, by that count."""
        return max(1, -(-(self.counted or 0) // self.page_size))


class ShardState(Enum):
    """How much of a shard is there."""

    DONE = "done"
    """All of it, and nothing that was seen speaks against that."""
    PARTIAL = "partial"
    """A part: it broke off and goes on from there; or it came to its end, and something speaks against its being all."""
    FAILED = "failed"
    """Nothing."""


@frozen(kw_only=True)
class ShardResult(_Json):
    """What became of a shard. Plain data, as a shard is."""

    shard: Shard
    """What was to be done."""
    state: ShardState
    """How much of it is."""
    items: int = 0
    """Items that are there, of all runs together."""
    part: str | None = None
    """Path of the file with its items, if it is whole."""
    report: WalkReport | None = None
    """Of the run that came to its end."""
    error: str | None = None
    """What broke it off."""
