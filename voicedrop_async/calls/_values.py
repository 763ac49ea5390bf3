"""A call as it goes out, as it comes back, and step by step; and how long it may take."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final
from urllib.parse import quote, unquote

from attrs import field, frozen

from voicedrop_async._checks import check_amount, check_id
from voicedrop_async._masking import shown
from voicedrop_async.models import NO_EXTRA, Extra, Intent, Seconds

MIB: Final = 1024 * 1024
"""Long bodies are told in these: their bytes, of seven digits and more, would be taken for a phone number and masked."""
MOST_BYTES: Final = 16 * MIB
"""The longest answer that is read, in bytes after decompression."""
_NOTHING: Final[Mapping[str, str]] = MappingProxyType({})


class Kind(StrEnum):
    """What a call does, and so how it may be repeated."""

    READ = "read"
    """Changes nothing: repeated on anything that may pass."""
    TOKEN = "token"
    """Asks for an access token: like READ, but at most three times."""
    PAID = "paid"
    """Costs money and rings telephones: repeated only if it surely did not happen."""
    CANCEL = "cancel"
    """Takes something back: like READ; gone already is success."""


CHANGES: Final = frozenset({Kind.PAID, Kind.CANCEL})
"""What may have happened even if no answer came."""


@frozen(kw_only=True, eq=False)
class Download:
    """Where the body of a successful answer goes if it is a file: not into memory."""

    save: Callable[["Reply", AsyncIterator[bytes]], Awaitable[None]]
    """Takes the answer and its body chunk by chunk, anew in each attempt. What it raises is an error of ours."""
    url: str | None = field(default=None, repr=False)
    """The whole URL, where the service said one; below the base URL, by the route, if it is None."""
    at_api: bool = True
    """Whether that is the origin of the API; another host gets no token."""


@frozen(kw_only=True)
class Request:
    """One call to a service, as it goes out."""

    method: str
    route: str
    """The path with names in place of ids, as in ``/voice/tracking/{message_id}``: safe to show."""
    is_own_path: bool = False
    """Whether ``route`` is a caller's own path, as it was given to ``call(...)``: it can hold an id."""
    kind: Kind
    ids: Mapping[str, str] = field(default=_NOTHING, repr=False)
    """What stands for the names of ``route``."""
    params: Mapping[str, str] = field(default=_NOTHING, repr=False)
    body: bytes | None = field(default=None, repr=False)
    content_type: str = "application/json"
    intent: Intent | None = None
    """Of a paid send, once it begins: what to look for if its outcome stays unknown."""
    download: Download | None = None
    """If the answer is a file."""

    @property
    def path(self) -> str:
        """The path on the wire, each id percent-encoded as one segment.

        Raises:
            ConfigError: An id that would be another path: empty, or dots.
        """
        for name, value in self.ids.items():
            check_id(name, value)
        return self.route.format_map({name: quote(value, safe="") for name, value in self.ids.items()}) if self.ids else self.route

    @property
    def elsewhere(self) -> bool:
        """Whether it goes to another host than the service's own: without a token, and what comes back says nothing about the API."""
        return self.download is not None and not self.download.at_api

    @property
    def at_api(self) -> bool:
        """Whether it goes to the API itself, and not to the token endpoint either."""
        return self.kind is not Kind.TOKEN and not self.elsewhere

    def __str__(self) -> str:
        return f"{self.method} {shown(unquote(self.route))}"  # encoded, a number with blanks in it would not be seen to be one


@frozen(kw_only=True)
class Reply:
    """A successful answer, read to its last byte."""

    status: int
    """Within 2xx."""
    headers: Mapping[str, str] = field(repr=False)
    """Names compare without regard to case."""
    body: bytes = field(repr=False)
    """As it came, decompressed."""
    attempts: int
    """Requests sent until this answer came."""
    elapsed: float
    """Seconds the last attempt took."""


@frozen(kw_only=True)
class TokenResponse:
    """An access token as the service gave it. Source: Routee, "Authentication"; RFC 6749, section 5.1."""

    access_token: str = field(repr=False)
    token_type: str = "Bearer"
    expires_in: Seconds
    """Seconds; of a token that is given out again, those that are left."""
    extra: Extra = field(default=NO_EXTRA, repr=False, hash=False)


@frozen(kw_only=True)
class Event:
    """One step of a call, for ``on_event``: nothing in it that a log may not hold."""

    name: str
    """``answered``: an attempt ended with an answer; ``failed``: without a whole one; ``cancelled``: by its caller, or by the
    deadline of its call; ``pausing``: another attempt follows."""
    kind: Kind
    """What the call does."""
    route: str
    """Method and route, as in ``POST /voice/tracking``. Of ``call(...)``: the path as it was given, but for phone numbers."""
    is_own_path: bool = False
    """Whether ``route`` is such a path, which can hold an id, as can ``url`` then."""
    status: int | None
    """Of the answer, or of its head if the body broke off; None if nothing came."""
    attempt: int
    """From 1."""
    seconds: float
    """How long the attempt took, or how long the pause will."""
    url: str = ""
    """Where to: base URL and path as in ``route``, and no query. Of a file whose URL the service said, its host."""
    error: str | None = None
    """The class of the error that ended the attempt, such as ``ConnectionLost``; None if that was an answer, whatever its status."""


@frozen(kw_only=True)
class Timeouts:
    """How long one attempt may take, in seconds."""

    connect: float = 5.0
    """Until the connection stands, name look-up and TLS included."""
    read: float = 30.0
    """From the start of an attempt to the last byte of its answer."""

    def __attrs_post_init__(self) -> None:
        check_amount("connect", self.connect)
        check_amount("read", self.read)
