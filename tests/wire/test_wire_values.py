"""Each value is read as what it should be, in the spellings services are known to use, and refused as anything else."""

import json
import math
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from wire_payloads import PATIENT, answer

from voicedrop_async import _wire
from voicedrop_async._wire import _values
from voicedrop_async._wire._values import Unreadable, amount, moment, parse, seconds, text, truth, whole
from voicedrop_async.errors import WireError
from voicedrop_async.models import CampaignSummary, DropState, MessageStatus, VoicemailDropRecord, VoiceMessage

TEN = datetime(2015, 1, 6, 10, 21, 14, tzinfo=UTC)


def message(body):
    """Return the one message that a row's JSON is read as."""
    return _wire.load_envelope(answer(b'{"content":[%s]}' % body), VoiceMessage).rows.items[0]


def refused(reader, value):
    """Whether a reader will not have a value; what it says then must not hold it."""
    with pytest.raises(Unreadable) as caught:
        reader(value)
    return str(caught.value) in {"text", "number", "whole number", "number of seconds", "true or false", "moment", "JSON"}


# --- bytes -----------------------------------------------------------------------------------------------------------


def test_j12_a_byte_order_mark_is_passed_over():
    assert parse(b'\xef\xbb\xbf{"a":1}') == {"a": 1}


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b" ",
        b"nothing",
        b"<html></html>",
        b'{"a":1',
        b'{"a":1} {"a":2}',
        b"[1,]",
        b"{'a':1}",
        b"\xef\xbb\xbf\xef\xbb\xbf[]",
        b'["\xff"]',
        b'["\xc3"]',
        b'["\xed\xa0\x80"]',
        rb'["\ud800"]',
        b'["\x00"]',
        "[]".encode("utf-16"),
        "[]".encode("utf-16-le"),
        "[]".encode("utf-32"),
        b"NaN",
        b"Infinity",
        b"[-Infinity]",
        b"01",
        b"9" * 5000,
        b"[" * 200_000,
        b"[" * 200_000 + b"]" * 200_000,
        b'{"a":' * 200_000,
        b"1e99999999999999999999",
    ],
    ids=lambda body: repr(body[:12]),
)
def test_j11_j12_what_is_no_json_in_utf_8_is_refused(body):
    """Broken on the way, in another encoding, too deep, or a number no machine should hold: it may pass with another try."""
    assert refused(parse, body)
    with pytest.raises(WireError) as caught:
        _wire.load_envelope(answer(body), VoiceMessage)
    assert (caught.value.may_pass, caught.value.path, caught.value.length) == (True, "", len(body))


def test_j12_a_nul_and_a_pair_of_surrogates_are_text():
    assert message(rb'{"messageId":"\u0000\ud83d\ude00"}').message_id == "\0\N{GRINNING FACE}"


def test_j11_deep_nesting_inside_a_row_does_not_lose_the_row():
    """As deep as the parser goes; what it refuses is no JSON to us."""
    odd = message(b'{"messageId":"m","odd":' + b"[" * 600 + b"]" * 600 + b"}")

    assert (odd.message_id, list(odd.extra)) == ("m", ["odd"])
    with pytest.raises(WireError):
        message(b'{"messageId":"m","odd":' + b"[" * 200_000 + b"]" * 200_000 + b"}")


def test_j14_of_doubled_keys_the_last_one_counts():
    assert message(b'{"messageId":"a","messageId":"b"}').message_id == "b"
    assert message(b'{"messageId":"a","messageId":"b","odd":1}').message_id == "b"


def test_j15_the_answer_is_read_by_its_content_whatever_it_calls_itself():
    reply = answer({"content": []}, headers={"Content-Type": "text/html; charset=nonsense"})
    assert _wire.load_envelope(reply, VoiceMessage).rows.items == ()


def test_j15_an_error_names_what_the_answer_called_itself():
    with pytest.raises(WireError, match=r"JSON expected .*status 200, content type text/html, 6 bytes"):
        _wire.load_envelope(answer(b"<html>", headers={"Content-Type": "text/html"}), VoiceMessage)


# --- numbers ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "read"),
    [(b"3", 3), (b"3.0", 3), (b"1e2", 100), (b'"3"', 3), (b'"-3.0"', -3), (b'"1e2"', 100), (b"%d" % 2**70, 2**70), (b"1e40", 10**40)],
)
def test_j04_j06_a_whole_number_comes_in_many_spellings(body, read):
    number = whole(parse(body))
    assert (number, type(number)) == (read, int)


@pytest.mark.parametrize("value", [True, False, None, "", "x", "5.9", "1_0", " 1", "\u0663", "NaN", "1e41", "9" * 41, [], {}, [3]])
@pytest.mark.parametrize("reader", [whole, amount, seconds])
def test_j06_what_is_no_number_is_refused(reader, value):
    if (value, reader) in [("5.9", amount), ("5.9", seconds), ("1e41", seconds)]:
        assert reader(value) == reader(parse(value.encode()))
    else:
        assert refused(reader, value)


@pytest.mark.parametrize("value", ["NaN", "Infinity", "-Infinity", "sNaN"])
@pytest.mark.parametrize("reader", [whole, amount, seconds])
def test_not_a_number_is_no_number_though_decimals_know_it(reader, value):
    assert refused(reader, Decimal(value))


@pytest.mark.parametrize("body", [b"5.9", b"1e-1", b"1e41", b"1e999999999", b"1.0000000000000000000000000000000001"])
def test_j06_a_number_that_is_not_whole_is_refused(body):
    assert refused(whole, parse(body))


def test_j09_an_id_of_seventy_bits_is_exact():
    assert message(b'{"messageId":%d}' % 2**70).message_id == "1180591620717411303424"
    assert _wire.load_array(answer([{"id": 2**70}]), VoicemailDropRecord, skip=True).items[0].id == 2**70


@settings(PATIENT)
@given(st.decimals(allow_nan=False, allow_infinity=False, places=12))
def test_an_amount_keeps_its_digits(price):
    """Through binary floats, 0.1 would be 0.1000000000000000055."""
    assert amount(parse(b"%f" % 0 if price == 0 else f"{price:f}".encode())) == price
    assert message(b'{"messageId":"m","price":%s}' % f"{price:f}".encode()).price == price


@pytest.mark.parametrize("body", [b"0.10", b"0.1", b"1e-9", b"12345678901234567890.123456789", b"7"])
def test_an_amount_is_read_as_it_is_written(body):
    assert str(message(b'{"messageId":"m","price":%s}' % body).price) == str(Decimal(body.decode()))
    assert amount(body.decode()) == Decimal(body.decode())


@pytest.mark.parametrize(
    ("body", "read"), [(b"3", 3), (b"3.0", 3.0), (b"2.5", 2.5), (b'"3"', 3), (b'"3.0"', 3), (b'"2.5"', 2.5), (b"1e2", 100.0)]
)
def test_seconds_stay_whole_or_not_as_they_were_sent(body, read):
    assert repr(message(b'{"messageId":"m","duration":%s}' % body).duration) == repr(read)


@pytest.mark.parametrize("body", [b"1e400", b"1" + b"0" * 41, b"-1" + b"0" * 400])
def test_j06_seconds_beyond_all_numbers_are_refused(body):
    assert refused(seconds, parse(body))


@pytest.mark.parametrize("body", [b"1e41", b"-1e41", b"1" + b"0" * 41, b"9e999999", b"1e99999999999"])
def test_j06_a_price_beyond_all_money_is_refused(body):
    assert refused(amount, parse(body))


@pytest.mark.parametrize("odd", [b"", b',"odd":1'], ids=["the short road", "the converter's"])
@pytest.mark.parametrize("number", [b"1" + b"0" * 400, b"-1" + b"0" * 400, b"9e999999", b"-9e999999", b"1e99999999999"])
def test_j06_numbers_beyond_all_bounds_are_kept_raw_and_break_no_sum(number, odd):
    """``1e400 + 0.5`` is an OverflowError of Python, in floats and in decimals alike."""
    row = b'{"messageId":"m","duration":%b,"chargeInterval":%b,"price":%b%b}' % (number, number, number, odd)
    read = message(row)
    usual = message(b'{"messageId":"n","duration":2.5,"price":0.1}')

    assert (read.duration, read.charge_interval, read.price) == (None, None, None)
    assert {"duration", "chargeInterval", "price"} <= set(read.extra)
    summary = CampaignSummary.of([read, usual])
    assert (summary.duration, summary.cost) == (2.5, Decimal("0.1"))


def test_j06_a_price_that_is_next_to_nothing_breaks_no_sum():
    summary = CampaignSummary.of([message(b'{"messageId":"m","price":1e-99999999999}'), message(b'{"messageId":"n","price":0.1}')])
    assert summary.cost == Decimal("0.1")


def test_what_a_document_does_not_know_comes_as_python_would_read_it():
    extra = message(b'{"messageId":"m","odd":{"a":[0.5,1e400,3,null,"x",true]}}').extra
    assert extra == {"odd": {"a": [0.5, Decimal("1e400"), 3, None, "x", True]}}
    assert math.isclose(extra["odd"]["a"][0], 0.5)
    assert type(extra["odd"]["a"][0]) is float


# --- texts, truths, words --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("value", "read"), [("", ""), ("x", "x"), (7, "7"), (-7, "-7"), (0, "0"), (2**70, str(2**70))])
def test_j04_a_text_is_text_or_the_digits_of_a_whole_number(value, read):
    assert text(value) == read


def test_j04_texts_and_numbers_of_a_model_are_read_by_its_fields():
    """A message's id is text, whatever it came as; a drop record's is a number, as its page has it."""
    read = message(b'{"messageId":7,"to":306912345678,"duration":"3","price":"0.10"}')
    assert (read.message_id, read.to, read.duration, read.price) == ("7", "306912345678", 3, Decimal("0.10"))
    row = {"id": "7", "number": 306912345678, "reference": 12, "state": "1", "job": "3.0"}
    record = _wire.load_array(answer([row]), VoicemailDropRecord, skip=True).items[0]
    assert (record.id, record.number, record.reference, record.state, record.job) == (7, "306912345678", "12", DropState.DELIVERED, 3)


@pytest.mark.parametrize("value", [True, False, None, Decimal("1.0"), 10**40, -(10**40), [], {}, ["x"]])
def test_j07_nothing_else_becomes_text(value):
    """``str`` alone would make "None" and "True" of them."""
    assert refused(text, value)


def test_j07_a_null_is_none_and_not_its_name():
    read = message(b'{"messageId":"m","to":null,"price":null,"duration":null,"status":null,"groups":null}')
    assert (read.to, read.price, read.duration, read.status, read.groups) == (None, None, None, None, None)
    assert read == VoiceMessage("m")


@pytest.mark.parametrize(("value", "read"), [(True, True), (False, False), ("true", True), ("false", False)])
def test_the_text_false_is_not_true(value, read):
    assert truth(value) is read


@pytest.mark.parametrize("value", [None, 0, 1, "", "False", "TRUE", "no", [], {}, Decimal(1)])
def test_nothing_else_is_a_truth(value):
    assert refused(truth, value)


@pytest.mark.parametrize("status", ["Queued", "NoAnswer"])
def test_a_known_word_is_a_member(status):
    assert message(b'{"messageId":"m","status":{"status":"%s"}}' % status.encode()).status.status is MessageStatus(status)


@pytest.mark.parametrize("status", ["No Answer", "completed", "Sleeping", ""])
def test_j01_j18_a_word_of_no_list_stays_as_it_came(status):
    for odd in (b"", b',"odd":1'):
        read = message(b'{"messageId":"m","status":{"status":"%s"}%s}' % (status.encode(), odd)).status.status
        assert (type(read), read) == (str, status)


def test_j18_a_country_name_and_a_number_without_plus_stay_as_they_came():
    read = message(b'{"messageId":"m","country":"Iraq","to":"9647701234567"}')
    assert (read.country, read.to) == ("Iraq", "9647701234567")


def test_j01_a_state_of_no_list_stays_a_number():
    rows = _wire.load_array(
        answer([{"id": 1, "state": 9}, {"id": 2, "state": "9"}, {"id": 3, "state": "1"}]), VoicemailDropRecord, skip=True
    )
    assert [repr(row.state) for row in rows.items] == ["9", "9", "<DropState.DELIVERED: 1>"]


# --- moments ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("said", "read"),
    [
        ("2015-01-06T10:21:14Z", TEN),
        ("2015-01-06T10:21:14.44Z", TEN.replace(microsecond=440000)),
        ("2015-01-06T10:21:14.243Z", TEN.replace(microsecond=243000)),
        ("2015-01-06T10:21:14.123456789Z", TEN.replace(microsecond=123456)),
        ("2015-01-06T12:21:14+0200", TEN),
        ("2015-01-06T12:21:14.000+02:00", TEN),
        ("2015-01-06T10:21:14.000+0000", TEN),
        ("2015-01-06T04:51:14-05:30", TEN),
        ("2015-01-06 10:21:14Z", TEN),
        (" 2015-01-06T10:21:14Z ", TEN),
        ("2015-01-06T10:21Z", TEN.replace(second=0)),
        ("2015-01-06T10:21:14", TEN),
        ("2015-01-06", datetime(2015, 1, 6, tzinfo=UTC)),
        ("20150106", datetime(2015, 1, 6, tzinfo=UTC)),
        (1420539674, TEN),
        ("1420539674", TEN),
        (Decimal("1420539674.5"), TEN.replace(microsecond=500000)),
        (1420539674243, TEN.replace(microsecond=243000)),
        ("1420539674243", TEN.replace(microsecond=243000)),
        (0, datetime(1970, 1, 1, tzinfo=UTC)),
        (-86400, datetime(1969, 12, 31, tzinfo=UTC)),
    ],
)
def test_j13_a_moment_comes_in_many_spellings_and_leaves_in_utc(said, read):
    """What names no zone is UTC; a bare number counts seconds since 1970, or milliseconds if it is that large."""
    assert moment(said) == read
    assert moment(said).tzinfo is UTC


@pytest.mark.parametrize("said", ["2015-01-06T10:21:14Z", "2015-01-06T12:21:14+02:00", "2015-01-06T12:21:14+0200", "2015-01-06T10:21:14"])
def test_j13_the_moments_of_a_list_are_in_utc_whatever_zone_they_came_in(said):
    record = _wire.load_array(answer([{"id": 1, "timestamp": said}]), VoicemailDropRecord, skip=False).items[0]
    assert record.timestamp == TEN
    assert record.timestamp.tzinfo is UTC


@pytest.mark.parametrize(
    "value",
    [
        "",
        " ",
        "soon",
        "0000-01-01T00:00:00Z",
        "2015-01-06T24:00:00Z",
        "2015-01-06T10:21:60Z",
        "2015-02-29T00:00:00Z",
        "0001-01-01T00:00:00+14:00",
        "9999-12-31T23:59:59-14:00",
        "Tue, 06 Jan 2015 10:21:14 GMT",
        "\u0662\u0660\u0661\u0665",
        10**30,
        -(10**18),
        Decimal("1e400"),
        True,
        None,
        [],
        {},
    ],
)
def test_j13_what_is_no_moment_is_refused(value):
    assert refused(moment, value)


@pytest.mark.parametrize("said", ["", "soon", "0000-01-01T00:00:00Z", "2015-01-06T24:00:00Z", 10**30])
def test_j13_what_is_no_moment_is_none_and_kept_as_it_came(said):
    rows = _wire.load_array(answer([{"id": 1, "timestamp": said}]), VoicemailDropRecord, skip=True)
    (record,) = rows.items
    assert (record.timestamp, record.extra, rows.unreadable) == (None, {"timestamp": said}, 1)
    status = message(json.dumps({"messageId": "m", "status": {"status": "Busy", "date": said}}).encode()).status
    assert (status.date, status.extra) == (None, {"date": said})


@settings(PATIENT)
@given(st.datetimes(datetime(2, 1, 1), datetime(9998, 1, 1), timezones=st.timezones()))  # noqa: DTZ001 - zones are drawn beside them
def test_a_moment_survives_the_way_out_and_in_again(when):
    assert moment(_wire.moment_text(when)) == when.astimezone(UTC)
    assert _wire.moment_text(when).endswith("Z")


def test_a_moment_goes_out_with_a_fraction_only_if_it_has_one():
    assert _wire.moment_text(TEN) == "2015-01-06T10:21:14Z"
    assert _wire.moment_text(TEN.replace(microsecond=5)) == "2015-01-06T10:21:14.000005Z"
    assert _wire.moment_text(TEN.astimezone(timezone(timedelta(hours=5)))) == "2015-01-06T10:21:14Z"


def test_a_range_is_cut_to_whole_seconds_outwards():
    half = TEN.replace(microsecond=500000)
    assert (_wire.whole_second(half), _wire.whole_second(half, up=True)) == (TEN, TEN + timedelta(seconds=1))
    assert (_wire.whole_second(TEN), _wire.whole_second(TEN, up=True)) == (TEN, TEN)


def test_a_fault_seen_from_above_names_the_whole_way():
    fault = Unreadable("text").below("to").below("[3]").below("content")
    assert (fault.path, fault.wanted) == ("content[3].to", "text")


@pytest.mark.parametrize("value", [None, [], "x", 1])
def test_what_is_no_object_is_refused(value):
    with pytest.raises(Unreadable, match="object"):
        _values.object_of(value)


@pytest.mark.parametrize("value", [None, {}, "x", 1])
def test_what_is_no_array_is_refused(value):
    with pytest.raises(Unreadable, match="array"):
        _values.array_of(value)
