"""A range of time, cut into slices until each holds little enough."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from page_servers import NOON, PATIENT, SECOND, fetched, ids

from voicedrop_async.errors import ResumeTokenError, WireError
from voicedrop_async.pages import PageStream, Source, Span
from voicedrop_async.pages._source import Cuts
from voicedrop_async.routee._tracking import _keys

HOUR = timedelta(hours=1)


class Calendar:
    """Messages, each at a moment; a range includes both of its edges, as a service may do."""

    def __init__(self, moments, *, heeds=True):
        self.moments = sorted((moment, f"{number:04}") for number, moment in enumerate(moments))
        self.heeds = heeds
        self.asked = []
        self.longest = None
        """Items above which an answer is too long to be read."""

    async def fetch(self, span, number, size):
        self.asked.append((span, number))
        items = [name for moment, name in self.moments if not self.heeds or span.start <= moment <= span.end]
        if self.longest is not None and len(items) > self.longest:
            raise WireError(summary="the answer is too long", too_long=True)
        pages = -(-len(items) // size)
        content = " ".join(items[number * size : (number + 1) * size]) + " "
        return fetched(content, number=number, size=size, last=number + 1 >= pages, pages=pages, total=len(items))

    def stream(self, *, hours=4, step=HOUR, most=None, **options):
        source = Source(fetch=self.fetch, keys=_keys, query="", range=Span(NOON, NOON + hours * HOUR), step=step, most=most)
        return PageStream(source, **{"page_size": 3} | options)

    @property
    def names(self):
        return [name for _, name in self.moments]


async def walked(calendar, **options):
    async with calendar.stream(**options).walk() as walk:
        return ids([item async for item in walk]), walk.report


async def test_each_slice_is_a_list_of_its_own():
    calendar = Calendar(NOON + n * timedelta(minutes=25) for n in range(9))
    items, report = await walked(calendar)
    assert (items, report.complete) == (calendar.names, True)
    assert {span.end - span.start for span, _ in calendar.asked} == {HOUR}


@pytest.mark.parametrize("prefetch", [0, 5])
async def test_an_item_on_an_edge_comes_once(prefetch):
    calendar = Calendar([NOON + n * HOUR for n in range(5)])
    items, report = await walked(calendar, prefetch=prefetch)
    assert (items, report.duplicates, report.complete) == (calendar.names, 0, True)


@pytest.mark.parametrize("prefetch", [0, 5])
async def test_a_slice_that_holds_too_much_is_cut_until_it_does_not(prefetch):
    calendar = Calendar(NOON + n * timedelta(seconds=7) for n in range(200))
    items, report = await walked(calendar, most=20, prefetch=prefetch)
    assert (items, report.crowded, report.complete) == (calendar.names, 0, True)
    walked_slices = {span for span, number in calendar.asked if number > 0}
    assert all(sum(span.start <= moment <= span.end for moment, _ in calendar.moments) <= 20 for span in walked_slices)


async def test_a_second_that_holds_too_much_is_walked_as_it_is():
    calendar = Calendar([NOON + 100 * SECOND] * 12)
    items, report = await walked(calendar, most=5)
    assert (items, report.crowded, report.complete) == (calendar.names, 2, True)  # it lies on an edge, so in two slices


@pytest.mark.parametrize("prefetch", [0, 5])
async def test_a_slice_whose_answer_is_too_long_is_cut(prefetch):
    calendar = Calendar(NOON + n * timedelta(seconds=7) for n in range(200))
    calendar.longest = 40
    items, report = await walked(calendar, page_size=1000, prefetch=prefetch)
    assert (items, report.complete) == (calendar.names, True)


async def test_a_second_whose_answer_is_too_long_is_an_error():
    calendar = Calendar([NOON] * 3)
    calendar.longest = 2
    with pytest.raises(WireError) as error:
        await walked(calendar, page_size=1000)
    assert error.value.too_long
    assert error.value.resume is not None


async def test_a_service_that_does_not_look_at_the_range_is_not_cut_for_ever():
    """Each half is then as large as the whole."""
    calendar = Calendar([NOON] * 30, heeds=False)
    items, report = await walked(calendar, most=10)
    assert (items, report.complete) == (calendar.names, False)
    assert len(calendar.asked) < 200


async def test_count_adds_up_the_slices():
    calendar = Calendar(NOON + n * timedelta(minutes=25) for n in range(9))
    assert await calendar.stream(most=1).count() == 9
    assert len(calendar.asked) == 4


async def test_the_first_item_may_lie_in_a_later_slice():
    calendar = Calendar([NOON + 3.5 * HOUR])
    assert (await calendar.stream().first()).message_id == "0000"


@pytest.mark.parametrize("options", [{}, {"prefetch": 4}, {"on_drift": "repair"}, {"on_drift": "raise"}])
async def test_a_sliced_walk_goes_on_from_any_item(options):
    calendar = Calendar(NOON + n * timedelta(minutes=5) for n in range(49))
    whole, tokens = [], []
    async with calendar.stream(most=9, **options).walk() as walk:
        async for item in walk:
            whole.append(item.message_id)
            tokens.append(str(walk.token))
    assert whole == calendar.names
    for place, token in enumerate(tokens):
        async with calendar.stream(most=9, resume=token, **options).walk() as walk:
            rest = ids([item async for item in walk])
        assert (rest, walk.report.complete) == (whole[place + 1 :], True)


async def test_a_token_of_a_longer_slice_is_refused_and_one_of_a_shorter_goes_on():
    """Its page number is one of another list."""
    calendar = Calendar(NOON + n * timedelta(minutes=5) for n in range(49))
    async with calendar.stream().walk() as walk:
        begun = [(await anext(aiter(walk))).message_id for _ in range(8)]
    with pytest.raises(ResumeTokenError, match="slices"):
        calendar.stream(step=HOUR / 2, resume=walk.token)
    rest = await calendar.stream(step=2 * HOUR, resume=walk.token).collect()
    assert begun + ids(rest) == calendar.names


# --- where the cuts are ----------------------------------------------------------------------------------------------

moments = st.integers(0, 10**10).map(lambda micros: NOON + timedelta(microseconds=micros))


@PATIENT
@given(start=moments, length=st.integers(1, 10**10), step=st.integers(10**6, 10**10), halved=st.lists(st.integers(0, 30), max_size=6))
def test_slices_follow_each_other_without_gap_or_overlap(start, length, step, halved):
    whole = Span(start, start + timedelta(microseconds=length))
    cuts = Cuts(whole, max(timedelta(microseconds=step), (whole.end - whole.start) / 50))
    at, spans = cuts.first(), []
    while at is not None:
        if len(spans) in halved:
            cuts.halve(at, 10)
        spans.append(cuts.span(at))
        at = cuts.after(at)
    assert (spans[0].start, spans[-1].end) == (whole.start, whole.end)
    assert all(one.end == other.start for one, other in pairwise(spans))
    assert all(span.start < span.end for span in spans)


def test_a_cut_lies_on_a_whole_second_and_none_within_one():
    cuts = Cuts(Span(datetime(2026, 1, 1, 0, 0, 0, 400_000, tzinfo=UTC), datetime(2026, 1, 1, 0, 0, 3, tzinfo=UTC)), HOUR)
    while cuts.halve(cuts.first(), None):
        pass
    assert cuts.span(cuts.first()).end == datetime(2026, 1, 1, 0, 0, 1, tzinfo=UTC)
