"""Routee voice: send campaigns, and track their messages.

Sources: the pages "Send a voice campaign", "Analyze a voice campaign", "Track multiple voice messages" and the tracking
pages beside it, "Authentication".
"""

from collections.abc import Collection
from typing import Final, Self, Unpack

from voicedrop_async._checks import check_base_url, check_kind
from voicedrop_async._session import SessionOptions, from_environment, needed_from_environment
from voicedrop_async.auth import ClientCredentials, StaticToken
from voicedrop_async.errors import ConfigError
from voicedrop_async.journal import Journal
from voicedrop_async.routee._dialect import RouteeDialect
from voicedrop_async.routee._ledger import Chunk, ChunkState, SendLedger
from voicedrop_async.routee._lists import LongLists
from voicedrop_async.routee._names import unique_name
from voicedrop_async.routee._reconciling import Reconciling
from voicedrop_async.routee._recordings import Recordings, check_hosts
from voicedrop_async.routee._rules import MAX_RECIPIENTS
from voicedrop_async.routee._sending import check_send

__all__ = [
    "AUTH_URL",
    "BASE_URL",
    "MAX_RECIPIENTS",
    "Chunk",
    "ChunkState",
    "RouteeDialect",
    "RouteeSession",
    "SendLedger",
    "check_send",
    "unique_name",
]

BASE_URL: Final = "https://connect.routee.net"
AUTH_URL: Final = "https://auth.routee.net"


class RouteeSession(LongLists, Reconciling, Recordings):
    """One account of Routee voice.

    Nothing is sent before the first call. A session belongs to the loop it is first used in.
    """

    def __init__(
        self,
        auth: ClientCredentials | StaticToken,
        *,
        base_url: str = BASE_URL,
        auth_url: str = AUTH_URL,
        journal: Journal | None = None,
        dialect: RouteeDialect | None = None,
        recording_hosts: Collection[str] = (),
        **options: Unpack[SessionOptions],
    ) -> None:
        """Check the options; no I/O, and no loop is needed yet.

        Args:
            auth: Id and secret of the application, or a token you have.
            base_url: Where the API is; a path it carries is kept.
            auth_url: Where the token endpoint is; the secret goes there and nowhere else.
            journal: Where paid sends are written down; a ``MemoryJournal`` if left out. It is yours: never closed here, and
                several sessions may use it at once.
            dialect: Other wire names, where the documented ones turn out wrong.
            recording_hosts: Names of hosts, beside the API's own, that recordings may be downloaded from; see
                ``download_recording``.
            **options: See ``SessionOptions``.

        Raises:
            ConfigError: A plain-http URL to another machine, or options that cannot be.
        """
        if not isinstance(auth, ClientCredentials | StaticToken):
            raise ConfigError("auth: must be ClientCredentials or a StaticToken")
        check_kind("dialect", dialect, RouteeDialect)
        check_base_url("auth_url", auth_url, allow_insecure=options.get("allow_insecure", False))
        super().__init__(auth, base_url=base_url, auth_url=auth_url, journal=journal, **options)
        self._dialect = dialect or RouteeDialect()
        self._recording_hosts = check_hosts(recording_hosts)

    @classmethod
    def from_env(cls, *, journal: Journal | None = None, recording_hosts: Collection[str] = (), **options: Unpack[SessionOptions]) -> Self:
        """Return a session with the credentials of the environment; the other options are those of the class.

        Reads ``ROUTEE_APPLICATION_ID`` and ``ROUTEE_APPLICATION_SECRET``, and ``ROUTEE_BASE_URL`` and
        ``ROUTEE_AUTH_URL`` if they are set.

        Raises:
            ConfigError: A credential is missing; the text names its variable.
        """
        auth = ClientCredentials(
            needed_from_environment("ROUTEE_APPLICATION_ID", "the application's id"),
            needed_from_environment("ROUTEE_APPLICATION_SECRET", "the application's secret"),
        )
        base_url, auth_url = from_environment("ROUTEE_BASE_URL") or BASE_URL, from_environment("ROUTEE_AUTH_URL") or AUTH_URL
        return cls(auth, base_url=base_url, auth_url=auth_url, journal=journal, recording_hosts=recording_hosts, **options)
