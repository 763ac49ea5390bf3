"""What may be shown of a text that came from outside: no phone number, no control character."""

import re
from typing import Final

# Seven digits and more, with what people write between them; a date is left in peace.
PHONE_NUMBER: Final = re.compile(r"\+?(?!(?<!\d)\d{4}-\d\d-\d\d(?!\d))\d(?:[\s().\-/_]{0,3}\d){6,}")


def mask(number: str) -> str:
    """Return a phone number with its middle hidden, as in ``+3069*****78``."""
    digits = sum(character.isdigit() for character in number)
    head = number[: 5 if number.startswith("+") else 4] if digits >= 10 else ""
    return f"{head}*****{number[-2:]}"


def spoken(seconds: float) -> str:
    """Return a waiting time for a sentence, to the millisecond: with seven digits it would be taken for a phone number."""
    return f"{max(round(seconds, 3), 0.001):g}"


def shown(text: str, limit: int = 300) -> str:
    """Return foreign text fit for a log: numbers masked, what is not printable escaped, cut at ``limit`` characters.

    Control characters, separators of lines, bidirectional overrides, and what has no width can forge or hide a line.
    """
    masked = PHONE_NUMBER.sub(lambda found: mask(found[0]), text)[:limit]
    return "".join(character if character.isprintable() else f"\\x{ord(character):02x}" for character in masked)


def shown_code(code: str) -> str:
    """Return a code of the service fit for a log; nine digits are one, though they look like a phone number."""
    return code if code.isascii() and code.isalnum() and len(code) <= 9 else shown(code, 40)
