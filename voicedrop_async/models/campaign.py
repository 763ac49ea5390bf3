"""A voice campaign: what is asked for, what the service answers, and what we remember of asking.

Source of the fields: Routee, "Send a voice campaign", unless a line says otherwise.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from attrs import field, frozen

from voicedrop_async.models._open import NO_EXTRA, Extra, Open, Seconds
from voicedrop_async.models._words import CallbackStrategy, CampaignState, Gender, MessageStatus


def _texts(values: Iterable[str]) -> tuple[str, ...]:
    # A lone text is one recipient, not a recipient for each of its characters.
    return (values,) if isinstance(values, str) else tuple(values)


@frozen
class SpokenMessage:
    """Text that is turned into voice."""

    text: str | None = field(default=None, repr=False)
    """At most 1000 characters ("Other voice messaging concepts"); needed in a campaign."""
    language: str | None = field(default=None, kw_only=True)
    """Such as ``en-GB`` or ``el-GR`` ("Say verb" lists them)."""
    gender: Open[Gender] | None = field(default=None, kw_only=True)
    """The speaking voice."""
    extra: Extra = field(default=NO_EXTRA, repr=False, hash=False, kw_only=True)
    """What the service sent beyond its document, by wire name."""


@frozen
class Callback:
    """Where the service reports progress, and how often."""

    strategy: Open[CallbackStrategy] | None = None
    """When it reports: at each change, or at the end."""
    url: str | None = field(default=None, repr=False, kw_only=True)
    """Hidden from ``repr``: callbacks are not signed, so the URL is the secret."""
    extra: Extra = field(default=NO_EXTRA, repr=False, hash=False, kw_only=True)
    """What the service sent beyond its document, by wire name."""


@frozen
class VoiceCampaign:
    """A campaign to send. Fields left out are left out of the request.

    Nothing is checked when it is built: ``send_campaign`` and ``analyze_campaign`` check it before they send.
    """

    sender: str = field(repr=False)
    """The sender id (``from``): a number or, where networks take it, letters."""
    to: tuple[str, ...] = field(default=(), converter=_texts, repr=False, kw_only=True)
    """Recipients, E.164 with a leading plus; at most 1000."""
    contacts: tuple[str, ...] = field(default=(), converter=_texts, kw_only=True)
    """Contact ids of the account; at most 1000."""
    groups: tuple[str, ...] = field(default=(), converter=_texts, kw_only=True)
    """Contact group names of the account; at most 1000."""
    name: str | None = field(default=None, kw_only=True)
    """2 to 30 Latin letters, digits, spaces and hyphens. One that is sent without gets a name of its own.

    It is kept and shown in clear, so a campaign whose name holds the number of a recipient is not sent.
    """
    message: SpokenMessage | None = field(default=None, kw_only=True)
    """What is spoken; either this or ``file_url``."""
    file_url: str | None = field(default=None, repr=False, kw_only=True)
    """A .wav file to play; either this or ``message``."""
    respect_quiet_hours: bool | None = field(default=None, kw_only=True)
    """Hold calls back in the quiet hours of the destination; the service's default is false."""
    ignore_dnd: bool | None = field(default=None, kw_only=True)
    """Call numbers on Do-Not-Disturb lists as well."""
    scheduled_date: datetime | None = field(default=None, kw_only=True)
    """When to begin; aware. Goes out in UTC, cut to the second."""
    hangup_delay: Seconds | None = field(default=None, kw_only=True)
    """How long to wait for an answer; seconds, though the page names no unit."""
    callback: Callback | None = field(default=None, kw_only=True)
    """Progress of each message."""
    campaign_callback: Callback | None = field(default=None, kw_only=True)
    """Progress of the campaign."""
    collect_dtmf_digits: bool | None = field(default=None, kw_only=True)
    """Collect pressed keys at the end of the message."""
    collect_dtmf_await_seconds: Seconds | None = field(default=None, kw_only=True)
    """Length of the pause for pressing them, in seconds; only with ``collect_dtmf_digits``."""


@frozen
class CampaignProblem:
    """One row of the service's ``errors[]``."""

    code: str | None = None
    """Usually nine digits; text, because leading zeros count. Some answers spell the key ``errorCode``."""
    developer_message: str | None = field(default=None, repr=False, kw_only=True)
    """The service's own words; they can hold phone numbers."""
    property: tuple[str, ...] | None = field(default=None, repr=False, kw_only=True)
    """The numbers of invalid recipients."""
    extra: Extra = field(default=NO_EXTRA, repr=False, hash=False, kw_only=True)
    """What the service sent beyond its document, by wire name."""


@frozen(kw_only=True)
class VoiceAnalysis:
    """What the service expects of a campaign: recipients by country and group.

    Source: Routee, "Send a voice campaign", ``voiceAnalysis``, and "Analyze a voice campaign".
    """

    number_of_recipients: int | None = None
    """In all, by the service's count."""
    recipient_countries: Mapping[str, str] | None = field(default=None, repr=False, hash=False)
    """Country (ISO 3166-1 alpha-2) by recipient."""
    recipients_per_country: Mapping[str, int] | None = field(default=None, hash=False)
    """Number of recipients by country (ISO 3166-1 alpha-2)."""
    recipients_per_group: Mapping[str, int] | None = field(default=None, hash=False)
    """Number of recipients by group name, without blacklisted contacts."""
    total_in_groups: int | None = None
    """Recipients in all groups, without those given otherwise and the blacklisted."""
    contacts: Mapping[str, object] | None = field(default=None, repr=False, hash=False)
    """Details by contact id, as the service sent them; the page does not give their fields."""
    dial_plan_analysis: Mapping[str, object] | None = field(default=None, repr=False, hash=False)
    """Holds ``placeholder``, which the page names without a word on its meaning."""
    problems: tuple[CampaignProblem, ...] = ()
    """The ``errors[]`` rows of an analysis."""
    extra: Extra = field(default=NO_EXTRA, repr=False, hash=False)
    """What the service sent beyond its document, by wire name."""


@frozen
class CampaignReceipt:
    """The service's answer to a campaign. What was not supplied is missing there, and None here."""

    tracking_id: str | None = None
    """The campaign's id: for ``track_campaign``, ``track_messages`` and ``delete_campaign``.

    None only where no answer told it: of a send that was found by ``reconcile``, or settled by a person.
    """
    type: str | None = field(default=None, kw_only=True)
    """The service type of the campaign."""
    state: Open[CampaignState] | None = field(default=None, kw_only=True)
    """A known state, or the word of one newer than this library."""
    campaign_name: str | None = field(default=None, kw_only=True)
    """As it was sent."""
    sender: str | None = field(default=None, repr=False, kw_only=True)
    """The sender id (``from``). Hidden from ``repr``: it can be a number."""
    to: tuple[str, ...] | None = field(default=None, repr=False, kw_only=True)
    """The numbers, as they were sent."""
    contacts: tuple[str, ...] | None = field(default=None, kw_only=True)
    """Ids of contacts, as they were sent."""
    groups: tuple[str, ...] | None = field(default=None, kw_only=True)
    """Names of groups, as they were sent."""
    created_at: datetime | None = field(default=None, kw_only=True)
    """Aware, UTC."""
    scheduled_date: datetime | None = field(default=None, kw_only=True)
    """Aware, UTC."""
    cost: Decimal | None = field(default=None, kw_only=True)
    """In the account's currency, which the answer does not name."""
    file_url: str | None = field(default=None, repr=False, kw_only=True)
    """The .wav file (``fileURL``); either this or ``message``."""
    message: SpokenMessage | None = field(default=None, kw_only=True)
    """The spoken text; either this or ``file_url``."""
    respect_quiet_hours: bool | None = field(default=None, kw_only=True)
    """As it was sent."""
    hangup_delay: Seconds | None = field(default=None, kw_only=True)
    """Seconds, though the page names no unit."""
    callback: Callback | None = field(default=None, kw_only=True)
    """Where the progress of each message is reported."""
    campaign_callback: Callback | None = field(default=None, kw_only=True)
    """Where the progress of the campaign is reported."""
    collect_dtmf_digits: bool | None = field(default=None, kw_only=True)
    """As it was sent."""
    collect_dtmf_await_seconds: Seconds | None = field(default=None, kw_only=True)
    """Seconds."""
    statuses: Mapping[Open[MessageStatus], int] | None = field(default=None, hash=False, kw_only=True)
    """Number of messages by status."""
    voice_analysis: VoiceAnalysis | None = field(default=None, kw_only=True)
    """Whom it reaches, by country and group."""
    problems: tuple[CampaignProblem, ...] = field(default=(), kw_only=True)
    """The ``errors[]`` rows. They can stand in a successful answer: the rest of the campaign was taken."""
    extra: Extra = field(default=NO_EXTRA, repr=False, hash=False, kw_only=True)
    """What the service sent beyond its document, and what could not be read, by wire name."""


class Reconciliation(StrEnum):
    """What the tracking tells of a send whose answer was lost. None of these means that it was not sent."""

    SENT = "sent"
    """Messages of that campaign are there."""
    NOT_SEEN_YET = "not_seen_yet"
    """None are there by now; they may be on their way."""
    DUPLICATE_SUSPECTED = "duplicate_suspected"
    """Somebody has more than one message of that campaign: a person has to look."""


@frozen(kw_only=True)
class Intent:
    """What is known of a paid send whose outcome is not: enough to look for it, no phone number."""

    campaign_name: str | None
    """Under this name tracking shows its messages."""
    started_at: datetime
    """When sending began; aware, UTC."""
    recipients: int
    """Numbers, contacts and groups that were addressed."""
    ref: str = ""
    """The caller's own key of this send, or one made for it."""
    campaign_digest: str = field(default="", repr=False)
    """HMAC, under the journal's key, of what was to be sent, without recipients and without a name that was made up for it."""
    recipients_digest: str = field(default="", repr=False)
    """HMAC of the sorted recipients under the journal's key: it tells lists apart, and gives no number back."""

    def is_same_send(self, other: "Intent") -> bool:
        """Whether both are of the same campaign to the same recipients, begun whenever."""
        return (self.campaign_digest, self.recipients_digest) == (other.campaign_digest, other.recipients_digest)
