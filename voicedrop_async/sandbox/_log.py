"""What arrived and what was posted, kept for assertions."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec
from attrs import define, field, frozen


def _masked(headers: Mapping[str, str]) -> str:
    return repr({name: "***" if name.lower() == "authorization" else value for name, value in headers.items()})


@define(eq=False, kw_only=True)
class ReceivedRequest:
    """A request that arrived."""

    site: str
    """Where it arrived: routee, auth or spacivox."""
    method: str
    """In capital letters."""
    path: str
    """Decoded, without the query."""
    query: Mapping[str, str]
    """Decoded."""
    headers: Mapping[str, str] = field(repr=_masked)
    """Names in any case."""
    body: bytes = field(default=b"", repr=False)
    """Empty until it was read, and if it was too large."""
    status: int | None = None
    """The status answered; None while there is no answer, and for ever if the connection was dropped."""
    at: datetime
    """When, by the sandbox's clock."""

    @property
    def json(self) -> Any:
        """The body, read as JSON."""
        return msgspec.json.decode(self.body)


@frozen(eq=False, kw_only=True)
class PostedCallback:
    """One attempt to post a callback."""

    url: str = field(repr=False)
    """Where to."""
    body: Mapping[str, Any] = field(repr=False)
    """As it was posted, read as JSON."""
    attempt: int
    """1 for the first."""
    status: int | None
    """The status answered, None if there was no answer."""
    note: str = ""
    """Why there was none."""
    at: datetime
    """When, by the sandbox's clock."""
