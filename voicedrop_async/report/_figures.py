"""The sums as figures: what a reader sees as texts, and beside them the numbers that a chart is drawn from."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Final

from attrs import evolve, frozen

from voicedrop_async.models import AnsweredBy, Seconds, WalkReport
from voicedrop_async.models.walks import doubts
from voicedrop_async.report._tally import (
    COMPLETED,
    DIGITS,
    KINDS,
    NO_KEY,
    NOT_TOLD,
    ONE_KEY,
    OTHERS,
    SEVERAL_KEYS,
    Failure,
    Tally,
    Words,
    kind_of,
    total_of,
)
from voicedrop_async.report._timeline import Spread

OVER_TIME: Final = "time"
"""The key of the one figure that goes across the page."""
PLAIN: Final = "plain"
"""The fill of what has no kind."""
_BEFORE, _AFTER = "(long before)", "(long after)"
_MOST_ROWS: Final = 20
_FITS_BESIDE: Final = 16
"""Characters of a sum that stands beside its bar."""
_STEPS: Final = (
    *("under 1 s", "1 to 5 s", "5 to 10 s", "10 to 15 s", "15 to 20 s", "20 to 30 s", "30 to 45 s", "45 to 60 s"),
    *("1 to 2 min", "2 to 5 min", "5 to 10 min", "10 to 30 min", "30 to 60 min", "1 h and more"),
)
"""Of ``DURATIONS``."""
_UNITS: Final = (("week", timedelta(weeks=1)), ("day", timedelta(days=1)), ("hour", timedelta(hours=1)), ("minute", timedelta(minutes=1)))

REASONS: Final[Mapping[str, str]] = {
    "Busy": "The line was busy.",
    "NoAnswer": "Nobody answered, or the call was rejected.",
    "Failed": "An internal error of the service.",
    "Unsent": "No balance before the call.",
    "Terminated": "No balance during the call.",
}
"""What a status says. Source: Routee, "Voice messaging statuses"."""


@frozen(kw_only=True)
class Mark:
    """One bar, or one part of a bar."""

    label: str
    fill: str
    text: str = ""
    """What stands beside it."""
    low: float = 0.0
    high: float
    start: datetime | None = None
    end: datetime | None = None


@frozen(kw_only=True)
class Figure:
    """One picture, and the table of its numbers."""

    key: str
    title: str
    note: str
    head: Sequence[str]
    rows: Sequence[Sequence[str]]
    total: Sequence[str]
    marks: Sequence[Mark]


@frozen(kw_only=True)
class Headline:
    """One number that is read first."""

    label: str
    value: str
    detail: str


@frozen(kw_only=True)
class Figures:
    """Everything there is to see."""

    headlines: Sequence[Headline]
    figures: Sequence[Figure]
    failures: Sequence[Failure]
    unlisted: int
    """Failures beyond those."""
    standing: str
    """Whether the list was all there, in a sentence."""
    doubts: Sequence[str]
    """What speaks against that; nothing unless something does."""


def figures_of(tally: Tally, report: WalkReport | None, max_items: int | None = None) -> Figures:
    """Return what there is to see; a list that ``max_items`` has cut is not blamed for that."""
    failures = tally.failures
    return Figures(
        headlines=_headlines(tally),
        figures=[
            _over_time(tally),
            _counts("status", "Status", "Where a message stands, in the service's own words.", _largest(tally.statuses), by_kind=True),
            _not_delivered(tally),
            _counts("answered", "Answered by", "Who took the call. One that nobody took does not say.", _largest(tally.answered_by)),
            _durations(tally),
            _keys(tally),
            _counts("country", "Country", "Of the recipients, by ISO 3166-1 code.", _largest(tally.countries)),
            _cost(tally),
        ],
        failures=failures,
        unlisted=tally.failed - len(failures),
        standing=_standing(report, max_items),
        doubts=() if report is None or report.complete or report.items == max_items else _doubts(report),
    )


def _headlines(tally: Tally) -> list[Headline]:
    def counted(label: str, count: int) -> Headline:
        return Headline(label=label, value=f"{count:,}", detail=f"{_share(count, tally.messages)} of all" if tally.messages else "")

    timed = tally.messages - tally.durations[None]
    mean = f"mean {_span(tally.seconds / timed)}, longest {_span(tally.longest)}" if timed and tally.longest is not None else ""
    when = f"{moment(tally.first)} to {moment(tally.last)} UTC" if tally.first is not None and tally.last is not None else ""
    return [
        Headline(label="Messages", value=f"{tally.messages:,}", detail=when),
        counted("Completed", tally.statuses.counts[COMPLETED]),
        counted("Not delivered", tally.failed),
        counted("Answered by a person", tally.answered_by.counts[AnsweredBy.HUMAN]),
        counted("Answered by a machine", tally.answered_by.counts[AnsweredBy.MACHINE]),
        counted("Pressed a key", tally.messages - tally.keys.counts[NO_KEY]),
        Headline(label="On the telephone", value=_span(tally.seconds), detail=mean),
        Headline(label="Cost", value=_brief(tally.cost), detail=f"of {tally.priced:,} with a price; the service names no currency"),
    ]


def _over_time(tally: Tally) -> Figure:
    spread = tally.over_time.spread()
    rows = [(_BEFORE, spread.before), *((moment(start), counts) for start, counts in spread.bins), (_AFTER, spread.after)]
    rows = [(label, counts) for label, counts in (*rows, (NOT_TOLD, tally.over_time.undated)) if counts]
    kinds = [kind for kind in KINDS if any(kind in counts for _, counts in rows)]
    apart = spread.before.total() + spread.after.total()
    far = f" Too far from the others to be drawn, and only in the table: {apart:,}." if apart else ""
    sums = [sum(counts.get(kind, 0) for _, counts in rows) for kind in kinds]
    return Figure(
        key=OVER_TIME,
        title="Delivery over time",
        note=f"Messages by the moment at which they got the status they have. Each bar is {_width(spread.width)}, in UTC.{far}",
        head=("From", *kinds, "All"),
        rows=[(label, *(f"{counts.get(kind, 0):,}" for kind in kinds), f"{sum(counts.values()):,}") for label, counts in rows],
        total=("All", *(f"{count:,}" for count in sums), f"{tally.messages:,}"),
        marks=_stacked(spread, kinds),
    )


def _stacked(spread: Spread, kinds: Sequence[str]) -> list[Mark]:
    """Return the bars, each with a part for each kind."""
    marks: list[Mark] = []
    for start, counts in spread.bins:
        low = 0
        end = min(start, datetime.max.replace(tzinfo=UTC) - spread.width) + spread.width
        for kind in kinds:
            if counts[kind]:
                marks.append(Mark(label=kind, fill=fill_of(kind), low=low, high=low + counts[kind], start=start, end=end))
                low += counts[kind]
    return marks


def _counts(key: str, title: str, note: str, rows: Sequence[tuple[str, int]], *, undrawn: int = 0, by_kind: bool = False) -> Figure:
    """Return a figure of numbers of messages; the last ``undrawn`` rows stand in its table only."""
    whole = sum(count for _, count in rows)
    return Figure(
        key=key,
        title=title,
        note=note,
        head=(title, "Messages", "Share"),
        rows=[(label, f"{count:,}", _share(count, whole)) for label, count in rows],
        total=("All", f"{whole:,}", _share(whole, whole)),
        marks=[
            Mark(label=label, fill=fill_of(kind_of(label)) if by_kind else PLAIN, text=f"{count:,} ({_share(count, whole)})", high=count)
            for label, count in rows[: len(rows) - undrawn]
        ],
    )


def _largest(words: Words) -> list[tuple[str, int]]:
    """Return the words that are said most, then all others together, then what is not told."""
    told = Counter(words.counts)
    silent, others = told.pop(NOT_TOLD, 0), told.pop(OTHERS, 0)
    rows = sorted(told.items(), key=lambda row: (-row[1], row[0]))
    others += sum(count for _, count in rows[_MOST_ROWS:])
    return rows[:_MOST_ROWS] + [(label, count) for label, count in ((OTHERS, others), (NOT_TOLD, silent)) if count]


def _durations(tally: Tally) -> Figure:
    steps = {place: count for place, count in tally.durations.items() if place is not None}
    silent = tally.durations[None]
    rows = [("below 0", steps.pop(-1))] if -1 in steps else []
    if steps:
        rows += [(_STEPS[place], steps.get(place, 0)) for place in range(min(steps), max(steps) + 1)]
    if silent:
        rows.append((NOT_TOLD, silent))
    note = "Of calls, from the first number up to the second, without it. The steps are not all of one width."
    return _counts("duration", "Duration", note, rows, undrawn=bool(silent))


def _keys(tally: Tally) -> Figure:
    counts = tally.keys.counts
    rows = [(key, counts[key]) for key in (*ONE_KEY, SEVERAL_KEYS, NO_KEY) if counts[key]]
    note = "An answer of one key is counted by it. A longer one can be a PIN: it is counted, and not kept."
    return _counts("keys", "Keys pressed", note, rows, undrawn=bool(counts[NO_KEY]))


def _cost(tally: Tally) -> Figure:
    costs = tally.countries.costs
    order = sorted(costs.keys() - {OTHERS}, key=lambda label: (-costs[label], label))
    rows = [(label, costs[label]) for label in order[:_MOST_ROWS]]
    if others := [costs[label] for label in (*order[_MOST_ROWS:], OTHERS) if label in costs]:
        rows.append((OTHERS, total_of(others)))
    return Figure(
        key="cost",
        title="Cost by country",
        note=f"Exact sums of {tally.priced:,} prices, in the account's currency, which the service does not name.",
        head=("Country", "Cost"),
        rows=[(label, money(cost)) for label, cost in rows],
        total=("All", money(tally.cost)),
        marks=[Mark(label=label, fill=PLAIN, text=_brief(cost), high=float(cost)) for label, cost in rows],
    )


def _not_delivered(tally: Tally) -> Figure:
    rows = [(status, count) for status, count in tally.statuses.counts.most_common() if status in REASONS]
    figure = _counts("failed", "Not delivered", "Calls that ended otherwise than completed, by status.", rows, by_kind=True)
    return evolve(
        figure,
        head=("Status", "What it says", "Messages", "Share"),
        rows=[(label, REASONS[label], *numbers) for label, *numbers in figure.rows],
        total=("All", "", *figure.total[1:]),
    )


def _standing(report: WalkReport | None, max_items: int | None) -> str:
    if report is None:
        return "Made from a file, which does not tell whether its list was complete."
    unreadable = f" Rows or fields that cannot be read, and so are not in the figures: {report.unreadable:,}." if report.unreadable else ""
    if report.complete:
        return f"The list is complete: {'every message is here' if unreadable else 'nothing that was seen speaks against it'}.{unreadable}"
    if report.items == max_items:
        return f"Cut by max_items, after {report.items:,} messages.{unreadable}"
    return "The list is not complete."


def _doubts(report: WalkReport) -> list[str]:
    return [f"{fact[0].upper()}{fact[1:]}." for fact in (f"messages read: {report.items:,}", *doubts(report))]


def fill_of(kind: str) -> str:
    """Return the name of a kind's colour and pattern."""
    return kind.lower().replace(" ", "-")


def moment(moment: datetime | None) -> str:
    """Return a moment as it is shown: UTC, to the minute."""
    return NOT_TOLD if moment is None else f"{moment.astimezone(UTC):%Y-%m-%d %H:%M}"


def money(cost: Decimal) -> str:
    """Return a sum with all its digits; with an exponent where zeros would fill the page."""
    plain = cost.normalize(DIGITS)
    return f"{plain:,f}" if -30 < plain.adjusted() < 30 else str(plain)


def _brief(cost: Decimal) -> str:
    """Return a sum as it fits beside a bar or on a tile; the table has it whole."""
    whole = money(cost)
    if len(whole) > _FITS_BESIDE and abs(cost) >= 1:
        whole = f"{cost:,.2f}"
    return whole if len(whole) <= _FITS_BESIDE else f"{cost:.6g}"


def _share(count: int, whole: int) -> str:
    return f"{count / whole:.1%}" if whole else ""


def _span(seconds: Seconds) -> str:
    """Return a span of time in words: two units at most."""
    if seconds < 60:
        return f"{seconds:.3g} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, left = divmod(minutes, 60)
    return f"{hours:,} h {left} min" if hours else f"{minutes} min {rest} s"


def _width(width: timedelta) -> str:
    unit, one = next((unit, one) for unit, one in _UNITS if not width % one)
    count = width // one
    return f"{count:,} {unit}{'s' if count > 1 else ''}"
