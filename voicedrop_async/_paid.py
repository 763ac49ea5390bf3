"""Paid sends: claimed in the journal before their first byte, settled after their last, and never begun twice.

An entry stays open as long as the send may have happened; only what surely did not happen is settled as not sent. So
whatever ends a send (an error, a cancellation, the end of the process) leaves either the truth in the journal or an
open entry, which nobody sends again.
"""

import asyncio
import hashlib
import hmac
import secrets
from collections.abc import Awaitable, Callable, Coroutine
from datetime import UTC, datetime
from logging import getLogger
from typing import Any, Final, TypeVar

from attrs import define, field

from voicedrop_async._transport import Call, Policy, Transport
from voicedrop_async.calls import Reply, Request
from voicedrop_async.errors import ConfigError, JournalError, OutcomeUnknown
from voicedrop_async.journal import Journal, JournalEntry, SendState, SettledBy
from voicedrop_async.journal._rules import is_same_send, stands_in_the_way
from voicedrop_async.models import Intent

T = TypeVar("T")
Load = Callable[[Reply], tuple[T, str | None]]
"""Reads an answer: what the caller gets, and what of it the journal keeps."""

_LOG: Final = getLogger("voicedrop_async")
_PATIENCE: Final = 5.0
"""Seconds that a send which is over waits for its journal, and once more if it is cancelled meanwhile."""
_LETTERS: Final = "bcdfghjklmnpqrstvwxz"


class PaidSends:
    """The paid sends of one session and its views, and their journal."""

    def __init__(self, transport: Transport, journal: Journal) -> None:
        """Remember both."""
        self.journal: Final = journal
        self._transport = transport
        self._at_work: dict[str, Intent] = {}

    async def intent(self, *, ref: str | None, campaign_name: str | None, campaign: bytes, recipients: bytes, count: int) -> Intent:
        """Return the intent of a send that begins now; without a ``ref`` it gets one of its own.

        Args:
            ref: The caller's key.
            campaign_name: As it goes out.
            campaign: All that is sent but the recipients, as bytes that are the same for the same campaign.
            recipients: Likewise, of the recipients.
            count: How many those are.

        Raises:
            JournalError: The journal cannot give its key.
        """
        self._transport.check_home()
        key = await asked(self.journal.key())
        return Intent(
            ref=token("send-", 20) if ref is None else ref,
            campaign_name=campaign_name,
            started_at=datetime.now(UTC),
            recipients=count,
            campaign_digest=_digest(key, b"campaign", campaign),
            recipients_digest=_digest(key, b"recipients", recipients),
        )

    async def send(self, request: Request, policy: Policy, load: Load[T], *, known: bool) -> T | JournalEntry:
        """Send ``request`` at most once for its intent's ref.

        Args:
            request: With an intent of ``self.intent``.
            policy: How patient to be.
            load: Reads the answer.
            known: The ref may stand in the journal already.

        Returns:
            What ``load`` read; the entry, if the send was done before.

        Raises:
            OutcomeUnknown: This send, or an earlier one under its ref, may have happened.
            ConfigError: Something else stands under the ref. Nothing was sent.
            JournalError: The journal cannot be asked. Nothing was sent.
            RequestError: It was surely not sent.
        """
        intent = request.intent
        if intent is None:
            raise ConfigError("kind: only a paid call is journalled")
        if intent.ref in self._at_work:
            return _standing(JournalEntry(intent=self._at_work[intent.ref], state=SendState.OPEN), request, intent)
        self._at_work[intent.ref] = intent
        try:
            entry = await asked(self.journal.find(intent.ref)) if known else None
            if entry is not None and stands_in_the_way(entry, intent):
                return _standing(entry, request, intent)
            return await self._send_claimed(request, policy, load, intent)
        finally:
            del self._at_work[intent.ref]

    async def _send_claimed(self, request: Request, policy: Policy, load: Load[T], intent: Intent) -> T | JournalEntry:
        claim = _Claim(self.journal, intent)
        call = Call(request, policy, claim.make)
        answered, kept = False, None
        try:
            value, kept = await self._transport.send(call, load)
            answered = True
        except _TakenError as taken:
            return _standing(taken.entry, request, intent)
        finally:
            if answered or not call.may_have_happened:
                await _to_its_end(claim.settle(sent=answered, result=kept))
        return value


class _TakenError(Exception):
    """Somebody else's entry stands where ours was to be written."""

    def __init__(self, entry: JournalEntry) -> None:
        super().__init__()
        self.entry = entry


@define
class _Claim:
    """The right to send: ours from the moment the journal has it, until it is settled."""

    journal: Journal
    intent: Intent
    making: asyncio.Task[JournalEntry | None] | None = field(default=None, init=False)

    async def make(self) -> None:
        """Write the intent down; raises ``_TakenError`` if something else stands there."""
        self.making = asyncio.create_task(asked(self.journal.claim(self.intent)))
        # A claim that is cancelled half-way may be written all the same: it goes on, and ``settle`` waits for it.
        entry = await asyncio.shield(self.making)
        if entry is not None:
            raise _TakenError(entry)

    async def settle(self, *, sent: bool, result: str | None) -> None:
        """Write down what became of it, if it was ours; a journal that fails leaves it open, which is safe."""
        if self.making is None:
            return
        await asyncio.wait([self.making])
        if self.making.cancelled() or self.making.exception() is not None or self.making.result() is not None:
            return  # not ours, or nobody knows whose
        try:
            await self.journal.settle(self.intent.ref, sent=sent, by=SettledBy.ANSWER, result=result)
        except Exception as fault:
            what = "was done" if sent else "surely did not happen"
            _LOG.warning("a paid send %s, but its journal entry stays open: settle raised %s", what, type(fault).__name__)


def _standing(entry: JournalEntry, request: Request, intent: Intent) -> JournalEntry:
    """Return the entry of a send that was done; whatever else stands in the way of ``intent`` is an error."""
    if not is_same_send(entry.intent, intent):
        raise ConfigError("ref: the journal has another campaign under it, or other recipients of this one; nothing was sent now")
    if entry.state is SendState.SENT:
        return entry
    raise OutcomeUnknown(
        summary="an earlier send under this ref is at work or its outcome is unknown; nothing was sent now",
        request=str(request),
        attempts=0,
        intent=entry.intent,
    )


async def asked(answer: Awaitable[T]) -> T:
    """Wait for what a journal says; whatever a journal of somebody's own raises is a ``JournalError``."""
    try:
        return await answer
    except (JournalError, ConfigError):
        raise
    except Exception as fault:
        # Its text may hold anything: a password of a database, or the entry itself.
        raise JournalError(f"the journal raised {type(fault).__name__}; nothing was sent") from None


async def _to_its_end(work: Coroutine[Any, Any, None]) -> None:
    """Run ``work`` to its end, also if we are cancelled meanwhile: that is raised after it. Bounded, for a journal that hangs."""
    task = asyncio.create_task(work)
    _UNDER_WAY.add(task)
    task.add_done_callback(_UNDER_WAY.discard)
    try:
        await asyncio.wait([task], timeout=_PATIENCE)
    finally:
        if not task.done():
            await asyncio.wait([task], timeout=_PATIENCE)


_UNDER_WAY: Final[set[asyncio.Task[None]]] = set()
"""The loop alone would let them be collected before they are done."""


def _digest(key: bytes, what: bytes, text: bytes) -> str:
    return hmac.new(key, what + b"\0" + text, hashlib.sha256).hexdigest()


def token(prefix: str, length: int) -> str:
    """Return a random text of letters without vowels: no word by chance, and nothing that looks like a phone number."""
    return prefix + "".join(secrets.choice(_LETTERS) for _ in range(length))
