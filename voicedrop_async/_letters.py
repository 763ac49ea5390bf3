"""Letters by chance."""

import secrets
from typing import Final

_LETTERS: Final = "bcdfghjklmnpqrstvwxz"


def random_letters(count: int) -> str:
    """Return random letters without vowels: no word by chance, and nothing that looks like a phone number."""
    return "".join(secrets.choice(_LETTERS) for _ in range(count))
