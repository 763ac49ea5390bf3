"""Whatever fails inside a walk says where to go on, and from there nothing is lost and nothing repeated."""

import asyncio
import pickle

import pytest
from campaigns import complaint
from paged_server import NOON, SECOND, ids, into, message, page, rows, serving
from raw_server import answer, falls_silent, hangs_up, resets

from voicedrop_async import (
    ConnectionLost,
    DeadlineExceeded,
    DriftDetected,
    Forbidden,
    PageLoop,
    RateLimited,
    Retry,
    ServerFailed,
    SessionClosed,
    TimedOut,
    Timeouts,
    Unauthorized,
    WalkError,
    WireError,
)

FAR = rows(*range(30))
"""Thirty items, ten pages of three; page 7 begins with item 22."""


def page_seven(content, *, number=7, total=30):
    return answer(body=page(content, number=number, size=3, pages=10, total=total))


GOOD = [message(22), message(23), message(24)]
FAULTS = {
    "g19 500 for good": (answer(500, complaint()), ServerFailed),
    "502 in html": (answer(502, b"<html>", content_type="text/html"), ServerFailed),
    "429 without an end": (answer(429, complaint()), RateLimited),
    "403": (answer(403, complaint()), Forbidden),
    "401": (answer(401, complaint()), Unauthorized),
    "hung up": (hangs_up(), ConnectionLost),
    "reset in the head": (resets(b"HTTP/1.1 200 OK\r\nContent-Le"), ConnectionLost),
    "broken json": (answer(body=b'{"content": [{"messageId": "m22"'), WireError),
    "no page": (answer(body=[1, 2]), WireError),
    "g12 another number": (page_seven(GOOD, number=6), WireError),
    "g01 the items of page 3": (page_seven([message(10), message(11), message(12)]), PageLoop),
    "a count that changed": (page_seven(GOOD, total=29), DriftDetected),
    "an item again": (page_seven([message(21), *GOOD[:2]]), DriftDetected),
}


@pytest.mark.parametrize("prefetch", [0, 4])
@pytest.mark.parametrize(("fault", "kind"), FAULTS.values(), ids=FAULTS)
async def test_g19_a_page_that_fails_leaves_what_came_before_and_the_place_to_go_on(fault, kind, prefetch):
    """The items in front of it are all handed out, and nothing behind it; a second try fails alike, a mended one goes on.

    Whether a page repeats what lies behind the place is nothing that a second walk can know, so it is not tried.
    """
    options = {"page_size": 3, "prefetch": prefetch, "on_drift": "raise" if kind is DriftDetected else "dedupe"}
    async with serving(rows=FAR) as (server, routee, _):
        server.instead[7] = fault
        found, resume = [], None
        for expected in (21,) if issubclass(kind, WalkError) else (21, 0):
            with pytest.raises(kind) as caught:
                await into(found, walk := routee.track_messages(**options, resume=resume).walk())
            resume = pickle.loads(pickle.dumps(caught.value)).resume
            assert (resume, walk.report.items, walk.report.complete) == (walk.token, expected, False)
        del server.instead[7]
        server.asked.clear()
        found += [item async for item in routee.track_messages(page_size=3, prefetch=prefetch, resume=resume)]
        assert {asked.page for asked in server.asked} == {7, 8, 9}
    assert ids(found) == [*range(1, 31)]


@pytest.mark.parametrize("prefetch", [0, 3])
@pytest.mark.parametrize("kind", [DeadlineExceeded, TimedOut])
async def test_a_page_that_takes_too_long_leaves_the_place_to_go_on(kind, prefetch):
    session = {"deadline": 0.5} if kind is DeadlineExceeded else {"timeouts": Timeouts(read=0.3), "retry": Retry(attempts=1)}
    async with serving(rows=rows(*range(9)), session=session) as (server, routee, _):
        server.instead[2] = falls_silent(b"HTTP/1.1 200 OK\r\n")
        found = []
        with pytest.raises(kind) as caught:
            await into(found, routee.track_messages(page_size=2, prefetch=prefetch))
        del server.instead[2]
        found += [item async for item in routee.track_messages(page_size=2, resume=caught.value.resume)]
    assert ids(found) == [*range(1, 10)]


@pytest.mark.parametrize("prefetch", [0, 3])
async def test_a_session_that_is_closed_under_a_walk_leaves_the_place_to_go_on(prefetch):
    """The walk ends with ``SessionClosed``, whether its page was under way or not asked for yet."""
    async with serving(rows=rows(*range(9))) as (server, routee, _), serving(rows=server.rows) as (_, another, _):
        server.hold(lambda asked: asked.page == 2)
        found = []
        walking = asyncio.create_task(into(found, routee.track_messages(page_size=2, prefetch=prefetch)))
        await server.until(lambda: any(asked.page == 2 for asked in server.asked))
        await routee.aclose()
        with pytest.raises(SessionClosed) as caught:
            await walking
        found += [item async for item in another.track_messages(page_size=2, resume=caught.value.resume)]
    assert ids(found) == [*range(1, 10)]


async def test_a_walk_in_the_hand_tries_the_failed_page_again():
    async with serving(rows=FAR) as (server, routee, _):
        server.instead[7] = answer(500, complaint())
        found = []
        async with routee.track_messages(page_size=3, prefetch=2).walk() as walk:
            with pytest.raises(ServerFailed):
                await into(found, walk)
            del server.instead[7]
            await into(found, walk)
        assert (ids(found), walk.report.complete) == ([*range(1, 31)], True)


async def test_the_first_page_that_fails_leaves_the_beginning():
    async with serving(rows=FAR) as (server, routee, spacivox):
        server.instead[0] = answer(500, complaint())
        span = (NOON, NOON + 30 * SECOND)
        for make in (
            lambda **more: routee.track_messages(page_size=3, **more),
            lambda **more: routee.track_messages(start=span[0], end=span[1], slices=10 * SECOND, **more),
            lambda **more: spacivox.drop_records(*span, slices=10 * SECOND, **more),
        ):
            with pytest.raises(ServerFailed) as caught:
                await make().collect()
            instead, server.instead = server.instead, {}
            assert ids(await make(resume=caught.value.resume).collect()) == [*range(1, 31)]
            server.instead = instead


async def test_the_place_is_behind_the_item_handed_out_last_and_not_behind_its_page():
    """Left in the middle of a page by an error of the caller's own, the walk goes on in the middle of it."""
    async with serving(rows=FAR) as (_, routee, _):
        async with routee.track_messages(page_size=10).walk() as walk:
            with pytest.raises(ZeroDivisionError):
                await into([], walk, lambda count: 1 / (14 - count))
        rest = await routee.track_messages(page_size=10, resume=walk.token).collect()
    assert ids(rest) == [*range(15, 31)]
