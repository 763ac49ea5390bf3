"""Items as lines of JSON, and as lines of CSV that no spreadsheet runs."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from functools import cache
from itertools import starmap
from typing import Any, Final

import msgspec
from attrs import asdict

from voicedrop_async.export._columns import Holds, columns_of
from voicedrop_async.models import Recording

# Prices stay exact: a Decimal is written digit by digit. A mapping that is no dictionary is written as one.
_ENCODER: Final = msgspec.json.Encoder(decimal_format="number", enc_hook=dict)
_RUN: Final = re.compile("'*[=+\\-@\t\r\n\uff1d\uff0b\uff0d\uff20]")
"""How a cell begins that a spreadsheet would run, the wide letters of East Asian keyboards included, or one that was disarmed."""
_SUSPECT: Final = frozenset("'=+-@\t\r\n\uff1d\uff0b\uff0d\uff20")
_NUMBER: Final = re.compile(r"\+[0-9]{6,15}", re.ASCII)


def to_jsonl(items: Sequence[object]) -> bytes:
    """Return a line of JSON for each message, or for each drop record: its columns by name, absent ones as null."""
    if not items:
        return b""
    model: Any = type(items[0])
    rows = zip(*(_for_json(column.holds, column.of(items)) for column in columns_of(model)), strict=True)
    return json_lines(list(starmap(_row_of(model), rows)))


def _for_json(holds: Holds, values: list[Any]) -> list[Any]:
    if holds is not Holds.RECORDINGS:
        return values
    return [value and [_recording(one) for one in value] for value in values]


def _recording(one: Recording) -> dict[str, Any]:
    return asdict(one, recurse=False) | {"extra": dict(one.extra) or None}


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


def rearmed(cell: str) -> str:
    """Return the text that ``disarmed`` made a cell of."""
    return cell[1:] if cell.startswith("'") and _RUN.match(cell) else cell


def _texts(values: Iterable[str | None]) -> list[str]:
    # Most texts begin harmlessly, and hold no quotation mark.
    return [
        "" if text is None else f'"{text}"' if text[:1] not in _SUSPECT and '"' not in text else _quoted(disarmed(text)) for text in values
    ]


def _quoted(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'


def _numbers(values: Iterable[float | None]) -> list[str]:
    return ["" if value is None else str(value) for value in values]


def _prices(values: Iterable[Decimal | None]) -> list[str]:
    return ["" if value is None else text if "E" not in (text := str(value)) else format(value, "f") for value in values]


def _moments(values: Iterable[datetime | None]) -> list[str]:
    return ["" if value is None else _moment(value) for value in values]


def _moment(moment: datetime) -> str:
    # All of one length, so that readers need not guess from the first few.
    in_utc = moment if moment.tzinfo is UTC else moment.astimezone(UTC)
    return in_utc.isoformat(timespec="microseconds")[:-6] + "Z"


def _objects(values: Iterable[object]) -> list[str]:
    return ["" if value is None else _quoted(_ENCODER.encode(value).decode()) for value in values]


def _recordings(values: list[Any]) -> list[str]:
    return _objects(_for_json(Holds.RECORDINGS, values))


_CELLS: Final[Mapping[Holds, Callable[[list[Any]], list[str]]]] = {
    Holds.TEXT: _texts,
    Holds.WHOLE: _numbers,
    Holds.SECONDS: _numbers,
    Holds.PRICE: _prices,
    Holds.MOMENT: _moments,
    Holds.TEXTS: _objects,
    Holds.RECORDINGS: _recordings,
    Holds.EXTRA: _objects,
}
