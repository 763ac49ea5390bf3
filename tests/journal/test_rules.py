"""What journals agree on, and what they say of a fault, as plain functions."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest
from journal_contract import intent

from voicedrop_async import JournalEntry, JournalError, SendState, SettledBy
from voicedrop_async._redis import reason
from voicedrop_async.journal._key import mark_of
from voicedrop_async.journal._rows import entry_of, words_of
from voicedrop_async.journal._rules import is_made_up, may_settle

WORDS: Mapping[str, Any] = {
    "ref": "order-7",
    "campaign_name": "Spring sale é-1",
    "started_at": "2026-03-01T12:30:15.123456+00:00",
    "recipients": 1000,
    "campaign_digest": "digest of a campaign",
    "recipients_digest": "digest of recipients",
}
SETTLED: Mapping[str, Any] = {"result": "{}", "settled_at": "2026-03-02T00:00:00+00:00", "settled_by": "reconcile"}


def test_an_entry_is_read_from_the_words_it_was_written_in() -> None:
    assert words_of(intent()) == WORDS
    assert entry_of({**WORDS, "state": "open"}, "a file") == JournalEntry(intent=intent(), state=SendState.OPEN)
    assert entry_of({**WORDS, "state": "sent", **SETTLED}, "a file") == JournalEntry(
        intent=intent(),
        state=SendState.SENT,
        result="{}",
        settled_at=datetime(2026, 3, 2, tzinfo=UTC),
        settled_by=SettledBy.RECONCILE,
    )


@pytest.mark.parametrize("missing", [*WORDS, "state"])
def test_words_that_no_journal_writes_are_named_by_their_place(missing: str) -> None:
    words = {name: word for name, word in ({**WORDS, "state": "open"}).items() if name != missing}

    with pytest.raises(JournalError) as broken:
        entry_of(words, "a file, ref 'order-7'")
    assert str(broken.value) == (
        "a file, ref 'order-7': the entry there is broken, and nobody can tell what was sent; put back a copy, or mend it by hand"
    )


@pytest.mark.parametrize("odd", [{"state": "lost"}, {"started_at": 7}, {"started_at": "soon"}, {"settled_at": "x"}, {"settled_by": "x"}])
def test_a_word_that_nobody_knows_breaks_its_entry(odd: dict[str, object]) -> None:
    with pytest.raises(JournalError, match="is broken"):
        entry_of({**WORDS, "state": "sent", **SETTLED, **odd}, "a file")


@pytest.mark.parametrize(
    ("ref", "is_ours"),
    [
        ("send-bcdfghjklmnpqrstvwxz", True),
        ("send-bcdfghjklmnpqrstvwx", False),
        ("send-bcdfghjklmnpqrstvwxzz", False),
        ("my-send-bcdfghjklmnpqrstvwxz", False),
        ("send-BCDFGHJKLMNPQRSTVWXZ", False),
    ],
)
def test_a_ref_that_a_session_made_is_known_by_its_shape(ref: str, is_ours: bool) -> None:
    assert is_made_up(ref) is is_ours


ENTRIES = {
    "open": JournalEntry(intent=intent(), state=SendState.OPEN),
    **{
        f"{state} by {by}": JournalEntry(intent=intent(), state=state, settled_by=by)
        for state in (SendState.SENT, SendState.NOT_SENT)
        for by in SettledBy
    },
}
SETTLES = {
    *[("open", sent, by) for sent in (True, False) for by in SettledBy],
    *[(f"not_sent by {earlier}", True, by) for earlier in SettledBy for by in SettledBy],
    *[(f"sent by {earlier}", True, SettledBy.ANSWER) for earlier in (SettledBy.RECONCILE, SettledBy.PERSON)],
}
"""What may be said of which entry, by whom: only to the safe side, and nobody knows better than the answer."""


@pytest.mark.parametrize("by", SettledBy)
@pytest.mark.parametrize("sent", [True, False])
@pytest.mark.parametrize("entry", ENTRIES)
def test_what_is_settled_moves_to_the_safe_side_only(entry: str, sent: bool, by: SettledBy) -> None:
    for of in (None, intent()):
        assert may_settle(ENTRIES[entry], sent=sent, by=by, of=of) is ((entry, sent, by) in SETTLES)
    assert not may_settle(ENTRIES[entry], sent=sent, by=by, of=intent(campaign="another"))


def test_a_key_is_known_again_by_the_mark_that_an_earlier_release_wrote() -> None:
    """Were it another one, each journal would be refused as another's."""
    assert mark_of(bytes(32)) == "581ec9e33435ae01462d0de6e69ebe38bfeb33a3dd9f7d206e4db860f1c7b0fa"


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("OOM command not allowed when used memory > 'maxmemory'.", "OSError, OOM"),
        ("READONLY You can't write against a read only replica.", "OSError, READONLY"),
        ("NOAUTH", "OSError, NOAUTH"),
        ("Error 111 connecting to 10.0.0.7:6379", "OSError"),
        ("connection to cAnArY lost", "OSError"),
        ("R2 is down", "OSError"),
        ("", "OSError"),
    ],
)
def test_of_a_fault_of_redis_its_kind_is_told_and_its_code_but_no_word_of_it(said: str, told: str) -> None:
    assert reason(OSError(said)) == told
