"""Saving an answer as a file: whole or not at all, under a name that no server chose, and never on the loop's own time."""

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
            raise ConfigError("directory: there is no such directory")

    async def save(self, reply: Reply, chunks: AsyncIterator[bytes]) -> None:
        """Write the body beside its place, and put it there when its last byte is on the disk.

        Raises:
            WireError: The answer is no recording, or too long.
            FileError: The disk refused.
        """
        target = self.directory / (self.stem + _extension(reply))
        part = _Part(self.directory)
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
            await _on_disk(partial(part.put_at, target))
        finally:
            await _on_disk(part.discard)
        self.path = target


class _Part:
    """A file that is not whole yet, under a name of its own that only its owner may read."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._file: int | None = None
        self._path: Path | None = None

    def open(self) -> None:
        # Made anew, or not at all: no link that waits at that name is followed.
        self._file, name = tempfile.mkstemp(prefix=".recording-", suffix=".part", dir=self._directory)
        self._path = Path(name)

    def write(self, data: bytes) -> None:
        if self._file is not None:
            rest = memoryview(data)
            while rest:
                rest = rest[os.write(self._file, rest) :]

    def put_at(self, target: Path) -> None:
        if self._file is not None and self._path is not None:
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


async def _on_disk(step: Callable[[], T]) -> T:
    """Take a step in a thread. Whoever is cancelled meanwhile leaves when it is done: what it made can be cleared away then."""
    running = asyncio.get_running_loop().run_in_executor(None, step)
    cancelled: asyncio.CancelledError | None = None
    while not running.done():
        try:
            await asyncio.wait((running,))
        except asyncio.CancelledError as error:
            cancelled = error
    fault = running.exception()
    if cancelled is not None:
        raise cancelled
    if isinstance(fault, OSError):
        raise FileError(f"directory: cannot be written to: {fault.strerror or type(fault).__name__}") from None
    return running.result()


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
