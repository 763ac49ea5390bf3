"""``--resume FILE``: the place of a walk in a file, so that the same command can simply be run again."""

import os
from collections.abc import Generator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from tempfile import mkstemp
from types import TracebackType
from typing import Final, Self

import msgspec
from attrs import frozen

from voicedrop_async import ConfigError, ResumeToken, ResumeTokenError
from voicedrop_async.cli._say import say

_ANEW: Final = "to begin anew, remove the file"


@frozen(kw_only=True)
class _Kept:
    """What stands in the file. No filter does, since it may be a number: the token tells another query by itself."""

    start: datetime | None
    end: datetime | None
    written: int
    """Items written so far, by all runs together."""
    token: str


class Place:
    """Where a walk begins, and where it stands. Left by an error, it says how to go on."""

    def __init__(self, file: Path | None, *, start: datetime | None, end: datetime | None) -> None:
        """Read ``file``, if there is one; without any, every walk begins at the beginning.

        Raises:
            ConfigError: What is there is no place, or the place of a walk over another range; or its folder cannot be
                written to, which should not be found out when a page has been written already.
        """
        self._file = file
        self._kept: _Kept | None = None
        self.start, self.end = start, end
        if file is None:
            return
        if not os.access(file.parent, os.W_OK):
            raise ConfigError(f"--resume: {file.parent}: no folder that can be written to")
        self._kept = kept = _read(file)
        if kept is None:
            return
        for option, given, begun_with in (("--start", start, kept.start), ("--end", end, kept.end)):
            if given is not None and given != begun_with:
                held = "none" if begun_with is None else begun_with.isoformat()
                raise ConfigError(f"{option}: another one than that of {file}, which is {held}: give the same to go on; {_ANEW}")
        self.start, self.end = kept.start, kept.end

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
            raise ConfigError(f"--resume: {self._file}: {str(error).removeprefix('resume: ')}; {_ANEW}") from None

    def keep(self, token: ResumeToken, written: int) -> None:
        """Keep a place, in one step: whoever reads the file finds the place before or this one."""
        if self._file is None:
            return
        self._kept = _Kept(start=self.start, end=self.end, written=written, token=str(token))
        # Readable by its owner alone, under a name that nobody else can have taken.
        handle, name = mkstemp(dir=self._file.parent, prefix=f".{self._file.name}.")
        new = Path(name)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(msgspec.json.encode(self._kept) + b"\n")
            new.replace(self._file)
        finally:
            new.unlink(missing_ok=True)

    def forget(self) -> None:
        """The list has ended: the next walk begins at the beginning."""
        if self._file is not None:
            self._file.unlink(missing_ok=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if kind is not None and self._kept is not None:
            say(f"{self._file} keeps the place: the same command goes on from there")


def _read(file: Path) -> _Kept | None:
    try:
        return msgspec.json.decode(file.read_bytes(), type=_Kept)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise ConfigError(f"--resume: {file}: {error.strerror}") from None
    except (msgspec.MsgspecError, ValueError):
        raise ConfigError(f"--resume: {file}: no place of a walk, and left as it is; name another file") from None
