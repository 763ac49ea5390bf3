"""From a list to its pictures: one pass, and the files when they are whole."""

import asyncio
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import mkstemp

from attrs import frozen

from voicedrop_async._masking import printable
from voicedrop_async.errors import ConfigError
from voicedrop_async.models import Page, VoiceMessage, WalkReport
from voicedrop_async.pages import PageStream
from voicedrop_async.report._batches import file_columns, page_columns
from voicedrop_async.report._charts import check_drawing, picture
from voicedrop_async.report._figures import figures_of
from voicedrop_async.report._page import page_of
from voicedrop_async.report._tally import Rows, Tally


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

    Raises:
        ConfigError: vl-convert-python is not installed (it is the extra ``report``), nothing is to be written, the disk refused, or
            the source holds something else than voice messages.
        RequestError, WalkError: The walk failed; nothing was written.
    """
    page, image = (None if place is None else Path(place) for place in (path, png))
    if page is None and image is None:
        raise ConfigError("path: neither a page nor a picture is wanted")
    if isinstance(source, PageStream) and source.model is not VoiceMessage:
        raise ConfigError("source: only voice messages can be drawn")
    await asyncio.to_thread(_check, [place for place in (page, image) if place is not None])
    tally = Tally()
    report: WalkReport | None = None
    if isinstance(source, PageStream):
        report = await _walk(source, tally, on_page)
    else:
        await _read(Path(source), tally)
    await asyncio.to_thread(_draw, tally, report, page, image, printable(title, 200))
    return Reported(path=page, png=image, messages=tally.messages, report=report)


def _check(places: list[Path]) -> None:
    """Find out before the list is read what would be in the way after it."""
    check_drawing()
    for place in places:
        if place.is_dir():
            raise ConfigError(f"path: {place}: is a folder; name a file in it")
        if not os.access(place.parent, os.W_OK):
            raise ConfigError(f"path: {place.parent}: no folder that can be written to")


async def _walk(
    stream: PageStream[VoiceMessage], tally: Tally, on_page: Callable[[Page[VoiceMessage], WalkReport], object] | None
) -> WalkReport:
    async with stream.walk() as walk:
        async for page in walk.pages():
            tally.add(page_columns(page.items))
            if on_page is not None:
                on_page(page, walk.report)
    return walk.report


async def _read(path: Path, tally: Tally) -> None:
    batches = file_columns(path)
    while await asyncio.to_thread(_add_next, batches, tally):
        pass  # whoever is cancelled leaves between two batches


def _add_next(batches: Iterator[Rows], tally: Tally) -> bool:
    rows = next(batches, None)
    if rows is not None:
        tally.add(rows)
    return rows is not None


def _draw(tally: Tally, report: WalkReport | None, page: Path | None, image: Path | None, title: str) -> None:
    figures = figures_of(tally, report)
    files = [
        (page, page_of(title, figures) if page is not None else b""),
        (image, picture(title, figures) if image is not None else b""),
    ]
    for place, content in files:
        if place is not None:
            _write(place, content)


def _write(path: Path, content: bytes) -> None:
    """Write a file beside its place, and put it there when its last byte is on the disk."""
    try:
        handle, name = mkstemp(prefix=f".{path.name}.", dir=path.parent)  # readable by its owner alone
        new = Path(name)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(handle)
            new.replace(path)
        finally:
            new.unlink(missing_ok=True)
    except OSError as error:
        raise ConfigError(f"path: {path}: cannot be written to: {error.strerror or type(error).__name__}") from None
