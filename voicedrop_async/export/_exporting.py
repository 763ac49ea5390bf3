"""A stream into a file, or into a frame: the walk on the loop, and what waits for the disk in a thread beside it."""

import asyncio
import os
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias, TypeVar, assert_never, get_args

from attrs import frozen

from voicedrop_async._files import unwritable
from voicedrop_async._masking import type_of
from voicedrop_async.errors import ConfigError, FileError, ResumeTokenError
from voicedrop_async.export._frames import check_polars, frame_of
from voicedrop_async.export._parts import Frames, Lines, Part
from voicedrop_async.export._rows import columns_of
from voicedrop_async.export._text import csv_header, to_csv, to_jsonl
from voicedrop_async.models import Page, WalkReport
from voicedrop_async.pages import PageStream, Walk

if TYPE_CHECKING:
    import polars

T = TypeVar("T")

Format: TypeAlias = Literal["jsonl", "csv", "parquet"]
"""What a file can be."""

_SUFFIXES: Final[dict[str, Format]] = {".jsonl": "jsonl", ".ndjson": "jsonl", ".csv": "csv", ".parquet": "parquet"}
_BATCH: Final = 1_000
"""Items that are written at once; no more than twice as many, and a page, wait in memory."""
LINES_KEPT_EVERY: Final = 1.0
FRAMES_KEPT_EVERY: Final = 10.0
"""Seconds; each time makes a file."""


@frozen(kw_only=True)
class Exported:
    """What stands in a file, and what was seen on the way."""

    path: Path
    """The file."""
    items: int
    """Rows in the file, of all runs together."""
    report: WalkReport
    """Of the last run. ``complete`` says also whether anything spoke against the runs before it."""


async def export_to(
    stream: PageStream[T],
    path: str | os.PathLike[str],
    *,
    format: Format | None = None,
    on_page: Callable[[Page[T], Exported], object] | None = None,
) -> Exported:
    """Write every item of a stream into a file, in bounded memory; call it again after an interruption, and it goes on.

    The file is there when it is whole: until then it is ``PATH.part``, with its place beside it in ``PATH.part.place``. Whatever
    ended a run, ``kill -9`` too, the next call with the same stream, start and end included, goes on from there, and the file has
    each item once (the list did not change meanwhile). What stood at ``path`` is replaced. Only its owner may read the file.

    Args:
        stream: Of voice messages or voicemail drop records. Its ``max_items`` counts all runs together.
        path: The file.
        format: "jsonl", "csv" or "parquet"; by the name of the file, if left out. Parquet needs the extra ``export``.
        on_page: Called after each page with it and with what has been taken so far, for a bar of progress.

    Raises:
        ConfigError: No format is known by that name, polars is not installed, another export is writing the file, what lies at
            ``PATH.part`` belongs to another stream or format or has other columns, or no file can be made there. Nothing was sent.
        FileError: The disk failed, or is full.
        RequestError, WalkError: The walk failed. In both cases what came before is kept, and the same call goes on from there.
    """
    part = _part_of(stream, Path(path), format)
    writer = _Writer(part.path)
    try:
        if isinstance(part, Frames):
            await writer.do(check_polars)
        await _begin(part, writer)
        exported = await _write(_rest_of(stream, part), part, writer, on_page)
        await writer.do(part.finish)
    finally:
        await writer.close(part.close)
    return exported


async def to_polars(stream: PageStream[Any]) -> "polars.DataFrame":
    """Collect a stream into a frame of polars, with the columns and types of a Parquet file; an empty one has them too.

    Raises:
        ConfigError: polars is not installed; it is the extra ``export``.
        RequestError, WalkError: The walk failed; ``resume`` is the place behind what was thrown away.
    """
    model = _model_of(stream)
    await asyncio.to_thread(check_polars)
    frames: list[Any] = []
    pile: list[object] = []
    async with stream.walk() as walk:
        async for page in walk.pages():
            pile += page.items
            if len(pile) >= _BATCH:
                frames.append(await asyncio.to_thread(frame_of, model, pile))
                pile = []
    return await asyncio.to_thread(_joined, model, frames, pile)


def _joined(model: object, frames: list[Any], pile: list[object]) -> "polars.DataFrame":
    import polars as pl

    whole: pl.DataFrame = pl.concat([*frames, frame_of(model, pile)], rechunk=True)
    return whole


def _model_of(stream: PageStream[Any]) -> object:
    if not isinstance(stream, PageStream):
        raise ConfigError(f"stream: {type_of(stream)} is no PageStream")
    columns_of(stream.model)
    return stream.model


def format_of(path: Path, format: str | None = None) -> Format:
    """Return what a file is to be: what was asked for, or what its name says.

    Raises:
        ConfigError: That is nothing known.
    """
    wanted = _SUFFIXES.get(path.suffix.lower()) if format is None else format
    known: Format
    for known in get_args(Format):
        if wanted == known:
            return known
    fault = f"path: {path.name}: its name tells no format" if format is None else "format: unknown"
    raise ConfigError(f"{fault}; known are {', '.join(get_args(Format))}")


def _part_of(stream: PageStream[Any], target: Path, format: str | None) -> Part:
    """Return the file that is to be made; nothing is touched yet."""
    model, wanted = _model_of(stream), format_of(target, format)
    lines = partial(Lines, target=target, format=wanted, model=model, every=LINES_KEPT_EVERY)
    match wanted:
        case "jsonl":
            return lines(encode=to_jsonl)
        case "csv":
            return lines(encode=to_csv, header=csv_header(model))
        case "parquet":
            return Frames(target=target, format=wanted, model=model, every=FRAMES_KEPT_EVERY)
    assert_never(wanted)


async def _begin(part: Part, writer: "_Writer") -> None:
    try:
        await writer.do(part.open)
    except FileError as error:  # nothing was sent yet
        raise ConfigError(str(error)) from None


def _rest_of(stream: PageStream[T], part: Part) -> PageStream[T]:
    """Return what is still to be written."""
    if part.mark is None:
        return stream
    try:
        return stream.resumed(part.mark.token, handed_out=part.mark.items)
    except ResumeTokenError as error:
        fault = str(error).removeprefix("resume: ").rpartition("; ")[0]
        raise ConfigError(
            f"path: {part.path}: {fault}; give the arguments that it was begun with, or remove it and {part.path.name}.place, to begin anew"
        ) from None


async def _write(stream: PageStream[T], part: Part, writer: "_Writer", on_page: Callable[[Page[T], Exported], object] | None) -> Exported:
    before = items = 0 if part.mark is None else part.mark.items
    pile: list[object] = []
    due = time.monotonic() + part.every

    def exported(walk: Walk[T]) -> Exported:
        return Exported(path=part.target, items=before + walk.report.items, report=walk.report)

    async with stream.walk() as walk:
        try:
            async for page in walk.pages():
                pile += page.items
                items += len(page.items)
                late = time.monotonic() >= due
                if late or len(pile) >= _BATCH:
                    await writer.hand_over(_step(part, pile, items, str(walk.token) if late else None))
                    pile = []
                    due = time.monotonic() + part.every if late else due
                if on_page is not None:
                    on_page(page, exported(walk))
        finally:  # also what a failure, or whoever cancels, leaves behind
            await writer.hand_over(_step(part, pile, items, str(walk.token)))
            await writer.settled()
    return exported(walk)


def _step(part: Part, items: list[object], written: int, token: str | None) -> Callable[[], None]:
    """Return what writes items, and keeps the place behind them if there is a token for it."""
    write = part.ready(items) if items else None

    def step() -> None:
        if write is not None:
            write()
        if token is not None:
            part.keep(token, written)

    return step


class _Writer:
    """One thread, which takes step after step while the walk goes on. After one that failed it takes none but the last."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._thread = ThreadPoolExecutor(1, "voicedrop-export")
        self._under_way: asyncio.Future[None] | None = None
        self._failed = False

    async def do(self, step: Callable[[], None]) -> None:
        """Take a step, and wait for it."""
        await self.hand_over(step)
        await self.settled()

    async def hand_over(self, step: Callable[[], None]) -> None:
        """Wait for the step before, and begin this one."""
        await self.settled()
        self._under_way = asyncio.get_running_loop().run_in_executor(self._thread, self._take, step)

    async def settled(self) -> None:
        """Wait for the step that is under way. Whoever is cancelled meanwhile leaves it to its end."""
        if self._under_way is None:
            return
        try:
            await asyncio.shield(self._under_way)
        except OSError as error:
            raise unwritable(f"path: {self._path}", error) from None
        finally:
            if self._under_way.done():
                self._under_way = None

    async def close(self, step: Callable[[], None]) -> None:
        """Take the last step, whatever became of those before, and let the thread end."""
        last = asyncio.get_running_loop().run_in_executor(self._thread, step)
        self._thread.shutdown(wait=False)
        await asyncio.shield(last)

    def _take(self, step: Callable[[], None]) -> None:
        if self._failed:
            return
        try:
            step()
        except BaseException:
            self._failed = True
            raise
