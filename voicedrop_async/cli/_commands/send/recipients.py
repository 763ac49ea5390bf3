"""``--to FILE``: recipients from a plain list, a table of CSV or lines of JSON, and the line that each stands in.

Nothing is guessed of a number: it is taken as it stands, but for spaces around it, and checked with the campaign.
"""

import csv
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

import msgspec
from attrs import field, frozen

from voicedrop_async import ConfigError

_USUAL: Final = ("to", "number")
"""What our exports call the number, of messages and of drop records."""
_DELIMITERS: Final = ",;\t"


@frozen
class Listed:
    """The recipients of a file, each once."""

    source: str
    """The file, as sentences name it."""
    lines: Mapping[str, int] = field(repr=False)
    """In which line each number stands, the first time it does; in the order of the file."""
    repeats: int
    """Entries that were left out, since their number stands further up."""


def is_stdin(file: Path) -> bool:
    """Whether a file is standard input."""
    return str(file) == "-"


def read(file: Path, column: str | None) -> Listed:
    """Return whom a file names; ``-`` is standard input.

    If its first line begins with a brace, the file is lines of JSON; if it is called .csv, or ``column`` is given, a table; else
    a list with a number a line, where ``#`` begins a comment.

    Args:
        file: In UTF-8, with a byte order mark or without.
        column: Where a table or lines of JSON hold the numbers; ``to`` or ``number`` if left out.

    Raises:
        ConfigError: It cannot be read, names nobody, has no such column, or a row without a number. The text names the line, and
            shows nothing of it.
    """
    source = "standard input" if is_stdin(file) else str(file)
    try:
        with open(0 if is_stdin(file) else file, encoding="utf-8-sig", newline="", closefd=not is_stdin(file)) as text:
            content = [*text]
    except OSError as error:
        raise ConfigError(f"{source}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise ConfigError(f"{source}: must be text in UTF-8") from None
    first = next(filter(str.strip, content), "")
    if first.lstrip().startswith("{"):
        entries = _of_json(source, content, column)
    elif column is not None or file.suffix.lower() == ".csv":
        entries = _of_table(source, content, column, max(_DELIMITERS, key=first.count))
    else:
        entries = _of_list(content)
    lines: dict[str, int] = {}
    repeats = 0
    for line, number in entries:
        if not number:
            raise ConfigError(f"{source}, line {line}: has no number, which would begin with + and the country")
        repeats += number in lines
        lines.setdefault(number, line)
    if not lines:
        raise ConfigError(f"{source}: names nobody; at least one number is needed")
    return Listed(source, lines, repeats)


def _of_list(content: Sequence[str]) -> Iterator[tuple[int, str]]:
    for line, text in enumerate(content, start=1):
        if number := text.partition("#")[0].strip():
            yield line, number


def _of_table(source: str, content: Sequence[str], column: str | None, delimiter: str) -> Iterator[tuple[int, str]]:
    rows = csv.reader(content, delimiter=delimiter, strict=True)
    place: int | None = None
    try:
        for cells in rows:
            row = [cell.strip() for cell in cells]
            if not any(row):
                continue
            if place is None:
                place = row.index(_column(source, row, column))
            else:
                yield rows.line_num, row[place] if place < len(row) else ""
    except csv.Error as error:
        raise ConfigError(f"{source}, line {rows.line_num}: {error}") from None


def _of_json(source: str, content: Sequence[str], column: str | None) -> Iterator[tuple[int, str]]:
    for line, text in enumerate(content, start=1):
        if not text.strip():
            continue
        where = f"{source}, line {line}"
        try:
            row = msgspec.json.decode(text, type=dict[str, object])
        except msgspec.MsgspecError:
            raise ConfigError(f"{where}: must be an object of JSON, as voicedrop track writes them") from None
        number = row[_column(where, row, column)]
        yield line, number.strip() if isinstance(number, str) else ""


def _column(where: str, names: Collection[str], column: str | None) -> str:
    found = [name for name in names if name in ((column,) if column is not None else _USUAL)]
    if len(found) == 1:
        return found[0]
    if column is not None:
        raise ConfigError(f"--column: {where}: has no column of that name, or more than one")
    raise ConfigError(f"{where}: has to have one column named {' or '.join(_USUAL)}; --column says which other one to take")
