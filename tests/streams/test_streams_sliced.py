"""A range walked slice by slice, as the server sees it: what is asked for, what is cut further, and where it gives up."""

from datetime import timedelta

import pytest
from campaigns import QUICK
from paged_server import NOON, SECOND, ids, rows, serving

from voicedrop_async import ClientCredentials, RouteeSession
from voicedrop_async.sandbox import Sandbox

HOUR = timedelta(hours=1)
EDGES = pytest.mark.parametrize("start_included", [True, False])
ENDS = pytest.mark.parametrize("end_included", [True, False])
AHEAD = pytest.mark.parametrize("prefetch", [0, 4])


def sliced(seconds, **options):
    """The options of a walk over so many seconds."""
    return {"start": NOON, "end": NOON + seconds * SECOND, "page_size": 3} | options


@AHEAD
async def test_the_slices_of_the_sandbox_together_are_its_list(prefetch):
    async with Sandbox(messages=300) as sandbox:
        auth = ClientCredentials(*sandbox.credentials)
        async with RouteeSession(auth, base_url=sandbox.routee_url, auth_url=sandbox.auth_url, retry=QUICK) as routee:
            week = {"start": sandbox.now - timedelta(days=8), "end": sandbox.now, "slices": timedelta(days=1)}
            async with routee.track_messages(**week, max_slice_items=20, page_size=9, prefetch=prefetch).walk() as walk:
                found = [item.message_id async for item in walk]
    assert found == [message["messageId"] for message in sandbox.messages]
    assert (walk.report.items, walk.report.complete, walk.report.crowded) == (300, True, 0)


@EDGES
@ENDS
@AHEAD
async def test_an_item_on_an_edge_comes_once_whatever_the_service_includes(start_included, end_included, prefetch):
    """Items on every second, several on some; edges on every second one. The outer ones are the service's to decide."""
    listed = rows(0.5, 1, 2, 2, 2, 3, 4, 4.5, 5, 6, 6, 6, 6, 7, 7.5)
    async with serving(rows=listed, start_included=start_included, end_included=end_included) as (_, routee, _):
        walk = routee.track_messages(**sliced(8, slices=2 * SECOND, prefetch=prefetch)).walk()
        found = [item async for item in walk]
    assert ids(found) == [*range(1, 16)]
    assert (walk.report.complete, walk.report.suspected_missing) == (True, 0)


@pytest.mark.parametrize("on_drift", ["dedupe", "repair", "raise", "ignore"])
async def test_what_slices_share_is_our_doing_and_no_drift(on_drift):
    """The report speaks of the list as if it had not been cut."""
    async with serving(rows=rows(*range(12))) as (_, routee, _):
        walk = routee.track_messages(**sliced(12, slices=4 * SECOND, on_drift=on_drift)).walk()
        assert ids([item async for item in walk]) == [*range(1, 13)]
    report = walk.report
    assert (report.items, report.duplicates, report.suspected_missing, report.complete) == (12, 0, 0, True)
    assert (report.total_first, report.total_last) == (12, 12)


@AHEAD
async def test_a_slice_above_the_limit_is_halved_until_it_is_not(prefetch):
    """No page lies deeper in a list than the limit, though the one slice there is holds sixty-four items."""
    async with serving(rows=rows(*[place + 0.5 for place in range(64)])) as (server, routee, _):
        walk = routee.track_messages(**sliced(64, slices=HOUR, max_slice_items=10, prefetch=prefetch)).walk()
        found = [item async for item in walk]
    assert (ids(found), walk.report.complete, walk.report.crowded) == ([*range(1, 65)], True, 0)
    assert max(asked.page for asked in server.asked) <= 3
    assert len(server.asked) < 64


@AHEAD
async def test_a_second_that_holds_too_much_is_walked_as_it_is_and_reported(prefetch):
    """Forty items in one second out of an hour: it is found in about a dozen cuts."""
    listed = rows(0.5, *[1000.5] * 40, 3000.5)
    async with serving(rows=listed) as (server, routee, _):
        options = sliced(3600, slices=HOUR, max_slice_items=10, page_size=10, prefetch=prefetch)
        async with routee.track_messages(**options).walk() as walk:
            found = [item async for item in walk]
    assert ids(found) == [*range(1, 43)]
    assert walk.report.crowded >= 1
    assert len(server.asked) < 60


@AHEAD
@pytest.mark.parametrize("count", [11, 60])
async def test_a_service_that_ignores_the_range_is_not_cut_for_ever(prefetch, count):
    """Each item comes once, and the report does not claim more than was seen. By then an hour is cut about a dozen times."""
    async with serving(rows=rows(*[0.5] * count), looks_at_range=False) as (server, routee, _):
        options = sliced(3600, slices=HOUR, max_slice_items=10, page_size=10, prefetch=prefetch)
        async with routee.track_messages(**options).walk() as walk:
            found = [item async for item in walk]
    assert (ids(found), walk.report.complete) == ([*range(1, count + 1)], False)
    pages = -(-count // 10)
    assert len(server.asked) < 16 * (pages + 1)


async def test_a_service_that_ignores_the_range_repeats_itself_and_its_items_come_once():
    """Small enough for no cut: every slice is the whole list, and each item comes once all the same."""
    async with serving(rows=rows(*[0.5] * 7), looks_at_range=False) as (_, routee, _):
        assert ids(await routee.track_messages(**sliced(4, slices=SECOND)).collect()) == [*range(1, 8)]


async def test_empty_slices_cost_one_request_each():
    async with serving(rows=rows(0.5, 90.5)) as (server, routee, _):
        assert ids(await routee.track_messages(**sliced(100, slices=10 * SECOND)).collect()) == [1, 2]
    assert [asked.page for asked in server.asked] == [0] * 10


async def test_count_asks_for_one_page_of_one_a_slice():
    async with serving(rows=rows(*[place + 0.5 for place in range(40)])) as (server, routee, _):
        assert await routee.track_messages(**sliced(40)).count() == 40
        assert [(asked.page, asked.size) for asked in server.asked] == [(0, 1)]
        server.asked.clear()
        assert await routee.track_messages(**sliced(40, slices=10 * SECOND, max_slice_items=1, max_items=3)).count() == 40
        assert [(asked.start, asked.end, asked.size) for asked in server.asked] == [(0, 10, 1), (10, 20, 1), (20, 30, 1), (30, 40, 1)]


async def test_first_looks_through_the_slices_until_there_is_one():
    async with serving(rows=rows(25.5, 26.5)) as (server, routee, _):
        assert ids([await routee.track_messages(**sliced(40, slices=10 * SECOND)).first()]) == [1]
        assert [(asked.page, asked.size) for asked in server.asked] == [(0, 1)] * 3


async def test_the_last_slice_ends_where_the_range_ends():
    async with serving(rows=rows(0.5, 10.5)) as (server, routee, _):
        assert ids(await routee.track_messages(**sliced(10, slices=4 * SECOND)).collect()) == [1]
    assert max(asked.end for asked in server.asked) == 10


@pytest.mark.parametrize("most", [1, 4, 5, 9])
async def test_max_items_ends_a_sliced_walk_where_it_is_told(most):
    async with serving(rows=rows(*[place + 0.5 for place in range(12)])) as (server, routee, _):
        options = sliced(12, slices=4 * SECOND, prefetch=4, max_items=most)
        assert ids(await routee.track_messages(**options).collect()) == [*range(1, most + 1)]
    assert max(asked.start for asked in server.asked) < most
