"""Items as lines of JSON, and as lines of CSV that no spreadsheet runs."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final

import msgspec

from voicedrop_async.export._rows import Holds, columns_of, rows_of

ENCODER: Final = msgspec.json.Encoder(decimal_format="number", enc_hook=dict)
"""Prices stay exact: a Decimal is written digit by digit. A mapping that is no dictionary is written as one."""
_RUN: Final = re.compile("'*[=+\\-@\t\r\n\uff1d\uff0b\uff0d\uff20]")
"""How a cell begins that a spreadsheet would run, the wide letters of East Asian keyboards included, or one that was disarmed."""
_SUSPECT: Final = frozenset("'=+-@\t\r\n\uff1d\uff0b\uff0d\uff20")
_WITH_FRACTION: Final = len('"2026-03-02T09:30:00.123456Z"')
_NUMBER: Final = re.compile(r"\+[0-9]{6,15}", re.ASCII)


def to_jsonl(items: Sequence[object]) -> bytes:
    """Return a line of JSON for each message, or for each drop record: its columns by name, absent ones as null."""
    return json_lines(rows_of(type(items[0]), items)) if items else b""


def json_lines(values: Sequence[object]) -> bytes:
    """Return a line of JSON for each value: models by the names of their fields, moments in UTC, prices exact."""
    return ENCODER.encode_lines(values)


def csv_header(model: object) -> bytes:
    """Return the line of the columns' names."""
    return (",".join(column.name for column in columns_of(model)) + "\n").encode()


def to_csv(items: Sequence[object]) -> bytes:
    """Return a line of CSV for each message, or for each drop record, without a header.

    Texts are quoted, so that an empty one ("") is told from none; numbers and moments are not. A text that a spreadsheet
    would run gets an apostrophe in front, unless it is a phone number and nothing else; see ``disarmed``.
    """
    if not items:
        return b""
    model = type(items[0])
    rows = rows_of(model, items)
    cells = [_CELLS[column.holds](column.of(rows)) for column in columns_of(model)]
    lines = map(",".join, zip(*cells, strict=True))
    return b"".join([f"{line}\n".encode() for line in lines])  # each by itself: Greek in one makes all of a long text slow


def disarmed(text: str) -> str:
    """Return a text as it may stand in a cell: nothing that begins with ``= + - @``, a tab or a line break is run.

    One apostrophe is put in front, also where apostrophes stand there already: so it can be taken away again, one from each
    cell that begins with apostrophes and one of those characters. A text that is wholly a phone number, a plus and 6 to 15
    digits, computes to nothing and stays as it is.
    """
    return "'" + text if _RUN.match(text) and not _NUMBER.fullmatch(text) else text


def rearmed(cell: str) -> str:
    """Return the text that ``disarmed`` made a cell of."""
    return cell[1:] if cell.startswith("'") and _RUN.match(cell) else cell


def _texts(values: Sequence[str | None]) -> list[str]:
    return _each(_text, values)


def _each(made_of: Callable[[Any], str], values: Sequence[Any]) -> list[str]:
    """Return the cell of each value, made once for all that are equal: words, names and languages come again and again."""
    few = set(values)
    if 2 * len(few) > len(values):
        return list(map(made_of, values))
    cells = {value: made_of(value) for value in few}
    return list(map(cells.__getitem__, values))


def _text(text: str | None) -> str:
    if text is None:
        return ""
    # Most texts begin harmlessly, and hold no quotation mark.
    if (text[:1] not in _SUSPECT or _NUMBER.fullmatch(text)) and '"' not in text:
        return f'"{text}"'
    return _quoted(disarmed(text))


def _quoted(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'


def _numbers(values: Iterable[float | None]) -> list[str]:
    return ["" if value is None else str(value) for value in values]


def _prices(values: Iterable[Decimal | None]) -> list[str]:
    return ["" if value is None else text if "E" not in (text := str(value)) else format(value, "f") for value in values]


def _moments(values: Sequence[datetime | None]) -> list[str]:
    """Return moments all of one length, so that readers need not guess from the first few."""
    in_utc = [value if value is None or value.tzinfo is UTC else value.astimezone(UTC) for value in values]
    texts = json_lines(in_utc).decode().splitlines()  # '"2026-03-02T09:30:00Z"', with six digits behind the second if any is not 0
    return ["" if text == "null" else text[1:-1] if len(text) == _WITH_FRACTION else text[1:-2] + ".000000Z" for text in texts]


def _objects(values: Sequence[object]) -> list[str]:
    return _each(_object, json_lines(values).splitlines())


def _object(json: bytes) -> str:
    return "" if json == b"null" else _quoted(json.decode())


_CELLS: Final[Mapping[Holds, Callable[[list[Any]], list[str]]]] = {
    Holds.TEXT: _texts,
    Holds.WHOLE: _numbers,
    Holds.SECONDS: _numbers,
    Holds.PRICE: _prices,
    Holds.MOMENT: _moments,
    Holds.TEXTS: _objects,
    Holds.RECORDINGS: _objects,
    Holds.EXTRA: _objects,
}
