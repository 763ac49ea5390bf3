"""From a list to its pictures: one pass, and the files when they are whole."""

import asyncio
import os
from collections.abc import Callable, Iterator
from functools import partial
from itertools import combinations
from pathlib import Path

from attrs import frozen

from voicedrop_async._files import check_target, unwritable, write_whole
from voicedrop_async._masking import printable, type_of
from voicedrop_async._tasks import to_its_end
from voicedrop_async.errors import ConfigError
from voicedrop_async.models import Page, VoiceMessage, WalkReport
from voicedrop_async.pages import PageStream
from voicedrop_async.report._batches import Batch, file_columns, page_columns
from voicedrop_async.report._charts import check_drawing, picture
from voicedrop_async.report._figures import Figures, figures_of
from voicedrop_async.report._page import page_of
from voicedrop_async.report._tally import Tally


@frozen(kw_only=True)
class Reported:
    """What was drawn, and what was seen on the way."""

    path: Path | None
    """The page; None if only a picture was wanted."""
    png: Path | None
    """The picture, likewise."""
    messages: int
    """How many messages are in the figures."""
    report: WalkReport | None
    """Of the walk; None if they came from a file, which does not tell whether its list was complete."""


async def report_to(
    source: PageStream[VoiceMessage] | str | os.PathLike[str],
    path: str | os.PathLike[str] | None,
    *,
    png: str | os.PathLike[str] | None = None,
    title: str = "Voice messages",
    on_page: Callable[[Page[VoiceMessage], WalkReport], object] | None = None,
    on_batch: Callable[[int, float], object] | None = None,
) -> Reported:
    """Draw what became of messages: delivery over time, who answered, durations, cost, countries, keys pressed, failures.

    The messages are read once and added up, in bounded memory, however many there are. The page is one file that needs nothing
    else, neither script nor network; it has a table beside each chart, and is as readable in the dark, on a telephone and on
    paper. No phone number is in it whole, and no keys that may be a PIN. A file is there when it is whole; what stood at its
    place is replaced, and only its owner may read it.

    Args:
        source: A stream of voice messages, or the path of a file of them as ``export_to`` writes it: .jsonl, .csv, .parquet (which
            needs the extra ``export``). Voicemail drop records are not drawn: they tell neither price nor duration nor answer.
        path: The page, HTML; None if only the picture is wanted.
        png: The same figures as one picture. Failures stand in the page one by one, the newest 1,000 of them.
        title: Stands on top.
        on_page: Called after each page of a stream with it and with what the walk has seen, for a bar of progress.
        on_batch: Called after each few thousand messages of a file with how many were read so far, and which part of the file that
            is, from 0 to 1; likewise.

    Raises:
        ConfigError: vl-convert-python is not installed (it is the extra ``report``), nothing is to be written, or nothing can be where
            it is wanted, or the source holds something else than voice messages.
        FileError: The disk failed, or is full.
        RequestError, WalkError: The walk failed; nothing was written.
    """
    if not isinstance(source, PageStream | str | os.PathLike):
        raise ConfigError(f"source: {type_of(source)} is neither a stream of messages nor the path of a file")
    page, image = (None if place is None else Path(place) for place in (path, png))
    if page is None and image is None:
        raise ConfigError("path: missing; name a page, a picture or both")
    if isinstance(source, PageStream) and source.model is not VoiceMessage:
        raise ConfigError("source: must be a stream of voice messages; nothing else can be drawn")
    file = None if isinstance(source, PageStream) else Path(source)
    await asyncio.to_thread(_check, page, image, file)
    tally = Tally()
    report, most = None, None
    if isinstance(source, PageStream):
        report, most = await _walk(source, tally, on_page), source.max_items
    else:
        await _read(Path(source), tally, on_batch)
    files = await asyncio.to_thread(_drawn, figures_of(tally, report, most), page, image, printable(title, 200))
    await to_its_end(partial(_write, files))
    return Reported(path=page, png=image, messages=tally.messages, report=report)


def _check(page: Path | None, image: Path | None, source: Path | None) -> None:
    """Find out before the list is read what would be in the way after it."""
    check_drawing()
    try:
        for place in filter(None, (page, image)):
            if not os.access(place.parent, os.W_OK):
                raise ConfigError(f"path: {place.parent}: no folder that can be written to")
            check_target(place)
        for one, other in combinations(filter(None, (source, page, image)), 2):
            if _is_same(one, other):
                raise ConfigError(f"path: {other}: is the {'source' if one is source else 'page'} already; name another file")
    except OSError as error:
        raise ConfigError(f"path: {error.filename}: {error.strerror}") from None


def _is_same(one: Path, other: Path) -> bool:
    """Whether both are one file, or would be; by whatever name."""
    return os.path.realpath(one) == os.path.realpath(other) or (one.exists() and other.exists() and one.samefile(other))


async def _walk(
    stream: PageStream[VoiceMessage], tally: Tally, on_page: Callable[[Page[VoiceMessage], WalkReport], object] | None
) -> WalkReport:
    async with stream.walk() as walk:
        async for page in walk.pages():
            tally.add(page_columns(page.items))
            if on_page is not None:
                on_page(page, walk.report)
    return walk.report


async def _read(path: Path, tally: Tally, on_batch: Callable[[int, float], object] | None) -> None:
    batches = file_columns(path)
    while (part := await asyncio.to_thread(_add_next, batches, tally)) is not None:  # whoever is cancelled leaves between two batches
        if on_batch is not None:
            on_batch(tally.messages, part)


def _add_next(batches: Iterator[Batch], tally: Tally) -> float | None:
    batch = next(batches, None)
    if batch is None:
        return None
    tally.add(batch.rows)
    return batch.part


def _drawn(figures: Figures, page: Path | None, image: Path | None, title: str) -> list[tuple[Path, bytes]]:
    wanted = ((page, page_of), (image, picture))
    return [(place, draw(title, figures)) for place, draw in wanted if place is not None]


def _write(files: list[tuple[Path, bytes]]) -> None:
    for path, content in files:
        try:
            write_whole(path, content, lasting=True)
        except OSError as error:
            raise unwritable(f"path: {path}", error) from None
