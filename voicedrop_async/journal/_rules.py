"""What every journal of ours agrees on: what may be said of an entry, and what a caller may ask for."""

import re
from datetime import UTC, datetime, timedelta
from typing import Final, NoReturn

from voicedrop_async._checks import check_kind, check_ref, check_text
from voicedrop_async._masking import type_of
from voicedrop_async.errors import ConfigError
from voicedrop_async.journal._entry import JournalEntry, SendState, SettledBy
from voicedrop_async.models import Intent

_MADE: Final = re.compile("send-[a-z]{20}")


class OfOneProcess:
    """What holds a file, connections or entries, and so cannot be copied into another process."""

    def __reduce__(self) -> NoReturn:
        raise ConfigError(f"journal: a {type(self).__name__} is not copied or pickled; make one in each process")


def check_lookup(ref: object) -> None:
    """Refuse what is no text; under none, as in an intent that was made by hand, stands nothing."""
    if ref != "":
        check_text("ref", ref)


def check_settlement(ref: object, *, sent: object, by: object, result: object, of: object) -> None:
    """Refuse a word on a send that is not plain: what is neither True nor False must not free a ref."""
    check_ref(ref)
    if not isinstance(sent, bool):
        raise ConfigError(f"sent: {type_of(sent)} is neither True nor False; while nobody knows, the entry stays open")
    if not isinstance(by, SettledBy):
        raise ConfigError(f"by: {type_of(by)} is no SettledBy")
    check_kind("of", of, Intent)
    check_kind("result", result, str)


def is_made_up(ref: str) -> bool:
    """Whether a session made the ref, for a send without one: nobody can ask for it again."""
    return _MADE.fullmatch(ref) is not None


def state_after(*, sent: bool) -> SendState:
    """Return what an entry is once it is settled."""
    return SendState.SENT if sent else SendState.NOT_SENT


def may_settle(entry: JournalEntry, *, sent: bool, by: SettledBy, of: Intent | None) -> bool:
    """Whether that can be said of what stands there. ``of`` is the claim that is meant; None if any is."""
    if of is not None and entry.intent != of:  # the moment it began tells a claim from the next one
        return False
    if entry.state is SendState.OPEN:
        return True
    # What is settled can only move to the safe side; and nobody knows better than the answer.
    answers = by is SettledBy.ANSWER and entry.settled_by is not SettledBy.ANSWER
    return sent and (entry.state is SendState.NOT_SENT or answers)


def no_open_entry(ref: str) -> ConfigError:
    """Say that there is nothing to settle."""
    return ConfigError(f"ref: the journal has no open entry under {ref!r}; look which are open")


def oldest_kept(older_than: timedelta) -> datetime:
    """Return the moment before which settled entries are forgotten; the clock says it, and nothing else hangs on the clock.

    Raises:
        ConfigError: ``older_than`` is no span of time, or one that reaches into the future.
    """
    if not isinstance(older_than, timedelta) or older_than < timedelta(0):
        raise ConfigError("older_than: must be a timedelta of zero or more")
    try:
        return datetime.now(UTC) - older_than
    except OverflowError:  # before the first day there is
        return datetime.min.replace(tzinfo=UTC)
