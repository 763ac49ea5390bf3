"""A stream written to stdout, a page at a time, or into a file, and what its report has to say."""

import os
import stat
import sys
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TypeVar, get_args

from attrs import frozen

from voicedrop_async import ConfigError, Exported, Page, PageStream, RequestError, WalkReport, export_to
from voicedrop_async.cli._place import Place
from voicedrop_async.cli._progress import Progress
from voicedrop_async.cli._say import say
from voicedrop_async.export import Format, csv_header, to_csv, to_jsonl

T = TypeVar("T")


@frozen
class Output:
    """Where a list goes, and as what."""

    format: Format | None
    """None: lines of JSON on stdout, or what the name of the file says."""
    file: Path | None


def output(format: str | None, out: Path | None, resume: Path | None) -> Output:
    """Read ``--format`` and ``--out``.

    Raises:
        ConfigError: There is no such format, stdout does not take it, or the place would be kept twice.
    """
    known: dict[str, Format] = {name: name for name in get_args(Format)}
    if format is not None and format not in known:
        raise ConfigError(f"--format: must be one of {', '.join(known)}")
    if out is None and format == "parquet":
        raise ConfigError("--format: parquet is no text for stdout; name a file with --out")
    if out is not None and resume is not None:
        raise ConfigError("--resume: is for stdout; with --out the place is kept beside the file, and the same command goes on from there")
    return Output(None if format is None else known[format], out)


async def write(
    stream: PageStream[T], what: str, place: Place, *, into: Output, max_items: int | None, uncut: PageStream[Any] | None = None
) -> int:
    """Write every item; return 4 if the list is not complete, but for ``max_items``.

    Args:
        stream: Begins at ``place``.
        what: The items' name, in the plural.
        place: Where the walk stands is kept here, as soon as a page has been written: at worst, a page is written twice. A file
            keeps its own place.
        into: Where to, and as what.
        max_items: As of ``stream``.
        uncut: The list without slices, which knows its total.
    """
    if into.file is not None:
        return await _to_file(stream, what, into.file, into.format, max_items=max_items, uncut=uncut)
    before = place.written
    with place, Progress(what, before=before, most=max_items) as progress:
        await _ask_total(progress, uncut)
        if into.format == "csv" and not before:
            _put(csv_header(stream.model))
        async with stream.walk() as walk:
            async for page in walk.pages():
                _put((to_csv if into.format == "csv" else to_jsonl)(page.items))
                place.keep(walk.token, before + walk.report.items)
                progress.show(page, walk.report)
    report = walk.report
    if report.items != max_items or report.complete:
        place.forget()  # the walk came to the end of the list
    return _judged(report, report.items, what, max_items)


async def _to_file(
    stream: PageStream[T], what: str, file: Path, format: Format | None, *, max_items: int | None, uncut: PageStream[Any] | None
) -> int:
    with _says_how_to_go_on(file), Progress(what, before=0, most=max_items, to_stdout=False) as progress:
        await _ask_total(progress, uncut)

        def show(page: Page[T], so_far: Exported) -> None:
            progress.before = so_far.items - so_far.report.items
            progress.show(page, so_far.report)

        done = await export_to(stream, file, format=format, on_page=show)
    return _judged(done.report, done.items, what, max_items)


@contextmanager
def _says_how_to_go_on(file: Path) -> Generator[None]:
    ended = False
    try:
        yield
        ended = True
    finally:
        if not ended and file.with_name(f"{file.name}.part.place").exists():
            say(f"{file}.part keeps what was written: the same command goes on from there")


async def _ask_total(progress: Progress, uncut: PageStream[Any] | None) -> None:
    if progress.seen and uncut is not None:
        with suppress(RequestError):  # a total is nice to have, and the walk itself has more to say
            progress.total = await uncut.count()


def _judged(report: WalkReport, written: int, what: str, max_items: int | None) -> int:
    """Return the exit code, and tell what speaks against the list."""
    if report.complete or written == max_items:
        return 0
    say(_doubts(report, written, what))
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


def _doubts(report: WalkReport, written: int, what: str) -> str:
    facts = [f"{what} written: {written:,}"]
    if report.total_last is not None:
        facts.append(f"counted by the service: {report.total_last:,}")
    if report.suspected_missing:
        facts.append(f"missing, at least: {report.suspected_missing:,}")
    if report.unreadable:
        facts.append(f"rows or fields that cannot be read: {report.unreadable:,}")
    return f"the list is not complete ({'; '.join(facts)}); what was written is good"
