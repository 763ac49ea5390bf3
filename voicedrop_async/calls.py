"""One HTTP call as values, and the rules on repeating it. No clock, no dice, no loop, no network.

How a call may be repeated is declared by its ``Kind``, never read off the HTTP method: searching the tracking is a
POST that reads, a campaign is a POST that rings telephones.
"""

import re
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from enum import Enum, StrEnum
from types import MappingProxyType
from typing import Final
from urllib.parse import quote, unquote, urlsplit

from attrs import field, frozen

from voicedrop_async._checks import check_amount, check_count, check_id
from voicedrop_async._masking import shown
from voicedrop_async.errors import (
    ApiError,
    BadRequest,
    Conflict,
    Forbidden,
    NotFound,
    OutcomeUnknown,
    RateLimited,
    RequestError,
    ServerFailed,
    Unauthorized,
    WireError,
)
from voicedrop_async.models import NO_EXTRA, CampaignProblem, Extra, Intent, Seconds

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
class Grant:
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


@frozen(kw_only=True)
class Retry:
    """When a failed attempt is followed by another, and after which pause."""

    attempts: int = 4
    """The most attempts of one call; 1 never repeats."""
    base: float = 0.5
    """Upper bound of the first pause, in seconds; it doubles with each further one."""
    cap: float = 20.0
    """Upper bound of any pause of ours, in seconds."""
    retry_after_cap: float = 60.0
    """The longest wait, in seconds, that we accept from the service; a longer one is raised to the caller."""
    budget: int | None = 500
    """What the repeats of all calls of a session may cost: 14 each, 5 after a 429. A call that succeeds brings back what its
    last repeat took, or 1 if it needed none. When it is used up, a failure is raised at once, with ``budget_exhausted``:
    a service that is down is not asked four times by everybody. None for no budget."""

    def __attrs_post_init__(self) -> None:
        check_count("attempts", self.attempts, 1)
        if self.budget is not None:
            check_count("budget", self.budget, 0)
        check_amount("base", self.base, zero=True)
        check_amount("cap", self.cap, zero=True)
        check_amount("retry_after_cap", self.retry_after_cap, zero=True)

    def wait(self, error: RequestError, kind: Kind, failures: int, roll: float) -> float | None:
        """Return the seconds until the next attempt, or None to give up.

        Args:
            error: What the latest attempt failed with.
            kind: What the call does.
            failures: Attempts that have failed, the latest included.
            roll: A throw of the dice, in [0, 1).
        """
        if failures >= self._most_attempts(error, kind) or not error.may_pass:
            return None
        if kind is Kind.PAID and not _surely_not_sent(error):
            return None
        jitter = roll * min(self.cap, self.base * 2.0 ** min(failures - 1, 60))
        if error.retry_after is None:
            return jitter
        if error.retry_after > self.retry_after_cap:
            return None
        # A little more than asked for, so that many workers do not come back in the same instant.
        return max(jitter, error.retry_after) * (1.0 + roll / 10.0)

    def _most_attempts(self, error: RequestError, kind: Kind) -> int:
        if isinstance(error, WireError):
            return min(2, self.attempts)  # a body that stays broken is the service's way of speaking
        return min(3, self.attempts) if kind is Kind.TOKEN else self.attempts


class Spending:
    """What the repeats of a session have cost, less what successes brought back. Views of a session share it.

    Source for the idea and the prices: the retry quota of the AWS SDKs, in its mode "standard".
    """

    def __init__(self) -> None:
        """Begin with nothing spent."""
        self.spent = 0

    def allows(self, error: RequestError, budget: int | None) -> bool:
        """Whether a repeat after ``error`` is within ``budget``; it is paid for if so."""
        if budget is None:
            return True
        if self.spent + _price(error) > budget:
            return False
        self.spent += _price(error)
        return True

    def succeeded(self, error: RequestError | None, budget: int | None) -> None:
        """Bring back what the repeat after ``error`` cost that led to a success; a little if there was none."""
        if budget is not None and self.spent:
            self.spent = max(0, self.spent - (_price(error) if error is not None else _FIRST_TRY))


_FIRST_TRY: Final = 1


def _price(error: RequestError) -> int:
    # To be turned away costs the service little; what else may pass can be the beginning of a breakdown.
    return 5 if isinstance(error, RateLimited) else 14


def _surely_not_sent(error: RequestError) -> bool:
    if error.may_have_happened:
        return False
    # A service that says when to come back has not acted; one that only says no may mean this very campaign.
    return not isinstance(error, ApiError) or (error.status in {429, 503} and error.retry_after is not None)


TRANSIENT: Final = frozenset({408, 425, 429, 500, 502, 503, 504})
"""What may be otherwise soon."""
_REFUSALS: Final[Mapping[int, type[ApiError]]] = {
    400: BadRequest,
    401: Unauthorized,
    403: Forbidden,
    404: NotFound,
    409: Conflict,
    422: BadRequest,
    429: RateLimited,
}


class Author(Enum):
    """Who wrote the body of a refusal, by its shape."""

    SERVICE = "the service: its documented error object"
    GATEWAY = "the gateway in front of it: status, error and message, or error and error_description"
    ANYBODY = "a proxy on the way, perhaps"


@frozen(kw_only=True)
class Complaint:
    """What the body of a refusal says, whichever of its five spellings the service used."""

    author: Author
    code: str | None = field(default=None, repr=False)
    developer_message: str | None = field(default=None, repr=False)
    problems: tuple[CampaignProblem, ...] = ()


_LONGEST_CODE: Final = 40


def refusal(reply: Reply, complaint: Complaint | None, kind: Kind, now: datetime) -> ApiError:
    """Return the error that an answer outside 2xx means.

    Args:
        reply: The answer.
        complaint: What its body says; None if it is no error object of the service, as from a proxy on the way.
        kind: What the call does.
        now: The present moment, for a Retry-After that is a date where the answer bears none of its own.
    """
    status = reply.status
    fallback = ServerFailed if 500 <= status < 600 else ApiError
    said = complaint or Complaint(author=Author.ANYBODY)
    return _REFUSALS.get(status, fallback)(
        summary=f"HTTP {status}" + (f", a redirect{_target(reply)}, which is never followed" if 300 <= status < 400 else ""),
        attempts=reply.attempts,
        may_have_happened=kind in CHANGES and not _is_definite(status, complaint),
        may_pass=status in TRANSIENT,
        retry_after=retry_after(reply.headers, now) if status in TRANSIENT else None,
        status=status,
        code=said.code and said.code[:_LONGEST_CODE],
        developer_message=said.developer_message,
        problems=said.problems,
    )


def _target(reply: Reply) -> str:
    """Return the host that a redirect leads to, and nothing else of its address."""
    try:
        host = urlsplit(reply.headers.get("Location", "")).hostname
    except ValueError:
        host = None
    return f" to {shown(host, 80)}" if host else ""


def _is_definite(status: int, complaint: Complaint | None) -> bool:
    """Whether the service itself says that it did not act."""
    if status == 401:
        return True  # whoever does not know us has not acted for us
    if complaint is None or complaint.author is Author.ANYBODY:
        return False
    # The gateway can refuse before the service is asked; with 503 it may as well have lost the answer.
    return (400 <= status < 500 and status != 408) or (status == 503 and complaint.author is Author.SERVICE)


def unknown(error: RequestError, intent: Intent, status: int | None = None) -> OutcomeUnknown:
    """Return what a paid send that failed like this is for its caller: perhaps sent, never repeated.

    Args:
        error: What it failed with.
        intent: What was being sent.
        status: Of a head that came before the line broke; an error that knows its own tells that.
    """
    return OutcomeUnknown(
        summary=f"the outcome is unknown: {error.summary}",
        request=error.request,
        attempts=error.attempts,
        retry_after=error.retry_after,
        intent=intent,
        status=error.status if isinstance(error, ApiError | WireError) else status,
    )


MIB: Final = 1024 * 1024
"""Long bodies are told in these: their bytes, of seven digits and more, would be taken for a phone number and masked."""
MOST_BYTES: Final = 16 * MIB
"""The longest answer that is read, in bytes after decompression."""


def retry_after(headers: Mapping[str, str], now: datetime) -> float | None:
    """Return how long the service asks to wait, in seconds; None if it does not say so readably.

    A date counts from the answer's own ``Date``, so that clocks need not agree. Source: RFC 9110, "Retry-After".
    """
    text = headers.get("Retry-After", "").strip()
    if re.fullmatch(r"[0-9]+", text):  # int() alone would also take other digits, blanks and underscores
        return min(float(text), 1e9)
    moment = _http_date(text)
    if moment is None:
        return None
    return max(0.0, (moment - (_http_date(headers.get("Date", "")) or now)).total_seconds())


def _http_date(text: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(text)
        return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        return None
