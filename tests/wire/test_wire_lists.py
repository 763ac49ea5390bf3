"""Lists and envelopes: one bad row never blocks a list, and what an envelope says of itself is believed only if it can be."""

import pytest
from wire_payloads import ENCODER, answer, raw

from voicedrop_async import _wire
from voicedrop_async.errors import WireError
from voicedrop_async.models import (
    CampaignReceipt,
    DeliveryStatus,
    DropState,
    MessageStatus,
    Recording,
    SpokenMessage,
    VoiceAnalysis,
    VoicemailDropRecord,
    VoiceMessage,
)


def messages(*content):
    return _wire.load_envelope(answer({"content": content}), VoiceMessage).rows


def drops(*content, skip=True):
    return _wire.load_array(answer(content), VoicemailDropRecord, skip=skip)


def envelope(**said):
    return _wire.load_envelope(answer({"content": []} | said), VoiceMessage)


def path_of(load, *args, **kwargs):
    """Return where the wire error says the fault is."""
    with pytest.raises(WireError) as caught:
        load(*args, **kwargs)
    return caught.value.path


# --- rows ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("to", 5.5),
        ("to", True),
        ("groups", ["a", {}]),
        ("groups", {}),
        ("status", "Completed"),
        ("duration", "long"),
        ("duration", True),
        ("message", "the text itself"),
        ("price", "cheap"),
        ("chargeInterval", []),
        ("recordings", [{"trackingId": "r"}, 5]),
        ("recordings", {}),
        ("answeredBy", {}),
        ("direction", False),
    ],
)
def test_j03_a_field_that_cannot_be_read_is_none_and_kept_as_it_came(key, value):
    rows = messages({"messageId": "m", "campaign": "Spring", key: value})
    assert rows.items == (VoiceMessage("m", campaign="Spring", extra={key: value}),)
    assert (rows.unreadable, rows.skipped) == (1, 0)


def test_fields_that_cannot_be_read_are_counted_wherever_they_stand():
    """In the row itself, in its status, its message and its recordings."""
    row = {
        "messageId": "m",
        "to": [],
        "status": {"status": "Busy", "date": "soon"},
        "message": {"text": True},
        "recordings": [{"trackingId": "r", "start": "soon", "duration": None}, {"trackingId": "s", "end": ""}],
        "odd": "not one of them",
    }
    rows = messages(row, {"messageId": "n"})
    assert rows.unreadable == 5
    first = rows.items[0]
    assert first.status == DeliveryStatus(MessageStatus.BUSY, extra={"date": "soon"})
    assert first.message == SpokenMessage(extra={"text": True})
    assert first.recordings == (Recording("r", extra={"start": "soon"}), Recording("s", extra={"end": ""}))
    assert first.extra == {"to": [], "odd": "not one of them"}


def test_a_field_said_twice_in_two_spellings_was_read_all_the_same():
    """The other spelling is kept, but nothing of the row is None for it."""
    rows = messages({"messageId": "m", "status": {"status": "Busy", "name": "Busy"}})
    assert rows.items[0].status == DeliveryStatus(MessageStatus.BUSY, extra={"name": "Busy"})
    assert rows.unreadable == 0


def test_j02_keys_of_no_document_are_kept_and_not_counted():
    rows = messages({"messageId": "m", "odd": {"a": [1.5, None]}, "status": {"odd": 1}, "sender": "x", "extra": "y"})
    assert rows.items[0].extra == {"odd": {"a": [1.5, None]}, "sender": "x", "extra": "y"}
    assert (rows.items[0].status.extra, rows.items[0].sender, rows.unreadable) == ({"odd": 1}, None, 0)


def test_a_lone_text_is_a_list_of_one():
    assert messages({"messageId": "m", "groups": "Athens"}).items[0].groups == ("Athens",)


def test_j03_absent_and_empty_differ():
    absent, empty = messages({"messageId": "m"}, {"messageId": "n", "groups": [], "collectedTones": "", "recordings": []}).items
    assert (absent.groups, absent.collected_tones, absent.recordings) == (None, None, None)
    assert (empty.groups, empty.collected_tones, empty.recordings) == ((), "", ())


@pytest.mark.parametrize("row", [5, "x", None, True, [], ["messageId"], {"messageId": {}}, {"messageId": True}, {"messageId": 1.5}])
def test_j03_a_message_that_cannot_be_told_apart_is_skipped_and_counted(row):
    rows = messages({"messageId": "a"}, row, {"messageId": "b"})
    assert [item.message_id for item in rows.items] == ["a", "b"]
    assert (rows.unreadable, rows.skipped) == (1, 1)


@pytest.mark.parametrize("row", [{}, {"messageId": None}, {"messageId": ""}])
def test_a_message_without_an_id_is_kept(row):
    """The page does not foresee it; it is told apart by its content."""
    rows = messages(row | {"to": "+306912345678"})
    assert rows.items == (VoiceMessage(to="+306912345678"),)
    assert (rows.items[0].message_id, rows.unreadable, rows.skipped) == ("", 0, 0)
    assert hash(rows.items[0]) == hash(VoiceMessage(to="+306912345678"))


@pytest.mark.parametrize("row", [5, None, [], {}, {"id": None}, {"id": "x"}, {"id": True}, {"id": 5.9}, {"job": 1}])
def test_a_drop_record_without_a_usable_id_is_skipped_and_counted(row):
    rows = drops({"id": 1}, row, {"id": "2"})
    assert rows.items == (VoicemailDropRecord(1), VoicemailDropRecord(2))
    assert (rows.unreadable, rows.skipped) == (1, 1)


@pytest.mark.parametrize(
    ("row", "path"),
    [(5, "[3]"), (None, "[3]"), ({}, "[3].id"), ({"id": None}, "[3].id"), ({"id": "x"}, "[3].id"), ({"id": True}, "[3].id")],
)
def test_where_nothing_may_be_skipped_a_row_without_an_id_is_a_wire_error(row, path):
    assert path_of(drops, {"id": 0}, {"id": 1}, {"id": 2}, row, skip=False) == path


def test_where_nothing_may_be_skipped_other_fields_are_still_forgiven():
    rows = drops({"id": 1, "state": "x", "timestamp": "soon"}, {"id": 2, "state": 1}, skip=False)
    assert rows.items == (
        VoicemailDropRecord(1, extra={"state": "x", "timestamp": "soon"}),
        VoicemailDropRecord(2, state=DropState.DELIVERED),
    )
    assert rows.unreadable == 2


# --- envelopes -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("odd", [{}, {"odd": 1}, {"size": "20"}])
def test_g14_null_content_is_empty(odd):
    """Whichever way it is read."""
    assert envelope(content=None, **odd).rows.items == ()


@pytest.mark.parametrize("content", [{}, "x", 5, True, {"messageId": "m"}])
def test_g14_content_that_is_no_list_is_a_wire_error(content):
    assert path_of(envelope, content=content) == "content"


def test_g14_missing_content_is_a_wire_error():
    assert path_of(_wire.load_envelope, answer({"totalPages": 0, "last": True}), VoiceMessage) == "content"


@pytest.mark.parametrize("body", [b"[]", b"null", b"5", b'"content"', b"[[]]"])
def test_an_envelope_that_is_no_object_is_a_wire_error(body):
    assert path_of(_wire.load_envelope, answer(body), VoiceMessage) == ""


@pytest.mark.parametrize("body", [b"{}", b"null", b"5", b'{"content":[]}'])
def test_an_array_that_is_none_is_a_wire_error(body):
    assert path_of(_wire.load_array, answer(body), VoicemailDropRecord, skip=True) == ""


COUNTS = {"number": "number", "size": "size", "totalPages": "total_pages", "totalElements": "total_items"}


@pytest.mark.parametrize(("key", "name"), COUNTS.items())
def test_g15_a_negative_count_is_no_count(key, name):
    assert getattr(envelope(**{key: -1}), name) is None
    assert getattr(envelope(**{key: "-1"}), name) is None


@pytest.mark.parametrize(("key", "name"), COUNTS.items())
@pytest.mark.parametrize("said", [3, "3", raw("3.0"), "3.0", raw("3e0")])
def test_g16_a_count_comes_as_number_or_text(key, name, said):
    count = getattr(envelope(**{key: said}), name)
    assert (count, type(count)) == (3, int)


@pytest.mark.parametrize("key", COUNTS)
@pytest.mark.parametrize("said", [True, False, 5.9, "x", "", [], {}])
def test_g16_what_is_no_count_is_a_wire_error(key, said):
    assert path_of(envelope, **{key: said}) == key


@pytest.mark.parametrize("key", COUNTS)
def test_a_count_may_be_absent_or_null(key):
    assert getattr(envelope(), COUNTS[key]) is None
    assert getattr(envelope(**{key: None}), COUNTS[key]) is None
    assert getattr(envelope(**{key: None}, last="true"), COUNTS[key]) is None


@pytest.mark.parametrize(("said", "read"), [(True, True), (False, False), ("false", False), ("true", True), (None, None)])
def test_last_may_be_said_as_text_or_not_at_all(said, read):
    assert envelope(last=said).last is read


@pytest.mark.parametrize("said", [1, 0, "no", [], {}])
def test_last_that_is_no_truth_is_a_wire_error(said):
    assert path_of(envelope, last=said) == "last"


def test_other_keys_of_an_envelope_are_passed_over():
    """Spring adds some of its own."""
    said = {"sort": [{"direction": "ASC"}], "empty": True, "pageable": {"offset": 0}, "first": "x", "numberOfElements": "y"}
    assert envelope(**said, number=4).number == 4


# --- single objects --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("said", "path"),
    [
        ({"messageId": "m", "status": {"date": "soon"}}, "status.date"),
        ({"messageId": "m", "status": 5}, "status"),
        ({"messageId": "m", "recordings": [{}, {"voiceTrackingIds": ["a", True]}]}, "recordings[1].voiceTrackingIds[1]"),
        ({"messageId": "m", "price": "cheap"}, "price"),
        ({"to": "+306912345678"}, "messageId"),
        ({"messageId": None}, "messageId"),
        ({"messageId": ""}, "messageId"),
        ({"messageId": True}, "messageId"),
        ([], ""),
    ],
)
def test_j03_one_message_must_be_readable_and_the_error_says_where(said, path):
    assert path_of(_wire.load_one, answer(ENCODER.encode(said)), VoiceMessage) == path


@pytest.mark.parametrize(
    ("said", "path"),
    [
        ({"recipientCountries": {"+306912345678": 5.5}}, "recipientCountries.{}"),
        ({"recipientsPerCountry": {"GR": "many"}}, "recipientsPerCountry.{}"),
        ({"numberOfRecipients": "many"}, "numberOfRecipients"),
        ({"errors": [{"code": "1"}, 5]}, "errors[1]"),
        ({"errors": {}}, "errors"),
    ],
)
def test_an_analysis_must_be_readable_and_a_key_that_is_a_number_is_not_shown(said, path):
    assert path_of(_wire.load_one, answer(said), VoiceAnalysis) == path


def test_an_odd_field_of_a_receipt_does_not_hide_its_id():
    """The money is spent; what matters is which campaign it was."""
    said = {"trackingId": 7, "cost": "much", "statuses": {"Busy": True}, "voiceAnalysis": {"totalInGroups": "x"}, "errors": [5]}
    receipt = _wire.load_one(answer(said), CampaignReceipt, forgiving=True)
    assert (receipt.tracking_id, receipt.cost, receipt.statuses, receipt.problems) == ("7", None, None, ())
    assert receipt.extra == {"cost": "much", "statuses": {"Busy": True}, "errors": [5]}
    assert receipt.voice_analysis == VoiceAnalysis(extra={"totalInGroups": "x"})


@pytest.mark.parametrize("said", [{}, {"trackingId": None}, {"trackingId": ""}, {"trackingId": []}, {"errors": [{"code": "1"}]}])
@pytest.mark.parametrize("forgiving", [True, False])
def test_a_receipt_without_an_id_is_a_wire_error(said, forgiving):
    assert path_of(_wire.load_one, answer(said), CampaignReceipt, forgiving=forgiving) == "trackingId"


def test_a_receipt_counts_new_statuses_as_well():
    receipt = _wire.load_one(answer({"trackingId": "c", "statuses": {"Busy": "3", "Sleeping": 1}}), CampaignReceipt)
    assert receipt.statuses == {MessageStatus.BUSY: 3, "Sleeping": 1}
    assert [type(key) for key in receipt.statuses] == [MessageStatus, str]


# --- tokens and refusals ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("said", "read"), [(3600, 3600), ("3600", 3600), (raw("3600.0"), 3600.0), (0.5, 0.5), (631139040, 631139040)])
def test_a_token_lives_for_the_seconds_it_says(said, read):
    assert repr(_wire.load_token(answer({"access_token": "t", "expires_in": said})).expires_in) == repr(read)


@pytest.mark.parametrize(
    ("said", "path"),
    [
        ({}, {"access_token", "expires_in"}),
        ({"access_token": "t"}, {"expires_in"}),
        ({"access_token": "t", "expires_in": None}, {"expires_in"}),
        ({"access_token": "t", "expires_in": True}, {"expires_in"}),
        ({"access_token": "t", "expires_in": raw("1e400")}, {"expires_in"}),
        ({"access_token": "t", "expires_in": raw("1" + "0" * 400)}, {"expires_in"}),
        ({"access_token": None, "expires_in": 1}, {"access_token"}),
        ({"access_token": True, "expires_in": 1}, {"access_token"}),
        ({"access_token": "t", "expires_in": 1, "token_type": []}, {"token_type"}),
        ([], {""}),
        (b"<html>", {""}),
    ],
)
def test_a_token_that_is_none_is_a_wire_error(said, path):
    assert path_of(_wire.load_token, answer(said)) in path


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>502 Bad Gateway</html>",
        b"null",
        b"[]",
        b'"no"',
        b"{}",
        b'{"odd":1}',
        b'{"code":null,"message":5}',
        b'{"errors":[]}',
        b'{"error":{"code":"1"}}',
    ],
)
def test_what_is_no_error_object_of_the_service_is_no_complaint(body):
    assert _wire.load_complaint(body) is None


@pytest.mark.parametrize(("said", "code"), [("004", "004"), (500, "500"), ("", ""), ("9" * 99, "9" * 99)])
def test_a_code_is_text_and_keeps_its_zeros(said, code):
    assert _wire.load_complaint(ENCODER.encode({"code": said})).code == code


def test_a_truth_is_no_code():
    assert _wire.load_complaint(b'{"code":true,"developerMessage":"no"}').code is None


@pytest.mark.parametrize("errors", [{"to": "invalid"}, "invalid", ["invalid"], 5])
def test_odd_rows_of_errors_do_not_hide_what_the_refusal_says(errors):
    complaint = _wire.load_complaint(ENCODER.encode({"code": "400013000", "developerMessage": "not valid", "errors": errors}))
    assert (complaint.code, complaint.developer_message, complaint.problems) == ("400013000", "not valid", ())


def test_the_newer_word_for_the_message_comes_first():
    complaint = _wire.load_complaint(
        b'{"error":"c","error_description":"b","message":"a","developerMessage":"0","errorCode":"2","code":"1"}'
    )
    assert (complaint.code, complaint.developer_message) == ("1", "0")
