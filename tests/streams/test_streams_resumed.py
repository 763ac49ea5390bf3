"""A walk goes on from its token behind the item that was handed out last: at every item, in any process, on every road."""

import asyncio
import json
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from campaigns import QUICK
from paged_server import NOON, SECOND, Row, ids, rows, serving

from voicedrop_async import ClientCredentials, RouteeSession, SpacivoxSession, StaticToken
from voicedrop_async.sandbox import Sandbox

ELSEWHERE = Path(__file__).with_name("resume_here.py")
CROWD = rows(0, 0, 0, 1, 1, 2, 4, 4, 4, 4, 4, 5, 7, 8, 8, 9)
"""Several items on most edges of slices of one, two or three seconds."""
TEN_SECONDS = {"start": NOON, "end": NOON + 10 * SECOND}
EDGES = pytest.mark.parametrize(
    "edges",
    [{}, {"start_included": False}, {"end_included": False}, {"start_included": False, "end_included": False}],
    ids=["both edges included", "start excluded", "end excluded", "both excluded"],
)


async def goes_on_everywhere(make, expected):
    """Walk once; then go on from the beginning and from behind each item, and compare the rest."""
    async with make(resume=None).walk() as walk:
        tokens, found = [walk.token], []
        async for item in walk:
            found.append(item)
            tokens.append(walk.token)
    assert ids(found) == expected
    for handed, token in enumerate(tokens):
        async with make(resume=token).walk() as walk:
            rest = [item async for item in walk]
        assert (ids(rest), walk.report.complete) == (expected[handed:], True), f"from item {handed}"


# --- at every item ---------------------------------------------------------------------------------------------------


@pytest.fixture
async def past():
    """Six pages of messages, of seven days; nothing is added to them."""
    async with Sandbox(messages=40, drops=30) as sandbox:
        yield sandbox


@pytest.mark.once
async def test_a_walk_goes_on_at_every_item(past):
    auth = ClientCredentials(*past.credentials)
    async with RouteeSession(auth, base_url=past.routee_url, auth_url=past.auth_url, retry=QUICK) as routee:
        expected = [message["messageId"] for message in past.messages]
        await goes_on_everywhere(lambda **options: routee.track_messages(page_size=7, **options), expected)


async def test_a_stream_of_drops_goes_on_at_every_item(past):
    week = (past.now - timedelta(days=8), past.now)
    async with SpacivoxSession(StaticToken(past.spacivox_token), base_url=past.spacivox_url, retry=QUICK) as spacivox:
        expected = [drop["id"] for drop in past.drops]
        await goes_on_everywhere(lambda **options: spacivox.drop_records(*week, **options), expected)


@pytest.mark.parametrize("prefetch", [0, 3])
@pytest.mark.parametrize("on_drift", ["dedupe", "repair", "raise", "ignore"])
async def test_a_walk_goes_on_at_every_item_whatever_is_done_about_drift(prefetch, on_drift):
    async with serving(rows=rows(*range(11))) as (_, routee, _):
        options = {"page_size": 3, "prefetch": prefetch, "on_drift": on_drift}
        await goes_on_everywhere(lambda resume: routee.track_messages(**options, resume=resume), [*range(1, 12)])


@pytest.mark.once
@EDGES
@pytest.mark.parametrize("prefetch", [0, 3])
@pytest.mark.parametrize("on_drift", ["dedupe", "repair"])
async def test_a_sliced_walk_goes_on_at_every_item_with_items_on_its_edges(edges, prefetch, on_drift):
    """Slices of three seconds, of which some are cut; what lies on an edge comes from one side only."""
    start = NOON - SECOND if "start_included" in edges else NOON
    async with serving(rows=CROWD, **edges) as (_, routee, _):
        options = {"start": start, "end": NOON + 10 * SECOND, "slices": 3 * SECOND, "max_slice_items": 4, "page_size": 2}
        options |= {"prefetch": prefetch, "on_drift": on_drift}

        found = ids(await routee.track_messages(**options).collect())
        assert sorted(found) == [*range(1, 17)]
        await goes_on_but_is_crowded(lambda resume: routee.track_messages(**options, resume=resume), found)


async def goes_on_but_is_crowded(make, expected):
    """As ``goes_on_everywhere``, but the report may have its doubts: seconds that hold too much stay whole."""
    async with make(resume=None).walk() as walk:
        tokens = [walk.token] + [walk.token async for _ in walk]
    for handed, token in enumerate(tokens):
        assert ids(await make(resume=token).collect()) == expected[handed:], f"from item {handed}"


@EDGES
@pytest.mark.parametrize("prefetch", [0, 3])
async def test_a_stream_of_drops_goes_on_at_every_item_with_items_on_its_edges(edges, prefetch):
    async with serving(rows=CROWD, **edges) as (_, _, spacivox):
        options = {"slices": 2 * SECOND, "prefetch": prefetch}
        await goes_on_everywhere(lambda resume: spacivox.drop_records(NOON, NOON + 10 * SECOND, **options, resume=resume), [*range(1, 17)])


# --- in another process ----------------------------------------------------------------------------------------------


async def elsewhere(order):
    """Go on in a fresh process from each token of ``order``; return the ids found by each walk."""
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-W", "error", str(ELSEWHERE), stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )
    out, _ = await child.communicate(json.dumps(order).encode())
    assert child.returncode == 0
    return [[int(name[1:]) for name in found] for found in json.loads(out)]


@pytest.mark.once
@pytest.mark.parametrize("sliced", [False, True], ids=["one list", "slices"])
async def test_a_fresh_process_goes_on_from_every_token(sliced):
    """The text of a token is all it needs beside the same arguments."""
    async with serving(rows=CROWD) as (server, routee, _):
        options = {"page_size": 3} | (TEN_SECONDS | {"slices": 2 * SECOND, "max_slice_items": 5} if sliced else {})
        async with routee.track_messages(**options).walk() as walk:
            tokens = [str(walk.token)] + [str(walk.token) async for _ in walk]

        told = options | ({name: moment.isoformat() for name, moment in TEN_SECONDS.items()} | {"slices": 2.0} if sliced else {})
        found = await elsewhere({"url": server.url, "tokens": tokens, "options": told})

    assert found == [[*range(handed + 1, 17)] for handed in range(17)]


# --- what a resumed walk asks for ------------------------------------------------------------------------------------


async def test_a_walk_that_goes_on_asks_for_no_page_behind_it():
    async with serving(rows=rows(*range(10))) as (server, routee, _):
        async with routee.track_messages(page_size=2).walk() as walk:
            tokens = [walk.token async for _ in walk]
        server.asked.clear()
        assert ids(await routee.track_messages(page_size=2, resume=tokens[4]).collect()) == [6, 7, 8, 9, 10]
        assert [asked.page for asked in server.asked] == [2, 3, 4]


async def test_a_sliced_walk_that_goes_on_asks_for_no_slice_behind_it_but_its_edge():
    """Slices overlap by a second; what lies in front of the slice tells which of its items were handed out for it."""
    async with serving(rows=rows(*range(8))) as (server, routee, _):
        sliced = {"start": NOON, "end": NOON + 8 * SECOND, "slices": 4 * SECOND, "page_size": 2}
        async with routee.track_messages(**sliced).walk() as walk:
            tokens = [walk.token async for _ in walk]
        server.asked.clear()
        assert ids(await routee.track_messages(**sliced, resume=tokens[6]).collect()) == [8]
        assert [(asked.start, asked.end, asked.page) for asked in server.asked] == [(2, 4, 0), (2, 4, 1), (3, 8, 2)]


@pytest.mark.parametrize("prefetch", [0, 3])
async def test_a_slice_that_was_begun_is_not_cut_though_it_holds_too_much_by_now(prefetch):
    """The service lists the newest first; cut, the slice would begin with other items than those that were handed out."""
    async with serving(rows=rows(3.5, 2.5, 1.5, 0.5)) as (server, routee, _):
        sliced = {"start": NOON, "end": NOON + 8 * SECOND, "slices": 4 * SECOND, "max_slice_items": 4, "page_size": 2}
        async with routee.track_messages(**sliced).walk() as walk:
            tokens = [walk.token async for _ in walk]
        server.rows += [Row(NOON, 5), Row(NOON, 6)]
        for handed in (1, 2, 3):
            rest = await routee.track_messages(**sliced, prefetch=prefetch, resume=tokens[handed - 1]).collect()
            assert ids(rest) == [*range(handed + 1, 7)], f"from item {handed}"


async def test_a_walk_that_goes_on_at_the_end_asks_for_nothing():
    async with serving(rows=rows(*range(5))) as (server, routee, spacivox):
        span = (NOON, NOON + 5 * SECOND)
        for make in (
            lambda **more: routee.track_messages(page_size=2, **more),
            lambda **more: routee.track_messages(start=span[0], end=span[1], slices=SECOND, **more),
            lambda **more: spacivox.drop_records(*span, **more),
        ):
            async with make().walk() as walk:
                assert len([item async for item in walk]) == 5
            server.asked.clear()
            async with make(resume=walk.token).walk() as ended:
                assert [item async for item in ended] == []
            assert (server.asked, ended.token, ended.report.complete) == ([], walk.token, True)


async def test_max_items_counts_anew_in_each_walk_and_the_walks_join():
    async with serving(rows=rows(*range(11))) as (_, routee, _):
        found, token = [], None
        for expected in (4, 4, 3, 0):
            async with routee.track_messages(page_size=3, max_items=4, resume=token).walk() as walk:
                some = [item async for item in walk]
            assert len(some) == expected
            found, token = found + some, walk.token
    assert ids(found) == [*range(1, 12)]


async def test_first_and_collect_go_on_from_a_token_and_count_does_not():
    async with serving(rows=rows(*range(9))) as (_, routee, _):
        async with routee.track_messages(page_size=4).walk() as walk:
            tokens = [walk.token async for _ in walk]
        stream = routee.track_messages(page_size=4, resume=tokens[4])
        assert ids([await stream.first()]) == [6]
        assert ids(await stream.collect(2)) == [6, 7]
        assert ids(await stream.collect()) == [6, 7, 8, 9]
        assert await stream.count() == 9
