"""A file that is being made, beside the place where it will be: it outlives the process, and ``PATH.part.place`` says what counts of it.

What was written is in its file before its place is kept. After a ``kill -9`` at any moment, what lies behind the place is cut off, and
the walk goes on from there: each item stands in the finished file once. Lines are not forced on to the disk before they are all there,
which would take longer than the walk: after a power failure, a part that is shorter than its place says is begun anew. Everything here
but ``ready`` waits for the disk, and so runs in a thread.
"""

import fcntl
import os
import shutil
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec
from attrs import define, field, frozen

from voicedrop_async._files import check_target, sync, write_whole
from voicedrop_async.errors import ConfigError
from voicedrop_async.export._frames import frame_of, schema_of
from voicedrop_async.export._rows import columns_of

if TYPE_CHECKING:
    import polars

_OWNER: Final = 0o600
_ROWS: Final = 20_000
"""Rows of one part of a Parquet file, and of one group of the whole: as many wait in memory, as columns and not as objects."""


class Busy(ConfigError):
    """Another export is writing the file: that passes."""


@frozen(kw_only=True)
class Mark:
    """How far a file has come."""

    format: str
    columns: tuple[str, ...]
    """The names of what is in it: another version of this library may have others."""
    extent: int
    """What counts of the part: its bytes, or the number of its files."""
    items: int
    """Items in it, of all runs together."""
    token: str
    """Where the walk goes on."""


@define(kw_only=True)
class Part(ABC):
    """A file that is not whole yet. The one who opened it has it alone, in this process and among others."""

    target: Path
    format: str
    model: object
    """Of its items."""
    every: float
    """Seconds after which its place is kept, at the earliest."""
    mark: Mark | None = field(default=None, init=False)
    """The place it was found at; None at the beginning."""
    _lock: int = field(default=-1, init=False)

    @property
    def path(self) -> Path:
        """Where it is."""
        return self.target.with_name(self.target.name + ".part")

    @property
    def _place(self) -> Path:
        return self.target.with_name(self.target.name + ".part.place")

    @property
    def _columns(self) -> tuple[str, ...]:
        return tuple(column.name for column in columns_of(self.model))

    def open(self) -> None:
        """Find what an earlier run left, or begin.

        Raises:
            Busy: Somebody else is at it.
            ConfigError: What lies there is something else.
        """
        check_target(self.target)
        self._take_lock()
        while not self._is_in_place():  # who had it has just finished: what is locked is the whole file, or a folder that is gone
            self.close()
            self._take_lock()
        self.mark = self._found()
        if self.mark is None:
            self._place.unlink(missing_ok=True)  # of a part that is gone
        self._cut(0 if self.mark is None else self.mark.extent)

    def keep(self, token: str, items: int) -> None:
        """Keep the place that was reached: ``items`` of all runs together."""
        mark = Mark(format=self.format, columns=self._columns, extent=self._kept(), items=items, token=token)
        write_whole(self._place, msgspec.json.encode(mark) + b"\n", beside=self._place.with_name(self._place.name + ".new"))

    def finish(self) -> None:
        """Put the whole file in its place."""
        self._put_in_place()
        sync(self.target.parent)
        self._place.unlink(missing_ok=True)

    def close(self) -> None:
        """Let go of it; what was not kept does not count."""
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1

    def _take_lock(self) -> None:
        self._lock = self._opened()
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Busy(f"path: {self.path}: another export is writing it") from None

    def _is_in_place(self) -> bool:
        try:
            return os.path.samestat(os.fstat(self._lock), self.path.lstat())
        except FileNotFoundError:
            return False

    def _found(self) -> Mark | None:
        try:
            mark = msgspec.json.decode(self._place.read_bytes(), type=Mark)
        except FileNotFoundError:
            return None
        except (msgspec.MsgspecError, ValueError):
            raise ConfigError(f"path: {self._place}: no place of an export, and left as it is; remove it to begin anew") from None
        if mark.format != self.format:
            raise ConfigError(f"path: {self.path}: was begun as {mark.format}; go on with that, or remove it and {self._place.name}")
        if mark.columns != self._columns:
            raise ConfigError(f"path: {self.path}: was begun with other columns; remove it and {self._place.name}, to begin anew")
        # A part that was removed, or is shorter than it was, is begun anew.
        return mark if self._extent() >= mark.extent else None

    @abstractmethod
    def ready(self, items: Sequence[object]) -> Callable[[], None]:
        """Return what writes items behind those that are there; called on the loop."""

    @abstractmethod
    def _opened(self) -> int:
        """Open or make it, and return what can be locked."""

    @abstractmethod
    def _extent(self) -> int: ...

    @abstractmethod
    def _cut(self, extent: int) -> None:
        """Cut off what lies behind a place."""

    @abstractmethod
    def _kept(self) -> int:
        """See to it that everything is in its file; return the extent."""

    @abstractmethod
    def _put_in_place(self) -> None: ...


@define(kw_only=True)
class Lines(Part):
    """A file of lines, which grows at its end."""

    encode: Callable[[Sequence[object]], bytes]
    header: bytes = b""

    def ready(self, items: Sequence[object]) -> Callable[[], None]:
        """Write a line for each. They are made here: two threads that both want the interpreter take longer than one."""
        return partial(self._append, self.encode(items))

    def _append(self, data: bytes) -> None:
        rest = memoryview(data)
        while rest:
            rest = rest[os.write(self._lock, rest) :]

    def _opened(self) -> int:
        # Readable by its owner alone; a link that waits at that name is not followed, and a pipe not waited for.
        check_target(self.path)
        return os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC, _OWNER)

    def _extent(self) -> int:
        return os.fstat(self._lock).st_size

    def _cut(self, extent: int) -> None:
        os.ftruncate(self._lock, extent)
        if not extent:
            self._append(self.header)

    def _kept(self) -> int:
        return self._extent()

    def _put_in_place(self) -> None:
        os.fsync(self._lock)
        self.path.replace(self.target)


@define(kw_only=True)
class Frames(Part):
    """A folder of Parquet files, each of bounded size, which become one at the end."""

    _waiting: list["polars.DataFrame"] = field(factory=list, init=False)
    """Frames that no file holds yet."""
    _rows: int = field(default=0, init=False)
    _files: int = field(default=0, init=False)

    def ready(self, items: Sequence[object]) -> Callable[[], None]:
        """Make a file of the frames that wait, if there are enough. The frame of these items is made here, as lines are."""
        return partial(self._take, frame_of(self.model, items))

    def _take(self, frame: "polars.DataFrame") -> None:
        self._waiting.append(frame)
        self._rows += len(frame)
        if self._rows >= _ROWS:
            self._flush()

    def _flush(self) -> None:
        import polars as pl

        if self._waiting:
            file = self._file(self._files)
            pl.concat(self._waiting).write_parquet(file, compression="lz4")  # read once more, and thrown away
            sync(file)
            self._waiting.clear()
            self._rows, self._files = 0, self._files + 1

    def _file(self, number: int) -> Path:
        return self.path / f"{number:08}.parquet"

    def _opened(self) -> int:
        self.path.mkdir(0o700, exist_ok=True)
        return os.open(self.path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)

    def _extent(self) -> int:
        number = 0
        while self._file(number).exists():
            number += 1
        return number

    def _cut(self, extent: int) -> None:
        for file in self.path.glob("*.parquet"):
            if not file.stem.isdigit() or int(file.stem) >= extent:
                file.unlink()
        self._files = extent

    def _kept(self) -> int:
        self._flush()
        os.fsync(self._lock)
        return self._files

    def _put_in_place(self) -> None:
        import polars as pl

        self._flush()
        whole, files = self.path / "whole.parquet", [self._file(number) for number in range(self._files)]
        rows = pl.scan_parquet(files) if files else pl.LazyFrame(schema=schema_of(self.model))
        rows.sink_parquet(whole, row_group_size=_ROWS)
        whole.chmod(_OWNER)
        sync(whole)
        whole.replace(self.target)

    def finish(self) -> None:
        """Put the whole file in its place, and take the parts away."""
        super().finish()
        shutil.rmtree(self.path)
