"""What became of a campaign, in numbers."""

from collections import Counter
from collections.abc import Hashable, Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Self

from attrs import field, frozen

from voicedrop_async.models._open import Open, Seconds
from voicedrop_async.models._words import AnsweredBy, MessageStatus
from voicedrop_async.models.tracking import VoiceMessage
from voicedrop_async.models.walks import WalkReport


@frozen(kw_only=True)
class CampaignSummary:
    """The messages of one campaign, added up. What a message does not say is counted nowhere.

    The counts are ``Counter`` objects: what did not occur is 0.
    """

    messages: int
    """How many there are, each counted once."""
    statuses: Mapping[Open[MessageStatus], int] = field(hash=False)
    """Number of messages by status."""
    answered_by: Mapping[Open[AnsweredBy], int] = field(hash=False)
    """Number of messages by who took the call."""
    countries: Mapping[str, int] = field(hash=False)
    """Number of messages by the recipient's country, ISO 3166-1 alpha-2."""
    cost: Decimal
    """Sum of the prices, in the account's currency, which the records do not name."""
    duration: Seconds
    """Of all calls together; seconds, see ``VoiceMessage.duration``."""
    longest: Seconds | None
    """Duration of the longest call, in seconds; None if no message has one."""
    first: datetime | None
    """The earliest moment at which a message got the status it has; aware, UTC. None if no status bears its moment."""
    last: datetime | None
    """The latest such moment."""
    collected_tones: Mapping[str, int] = field(repr=False, hash=False)
    """Number of messages by the keys that were pressed. Hidden from ``repr``: they can be PINs."""
    report: WalkReport | None = None
    """What was seen on the walk over the messages. If it is not ``complete``, some may be missing here; each of its
    ``unreadable`` fields is one that could not be counted. None if they came from elsewhere."""

    @classmethod
    def of(cls, messages: Iterable[VoiceMessage], report: WalkReport | None = None) -> Self:
        """Add up messages; of one that is there twice, the newer counts.

        Args:
            messages: Of one campaign.
            report: Of the walk that brought them, if there was one.
        """
        kept = newest(messages)
        statuses = [message.status for message in kept if message.status is not None]
        dates = [status.date for status in statuses if status.date is not None]
        durations = [message.duration for message in kept if message.duration is not None]
        return cls(
            messages=len(kept),
            statuses=Counter(status.status for status in statuses if status.status is not None),
            answered_by=Counter(message.answered_by for message in kept if message.answered_by is not None),
            countries=Counter(message.country for message in kept if message.country is not None),
            cost=sum((message.price for message in kept if message.price is not None), Decimal()),
            duration=sum(durations),
            longest=max(durations, default=None),
            first=min(dates, default=None),
            last=max(dates, default=None),
            collected_tones=Counter(message.collected_tones for message in kept if message.collected_tones is not None),
            report=report,
        )


def newest(messages: Iterable[VoiceMessage]) -> list[VoiceMessage]:
    """Return each message once, as its latest status shows it, in order of first appearance.

    Messages are told apart by id, those without one by their content. Where two statuses bear the same moment, or one
    bears none, the message that comes later counts: it was read later.
    """
    kept: dict[Hashable, VoiceMessage] = {}
    for message in messages:
        key = message.message_id or message
        before = kept.get(key)
        if before is None or not _is_newer(before, message):
            kept[key] = message
    return list(kept.values())


def _is_newer(one: VoiceMessage, other: VoiceMessage) -> bool:
    dates = [message.status.date for message in (one, other) if message.status is not None and message.status.date is not None]
    return len(dates) == 2 and dates[0] > dates[1]
