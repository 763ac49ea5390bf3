"""What is counted of messages: one pass over them, and memory that does not grow with their number.

Every message is counted in every count, under "not told" where it does not say: so the parts of each sum up to the whole.
"""

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Context, Decimal
from typing import Any, Final

from attrs import define, field, frozen

from voicedrop_async._masking import mask, printable, shown
from voicedrop_async.models import MessageStatus, Seconds
from voicedrop_async.report._timeline import Timeline

Rows = Mapping[str, Sequence[Any]]
"""Messages as columns, by the names of an export."""
COLUMNS: Final = (
    *("message_id", "to", "country", "status", "status_date", "duration"),
    *("price", "collected_tones", "answered_by", "extra"),
)
"""What is read of a message."""

NOT_TOLD: Final = "(not told)"
OTHERS: Final = "(others)"
ONE_KEY: Final = "0123456789*#"
"""An answer to a menu is one of these, and is counted by itself."""
NO_KEY: Final = "(no key)"
SEVERAL_KEYS: Final = "(several keys)"
"""May be a PIN: how many there are is counted, what they are is not even kept."""
DURATIONS: Final = (0, 1, 5, 10, 15, 20, 30, 45, 60, 120, 300, 600, 1800, 3600)
"""Seconds at which a step of durations begins. They are the same in every report, so that two can be laid side by side."""
MOST_FAILURES: Final = 1_000
DIGITS: Final = Context(prec=200)
"""Sums of prices are exact up to so many digits."""

_MOST_WORDS: Final = 1_000
"""Different words of one count; the rarest are merged when there are more, which no real list has."""
_LONGEST_WORD: Final = 40
_ABSURD: Final = 10**12
"""Seconds that no call lasts, and a price that none has: they count as not told, and so does what is no number."""
_EVER_SINCE: Final = datetime.min.replace(tzinfo=UTC)

COMPLETED: Final = "Completed"
OTHER_KIND: Final = "Other"
KINDS: Final[Mapping[str, tuple[MessageStatus, ...]]] = {
    COMPLETED: (MessageStatus.COMPLETED,),
    "No answer": (MessageStatus.NO_ANSWER,),
    "Busy": (MessageStatus.BUSY,),
    "Failed": (MessageStatus.FAILED,),
    "No balance": (MessageStatus.UNSENT, MessageStatus.TERMINATED),
    "Under way": (MessageStatus.QUEUED, MessageStatus.INITIATED, MessageStatus.RINGING, MessageStatus.IN_PROGRESS),
    OTHER_KIND: (MessageStatus.UNKNOWN,),
}
"""Kinds of status, few enough to be told apart in a picture. What is newer than this library, or not told, is of the last."""
_KIND_OF: Final[Mapping[str | None, str]] = {status.value: kind for kind, statuses in KINDS.items() for status in statuses}
_FAILURES: Final = frozenset(status.value for status in MessageStatus if status.is_final and status is not MessageStatus.COMPLETED)


def kind_of(status: str | None) -> str:
    """Return the kind of a status."""
    return _KIND_OF.get(status, OTHER_KIND)


@define
class Words:
    """How many messages say each word of an open list, and what those cost."""

    counts: Counter[str] = field(factory=Counter, init=False)
    costs: dict[str, Decimal] = field(factory=dict, init=False)

    def add(self, counted: Mapping[tuple[str | None, Decimal | None], int]) -> None:
        """Add numbers of messages by word and price."""
        for (word, price), count in counted.items():
            label = shown(word, _LONGEST_WORD) if word else NOT_TOLD
            self.counts[label] += count
            if price is not None:
                self._charge(label, DIGITS.multiply(price, count))
        if len(self.counts) > _MOST_WORDS:
            self._merge_rarest()

    def _merge_rarest(self) -> None:
        words = [label for label, _ in self.counts.most_common() if label not in {OTHERS, NOT_TOLD}]
        for label in words[_MOST_WORDS // 2 :]:
            self.counts[OTHERS] += self.counts.pop(label)
            if label in self.costs:
                self._charge(OTHERS, self.costs.pop(label))

    def _charge(self, label: str, cost: Decimal) -> None:
        self.costs[label] = DIGITS.add(self.costs.get(label, Decimal()), cost)


@frozen(kw_only=True)
class Failure:
    """One message that did not get through, as it may be shown."""

    moment: datetime | None
    message_id: str
    recipient: str
    """Masked."""
    country: str
    status: str
    reason: str
    """What the service says beside the status; often nothing."""


@define
class Tally:
    """The sums so far."""

    messages: int = 0
    statuses: Words = field(factory=Words, init=False)
    answered_by: Words = field(factory=Words, init=False)
    countries: Words = field(factory=Words, init=False)
    keys: Words = field(factory=Words, init=False)
    over_time: Timeline = field(factory=Timeline, init=False)
    durations: Counter[int | None] = field(factory=Counter, init=False)
    """By the place in ``DURATIONS`` where their step begins; -1 below 0; None if not told."""
    seconds: Seconds = 0
    longest: Seconds | None = None
    priced: int = 0
    """Messages that have a price."""
    first: datetime | None = None
    last: datetime | None = None
    failed: int = 0
    _failures: list[Failure] = field(factory=list, init=False)
    _since: datetime = _EVER_SINCE
    """Failures from before then are not among the newest."""

    def add(self, rows: Rows) -> None:
        """Add a batch of messages."""
        statuses = rows["status"]
        nothing = [None] * len(statuses)
        prices = [price if price is not None and price.is_finite() and abs(price) < _ABSURD else None for price in rows["price"]]
        self.messages += len(statuses)
        self.priced += len(prices) - prices.count(None)
        self.statuses.add(Counter(zip(statuses, nothing, strict=True)))
        self.answered_by.add(Counter(zip(rows["answered_by"], nothing, strict=True)))
        self.countries.add(Counter(zip(rows["country"], prices, strict=True)))
        self.keys.add(Counter(zip(map(_answer, rows["collected_tones"]), nothing, strict=True)))
        self._add_moments(rows["status_date"], statuses)
        self._add_durations(Counter(rows["duration"]))
        self._add_failures(rows)

    @property
    def cost(self) -> Decimal:
        """Of all of them."""
        return total_of(self.countries.costs.values())

    @property
    def failures(self) -> list[Failure]:
        """The newest of them, ``MOST_FAILURES`` at most; those without a moment come last."""
        return sorted(self._failures, key=_newest_first)[:MOST_FAILURES]

    def _add_moments(self, moments: Sequence[datetime | None], statuses: Sequence[str | None]) -> None:
        counted: Counter[tuple[int | None, str]] = Counter()
        for (place, status), count in Counter(zip(self.over_time.places(moments), statuses, strict=True)).items():
            counted[place, kind_of(status)] += count
        self.over_time.add(counted)
        told = [moment for moment in (self.first, self.last, *moments) if moment is not None]
        self.first, self.last = min(told, default=None), max(told, default=None)

    def _add_durations(self, durations: Mapping[Seconds | None, int]) -> None:
        for duration, count in durations.items():
            if duration is None or not abs(duration) < _ABSURD:
                self.durations[None] += count
                continue
            self.durations[bisect_right(DURATIONS, duration) - 1] += count
            self.seconds += duration * count
            self.longest = duration if self.longest is None else max(self.longest, duration)

    def _add_failures(self, rows: Rows) -> None:
        moments = rows["status_date"]
        places = [place for place, status in enumerate(rows["status"]) if status in _FAILURES]
        self.failed += len(places)
        self._failures += [_failure(rows, place) for place in places if (moments[place] or _EVER_SINCE) >= self._since]
        if len(self._failures) > 3 * MOST_FAILURES:
            self._failures = self.failures
            self._since = self._failures[-1].moment or _EVER_SINCE


def _answer(tones: str | None) -> str:
    if not tones:
        return NO_KEY
    return tones if len(tones) == 1 and tones in ONE_KEY else SEVERAL_KEYS


def total_of(costs: Iterable[Decimal]) -> Decimal:
    """Return the exact sum."""
    total = Decimal()
    for cost in costs:
        total = DIGITS.add(total, cost)
    return total


def _failure(rows: Rows, place: int) -> Failure:
    to, country = rows["to"][place], rows["country"][place]
    return Failure(
        moment=rows["status_date"][place],
        message_id=printable(rows["message_id"][place] or "", 100),
        recipient=printable(mask(to), 40) if to else NOT_TOLD,
        country=shown(country, _LONGEST_WORD) if country else NOT_TOLD,
        status=rows["status"][place],
        reason=_reason(rows["extra"][place]),
    )


def _reason(extra: object) -> str:
    """Return what the service says beside the status, which is kept among what is beyond its document."""
    match extra:
        case {"status": {"reason": str(reason)}}:
            return shown(reason, 200)
        case _:
            return ""


def _newest_first(failure: Failure) -> tuple[float, str]:
    moment = failure.moment
    return (float("inf") if moment is None else -moment.timestamp(), failure.message_id)
