"""A folder of files, one for each shard, beside what became of it: the sink that there is."""

import asyncio
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

from attrs import evolve, field, frozen

from voicedrop_async._files import unwritable, write_whole
from voicedrop_async.errors import ConfigError, FileError
from voicedrop_async.export import Exported, Format, export_to
from voicedrop_async.models import Page
from voicedrop_async.pages import PageStream
from voicedrop_async.shards._run import Written
from voicedrop_async.shards._shard import Shard, ShardResult

_PLAN: Final = "plan.jsonl"


@frozen
class Parts:
    """Files of shards in a folder, which all workers see; plain data, and so are its ways from one process to another.

    A shard's file bears its id, and is there when it is whole; until then it is a part with its place beside it, as ``export_to``
    leaves one. ``ID.json`` says what became of the shard, ``plan.jsonl`` is the plan. Only their owner may read them.
    """

    folder: Path = field(converter=Path)
    """Made when it is first needed."""
    format: Format = "jsonl"
    """Of the files: "jsonl", "csv", or "parquet", which needs the extra ``export``."""

    def path(self, shard: Shard) -> Path:
        """Return where a shard's file is, once it is whole."""
        return self.folder / f"{shard.id}.{self.format}"

    async def find(self, shard: Shard) -> ShardResult | None:
        """Return what became of a shard, if anybody was at it, and if the file that he tells of is still there.

        Raises:
            ConfigError: What stands there cannot be understood.
            FileError: The folder cannot be read.
        """
        return await asyncio.to_thread(self._find, shard)

    async def write(self, shard: Shard, stream: PageStream[Any], written: Written) -> None:
        """Write the rest of a shard into its file.

        Raises:
            ConfigError: No file can be made there, or another worker is writing it.
            FileError: The disk failed, or is full.
            RequestError, WalkError: The walk failed; what came before is kept.
        """

        def show(_page: Page[Any], so_far: Exported) -> None:
            written.items, written.report = so_far.items, so_far.report

        await asyncio.to_thread(self._make_folder)
        done = await export_to(stream, self.path(shard), format=self.format, on_page=show)
        written.items, written.report, written.part = done.items, done.report, str(done.path)

    async def keep(self, result: ShardResult) -> None:
        """Write down what became of a shard."""
        await asyncio.to_thread(self._put, f"{result.shard.id}.json", [result.to_json()])

    async def keep_plan(self, shards: Iterable[Shard]) -> None:
        """Write down a plan, so that another run can go on with it."""
        await asyncio.to_thread(self._put, _PLAN, [shard.to_json() for shard in shards])

    async def plan(self) -> tuple[Shard, ...] | None:
        """Return the plan that was written down; None if none was.

        Raises:
            ConfigError: What stands there cannot be understood.
            FileError: The folder cannot be read.
        """
        return await asyncio.to_thread(self._read_plan)

    def _make_folder(self) -> None:
        try:
            self.folder.mkdir(0o700, exist_ok=True)
        except OSError as error:
            raise ConfigError(f"folder: {self.folder}: {error.strerror}") from None

    def _find(self, shard: Shard) -> ShardResult | None:
        line = self._read(f"{shard.id}.json")
        if line is None:
            return None
        result = ShardResult.from_json(line)
        if result.part is None:
            return result
        here = self.path(shard)  # the folder may have another path where the worker was
        return evolve(result, part=str(here)) if here.exists() else None

    def _read_plan(self) -> tuple[Shard, ...] | None:
        lines = self._read(_PLAN)
        return None if lines is None else tuple(map(Shard.from_json, lines.splitlines()))

    def _read(self, name: str) -> bytes | None:
        try:
            return (self.folder / name).read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            why = error.strerror or type(error).__name__
            raise FileError(f"folder: {self.folder}: cannot be read: {why}; mend that, then make the same call again") from None

    def _put(self, name: str, lines: list[str]) -> None:
        """Write a small file in one step."""
        self._make_folder()
        try:
            write_whole(self.folder / name, "".join(f"{line}\n" for line in lines).encode())
        except OSError as error:
            raise unwritable(f"folder: {self.folder}", error) from None
