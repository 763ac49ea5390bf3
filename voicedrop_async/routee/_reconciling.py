"""Looking for a send whose answer was lost.

Source: Routee, "Track multiple voice messages": the filter ``campaign`` compares the campaign's name.
"""

import re
from collections import Counter
from datetime import UTC, datetime, timedelta
from logging import getLogger
from typing import Final

from voicedrop_async._checks import check_moment, check_ref, check_text
from voicedrop_async.errors import ConfigError
from voicedrop_async.journal import JournalEntry, SendState, SettledBy
from voicedrop_async.models import FilterField, Intent, Reconciliation, TrackingFilter
from voicedrop_async.routee._tracking import Tracking

_LOG: Final = getLogger("voicedrop_async")
_MARGIN: Final = timedelta(minutes=5)
"""How far this machine's clock and the service's may be apart."""


class Reconciling(Tracking):
    """What finds out, after a send whose outcome is unknown: a lost answer is looked for in the tracking."""

    async def reconcile(self, ref_or_intent: str | Intent) -> Reconciliation:
        """Search the tracking for a send whose outcome is unknown. Never sends, and never says "not sent".

        Messages are looked for by the campaign's name, from five minutes before the send until now; those of a
        scheduled campaign show up when it begins. If they are there, the entry of the journal is settled as sent: one that
        is open, and also one that was called not sent. A name that other campaigns bear as well can mislead:
        ``unique_name`` makes one that none does.

        Args:
            ref_or_intent: The ref of the send, or ``OutcomeUnknown.intent``. A send that the journal knows as sent is
                not searched for.

        Returns:
            ``SENT``: its messages are there, or the journal knows that it was sent.
            ``NOT_SEEN_YET``: they are not, or not yet; look again some minutes later. It proves nothing.
            ``DUPLICATE_SUSPECTED``: a recipient has more than one message. The entry stays open for a person to settle.

        Raises:
            ConfigError: The journal has nothing under the ref; or a call of your own, which bears no campaign name; or an
                intent made by hand that cannot be.
            JournalError: The journal cannot be read or written.
            RequestError, WireError: The search failed.
            PageLoop: So did it; the service sends the same page again and again.

        Source: Routee, "Track multiple voice messages", ``POST /voice/tracking``.
        """
        entry, intent = await self._looked_up(ref_or_intent)
        if entry is not None and entry.state is SendState.SENT:
            return Reconciliation.SENT
        if intent.campaign_name is None:
            raise ConfigError("ref_or_intent: a call without a campaign name, so tracking does not show it; look where the service does")
        seen = await self._messages_by_recipient(intent.campaign_name, intent.started_at)
        if not seen:
            return Reconciliation.NOT_SEEN_YET
        twice = sum(count > 1 for recipient, count in seen.items() if recipient)
        if twice:
            _LOG.warning(
                "campaign %r: %d recipients have more than one message; look whether they were called twice", intent.campaign_name, twice
            )
            return Reconciliation.DUPLICATE_SUSPECTED
        if entry is not None:
            try:
                await self._paid.journal.settle(entry.intent, sent=True, by=SettledBy.RECONCILE)
            except ConfigError:
                if await self._paid.journal.find(intent.ref) == entry:
                    raise
                return await self.reconcile(ref_or_intent)  # somebody was quicker: a queue can deliver twice
        return Reconciliation.SENT

    async def _looked_up(self, ref_or_intent: str | Intent) -> tuple[JournalEntry | None, Intent]:
        if isinstance(ref_or_intent, Intent):
            check_moment("ref_or_intent.started_at", ref_or_intent.started_at)
            if ref_or_intent.campaign_name is not None:
                check_text("ref_or_intent.campaign_name", ref_or_intent.campaign_name)
            entry = await self._paid.journal.find(ref_or_intent.ref)
            # The ref may have been sent again since: that is another send, and not ours to settle.
            same = entry is not None and entry.intent.started_at == ref_or_intent.started_at
            return entry if same else None, ref_or_intent
        check_ref(ref_or_intent)
        entry = await self._paid.journal.find(ref_or_intent)
        if entry is None:
            raise ConfigError(
                f"ref_or_intent: the journal of this session has nothing under {ref_or_intent!r}; give the intent of the error"
            )
        return entry, entry.intent

    async def _messages_by_recipient(self, name: str, began: datetime) -> Counter[str]:
        """How many messages each recipient has; under "", those that name none."""
        stream = self.track_messages(
            start=began - _MARGIN,
            end=max(datetime.now(UTC), began) + _MARGIN,  # a clock may have been set back since
            filters=[TrackingFilter(FilterField.CAMPAIGN, name)],
        )
        # A search can answer everything where it does not understand the filter, so the name is compared here as well.
        return Counter([_digits(message.to or "") async for message in stream if message.campaign == name])


def _digits(number: str) -> str:
    """Return the digits of a number with its country code, however that is written: ``+30``, ``0030`` or ``30``."""
    return re.sub(r"[^0-9]", "", number).removeprefix("00")
