"""Letters by chance, and words for what was given."""

import secrets
from typing import Final

_LETTERS: Final = "bcdfghjklmnpqrstvwxz"


def random_letters(count: int) -> str:
    """Return random letters without vowels: no word by chance, and nothing that looks like a phone number."""
    return "".join(secrets.choice(_LETTERS) for _ in range(count))


def type_of(value: object) -> str:
    """Return what kind of thing somebody gave, for a sentence: ``an int``, ``a str``, or ``None``; never the thing itself."""
    kind = type(value).__name__
    return "None" if value is None else f"{'an' if kind[0] in 'aeioAEIO' else 'a'} {kind}"
