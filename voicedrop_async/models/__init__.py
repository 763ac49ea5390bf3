"""The values users hold: what the services talk about, and what our own sends and walks report.

Frozen, slotted, keyword-only after the first field. They know no wire name, no HTTP and no loop; the one
place that knows both sides is ``_wire``.
"""

from voicedrop_async.models._open import NO_EXTRA, Extra, Open, OpenNumber, Seconds
from voicedrop_async.models._words import (
    AnsweredBy,
    CallbackStrategy,
    CampaignState,
    Direction,
    DropState,
    FilterField,
    FilterOperator,
    Gender,
    MessageStatus,
)
from voicedrop_async.models.campaign import (
    Callback,
    CampaignProblem,
    CampaignReceipt,
    Intent,
    Reconciliation,
    SpokenMessage,
    VoiceAnalysis,
    VoiceCampaign,
)
from voicedrop_async.models.drops import (
    SpacivoxRecord,
    TextRecord,
    VoicemailDropRecord,
)
from voicedrop_async.models.events import CallbackEvent, CallbackKind, CampaignEvent, ConversationEvent, DtmfEvent, MessageEvent
from voicedrop_async.models.summary import CampaignSummary
from voicedrop_async.models.tracking import DeliveryStatus, Recording, TrackingFilter, VoiceMessage
from voicedrop_async.models.walks import Page, ResumeToken, WalkReport

__all__ = [
    "NO_EXTRA",
    "AnsweredBy",
    "Callback",
    "CallbackEvent",
    "CallbackKind",
    "CallbackStrategy",
    "CampaignEvent",
    "CampaignProblem",
    "CampaignReceipt",
    "CampaignState",
    "CampaignSummary",
    "ConversationEvent",
    "DeliveryStatus",
    "Direction",
    "DropState",
    "DtmfEvent",
    "Extra",
    "FilterField",
    "FilterOperator",
    "Gender",
    "Intent",
    "MessageEvent",
    "MessageStatus",
    "Open",
    "OpenNumber",
    "Page",
    "Reconciliation",
    "Recording",
    "ResumeToken",
    "Seconds",
    "SpacivoxRecord",
    "SpokenMessage",
    "TextRecord",
    "TrackingFilter",
    "VoiceAnalysis",
    "VoiceCampaign",
    "VoiceMessage",
    "VoicemailDropRecord",
    "WalkReport",
]
