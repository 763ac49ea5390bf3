"""Pages ahead are kept as they came, and read when their turn comes: what waits is bytes, not objects."""

import pytest
from page_servers import NOON, SECOND, Honest, ids, source

from voicedrop_async.errors import WireError
from voicedrop_async.pages import PageStream, Source, Span
from voicedrop_async.routee._tracking import _keys

SEVEN = "abcdefg"


class Unread(Honest):
    """Answers in two steps, and remembers which pages were asked for and which were read."""

    def __init__(self, *lists):
        super().__init__(*lists)
        self.kept = []
        self.read = []
        self.broken = []
        """Pages that cannot be read the first time."""

    async def ask(self, span, number, size):
        self.kept.append((span, number, size))
        fetched = await self.fetch(0 if span is None else (span.start - NOON) // SECOND, number, size)

        def read():
            self.read.append(number)
            if number in self.broken:
                raise WireError(summary="not JSON")
            return fetched

        return read

    def stream(self, **options):
        return PageStream(source(self.fetch, len(self.lists), ask=self.ask), **{"page_size": 2} | options)


async def test_a_page_that_waits_is_read_in_its_turn():
    server = Unread(SEVEN)
    seen = [(item.message_id, list(server.read)) async for item in server.stream(prefetch=3)]
    assert seen == [("a", []), ("b", []), ("c", [1]), ("d", [1]), ("e", [1, 2]), ("f", [1, 2]), ("g", [1, 2, 3])]
    assert server.kept == [(None, 1, 2), (None, 2, 2), (None, 3, 2)]


async def test_the_page_that_opens_a_list_is_read_at_once_for_what_it_says_of_the_list():
    server = Unread("abc", "de")
    assert ids(await server.stream(prefetch=3).collect()) == list("abcde")
    assert server.kept == [(Span(NOON, NOON + SECOND), 1, 2)]


async def test_a_page_that_cannot_be_read_when_its_turn_comes_is_fetched_anew():
    server = Unread(SEVEN)
    server.broken = [2]
    assert ids(await server.stream(prefetch=3).collect()) == list(SEVEN)
    assert sorted(server.asked) == [(0, 0), (0, 1), (0, 2), (0, 2), (0, 3)]


async def test_without_pages_ahead_nothing_waits_to_be_read():
    server = Unread(SEVEN)
    assert ids(await server.stream().collect()) == list(SEVEN)
    assert server.kept == []


@pytest.mark.parametrize("prefetch", [0, 3])
async def test_what_waits_is_asked_for_with_its_overlap(prefetch):
    """Nobody knows whose the edge is, so each slice but the first begins a little earlier."""
    server = Unread("abc", "def")
    spans = []

    async def fetch(span, number, size):
        spans.append((span, number))
        return await server.fetch((span.end - NOON) // SECOND - 1, number, size)

    async def ask(span, number, size):
        page = await fetch(span, number, size)
        return lambda: page

    whole = Span(NOON, NOON + 2 * SECOND)
    stream = PageStream(Source(fetch=fetch, ask=ask, keys=_keys, query="", range=whole, overlap=SECOND), page_size=2, prefetch=prefetch)
    assert ids(await stream.collect()) == list("abcdef")
    first, second = Span(NOON, NOON + SECOND), Span(NOON, NOON + 2 * SECOND)
    assert sorted(spans, key=lambda asked: (asked[0].end, asked[1])) == [(first, 0), (first, 1), (second, 0), (second, 1)]
