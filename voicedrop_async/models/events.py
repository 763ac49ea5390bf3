"""What Routee posts to callback URLs. Nothing of it is signed: what matters, above all money, is to be read again by tracking."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from attrs import field, frozen

from voicedrop_async.models._open import NO_EXTRA, Extra, Open, Seconds
from voicedrop_async.models._words import CampaignState, Direction, MessageStatus
from voicedrop_async.models.campaign import SpokenMessage
from voicedrop_async.models.tracking import DeliveryStatus


class CallbackKind(StrEnum):
    """What a callback tells of; the last segment of a receiver's URLs."""

    MESSAGE = "message"
    """``VoiceCampaign.callback``: a ``MessageEvent``."""
    CAMPAIGN = "campaign"
    """``VoiceCampaign.campaign_callback``: a ``CampaignEvent``."""
    CONVERSATION = "conversation"
    """``callback`` of a conversation, or of an inbound number: a ``ConversationEvent``."""
    DTMF = "dtmf"
    """``eventUrl`` of the verb that collects keys: a ``DtmfEvent``."""


@frozen
class MessageEvent:
    """A message of a campaign has another status. Source: Routee, "Voice callbacks"."""

    message_id: str
    """Of the message; what ``track_message`` takes."""
    campaign_tracking_id: str | None = field(default=None, kw_only=True)
    """The campaign's id: ``CampaignReceipt.tracking_id``."""
    campaign_name: str | None = field(default=None, kw_only=True)
    """As it was sent."""
    to: str | None = field(default=None, repr=False, kw_only=True)
    """The called number, E.164."""
    sender: str | None = field(default=None, repr=False, kw_only=True)
    """The sender id (``from``)."""
    country: str | None = field(default=None, kw_only=True)
    """The recipient's country, ISO 3166-1 alpha-2."""
    operator: str | None = field(default=None, kw_only=True)
    """The recipient's network."""
    groups: tuple[str, ...] | None = field(default=None, kw_only=True)
    """Contact groups of the recipient."""
    application_name: str | None = field(default=None, kw_only=True)
    """The application of the account that sent it."""
    price: Decimal | None = field(default=None, kw_only=True)
    """In the account's currency. As everything here, said by whoever knows the URL: take it from ``track_message``."""
    originating_service: str | None = field(default=None, kw_only=True)
    """The service that sent the message; no closed list of words."""
    direction: Open[Direction] | None = field(default=None, kw_only=True)
    """From the account's side; a known word, or one newer than this library."""
    status: DeliveryStatus | None = field(default=None, kw_only=True)
    """In either spelling: ``name`` and ``updatedDate``, or ``status`` and ``date`` as in tracking."""
    message: SpokenMessage | None = field(default=None, kw_only=True)
    """The spoken text (``audioMessage``); either this or ``file_url``."""
    file_url: str | None = field(default=None, repr=False, kw_only=True)
    """The played .wav file (``fileURL``)."""
    hangup_delay: Seconds | None = field(default=None, kw_only=True)
    """Seconds, though the page names no unit."""
    respect_quiet_hours: bool | None = field(default=None, kw_only=True)
    """Whether calls are held back in the quiet hours of the destination."""
    duration: Seconds | None = field(default=None, kw_only=True)
    """Of the call; seconds, see ``VoiceMessage.duration``."""
    created_at: datetime | None = field(default=None, kw_only=True)
    """Aware, UTC."""
    charge_interval: Seconds | None = field(default=None, kw_only=True)
    """The time interval used for charging, in seconds."""
    extra: Extra = field(default=NO_EXTRA, repr=False, hash=False, kw_only=True)
    """What the service sent beyond its document, and what could not be read, by wire name."""


@frozen
class CampaignEvent:
    """A campaign has another state.

    Source: Routee, "Voice callbacks", which announces it and does not show its keys. The names are those of the campaign's
    receipt, inferred; what goes by other names is in ``extra``.
    """

    tracking_id: str | None = None
    """The campaign's id: ``CampaignReceipt.tracking_id``."""
    campaign_name: str | None = field(default=None, kw_only=True)
    """As it was sent."""
    state: Open[CampaignState] | None = field(default=None, kw_only=True)
    """A known state, or the word of one newer than this library."""
    statuses: Mapping[Open[MessageStatus], int] | None = field(default=None, hash=False, kw_only=True)
    """Number of messages by status."""
    created_at: datetime | None = field(default=None, kw_only=True)
    """Aware, UTC."""
    extra: Extra = field(default=NO_EXTRA, repr=False, hash=False, kw_only=True)
    """What the service sent beyond these, and what could not be read, by wire name."""


@frozen
class ConversationEvent:
    """A call of a conversation, or to an inbound number, has another status. Source: Routee, "Voice conversation callbacks"."""

    message_id: str
    """Of the call."""
    conversation_tracking_id: str | None = field(default=None, kw_only=True)
    """Of the conversation that the call belongs to."""
    to: str | None = field(default=None, repr=False, kw_only=True)
    """The called number."""
    sender: str | None = field(default=None, repr=False, kw_only=True)
    """Who calls (``from``)."""
    status: DeliveryStatus | None = field(default=None, kw_only=True)
    """In either spelling, as in a ``MessageEvent``."""
    direction: Open[Direction] | None = field(default=None, kw_only=True)
    """From the account's side; a known word, or one newer than this library."""
    originating_service: str | None = field(default=None, kw_only=True)
    """The service that sent the message; no closed list of words."""
    respect_quiet_hours: bool | None = field(default=None, kw_only=True)
    """Whether calls are held back in the quiet hours of the destination."""
    duration: Seconds | None = field(default=None, kw_only=True)
    """Of the call; seconds, see ``VoiceMessage.duration``."""
    price: Decimal | None = field(default=None, kw_only=True)
    """In the account's currency; not to be trusted, as in a ``MessageEvent``."""
    extra: Extra = field(default=NO_EXTRA, repr=False, hash=False, kw_only=True)
    """What the service sent beyond its document, and what could not be read, by wire name."""


@frozen
class DtmfEvent:
    """Keys were pressed, or the call is over. Source: Routee, "Voice conversation callbacks", collecting keys.

    The page tells when it is posted; the keys of its body are those that others have received.
    """

    message_id: str
    """Of the call."""
    conversation_tracking_id: str | None = field(default=None, kw_only=True)
    """Of the conversation that the call belongs to."""
    to: str | None = field(default=None, repr=False, kw_only=True)
    """The called number."""
    sender: str | None = field(default=None, repr=False, kw_only=True)
    """Who calls (``from``)."""
    collected_tones: str | None = field(default=None, repr=False, kw_only=True)
    """The keys; empty says that the call is over. Hidden from ``repr``: they can be PINs."""
    extra: Extra = field(default=NO_EXTRA, repr=False, hash=False, kw_only=True)
    """What the service sent beyond these, and what could not be read, by wire name."""


CallbackEvent = MessageEvent | CampaignEvent | ConversationEvent | DtmfEvent
"""What a receiver hands on."""
