"""From bytes to events: as documented, and as odd as a day can bring."""

import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from voicedrop_async import (
    CampaignState,
    Direction,
    MessageStatus,
    WebhookRejected,
    parse_campaign_event,
    parse_conversation_event,
    parse_dtmf_event,
    parse_message_event,
)

DOCUMENTED: dict[str, Any] = {
    "messageId": "m-1", "campaignTrackingId": "c-1", "campaignName": "Spring sale", "to": "+306912345678", "from": "306900000000",
    "country": "GR", "operator": "Cosmote", "groups": ["customers"], "applicationName": "shop", "price": 0.0375,
    "originatingService": "Voice", "direction": "Outbound", "status": {"name": "Completed", "updatedDate": "2026-03-02T12:00:00.44Z"},
    "audioMessage": {"text": "Hello", "language": "en-GB", "gender": "female"}, "hangupDelay": 9, "respectQuietHours": False,
    "duration": 7, "createdAt": "2026-03-02T11:59:49Z", "chargeInterval": 1,
}  # fmt: skip


def test_every_documented_key_of_a_message_callback_is_read() -> None:
    event = parse_message_event(json.dumps(DOCUMENTED).encode())

    assert event.extra == {}
    assert (event.message_id, event.campaign_tracking_id, event.campaign_name) == ("m-1", "c-1", "Spring sale")
    assert (event.to, event.sender, event.operator, event.groups) == ("+306912345678", "306900000000", "Cosmote", ("customers",))
    assert (event.price, event.direction, event.duration) == (Decimal("0.0375"), Direction.OUTBOUND, 7)
    assert event.status is not None
    assert (event.status.status, event.status.date) == (MessageStatus.COMPLETED, datetime(2026, 3, 2, 12, 0, 0, 440000, UTC))
    assert event.message is not None
    assert event.message.text == "Hello"
    assert [word for word in ("30691", "30690", "Hello") if word in repr(event)] == []


@pytest.mark.parametrize("status", [{"name": "Busy", "updatedDate": "2026-03-02T12:00Z"}, {"status": "Busy", "date": "2026-03-02T12:00Z"}])
def test_a_status_is_read_in_both_spellings(status: dict[str, str]) -> None:
    for parse in (parse_message_event, parse_conversation_event):
        read = parse(json.dumps({"messageId": "m-1", "status": status}).encode()).status
        assert read is not None
        assert (read.status, read.date) == (MessageStatus.BUSY, datetime(2026, 3, 2, 12, tzinfo=UTC))


def test_what_is_new_or_odd_is_kept_and_blocks_nothing() -> None:
    odd = DOCUMENTED | {"mood": {"x": 1}, "price": "free", "status": {"name": "Dreaming", "updatedDate": "soon"}, "duration": None}
    event = parse_message_event(json.dumps(odd).encode())

    assert event.extra == {"mood": {"x": 1}, "price": "free"}
    assert event.status is not None
    assert (event.price, event.duration, event.status.status, event.status.date) == (None, None, "Dreaming", None)
    assert event.status.extra == {"updatedDate": "soon"}


def test_a_campaign_callback_may_be_any_object() -> None:
    event = parse_campaign_event(b'{"trackingId": "c-1", "state": "Finished", "statuses": {"Busy": 2}, "x": [1]}')

    assert (event.tracking_id, event.state, event.statuses, event.extra) == ("c-1", CampaignState.FINISHED, {"Busy": 2}, {"x": [1]})
    assert parse_campaign_event(b'{"campaignTrackingId": "c-1"}').tracking_id == "c-1"
    assert parse_campaign_event(b"{}").tracking_id is None


def test_no_keys_and_empty_keys_are_two_things() -> None:
    body = {"messageId": "m-1", "from": "306900000000", "to": "306912345678"}

    assert parse_dtmf_event(json.dumps(body).encode()).collected_tones is None
    assert parse_dtmf_event(json.dumps(body | {"collectedTones": ""}).encode()).collected_tones == ""
    pin = parse_dtmf_event(json.dumps(body | {"collectedTones": "4711"}).encode())
    assert pin.collected_tones == "4711"
    assert "4711" not in repr(pin)


@pytest.mark.parametrize(
    ("body", "where"),
    [
        (b"", "JSON expected"),
        (b"<html>+306912345678</html>", "JSON expected"),
        (b"[]", "object expected"),
        (b"{}", "at messageId"),
        (b'{"messageId": ""}', "at messageId"),
        (b'{"messageId": {"x": "+306912345678"}}', "at messageId"),
        (b"[" * 100_000, "expected"),
    ],
)
def test_what_is_no_callback_is_refused_and_not_shown(body: bytes, where: str) -> None:
    for parse in (parse_message_event, parse_conversation_event, parse_dtmf_event):
        with pytest.raises(WebhookRejected, match=where) as caught:
            parse(body)
        assert "30691" not in repr(caught.value)
