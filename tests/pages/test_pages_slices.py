"""A range of time, cut into slices until each holds little enough."""

import time
from datetime import UTC, datetime, timedelta, timezone
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from page_servers import NOON, PATIENT, SECOND, fetched, ids

from voicedrop_async.errors import ResumeTokenError, WireError
from voicedrop_async.pages import PageStream, Source, Span, in_utc
from voicedrop_async.pages._cuts import Cuts
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

    def stream(self, *, hours=4, step=HOUR, most=None, overlap=0 * SECOND, **options):
        whole = Span(NOON, NOON + hours * HOUR)
        source = Source(fetch=self.fetch, keys=_keys, query="", range=whole, step=step, most=most, overlap=overlap)
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


async def test_a_slice_that_holds_as_much_as_it_may_is_not_cut():
    calendar = Calendar(NOON + n * timedelta(minutes=5) for n in range(1, 6))
    _, report = await walked(calendar, hours=1, most=5)
    assert ({span for span, _ in calendar.asked}, report.crowded) == ({a_range(3600)}, 0)


@pytest.mark.parametrize("mode", ["dedupe", "repair"])
async def test_a_slice_that_is_begun_is_not_cut_though_it_grows(mode):
    """Its pages would be counted anew from the cut."""
    calendar = Calendar(NOON + n * timedelta(minutes=5) for n in range(1, 6))
    fetch, late = calendar.fetch, [(NOON + n * SECOND, f"late {n}") for n in range(3000, 3004)]

    async def grow(span, number, size):
        page = await fetch(span, number, size)
        calendar.moments = sorted({*calendar.moments, *late})
        return page

    calendar.fetch = grow
    await walked(calendar, hours=1, most=5, on_drift=mode)
    assert {span for span, _ in calendar.asked} == {a_range(3600)}


async def test_a_second_that_holds_too_much_is_walked_as_it_is():
    calendar = Calendar([NOON + 100 * SECOND] * 12)
    items, report = await walked(calendar, most=5)
    assert (items, report.crowded, report.complete) == (calendar.names, 2, True)  # it lies on an edge, so in two slices


async def test_a_crowded_second_counts_once_however_often_it_is_read():
    calendar = Calendar([NOON + 100 * SECOND] * 12)
    _, report = await walked(calendar, most=5, on_drift="repair")
    assert (report.crowded, report.complete) == (2, True)


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


async def test_count_asks_for_whole_slices_though_a_walk_has_cut_them():
    calendar = Calendar(NOON + n * timedelta(minutes=5) for n in range(49))
    async with calendar.stream(most=9).walk() as walk:
        await anext(aiter(walk))
    calendar.asked.clear()
    await calendar.stream(most=9, resume=walk.token).count()
    assert [span for span, _ in calendar.asked] == [a_range(3600, begins=3600 * hour) for hour in range(4)]


async def test_count_asks_for_no_overlap():
    """What lies in it belongs to the slice before, and would count in both."""
    calendar = Calendar([NOON + HOUR - SECOND, NOON + 2 * HOUR - SECOND])
    assert await calendar.stream(overlap=SECOND).count() == 2


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


@pytest.mark.parametrize("overlap", [0 * SECOND, SECOND])
@pytest.mark.parametrize("options", [{}, {"prefetch": 4}, {"on_drift": "repair"}, {"most": 5}])
async def test_many_items_on_an_edge_do_not_come_again_to_whoever_goes_on_behind_it(options, overlap):
    """More than a page of them lie on it, and more in the second in front of it than a slice may hold."""
    edge = NOON + HOUR
    calendar = Calendar([NOON, *[edge - SECOND] * 6, *[edge] * 7, edge + SECOND])
    whole, tokens = [], []
    async with calendar.stream(overlap=overlap, **options).walk() as walk:
        async for item in walk:
            whole.append(item.message_id)
            tokens.append(walk.token)
    assert sorted(whole) == calendar.names
    for place, token in enumerate(tokens):
        rest = await calendar.stream(overlap=overlap, resume=token, **options).collect()
        assert ids(rest) == whole[place + 1 :]


async def test_who_goes_on_to_repair_looks_once_at_what_lies_in_front_of_his_slice():
    calendar = Calendar([NOON + HOUR + number * SECOND for number in range(5)])
    async with calendar.stream(on_drift="repair").walk() as walk:
        await anext(aiter(walk))
        await anext(aiter(walk))
    calendar.asked.clear()
    assert len(await calendar.stream(on_drift="repair", resume=walk.token).collect()) == 3
    assert calendar.asked.count((a_range(1, begins=3599), 0)) == 1


async def test_a_slice_that_no_walk_has_begun_is_cut_by_whoever_comes_to_it():
    """The walk was left between two slices."""
    calendar = Calendar(NOON + n * timedelta(minutes=3) for n in range(1, 40))
    async with calendar.stream(hours=2).walk() as walk:
        first = [(await anext(aiter(walk))).message_id for _ in range(20)]
    rest, report = await walked(calendar, hours=2, most=11, resume=walk.token)
    assert (first + rest, report.crowded) == (calendar.names, 0)


async def test_a_long_walk_remembers_no_cuts_that_lie_behind():
    calendar = Calendar(NOON + n * timedelta(minutes=3) for n in range(1, 40))
    async with calendar.stream(hours=2, most=3).walk() as walk:
        remembered = [len(walk._reader.cuts.further) async for _ in walk]
    assert max(remembered) < 8


async def test_a_token_of_a_longer_slice_is_refused_and_one_of_a_shorter_goes_on():
    """Its page number is one of another list."""
    calendar = Calendar(NOON + n * timedelta(minutes=5) for n in range(49))
    async with calendar.stream().walk() as walk:
        begun = [(await anext(aiter(walk))).message_id for _ in range(8)]
    with pytest.raises(ResumeTokenError, match=r"^resume: the token stands in a longer slice than this stream has; give the slices"):
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


def a_range(seconds, *, begins=0.0):
    return Span(NOON + begins * SECOND, NOON + (begins + seconds) * SECOND)


@pytest.mark.parametrize(
    ("whole", "cut"),
    [(a_range(3600), 1800), (a_range(2), 1), (a_range(3), 1), (a_range(1.5, begins=0.4), 1), (a_range(10, begins=0.9), 5)],
)
def test_a_slice_is_cut_in_its_middle_on_the_second_before_it(whole, cut):
    cuts = Cuts(whole, HOUR)
    assert cuts.halve(whole.start, 7)
    assert cuts.span(whole.start) == Span(whole.start, NOON + cut * SECOND)
    assert cuts.span(NOON + cut * SECOND) == Span(NOON + cut * SECOND, whole.end)


@pytest.mark.parametrize("whole", [a_range(1), a_range(1, begins=0.6), a_range(1.5), a_range(0.5, begins=0.7)])
def test_a_slice_of_a_second_and_one_without_a_whole_second_inside_are_not_cut(whole):
    cuts = Cuts(whole, HOUR)
    assert not cuts.halve(whole.start, 7)
    assert cuts.span(whole.start) == whole


def test_what_is_cut_ends_with_its_step():
    cuts = Cuts(a_range(8), 4 * SECOND)
    assert cuts.halve(NOON, 7)
    assert [cuts.span(NOON + begins * SECOND) for begins in (0, 2, 4)] == [a_range(2), a_range(2, begins=2), a_range(4, begins=4)]


def test_what_is_one_list_is_not_cut():
    cuts = Cuts(None, SECOND)
    assert not cuts.halve(None, 7)
    assert (cuts.first(), cuts.span(None), cuts.after(None), cuts.asked(None, SECOND), cuts.before(None, SECOND)) == (None,) * 5


def test_a_slice_but_the_first_is_asked_for_with_its_overlap_and_never_from_before_the_range():
    cuts = Cuts(a_range(10), 2 * SECOND)
    assert cuts.asked(NOON, SECOND) == a_range(2)
    assert cuts.asked(NOON + 2 * SECOND, SECOND) == a_range(3, begins=1)
    assert cuts.asked(NOON + 2 * SECOND, 5 * SECOND) == a_range(4)


def test_in_front_of_a_slice_lies_its_overlap_and_the_second_of_its_edge():
    cuts = Cuts(a_range(10), 2 * SECOND)
    assert cuts.before(NOON, SECOND) is None
    assert cuts.before(NOON + 4 * SECOND, timedelta(0)) == a_range(1, begins=3)
    assert cuts.before(NOON + 4 * SECOND, SECOND) == a_range(2, begins=2)
    assert cuts.before(NOON + 2 * SECOND, 5 * SECOND) == a_range(2)


def test_cuts_that_lie_behind_are_forgotten():
    cuts = Cuts(a_range(8), 8 * SECOND)
    cuts.halve(NOON, 1)
    cuts.halve(NOON, 1)
    cuts.pass_by(NOON + 4 * SECOND)
    assert set(cuts.further) == {NOON + 4 * SECOND}
    cuts.pass_by(None)
    assert set(cuts.further) == {NOON + 4 * SECOND}


@pytest.mark.parametrize(
    ("counts", "helpful"),
    [
        ((9, 9, 9, 9), False),
        ((9, 9, 9, 13), False),
        ((9, 9, 9, 14), True),
        ((9, 8, 9, 9), True),
        ((9, 9, 9), True),
        ((9, 9, 9, None), True),
    ],
)
def test_cutting_is_given_up_where_four_slices_in_a_row_hold_the_whole_again(counts, helpful):
    """Or half as much more: a list may grow meanwhile. Three can hold the same items on one edge."""
    cuts = Cuts(a_range(64), 64 * SECOND)
    starts = [NOON]
    for _ in counts:
        cuts.halve(NOON, 9)
        starts.append(min(cuts.further))
    for start, count in zip(starts[1:], counts, strict=True):
        cuts.opened(start, count)
    assert cuts.helpful is helpful
    assert cuts.halve(NOON + 40 * SECOND, 9) is helpful


def test_slices_that_were_not_cut_say_nothing_of_cutting():
    cuts = Cuts(a_range(64), SECOND)
    for number in range(8):
        cuts.opened(NOON + number * SECOND, 9)
    assert cuts.helpful


def test_a_range_is_walked_in_utc(monkeypatch):
    """Where a step of a day does not trip over daylight saving, wherever the program runs."""
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    time.tzset()
    here = timezone(timedelta(hours=2))
    span = in_utc(NOON.astimezone(here), (NOON + HOUR).astimezone(here))
    assert (span.start, span.end) == (NOON, NOON + HOUR)
    monkeypatch.undo()
    time.tzset()
    assert (span.start.tzinfo, span.end.tzinfo) == (UTC, UTC)
