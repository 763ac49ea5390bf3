"""A page of every documented JSON arrives whole, under Python names and as Python values."""

import json
from datetime import UTC, datetime
from decimal import Decimal

import attrs
import pytest
from by_value import told
from wire_payloads import answer
from wire_samples import ANALYSIS, DOCUMENTED, MESSAGE, RECEIPT, RECORDS, sample, sample_json

from voicedrop_async import _wire
from voicedrop_async._wire._convert import FORGIVING
from voicedrop_async._wire._names import wire_names
from voicedrop_async.models import (
    Callback,
    CampaignProblem,
    CampaignReceipt,
    DeliveryStatus,
    MessageStatus,
    Recording,
    SpokenMessage,
    VoiceAnalysis,
    VoiceCampaign,
    VoiceMessage,
)


@pytest.mark.parametrize("model", DOCUMENTED)
def test_a_model_reads_the_keys_of_its_document_and_no_others(model):
    """No field of a document is forgotten, and none is made up."""
    fields = [field.name for field in attrs.fields(model) if field.name != "extra"]
    assert {wire_names(model, field)[0] for field in fields} == set(DOCUMENTED[model].split())


@pytest.mark.parametrize(
    ("model", "said"),
    [
        (VoiceMessage, sample_json("tracking_page")["content"][0]),
        (Recording, sample_json("tracking_page")["content"][0]["recordings"][0]),
        (SpokenMessage, sample_json("tracking_page")["content"][0]["message"]),
        (CampaignReceipt, sample_json("campaign_answer")),
        (Callback, sample_json("campaign_answer")["callback"]),
        (CampaignProblem, sample_json("campaign_answer")["errors"][0]),
        (VoiceAnalysis, sample_json("analysis")),
        *((type(record), sample_json(name)[0]) for name, record in RECORDS.items()),
    ],
)
def test_a_sample_holds_every_documented_key(model, said):
    assert set(said) == set(DOCUMENTED[model].split())


def test_a_tracking_page_arrives_whole():
    envelope = _wire.load_envelope(answer(sample("tracking_page")), VoiceMessage)
    assert told(envelope.rows.items) == told((MESSAGE,))
    assert (envelope.number, envelope.size, envelope.total_pages, envelope.total_items, envelope.last) == (0, 2, 3, 5, False)
    assert (envelope.rows.unreadable, envelope.rows.skipped) == (0, 0)


@pytest.mark.parametrize(("name", "record"), RECORDS.items(), ids=RECORDS)
def test_records_arrive_whole(name, record):
    assert told(_wire.load_array(answer(sample(name)), type(record), skip=False).items) == told((record,))


def test_one_message_arrives_whole():
    assert told(_wire.load_one(answer(sample_json("tracking_page")["content"][0]), VoiceMessage)) == told(
        attrs.evolve(MESSAGE, price=Decimal("0.0195"))
    )


@pytest.mark.parametrize("forgiving", [True, False])
def test_a_campaign_answer_arrives_whole(forgiving):
    assert told(_wire.load_one(answer(sample("campaign_answer")), CampaignReceipt, forgiving=forgiving)) == told(RECEIPT)


def test_an_analysis_arrives_whole():
    rows = (CampaignProblem("400013001", developer_message="Invalid recipients: 0030", property=("0030",)),)
    assert told(_wire.load_one(answer(sample("analysis")), VoiceAnalysis)) == told(attrs.evolve(ANALYSIS, problems=rows))


def test_a_token_arrives_with_the_seconds_it_has_left():
    token = _wire.load_token(answer(sample("token")))
    assert (token.access_token, token.token_type, token.expires_in) == ("12dc9fe4-7df4-4786-8d7a-a46d307687f4", "bearer", 1999)
    assert token.extra == {"scope": "account contact report sms", "permissions": ["MT_ROLE_VOICE"]}


def test_a_campaign_goes_out_under_the_keys_of_its_document():
    """What the receipt repeats of a campaign goes out as it came back."""
    names = [field.name for field in attrs.fields(VoiceCampaign) if field.name not in {"name", "ignore_dnd"}]
    campaign = VoiceCampaign(**{name: getattr(RECEIPT, name) for name in names}, name="Spring sale", ignore_dnd=True)
    dumped = _wire.dump_campaign(campaign)
    assert set(dumped) == set(DOCUMENTED[VoiceCampaign].split())
    back = {key: value for key, value in sample_json("campaign_answer").items() if key in dumped}
    assert json.loads(_wire.encode(dumped)) == back | {"name": "Spring sale", "ignoreDnd": True}


@pytest.mark.parametrize(
    ("spelling", "code", "words", "problems"),
    [
        ("code and words", "404005000", "tracking not found", []),
        ("with properties", "400000000", "Validation error", []),
        ("with a list of errors", "400013000", "Campaign is not valid", [("400013001", ("0030",)), ("004", None)]),
        ("with entity and value", "404000001", "No such entity", []),
        ("of the gateway", None, "Bad credentials", []),
        ("of the token endpoint", None, "Invalid scope: none", []),
    ],
)
def test_a_refusal_is_read_in_every_known_spelling(spelling, code, words, problems):
    complaint = _wire.load_complaint(_wire.encode(sample_json("refusals")[spelling]))
    assert (complaint.code, complaint.developer_message) == (code, words)
    assert [(problem.code, problem.property) for problem in complaint.problems] == problems


def test_callbacks_spell_a_status_in_their_own_way():
    status = FORGIVING.structure({"name": "NoAnswer", "updatedDate": "2025-05-05T15:00Z"}, DeliveryStatus)
    assert status == DeliveryStatus(MessageStatus.NO_ANSWER, date=datetime(2025, 5, 5, 15, tzinfo=UTC))
