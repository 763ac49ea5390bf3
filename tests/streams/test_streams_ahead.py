"""Pages read ahead, as the server sees it: how many are open at once, in which order, and what becomes of the rest."""

import asyncio

import pytest
from campaigns import complaint
from paged_server import NOON, ROOMY, SECOND, TWENTY, Row, ids, into, rows, serving
from raw_server import answer

from voicedrop_async import Kind, Limits, ServerFailed


def walking(stream, found):
    """Walk in a task of its own; what was handed out is in ``found`` at any moment."""
    return asyncio.ensure_future(into(found, stream))


def pages(asked):
    return sorted(each.page for each in asked)


@pytest.mark.parametrize("prefetch", [1, 2, 5, 8])
async def test_g22_the_server_never_sees_more_requests_open_than_prefetch(prefetch):
    """While one page is held back, those behind it come in, and then nobody asks on."""
    async with serving(rows=TWENTY, session=ROOMY) as (server, routee, _):
        server.hold(lambda asked: asked.page == 1)
        task = walking(routee.track_messages(page_size=2, prefetch=prefetch), found := [])
        await server.until(lambda: len(server.answered) == prefetch)
        await routee.call("GET", "/of/somebody/else", kind=Kind.READ, params={"page": 99})  # what was to come is here by then
        assert (pages(server.asked), len(found)) == ([*range(prefetch + 1), 99], 2)
        server.hold(lambda _: True)
        await server.until(lambda: server.open == 1)
        server.release()
        await task
    assert (ids(found), len(server.asked)) == ([*range(1, 21)], 11)
    assert server.most_open <= prefetch + 1, "with the one of somebody else"


@pytest.mark.parametrize("prefetch", [2, 3, 8])
async def test_as_many_are_open_as_prefetch_allows(prefetch):
    async with serving(rows=TWENTY, session=ROOMY) as (server, routee, _):
        server.hold(lambda asked: asked.page > 0)
        task = walking(routee.track_messages(page_size=2, prefetch=prefetch), found := [])
        await server.until(lambda: server.open == prefetch)
        assert (pages(server.asked), len(found)) == ([*range(prefetch + 1)], 2)
        server.release()
        await task
    assert (ids(found), server.most_open) == ([*range(1, 21)], prefetch)


async def test_without_prefetch_a_page_is_asked_for_when_it_is_needed():
    async with serving(rows=TWENTY) as (server, routee, _):
        seen = [(int(item.message_id[1:]), len(server.asked)) async for item in routee.track_messages(page_size=5)]
    assert (seen, server.most_open) == ([(number, -(-number // 5)) for number in range(1, 21)], 1)


async def test_g22_pages_answered_backwards_are_handed_out_in_order():
    async with serving(rows=TWENTY, session=ROOMY) as (server, routee, _):
        server.hold(lambda asked: asked.page > 0)
        task = walking(routee.track_messages(page_size=4, prefetch=4), found := [])
        await server.until(lambda: server.open == 4)
        for last in (4, 3, 2, 1):
            assert ids(found) == [1, 2, 3, 4]
            server.hold(lambda asked, last=last: 0 < asked.page < last)
            await server.until(lambda last=last: server.open == last - 1)
        await task
    assert [asked.page for asked in server.answered] == [0, 4, 3, 2, 1]
    assert ids(found) == [*range(1, 21)]


async def test_a_failure_ahead_is_told_behind_the_items_in_front_of_it():
    """Page 3 has failed for good before page 1 is answered; pages 1 and 2 are handed out all the same."""
    async with serving(rows=TWENTY, session=ROOMY) as (server, routee, _):
        server.instead[3] = answer(500, complaint())
        server.hold(lambda asked: asked.page == 1)
        task = walking(routee.track_messages(page_size=2, prefetch=4), found := [])
        await server.until(lambda: pages(server.answered).count(3) == 4)
        assert (ids(found), task.done()) == ([1, 2], False)
        server.release()
        with pytest.raises(ServerFailed):
            await task
    assert ids(found) == [1, 2, 3, 4, 5, 6]


async def test_a_failure_ahead_that_nobody_reaches_harms_nobody():
    """Nor is it reported as an exception that was never retrieved."""
    async with serving(rows=TWENTY, session=ROOMY) as (server, routee, _):
        server.instead[2] = answer(500, complaint())
        async with routee.track_messages(page_size=2, prefetch=4).walk() as walk:
            async for _ in walk:
                await server.until(lambda: pages(server.answered).count(2) == 4)
                break
        assert ids(await routee.track_messages(page_size=2, max_items=4).collect()) == [1, 2, 3, 4]


@pytest.mark.parametrize(("most", "requests"), [(0, 0), (1, 1), (2, 1), (3, 2), (8, 4), (9, 5), (20, 10), (99, 10)])
async def test_max_items_caps_what_is_asked_for_ahead(most, requests):
    async with serving(rows=TWENTY, session=ROOMY) as (server, routee, _):
        found = await routee.track_messages(page_size=2, prefetch=8, max_items=most).collect()
        assert (ids(found), pages(server.asked)) == ([*range(1, min(most, 20) + 1)], [*range(requests)])


@pytest.mark.parametrize(("slots", "at_once"), [(1, 1), (2, 1), (4, 3)])
async def test_the_slots_of_the_session_come_before_prefetch(slots, at_once):
    """One slot is kept for sending. The page that is needed next waits for no page behind it."""
    async with serving(rows=TWENTY, session={"limits": Limits(max_in_flight=slots)}) as (server, routee, _):
        server.hold(lambda asked: asked.page > 0)
        task = walking(routee.track_messages(page_size=2, prefetch=8), found := [])
        await server.until(lambda: server.open == at_once)
        server.release()
        await task
    assert (ids(found), server.most_open) == ([*range(1, 21)], at_once)
    assert [asked.page for asked in server.asked] == [*range(10)]


async def test_two_walks_share_the_slots_and_both_come_to_their_end():
    async with serving(rows=TWENTY, session={"limits": Limits(max_in_flight=3)}) as (server, routee, _):
        stream = routee.track_messages(page_size=2, prefetch=8)
        server.hold(lambda asked: asked.page > 0)
        both = asyncio.gather(walking(stream, one := []), walking(stream, other := []))
        await server.until(lambda: server.open == 2)
        server.release()
        await both
    assert (ids(one), ids(other), server.most_open) == ([*range(1, 21)], [*range(1, 21)], 2)


# --- a list that grows while its pages are answered out of order -----------------------------------------------------


async def test_what_falls_between_two_pages_answered_out_of_order_is_not_lost():
    """Page 2 is read; an item comes in at the front; page 1 is read: the item pushed from page 1 to page 2 was on neither."""
    async with serving(rows=list(TWENTY[:8]), session=ROOMY) as (server, routee, _):
        server.before[1] = lambda: server.rows.insert(0, Row(NOON, 100))
        server.hold(lambda asked: asked.page == 1)
        async with routee.track_messages(page_size=2, prefetch=2).walk() as walk:
            task = walking(walk, found := [])
            await server.until(lambda: pages(server.answered) == [0, 2])
            server.release()
            await task
    assert ids(found) == [*range(1, 9)]
    assert pages(server.asked).count(2) == 2, "once too early, and once more"
    assert (walk.report.total_first, walk.report.total_last) == (8, 9)


async def test_a_list_that_grows_at_its_front_all_the_time_loses_nothing():
    """With each page that is read, one more item comes in, while answers come back in any order."""
    async with serving(rows=list(TWENTY), session=ROOMY) as (server, routee, _):
        for number in range(1, 14, 2):
            server.before[number] = lambda number=number: server.rows.insert(0, Row(NOON, 100 + number))
        server.hold(lambda asked: asked.page % 3 == 1)
        task = walking(routee.track_messages(page_size=2, prefetch=5), found := [])
        await server.until(lambda: len(server.asked) == 6)
        server.release()
        await task
    assert [number for number in ids(found) if number <= 20] == [*range(1, 21)]
    assert len(set(ids(found))) == len(found)


# --- over the edge of a slice ----------------------------------------------------------------------------------------


async def test_the_next_slice_is_opened_while_the_end_of_this_one_is_under_way():
    async with serving(rows=rows(*range(9)), session=ROOMY) as (server, routee, _):
        server.hold(lambda asked: asked.page == 1 and asked.start <= 0)
        sliced = {"start": NOON, "end": NOON + 9 * SECOND, "slices": 3 * SECOND}
        task = walking(routee.track_messages(**sliced, page_size=2, prefetch=4), found := [])
        await server.until(lambda: any(asked.start > 0 for asked in server.answered))
        assert ids(found) == [1, 2]
        server.release()
        await task
    assert (ids(found), server.most_open <= 4) == ([*range(1, 10)], True)


async def test_slices_of_drops_are_asked_for_side_by_side_and_handed_out_in_order():
    async with serving(rows=rows(*range(8))) as (server, _, spacivox):
        server.hold(lambda asked: asked.start > 0)
        task = walking(spacivox.drop_records(NOON, NOON + 8 * SECOND, slices=2 * SECOND, prefetch=3), found := [])
        await server.until(lambda: server.open == 3)
        server.hold(lambda asked: 0 < asked.start < 4)
        await server.until(lambda: server.open == 2)
        assert ids(found) == [1, 2]
        server.release()
        await task
    assert (ids(found), server.most_open) == ([*range(1, 9)], 3)
