"""Items as lines of JSON and of CSV: which columns there are, and what stands in them. No server."""

import csv
import io
import json
from datetime import UTC, datetime
from decimal import Decimal

import attrs
import pytest

from voicedrop_async import (
    AnsweredBy,
    DeliveryStatus,
    Direction,
    DropState,
    Gender,
    MessageStatus,
    Recording,
    SpokenMessage,
    VoicemailDropRecord,
    VoiceMessage,
)
from voicedrop_async.export import csv_header, disarmed, to_csv, to_jsonl
from voicedrop_async.models import SpacivoxRecord

MOMENT = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
COLUMNS = [
    "message_id",
    "conversation_tracking_id",
    "to",
    "sender",
    "groups",
    "country",
    "status",
    "status_date",
    "campaign",
    "application_name",
    "originating_service",
    "direction",
    "duration",
    "file_url",
    "message_text",
    "message_language",
    "message_gender",
    "price",
    "charge_interval",
    "collected_tones",
    "answered_by",
    "recordings",
    "extra",
]
WHOLE = VoiceMessage(
    "m1",
    to="+306912345678",
    groups=("a", "b"),
    status=DeliveryStatus(MessageStatus.NO_ANSWER, date=MOMENT),
    direction=Direction.OUTBOUND,
    duration=1.5,
    message=SpokenMessage("Hello", language="en-GB", gender=Gender.FEMALE),
    price=Decimal("0.1000000000000000055"),
    charge_interval=60,
    collected_tones="0042",
    answered_by=AnsweredBy.HUMAN,
    recordings=(Recording("r1", start=MOMENT, voice_tracking_ids=("m1",), duration=2),),
    extra={"new": {"key": [1, None]}},
)
TOLD = {
    "message_id": "m1",
    "to": "+306912345678",
    "groups": ["a", "b"],
    "status": "NoAnswer",
    "status_date": "2026-03-02T09:30:00Z",
    "direction": "Outbound",
    "duration": 1.5,
    "message_text": "Hello",
    "message_language": "en-GB",
    "message_gender": "female",
    "charge_interval": 60,
    "collected_tones": "0042",
    "answered_by": "HUMAN",
    "extra": {"new": {"key": [1, None]}},
}


def cells(*items):
    """The cells of items, as a reader gets them that takes everything for text."""
    return list(csv.reader(io.StringIO(to_csv(items).decode(), newline="")))


def cell(text):
    return cells(VoiceMessage("m", campaign=text))[0][COLUMNS.index("campaign")]


def test_a_message_is_a_line_with_all_columns_in_their_order():
    """A status is its word, a price exact to the last digit, a moment in UTC with a Z; what is absent is null."""
    written = to_jsonl([WHOLE, VoiceMessage("m2")])
    whole, bare = map(json.loads, written.splitlines())

    assert b'"price":0.1000000000000000055,' in written
    assert list(whole) == list(bare) == COLUMNS
    assert {name: whole[name] for name in TOLD} == TOLD
    assert whole["recordings"][0]["start"] == "2026-03-02T09:30:00Z"
    assert {name for name, value in bare.items() if value is not None} == {"message_id"}


def test_each_field_stands_in_the_column_of_its_name():
    """Rows are filled by position: every field that is a text says here what it is called, in a message and in its recording."""
    names = ["conversation_tracking_id", "to", "sender", "country", "campaign", "application_name", "originating_service", "direction"]
    names += ["file_url", "collected_tones", "answered_by"]
    inner = ["tracking_id", "sender", "to", "url", "conversation_tracking_id"]
    recording = Recording(**{name: name for name in inner})
    drop = {"campaign": 2, "job": 3, "number": "n", "reference": "r", "team": 4}

    line = json.loads(to_jsonl([VoiceMessage("message_id", **{name: name for name in names}, recordings=(recording,))]))

    assert {name: line[name] for name in ["message_id", *names]} == {name: name for name in ["message_id", *names]}
    assert {name: line["recordings"][0][name] for name in inner} == {name: name for name in inner}
    assert json.loads(to_jsonl([VoicemailDropRecord(1, **drop)])) == {"id": 1, **drop, "state": None, "timestamp": None}


def test_the_columns_of_csv_are_those_of_the_lines():
    """Lists and objects are JSON in their cell."""
    assert csv_header(VoiceMessage).decode() == ",".join(COLUMNS) + "\n"

    row = dict(zip(COLUMNS, cells(WHOLE)[0], strict=True))

    texts = {name: value for name, value in TOLD.items() if isinstance(value, str) and name != "status_date"}
    assert {name: row[name] for name in texts} == texts
    assert row["status_date"] == "2026-03-02T09:30:00.000000Z"
    assert (row["duration"], row["price"], row["charge_interval"]) == ("1.5", "0.1000000000000000055", "60")
    assert (json.loads(row["groups"]), json.loads(row["extra"])) == (TOLD["groups"], TOLD["extra"])
    assert json.loads(row["recordings"])[0]["voice_tracking_ids"] == ["m1"]


def test_what_a_status_and_a_text_held_beyond_their_documents_is_in_extra():
    message = VoiceMessage(
        "m", status=DeliveryStatus(extra={"code": 7}), message=SpokenMessage("Hi", extra={"speed": 2}), extra={"status2": "x"}
    )

    assert json.loads(to_jsonl([message]))["extra"] == {"status2": "x", "status": {"code": 7}, "message": {"speed": 2}}


@pytest.mark.parametrize(("state", "told"), [(DropState.DELIVERED, "DELIVERED"), (9, "9"), (None, None)])
def test_a_drop_is_the_eight_names_of_its_document_and_its_state_a_word(state, told):
    drop = VoicemailDropRecord(7, number="+306912345678", state=state, timestamp=MOMENT)

    line = json.loads(to_jsonl([drop]))

    assert list(line) == ["id", "campaign", "job", "number", "reference", "state", "team", "timestamp"]
    assert (line["id"], line["state"]) == (7, told)
    assert to_csv([drop]) == f'7,,,"+306912345678",,{chr(34) + told + chr(34) if told else ""},,2026-03-02T09:30:00.000000Z\n'.encode()


@pytest.mark.parametrize("record", SpacivoxRecord.__subclasses__())
def test_a_record_of_each_kind_has_a_column_for_each_of_its_fields(record):
    names = [field.name for field in attrs.fields(record) if field.name != "extra"]

    assert csv_header(record).decode() == ",".join(names) + "\n"
    assert list(json.loads(to_jsonl([record(7, extra={"new": 1})]))) == names


@pytest.mark.parametrize("text", ["a,b", 'say "hi"', "two\nlines", "two\r\nlines", "Παραλαβή ☎", "0030", "", "x=1", "3-4", " ="])
def test_a_text_comes_out_of_its_cell_as_it_went_in(text):
    assert cell(text) == text


def test_an_empty_text_is_told_from_none():
    assert to_csv([VoicemailDropRecord(1, reference="")]) == b'1,,,,"",,,\n'


@pytest.mark.parametrize("text", ["=1+1", "+cmd|' /C calc'!A0", "-2+3", "@SUM(1)", "\tx", "\rx", "\n=1", "\uff1dcmd", "\uff0b1", "\uff20x"])
def test_s06_what_a_spreadsheet_would_run_gets_an_apostrophe_in_front(text):
    assert cell(text) == f"'{text}"


@pytest.mark.parametrize("text", ["+306912345678", "+123456", "306912345678", "+" + 15 * "9"])
def test_s06_a_phone_number_is_unharmed(text):
    assert cell(text) == text
    assert to_csv([VoiceMessage("m", to=text)]).split(b",")[2] == f'"{text}"'.encode()


@pytest.mark.parametrize("text", ["+12345", "+" + 16 * "9", "+306912345678\n", "+3069123456.8", "+30691234567\u0668", "+306912345678+1"])
def test_s06_what_only_looks_like_a_phone_number_is_disarmed(text):
    """An Arabic digit, a line break, one digit too many: it is a phone number wholly, or not at all."""
    assert cell(text) == f"'{text}"


@pytest.mark.parametrize("text", ["=1", "'=1", "''+x", "'tis", "'", "plain", "+306912345678"])
def test_s06_what_was_disarmed_can_be_told_and_taken_back(text):
    """One apostrophe goes from a cell that begins with apostrophes and a character that is run; from no other."""
    shown = disarmed(text)
    began = shown.lstrip("'")
    armed = shown.startswith("'") and began[:1] in set("=+-@\t\r\n")

    assert (shown[1:] if armed else shown) == text


@pytest.mark.parametrize(
    "field", ["sender", "country", "application_name", "originating_service", "file_url", "collected_tones", "direction"]
)
def test_s06_no_column_of_texts_is_left_out(field):
    row = dict(zip(COLUMNS, cells(VoiceMessage("m", **{field: "=1"}))[0], strict=True))

    assert row[field] == "'=1"


def test_s06_words_and_ids_are_disarmed_as_well():
    """A service, or whoever names a campaign, may say anything; numbers are numbers, also below zero."""
    odd = VoiceMessage("=id", status=DeliveryStatus("@now"), message=SpokenMessage("-1", gender="+x"), price=Decimal("-0.5"), duration=-1)
    row = dict(zip(COLUMNS, cells(odd)[0], strict=True))

    assert [row[name] for name in ("message_id", "status", "message_text", "message_gender")] == ["'=id", "'@now", "'-1", "'+x"]
    assert (row["price"], row["duration"]) == ("-0.5", "-1")
