"""Two roads lead from bytes to models, a short one and the converter's; whoever takes them sees one library.

The strategies make answers as documented, odd ones, and broken ones; see ``wire_payloads``.
"""

import gc
from datetime import UTC, datetime

import pytest
from by_value import told
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from wire_payloads import (
    ENCODER,
    ODD,
    PATIENT,
    answer,
    envelopes_of,
    json_values,
    lists_of,
    odd_rows_of,
    odd_values,
    raw,
    rows_of,
)
from wire_samples import DOCUMENTED, sample

from voicedrop_async import _wire
from voicedrop_async._wire import _fast, _values
from voicedrop_async._wire._answers import _envelope, _rows
from voicedrop_async._wire._convert import FORGIVING, STRICT
from voicedrop_async._wire._names import wire_names
from voicedrop_async.calls import Kind, Reply, refusal
from voicedrop_async.errors import WireError
from voicedrop_async.models import CampaignReceipt, DeliveryStatus, VoiceAnalysis, VoicemailDropRecord, VoiceMessage


@pytest.fixture(autouse=True)
def unlearned(monkeypatch):
    """No test starts with what another one's pages have shown."""
    monkeypatch.setattr(_fast, "_news", {})


LISTED = [VoiceMessage, VoicemailDropRecord]
OBJECTS = [*LISTED, CampaignReceipt, VoiceAnalysis]
READERS = [
    lambda reply: _wire.load_envelope(reply, VoiceMessage),
    lambda reply: _wire.load_array(reply, VoicemailDropRecord, skip=True),
    lambda reply: _wire.load_array(reply, VoicemailDropRecord, skip=False),
    lambda reply: _wire.load_one(reply, VoiceMessage),
    lambda reply: _wire.load_one(reply, CampaignReceipt, forgiving=True),
    lambda reply: _wire.load_one(reply, VoiceAnalysis),
    _wire.load_token,
]


SAME_NEWS = settings(PATIENT, suppress_health_check=[HealthCheck.function_scoped_fixture])
"""What one example has shown may be known to the next one."""


def refused(read, body, **changes):
    """Return the wire error that reading ends with; None if it ends well. Anything else breaks the test."""
    try:
        read(answer(body, **changes))
    except WireError as error:
        return error
    return None


def check_array_roads(body, model):
    """Read an array on both roads; return whether the short one took it."""
    quick = _fast.decode_array(body, model)
    if quick is not None:
        rows = _rows(_values.parse(body), model, skip=False)
        assert told(quick) == told(rows.items)
        assert list(map(hash, quick)) == list(map(hash, rows.items))
        assert rows.unreadable == 0
    return quick is not None


def check_envelope_roads(body, model):
    """Read an envelope on both roads; return whether the short one took it."""
    took = _fast.decode_envelope(body, model) is not None
    if took:
        assert told(_wire.load_envelope(answer(body), model)) == told(_envelope(_values.parse(body), model))
    return took


@settings(SAME_NEWS, max_examples=60)
@given(data=st.data())
@pytest.mark.parametrize("model", LISTED)
def test_the_short_road_takes_whatever_is_documented_and_reads_it_as_the_converter_does(model, data):
    """Words newer than the document as well, once a page has shown that there are any."""
    body = ENCODER.encode(data.draw(st.lists(rows_of(model), max_size=3)))
    assert check_array_roads(body, model) or b'"Newer"' in body or b'"state":' in body
    _wire.load_array(answer(body), model, skip=False)
    assert check_array_roads(body, model)


@settings(SAME_NEWS, max_examples=250)
@given(data=st.data())
@pytest.mark.parametrize("model", LISTED)
def test_both_roads_agree_on_a_row_with_odd_fields(model, data):
    """Numbers as text, moments in any spelling, unknown keys and words: refused by the short road, or read alike."""
    check_array_roads(ENCODER.encode([data.draw(odd_rows_of(model))]), model)


@pytest.mark.parametrize("key", ["odd", "name", *DOCUMENTED[VoiceMessage].split()])
def test_both_roads_agree_on_every_odd_value_of_a_message(key):
    took = [check_array_roads(ENCODER.encode([{"messageId": "m", key: value}]), VoiceMessage) for value in ODD]
    assert any(took) == (key not in {"odd", "name"})


@pytest.mark.parametrize("key", ["odd", *DOCUMENTED[VoicemailDropRecord].split()])
def test_both_roads_agree_on_every_odd_value_of_a_drop_record(key):
    took = [check_array_roads(ENCODER.encode([{"id": 1, key: value}]), VoicemailDropRecord) for value in ODD]
    assert any(took) == (key != "odd")


@pytest.mark.parametrize("key", [*DOCUMENTED[DeliveryStatus].split(), "name", "updatedDate"])
def test_both_roads_agree_on_every_odd_value_of_a_status(key):
    took = [check_array_roads(ENCODER.encode([{"messageId": "m", "status": {key: value}}]), VoiceMessage) for value in ODD]
    assert any(took) == (key not in {"name", "updatedDate"})


@settings(SAME_NEWS, max_examples=150)
@given(envelope=envelopes_of(VoiceMessage))
def test_both_roads_agree_on_odd_envelopes(envelope):
    check_envelope_roads(ENCODER.encode(envelope), VoiceMessage)


@pytest.mark.parametrize("amount", ["NaN", "Infinity", "sNaN", "1_000", " 5 ", "\u0663", "9" * 41])
def test_both_roads_refuse_the_same_texts_as_amounts(amount):
    """``Decimal`` itself takes more than a number: not-a-numbers, underscores, blanks, other alphabets' digits."""
    row = _wire.load_envelope(answer({"content": [{"messageId": "m", "price": amount}]}), VoiceMessage).rows.items[0]
    assert (row.price, row.extra) == (None, {"price": amount})


@pytest.mark.parametrize("digits", ["1234567", "123456789", "999999999"])
def test_both_roads_cut_a_moment_to_the_microsecond(digits):
    """Rounding on one road would let the same record lie on either side of the edge of a slice."""
    body = ENCODER.encode([{"id": 1, "timestamp": f"2015-01-06T10:21:14.{digits}Z"}])
    check_array_roads(body, VoicemailDropRecord)
    assert _wire.load_array(answer(body), VoicemailDropRecord, skip=True).items[0].timestamp.microsecond == int(digits[:6])


def test_both_roads_refuse_text_that_is_not_utf_8_wherever_it_stands():
    """The short road does not look into keys it does not know."""
    with pytest.raises(WireError):
        _wire.load_envelope(answer(b'{"content":[],"odd":"\xff"}'), VoiceMessage)


@pytest.mark.parametrize("body", [b"[]", b'[{"id":1}]', b"[", b'[{"id":"1"}]', b"[{}]"])
@pytest.mark.parametrize("switch", [gc.enable, gc.disable])
def test_reading_leaves_the_garbage_collector_as_it_was(body, switch):
    was_on = gc.isenabled()
    switch()
    refused(lambda reply: _wire.load_array(reply, VoicemailDropRecord, skip=False), body)
    is_on = gc.isenabled()
    (gc.enable if was_on else gc.disable)()
    assert is_on == (switch is gc.enable)


@settings(SAME_NEWS, max_examples=60)
@given(data=st.data())
@pytest.mark.parametrize("model", OBJECTS)
def test_what_is_documented_survives_the_way_out_and_in_again(model, data):
    """Load, dump, load: equal models, and nothing but documented keys on the wire."""
    once = STRICT.structure(_values.parse(ENCODER.encode(data.draw(rows_of(model)))), model)
    dumped = STRICT.unstructure(once)
    assert set(dumped) <= set(DOCUMENTED[model].split())
    assert STRICT.structure(_values.parse(_wire.encode(dumped)), model) == once


@settings(SAME_NEWS, max_examples=100)
@given(data=st.data())
@pytest.mark.parametrize("model", OBJECTS)
def test_what_is_odd_survives_the_way_out_and_in_again(model, data):
    """What could not be read goes out as it came, beside what could."""
    row = _values.parse(ENCODER.encode(data.draw(odd_rows_of(model))))
    identity = {VoiceMessage: "messageId", VoicemailDropRecord: "id", CampaignReceipt: "trackingId"}.get(model)
    once = FORGIVING.structure(row | ({identity: 7} if identity else {}), model)
    dumped = FORGIVING.unstructure(once)
    spellings = {name for field in type(once).__attrs_attrs__ for name in wire_names(model, field.name)}
    assert set(dumped) <= spellings | set(once.extra)
    assert FORGIVING.structure(_values.parse(_wire.encode(dumped)), model) == once


@settings(SAME_NEWS, max_examples=120)
@given(body=st.one_of(st.binary(max_size=40), json_values.map(ENCODER.encode), lists_of(VoicemailDropRecord).map(ENCODER.encode)))
@pytest.mark.parametrize("read", READERS)
def test_whatever_comes_is_read_or_a_wire_error(read, body):
    error = refused(read, body)
    assert error is None or (error.status, error.length, error.attempts) == (200, len(body), 1)


@settings(SAME_NEWS, max_examples=60)
@given(place=st.integers(0), byte=st.integers(0, 255), cut=st.booleans())
@pytest.mark.parametrize(
    ("read", "name"),
    list(zip(READERS, ["tracking_page", *["drop_records"] * 2, "tracking_page", "campaign_answer", "analysis", "token"], strict=True)),
)
def test_a_damaged_or_cut_page_is_read_or_a_wire_error(read, name, place, byte, cut):
    whole = sample(name).strip()
    place %= len(whole)
    damaged = whole[:place] if cut else whole[:place] + bytes([byte]) + whole[place + 1 :]
    assert refused(read, damaged) or not cut


@settings(SAME_NEWS, max_examples=200)
@given(
    body=st.one_of(
        st.binary(max_size=40),
        json_values.map(ENCODER.encode),
        st.dictionaries(
            st.sampled_from(["code", "errorCode", "developerMessage", "message", "error", "error_description", "errors"]), odd_values
        ).map(ENCODER.encode),
    )
)
@example(body=b"[" * 200_000)
@example(body=b'{"errors":' + b"[" * 900 + b"]" * 900 + b"}")
@example(body=b'{"code":' + b"9" * 5000 + b"}")
def test_no_refusal_is_too_odd_to_be_read(body):
    """And no code so long that an error of it could not be shown."""
    reply = Reply(status=400, headers={}, body=body, attempts=1, elapsed=0.0)
    error = refusal(reply, _wire.load_complaint(body), Kind.READ, datetime.now(UTC))
    assert error.code is None or len(error.code) <= 40


CANARY = "canary-7730"


@settings(SAME_NEWS, max_examples=100)
@given(data=st.data())
@pytest.mark.parametrize("read", READERS)
def test_no_wire_error_tells_what_stood_in_the_answer(read, data):
    """Not its text, not its facts, not its cause; a key can be a phone number, so keys count as well."""
    canary = st.just(CANARY)
    spot = st.one_of(canary, st.just({CANARY: CANARY}), st.just([CANARY]), st.just([{CANARY: CANARY, "id": CANARY}]))
    keys = st.sampled_from(sorted({CANARY, "content", "errors", "last", *" ".join(DOCUMENTED.values()).split()}))
    said = data.draw(st.one_of(spot, st.dictionaries(keys, st.one_of(spot, st.dictionaries(keys, spot)), min_size=1)))
    error = refused(read, ENCODER.encode(said), headers={"Content-Type": "application/json"})
    facts = [str(error), repr(error), repr(vars(error)) if error else "", *map(str, getattr(error, "__notes__", ()))]
    assert not any(CANARY in fact for fact in facts)
    assert error is None or (error.__cause__ is None and error.__suppress_context__)


def test_the_raw_pieces_of_the_strategies_are_json():
    assert [_values.parse(ENCODER.encode(raw(text))) for text in ("3.0", "1e2")] == [3, 100]
