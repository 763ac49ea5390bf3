"""What the services' documents list, a page of JSON of each, and the values that these pages are read as."""

import json
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

from voicedrop_async import models
from voicedrop_async.calls import TokenResponse
from voicedrop_async.models import (
    AnsweredBy,
    Callback,
    CallbackStrategy,
    CampaignProblem,
    CampaignReceipt,
    CampaignState,
    DeliveryStatus,
    Direction,
    DropState,
    Gender,
    MessageStatus,
    Recording,
    SpokenMessage,
    VoiceAnalysis,
    VoiceCampaign,
    VoiceMessage,
)

SAMPLES = Path(__file__).parent / "samples"

DOCUMENTED = {
    # Routee, "Track multiple voice messages", response parameters
    VoiceMessage: "messageId conversationTrackingId to from groups country status campaign applicationName originatingService direction "
    "duration fileURL message price chargeInterval collectedTones recordings answeredBy",
    # "Failover callbacks" has the third
    DeliveryStatus: "status date reason",
    SpokenMessage: "gender language text",
    Recording: "trackingId start end from to url voiceTrackingIds conversationTrackingId duration",
    # Routee, "Send a voice campaign", response parameters
    CampaignReceipt: "callback campaignCallback campaignName contacts cost createdAt fileURL from groups hangupDelay message "
    "respectQuietHours scheduledDate state statuses to trackingId type collectDtmfDigits collectDtmfAwaitSeconds voiceAnalysis errors",
    Callback: "strategy url",
    # the last one by "Analyze a voice campaign"
    VoiceAnalysis: "contacts dialPlanAnalysis numberOfRecipients recipientCountries recipientsPerCountry recipientsPerGroup totalInGroups "
    "errors",
    CampaignProblem: "code developerMessage property",
    # Routee, "Send a voice campaign", body parameters
    VoiceCampaign: "from to contacts groups name fileURL message respectQuietHours ignoreDnd scheduledDate hangupDelay callback "
    "campaignCallback collectDtmfDigits collectDtmfAwaitSeconds",
    # Spacivox, "Voicemail drop records", "Fields", and its neighbours
    models.VoicemailDropRecord: "campaign id job number reference state team timestamp",
    models.TextRecord: "campaign id job number reference state team timestamp portal body",
    # Routee, "Authentication"
    TokenResponse: "access_token token_type expires_in",
}
"""Keys of each object, as its page lists them."""


def sample(name):
    """Return the bytes of a page of JSON, every documented key in it."""
    return (SAMPLES / f"{name}.json").read_bytes()


def sample_json(name):
    return json.loads(sample(name))


MESSAGE = VoiceMessage(
    "6a1f0e8c-0001",
    conversation_tracking_id="c0nv-77",
    to="+306912345678",
    sender="+302101234567",
    groups=("Customers", "Athens north"),
    country="GR",
    status=DeliveryStatus(MessageStatus.COMPLETED, date=datetime(2025, 5, 5, 15, 0, 49, 996000, UTC)),
    campaign="Spring sale",
    application_name="shop",
    originating_service="Voice",
    direction=Direction.OUTBOUND,
    duration=31,
    file_url="https://files.example/hello.wav",
    message=SpokenMessage("Hello, this is your shop", language="en-GB", gender=Gender.FEMALE),
    price=Decimal("0.01950"),
    charge_interval=1,
    collected_tones="0042#",
    recordings=(
        Recording(
            "rec-1",
            start=datetime(2025, 5, 5, 15, 0, 20, tzinfo=UTC),
            end=datetime(2025, 5, 5, 15, 0, 49, 440000, UTC),
            sender="+302101234567",
            to="+306912345678",
            url="https://files.example/rec-1.wav",
            voice_tracking_ids=("6a1f0e8c-0001", "6a1f0e8c-0002"),
            conversation_tracking_id="c0nv-77",
            duration=29.44,
        ),
    ),
    answered_by=AnsweredBy.HUMAN,
)
ANALYSIS = VoiceAnalysis(
    number_of_recipients=3,
    recipient_countries={"+306912345678": "GR", "+306912345679": "GR"},
    recipients_per_country={"GR": 2},
    recipients_per_group={"Athens north": 1},
    total_in_groups=1,
    contacts={"contact-1": {"recipient": "+306912345679", "recipientCountry": "GR", "blacklisted": False}},
    dial_plan_analysis={"placeholder": "none"},
)
RECEIPT = CampaignReceipt(
    "camp-9",
    type="Voice",
    state=CampaignState.SCHEDULED,
    campaign_name="Spring sale",
    sender="+302101234567",
    to=("+306912345678", "+306912345679"),
    contacts=("contact-1",),
    groups=("Athens north",),
    created_at=datetime(2025, 5, 5, 15, 1, 42, 395000, UTC),
    scheduled_date=datetime(2025, 5, 6, 9, tzinfo=UTC),
    cost=Decimal("0.10"),
    file_url="https://files.example/hello.wav",
    message=SpokenMessage("Hello, this is your shop", language="en-GB", gender=Gender.MALE),
    respect_quiet_hours=False,
    hangup_delay=20,
    callback=Callback(CallbackStrategy.ON_CHANGE, url="https://shop.example/message"),
    campaign_callback=Callback(CallbackStrategy.ON_COMPLETION, url="https://shop.example/campaign"),
    collect_dtmf_digits=True,
    collect_dtmf_await_seconds=2.5,
    statuses={status: place for place, status in enumerate(map(MessageStatus, sample_json("campaign_answer")["statuses"]), start=1)},
    voice_analysis=ANALYSIS,
    problems=(CampaignProblem("400013001", developer_message="Invalid recipients: 0030", property=("0030", "12")),),
)
EACH_RECORD = {
    "id": 1,
    "campaign": 1,
    "job": 1,
    "number": "+33612345678",
    "reference": "123456",
    "state": DropState.SENT,
    "team": 1,
    "timestamp": datetime(2015, 1, 6, 10, 21, 14, 243000, UTC),
}
RECORDS = {
    "drop_records": models.VoicemailDropRecord(**EACH_RECORD),
    "text_records": models.TextRecord(**EACH_RECORD, portal=7, body="Hello, your order is ready"),
}
"""Records of Spacivox, by their sample."""
