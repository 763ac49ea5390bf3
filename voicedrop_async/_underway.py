"""One call under way: what is asked for, how patiently, and what the world outside has seen of it so far."""

import asyncio
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Final

from attrs import define, field, frozen

from voicedrop_async._masking import spoken
from voicedrop_async.auth import Credential
from voicedrop_async.calls import Request, Retry, Timeouts, unknown
from voicedrop_async.errors import DeadlineExceeded, RequestError

NOBODY: Final = Credential("")
"""What another host gets instead of a token."""


@frozen
class Policy:
    """How patient a session is; a view of a session may have another."""

    retry: Retry
    timeouts: Timeouts
    deadline: float | None


@define
class Call:
    """One call under way, as far as the world outside has seen it."""

    request: Request
    policy: Policy
    before_first_byte: Callable[[], Awaitable[None]] | None = None
    """Awaited once, with the slot in hand, before anything of the first attempt leaves; what it raises ends the call."""
    attempts: int = 0
    sent: bool = False
    """Whether the present attempt may have reached the service; set by the trace event of its headers (``Lanes``)."""
    lost: bool = False
    """Whether an earlier attempt may have taken effect."""
    status: int | None = None
    """What the head of an answer to the present attempt said, if one came, whatever became of its body."""
    credential: Credential = NOBODY
    """With what the present attempt goes out."""
    lowered: int = 0
    """How often the rate had been lowered when the present attempt began."""
    began: float = field(factory=time.monotonic)
    """When the deadline begins to run, by the monotonic clock."""

    @property
    def may_have_happened(self) -> bool:
        """Whether something may have changed by this call."""
        return self.lost or self.sent

    @property
    def ends_at(self) -> float | None:
        """When it has to be done, by the monotonic clock."""
        return None if self.policy.deadline is None else self.began + self.policy.deadline

    @asynccontextmanager
    async def clock(self) -> AsyncGenerator[None]:
        """Hold what is done within to the deadline of the call."""
        timer = asyncio.timeout(None if self.ends_at is None else self.ends_at - time.monotonic())
        try:
            async with timer:
                yield
        except TimeoutError:
            if not timer.expired():
                raise
        if timer.expired():
            # Raised out here, it does not bring along what was under way, with its headers.
            text = f"not done within {spoken(self.policy.deadline or 0.0)} s"
            late = DeadlineExceeded(summary=text, may_have_happened=self.may_have_happened)
            raise self.failed(late) from None

    def failed(self, error: RequestError) -> RequestError:
        """Return ``error`` with what the call knows; of a paid send, what may have happened is called unknown."""
        error.request = str(self.request)
        error.attempts = self.attempts
        error.may_have_happened |= self.lost
        if error.may_have_happened and self.request.intent is not None:
            return unknown(error, self.request.intent, self.status)
        return error
