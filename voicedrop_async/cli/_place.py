"""The place of a list in a file, and the range that it was begun with, so that the same command can simply be run again."""

import atexit
import fcntl
import os
import sys
from asyncio import CancelledError
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Final, Self, TypeVar

import msgspec
from attrs import frozen

from voicedrop_async import ConfigError, ResumeToken, ResumeTokenError
from voicedrop_async._files import write_whole
from voicedrop_async.cli._process import named, say
from voicedrop_async.cli._words import Range

T = TypeVar("T")

PART: Final = ".part"
"""What stands behind the name of a file that is not whole."""
_ANEW: Final = "give the same options, or, to begin anew, remove the file"


@frozen(kw_only=True)
class _Kept:
    """What stands in the file. No filter does, since it may be a number: the token tells another query by itself."""

    range: Range
    written: int
    """Items written so far, by all runs together."""
    token: str


class Place:
    """``--resume FILE``: where a walk begins, and where it stands. Left by an error, it says how to go on."""

    def __init__(self, file: Path | None, range: Range) -> None:
        """Read ``file``, if there is one; without any, every walk begins at the beginning.

        Raises:
            ConfigError: What is there is no place, or the place of a walk over another range, or another run is using it; or its
                folder cannot be written to, which should not be found out when a page has been written already.
        """
        self._file = file
        self._kept: _Kept | None = None
        self._began = False
        self.range = range
        if file is None:
            return
        if not os.access(file.parent, os.W_OK):
            raise ConfigError(f"--resume: {file.parent}: no folder that can be written to")
        if file.is_dir():
            raise ConfigError(f"--resume: {file}: is a folder; name a file in it")
        _take_alone(file)
        self._kept = _read("--resume", file, _Kept, "no place of a walk, and left as it is; name another file")
        if self._kept is not None:
            self.range = range.gone_on_with(self._kept.range, file, _ANEW)

    @property
    def token(self) -> str | None:
        """Where to go on from; None for the beginning."""
        return None if self._kept is None else self._kept.token

    @property
    def written(self) -> int:
        """Items that are written already."""
        return 0 if self._kept is None else self._kept.written

    @contextmanager
    def explains(self) -> Generator[None]:
        """Say of a token that is refused which file it came from, and what to do."""
        try:
            yield
        except ResumeTokenError as error:
            raise ConfigError(f"--resume: {self._file}: {str(error).removeprefix('resume: ').rpartition('; ')[0]}; {_ANEW}") from None

    def keep(self, token: ResumeToken, written: int) -> None:
        """Keep a place, in one step: whoever reads the file finds the place before or this one."""
        self._began = True
        if self._file is not None:
            self._kept = _Kept(range=self.range, written=written, token=str(token))
            with named(str(self._file)):
                write_whole(self._file, msgspec.json.encode(self._kept) + b"\n")

    def forget(self) -> None:
        """The list has ended: the next walk begins at the beginning."""
        if self._file is not None:
            self._file.unlink(missing_ok=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if kind is None:
            return
        if self._kept is not None:
            say(f"{self._file} keeps the place: the same command goes on from there")
        elif self._began and issubclass(kind, CancelledError) and not sys.stdout.isatty():
            say("nothing keeps the place; with --resume FILE, the same command would go on from there")


def begun(out: Path, range: Range, *, part: str = PART) -> Range:
    """Return the range that the file ``out`` was begun with, if a part of it is there, with ``part`` behind its name; else this one.

    Raises:
        ConfigError: This is another range than that.
    """
    file, there = _beside(out, part), _named(out, part)
    kept = _read("--out", file, Range, "no range of an export; remove it") if there.exists() else None
    place = f", {there.name}.place" if part == PART else ""
    return range if kept is None else range.gone_on_with(kept, there, f"to begin anew, remove it{place} and {file.name}")


@contextmanager
def range_kept(out: Path, range: Range, *, part: str = PART) -> Generator[None]:
    """Keep what the words of a range mean, beside the file ``out``, for as long as it is not whole.

    Raises:
        ConfigError: The disk refused.
    """
    file, there = _beside(out, part), _named(out, part)
    if not there.exists():
        try:
            if range.has_words:
                write_whole(file, msgspec.json.encode(range) + b"\n")
            else:
                file.unlink(missing_ok=True)  # of a part that was removed
        except OSError as error:
            raise ConfigError(f"--out: {file}: {error.strerror}") from None
    try:
        yield
    finally:
        if not there.exists():  # it is whole, or was not begun
            file.unlink(missing_ok=True)


def _take_alone(file: Path) -> None:
    """Have a place for this process alone, to its end. The file itself is another one after each page, so the lock lies beside it."""
    beside = file.with_name(f"{file.name}.lock")
    try:
        while True:
            lock = os.open(beside, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            with suppress(FileNotFoundError):
                if os.path.samestat(os.fstat(lock), beside.stat()):
                    break
            os.close(lock)  # who had it has just ended, and took it away
    except BlockingIOError:
        raise ConfigError(f"--resume: {file}: another run is using it; let that one end, or name another file") from None
    except OSError as error:
        raise ConfigError(f"--resume: {beside}: {error.strerror}") from None
    atexit.register(beside.unlink, missing_ok=True)


def _named(out: Path, part: str) -> Path:
    return out.with_name(f"{out.name}{part}")


def _beside(out: Path, part: str) -> Path:
    return _named(out, f"{part}.range")


def _read(option: str, file: Path, kind: type[T], otherwise: str) -> T | None:
    try:
        return msgspec.json.decode(file.read_bytes(), type=kind)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise ConfigError(f"{option}: {file}: {error.strerror}") from None
    except (msgspec.MsgspecError, ValueError):
        raise ConfigError(f"{option}: {file}: {otherwise}") from None
