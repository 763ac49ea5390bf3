"""What Routee's tracking answers: voice messages, their status and recordings, and the filters of a search."""

from datetime import datetime
from decimal import Decimal

import attrs
from attrs import field, frozen

from voicedrop_async.models._open import NO_EXTRA, Extra, Open, Seconds
from voicedrop_async.models._words import AnsweredBy, Direction, FilterField, FilterOperator, MessageStatus
from voicedrop_async.models.campaign import SpokenMessage


@frozen
class DeliveryStatus:
    """A status and its moment. Source: Routee, "Track multiple voice messages", ``content.status``.

    One class for three shapes: ``status`` and ``date`` in tracking, ``name`` and ``updatedDate`` in callbacks
    ("Voice callbacks"), and a ``reason`` beside them in failover callbacks.
    """

    status: Open[MessageStatus] | None = None
    """A known status, or the word of one newer than this library."""
    date: datetime | None = field(default=None, kw_only=True)
    """When the status was set; aware, UTC."""
    reason: str | None = field(default=None, kw_only=True)
    """Only in failover callbacks."""
    extra: Extra = field(default=NO_EXTRA, repr=False, hash=False, kw_only=True)
    """What the service sent beyond its document, by wire name."""


@frozen
class Recording:
    """A recorded file of a call. Source: Routee, "Track multiple voice messages", ``content.recordings``."""

    tracking_id: str | None = None
    """The recording's id; a file of it is named after it."""
    start: datetime | None = field(default=None, kw_only=True)
    """When the recording starts; aware, UTC."""
    end: datetime | None = field(default=None, kw_only=True)
    """When the recording ends; aware, UTC."""
    sender: str | None = field(default=None, repr=False, kw_only=True)
    """Who began the call (``from``)."""
    to: str | None = field(default=None, repr=False, kw_only=True)
    """Who was called."""
    url: str | None = field(default=None, repr=False, kw_only=True)
    """Where the service says the file is. Data, not to be trusted: nothing here opens it by itself."""
    voice_tracking_ids: tuple[str, ...] | None = field(default=None, kw_only=True)
    """Tracking ids of the voice messages of the conversation."""
    conversation_tracking_id: str | None = field(default=None, kw_only=True)
    """The conversation that was recorded."""
    duration: Seconds | None = field(default=None, kw_only=True)
    """Seconds."""
    extra: Extra = field(default=NO_EXTRA, repr=False, hash=False, kw_only=True)
    """What the service sent beyond its document, by wire name."""


@frozen
class VoiceMessage:
    """One tracked call. Source: Routee, "Track multiple voice messages", ``content``.

    The service leaves out what does not apply; such a field is None, which is not the same as empty.
    """

    message_id: str = ""
    """The message's id; empty if the service sent none, which its page does not foresee."""
    conversation_tracking_id: str | None = field(default=None, kw_only=True)
    """The conversation the call belongs to; absent for campaign messages."""
    to: str | None = field(default=None, repr=False, kw_only=True)
    """The called number; a leading plus is not promised."""
    sender: str | None = field(default=None, repr=False, kw_only=True)
    """The sender id (``from``)."""
    groups: tuple[str, ...] | None = field(default=None, kw_only=True)
    """Contact groups of the recipient."""
    country: str | None = field(default=None, kw_only=True)
    """The recipient's country, ISO 3166-1 alpha-2."""
    status: DeliveryStatus | None = field(default=None, kw_only=True)
    """Its latest status."""
    campaign: str | None = field(default=None, kw_only=True)
    """The campaign's *name*, not its id; absent when there is none."""
    application_name: str | None = field(default=None, kw_only=True)
    """The application of the account that sent it."""
    originating_service: str | None = field(default=None, kw_only=True)
    """The service that sent the message; no closed list of words."""
    direction: Open[Direction] | None = field(default=None, kw_only=True)
    """From the account's side; a known word, or one newer than this library."""
    duration: Seconds | None = field(default=None, kw_only=True)
    """Of the call. The page names no unit; seconds, by the charging interval beside it."""
    file_url: str | None = field(default=None, repr=False, kw_only=True)
    """The played .wav file (``fileURL``); either this or ``message``."""
    message: SpokenMessage | None = field(default=None, kw_only=True)
    """The spoken text; either this or ``file_url``."""
    price: Decimal | None = field(default=None, kw_only=True)
    """Of this message, in the account's currency, which the record does not name."""
    charge_interval: Seconds | None = field(default=None, kw_only=True)
    """The time interval used for charging, in seconds."""
    collected_tones: str | None = field(default=None, repr=False, kw_only=True)
    """Keys pressed during the call. Hidden from ``repr``: they can be PINs."""
    recordings: tuple[Recording, ...] | None = field(default=None, kw_only=True)
    """What was recorded of the call."""
    answered_by: Open[AnsweredBy] | None = field(default=None, kw_only=True)
    """A person or a machine, as far as the service can tell; a known word, or one newer than this library."""
    extra: Extra = field(default=NO_EXTRA, repr=False, hash=False, kw_only=True)
    """What the service sent beyond its document, and what could not be read, by wire name."""


@frozen
class TrackingFilter:
    """One condition of a tracking search; all conditions of a search must hold.

    Source: Routee, "Track multiple voice messages", body parameters. How several filters are combined is not
    documented; *and* is assumed.
    """

    field: Open[FilterField]
    """What to compare. These are not the names of the answer: see ``FilterField``."""
    value: str = attrs.field(repr=False)
    """The text compared with. Hidden from ``repr``: often a phone number."""
    operator: Open[FilterOperator] = attrs.field(default=FilterOperator.IS, kw_only=True)
    """How to compare; ``IS`` if left out."""
