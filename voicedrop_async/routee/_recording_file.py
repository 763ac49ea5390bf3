"""The file of a recording: what a server answers with, under a name that it did not choose, and never on the loop's own time."""

import re
from collections.abc import AsyncIterator, Callable
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Final, TypeVar

from attrs import define, field

from voicedrop_async._files import Part, unwritable
from voicedrop_async._tasks import to_its_end
from voicedrop_async.calls import MIB, Reply
from voicedrop_async.errors import ConfigError, WireError

T = TypeVar("T")

MOST_FILE_BYTES: Final = 512 * MIB
"""The longest file that is saved."""
_TOO_LONG: Final = f"it is longer than {MOST_FILE_BYTES // MIB} MiB, the most that is saved"

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
            raise ConfigError("directory: must be a folder that exists")

    async def save(self, reply: Reply, chunks: AsyncIterator[bytes]) -> None:
        """Write the body beside its place, and put it there when its last byte is on the disk.

        Raises:
            WireError: The answer is no recording, or too long.
            FileError: The disk refused.
        """
        target = self.directory / (self.stem + _extension(reply))
        part = Part(self.directory, ".recording-")
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
        too_long=why == _TOO_LONG,
        status=reply.status,
        content_type=reply.headers.get("Content-Type"),
    )
