"""JSON values, one by one: bytes to JSON, and the strict reading of texts, numbers and moments.

cattrs' own hooks turn ``"false"`` into True and None into ``"None"``. These refuse what is not what it should be,
and take what a service is known to spell in two ways: a number as text, a moment with or without a fraction.
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from math import isinf
from typing import Any, Final

import msgspec

_DECODER: Final = msgspec.json.Decoder(float_hook=Decimal)  # a price must not pass through binary floats
_BOM: Final = b"\xef\xbb\xbf"
_LONGEST_TEXT: Final = 40
"""Characters of a text that is read as a number, and of a number that is read as text."""
MOST_DIGITS: Final = 41
"""Digits that a price or a number of seconds may have before its point: where larger ones are added up, Python raises an error."""
_DEPTH: Final = 100
PLAIN: Final = frozenset({str, int, bool, type(None)})
"""Types whose values Python's own parser would give alike."""
NOT_JSON: Final = "JSON"
"""What was wanted of bytes that cannot be parsed at all: cut on the way, perhaps, and worth asking for again."""


class Unreadable(Exception):
    """A value is not what it should be. Knows where it stands, in wire names, and never what it is."""

    def __init__(self, wanted: str, path: str = "") -> None:
        """Say what was wanted, such as "text", and where, such as ``content[3].to``."""
        super().__init__(wanted)
        self.wanted = wanted
        self.path = path

    def below(self, place: str) -> "Unreadable":
        """Return the same fault, seen from one level up."""
        joint = "." if self.path and not self.path.startswith("[") else ""
        return Unreadable(self.wanted, f"{place}{joint}{self.path}")


def parse(body: bytes) -> Any:
    """Return JSON from bytes; numbers with a fraction are ``Decimal``, of doubled keys the last one counts.

    Raises:
        Unreadable: The bytes are not JSON in UTF-8, nest too deep, or hold a number no machine should.
    """
    try:
        return _DECODER.decode(body.removeprefix(_BOM))
    except (msgspec.MsgspecError, ValueError, ArithmeticError, RecursionError):
        raise Unreadable(NOT_JSON) from None


def plain(value: Any, depth: int = 0) -> Any:
    """Return a JSON value as Python's own parser would give it, for ``extra``; deeper than 100 levels it stays as it is."""
    if isinstance(value, Decimal):
        number = float(value)
        return value if isinf(number) else number
    if isinstance(value, dict) and depth < _DEPTH:
        members: dict[str, Any] = value
        return {key: part if type(part) in PLAIN else plain(part, depth + 1) for key, part in members.items()}
    if isinstance(value, list) and depth < _DEPTH:
        parts: list[Any] = value
        return [part if type(part) in PLAIN else plain(part, depth + 1) for part in parts]
    return value


def text(value: Any) -> str:
    """Read a text; a whole number is taken as its digits, since ids come as both."""
    if isinstance(value, str):
        return value
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 10**_LONGEST_TEXT:
        return str(value)
    raise Unreadable("text")


def whole(value: Any) -> int:
    """Read a whole number, also as 3.0, 1e2 or "3"; never a truth value."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    number = _decimal(value)
    # 1e999999999 fits in a line and, as a whole number, in no memory.
    if number.adjusted() >= MOST_DIGITS or number != number.to_integral_value():
        raise Unreadable("whole number")
    return int(number)


def amount(value: Any) -> Decimal:
    """Read a number exactly, also as text; never one so large that adding it up would end in an overflow."""
    number = Decimal(value) if isinstance(value, int) and not isinstance(value, bool) else _decimal(value)
    if number.adjusted() >= MOST_DIGITS:
        raise Unreadable("number")
    return number


def seconds(value: Any) -> int | float:
    """Read a number of seconds, whole or not, as it was sent; also as text. A whole one has to fit into a float."""
    if isinstance(value, int) and not isinstance(value, bool):
        if abs(value) >= 10**MOST_DIGITS:
            raise Unreadable("number of seconds")
        return value
    number = float(_decimal(value))
    if isinf(number):
        raise Unreadable("number of seconds")
    return int(number) if isinstance(value, str) and number.is_integer() else number


def truth(value: Any) -> bool:
    """Read a truth value, also as the texts "true" and "false"."""
    if isinstance(value, bool):
        return value
    if value in ("true", "false"):
        return bool(value == "true")
    raise Unreadable("true or false")


def moment(value: Any) -> datetime:
    """Read a moment: ISO 8601, else seconds or milliseconds since 1970. UTC where no zone is named."""
    try:
        if isinstance(value, str) and not _is_count(value.strip()):
            read = datetime.fromisoformat(value.strip())
            return (read if read.tzinfo is not None else read.replace(tzinfo=UTC)).astimezone(UTC)
        number = float(amount(value.strip() if isinstance(value, str) else value))
        # As seconds, 1e11 lies in the year 5138; as milliseconds, in 1973.
        return datetime.fromtimestamp(number / 1000.0 if abs(number) >= 1e11 else number, UTC)
    except (Unreadable, ValueError, OverflowError, OSError):
        raise Unreadable("moment") from None


def moment_text(moment: datetime) -> str:
    """Write a moment in UTC with a ``Z``; with a fraction only if it has one."""
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat() + "Z"


def whole_second(moment: datetime, *, up: bool = False) -> datetime:
    """Return a moment in UTC without a fraction, which the services' samples of queries do not have: down, or up."""
    cut = moment.astimezone(UTC).replace(microsecond=0)
    return cut + timedelta(seconds=1) if up and moment.microsecond else cut


def object_of(value: Any) -> Mapping[str, Any]:
    """Read a JSON object."""
    if isinstance(value, dict):
        members: dict[str, Any] = value
        return members
    raise Unreadable("object")


def array_of(value: Any) -> list[Any]:
    """Read a JSON array."""
    if isinstance(value, list):
        parts: list[Any] = value
        return parts
    raise Unreadable("array")


def _is_count(text: str) -> bool:
    # Eight digits are a date without its hyphens, fewer are nothing, more are seconds or milliseconds.
    return re.fullmatch(r"-?[0-9]{9,}(\.[0-9]+)?", text) is not None


def _decimal(value: Any) -> Decimal:
    try:
        number = value if isinstance(value, Decimal) else Decimal(_numeric(value))
    except ArithmeticError:
        raise Unreadable("number") from None
    if not number.is_finite():
        raise Unreadable("number")
    return number


def _numeric(value: Any) -> str:
    # Decimal() alone would also take underscores, blanks and other alphabets' digits.
    if isinstance(value, str) and len(value) <= _LONGEST_TEXT and not set(value) - set("+-.0123456789eE"):
        return value
    raise Unreadable("number")
