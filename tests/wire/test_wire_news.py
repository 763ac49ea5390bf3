"""A service may add a key or a word any day: a page that has one is read by the converter, those after it on the short road again."""

import pytest
from by_value import told
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from wire_payloads import ENCODER, ODD, PATIENT, answer, json_values, odd_rows_of, raw

from voicedrop_async import _wire
from voicedrop_async._wire import _fast, _mirrors, _values
from voicedrop_async._wire._answers import _envelope, _rows
from voicedrop_async._wire._mirrors import News
from voicedrop_async.models import DropState, Gender, MessageStatus, VoicemailDropRecord, VoiceMessage


@pytest.fixture(autouse=True)
def unlearned(monkeypatch):
    """No test starts with what another one's pages have shown."""
    monkeypatch.setattr(_fast, "_news", {})


def page(*rows, **said):
    return ENCODER.encode({"content": [{"messageId": f"m{place}"} | row for place, row in enumerate(rows)]} | said)


def is_short(body):
    """Whether the short road takes a page; it then reads what the converter reads."""
    taken = _fast.decode_envelope(body, VoiceMessage) is not None
    if taken:
        assert told(_wire.load_envelope(answer(body), VoiceMessage)) == told(_envelope(_values.parse(body), VoiceMessage))
    return taken


NEWER = {
    "a key": [{"newer": "x"}],
    "keys with odd names": [{"a b": 1, "from ": 2, "\u00e9": 3, "spare_1": 4, "extra": 5, "row.to": 6}],
    "a key that only some rows have": [{}, {"newer": None}, {}],
    "a key with numbers in it": [{"newer": [0.1, 5, 1e2, {"a": 0.5}]}],
    "a key in a status": [{"status": {"status": "Busy", "newer": True}}],
    "a key in a recording": [{"recordings": [{"trackingId": "r"}, {"newer": {"a": None}}]}],
    "a key in a message": [{"message": {"text": "t", "newer": 1}}],
    "a word": [{"status": {"status": "Newer"}}, {"status": {"status": "Busy"}}],
    "words of several lists": [{"answeredBy": "ROBOT", "direction": "Sideways", "message": {"gender": "robot"}}],
    "a key and a word": [{"newer": "x", "status": {"status": "Newer", "newer": 1}}],
}


@pytest.mark.parametrize("rows", NEWER.values(), ids=NEWER)
def test_what_is_newer_is_learned_from_the_first_page_that_has_it(rows):
    body = page(*rows)
    assert not is_short(body)
    first = _wire.load_envelope(answer(body), VoiceMessage)
    assert is_short(body)
    assert told(_wire.load_envelope(answer(body), VoiceMessage)) == told(first)
    assert is_short(page({"messageId": "as ever"}))


def test_a_new_key_of_the_envelope_is_learned_and_passed_over():
    body = page({"to": "x"}, newer={"a": [1.5]}, totalPages=1)
    assert not is_short(body)
    _wire.load_envelope(answer(body), VoiceMessage)
    assert is_short(body)


def test_a_new_number_of_a_numbered_list_is_learned():
    body = ENCODER.encode([{"id": 1, "state": 77, "newer": 1}, {"id": 2, "state": 1}])
    assert _fast.decode_array(body, VoicemailDropRecord) is None
    first = _wire.load_array(answer(body), VoicemailDropRecord, skip=True)
    assert _fast.decode_array(body, VoicemailDropRecord) == first.items
    assert [item.state for item in first.items] == [77, DropState.DELIVERED]


def test_known_words_stay_members_beside_new_ones():
    for _ in range(2):
        rows = _wire.load_envelope(
            answer(page({"status": {"status": "Newer"}}, {"status": {"status": "Busy"}, "message": {"gender": "male"}})), VoiceMessage
        )
        first, second = rows.rows.items
        assert (type(first.status.status), first.status.status) == (str, "Newer")
        assert (second.status.status, second.message.gender) == (MessageStatus.BUSY, Gender.MALE)


@pytest.mark.parametrize("key", ["+306912345678", "x" * 65, '"', "\\", "\n", "\0", "\x7f", "\u2028"])
def test_what_no_service_would_name_a_field_is_left_to_the_converter(key):
    """And what must not be remembered: a phone number."""
    body = page({key: 1})
    for _ in range(2):
        assert _wire.load_envelope(answer(body), VoiceMessage).rows.items[0].extra == {key: 1}
    assert not is_short(body)


def test_of_keys_that_are_made_up_for_every_answer_the_latest_are_remembered():
    """However many there were, a real one is learned; and what is remembered is bounded, whatever a service sends."""
    for number in range(3):
        _wire.load_envelope(answer(page({f"key{number}_{each}": 1 for each in range(_mirrors.MOST_KEYS)})), VoiceMessage)
    assert len(_fast._news[VoiceMessage].keys) == _mirrors.MOST_KEYS
    body = page({"real": 1})
    assert _wire.load_envelope(answer(body), VoiceMessage).rows.items[0].extra == {"real": 1}
    assert is_short(body)
    assert len(_fast._news[VoiceMessage].keys) == _mirrors.MOST_KEYS


def test_what_was_learned_is_not_shown():
    _wire.load_envelope(answer(page({"personal": 1})), VoiceMessage)
    assert "personal" not in repr(_fast._news)


def test_what_cannot_be_read_is_not_taken_for_news():
    """A value in another spelling stands in ``extra`` under a documented key."""
    _wire.load_envelope(answer(page({"to": [], "status": {"status": "Busy", "name": "Busy"}, "recordings": [5]})), VoiceMessage)
    assert _fast._news[VoiceMessage] is _fast._NONE


keys = st.one_of(st.sampled_from(["odd", "name", "errorCode", "extra", "spare_1", "sender", "messageID"]), st.text(max_size=4))
anything = st.one_of(st.sampled_from(ODD), json_values)


@settings(PATIENT, max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
@pytest.mark.parametrize("model", [VoiceMessage, VoicemailDropRecord])
def test_both_roads_agree_whatever_was_learned_before(model, data):
    """Rows with odd fields and any new keys; the mirror knows the news of these rows, and of others."""
    rows = [data.draw(odd_rows_of(model)) | data.draw(st.dictionaries(keys, anything, max_size=3)) for _ in range(2)]
    both = _rows(_values.parse(ENCODER.encode(rows)), model, skip=True).items
    news = News()
    for item in both:
        news = news.and_of(item)
    for some in ([rows[0]], [rows[1]], rows):
        body = ENCODER.encode(some)
        quick = _fast._unless_odd(_fast._tools(model, news).array, body, None)
        if quick is not None:
            slow = _rows(_values.parse(body), model, skip=False)
            assert told(quick) == told(slow.items)
            assert slow.unreadable == 0


def test_a_number_too_large_for_a_float_stays_exact_on_both_roads():
    body = page({"newer": raw("1e400"), "other": raw("0.1")})
    for _ in range(2):
        extra = _wire.load_envelope(answer(body), VoiceMessage).rows.items[0].extra
        assert (str(extra["newer"]), extra["other"]) == ("1E+400", 0.1)
