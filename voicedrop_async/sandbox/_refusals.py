"""Requests turned down, and the bodies that say so."""

from datetime import datetime
from http import HTTPStatus
from typing import Any

from ._time import iso
from ._wire import Problem, plain


class Refusal(Exception):
    """A request turned down: the status and the body to answer with. Text goes out as plain text, the rest as JSON."""

    def __init__(self, status: int, body: dict[str, Any] | str) -> None:
        """Keep both for the answer."""
        super().__init__(status, body)
        self.status = status
        self.body = body


def api_error(status: int, text: str, *, number: int = 0, problems: list[Problem] | None = None) -> Refusal:
    """Routee's own error object. The module 013 is documented as voice; the numbers after it are ours.

    Source: Routee, "Error codes".
    """
    body: dict[str, Any] = {"code": f"{status}013{number:03}", "developerMessage": text}
    if problems:
        body["errors"] = plain(problems)
    return Refusal(status, body)


def gateway_error(status: int, text: str, *, path: str, now: datetime) -> Refusal:
    """What stands in front of Routee's services answers in this shape: bad tokens, unknown paths."""
    phrase = HTTPStatus(status).phrase
    return Refusal(status, {"timestamp": iso(now), "status": status, "error": phrase, "message": text, "path": path})


def unreadable(error: Exception) -> Refusal:
    """A body that is no JSON, or not of the documented shape."""
    return api_error(400, str(error) or "The body could not be read", number=1)
