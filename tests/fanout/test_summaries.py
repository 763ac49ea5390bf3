"""Messages, added up."""

import pickle
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from voicedrop_async import AnsweredBy, CampaignSummary, DeliveryStatus, MessageStatus, VoiceMessage

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
MESSAGES = [
    VoiceMessage(
        "a",
        to="+306999888777",
        status=DeliveryStatus(MessageStatus.COMPLETED, date=NOON),
        country="GR",
        answered_by=AnsweredBy.HUMAN,
        price=Decimal("0.01"),
        duration=10,
        collected_tones="4711",
    ),
    VoiceMessage("b", status=DeliveryStatus("Newer", date=NOON + timedelta(hours=1)), country="GR", price=Decimal("0.02"), duration=2.5),
    VoiceMessage("c", status=DeliveryStatus(), collected_tones=""),
    VoiceMessage("d"),
]


def at(status, moment):
    return VoiceMessage("a", status=DeliveryStatus(status, date=moment))


def test_everything_that_is_said_is_counted():
    assert CampaignSummary.of(MESSAGES) == CampaignSummary(
        messages=4,
        statuses={"Completed": 1, "Newer": 1},
        answered_by={"HUMAN": 1},
        countries={"GR": 2},
        cost=Decimal("0.03"),
        duration=12.5,
        longest=10,
        first=NOON,
        last=NOON + timedelta(hours=1),
        collected_tones={"4711": 1, "": 1},
    )


def test_what_did_not_occur_is_nought():
    summary = CampaignSummary.of(MESSAGES)
    assert (summary.statuses[MessageStatus.BUSY], summary.statuses[MessageStatus.COMPLETED], summary.collected_tones["1"]) == (0, 1, 0)


def test_no_messages_add_up_to_nothing():
    summary = CampaignSummary.of([])
    assert (summary.messages, summary.cost, summary.duration, summary.longest) == (0, Decimal(0), 0, None)
    assert (summary.first, summary.last, summary.statuses) == (None, None, {})


@pytest.mark.parametrize(
    ("one", "other", "kept"),
    [
        (at("Ringing", NOON), at("Completed", NOON + timedelta(seconds=1)), "Completed"),
        (at("Completed", NOON + timedelta(seconds=1)), at("Ringing", NOON), "Completed"),
        (at("Ringing", NOON), at("Completed", NOON), "Completed"),
        (at("Ringing", None), at("Completed", NOON), "Completed"),
        (at("Ringing", NOON), at("Completed", None), "Completed"),
        (VoiceMessage("a"), at("Completed", NOON), "Completed"),
    ],
)
def test_g20_of_a_message_that_is_there_twice_the_newer_counts(one, other, kept):
    """By the moment of its status; if that does not tell, the one that was read later."""
    summary = CampaignSummary.of([one, MESSAGES[1], other])
    assert (summary.messages, summary.statuses) == (2, {kept: 1, "Newer": 1})


def test_messages_without_an_id_are_told_apart_by_their_content():
    assert CampaignSummary.of([VoiceMessage(to="1"), VoiceMessage(to="2"), VoiceMessage(to="1")]).messages == 2


@given(
    st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 5)), max_size=20).flatmap(
        lambda rows: st.tuples(st.just(rows), st.permutations(rows))
    )
)
def test_g20_the_order_in_which_they_come_does_not_matter_where_the_moments_differ(rows):
    """One status for each moment: whichever way the pages were cut, the same is counted."""
    one, other = (
        [VoiceMessage(key, status=DeliveryStatus(str(hour), date=NOON + timedelta(hours=hour))) for key, hour in order] for order in rows
    )
    assert CampaignSummary.of(one) == CampaignSummary.of(other)


def test_a_summary_shows_no_number_and_no_pin_and_pickles_whole():
    summary = CampaignSummary.of(MESSAGES)
    assert not any(canary in repr(summary) for canary in ("4711", "6999888777"))
    assert pickle.loads(pickle.dumps(summary)) == summary
    assert hash(summary) == hash(attrs.evolve(summary))
