"""Saving a file: whole or not at all; what a server answers with, under a name that it did not choose, and never on the loop's own time."""

import asyncio
import os
import re
import tempfile
from collections.abc import AsyncIterator, Callable
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Final, TypeVar

from attrs import define, field

from voicedrop_async.calls import MIB, Reply
from voicedrop_async.errors import ConfigError, FileError, WireError

T = TypeVar("T")

MOST_FILE_BYTES: Final = 512 * MIB
"""The longest file that is saved."""
_TOO_LONG: Final = f"it is longer than {MOST_FILE_BYTES // MIB} MiB"

_OWNER: Final = 0o600
_PLAIN: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}", re.ASCII)
_DEVICES: Final = re.compile(r"con|prn|aux|nul|com[0-9]|lpt[0-9]", re.IGNORECASE)
"""Names that are no files on Windows, whatever their extension."""

_EXTENSIONS: Final = {
    "audio/wav": ".wav",
    "audio/x-wav": ".wav",
    "audio/wave": ".wav",
    "audio/vnd.wave": ".wav",
    "audio/mpeg": ".mp3",
    "audio/mp3": ".mp3",
    "audio/mp4": ".m4a",
    "audio/x-m4a": ".m4a",
    "audio/ogg": ".ogg",
    "audio/flac": ".flac",
    "audio/amr": ".amr",
    "audio/webm": ".webm",
    "application/octet-stream": ".bin",
    "binary/octet-stream": ".bin",
    "": ".bin",
}
"""By what the answer calls itself. What is not here is no recording: an error page, or a form to log in."""


def stem_of(identity: str) -> str:
    """Return a file name, without extension, for an id: the id itself if it is a harmless one, else a digest of it."""
    if _PLAIN.fullmatch(identity) and not _DEVICES.fullmatch(identity):
        return identity
    return "recording-" + sha256(identity.encode()).hexdigest()[:32]


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
    part = _Part(path.parent, f".{path.name}.", beside)
    try:
        part.open()
        part.write(content)
        part.put_at(path, lasting=lasting)
    finally:
        part.discard()


@define(eq=False)
class FileToBe:
    """One file of a directory, as it is saved by one attempt after another."""

    directory: Path
    stem: str
    """Its name without extension, which the answer decides."""
    path: Path = field(init=False)
    """Where it is; there once it is whole."""

    async def check(self) -> None:
        """Refuse a directory that is none."""
        if not await _on_disk(self.directory.is_dir):
            raise ConfigError("directory: does not exist; make it first")

    async def save(self, reply: Reply, chunks: AsyncIterator[bytes]) -> None:
        """Write the body beside its place, and put it there when its last byte is on the disk.

        Raises:
            WireError: The answer is no recording, or too long.
            FileError: The disk refused.
        """
        target = self.directory / (self.stem + _extension(reply))
        part = _Part(self.directory, ".recording-")
        length = 0
        try:
            await _on_disk(part.open)
            async for chunk in chunks:
                length += len(chunk)
                if length > MOST_FILE_BYTES:
                    raise _unusable(reply, _TOO_LONG)
                await _on_disk(partial(part.write, chunk))
            if not length:
                raise _unusable(reply, "it is empty")
            await _on_disk(partial(part.put_at, target, lasting=True))
        finally:
            await _on_disk(part.discard)
        self.path = target


class _Part:
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


async def to_its_end(step: Callable[[], T]) -> T:
    """Take a step in a thread. Whoever is cancelled meanwhile leaves when it is done: what it made can be cleared away then."""
    running = asyncio.get_running_loop().run_in_executor(None, step)
    cancelled: asyncio.CancelledError | None = None
    while not running.done():
        try:
            await asyncio.wait((running,))
        except asyncio.CancelledError as error:
            cancelled = error
    if cancelled is not None:
        running.exception()  # nobody asks for it any more
        raise cancelled
    return running.result()


def unwritable(place: str, error: OSError) -> FileError:
    """Return the error of a disk that refused what was written; ``place`` is the argument, and the path where it may be shown."""
    return FileError(f"{place}: cannot be written to: {error.strerror or type(error).__name__}; mend that, then make the same call again")


async def _on_disk(step: Callable[[], T]) -> T:
    try:
        return await to_its_end(step)
    except OSError as error:
        raise unwritable("directory", error) from None


def _extension(reply: Reply) -> str:
    """Return the extension of a whole file of sound; refuse what is none."""
    kind = reply.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    if reply.status != 200:
        raise _unusable(reply, "it is no whole file")
    if reply.headers.get("Content-Encoding", "identity").strip().lower() != "identity":
        raise _unusable(reply, "it is encoded, though it was asked for as it is")
    if "Content-Length" not in reply.headers and "chunked" not in reply.headers.get("Transfer-Encoding", "").lower():
        raise _unusable(reply, "it does not say where it ends, so that a cut one would look whole")
    if kind not in _EXTENSIONS:
        raise _unusable(reply, "it is no file of sound")
    if int(reply.headers.get("Content-Length", "0")) > MOST_FILE_BYTES:
        raise _unusable(reply, _TOO_LONG)
    return _EXTENSIONS[kind]


def _unusable(reply: Reply, why: str) -> WireError:
    return WireError(
        summary=f"the answer is no recording: {why}",
        attempts=reply.attempts,
        may_pass=why != _TOO_LONG,
        status=reply.status,
        content_type=reply.headers.get("Content-Type"),
    )
