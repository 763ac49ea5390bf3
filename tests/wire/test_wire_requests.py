"""What goes out: a campaign as its page wants it, and nothing that was left out."""

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import pytest

from voicedrop_async import _wire
from voicedrop_async.models import Callback, CallbackStrategy, Gender, SpokenMessage, VoiceCampaign


def test_what_is_left_out_of_a_campaign_is_left_out_of_the_request():
    campaign = VoiceCampaign("shop", to=["+306912345678"], message=SpokenMessage("Hello"))
    assert _wire.dump_campaign(campaign) == {"from": "shop", "to": ["+306912345678"], "message": {"text": "Hello"}}


def test_false_and_zero_are_not_left_out():
    campaign = VoiceCampaign("shop", respect_quiet_hours=False, ignore_dnd=False, collect_dtmf_await_seconds=0, name="")
    said = {"respectQuietHours": False, "ignoreDnd": False, "collectDtmfAwaitSeconds": 0, "name": ""}
    assert _wire.dump_campaign(campaign) == {"from": "shop"} | said


def test_known_words_go_out_as_the_services_own_and_unknown_ones_as_they_are():
    campaign = VoiceCampaign(
        "shop",
        message=SpokenMessage("Hello", gender=Gender.MALE),
        callback=Callback(CallbackStrategy.ON_CHANGE, url="https://a"),
        campaign_callback=Callback("OnMonday", url="https://b"),
    )
    assert _wire.encode(_wire.dump_campaign(campaign)) == (
        b'{"from":"shop","message":{"text":"Hello","gender":"male"},"callback":{"strategy":"OnChange","url":"https://a"},'
        b'"campaignCallback":{"strategy":"OnMonday","url":"https://b"}}'
    )


@pytest.mark.parametrize(
    "date",
    [
        datetime(2025, 5, 6, 9, 0, 0, 999999, UTC),
        datetime(2025, 5, 6, 12, 0, tzinfo=timezone(timedelta(hours=3))),
        datetime(2025, 5, 6, 4, 0, 0, 1, timezone(-timedelta(hours=5))),
    ],
)
def test_a_scheduled_date_goes_out_in_utc_and_without_a_fraction(date):
    assert _wire.dump_campaign(VoiceCampaign("shop", scheduled_date=date))["scheduledDate"] == "2025-05-06T09:00:00Z"


def test_an_amount_goes_out_as_a_number_with_its_digits():
    assert _wire.encode({"cost": Decimal("0.10")}) == b'{"cost":0.10}'
