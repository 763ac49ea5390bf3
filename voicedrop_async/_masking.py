"""What may be shown of what came from outside: of a text no phone number and no control character, of a value its type."""

import re
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Iterable, Iterator
from typing import Final
from urllib.parse import unquote, unquote_plus

# Seven digits and more, with what people write between them; a date is left in peace.
PHONE_NUMBER: Final = re.compile(r"(?<!\d)(?:\+|(?!\d{4}-\d\d-\d\d(?!\d)))\d(?:[\s().\-/_]{0,3}\d){6,}")

_LEAST_SECRET: Final = 6
"""Characters of a secret worth hiding; a shorter one, as tests have, would be found in every sentence."""


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
    return printable(masked(text), limit)


def masked(text: str) -> str:
    """Return a text with the middle of every phone number in it hidden; without its percents where those hid one."""
    if "%" in text and PHONE_NUMBER.search(plain := unquote(text)):
        text = plain
    return PHONE_NUMBER.sub(lambda found: mask(found[0]), text)


def printable(text: str, limit: int | None = None) -> str:
    """Return foreign text, what is not printable escaped, cut at ``limit`` characters; numbers in it stay."""
    text = text[:limit]
    if text.isprintable():
        return text
    return "".join(character if character.isprintable() else f"\\x{ord(character):02x}" for character in text)


def without(text: str, secrets: Iterable[str]) -> str:
    """Return foreign text without ``secrets``, as they are, percent-encoded or in base64; without its percents where those hid one."""
    for secret in secrets:
        if len(secret) < _LEAST_SECRET:
            continue
        for notation in (secret, *_in_base64(secret)):
            for read in (str, unquote, unquote_plus):
                if notation in (plain := read(text)):
                    text = plain.replace(notation, "***")
    return text


def _in_base64(secret: str) -> Iterator[str]:
    """Return it in both alphabets, without the end, which may be filled up or not."""
    for encode in (b64encode, urlsafe_b64encode):
        yield encode(secret.encode()).decode().rstrip("=")


def type_of(value: object) -> str:
    """Return what kind of thing somebody gave, for a sentence: ``an int``, ``a str``, or ``None``; never the thing itself."""
    kind = type(value).__name__
    return "None" if value is None else f"{'an' if kind[0] in 'aeioAEIO' else 'a'} {kind}"


def shown_code(code: str) -> str:
    """Return a code of the service fit for a log; nine digits are one, though they look like a phone number."""
    return code if code.isascii() and code.isalnum() and len(code) <= 9 else shown(code, 40)
