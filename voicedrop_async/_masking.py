"""What may be shown of a text that came from outside: no phone number, no control character."""

import re
from typing import Final

# Seven digits and more, with what people write between them; a date is left in peace.
PHONE_NUMBER: Final = re.compile(r"\+?(?!(?<!\d)\d{4}-\d\d-\d\d(?!\d))\d(?:[\s().\-/_]{0,3}\d){6,}")
# C0, C1, line and paragraph separators, bidirectional overrides: all can forge or hide a line of a log.
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff]")


def mask(number: str) -> str:
    """Return a phone number with its middle hidden, as in ``+3069*****78``."""
    digits = sum(character.isdigit() for character in number)
    head = number[: 5 if number.startswith("+") else 4] if digits >= 10 else ""
    return f"{head}*****{number[-2:]}"


def shown(text: str, limit: int = 300) -> str:
    """Return foreign text fit for a log: numbers masked, control characters escaped, cut at ``limit`` characters."""
    masked = PHONE_NUMBER.sub(lambda found: mask(found[0]), text)[:limit]
    return _CONTROL.sub(lambda found: f"\\x{ord(found[0]):02x}", masked)


def shown_code(code: str) -> str:
    """Return a code of the service fit for a log; nine digits are one, though they look like a phone number."""
    return code if code.isascii() and code.isalnum() and len(code) <= 9 else shown(code, 40)
