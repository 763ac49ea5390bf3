"""Pages asked for before their turn: how many, which, and what of them is seen by whom walks."""

import asyncio
from itertools import count
from types import SimpleNamespace

import pytest
from page_servers import SECOND, Honest, drain, fetched, ids, source, walked

from voicedrop_async.errors import ConnectionLost
from voicedrop_async.pages import PageStream, _ahead

TEN = "abcdefghij"


class Held(Honest):
    """Answers when it is told to, in any order; knows how many wait."""

    def __init__(self, *lists, **options):
        super().__init__(*lists, **options)
        self.waiting = {}
        self.most = 0
        self.changed = asyncio.Event()

    async def fetch(self, number, page, size):
        self.waiting[number, page] = gate = asyncio.Event()
        self.most = max(self.most, len(self.waiting))
        self.changed.set()
        try:
            await gate.wait()
            return await super().fetch(number, page, size)
        finally:
            del self.waiting[number, page]
            self.changed.set()

    async def sees(self, *places):
        """Wait until these, and no others, are asked for."""
        await self.until(lambda: set(self.waiting) == set(places))

    def answers(self, *places):
        for place in places:
            self.waiting[place].set()

    async def answered(self, place):
        """Answer when that is asked for, and wait until the answer has gone."""
        await self.until(lambda: place in self.waiting)
        gate = self.waiting[place]
        gate.set()
        await self.until(lambda: self.waiting.get(place) is not gate)

    async def until(self, holds):
        while not holds():
            self.changed.clear()
            async with asyncio.timeout(5):
                await self.changed.wait()


async def begins(server, walking):
    """Begin to walk; return the task when the first page is answered."""
    task = asyncio.ensure_future(walking)
    await server.sees((0, 0))
    server.answers((0, 0))
    return task


async def collected(walk):
    return ids([item async for item in walk])


async def test_the_first_page_says_how_many_may_follow():
    server = Held(TEN)
    async with server.stream(prefetch=3).walk() as walk:
        first = await begins(server, anext(walk.pages()))
        await first
        await server.sees((0, 1), (0, 2), (0, 3))
    assert server.waiting == {}


async def test_answers_out_of_order_come_in_order():
    server = Held(TEN)
    async with server.stream(prefetch=4).walk() as walk:
        everything = await begins(server, collected(walk))
        for place in [(0, 4), (0, 3), (0, 2), (0, 1)]:
            await server.answered(place)
        assert await everything == list(TEN)
    assert (server.most, len(server.asked)) == (4, 5)


async def test_a_page_that_failed_ahead_is_told_when_its_turn_comes():
    server = Honest(TEN)
    server.failing = [None, None, ConnectionLost(summary="cut")]
    taken = []
    async with server.stream(prefetch=4).walk() as walk:
        with pytest.raises(ConnectionLost) as failure:
            await drain(walk, taken)
        assert ids(taken) == list("abcd")
        assert await collected(walk) == list("efghij")
    assert server.asked.count((0, 3)) == 2  # older than the page in front of it, it would hide what moved between them
    rest = await server.stream(resume=failure.value.resume).collect()
    assert ids(rest) == list("efghij")


@pytest.mark.parametrize(("most", "requests"), [(1, 1), (2, 1), (3, 2), (6, 3), (7, 4), (0, 0)])
async def test_no_page_is_asked_for_that_cannot_be_used(most, requests):
    items, asked, _ = await walked(Honest(TEN), prefetch=8, max_items=most)
    assert (items, asked) == (list(TEN)[:most], requests)


async def test_the_next_list_is_opened_while_the_end_of_this_one_is_under_way():
    server = Held("abcd", "ef", totals=False)
    async with server.stream(prefetch=3).walk() as walk:
        everything = await begins(server, collected(walk))
        await server.sees((0, 1), (1, 0))
        await server.answered((1, 0))
        server.answers((0, 1))
        assert await everything == list("abcdef")


async def test_lists_of_one_page_are_opened_as_many_as_may_be_ahead():
    """Nothing is known of a list before it is opened; it is taken to be like the one opened last."""
    server = Held(*"abcdefgh")
    async with server.stream(prefetch=4).walk() as walk:
        everything = await begins(server, collected(walk))
        await server.sees((1, 0), (2, 0), (3, 0), (4, 0))
        for place in [(number, 0) for number in range(1, 8)]:
            await server.answered(place)
        assert await everything == list("abcdefgh")


class Uncounted(Held):
    """Says nothing of how many pages there are, and of being the last only if it is."""

    async def fetch(self, number, page, size):
        whole = await super().fetch(number, page, size)
        return fetched(ids(whole.page.items), number=page, size=size, last=whole.last or None)


@pytest.mark.parametrize(
    ("lists", "ahead"),
    [
        (("abcd", "ef", "gh", "ij"), [(0, 1), (1, 0)]),
        (("ab", "ef", "gh", "ij"), [(1, 0), (2, 0), (3, 0)]),
        (("", "ef", "gh", "ij"), [(2, 0), (3, 0)]),
    ],
)
async def test_where_pages_are_not_counted_one_is_asked_for_behind_each_that_is_not_the_last(lists, ahead):
    """And the next list is taken to be as long."""
    server = Uncounted(*lists)
    async with server.stream(prefetch=3).walk() as walk:
        first = await begins(server, anext(walk.pages()))
        if not lists[0]:
            await server.sees((1, 0), (2, 0), (3, 0))
            server.answers((1, 0))
        await first
        await server.sees(*ahead)


async def test_pages_that_the_service_cuts_shorter_are_asked_for_in_their_number():
    """Four items are wanted, and come one a page."""
    server = Held(TEN)
    stream = PageStream(source(lambda number, page, _: server.fetch(number, page, 1), 1), page_size=100, prefetch=8, max_items=4)
    async with stream.walk() as walk:
        first = await begins(server, anext(walk.pages()))
        await first
        await server.sees((0, 1), (0, 2), (0, 3))


async def test_a_list_that_turns_out_longer_has_its_pages_before_those_of_the_next():
    server = Honest("a", "bcdefg", "h", "ij")
    items, requests, report = await walked(server, prefetch=3)
    assert (items, requests, report.complete) == (list(TEN), 6, True)


async def test_a_list_that_turns_out_longer_has_its_pages_asked_for_before_its_turn():
    """Its first page came while the walk stood still in the list before."""
    server = Held("a", "bcdefg", "h")
    async with server.stream(prefetch=3).walk() as walk:
        first = await begins(server, anext(aiter(walk)))
        await first
        await server.sees((1, 0), (2, 0))
        await server.answered((1, 0))
        await server.sees((1, 1), (2, 0))


async def test_a_list_whose_first_page_fails_ahead_is_asked_for_again_in_its_turn():
    """Nothing is learnt of it before, and the walk does not end."""
    server = Honest("a", "bc", "d")
    server.failing = [None, ConnectionLost(summary="cut")]
    taken = []
    async with server.stream(prefetch=3).walk() as walk:
        with pytest.raises(ConnectionLost):
            await drain(walk, taken)
        assert ids(taken) + await collected(walk) == list("abcd")


async def test_a_list_that_ends_before_its_announced_end_leaves_nothing_under_way():
    """Emptied while it was walked: what was asked for behind its end is given up."""
    server = Held(TEN)
    async with server.stream(prefetch=3).walk() as walk:
        everything = await begins(server, collected(walk))
        await server.sees((0, 1), (0, 2), (0, 3))
        server.lists[0] = server.lists[0][:2]
        await server.answered((0, 1))
        await server.sees((0, 1), (0, 2), (0, 3), (0, 4))  # a smaller count: it might have been answered too early
        server.answers((0, 1))
        assert await everything == ["a", "b"]
    assert server.waiting == {}
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_pages_behind_the_end_of_a_list_are_given_up_as_the_walk_goes_on_to_the_next():
    server = Held("abcdef", "xy")
    async with server.stream(prefetch=3).walk() as walk:
        everything = await begins(server, collected(walk))
        await server.sees((0, 1), (0, 2), (1, 0))
        server.lists[0] = list("ab")
        await server.answered((0, 1))
        await server.answered((0, 1))  # a smaller count: it might have been answered too early
        await server.sees((1, 0))
        server.answers((1, 0))
        assert await everything == list("abxy")


@pytest.mark.parametrize("leave", ["break", "exception", "exit"])
async def test_whoever_leaves_a_walk_leaves_nothing_under_way(leave):
    server = Held(TEN)
    walk = server.stream(prefetch=3).walk()

    async def loop():
        async with walk:
            async for _ in walk:
                await server.sees((0, 1), (0, 2), (0, 3))
                if leave == "exception":
                    raise KeyError
                if leave == "exit":
                    return
                break

    running = await begins(server, loop())
    if leave == "exception":
        with pytest.raises(KeyError):
            await running
    else:
        await running
    assert server.waiting == {}
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_a_plain_loop_that_is_left_lets_go_after_a_few_turns():
    server = Held(TEN)

    async def loop():
        async for _ in server.stream(prefetch=3):
            await server.sees((0, 1), (0, 2), (0, 3))
            break

    running = await begins(server, loop())
    await running
    for _ in range(5):
        await asyncio.sleep(0)
    assert server.waiting == {}


async def test_a_walk_in_the_hand_keeps_what_is_under_way_when_a_loop_over_it_ends():
    server = Held(TEN)
    async with server.stream(prefetch=3).walk() as walk:
        items = aiter(walk)
        first = await begins(server, anext(items))
        await first
        await server.sees((0, 1), (0, 2), (0, 3))
        await items.aclose()
        assert set(server.waiting) == {(0, 1), (0, 2), (0, 3)}
    assert server.waiting == {}


async def test_a_walk_is_read_by_one_task_at_a_time():
    server = Held(TEN)
    async with server.stream().walk() as walk:
        first = asyncio.ensure_future(anext(walk.pages()))
        await server.sees((0, 0))
        with pytest.raises(Exception, match="another task is reading it"):
            await anext(walk.pages())
        server.answers((0, 0))
        assert ids((await first).items) == ["a", "b"]


async def test_a_page_answered_before_the_one_in_front_of_it_is_asked_for_again():
    """A new item came in at the front between the two answers: it pushed ``d`` from one page to the other."""
    server = Held("abcdef")
    async with server.stream(prefetch=2).walk() as walk:
        everything = await begins(server, collected(walk))
        await server.sees((0, 1), (0, 2))
        await server.answered((0, 2))
        server.lists[0] = list("Xabcdef")
        server.answers((0, 1))
        await server.sees((0, 2), (0, 3))
        server.answers((0, 2), (0, 3))
        assert await everything == list("abcdef")
        assert (walk.report.total_first, walk.report.total_last, walk.report.suspected_missing) == (6, 7, 1)


async def test_the_loop_gets_a_turn_between_pages_that_wait_already():
    """Or new requests would not be sent while finished pages are taken."""
    server = Honest("abcdefghijklmnopqrstuvwxyz")
    turns = 0

    async def heart():
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    beating = asyncio.ensure_future(heart())
    stream = PageStream(source(server.fetch, 1), page_size=1, prefetch=26)
    async for _ in stream:
        until = asyncio.get_running_loop().time() + SECOND.total_seconds() / 500
        while asyncio.get_running_loop().time() < until:
            pass
    beating.cancel()
    assert turns > 20


@pytest.fixture
def slow_pages(monkeypatch):
    """Each page takes a second to read, by the clock that says when the loop gets a turn."""
    monkeypatch.setattr(_ahead, "time", SimpleNamespace(monotonic=count().__next__))


@pytest.mark.usefixtures("slow_pages")
async def test_who_slept_until_a_page_was_read_has_run_before_the_next_one_is():
    """A timer that is due comes behind us in line, wakes who sleeps, and who was woken runs a round later."""
    loop, woken = asyncio.get_running_loop(), []
    stream = PageStream(source(Honest(TEN).fetch, 1), page_size=1, prefetch=10)
    handed_out = []
    async for item in stream:
        assert woken == handed_out
        handed_out.append(item)
        alarm = loop.create_future()
        alarm.add_done_callback(lambda done: woken.append(done.result()))
        loop.call_later(0, alarm.set_result, item)
    assert ids(handed_out) == list(TEN)


@pytest.mark.usefixtures("slow_pages")
async def test_a_reader_whose_walk_is_left_under_it_asks_for_nothing_more():
    server = Held(TEN)
    walk = server.stream(prefetch=3).walk()
    await walk.__aenter__()
    pages = walk.pages()
    first = asyncio.ensure_future(anext(pages))
    await server.answered((0, 0))
    await first
    await server.answered((0, 1))
    reader = asyncio.ensure_future(anext(pages))
    await asyncio.sleep(0)  # it has page 1, and lets the loop have its turn before it reads that
    await walk.__aexit__(None, None, None)
    await asyncio.wait([reader])
    assert asyncio.all_tasks() == {asyncio.current_task()}
    assert server.waiting == {}
    await pages.aclose()
