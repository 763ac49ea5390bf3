"""Voicemail drops: one GET a slice, half-open edges whatever the service includes, and cut where an answer is too long."""

from datetime import timedelta

import pytest
from paged_server import NOON, SECOND, Row, ids, into, rows, serving
from raw_server import answer

from voicedrop_async import WireError, _body

EDGES = pytest.mark.parametrize("start_included", [True, False])
ENDS = pytest.mark.parametrize("end_included", [True, False])
MOST = 1 << 16
"""Bytes that the reader takes here, in place of its sixteen mebibytes."""
HEAVY = 4_700
SIXTEEN = {"weight": HEAVY, "rows": rows(*range(16))}
"""Records so heavy that the reader's cap lies between thirteen and fourteen of them."""


@pytest.fixture(autouse=True)
def _short_reader(monkeypatch):
    monkeypatch.setattr(_body, "MOST_BYTES", MOST)


@EDGES
@ENDS
@pytest.mark.parametrize("prefetch", [0, 2])
async def test_a_record_on_an_edge_comes_once_whatever_the_service_includes(start_included, end_included, prefetch):
    """Records on each second, on its edges and between them, in slices of two seconds."""
    seconds = (-1, 0, 0, 0.5, 1, 2, 2.5, 3.999999, 4, 4, 5, 6, 7.5, 8, 9)
    async with serving(rows=rows(*seconds), start_included=start_included, end_included=end_included) as (_, _, spacivox):
        async with spacivox.drop_records(NOON, NOON + 8 * SECOND, slices=2 * SECOND, prefetch=prefetch).walk() as walk:
            found = [item async for item in walk]
        listed = await spacivox.list_drop_records(NOON, NOON + 8 * SECOND)
    assert ids(found) == ids(listed) == [*range(2, 14)]
    assert (walk.report.complete, walk.report.duplicates, walk.report.suspected_missing) == (True, 0, 0)


async def test_a_range_between_two_seconds_is_kept_to_the_microsecond():
    microsecond = timedelta(microseconds=1)
    start, end = NOON + 0.25 * SECOND, NOON + 2.75 * SECOND
    listed = [Row(start - microsecond, 1), Row(start, 2), Row(end - microsecond, 3), Row(end, 4)]
    async with serving(rows=listed) as (_, _, spacivox):
        assert ids(await spacivox.drop_records(start, end, slices=SECOND).collect()) == [2, 3]
        assert ids(await spacivox.list_drop_records(start, end)) == [2, 3]


async def test_a_slice_is_one_get():
    async with serving(rows=rows(*range(10))) as (server, _, spacivox):
        stream = spacivox.drop_records(NOON, NOON + 10 * SECOND, slices=4 * SECOND)
        pages = [page async for page in stream.pages()]
    assert [(page.number, ids(page.items), page.is_last) for page in pages] == [
        (0, [1, 2, 3, 4], False),
        (1, [5, 6, 7, 8], False),
        (2, [9, 10], True),
    ]
    assert [asked.end for asked in server.asked] == [4, 8, 10]


async def test_a_record_whose_moment_cannot_be_read_is_kept_once():
    """It stands in each answer it is in, and no edge can be held for it."""
    body = [{"id": 7, "timestamp": "yesterday"}, {"id": 8, "timestamp": "2026-03-02T12:00:00Z"}]
    async with serving() as (server, _, spacivox):
        server.instead[0] = answer(body=body)
        async with spacivox.drop_records(NOON, NOON + 4 * SECOND, slices=SECOND).walk() as walk:
            assert ids([item async for item in walk]) == [7, 8]
    assert (len(server.asked), walk.report.items, walk.report.complete) == (4, 2, True)


@pytest.mark.parametrize("prefetch", [0, 3])
async def test_a_slice_whose_answer_is_too_long_is_cut_in_two(prefetch):
    async with serving(**SIXTEEN) as (server, _, spacivox):
        walk = spacivox.drop_records(NOON, NOON + 16 * SECOND, prefetch=prefetch).walk()
        found = [item.id async for item in walk]
    assert (found, walk.report.complete, len(server.asked)) == ([*range(1, 17)], True, 3)
    assert [asked.end for asked in server.asked] == [16, 8, 16]


async def test_a_crowded_spot_is_cut_until_it_fits():
    """All of it lies in two seconds of a day."""
    listed = rows(*([40_000.5] * 9 + [40_002.5] * 9))
    async with serving(rows=listed, weight=HEAVY) as (server, _, spacivox):
        walk = spacivox.drop_records(NOON, NOON + timedelta(days=1)).walk()
        found = [item.id async for item in walk]
    assert (found, walk.report.complete) == ([*range(1, 19)], True)
    assert len(server.asked) < 50


@pytest.mark.parametrize("prefetch", [0, 3])
async def test_a_second_that_is_too_long_is_an_error_with_a_place_behind_what_came_before(prefetch):
    """A second cannot be cut; when it has become shorter, the walk goes on."""
    listed = rows(*([0.5] * 2 + [2.5] * 16 + [4.5] * 2))
    async with serving(rows=listed, weight=HEAVY) as (server, _, spacivox):
        found = []
        with pytest.raises(WireError) as caught:
            await into(found, spacivox.drop_records(NOON, NOON + 6 * SECOND, prefetch=prefetch))
        assert (ids(found), caught.value.too_long) == ([1, 2], True)
        assert caught.value.length > MOST
        server.weight = 0
        again = spacivox.drop_records(NOON, NOON + 6 * SECOND, prefetch=prefetch, resume=caught.value.resume)
        found += await again.collect()
    assert ids(found) == [*range(1, 21)]


async def test_a_walk_over_cut_slices_goes_on_at_every_item():
    """A token remembers where its slice was cut, so nothing comes again."""
    async with serving(**SIXTEEN) as (_, _, spacivox):
        span = (NOON, NOON + 16 * SECOND)
        async with spacivox.drop_records(*span).walk() as walk:
            tokens = [walk.token async for _ in walk]
        for handed in (1, 7, 8, 9, 15, 16):
            rest = await spacivox.drop_records(*span, resume=tokens[handed - 1]).collect()
            assert ids(rest) == [*range(handed + 1, 17)], f"from item {handed}"


async def test_a_list_that_is_too_long_names_the_stream():
    async with serving(**SIXTEEN) as (_, _, spacivox):
        with pytest.raises(WireError, match="drop_records") as caught:
            await spacivox.list_drop_records(NOON, NOON + 16 * SECOND)
    assert caught.value.too_long
