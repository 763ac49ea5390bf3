"""The models themselves: values that do not change, tell nothing in a print, and pickle whole."""

import json
import pickle
from copy import deepcopy

import attrs
import pytest
from wire_samples import MESSAGE, RECEIPT, RECORDS

from voicedrop_async import models
from voicedrop_async.calls import TokenResponse
from voicedrop_async.models import (
    NO_EXTRA,
    AnsweredBy,
    Callback,
    CampaignProblem,
    CampaignState,
    DeliveryStatus,
    DropState,
    MessageStatus,
    SpokenMessage,
    TrackingFilter,
    VoiceCampaign,
    VoicemailDropRecord,
    VoiceMessage,
)

MODELS = [kind for name in models.__all__ if attrs.has(kind := getattr(models, name))]
VALUES = [
    MESSAGE,
    RECEIPT,
    *RECORDS.values(),
    *MESSAGE.recordings,
    MESSAGE.status,
    RECEIPT.voice_analysis,
    RECEIPT.callback,
    *RECEIPT.problems,
]


@pytest.mark.parametrize("model", MODELS)
def test_a_model_is_frozen_and_slotted_and_takes_one_value_by_place_at_most(model):
    fields = attrs.fields(model)
    assert model.__setattr__ is not object.__setattr__
    assert hasattr(model, "__slots__")
    assert [field.name for field in fields[2:] if not field.kw_only and model is not TrackingFilter] == []


def test_a_value_cannot_be_changed():
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        MESSAGE.to = "somebody else"
    with pytest.raises(AttributeError):
        MESSAGE.odd = 1
    assert not hasattr(MESSAGE, "__dict__")


@pytest.mark.parametrize("model", [VoiceMessage, VoicemailDropRecord, VoiceCampaign, SpokenMessage, Callback, DeliveryStatus])
def test_a_second_value_needs_its_name(model):
    with pytest.raises(TypeError, match="positional"):
        model("first", "second")


@pytest.mark.parametrize("value", VALUES, ids=lambda value: type(value).__name__)
def test_no_print_shows_numbers_texts_tones_or_urls(value):
    shown = f"{attrs.evolve(value, extra={'secret': 'secret'})!r}"
    told = ["+30", "+33", "0030", "Hello", "0042#", "https://", "secret", "Invalid recipients"]
    assert [hidden for hidden in told if hidden in shown] == []


@pytest.mark.parametrize(
    "value",
    [
        VoiceCampaign("+302101234567", to="+306912345678", message=SpokenMessage("Hello"), file_url="https://x"),
        TrackingFilter("recipient", "+306912345678"),
        TokenResponse(access_token="Hello", expires_in=1, extra={"a": "Hello"}),
    ],
)
def test_no_print_shows_what_goes_out(value):
    assert [hidden for hidden in ("+30", "Hello", "https://") if hidden in repr(value)] == []


@pytest.mark.parametrize("value", VALUES, ids=lambda value: type(value).__name__)
def test_a_value_pickles_whole(value):
    value = attrs.evolve(value, extra={"odd": [1.5, {"a": None}]})
    assert pickle.loads(pickle.dumps(value)) == value
    assert pickle.loads(pickle.dumps(value)).extra == value.extra


def test_values_without_extra_share_one_that_nobody_can_write():
    copy = pickle.loads(pickle.dumps(RECORDS["drop_records"]))
    assert copy.extra is NO_EXTRA
    assert (json.dumps(NO_EXTRA), {**NO_EXTRA}, deepcopy(NO_EXTRA) is NO_EXTRA) == ("{}", {}, True)
    assert (dict(NO_EXTRA), len(NO_EXTRA), list(NO_EXTRA), repr(NO_EXTRA), NO_EXTRA == {}) == ({}, 0, [], "{}", True)
    with pytest.raises(KeyError):
        NO_EXTRA["odd"]
    with pytest.raises(TypeError):
        NO_EXTRA["odd"] = 1


@pytest.mark.parametrize("value", VALUES, ids=lambda value: type(value).__name__)
def test_a_value_can_stand_in_a_set(value):
    assert len({value, attrs.evolve(value), attrs.evolve(value, extra={"odd": []})}) == 2


def test_a_lone_recipient_is_not_one_for_each_of_its_characters():
    campaign = VoiceCampaign("shop", to="+306912345678", contacts=["a", "b"], groups=iter(["c"]))
    assert (campaign.to, campaign.contacts, campaign.groups) == (("+306912345678",), ("a", "b"), ("c",))


def test_only_an_answered_or_given_up_call_is_final():
    final = {"COMPLETED", "BUSY", "NO_ANSWER", "FAILED", "UNSENT", "TERMINATED"}
    assert {status.name for status in MessageStatus if status.is_final} == final


def test_a_campaign_handed_over_is_not_final():
    assert {state.name for state in CampaignState if state.is_final} == {"FINISHED", "FAILED"}


def test_a_drop_that_is_only_sent_is_not_final():
    assert {state.name for state in DropState if state.is_final} == {"DELIVERED", "FAILED", "REJECTED"}


def test_words_compare_with_the_services_own():
    assert (MessageStatus.NO_ANSWER, AnsweredBy.HUMAN, DropState.DELIVERED) == ("NoAnswer", "HUMAN", 1)


def test_a_problem_shows_its_code_and_no_more():
    assert repr(RECEIPT.problems[0]) == "CampaignProblem(code='400013001')"
    assert CampaignProblem().property is None
