"""A walk that is left early: whoever leaves, and however, no request goes on and no task is at work."""

import asyncio
import gc
from contextlib import suppress

import pytest
from paged_server import NOON, ROOMY, SECOND, TWENTY, ids, into, others, rows, serving

from voicedrop_async import ConfigError, Kind, Limits


class Enough(Exception):
    """Raised by the body of a loop."""


async def breaks(loop, under_way):
    async for _ in loop:
        await under_way()
        break


async def raises(loop, under_way):
    async for _ in loop:
        await under_way()
        raise Enough


async def returns(loop, under_way):
    async for item in loop:
        await under_way()
        return item
    return None


async def is_out_of_time_in_its_body(loop, under_way):
    async with asyncio.timeout(None) as clock:
        async for _ in loop:
            await under_way()
            clock.reschedule(0)
            await asyncio.Event().wait()


async def is_out_of_time_in_the_walk(loop, under_way):
    """What does not come in time is the second page."""
    async with asyncio.timeout(None) as clock:
        async for _ in loop:
            await under_way()
            clock.reschedule(0)


async def closes(loop, under_way):
    generator = aiter(loop)
    await anext(generator)
    await under_way()
    await generator.aclose()


async def drops(loop, under_way):
    generator = aiter(loop)
    await anext(generator)
    await under_way()
    del generator
    gc.collect()


WAYS = pytest.mark.parametrize("leave", [breaks, raises, returns, is_out_of_time_in_its_body, is_out_of_time_in_the_walk, closes, drops])
ROADS = pytest.mark.parametrize("road", ["items", "pages"])


async def three_under_way(server):
    await server.until(lambda: server.open == 3)


@WAYS
@ROADS
async def test_g21_a_walk_in_the_hand_that_is_left_leaves_no_task_at_once(leave, road):
    """Three pages are under way when it is left; the server sees their callers hang up."""
    async with serving(rows=TWENTY, session=ROOMY) as (server, routee, _):
        server.hold(lambda asked: asked.page > 0)
        with suppress(Enough, TimeoutError):
            async with routee.track_messages(page_size=2, prefetch=3).walk() as walk:
                await leave(walk if road == "items" else walk.pages(), lambda: three_under_way(server))
        assert others(server) == set()
        await server.until(lambda: server.open == 0)
        assert sorted(asked.page for asked in server.given_up) == [1, 2, 3]
        assert len(server.asked) == 4


@WAYS
@ROADS
async def test_g21_a_plain_loop_that_is_left_leaves_no_task_after_a_few_turns(leave, road):
    async with serving(rows=TWENTY, session=ROOMY) as (server, routee, _):
        server.hold(lambda asked: asked.page > 0)
        stream = routee.track_messages(page_size=2, prefetch=3)
        with suppress(Enough, TimeoutError):
            await leave(stream if road == "items" else stream.pages(), lambda: three_under_way(server))
        for _ in range(8):  # in which Python closes a generator that was dropped, and this one its requests
            await asyncio.sleep(0)
        assert others(server) == set()
        await server.until(lambda: server.open == 0)
        assert sorted(asked.page for asked in server.given_up) == [1, 2, 3]


@ROADS
async def test_g21_without_prefetch_nothing_is_under_way_when_a_loop_is_left(road):
    async with serving(rows=TWENTY) as (server, routee, _):
        stream = routee.track_messages(page_size=2)
        async for _ in stream if road == "items" else stream.pages():
            break
        assert (server.open, len(server.asked), others(server)) == (0, 1, set())
        await routee.call("GET", "/of/somebody/else", kind=Kind.READ, params={"page": 99})
        assert server.connections == 1, "the walk holds none, so that somebody else has it"


async def test_g21_leaving_gives_the_slots_back():
    """Another walk with all the slots there are comes to its end, many times over."""
    async with serving(rows=TWENTY, session={"limits": Limits(max_in_flight=3)}) as (_, routee, _):
        for _ in range(10):
            async with routee.track_messages(page_size=2, prefetch=8).walk() as walk:
                async for _ in walk:
                    break
        assert ids(await routee.track_messages(page_size=2, prefetch=8).collect()) == [*range(1, 21)]


async def test_pages_of_a_slice_that_ended_early_are_given_up_when_the_walk_is_left():
    """The first slice shrinks to one page while two more of it are under way; left at the first item of the second slice."""
    async with serving(rows=rows(0, 0, 0, 0, 0, 0, 5), session=ROOMY) as (server, routee, _):
        server.hold(lambda asked: asked.page in {1, 2})
        sliced = {"start": NOON, "end": NOON + 8 * SECOND, "slices": 4 * SECOND}
        async with routee.track_messages(**sliced, page_size=2, prefetch=4).walk() as walk:
            async for item in walk:
                if item.message_id == "m1":
                    await server.until(lambda: server.open == 2)
                    del server.rows[2:6]
                    server.hold(lambda asked: asked.page == 2)
                if item.message_id == "m7":
                    break
        assert others(server) == set()
        await server.until(lambda: server.open == 0)
        assert [asked.page for asked in server.given_up] == [2]


# --- taken up again --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("prefetch", [0, 3])
async def test_a_walk_left_by_break_is_taken_up_where_it_stood_and_asks_no_page_twice(prefetch):
    async with serving(rows=TWENTY, session=ROOMY) as (server, routee, _):
        found = []
        async with routee.track_messages(page_size=3, prefetch=prefetch).walk() as walk:
            while len(found) < 20:
                async for item in walk:
                    found.append(item)
                    if len(found) % 2:
                        break
        assert (ids(found), len(server.asked)) == ([*range(1, 21)], 7)


async def out_of_time_at(most, found, walk):
    async with asyncio.timeout(None) as clock:
        await into(found, walk, lambda count: count == most and clock.reschedule(0))


@pytest.mark.parametrize("prefetch", [0, 3])
async def test_a_walk_left_by_a_timeout_is_taken_up_where_it_stood(prefetch):
    async with serving(rows=TWENTY, session=ROOMY) as (server, routee, _):
        server.hold(lambda asked: asked.page == 2)
        found = []
        async with routee.track_messages(page_size=3, prefetch=prefetch).walk() as walk:
            with pytest.raises(TimeoutError):
                await out_of_time_at(6, found, walk)
            assert ids(found) == [1, 2, 3, 4, 5, 6]
            server.release()
            found += [item async for item in walk]
        assert (ids(found), walk.report.complete) == ([*range(1, 21)], True)


async def test_a_walk_is_no_longer_handed_out_when_it_was_left():
    async with serving(rows=TWENTY) as (_, routee, _):
        async with routee.track_messages(page_size=3).walk() as walk:
            async for _ in walk:
                break
        with pytest.raises(ConfigError):
            [item async for item in walk]
        assert ids(await routee.track_messages(page_size=3, resume=walk.token).collect()) == [*range(2, 21)]


async def test_a_walk_belongs_to_one_task():
    """The second one is told so, and the first one is not disturbed."""
    async with serving(rows=TWENTY) as (server, routee, _):
        server.hold(lambda _: True)
        async with routee.track_messages(page_size=3).walk() as walk:

            async def walked():
                return [item async for item in walk]

            first = asyncio.ensure_future(walked())
            await server.until(lambda: server.open == 1)
            with pytest.raises(ConfigError, match="another task"):
                await walked()
            server.release()
            assert ids(await first) == [*range(1, 21)]


async def test_many_walks_of_one_stream_at_once_know_nothing_of_each_other():
    async with serving(rows=TWENTY, session={"limits": Limits(max_in_flight=4)}) as (_, routee, _):
        stream = routee.track_messages(page_size=3, prefetch=2)
        assert [ids(found) for found in await asyncio.gather(*[stream.collect() for _ in range(8)])] == [[*range(1, 21)]] * 8
