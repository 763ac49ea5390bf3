"""A stream written to stdout, a page at a time, and what its report has to say."""

import sys
from typing import TypeVar

from voicedrop_async import PageStream, WalkReport
from voicedrop_async.cli._jsonl import lines
from voicedrop_async.cli._say import Progress, say

T = TypeVar("T")


async def write(stream: PageStream[T], what: str, *, max_items: int | None) -> int:
    """Write every item as a line of JSON; return 4 if the list is not complete, but for ``max_items``."""
    progress = Progress()
    try:
        async with stream.walk() as walk:
            async for page in walk.pages():
                sys.stdout.buffer.write(lines(page.items))
                sys.stdout.buffer.flush()
                progress.show(_so_far(walk.report, what))
    finally:
        progress.clear()
    report = walk.report
    if report.complete or report.items == max_items:
        return 0
    say(_doubts(report, what))
    return 4


def _so_far(report: WalkReport, what: str) -> str:
    total = f" of {report.total_last:,}" if report.total_last is not None else ""
    return f"{what}: {report.items:,}{total}, requests: {report.pages:,}"


def _doubts(report: WalkReport, what: str) -> str:
    facts = [f"{what} written: {report.items:,}"]
    if report.total_last is not None:
        facts.append(f"counted by the service: {report.total_last:,}")
    if report.suspected_missing:
        facts.append(f"missing, at least: {report.suspected_missing:,}")
    if report.unreadable:
        facts.append(f"rows or fields that cannot be read: {report.unreadable:,}")
    return f"the list is not complete ({'; '.join(facts)}); what was written is good"
