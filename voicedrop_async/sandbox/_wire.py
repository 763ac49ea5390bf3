"""The JSON of both services, one struct for each object. What is unset is left out, never null.

Sources: Routee, "Track multiple voice messages", "Send a voice campaign", "Voice callbacks";
Spacivox, "Voicemail drop records".
"""

from collections.abc import Sequence
from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType, field

Seconds = Annotated[int, Meta(ge=0)] | Annotated[float, Meta(ge=0)]
Names = Annotated[list[str], Meta(max_length=1000)]


def plain(structs: Sequence[Struct]) -> list[dict[str, Any]]:
    """Structs as the receiver of their JSON sees them."""
    return msgspec.json.decode(msgspec.json.encode(structs), type=list[dict[str, Any]])


class Speech(Struct, frozen=True):
    """What is read aloud to the recipient."""

    text: Annotated[str, Meta(max_length=1000)]
    language: str | UnsetType = UNSET
    gender: Literal["male", "female"] | UnsetType = UNSET


class Status(Struct, frozen=True, gc=False):
    """Where a call stands, and since when."""

    status: str
    date: str


class Recording(Struct, frozen=True, rename="camel", gc=False):
    """One recorded file."""

    tracking_id: str
    start: str
    end: str
    sender: str = field(name="from")
    to: str
    url: str
    voice_tracking_ids: tuple[str, ...]
    duration: int
    conversation_tracking_id: str | UnsetType = UNSET


class Message(Struct, frozen=True, rename="camel", kw_only=True, gc=False):
    """One tracked voice message."""

    message_id: str
    conversation_tracking_id: str | UnsetType = UNSET
    to: str
    sender: str = field(name="from")
    groups: tuple[str, ...] | UnsetType = UNSET
    country: str | UnsetType = UNSET
    status: Status
    campaign: str | UnsetType = UNSET
    application_name: str
    originating_service: str
    direction: str
    duration: int | UnsetType = UNSET
    file_url: str | UnsetType = field(name="fileURL", default=UNSET)
    message: Speech | UnsetType = UNSET
    price: float | UnsetType = UNSET
    charge_interval: int
    collected_tones: str | UnsetType = UNSET
    recordings: tuple[Recording, ...]
    answered_by: str | UnsetType = UNSET


class Page(Struct, rename="camel", kw_only=True):
    """One page of tracked messages: the envelope of Spring's pages."""

    content: list[Message]
    total_pages: int
    last: bool
    total_elements: int
    first: bool
    number_of_elements: int
    number: int
    size: int


class Filter(Struct, frozen=True, rename="camel"):
    """One condition of a tracking search."""

    field_name: str
    search_term: str
    search_operator: str = "is"


class Callback(Struct, frozen=True):
    """Where, and how often, progress is posted."""

    strategy: Literal["OnChange", "OnCompletion"]
    url: str


class AnalysisBody(Struct, rename="camel", kw_only=True):
    """Whom to call, from where, and with what. Unknown keys are passed over."""

    sender: Annotated[str, Meta(min_length=1)] = field(name="from")
    to: Names = field(default_factory=list)
    contacts: Names = field(default_factory=list)
    groups: Names = field(default_factory=list)
    file_url: str | UnsetType = field(name="fileURL", default=UNSET)
    message: Speech | UnsetType = UNSET


class CampaignBody(AnalysisBody, rename="camel", kw_only=True):
    """The body of a campaign."""

    name: Annotated[str, Meta(pattern=r"^[A-Za-z0-9 \-]{2,30}\Z")] | UnsetType = UNSET
    respect_quiet_hours: bool = False
    ignore_dnd: bool = False
    scheduled_date: str | UnsetType = UNSET
    hangup_delay: Seconds | UnsetType = UNSET
    callback: Callback | UnsetType = UNSET
    campaign_callback: Callback | UnsetType = UNSET
    collect_dtmf_digits: bool = False
    collect_dtmf_await_seconds: Seconds | UnsetType = UNSET


class Problem(Struct, frozen=True, rename="camel"):
    """One row of ``errors``: a recipient who cannot be called."""

    code: str
    developer_message: str
    property: str


class Contact(Struct, frozen=True, rename="camel"):
    """A contact, as an analysis shows it."""

    recipient: str
    recipient_country: str | UnsetType
    blacklisted: bool = False


class DialPlanAnalysis(Struct, frozen=True):
    """Named on the page without explanation."""

    placeholder: str = ""


class Analysis(Struct, rename="camel", kw_only=True):
    """Whom a campaign would call."""

    contacts: dict[str, Contact]
    dial_plan_analysis: DialPlanAnalysis
    number_of_recipients: int
    recipient_countries: dict[str, str]
    recipients_per_country: dict[str, int]
    recipients_per_group: dict[str, int]
    total_in_groups: int
    errors: list[Problem] | UnsetType = UNSET


class CampaignAnswer(Struct, rename="camel", kw_only=True):
    """The receipt of a campaign."""

    tracking_id: str
    type: str
    state: str
    campaign_name: str | UnsetType
    sender: str = field(name="from")
    to: list[str]
    contacts: list[str]
    groups: list[str]
    created_at: str
    scheduled_date: str | UnsetType
    cost: float
    file_url: str | UnsetType = field(name="fileURL")
    message: Speech | UnsetType
    respect_quiet_hours: bool
    hangup_delay: Seconds | UnsetType
    callback: Callback | UnsetType
    campaign_callback: Callback | UnsetType
    collect_dtmf_digits: bool
    collect_dtmf_await_seconds: Seconds | UnsetType
    statuses: dict[str, int]
    voice_analysis: Analysis
    errors: list[Problem] | UnsetType


class CallbackStatus(Struct, frozen=True, rename="camel"):
    """A status as callbacks say it; tracking uses other names for the same two facts."""

    name: str
    updated_date: str


class MessageCallback(Struct, rename="camel", kw_only=True):
    """What is posted about one message."""

    message_id: str
    campaign_tracking_id: str
    campaign_name: str | UnsetType
    to: str
    sender: str = field(name="from")
    country: str | UnsetType
    groups: tuple[str, ...] | UnsetType
    application_name: str
    price: float | UnsetType
    originating_service: str
    direction: str
    status: CallbackStatus
    audio_message: Speech | UnsetType
    file_url: str | UnsetType = field(name="fileURL")
    hangup_delay: Seconds | UnsetType
    respect_quiet_hours: bool
    duration: int | UnsetType
    created_at: str
    charge_interval: int


class CampaignCallback(Struct, rename="camel", kw_only=True):
    """What is posted about a campaign. That part of the page is not known; these keys are ours."""

    tracking_id: str
    campaign_name: str | UnsetType
    state: str
    statuses: dict[str, int]
    created_at: str


class Drop(Struct, frozen=True, kw_only=True, gc=False):
    """One voicemail drop."""

    campaign: int
    id: int
    job: int
    number: str
    reference: str
    state: int
    team: int
    timestamp: str


class Token(Struct, frozen=True):
    """The answer of the token endpoint."""

    access_token: str
    token_type: str
    expires_in: int
    scope: str
    permissions: tuple[str, ...]
