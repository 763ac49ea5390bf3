"""A stream is a description; a walk asks for a page when it is needed, and for no other."""

import asyncio
import gc

import pytest
from page_servers import Honest, Scripted, drain, fetched, ids, source, walked

from voicedrop_async.errors import ConfigError, ConnectionLost, PageLoop, WireError
from voicedrop_async.models import WalkReport
from voicedrop_async.pages import PageStream, check_options

FIVE = "abcde"


def lost():
    return ConnectionLost(summary="cut", request="POST /voice/tracking")


# --- laziness --------------------------------------------------------------------------------------------------------


async def test_building_a_stream_asks_for_nothing():
    server = Honest(FIVE)
    stream = server.stream()
    aiter(stream)
    stream.pages()
    async with stream.walk() as walk:
        assert walk.report == WalkReport(
            pages=0, items=0, duplicates=0, unreadable=0, total_first=None, total_last=None, suspected_missing=0, complete=False
        )
    assert server.asked == []


async def test_a_page_is_asked_for_when_its_first_item_is():
    server = Honest(FIVE)
    seen = [(item.message_id, len(server.asked)) async for item in server.stream()]
    assert seen == [("a", 1), ("b", 1), ("c", 2), ("d", 2), ("e", 3)]
    assert len(server.asked) == 3


async def test_each_loop_walks_afresh():
    server = Honest(FIVE)
    stream = server.stream()
    assert ids([item async for item in stream]) == list(FIVE)
    assert ids([item async for item in stream]) == list(FIVE)
    assert server.asked == [(0, 0), (0, 1), (0, 2)] * 2


async def test_two_walks_of_one_stream_know_nothing_of_each_other():
    stream = Honest(FIVE).stream()
    first, second = aiter(stream), aiter(stream)
    taken = [(await anext(first)).message_id, (await anext(second)).message_id, (await anext(first)).message_id]
    await first.aclose()
    await second.aclose()
    assert taken == ["a", "a", "b"]


# --- shapes ----------------------------------------------------------------------------------------------------------


async def test_pages_come_as_the_service_cut_them():
    pages = [page async for page in Honest(FIVE).stream().pages()]
    assert [ids(page.items) for page in pages] == [["a", "b"], ["c", "d"], ["e"]]
    assert [(page.number, page.size, page.total_pages, page.total_items, page.is_last) for page in pages] == [
        (0, 2, 3, 5, False),
        (1, 2, 3, 5, False),
        (2, 2, 3, 5, True),
    ]


async def test_a_page_holds_only_what_was_not_handed_out_before():
    server = Scripted(fetched("ab", last=False, pages=2, total=3), fetched("bc", last=True, pages=2, total=3))
    assert [ids(page.items) async for page in server.stream().pages()] == [["a", "b"], ["c"]]


@pytest.mark.parametrize(("size", "requests"), [(1, 5), (2, 3), (5, 1), (100, 1)])
async def test_the_page_size_is_asked_for_as_it_is_given(size, requests):
    server = Honest(FIVE)
    assert ids(await server.stream(page_size=size).collect()) == list(FIVE)
    assert server.sizes == [size] * requests


async def test_a_hundred_items_are_asked_for_at_once_where_nothing_else_is_said():
    server = Honest(FIVE)
    assert ids(await PageStream(source(server.fetch, 1)).collect()) == list(FIVE)
    assert server.sizes == [100]


async def test_first_asks_for_a_page_of_one():
    server = Honest(FIVE)
    assert (await server.stream().first()).message_id == "a"
    assert (server.asked, server.sizes) == ([(0, 0)], [1])


@pytest.mark.parametrize("options", [{"prefetch": 4}, {"max_items": 3}, {"prefetch": 4, "max_items": 3}])
async def test_first_asks_for_nothing_behind_it(options):
    server = Honest(FIVE)
    assert (await server.stream(**options).first()).message_id == "a"
    assert (server.asked, server.sizes) == ([(0, 0)], [1])


async def test_first_of_an_empty_list_is_none():
    server = Honest("")
    assert await server.stream().first() is None
    assert server.asked == [(0, 0)]


async def test_first_looks_on_where_slices_are_empty():
    server = Honest("", "", "a", "b")
    assert (await server.stream().first()).message_id == "a"
    assert server.asked == [(0, 0), (1, 0), (2, 0)]


async def test_count_asks_for_one_page_of_one():
    server = Honest(FIVE)
    assert await server.stream(max_items=2).count() == 5
    assert (server.asked, server.sizes) == ([(0, 0)], [1])


async def test_count_asks_each_slice_once():
    server = Honest(FIVE, "", "xy")
    assert await server.stream().count() == 7
    assert server.asked == [(0, 0), (1, 0), (2, 0)]


async def test_count_counts_what_came_where_the_service_counts_nothing_and_says_it_is_all():
    assert await Scripted(fetched("abc", last=True, pages=1)).stream().count() == 3


@pytest.mark.parametrize("last", [False, None])
async def test_count_does_not_guess(last):
    with pytest.raises(WireError) as caught:
        await Scripted(fetched("a", last=last)).stream().count()
    assert caught.value.path == "totalElements"
    assert caught.value.summary == "the answer does not count its items, so they can only be walked"


async def test_collect_takes_the_smaller_of_two_limits():
    stream = Honest(FIVE).stream(max_items=3)
    assert [len(await stream.collect(most)) for most in (None, 2, 3, 9, 0)] == [3, 2, 3, 3, 0]
    assert [len(await Honest(FIVE).stream().collect(most)) for most in (None, 2, 9)] == [5, 2, 5]


# --- max_items -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("most", "requests"), [(0, 0), (1, 1), (2, 1), (3, 2), (4, 2), (5, 3), (6, 3), (None, 3)])
async def test_max_items_is_exact_and_no_page_is_fetched_that_cannot_be_used(most, requests):
    items, asked, report = await walked(Honest(FIVE), max_items=most)
    assert (items, asked) == (list(FIVE[:most]), requests)
    assert report.items == len(items)


async def test_max_items_counts_items_and_not_what_the_service_repeats():
    server = Scripted(fetched("ab", last=False, pages=3), fetched("bc", last=False, pages=3), fetched("d", last=True, pages=3))
    items, requests, report = await walked(server, max_items=3)
    assert (items, requests, report.duplicates) == (["a", "b", "c"], 2, 1)


async def test_max_items_cuts_the_last_page():
    assert [ids(page.items) async for page in Honest(FIVE).stream(max_items=3).pages()] == [["a", "b"], ["c"]]


async def test_a_first_of_nothing_is_none():
    server = Honest(FIVE)
    assert (await server.stream(max_items=0).first(), server.asked) == (None, [])


@pytest.mark.parametrize("most", [1, 3, 4])
async def test_a_walk_cut_by_max_items_is_not_complete(most):
    """Items were held back, even those of a page that was the last."""
    _, _, report = await walked(Honest("abcd"), max_items=most)
    assert report.complete == (most == 4)


@pytest.mark.parametrize(
    "options", [{"page_size": 0}, {"page_size": True}, {"page_size": 2.0}, {"page_size": None}, {"max_items": -1}, {"max_items": "3"}]
)
async def test_limits_that_cannot_be_are_refused_at_the_call(options):
    with pytest.raises(ConfigError, match=f"^{next(iter(options))}: "):
        Honest(FIVE).stream(**options)


def test_an_option_that_no_stream_takes_is_refused_as_python_does():
    check_options("track_messages", {"max_items": 1, "prefetch": 2, "resume": None, "on_drift": "raise", "max_passes": 3})
    with pytest.raises(TypeError, match=r"^track_messages\(\) got an unexpected keyword argument 'page_sice'$"):
        check_options("track_messages", {"max_items": 1, "page_sice": 3})


@pytest.mark.parametrize("most", [-1, True, 1.5])
async def test_collect_refuses_a_limit_that_cannot_be(most):
    server = Honest(FIVE)
    with pytest.raises(ConfigError, match=r"^max_items: "):
        await server.stream().collect(most)
    assert server.asked == []


# --- leaving, and going on -------------------------------------------------------------------------------------------


async def test_a_loop_that_is_left_leaves_nothing_behind():
    """No task, no request, no generator that somebody has to close."""
    server = Honest(FIVE)
    async for item in server.stream():
        if item.message_id == "c":
            break
    gc.collect()
    for _ in range(5):  # the few turns in which Python closes a generator
        await asyncio.sleep(0)
    assert asyncio.all_tasks() == {asyncio.current_task()}
    assert len(server.asked) == 2


@pytest.mark.parametrize("left_at", range(1, 6))
async def test_a_walk_that_was_left_goes_on_where_it_stood(left_at):
    server = Honest(FIVE)
    taken = []
    async with server.stream().walk() as walk:
        async for item in walk:
            taken.append(item)
            if len(taken) == left_at:
                break
        taken += [item async for item in walk]
    assert ids(taken) == list(FIVE)
    assert len(server.asked) == 3


async def test_a_walk_can_be_taken_item_by_item():
    taken = []
    async with Honest(FIVE).stream().walk() as walk:
        for _ in FIVE:
            async for item in walk:
                taken.append(item)
                break
        rest = [item async for item in walk]
    assert (ids(taken), rest) == (list(FIVE), [])


async def test_pages_after_items_lose_nothing():
    """Items of a page that were not handed out yet come with the pages, too."""
    async with Honest(FIVE).stream().walk() as walk:
        async for item in walk:
            first = item
            break
        rest = [item async for page in walk.pages() for item in page.items]
    assert ids([first, *rest]) == list(FIVE)


async def test_pages_after_the_last_item_of_a_page_begin_with_the_next_page():
    async with Honest(FIVE).stream().walk() as walk:
        items = aiter(walk)
        assert ids([await anext(items), await anext(items)]) == ["a", "b"]
        assert [ids(page.items) async for page in walk.pages()] == [["c", "d"], ["e"]]


async def test_a_failure_inside_a_walk_reaches_its_caller_and_ends_it():
    server = Honest(FIVE)
    walk = server.stream().walk()

    async def fail():
        async with walk:
            async for _ in walk:
                raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail()
    assert len(server.asked) == 1


async def test_a_walk_that_was_left_says_so_and_does_not_look_finished():
    server = Honest(FIVE)
    walk = server.stream().walk()
    await anext(aiter(walk.pages()))
    async with walk:
        pass
    with pytest.raises(ConfigError, match="was left"):
        await anext(walk.pages())
    assert len(server.asked) == 1


async def test_a_walk_at_its_end_asks_for_nothing_more():
    server = Honest(FIVE)
    walk = server.stream().walk()
    assert len([page async for page in walk.pages()]) == 3
    assert [page async for page in walk.pages()] == []
    assert len(server.asked) == 3


async def test_a_page_that_fails_is_asked_for_again_and_nothing_is_lost_or_repeated():
    """The failed page, not the first one."""
    server = Honest(FIVE)
    server.failing = [None, lost(), lost()]
    taken = []
    async with server.stream().walk() as walk:
        for _ in range(2):
            with pytest.raises(ConnectionLost):
                await drain(walk, taken)
        report = walk.report
        await drain(walk, taken)
    assert (report.pages, report.items, report.complete) == (1, 2, False)
    assert ids(taken) == list(FIVE)
    assert server.asked == [(0, 0), (0, 1), (0, 1), (0, 1), (0, 2)]


async def test_a_walk_cancelled_while_it_waits_goes_on():
    server = Honest(FIVE)
    started, never = asyncio.Event(), asyncio.Event()
    fetch = server.fetch

    async def hanging(*place):
        if len(server.asked) == 1 and not started.is_set():
            started.set()
            await never.wait()
        return await fetch(*place)

    server.fetch = hanging
    walk = server.stream().walk()
    taken = []
    task = asyncio.create_task(drain(walk, taken))
    await started.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await drain(walk, taken)
    assert ids(taken) == list(FIVE)
    assert walk.report.complete


async def test_what_was_handed_out_before_a_loop_is_not_handed_out_again():
    """A page loop is told at each try; the walk does not end as if it were whole."""
    server = Scripted(*[fetched("ab", last=False, pages=9, total=18)] * 2)
    taken = []
    walk = server.stream().walk()
    for _ in range(2):
        with pytest.raises(PageLoop):
            await drain(walk, taken)
    assert (ids(taken), walk.report.complete) == (["a", "b"], False)


# --- the report ------------------------------------------------------------------------------------------------------


async def test_the_report_counts_as_the_items_are_handed_out():
    async with Honest(FIVE).stream().walk() as walk:
        seen = [(walk.report.items, walk.report.pages) async for _ in walk]
    assert seen == [(1, 1), (2, 1), (3, 2), (4, 2), (5, 3)]
    assert walk.report == WalkReport(
        pages=3, items=5, duplicates=0, unreadable=0, total_first=5, total_last=5, suspected_missing=0, complete=True
    )


async def test_a_walk_is_not_complete_while_items_wait():
    """The last page has come, but whoever leaves now has not had all of it."""
    async with Honest("abc").stream(page_size=3).walk() as walk:
        seen = [walk.report.complete async for _ in walk]
    assert (seen, walk.report.complete) == ([False, False, True], True)


async def test_the_report_of_pages_counts_as_the_pages_are_handed_out():
    async with Honest(FIVE).stream().walk() as walk:
        seen = [(walk.report.items, walk.report.pages, walk.report.complete) async for _ in walk.pages()]
    assert seen == [(2, 1, False), (4, 2, False), (5, 3, True)]


async def test_what_could_not_be_read_is_counted_and_what_was_skipped_is_told():
    whole = Scripted(fetched("ab", last=False, pages=2, total=3, unreadable=2), fetched("c", last=True, pages=2, total=3, unreadable=1))
    torn = Scripted(fetched("ab", last=False, pages=2, total=4), fetched("c", last=True, pages=2, total=4, unreadable=1, skipped=1))
    report, other = (await walked(whole))[2], (await walked(torn))[2]
    assert (report.unreadable, report.suspected_missing, report.complete) == (3, 0, True)
    assert (other.unreadable, other.suspected_missing, other.complete) == (1, 0, False)


async def test_the_report_tells_both_counts_of_a_list_that_grew():
    server = Scripted(fetched("ab", last=False, pages=2, total=3), fetched("bc d", last=True, pages=2, total=4))
    report = (await walked(server))[2]
    assert (report.total_first, report.total_last) == (3, 4)
