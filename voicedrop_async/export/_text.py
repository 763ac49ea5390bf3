"""Items as lines of JSON, and as lines of CSV that no spreadsheet runs."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from functools import cache
from itertools import starmap
from typing import Any, Final

import msgspec

from voicedrop_async.export._columns import Holds, columns_of

# Prices stay exact: a Decimal is written digit by digit. Mappings that are no dictionaries are written as one.
_ENCODER: Final = msgspec.json.Encoder(decimal_format="number", enc_hook=dict)
_RUN: Final = re.compile("'*[=+\\-@\t\r\n\uff1d\uff0b\uff0d\uff20]")
"""How a cell begins that a spreadsheet would run, the wide letters of East Asian keyboards included, or one that was disarmed."""
_NUMBER: Final = re.compile(r"\+[0-9]{6,15}", re.ASCII)


def to_jsonl(items: Sequence[object]) -> bytes:
    """Return a line of JSON for each message, or for each drop record: its columns by name, absent ones as null."""
    if not items:
        return b""
    model: Any = type(items[0])
    rows = zip(*(column.of(items) for column in columns_of(model)), strict=True)
    return json_lines(list(starmap(_row_of(model), rows)))


def json_lines(values: Sequence[object]) -> bytes:
    """Return a line of JSON for each value: models by the names of their fields, moments in UTC, prices exact."""
    return _ENCODER.encode_lines(values)


@cache
def _row_of(model: object) -> Callable[..., object]:
    return msgspec.defstruct("Row", [(column.name, Any) for column in columns_of(model)], gc=False)


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
    cells = [_CELLS[column.holds](column.of(items)) for column in columns_of(type(items[0]))]
    return ("\n".join(map(",".join, zip(*cells, strict=True))) + "\n").encode()


def disarmed(text: str) -> str:
    """Return a text as it may stand in a cell: nothing that begins with ``= + - @``, a tab or a line break is run.

    One apostrophe is put in front, also where apostrophes stand there already: so it can be taken away again, one from each
    cell that begins with apostrophes and one of those characters. A text that is wholly a phone number, a plus and 6 to 15
    digits, computes to nothing and stays as it is.
    """
    return "'" + text if _RUN.match(text) and not _NUMBER.fullmatch(text) else text


def _texts(values: Iterable[str | None]) -> list[str]:
    return ["" if value is None else _quoted(disarmed(value)) for value in values]


def _quoted(text: str) -> str:
    return f'"{text}"' if '"' not in text else '"' + text.replace('"', '""') + '"'


def _numbers(values: Iterable[float | None]) -> list[str]:
    return ["" if value is None else str(value) for value in values]


def _prices(values: Iterable[Decimal | None]) -> list[str]:
    return ["" if value is None else format(value, "f") for value in values]


def _moments(values: Iterable[datetime | None]) -> list[str]:
    # All of one length, so that readers need not guess from the first few.
    return ["" if value is None else value.astimezone(UTC).isoformat(timespec="microseconds")[:-6] + "Z" for value in values]


def _objects(values: Iterable[object]) -> list[str]:
    return ["" if value is None else _quoted(_ENCODER.encode(value).decode()) for value in values]


_CELLS: Final[Mapping[Holds, Callable[[Iterable[Any]], list[str]]]] = {
    Holds.TEXT: _texts,
    Holds.WHOLE: _numbers,
    Holds.SECONDS: _numbers,
    Holds.PRICE: _prices,
    Holds.MOMENT: _moments,
    Holds.TEXTS: _objects,
    Holds.RECORDINGS: _objects,
    Holds.EXTRA: _objects,
}
