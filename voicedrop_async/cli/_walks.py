"""A stream written to stdout, a page at a time, or into a file, and what its report has to say."""

import sys
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TypeVar, assert_never, cast

from voicedrop_async import ConfigError, Exported, Page, PageStream, RequestError, WalkReport, export_to
from voicedrop_async.cli._options import Output, Printed
from voicedrop_async.cli._place import Place, range_kept
from voicedrop_async.cli._process import done, put, say
from voicedrop_async.cli._progress import Progress
from voicedrop_async.export import Format, csv_header, to_csv, to_jsonl
from voicedrop_async.models.walks import doubts

T = TypeVar("T")


async def write(
    stream: PageStream[T],
    what: str,
    place: Place,
    output: Output,
    *,
    max_items: int | None,
    uncut: PageStream[Any] | None = None,
) -> int:
    """Write every item; return 4 if the list is not complete, but for ``max_items``.

    Args:
        stream: Begins at ``place``.
        what: The items' name, in the plural.
        place: Where the walk stands is kept here, as soon as a page has been written: at worst, a page is written twice. A file
            keeps its own place.
        output: Where to, and as what.
        max_items: As of ``stream``.
        uncut: The list without slices, which knows its total.
    """
    if output.out is not None:
        with range_kept(output.out, place.range):
            return await _to_file(stream, what, output.out, output.format, max_items=max_items, uncut=uncut)
    before = place.written
    head, encoded = _encoder(output.on_stdout(), stream.model)
    if place.token is not None:
        head = b""  # it stands in front of what was written
    with place, Progress(what, before=before, most=max_items) as progress:
        await ask_total(progress, uncut)
        async with stream.walk() as walk:
            async for page in walk.pages():
                put(head + encoded(page.items))
                head = b""
                place.keep(walk.token, before + walk.report.items)
                progress.show(page, walk.report)
        put(head)  # of a list without a page
        await done()
    report = walk.report
    if report.items != max_items or report.complete:
        place.forget()  # the walk came to the end of the list
    if not report.items and sys.stdout.isatty():
        say(f"no {what}")
    return judged(report, report.items, what, max_items)


def _encoder(shape: Printed, model: object) -> tuple[bytes, Callable[[Sequence[object]], bytes]]:
    """Return what stands first, and what makes bytes of items."""
    match shape:
        case "table":
            from voicedrop_async.cli._screen import Table

            return b"", Table(model).rows
        case "jsonl":
            return b"", to_jsonl
        case "csv":
            return csv_header(model), to_csv
    assert_never(shape)


async def _to_file(
    stream: PageStream[T], what: str, file: Path, format: str | None, *, max_items: int | None, uncut: PageStream[Any] | None
) -> int:
    with _says_how_to_go_on(file), Progress(what, before=0, most=max_items, to_stdout=False) as progress:
        await ask_total(progress, uncut)

        def show(page: Page[T], so_far: Exported) -> None:
            progress.before = so_far.items - so_far.report.items
            progress.show(page, so_far.report)

        exported = await export_to(stream, file, format=cast("Format | None", format), on_page=show)
        await done()
    return judged(exported.report, exported.items, what, max_items)


@contextmanager
def _says_how_to_go_on(file: Path) -> Generator[None]:
    ended, before = False, _inode(file)
    try:
        yield
        ended = True
    except ConfigError:
        ended = True  # the same command would be refused again
        raise
    finally:
        if not ended and file.with_name(f"{file.name}.part.place").exists():
            say(f"{file}.part keeps what was written: the same command goes on from there")
        elif not ended and _inode(file) != before:
            say(f"{file} is whole all the same")


def _inode(file: Path) -> int | None:
    return file.stat().st_ino if file.exists() else None


async def ask_total(progress: Progress, uncut: PageStream[Any] | None) -> None:
    """Ask how long the list is, if somebody looks and the walk itself would not tell."""
    if progress.seen and uncut is not None:
        with suppress(RequestError):  # a total is nice to have, and the walk itself has more to say
            progress.total = await uncut.count()


def judged(report: WalkReport, written: int, what: str, max_items: int | None) -> int:
    """Return the exit code, and tell what speaks against the list, or what of it could not be read."""
    if report.complete or written == max_items:
        if report.unreadable:
            say(f"rows or fields that cannot be read: {report.unreadable:,}; what was written is good")
        return 0
    facts = "; ".join((f"{what} written: {written:,}", *doubts(report)))
    say(f"the list is not complete ({facts}); what was written is good")
    return 4
