"""Downloading recordings. Where the service says one is, is data: it is looked at before anything is sent there.

Sources: "Track multiple voice messages", ``content.recordings``; Routee's reference, "recordings".
"""

import os
import re
from collections.abc import Collection
from pathlib import Path
from typing import Final

from yarl import URL

from voicedrop_async._checks import check_id, check_kind
from voicedrop_async._masking import shown, type_of
from voicedrop_async._session import Session
from voicedrop_async.calls import Download, Kind, Request
from voicedrop_async.errors import ConfigError
from voicedrop_async.models import Recording
from voicedrop_async.routee._recording_file import FileToBe, stem_of

_URL: Final = re.compile(r"https?://[!-\[\]-~]+")  # visible ASCII, without the backslash that readers of URLs disagree on
_HOST: Final = re.compile(r"(?=.{4,253}\Z)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{0,61}[a-z0-9]")


class Recordings(Session):
    """What downloads."""

    _recording_hosts: frozenset[str]

    async def download_recording(self, recording: Recording, directory: str | os.PathLike[str]) -> Path:
        """Save a recording as a file, and return where it is: ``directory``, its tracking id, and an extension by its type.

        The file is there when it is whole, and not before; one of that name is replaced. Only its owner may read it. A
        download that fails or is cancelled leaves nothing behind. Up to 512 MiB; ``Timeouts.read`` holds between two pieces
        of it, so that only a deadline bounds the whole.

        It is fetched from ``recording.url`` if that has the very origin of the API, or a host of ``recording_hosts``
        (https, on its usual port, with public addresses only, and without the token); by its id, if it has no URL.

        Args:
            recording: As it stands in ``VoiceMessage.recordings``.
            directory: Where to save it; it must exist.

        Raises:
            ConfigError: A recording without an id, a URL that leads elsewhere, a directory that is none: nothing was sent.
            FileError: The directory cannot be written to, or the disk is full.
            NotFound: No such recording.
            ConnectFailed: The host has an address within a network.
            WireError: The answer is no recording, is too long, or does not tell its end.
            RequestError: The call failed.

        Source: Routee's reference, ``GET /recordings/my/downloads/{recordingTrackingId}``.
        """
        check_kind("recording", recording, Recording)
        if recording.tracking_id is None:
            raise ConfigError("recording.tracking_id: missing; the file is named after it")
        check_id("recording.tracking_id", recording.tracking_id)
        at_api = recording.url is None or self._is_at_api(recording.url)
        file = FileToBe(_directory(directory), stem_of(recording.tracking_id))
        await file.check()
        request = Request(
            method="GET",
            route="/recordings/my/downloads/{tracking_id}",
            kind=Kind.READ,
            ids={"tracking_id": recording.tracking_id},
            download=Download(save=file.save, url=recording.url, at_api=at_api),
        )
        return await self._send(request, lambda _reply: file.path)

    def _is_at_api(self, text: str) -> bool:
        """Whether a URL has the origin of the API; refuse one that may not be followed."""
        scheme, host, port = origin = _origin(text)
        if origin == _origin(self._base_url):
            return True
        if (scheme, port) != ("https", 443):
            raise ConfigError("recording.url: must lead to the API's own origin, or be https on its usual port")
        if host not in self._recording_hosts:
            raise ConfigError(f"recording.url: leads to {shown(host, 80)}, not the API's host and not among recording_hosts; name it there")
        return False


def _origin(text: object) -> tuple[str, str, int | None]:
    """Return scheme, host and port of a URL as they will be connected to: read by the same library, in the same way."""
    if not isinstance(text, str) or not _URL.fullmatch(text):
        raise ConfigError("recording.url: must be a URL such as https://example.com/a.wav")
    try:
        url = URL(text, encoded=True)
        origin = url.scheme, (url.raw_host or "").lower(), url.port
    except ValueError:
        raise ConfigError("recording.url: must be a URL such as https://example.com/a.wav") from None
    if not url.raw_host:
        raise ConfigError("recording.url: must name a host")
    if "@" in url.raw_authority:
        raise ConfigError("recording.url: must not hold a user name or password")
    return origin


def _directory(given: object) -> Path:
    if not isinstance(given, str | os.PathLike):
        raise ConfigError(f"directory: {type_of(given)} is no path")
    try:
        os.fsencode(given)
        path = Path(given)
    except (TypeError, ValueError):
        path = None
    if path is None or "\0" in str(path):
        raise ConfigError("directory: must be a path that this system can have")
    return path


def check_hosts(hosts: object) -> frozenset[str]:
    """Return names of hosts, in lower case; refuse what is none, and addresses."""
    if isinstance(hosts, str) or not isinstance(hosts, Collection):
        raise ConfigError("recording_hosts: must be a list or another collection of host names")
    names = [host.lower() if isinstance(host, str) else "" for host in hosts]
    for place, name in enumerate(names):
        if not _HOST.fullmatch(name):
            raise ConfigError(f"recording_hosts[{place}]: no full name of a host, such as files.example.com")
    return frozenset(names)
