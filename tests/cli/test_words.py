"""Words that stand for values, and a receipt as a line of JSON: no process, no server."""

import json
from datetime import timedelta

import pytest

from voicedrop_async import (
    CampaignReceipt,
    ConfigError,
    FilterField,
    FilterOperator,
    MessageStatus,
    TrackingFilter,
)
from voicedrop_async._masking import masked
from voicedrop_async.cli._words import condition, span
from voicedrop_async.export import json_lines


@pytest.mark.parametrize(("text", "hours"), [("6", 6), ("6h", 6), ("1d", 24), ("30m", 0.5), ("3600s", 1)])
def test_a_span_is_hours_unless_it_names_its_unit(text, hours):
    assert span("--slices", text) == timedelta(hours=hours)


@pytest.mark.parametrize("text", ["", "d", "1w", "-1d", "1.5h", "9" * 30, "9" * 5000])
def test_no_other_span_is_guessed(text):
    with pytest.raises(ConfigError, match=r"^--slices: "):
        span("--slices", text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("country=GR", TrackingFilter(FilterField.COUNTRY, "GR")),
        ("status.status:is_not=Completed", TrackingFilter(FilterField.STATUS, "Completed", operator=FilterOperator.IS_NOT)),
        ("status=Busy", TrackingFilter(FilterField.STATUS, "Busy")),
        ("collected_tones=1=2:3", TrackingFilter(FilterField.COLLECTED_TONES, "1=2:3")),
    ],
)
def test_a_filter_says_field_operator_and_value(text, expected):
    """The field is the service's word or ours, and everything after the first ``=`` is the value."""
    assert condition("--filter", text) == expected


@pytest.mark.parametrize("text", ["country", "country=", "=GR", "contry=GR", "country:like=GR", "+306912345678", "+306912345678=1"])
def test_a_filter_the_service_might_pass_over_is_refused_without_its_value(text):
    with pytest.raises(ConfigError, match=r"^--filter: ") as refused:
        condition("--filter", text)

    assert "3069" not in str(refused.value)


def test_a_count_by_status_keeps_the_words():
    receipt = CampaignReceipt("c1", statuses={MessageStatus.QUEUED: 3, "Deferred": 1})
    assert json.loads(json_lines([receipt]))["statuses"] == {"Queued": 3, "Deferred": 1}


@pytest.mark.parametrize("number", ["+306912345678", "306912345678", "+44 20 7946 0018", "6912345"])
def test_a_masked_number_cannot_be_called(number):
    text = masked(f"Unused: {number}.")
    assert text.startswith("Unused: ")
    assert number not in text
    assert sum(digit.isdigit() for digit in text) <= 7
