"""A walk cancelled at any turn of the loop leaves no task, no request and no connection, and harms no other walk."""

import asyncio
import inspect
from contextlib import AsyncExitStack

import pytest
from paged_server import NOON, SECOND, ids, into, others, rows, serving

FIVE = rows(0, 1, 2, 3, 4)
ROADS = pytest.mark.parametrize("road", ["items", "pages"])
HANDS = pytest.mark.parametrize("in_hand", [True, False], ids=["walk", "plain"])
AHEAD = pytest.mark.parametrize("prefetch", [0, 4])


async def taken(stream, road, in_hand):
    """Walk all five to the end, with a turn of the loop in each body, so that the walk is cancelled there as well."""
    async with AsyncExitStack() as stack:
        walk = await stack.enter_async_context(stream.walk()) if in_hand else stream
        found = []
        async for each in walk if road == "items" else walk.pages():
            found += [each] if road == "items" else each.items
            await asyncio.sleep(0)
    assert ids(found) == [1, 2, 3, 4, 5]


async def cancelled_after(turns, work, *, again=False):
    """Cancel ``work`` after so many turns of the loop, perhaps once more in its cleaning up; False if it was done before."""
    task = asyncio.create_task(work)
    for _ in range(turns):
        await asyncio.sleep(0)
    task.cancel()
    if again:
        await asyncio.sleep(0)
        task.cancel()
    await asyncio.wait([task])
    return task.cancelled() or task.result()


async def few_turns():
    for _ in range(6):  # in which Python closes a generator that was dropped
        await asyncio.sleep(0)


def at_work(server):
    """Of these, the ones of the library: the loop closes a generator that was dropped in a task of its own, of a turn."""
    return {task for task in others(server) if inspect.iscoroutine(task.get_coro())}


@ROADS
@HANDS
@AHEAD
async def test_a_walk_cancelled_after_any_number_of_turns_leaves_nothing(road, in_hand, prefetch):
    """Whichever await it was: tasks are gone, another walk on the same session is whole, and nobody stays connected."""
    cancelled = 0
    async with serving(rows=FIVE) as (server, routee, _):
        stream = routee.track_messages(page_size=2, prefetch=prefetch)
        while await cancelled_after(cancelled, taken(stream, road, in_hand)):
            cancelled += 1
            assert not in_hand or at_work(server) == set()
            await few_turns()
            assert others(server) == set()
            await taken(stream, road, in_hand)
        await routee.aclose()
        await server.left_alone()
    assert (cancelled > 10, server.open) == (True, 0)


@AHEAD
async def test_a_sliced_walk_cancelled_after_any_number_of_turns_goes_on_in_the_hand(prefetch):
    """Nothing that was handed out comes again, and nothing is skipped."""
    turns, whole = 0, False
    async with serving(rows=rows(0.5, 0.5, 2.5)) as (server, routee, _):
        sliced = {"start": NOON, "end": NOON + 4 * SECOND, "slices": 4 * SECOND, "max_slice_items": 2}
        stream = routee.track_messages(**sliced, page_size=1, prefetch=prefetch)
        while not whole:
            found = []
            async with stream.walk() as walk:
                whole = not await cancelled_after(turns, into(found, walk))
                found += [item async for item in walk]
            assert (ids(found), walk.report.complete) == ([1, 2, 3], True)
            assert at_work(server) == set()
            turns += 1
    assert turns > 10


@HANDS
async def test_a_walk_cancelled_again_while_it_cleans_up_leaves_nothing(in_hand):
    turns = 0
    async with serving(rows=FIVE) as (server, routee, _):
        stream = routee.track_messages(page_size=1, prefetch=4)
        while await cancelled_after(turns, taken(stream, "items", in_hand), again=True):
            turns += 1
            await few_turns()
            assert others(server) == set()
        await taken(stream, "items", in_hand)
    assert turns > 10


@AHEAD
async def test_a_repair_cancelled_after_any_number_of_turns_leaves_nothing_and_goes_on(prefetch):
    turns, whole = 0, False
    async with serving(rows=FIVE) as (server, routee, _):
        stream = routee.track_messages(page_size=3, prefetch=prefetch, on_drift="repair")
        while not whole:
            found = []
            async with stream.walk() as walk:
                whole = not await cancelled_after(turns, into(found, walk))
                found += [item async for item in stream_from(routee, walk, prefetch)]
            assert ids(found) == [1, 2, 3, 4, 5]
            assert at_work(server) == set()
            turns += 1
    assert turns > 10


def stream_from(routee, walk, prefetch):
    return routee.track_messages(page_size=3, prefetch=prefetch, on_drift="repair", resume=walk.token)


async def test_a_drop_stream_cancelled_after_any_number_of_turns_leaves_nothing():
    turns = 0
    async with serving(rows=FIVE) as (server, _, spacivox):
        stream = spacivox.drop_records(NOON, NOON + 5 * SECOND, slices=SECOND, prefetch=2)
        while await cancelled_after(turns, taken(stream, "items", in_hand=True)):
            turns += 1
            assert at_work(server) == set()
            await taken(stream, "items", in_hand=True)
    assert turns > 10
