"""Servers of pages for walks: an honest one, and one that says what a script tells it. No HTTP."""

from datetime import UTC, datetime, timedelta

from hypothesis import settings

from voicedrop_async.models import Page, VoiceMessage
from voicedrop_async.pages import Fetched, PageStream, Source, Span
from voicedrop_async.routee._tracking import _keys

PATIENT = settings(deadline=None)
"""Examples may take their time: the machine may be busy with something else."""


NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)


def source(fetch, lists, query="of a test", **options):
    """Return a source of so many lists; several are the seconds from noon on. ``fetch`` is told the number of the list."""

    async def of_span(span, number, size):
        return await fetch(0 if span is None else (span.start - NOON) // SECOND, number, size)

    seconds = None if lists == 1 else Span(NOON, NOON + lists * SECOND)
    return Source(fetch=of_span, keys=_keys, query=query, range=seconds, **options)


def message(text):
    """Return a message under an id; ``?to`` has none, and is known by whom it calls."""
    return VoiceMessage(to=text) if text.startswith("?") else VoiceMessage(text)


def ids(items):
    return [item.message_id or item.to for item in items]


def fetched(content="", *, number=0, size=2, last=None, pages=None, total=None, unreadable=0, skipped=0):
    """Return a page as it came, its items named by the letters of ``content``, or by its words."""
    items = tuple(map(message, content.split() if isinstance(content, str) and " " in content else content))
    page = Page(items=items, number=number, size=size, total_pages=pages, total_items=total, is_last=bool(last))
    return Fetched(page=page, last=last, total_pages=pages, unreadable=unreadable, skipped=skipped)


class Honest:
    """Answers from whole lists, and remembers what it was asked: number of the list, number of the page."""

    def __init__(self, *lists, totals=True):
        self.lists = [list(each) for each in lists]
        self.totals = totals
        self.asked = []
        self.sizes = []
        self.failing = []
        """Raised by the next requests, one each, in place of an answer."""

    async def fetch(self, number, page, size):
        self.asked.append((number, page))
        self.sizes.append(size)
        if self.failing and (error := self.failing.pop(0)) is not None:
            raise error
        everything = self.lists[number]
        pages = -(-len(everything) // size)
        content = everything[page * size : (page + 1) * size]
        total = len(everything) if self.totals else None
        return fetched(content, number=page, size=size, last=page + 1 >= pages, pages=pages, total=total)

    def stream(self, **options):
        return PageStream(source(self.fetch, len(self.lists)), **{"page_size": 2} | options)


class Scripted:
    """Says for each page what its script says, whatever a service would never say; behind its end, what it said last."""

    def __init__(self, *script):
        self.script = script
        self.asked = []

    lists = 1

    async def fetch(self, _list, page, _size):
        self.asked.append(page)
        return self.script[min(page, len(self.script) - 1)]

    def stream(self, **options):
        return PageStream(source(self.fetch, self.lists), **{"page_size": 2} | options)


class OnePageLists(Scripted):
    """Says for each list, of one page, what its script says."""

    def __init__(self, *script):
        super().__init__(*script)
        self.lists = len(script)

    async def fetch(self, number, page, size):
        return await super().fetch(0, number, size)


async def walked(server, **options):
    """Walk to the end; return the ids handed out, the number of requests, and the report."""
    async with server.stream(**options).walk() as walk:
        items = [item async for item in walk]
    return ids(items), len(server.asked), walk.report


async def drain(walk, taken):
    """Put the items of a walk into ``taken``, those before a failure as well."""
    async for item in walk:
        taken.append(item)
