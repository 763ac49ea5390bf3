"""Columns of messages, a few thousand rows at a time: of a page, and of a file that ``export_to`` has written."""

import csv
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from datetime import datetime
from decimal import Decimal, InvalidOperation
from itertools import islice
from operator import attrgetter
from pathlib import Path
from typing import Annotated, Any, Final, NoReturn

import msgspec

from voicedrop_async.errors import ConfigError
from voicedrop_async.export import rearmed
from voicedrop_async.export._frames import check_polars, schema_of
from voicedrop_async.export._rows import columns_of, rows_of
from voicedrop_async.models import Seconds, VoiceMessage
from voicedrop_async.report._tally import COLUMNS, Rows

_ROWS: Final = 5_000
_PARQUET_ROWS: Final = 50_000
"""A group of rows is read anew for each batch that lies in it."""
_BYTES: Final = 4 * 2**20
"""Of lines of JSON, which take some hundred bytes each."""
_OF_MESSAGES: Final = [column for column in columns_of(VoiceMessage) if column.name in COLUMNS]


def page_columns(messages: Sequence[VoiceMessage]) -> Rows:
    """Return the columns of messages."""
    rows = rows_of(VoiceMessage, messages)
    return {column.name: column.of(rows) for column in _OF_MESSAGES}


def file_columns(path: Path) -> Iterator[Rows]:
    """Read a file of messages, batch by batch.

    Raises:
        ConfigError: The file is not there, tells no format by its name, or holds something else than exported messages. A line is
            named by its number, never by what it says.
    """
    read = _READERS.get(path.suffix.lower())
    if read is None:
        raise ConfigError(f"source: {path}: its name tells no format; known are {', '.join(_READERS)}")
    try:
        yield from read(path)
    except OSError as error:
        raise ConfigError(f"source: {path}: {error.strerror or type(error).__name__}") from None


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


def _jsonl(path: Path) -> Generator[Rows]:
    before = 0
    with path.open("rb") as file:
        while lines := file.readlines(_BYTES):
            try:
                rows = _LINE.decode_lines(b"".join(lines))
            except (msgspec.MsgspecError, UnicodeDecodeError):
                _refuse_line(path, before + _first_unreadable(lines))
            yield {name: list(map(attrgetter(name), rows)) for name in COLUMNS}
            before += len(lines)


def _first_unreadable(lines: Sequence[bytes]) -> int:
    for number, line in enumerate(lines, 1):
        try:
            _LINE.decode(line)
        except (msgspec.MsgspecError, UnicodeDecodeError):
            if line.strip():
                return number
    return len(lines)


def _csv(path: Path) -> Generator[Rows]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.reader(file, strict=True)
        try:
            header = next(reader, [])
            if missing := set(COLUMNS) - set(header):
                raise ConfigError(f"source: {path}: no export of voice messages; it has no column {', '.join(sorted(missing))}")
            columns = [(name, header.index(name), _CELLS.get(name, _text)) for name in COLUMNS]
            while batch := list(islice(reader, _ROWS)):
                yield {name: [read(row[place]) for row in batch] for name, place, read in columns}
        except (csv.Error, IndexError, InvalidOperation, msgspec.MsgspecError, ValueError):
            _refuse_line(path, reader.line_num)


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


def _parquet(path: Path) -> Generator[Rows]:
    check_polars()
    import polars as pl

    try:
        table = pl.scan_parquet(path, glob=False)
        held, wanted = table.collect_schema(), schema_of(VoiceMessage)
        if any(held.get(name) != wanted[name] for name in COLUMNS):
            raise ConfigError(f"source: {path}: no export of voice messages; other columns or types are in it")
        table, start = table.select(COLUMNS), 0
        while (frame := table.slice(start, _PARQUET_ROWS).collect()).height:
            rows = {name: frame[name].to_list() for name in COLUMNS}
            yield rows | {"extra": [_object(pairs) for pairs in rows["extra"]]}
            start += frame.height
    except pl.exceptions.PolarsError:
        raise ConfigError(f"source: {path}: cannot be read as Parquet") from None


def _object(pairs: Sequence[Mapping[str, str]] | None) -> dict[str, Any] | None:
    return {pair["key"]: msgspec.json.decode(pair["value"]) for pair in pairs} if pairs else None


def _refuse_line(path: Path, number: int) -> NoReturn:
    raise ConfigError(f"source: {path}: line {number:,} cannot be read as a row of exported messages") from None


_READERS: Final[Mapping[str, Callable[[Path], Generator[Rows]]]] = {
    ".jsonl": _jsonl,
    ".ndjson": _jsonl,
    ".csv": _csv,
    ".parquet": _parquet,
}
