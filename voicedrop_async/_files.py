"""Saving a file: whole or not at all, and for its owner alone."""

import os
import tempfile
from pathlib import Path
from typing import Final

from voicedrop_async.errors import ConfigError, FileError

_OWNER: Final = 0o600


def sync(path: Path) -> None:
    """See to it that a file is on the disk; of a folder, the names in it."""
    opened = os.open(path, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)


def check_target(path: Path) -> None:
    """Refuse what a file should not take the place of: a device or a pipe would be gone for everybody, and what a link leads to be old.

    A link is not followed: whoever may write to its folder would choose the file that is replaced.

    Raises:
        ConfigError: It is there, and is no file.
    """
    if path.is_symlink():
        raise ConfigError(f"path: {path}: is a link; name the file that it leads to")
    if path.is_dir():
        raise ConfigError(f"path: {path}: is a folder; name a file in it")
    if path.exists() and not path.is_file():
        raise ConfigError(f"path: {path}: is no file but a device, a pipe or the like; name another one")


def write_whole(path: Path, content: bytes, *, beside: Path | None = None, lasting: bool = False) -> None:
    """Write a file in one step: whoever reads it finds what stood there before, or this. Only its owner may read it.

    Args:
        path: The file.
        content: All of it.
        beside: Where it is written first, for one who has the place alone: nothing piles up there, however often it is killed. A name
            that nobody else can have taken, if left out.
        lasting: Whether it is on the disk before it is in its place, and so outlives a power failure.

    Raises:
        OSError: The disk refused; what stood there before still does.
    """
    part = Part(path.parent, f".{path.name}.", beside)
    try:
        part.open()
        part.write(content)
        part.put_at(path, lasting=lasting)
    finally:
        part.discard()


class Part:
    """A file that is not whole yet, under a name of its own that only its owner may read."""

    def __init__(self, directory: Path, prefix: str, path: Path | None = None) -> None:
        self._directory = directory
        self._prefix = prefix
        self._wanted = path
        self._file: int | None = None
        self._path: Path | None = None

    def open(self) -> None:
        # No link that waits at that name is followed.
        if self._wanted is not None:
            self._file = os.open(self._wanted, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC, _OWNER)
            self._path = self._wanted
        else:
            self._file, name = tempfile.mkstemp(prefix=self._prefix, suffix=".part", dir=self._directory)
            self._path = Path(name)

    def write(self, data: bytes) -> None:
        if self._file is not None:
            rest = memoryview(data)
            while rest:
                rest = rest[os.write(self._file, rest) :]

    def put_at(self, target: Path, *, lasting: bool) -> None:
        if self._file is not None and self._path is not None:
            if lasting:
                os.fsync(self._file)
            self._path.replace(target)  # a link at that place is replaced, and what it leads to is left alone
            self._path = None

    def discard(self) -> None:
        """Close the file, and remove it unless it is in its place."""
        if self._file is not None:
            os.close(self._file)
        if self._path is not None:
            self._path.unlink(missing_ok=True)
        self._file = self._path = None


def unwritable(place: str, error: OSError) -> FileError:
    """Return the error of a disk that refused what was written; ``place`` is the argument, and the path where it may be shown."""
    return FileError(f"{place}: cannot be written to: {error.strerror or type(error).__name__}; mend that, then make the same call again")
