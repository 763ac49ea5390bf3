"""Paid sends: claimed in the journal before their first byte, settled after their last, and never begun twice.

An entry stays open as long as the send may have happened; only what surely did not happen is settled as not sent. So
whatever ends a send (an error, a cancellation, the end of the process) leaves either the truth in the journal or an
open entry, which nobody sends again.
"""

import asyncio
import hashlib
import hmac
from collections.abc import Awaitable, Callable, Coroutine
from datetime import UTC, datetime
from logging import getLogger
from typing import Any, Final, ParamSpec, TypeVar

from attrs import define, evolve, field, frozen

from voicedrop_async._letters import random_letters
from voicedrop_async._masking import type_of
from voicedrop_async._transport import Transport
from voicedrop_async._underway import Call, Policy
from voicedrop_async.calls import Reply, Request
from voicedrop_async.errors import ConfigError, JournalError, OutcomeUnknown
from voicedrop_async.journal import Journal, JournalEntry, SendState, SettledBy
from voicedrop_async.models import Intent

T = TypeVar("T")
P = ParamSpec("P")
Load = Callable[[Reply], tuple[T, str | None]]
"""Reads an answer: what the caller gets, and what of it the journal keeps."""

_LOG: Final = getLogger("voicedrop_async")
_PATIENCE: Final = 1.0
"""Seconds that a send which is over waits for its journal; from a cancellation meanwhile, as many again."""


@frozen(kw_only=True)
class Draft:
    """A send that is to begin."""

    ref: str | None
    """The caller's key; without one it gets a key of its own, which nobody has used."""
    campaign_name: str | None
    """As it goes out."""
    campaign: bytes = field(repr=False)
    """All that is sent but the recipients, as bytes that are the same for the same campaign."""
    recipients: bytes = field(repr=False)
    """Likewise, of the recipients."""
    count: int
    """How many those are."""


@frozen
class CheckedJournal:
    """A journal as a session asks it: whatever one of somebody's own raises or returns becomes an error of ours."""

    own: Journal
    """As the session was given it."""

    async def key(self) -> bytes:
        """Return the key that recipients are hashed under.

        Raises:
            JournalError: Whatever it raised, or returned that is no key; ``ConfigError`` passes as it is. So with the others.
        """
        key = await _asked(self.own.key)
        if not isinstance(key, bytes) or not key:
            raise JournalError(f"journal: its key() returned {type_of(key)}, not bytes; mend that Journal")
        return key

    async def find(self, ref: str) -> JournalEntry | None:
        """Return what stands under ``ref``."""
        return _entry(await _asked(self.own.find, ref))

    async def claim(self, intent: Intent) -> JournalEntry | None:
        """Write down that a send begins; or return what stands in its way."""
        return _entry(await _asked(self.own.claim, intent))

    async def settle(self, of: Intent, *, sent: bool, by: SettledBy, result: str | None = None) -> None:
        """Write down what became of a claim."""
        await _asked(self.own.settle, of.ref, sent=sent, by=by, result=result, of=of)


class PaidSends:
    """The paid sends of one session and its views, and their journal."""

    def __init__(self, transport: Transport, journal: Journal) -> None:
        """Remember both."""
        self.journal: Final = CheckedJournal(journal)
        self._transport = transport
        self._at_work: dict[str, Intent] = {}

    async def send(self, request: Request, policy: Policy, load: Load[T], draft: Draft) -> T | JournalEntry:
        """Send ``request`` at most once for the ref of ``draft``.

        Its deadline holds for the questions to the journal as well. What became of it is written down after that; a
        journal that takes longer than ``_PATIENCE`` does so behind the caller's back.

        Args:
            request: Without an intent, which is made here.
            policy: How patient to be.
            load: Reads the answer.
            draft: What it is, for the journal.

        Returns:
            What ``load`` read; the entry, if the send was done before.

        Raises:
            OutcomeUnknown: This send, or an earlier one under its ref, may have happened.
            ConfigError: Something else stands under the ref. Nothing was sent.
            JournalError: The journal cannot be asked. Nothing was sent.
            RequestError: It was surely not sent.
        """
        self._transport.check_home()
        call = Call(request, policy)
        async with call.clock():
            intent = await self._intent(draft)
        call.request = evolve(request, intent=intent)
        if intent.ref in self._at_work:
            standing = JournalEntry(intent=self._at_work[intent.ref], state=SendState.OPEN)
            return _done_before(standing, call.request, intent, "is still at work in this session")
        self._at_work[intent.ref] = intent
        try:
            async with call.clock():
                entry = await self.journal.find(intent.ref) if draft.ref is not None else None
            if entry is not None and entry.stands_in_the_way_of(intent):
                return _done_before(entry, call.request, intent)
            return await self._send_claimed(call, load, intent)
        finally:
            del self._at_work[intent.ref]

    async def _intent(self, draft: Draft) -> Intent:
        key = await self.journal.key()
        return Intent(
            ref=f"send-{random_letters(20)}" if draft.ref is None else draft.ref,
            campaign_name=draft.campaign_name,
            started_at=datetime.now(UTC),
            recipients=draft.count,
            campaign_digest=_digest(key, b"campaign", draft.campaign),
            recipients_digest=_digest(key, b"recipients", draft.recipients),
        )

    async def _send_claimed(self, call: Call, load: Load[T], intent: Intent) -> T | JournalEntry:
        claim = _Claim(self.journal, intent)
        call.before_first_byte = claim.make
        answered, kept = False, None
        try:
            value, kept = await self._transport.send(call, load)
            answered = True
        except _TakenError as taken:
            return _done_before(taken.entry, call.request, intent)
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

    journal: CheckedJournal
    intent: Intent
    making: asyncio.Task[JournalEntry | None] | None = field(default=None, init=False)

    async def make(self) -> None:
        """Write the intent down; raises ``_TakenError`` if something else stands there."""
        self.making = asyncio.create_task(self.journal.claim(self.intent))
        # A claim that is cancelled half-way may be written all the same: it goes on, and ``settle`` waits for it.
        entry = await asyncio.shield(self.making)
        if entry is not None:
            raise _TakenError(entry)

    async def settle(self, *, sent: bool, result: str | None) -> None:
        """Write down what became of it, if it was ours; a journal that fails leaves it open, which is safe."""
        if self.making is None:
            return
        await asyncio.wait([self.making])
        # One that failed, or ended with its loop, may be written all the same. If it is not, there is nothing to settle.
        surely_ours = not self.making.cancelled() and self.making.exception() is None
        if surely_ours and self.making.result() is not None:
            return
        what = "was done" if sent else "surely did not happen"
        try:
            standing = await self._settled(sent=sent, result=result)
        except (JournalError, ConfigError) as fault:
            _LOG.warning("paid send %r %s, but its journal entry may stay open (%s): look, and settle it", self.intent.ref, what, fault)
            return
        if surely_ours and standing is not None:
            _LOG.warning("paid send %r %s, but its journal says otherwise: %s", self.intent.ref, what, standing)

    async def _settled(self, *, sent: bool, result: str | None) -> str | None:
        """Settle the claim; what stands there, if that is something else and stays."""
        try:
            await self.journal.settle(self.intent, sent=sent, by=SettledBy.ANSWER, result=result)
        except ConfigError:
            entry = await self.journal.find(self.intent.ref)
        else:
            return None
        if entry is None:
            return "nothing"
        if entry.intent != self.intent:
            return f"another send, {entry.state.value}"
        agrees = (entry.state is SendState.SENT) == sent and entry.state is not SendState.OPEN
        return None if agrees else f"{entry.state.value}, settled by {entry.settled_by}"


def _done_before(
    entry: JournalEntry, request: Request, intent: Intent, why: str = "is at work, or nobody knows its outcome"
) -> JournalEntry:
    """Return the entry of a send that was done; whatever else stands in the way of ``intent`` is an error."""
    if not entry.intent.is_same_send(intent):
        raise ConfigError(
            "ref: the journal has another campaign under it, or other recipients; nothing was sent now, give this one a ref of its own"
        )
    if entry.state is SendState.SENT:
        return entry
    raise OutcomeUnknown(
        summary=f"an earlier send under this ref {why}; nothing was sent now",
        request=str(request),
        attempts=0,
        intent=entry.intent,
    )


async def _asked(question: Callable[P, Awaitable[T]], *args: P.args, **kwargs: P.kwargs) -> T:
    """Ask a journal; whatever one of somebody's own raises is a ``JournalError``."""
    try:
        return await question(*args, **kwargs)
    except (JournalError, ConfigError):
        raise
    except Exception as fault:
        # Its text may hold anything: a password of a database, or the entry itself.
        raise JournalError(f"journal: raised {type(fault).__name__}; look at what it keeps its entries in") from None


def _entry(found: object) -> JournalEntry | None:
    if found is not None and not isinstance(found, JournalEntry):
        raise JournalError(f"journal: returned {type_of(found)}, neither a JournalEntry nor None; mend that Journal")
    return found


async def _to_its_end(work: Coroutine[Any, Any, None]) -> None:
    """Run ``work`` to its end, also if we are cancelled meanwhile: that is raised after it. Bounded, for a journal that hangs."""
    task = asyncio.create_task(work)
    _UNDER_WAY.add(task)
    task.add_done_callback(_UNDER_WAY.discard)
    try:
        await asyncio.wait([task], timeout=_PATIENCE)
    except asyncio.CancelledError:
        await asyncio.wait([task], timeout=_PATIENCE)
        raise
    finally:
        if not task.done():
            _LOG.warning("a journal takes more than %g s to write what became of a paid send; until it has, that stays open", _PATIENCE)


_UNDER_WAY: Final[set[asyncio.Task[None]]] = set()
"""The loop alone would let them be collected before they are done."""


def _digest(key: bytes, what: bytes, text: bytes) -> str:
    return hmac.new(key, what + b"\0" + text, hashlib.sha256).hexdigest()
