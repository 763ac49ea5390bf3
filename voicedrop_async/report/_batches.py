"""Columns of messages, a few thousand rows at a time: of a page, and of a file that ``export_to`` has written."""

import csv
import os
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from datetime import datetime
from decimal import Decimal, InvalidOperation
from itertools import islice
from operator import attrgetter
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Annotated, Any, BinaryIO, Final, NoReturn, TypeAlias, assert_never

import msgspec
from attrs import frozen

from voicedrop_async.calls import MOST_BYTES
from voicedrop_async.errors import ConfigError
from voicedrop_async.export import format_of, rearmed
from voicedrop_async.export._frames import check_polars, schema_of
from voicedrop_async.export._rows import columns_of, rows_of
from voicedrop_async.models import Seconds, VoiceMessage
from voicedrop_async.report._tally import COLUMNS, Rows

if TYPE_CHECKING:
    from _csv import Reader as CSVReader

_Cells: TypeAlias = tuple[str, int, Callable[[str], Any]]
"""A column: its name, its place in a row, and what reads its cells."""
_UNREADABLE: Final = (IndexError, InvalidOperation, msgspec.MsgspecError, ValueError)
_ROWS: Final = 5_000
_PARQUET_ROWS: Final = 20_000
"""A group of rows is read anew for each batch that lies in it."""
_BYTES: Final = 4 * 2**20
"""Of lines of JSON, which take some hundred bytes each."""
_LONG_CELLS: Final = Lock()
"""Whoever has it may set for how long cells the ``csv`` of this process is ready."""
_OF_MESSAGES: Final = [column for column in columns_of(VoiceMessage) if column.name in COLUMNS]


@frozen
class Batch:
    """Rows of a file."""

    rows: Rows
    part: float
    """Which part of the file has been read with them, from 0 to 1."""


def page_columns(messages: Sequence[VoiceMessage]) -> Rows:
    """Return the columns of messages."""
    rows = rows_of(VoiceMessage, messages)
    return {column.name: column.of(rows) for column in _OF_MESSAGES}


def file_columns(path: Path) -> Iterator[Batch]:
    """Read a file of messages, batch by batch.

    Raises:
        ConfigError: The file is not there, tells no format by its name, or holds something else than exported messages. A line is
            named by its number, never by what it says.
    """
    try:
        read = _reader(path)
    except ConfigError as fault:
        raise ConfigError(str(fault).replace("path", "source", 1)) from None
    try:
        yield from read(path)
    except OSError as error:
        raise ConfigError(f"source: {path}: {error.strerror or type(error).__name__}") from None


def _reader(path: Path) -> Callable[[Path], Generator[Batch]]:
    wanted = format_of(path)
    match wanted:
        case "jsonl":
            return _jsonl
        case "csv":
            return _csv
        case "parquet":
            return _parquet
    assert_never(wanted)


class _Line(msgspec.Struct):
    """One line of JSON: the columns that are read."""

    message_id: str
    to: str | None = None
    country: str | None = None
    status: str | None = None
    status_date: Annotated[datetime, msgspec.Meta(tz=True)] | None = None
    duration: Seconds | None = None
    price: Decimal | None = None
    collected_tones: str | None = None
    answered_by: str | None = None
    extra: dict[str, Any] | None = None


_LINE: Final = msgspec.json.Decoder(_Line)


def _jsonl(path: Path) -> Generator[Batch]:
    before = 0
    with path.open("rb") as file:
        while lines := file.readlines(_BYTES):
            try:
                rows = _LINE.decode_lines(b"".join(lines))
            except (msgspec.MsgspecError, UnicodeDecodeError):
                _refuse_line(path, before + _first_unreadable(lines))
            yield Batch({name: list(map(attrgetter(name), rows)) for name in COLUMNS}, _part_of(file))
            before += len(lines)


def _first_unreadable(lines: Sequence[bytes]) -> int:
    for number, line in enumerate(lines, 1):
        try:
            _LINE.decode(line)
        except (msgspec.MsgspecError, UnicodeDecodeError):
            if line.strip():
                return number
    return len(lines)


def _csv(path: Path) -> Generator[Batch]:
    with path.open("rb") as file:
        reader = csv.reader(_decoded(file), strict=True)
        header = next(iter(_next_rows(path, reader, 1)), (1, []))[1]
        if missing := set(COLUMNS) - set(header):
            raise ConfigError(f"source: {path}: no export of voice messages; it has no column {', '.join(sorted(missing))}")
        columns = [(name, header.index(name), _CELLS.get(name, _text)) for name in COLUMNS]
        while batch := _next_rows(path, reader, _ROWS):
            try:
                rows = {name: [read(row[place]) for _, row in batch] for name, place, read in columns}
            except _UNREADABLE:
                _refuse_line(path, next(line for line, row in batch if not _is_readable(row, columns)))
            yield Batch(rows, _part_of(file))


def _decoded(file: BinaryIO) -> Iterator[str]:
    """Return the lines of a file one by one, so that it is known which cannot be read."""
    yield file.readline().decode("utf-8-sig")
    yield from map(bytes.decode, file)


def _next_rows(path: Path, reader: "CSVReader", count: int) -> list[tuple[int, list[str]]]:
    """Return rows, each with the number of the line at which it ends. Cells may be as long as an answer that they were in."""
    with _LONG_CELLS:
        before = csv.field_size_limit(MOST_BYTES)
        try:
            return [(reader.line_num, row) for row in islice(reader, count)]
        except UnicodeDecodeError:
            _refuse_line(path, reader.line_num + 1)
        except csv.Error:
            _refuse_line(path, reader.line_num)
        finally:
            csv.field_size_limit(before)


def _is_readable(row: list[str], columns: Sequence[_Cells]) -> bool:
    try:
        return bool([read(row[place]) for _, place, read in columns])
    except _UNREADABLE:
        return False


def _part_of(file: BinaryIO) -> float:
    return file.tell() / max(os.fstat(file.fileno()).st_size, 1)


def _text(cell: str) -> str | None:
    return rearmed(cell) or None


def _moment(cell: str) -> datetime | None:
    if not cell:
        return None
    moment = datetime.fromisoformat(cell)
    if moment.tzinfo is None:
        raise ValueError("a moment without its zone")
    return moment


_CELLS: Final[Mapping[str, Callable[[str], Any]]] = {
    "status_date": _moment,
    "duration": lambda cell: float(cell) if cell else None,
    "price": lambda cell: Decimal(cell) if cell else None,
    "extra": lambda cell: msgspec.json.decode(cell) if cell else None,
}


def _parquet(path: Path) -> Generator[Batch]:
    check_polars()
    import polars as pl

    try:
        table: Any = pl.scan_parquet(path, glob=False)  # Any: polars' own types want numpy here
        held, wanted = table.collect_schema(), schema_of(VoiceMessage)
        if any(held.get(name) != wanted[name] for name in COLUMNS):
            raise ConfigError(f"source: {path}: no export of voice messages; other columns or types are in it")
        table, start, height = table.select(COLUMNS), 0, table.select(pl.len()).collect().item()
        while (frame := table.slice(start, _PARQUET_ROWS).collect()).height:
            rows = {name: frame[name].to_list() for name in COLUMNS}
            start += frame.height
            yield Batch(rows | {"extra": [_object(pairs) for pairs in rows["extra"]]}, start / height)
    except (pl.exceptions.PolarsError, msgspec.MsgspecError):
        raise ConfigError(f"source: {path}: cannot be read as Parquet") from None


def _object(pairs: Sequence[Mapping[str, str]] | None) -> dict[str, Any] | None:
    return {pair["key"]: msgspec.json.decode(pair["value"]) for pair in pairs} if pairs else None


def _refuse_line(path: Path, number: int) -> NoReturn:
    raise ConfigError(f"source: {path}: line {number:,} cannot be read as a row of exported messages") from None
