"""The key that lies beside a journal in a file, and how both come to be there: whole, or not at all."""

import hashlib
import os
import secrets
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final

from voicedrop_async._files import sync
from voicedrop_async.errors import JournalError

KEY_BYTES: Final = 32


def make_once(path: Path, fill: Callable[[Path], None]) -> None:
    """Make a file that only its owner can read. Of several makers at one moment one wins, and all use its file.

    Args:
        path: Where it appears, written to the last byte. What is there already stays.
        fill: Writes the draft, durably.
    """
    draft = path.with_name(f"{path.name}.{secrets.token_hex(4)}.new")
    try:
        os.close(os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        fill(draft)
        with suppress(FileExistsError):
            os.link(draft, path)  # unlike a rename, it replaces nothing
    finally:
        draft.unlink(missing_ok=True)
    sync(path.parent)  # a name is durable only once its folder is


def key_path(path: Path) -> Path:
    """Return where the key of the journal at ``path`` lies."""
    return path.with_name(f"{path.name}.key")


def write_key(draft: Path) -> None:
    """Fill a draft with a new key."""
    draft.write_bytes(secrets.token_bytes(KEY_BYTES))
    sync(draft)


def read_key(path: Path) -> bytes:
    """Return the key of the journal at ``path``.

    Raises:
        JournalError: What lies there is no key.
        OSError: It cannot be read.
    """
    key = key_path(path).read_bytes()
    if len(key) != KEY_BYTES:
        raise JournalError(f"{key_path(path)}: is no key of a journal, or a broken one; put back a copy of it")
    return key


def mark_of(key: bytes) -> str:
    """Return what tells one key from another, and gives neither back."""
    return hashlib.sha256(b"voicedrop journal\0" + key).hexdigest()
