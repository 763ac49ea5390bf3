"""What an answer outside 2xx means: which error, whether the call may have happened, whether it may pass, and when to come back."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from enum import Enum
from typing import Final
from urllib.parse import urlsplit

from attrs import field, frozen

from voicedrop_async._masking import shown
from voicedrop_async.calls._values import CHANGES, Kind, Reply
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
from voicedrop_async.models import CampaignProblem, Intent

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
_LONGEST_CODE: Final = 40


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
