"""A stream written to stdout, a page at a time, and what its report has to say."""

import os
import stat
import sys
from contextlib import suppress
from typing import Any, TypeVar

from voicedrop_async import PageStream, RequestError, WalkReport
from voicedrop_async.cli._jsonl import lines
from voicedrop_async.cli._place import Place
from voicedrop_async.cli._progress import Progress
from voicedrop_async.cli._say import say

T = TypeVar("T")


async def write(stream: PageStream[T], what: str, place: Place, *, max_items: int | None, uncut: PageStream[Any] | None = None) -> int:
    """Write every item as a line of JSON; return 4 if the list is not complete, but for ``max_items``.

    Args:
        stream: Begins at ``place``.
        what: The items' name, in the plural.
        place: Where the walk stands is kept here, as soon as a page has been written: at worst, a page is written twice.
        max_items: As of ``stream``.
        uncut: The list without slices, which knows its total.
    """
    before = place.written
    with place, Progress(what, before=before, most=max_items) as progress:
        if progress.seen and uncut is not None:
            with suppress(RequestError):  # a total is nice to have, and the walk itself has more to say
                progress.total = await uncut.count()
        async with stream.walk() as walk:
            async for page in walk.pages():
                _put(lines(page.items))
                place.keep(walk.token, before + walk.report.items)
                progress.show(page, walk.report)
    report = walk.report
    if report.items != max_items or report.complete:
        place.forget()  # the walk came to the end of the list
    if report.complete or report.items == max_items:
        return 0
    say(_doubts(report, what))
    return 4


def _put(data: bytes) -> None:
    """Write a page to stdout. In a file, half of one is taken back: the other half would be written behind half a line."""
    out = sys.stdout.buffer
    before = os.fstat(out.fileno())
    try:
        out.write(data)
        out.flush()
    except OSError:
        if stat.S_ISREG(before.st_mode):
            os.ftruncate(out.fileno(), before.st_size)
        raise


def _doubts(report: WalkReport, what: str) -> str:
    facts = [f"{what} written: {report.items:,}"]
    if report.total_last is not None:
        facts.append(f"counted by the service: {report.total_last:,}")
    if report.suspected_missing:
        facts.append(f"missing, at least: {report.suspected_missing:,}")
    if report.unreadable:
        facts.append(f"rows or fields that cannot be read: {report.unreadable:,}")
    return f"the list is not complete ({'; '.join(facts)}); what was written is good"
