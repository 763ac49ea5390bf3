"""Files of shards, put together item by item: lines as the very bytes that stand there, Parquet by polars."""

import io
import os
import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Iterable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO, TYPE_CHECKING, Any, Final, assert_never

import msgspec
from attrs import define, field, frozen

from voicedrop_async.errors import ConfigError, FileError
from voicedrop_async.export import Format, format_of
from voicedrop_async.shards._ids import Ids

if TYPE_CHECKING:
    import polars

_OWNER: Final = 0o600
_CELL: Final = re.compile(rb'"(?:[^"]|"")*"|[^,\n]*')


@define
class Whole(ABC):
    """The file that is made of those of the shards, if one is to be made."""

    target: Path | None
    _ids: Ids | None = field(default=None, init=False)
    _columns: object = field(default=None, init=False)
    """What the columns of the first part are."""

    def take(self, part: Path) -> tuple[int, int]:
        """Take a shard's file; return how many of its items are new, and how many came before."""
        keys, add = self._read(part)
        if self._ids is None:
            self._ids = Ids()
        again = self._ids.take(keys)
        if self.target is not None:
            add(_new(self.target), again)
        return len(keys) - len(again), len(again)

    def finish(self) -> None:
        """Put the file in its place."""
        if self.target is not None:
            new = _new(self.target)
            self._make(new)
            handle = os.open(new, os.O_RDONLY)
            try:
                os.fsync(handle)
            finally:
                os.close(handle)
            new.replace(self.target)

    def close(self) -> None:
        """Leave nothing else behind."""
        if self._ids is not None:
            self._ids.close()
        if self.target is not None:
            _new(self.target).unlink(missing_ok=True)

    def _hold(self, part: Path, columns: object) -> None:
        """Refuse a part that has other columns than those before it: another version of this library made it."""
        if self._columns is None:
            self._columns = columns
        if columns != self._columns:
            raise FileError(f"{part}: has other columns than the parts before it; {_again(part)}")

    @abstractmethod
    def _read(self, part: Path) -> "tuple[list[bytes], Callable[[Path, Collection[int]], None]]":
        """Return what tells the items of a part apart, and what adds them, but for those at some places."""

    @abstractmethod
    def _make(self, new: Path) -> None: ...


@define
class WholeLines(Whole):
    """A file of lines."""

    csv: bool
    _file: IO[bytes] | None = field(default=None, init=False)

    def _read(self, part: Path) -> tuple[list[bytes], Callable[[Path, Collection[int]], None]]:
        rows = _csv_rows(part.read_bytes()) if self.csv else part.read_bytes().splitlines(keepends=True)
        header = rows[:1] if self.csv else []
        rows = rows[len(header) :]
        self._hold(part, header)

        def add(new: Path, again: Collection[int]) -> None:
            file = self._opened(new, header)
            file.writelines(row for place, row in enumerate(rows) if place not in again)

        try:
            return list(map(_csv_key if self.csv else _json_key, rows)), add
        except msgspec.MsgspecError:
            raise _broken(part) from None

    def _opened(self, new: Path, header: list[bytes]) -> IO[bytes]:
        if self._file is None:
            handle = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC, _OWNER)
            self._file = os.fdopen(handle, "wb")
            self._file.writelines(header)
        return self._file

    def _make(self, new: Path) -> None:
        self._opened(new, []).flush()

    def close(self) -> None:
        """Leave nothing else behind."""
        if self._file is not None:
            self._file.close()
        super().close()


@define
class WholeFrames(Whole):
    """A Parquet file. Shards of which no item came before are not written twice."""

    _files: list[Path] = field(factory=list, init=False)
    _scratch: "TemporaryDirectory[str] | None" = field(default=None, init=False)

    def _read(self, part: Path) -> tuple[list[bytes], Callable[[Path, Collection[int]], None]]:
        import polars as pl

        try:
            frame: Any = pl.read_parquet(part)  # Any: polars' own types want numpy here
        except pl.exceptions.PolarsError:
            raise _broken(part) from None
        self._hold(part, frame.schema)

        def add(new: Path, again: Collection[int]) -> None:
            if not again:
                self._files.append(part)
                return
            if self._scratch is None:
                self._scratch = TemporaryDirectory(dir=new.parent, prefix=f"{new.name}.")
            file = Path(self._scratch.name) / part.name
            kept = pl.Series([place not in again for place in range(len(frame))])
            frame.filter(kept).write_parquet(file)
            self._files.append(file)

        return _frame_keys(frame), add

    def _make(self, new: Path) -> None:
        import polars as pl

        if self._files:
            pl.scan_parquet(self._files).sink_parquet(new)
        else:
            pl.DataFrame().write_parquet(new)
        new.chmod(_OWNER)

    def close(self) -> None:
        """Leave nothing else behind."""
        if self._scratch is not None:
            self._scratch.cleanup()
        super().close()


def whole_of(parts: Iterable[Path], target: Path | None) -> Whole:
    """Return what the parts are put together in.

    Raises:
        ConfigError: They are of different formats, or of another one than ``target`` by its name.
    """
    formats: set[Format] = {format_of(path) for path in (*parts, *([] if target is None else [target]))} or {"jsonl"}
    if len(formats) > 1:
        raise ConfigError(f"path: parts and file must be of one format; there are {', '.join(sorted(formats))}")
    (wanted,) = formats
    match wanted:
        case "jsonl":
            return WholeLines(target, csv=False)
        case "csv":
            return WholeLines(target, csv=True)
        case "parquet":
            return WholeFrames(target)
    assert_never(wanted)


@frozen
class _Id:
    """What a line is known by: a message or a drop record."""

    message_id: str | None = None
    id: int | str | None = None


def _json_key(line: bytes) -> bytes:
    known = msgspec.json.decode(line, type=_Id)
    return str(known.message_id or known.id).encode() if known.message_id or known.id is not None else line


def _csv_rows(data: bytes) -> list[bytes]:
    """Return rows as they stand there; a line break within quotation marks ends none."""
    rows: list[bytes] = []
    row = b""
    for line in io.BytesIO(data):
        row += line
        if row.count(b'"') % 2 == 0:
            rows.append(row)
            row = b""
    return rows


def _csv_key(row: bytes) -> bytes:
    cell = _CELL.match(row)
    return cell[0] if cell is not None and cell[0].strip(b'"') else row


def _frame_keys(frame: "polars.DataFrame") -> list[bytes]:
    ids = frame["message_id" if "message_id" in frame.columns else "id"].to_list()
    return [str(one).encode() if one not in {None, ""} else repr(frame.row(place)).encode() for place, one in enumerate(ids)]


def _broken(part: Path) -> FileError:
    return FileError(f"{part}: is broken; {_again(part)}")


def _again(part: Path) -> str:
    return f"remove it and {part.stem}.json beside it, and have the shard done again"


def _new(target: Path) -> Path:
    return target.with_name(f"{target.name}.new")
