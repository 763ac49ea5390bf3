"""Cutting a list into shards of like size, by the service's own counts."""

from collections.abc import Awaitable, Callable, Generator, Iterable, Iterator
from contextlib import aclosing, contextmanager
from datetime import datetime, timedelta
from typing import Final, TypeVar

from attrs import frozen

from voicedrop_async._checks import check_count, check_range, check_several, check_text
from voicedrop_async._masking import type_of
from voicedrop_async.errors import ConfigError, RequestError
from voicedrop_async.fanout import each
from voicedrop_async.pages import Span, in_utc
from voicedrop_async.routee import RouteeSession
from voicedrop_async.shards._shard import Shard
from voicedrop_async.spacivox import SpacivoxSession

T = TypeVar("T")

_SECOND: Final = timedelta(seconds=1)
_AT_ONCE: Final = 8
"""Stretches or campaigns that are counted at the same time."""
_MOST: Final = 10_000
"""Items of a shard, unless somebody says another number."""


async def plan(
    session: RouteeSession | SpacivoxSession,
    start: datetime | None = None,
    end: datetime | None = None,
    *,
    by: timedelta | Iterable[str] = timedelta(days=1),
    max_items: int | None = None,
    page_size: int = 100,
) -> tuple[Shard, ...]:
    """Cut a list into shards, which together are the whole of it; only counts are asked for.

    Each stretch, or campaign, is counted once; one of more than ``max_items`` is cut in the middle of its time, and its first half
    counted, and so on. Neighbours that are small together are joined again. All in all it takes fewer than two requests a shard,
    whatever the list looks like, and about one for a list that is spread evenly.

    Args:
        session: Which service is asked: tracked messages of Routee, or voicemail drop records of Spacivox.
        start: Aware datetime, included.
        end: Aware datetime, excluded.
        by: The longest time that a shard covers, at least a second; or tracking ids of campaigns, of which each is cut by time if
            there are ``start`` and ``end``, and otherwise is a shard as it is.
        max_items: The most items of a shard, 10,000 if left out. A second that holds more is a shard all the same. Spacivox counts
            nothing, so its records are cut by time alone, without a request.
        page_size: Messages that a shard asks for with one request.

    Returns:
        The shards, in order of time; campaigns in the order of ``by``.

    Raises:
        ConfigError: A naive datetime, no range where one is needed, or an option that cannot be. Nothing was sent.
        WireError: The service did not count.
        RequestError: A count failed for good; a note on it names the campaign.
    """
    check_range(start, end)
    check_count("page_size", page_size, 1)
    if max_items is not None:
        check_count("max_items", max_items, 1)
    if (start is None) != (end is None):
        raise ConfigError("start and end: give both, or neither")
    span = None if start is None or end is None else in_utc(start, end)
    if isinstance(session, SpacivoxSession):
        if max_items is not None:
            raise ConfigError("max_items: Spacivox counts nothing, so its records are cut by time alone")
        return tuple(Shard(service="spacivox", start=step.start, end=step.end) for step in _steps(span, by))
    if not isinstance(session, RouteeSession):
        raise ConfigError(f"session: {type_of(session)} is no session")
    cutter = _Cutter(session=session, span=span, most=_MOST if max_items is None else max_items, page_size=page_size)
    if isinstance(by, timedelta):
        return await _all(cutter.cut_step, _steps(span, by))
    return await _all(cutter.cut_campaign, _campaigns(by))


async def _all(cut: Callable[[T], Awaitable[list[Shard]]], whole: Iterable[T]) -> tuple[Shard, ...]:
    """Cut several at once, and return the shards in the order of what was cut."""
    found: dict[int, list[Shard]] = {}
    async with aclosing(each("by", enumerate(whole), lambda placed: cut(placed[1]), concurrency=_AT_ONCE)) as outcomes:
        async for outcome in outcomes:
            found[outcome.key[0]] = outcome.value
    return tuple(shard for place in sorted(found) for shard in found[place])


def _campaigns(by: object) -> dict[str, None]:
    """Return tracking ids, each once."""
    check_several("by", by)
    if not isinstance(by, Iterable):
        raise ConfigError("by: cannot be gone through without waiting; give a list")
    ids = dict.fromkeys(check_text("by", one) for one in by)
    if not ids:
        raise ConfigError("by: no tracking id in it, so there is nothing to plan")
    return ids


def _steps(span: Span | None, by: object) -> Iterator[Span]:
    """Return the stretches of a range, checked at the first of them."""
    if span is None:
        raise ConfigError("start and end: missing; they say which time is to be cut")
    if not isinstance(by, timedelta):
        raise ConfigError("by: must be a timedelta; only what Routee tracks has campaigns")
    if by < _SECOND:
        raise ConfigError("by: below one second, the finest that the services' samples show")
    start = span.start
    while start < span.end:
        end = min(start + by, span.end)
        yield Span(start, end)
        start = end


@frozen
class _Leaf:
    """A stretch that may be a shard, and the items in it."""

    span: Span
    items: int

    @property
    def middle(self) -> datetime | None:
        """The whole second in its middle; None if it is too short to be cut."""
        start, end = self.span.start, self.span.end
        middle = (start + (end - start) / 2).replace(microsecond=0)
        return middle if end - start > _SECOND and middle > start else None


@frozen(kw_only=True)
class _Cutter:
    """Cuts what Routee tracks."""

    session: RouteeSession
    span: Span | None
    most: int
    page_size: int

    async def cut_step(self, step: Span) -> list[Shard]:
        """Cut a stretch of the range."""
        return await self._cut(step, None)

    async def cut_campaign(self, campaign_id: str) -> list[Shard]:
        """Cut a campaign, if it may be cut by time."""
        if self.span is not None:
            with _naming(campaign_id):
                return await self._cut(self.span, campaign_id)
        with _naming(campaign_id):
            counted = await self.session.track_campaign(campaign_id).count()
        return [Shard(service="routee", campaign_id=campaign_id, page_size=self.page_size, counted=counted)]

    async def _cut(self, span: Span, campaign_id: str | None) -> list[Shard]:
        async def count(span: Span) -> int:
            return await self.session.track_messages(start=span.start, end=span.end, campaign_id=campaign_id).count()

        leaves: list[_Leaf] = []
        waiting = [_Leaf(span, await count(span))]
        while waiting:
            leaf = waiting.pop()
            middle = leaf.middle
            if leaf.items <= self.most or middle is None:
                leaves.append(leaf)
                continue
            first = Span(leaf.span.start, middle)
            left = min(leaf.items, await count(first))  # what lies on an edge may be counted on both sides
            waiting += [_Leaf(Span(middle, leaf.span.end), leaf.items - left), _Leaf(first, left)]
        return [self._shard(leaf, campaign_id) for leaf in _joined(leaves, self.most)]

    def _shard(self, leaf: _Leaf, campaign_id: str | None) -> Shard:
        start, end = leaf.span.start, leaf.span.end
        if self.span is not None and start > self.span.start:
            start -= _SECOND  # whether the shard before has what is on the edge, nobody knows; what comes twice is told by its id
        return Shard(service="routee", start=start, end=end, campaign_id=campaign_id, page_size=self.page_size, counted=leaf.items)


@contextmanager
def _naming(campaign_id: str) -> Generator[None]:
    """Say of which campaign an error is: its own text names none."""
    try:
        yield
    except RequestError as error:
        error.add_note(f"when campaign {campaign_id} was counted")
        raise


def _joined(leaves: list[_Leaf], most: int) -> list[_Leaf]:
    """Join neighbours that are small together. Each leaf took one request: of more than half of them something must be left."""
    joins = len(leaves) - (len(leaves) // 2 + 1)
    joined: list[_Leaf] = []
    for leaf in leaves:
        last = joined[-1] if joined else None
        if joins and last is not None and last.items + leaf.items <= most:
            joined[-1] = _Leaf(Span(last.span.start, leaf.span.end), last.items + leaf.items)
            joins -= 1
        else:
            joined.append(leaf)
    return joined
