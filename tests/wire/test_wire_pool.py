"""Pages whose items are all kept share the texts that most items repeat; in what they say, nothing changes."""

from decimal import Decimal

import pytest
from by_value import told
from hypothesis import given, settings
from hypothesis import strategies as st
from wire_payloads import ENCODER, PATIENT, answer, rows_of

from voicedrop_async import _wire
from voicedrop_async.models import VoiceMessage

ROW = {
    "messageId": "m", "from": "Shop", "groups": ["a", "b"], "country": "GR", "campaign": "Spring", "applicationName": "App",
    "originatingService": "Voice", "message": {"text": "Hello", "language": "en-GB"}, "to": "+306912345678", "price": 0.1,
}  # fmt: skip
REPEATED = ["sender", "country", "campaign", "application_name", "originating_service"]


def load(*rows, pool):
    return _wire.load_envelope(answer(ENCODER.encode({"content": rows})), VoiceMessage, pool).rows.items


def test_pages_that_are_kept_share_the_texts_that_repeat():
    pool = {}
    (first,), (second,) = load(ROW, pool=pool), load(ROW, pool=pool)
    assert all(getattr(first, name) is getattr(second, name) for name in REPEATED)
    assert first.groups[1] is second.groups[1]
    assert first.message.text is second.message.text
    assert first.message.language is second.message.language


@pytest.mark.parametrize("text", ["m", "+306912345678"])
def test_what_is_another_one_in_each_row_is_not_remembered(text):
    """The pool would hold as much as it saves."""
    pool = {}
    load(ROW, pool=pool)
    assert text not in pool


def test_amounts_keep_their_digits():
    """``0.10`` equals ``0.1``, and is not the same."""
    pool = {}
    texts = [str(item.price) for amount in ("0.1", "0.10") for item in load(ROW | {"price": Decimal(amount)}, pool=pool)]
    assert texts == ["0.1", "0.10"]


@settings(PATIENT, max_examples=100)
@given(rows=st.lists(rows_of(VoiceMessage), max_size=4))
def test_what_is_shared_says_the_same(rows):
    assert told(load(*rows, *rows, pool={})) == told(load(*rows, *rows, pool=None))


async def test_collect_shares_and_a_walk_does_not(sandbox, routee):
    stream = routee.track_messages(page_size=50)
    walked = [item async for item in stream]
    collected = await stream.collect()
    assert collected == walked
    distinct = {item.campaign for item in walked}
    assert len({id(item.campaign) for item in collected}) == len(distinct)
    assert len({id(item.campaign) for item in walked}) > len(distinct)
