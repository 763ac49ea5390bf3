"""What our SQLite files have in common: how they are named, and why one cannot be used."""

import os
import sqlite3
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from voicedrop_async._checks import check_text
from voicedrop_async._masking import type_of
from voicedrop_async.errors import ConfigError

LOCK_WAIT: Final = 5.0
"""Seconds to wait for another process that has the file."""

_RIGHTS: Final = "cannot be opened; it must be a file, and this user needs the rights on it and its folder"
_REASONS: Final[Mapping[int, str]] = {
    sqlite3.SQLITE_READONLY: "cannot be written; this user needs the right to write the file and its folder",
    sqlite3.SQLITE_CANTOPEN: _RIGHTS,
    sqlite3.SQLITE_PERM: _RIGHTS,
    sqlite3.SQLITE_FULL: "the disk is full; make room",
    sqlite3.SQLITE_IOERR: "the disk cannot be read or written; it is full, above a quota, or fails",
}


def file_at(path: object, *, in_memory: str) -> Path:
    """Return where a file is, wherever the program goes later.

    Raises:
        ConfigError: It is no path; of ``:memory:`` it says ``in_memory``.
    """
    if not isinstance(path, str | os.PathLike):
        raise ConfigError(f"path: {type_of(path)} is no path of a file")
    name = check_text("path", os.fspath(path))
    if name == ":memory:" or "\0" in name:
        raise ConfigError(f"path: no name of a file; {in_memory}")
    return Path(name).absolute()


def code_of(error: sqlite3.Error) -> int:
    """Return what kind of error it is, without the details."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF


def reason(error: sqlite3.Error, own: Mapping[int, str]) -> str:
    """Return why a file cannot be used, and what to do; ``own`` are the words for a file of this kind."""
    code = code_of(error)
    return own.get(code) or _REASONS.get(code) or f"SQLite cannot go on ({type(error).__name__}); look at the file, its folder and the disk"
