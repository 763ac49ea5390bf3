"""A send as words: the columns of a file, the fields in Redis."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from voicedrop_async.errors import JournalError
from voicedrop_async.journal._entry import JournalEntry, SendState, SettledBy
from voicedrop_async.models import Intent


def words_of(intent: Intent) -> dict[str, Any]:
    """Return an intent as words; the same intent gives the same."""
    return {
        "ref": intent.ref,
        "campaign_name": intent.campaign_name,
        "started_at": intent.started_at.astimezone(UTC).isoformat(),
        "recipients": intent.recipients,
        "campaign_digest": intent.campaign_digest,
        "recipients_digest": intent.recipients_digest,
    }


def entry_of(words: Mapping[str, Any], place: str) -> JournalEntry:
    """Return the entry that the words tell; what was not settled yet may be missing.

    Raises:
        JournalError: No journal writes such words; names their ``place``.
    """
    try:
        return _entry(words)
    except (AttributeError, LookupError, TypeError, ValueError):
        raise broken(place) from None


def broken(place: str) -> JournalError:
    """Say that an entry cannot be read, and which."""
    return JournalError(f"{place}: the entry there is broken, and nobody can tell what was sent; put back a copy, or mend it by hand")


def _entry(words: Mapping[str, Any]) -> JournalEntry:
    settled_at, settled_by = words.get("settled_at"), words.get("settled_by")
    return JournalEntry(
        intent=Intent(
            ref=words["ref"],
            campaign_name=words["campaign_name"],
            started_at=datetime.fromisoformat(words["started_at"]),
            recipients=words["recipients"],
            campaign_digest=words["campaign_digest"],
            recipients_digest=words["recipients_digest"],
        ),
        state=SendState(words["state"]),
        result=words.get("result"),
        settled_at=None if settled_at is None else datetime.fromisoformat(settled_at),
        settled_by=None if settled_by is None else SettledBy(settled_by),
    )
