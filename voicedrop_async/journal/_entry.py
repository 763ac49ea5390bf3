"""What a journal is, and what stands in it: one entry for each paid send, by the caller's key."""

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol

from attrs import field, frozen

from voicedrop_async.models import Intent


class SendState(StrEnum):
    """What is known of a paid send."""

    OPEN = "open"
    """It was begun, and may have happened."""
    SENT = "sent"
    """The service took it."""
    NOT_SENT = "not_sent"
    """It surely did not happen, and may be sent again."""


class SettledBy(StrEnum):
    """Who said what became of a send."""

    ANSWER = "answer"
    """The service's own answer, or the certainty that nothing left this machine."""
    RECONCILE = "reconcile"
    """Its messages were found in the tracking."""
    PERSON = "person"
    """Somebody decided."""


@frozen(kw_only=True)
class JournalEntry:
    """One paid send as the journal knows it."""

    intent: Intent
    """What was to be sent."""
    state: SendState
    """Open, sent or not sent."""
    result: str | None = field(default=None, repr=False)
    """What the session wants back for the same ``ref``: the receipt as JSON, without a phone number; None if there is none."""
    settled_at: datetime | None = None
    """When it stopped being open; aware, UTC."""
    settled_by: SettledBy | None = None
    """Who said how it ended; None while it is open."""

    def stands_in_the_way_of(self, intent: Intent) -> bool:
        """Whether ``intent`` may not begin: what stands here is open, was sent, or is another campaign's."""
        return self.state is not SendState.NOT_SENT or not self.intent.is_same_send(intent)


class Journal(Protocol):
    """The journal of paid sends. Write your own for a database of yours; each method is atomic.

    Whatever ``key``, ``find`` and ``claim`` raise stops the send before its first byte. ``settle`` may be lazy in becoming
    durable: losing it leaves an open entry, which is the safe side.
    """

    async def key(self) -> bytes:
        """Return 32 random bytes, made once and kept beside the journal: recipients are hashed under it."""
        ...

    async def find(self, ref: str) -> JournalEntry | None:
        """Return what stands under ``ref``."""
        ...

    async def claim(self, intent: Intent) -> JournalEntry | None:
        """Write down, durably, that the send of ``intent.ref`` begins; None if that was done.

        An entry that is ``OPEN`` or ``SENT``, or of another campaign, stands in the way: it is returned, and nothing is
        written. One that is ``NOT_SENT`` is replaced.
        """
        ...

    async def settle(
        self, ref: str, *, sent: bool, by: SettledBy = SettledBy.PERSON, result: str | None = None, of: Intent | None = None
    ) -> None:
        """Write down what became of an open entry, and when.

        Of what is settled already, two words still count: that it was sent after all; and, of what somebody else settled as
        sent, its own answer with its result. An entry that is sent stays so.

        Args:
            ref: The key of the send.
            sent: Whether it happened.
            by: Who says so.
            result: What to keep for the same ``ref``.
            of: The claim that is meant. A word that comes late must not fall on another claim, made under the same ref
                since: it is not written. None: whatever stands there when the call is made, as a person means it.

        Raises:
            ConfigError: Nothing under ``ref`` of which that can be said.
        """
        ...

    async def open_entries(self) -> list[JournalEntry]:
        """Return what is open, the oldest first."""
        ...

    async def prune(self, older_than: timedelta) -> int:
        """Forget entries settled that long ago, or longer; return how many. Their refs can then be sent again."""
        ...
