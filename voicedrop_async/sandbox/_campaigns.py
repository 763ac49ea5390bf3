"""Campaigns: accepting or refusing them, and what became of them by now.

Source: Routee, "Send a voice campaign", "Analyze a voice campaign", "Voice messaging statuses".
"""

from bisect import bisect_right
from collections import Counter
from collections.abc import Mapping
from datetime import datetime, timedelta
from operator import attrgetter
from typing import Any

import msgspec
from attrs import define, field
from msgspec import UNSET

from ._calls import MESSAGE_STATUSES, Script, Turn, ended_message, ending, turns, under_way
from ._dice import Dice
from ._orders import Recipient, analysis_of, read_order, recipients_of, scheduled, sort_out
from ._people import rate
from ._refusals import api_error
from ._time import Clock, iso
from ._wire import Analysis, AnalysisBody, CampaignAnswer, CampaignBody, Message, Problem, plain

_SECONDS_BETWEEN_CALLS = 0.045  # a thousand calls have begun after 45 s
_LONGEST_RING = 60  # seconds, whatever ``hangupDelay`` says: a range is documented for conversations only


@define(eq=False)
class Call:
    """One telephone of a campaign: its message once it is over, and the way there."""

    message: Message
    turns: tuple[Turn, ...]

    def turn_at(self, seconds: float) -> Turn:
        """The turn that holds so many seconds after the campaign began."""
        return self.turns[max(bisect_right(self.turns, seconds, key=attrgetter("after")) - 1, 0)]

    def message_at(self, turn: Turn, began: datetime) -> Message:
        """The message as it is tracked from ``turn`` until the next one."""
        return self.message if turn is self.turns[-1] else under_way(self.message, turn, began)


@define(eq=False, kw_only=True)
class AcceptedCampaign:
    """A campaign the sandbox accepted. Its properties tell how things are at the sandbox's present moment."""

    number: int
    """0 for the first; those that were deleted count."""
    tracking_id: str
    """The id that was answered."""
    name: str | None
    """As it was sent."""
    recipients: tuple[str, ...] = field(repr=False)
    """Every number called, those of contacts and groups included; one entry, one call."""
    body: Mapping[str, Any] = field(repr=False)
    """As it was sent."""
    created_at: datetime
    """When it was accepted, by the sandbox's clock."""
    starts_at: datetime
    """When calling begins: at once, or at ``scheduledDate``."""
    ends_at: datetime
    """When the last call is over."""
    order: CampaignBody = field(repr=False)
    """For the sandbox's own use."""
    calls: tuple[Call, ...] = field(repr=False)
    """For the sandbox's own use."""
    clock: Clock = field(repr=False)
    """For the sandbox's own use."""
    _final: dict[str, int] | None = field(default=None, init=False, repr=False)

    @property
    def state(self) -> str:
        """Scheduled, Queued, Running, Sent or Finished."""
        now = self.clock.now()
        reached = [state for state, since in self.states() if since <= now]
        return reached[-1] if reached else "Scheduled"

    @property
    def statuses(self) -> dict[str, int]:
        """Number of messages per status; every documented status is a key."""
        return self.statuses_at(self.clock.now())

    @property
    def messages(self) -> list[dict[str, Any]]:
        """The campaign's messages as tracking shows them."""
        return plain(self.messages_at(self.clock.now()))

    def states(self) -> list[tuple[str, datetime]]:
        """Every state from Queued on, and since when. Sent: the last call has begun, but not all are over."""
        dialled = [call.turns[1].after for call in self.calls]
        since = {
            "Queued": self.starts_at,
            "Running": self.moment(min(dialled)),
            "Sent": self.moment(max(dialled)),
            "Finished": self.ends_at,
        }
        return list(since.items())

    def statuses_at(self, moment: datetime) -> dict[str, int]:
        """Number of messages per status at a moment. Once all calls are over it stays as it is."""
        if self._final is not None and moment >= self.ends_at:
            return dict(self._final)
        seconds = (moment - self.starts_at).total_seconds()
        counts = Counter(call.turn_at(seconds).status for call in self.calls)
        statuses = {status: counts[status] for status in MESSAGE_STATUSES}
        if moment >= self.ends_at:
            self._final = dict(statuses)
        return statuses

    def messages_at(self, moment: datetime) -> list[Message]:
        """The messages as tracking shows them at a moment; none before calling begins."""
        seconds = (moment - self.starts_at).total_seconds()
        if seconds < 0:
            return []
        return [call.message_at(call.turn_at(seconds), self.starts_at) for call in self.calls]

    def moment(self, seconds: float) -> datetime:
        """So many seconds after calling began."""
        return self.starts_at + timedelta(seconds=seconds)


class Campaigns:
    """Takes campaigns in, and knows those taken."""

    def __init__(self, *, seed: int, clock: Clock, recordings_url: str, partial_errors: bool, unique_names: bool) -> None:
        """See ``Sandbox`` for the two switches."""
        self.accepted: list[AcceptedCampaign] = []
        self._taken = 0
        self._seed = seed
        self._clock = clock
        self._recordings_url = recordings_url
        self._partial_errors = partial_errors
        self._unique_names = unique_names

    def analyze(self, raw: bytes) -> Analysis:
        """Whom a campaign would call. Calls nobody."""
        body = read_order(raw, AnalysisBody)
        good, problems = sort_out(body.to)
        return analysis_of(self._seed, body, good, problems)

    def accept(self, raw: bytes) -> tuple[AcceptedCampaign, CampaignAnswer]:
        """Take a campaign in, or refuse it.

        Raises:
            Refusal: 400 for a body against the documented rules; 409 for a name taken, if names are to be unique.
        """
        body = read_order(raw, CampaignBody)
        starts_at = scheduled(body)
        good, problems = sort_out(body.to)
        recipients = recipients_of(self._seed, body, good)
        if problems and not (self._partial_errors and recipients):
            raise api_error(400, "Some recipients are invalid", number=4, problems=problems)
        if self._unique_names and body.name and any(body.name == taken.name for taken in self.accepted):
            raise api_error(409, "A campaign of this name exists", number=1)
        now = self._clock.now()
        sent = msgspec.json.decode(raw)
        campaign = self._plan(self._taken, body, recipients, sent, created_at=now, starts_at=max(starts_at or now, now))
        self._taken += 1
        self.accepted.append(campaign)
        return campaign, _receipt(campaign, analysis_of(self._seed, body, good, problems), problems)

    def restore(self, number: int, raw: bytes, created_at: datetime, *, deleted: bool) -> AcceptedCampaign | None:
        """Take a campaign of an earlier run in, as it was taken then; None if it was deleted."""
        self._taken = number + 1
        if deleted:
            return None
        body = read_order(raw, CampaignBody)
        recipients = recipients_of(self._seed, body, sort_out(body.to)[0])
        starts_at = max(scheduled(body) or created_at, created_at)
        campaign = self._plan(number, body, recipients, msgspec.json.decode(raw), created_at=created_at, starts_at=starts_at)
        self.accepted.append(campaign)
        return campaign

    def delete(self, tracking_id: str) -> AcceptedCampaign:
        """Take back a campaign that has not begun.

        Raises:
            Refusal: 404 for an unknown one. 409 for one that has begun; what the service says there is not documented.
        """
        campaign = self.find(tracking_id)
        if campaign is None:
            raise api_error(404, "Campaign not found", number=1)
        if campaign.starts_at <= self._clock.now():
            raise api_error(409, "The campaign is not scheduled any more", number=2)
        self.accepted.remove(campaign)
        return campaign

    def find(self, tracking_id: str) -> AcceptedCampaign | None:
        """The accepted campaign of that id."""
        return next((campaign for campaign in self.accepted if campaign.tracking_id == tracking_id), None)

    def _plan(
        self,
        number: int,
        body: CampaignBody,
        recipients: list[Recipient],
        sent: Mapping[str, Any],
        *,
        created_at: datetime,
        starts_at: datetime,
    ) -> AcceptedCampaign:
        """Decide how every call will go. The n-th campaign of a seed always fares alike."""
        dice = Dice.of(self._seed, f"campaign:{number}")
        tracking_id = dice.uuid()
        script = Script(
            sender=body.sender,
            campaign=body.name,
            speech=body.message,
            file_url=body.file_url,
            collects_tones=body.collect_dtmf_digits,
            recordings_url=self._recordings_url,
        )
        calls: list[Call] = []
        for place, recipient in enumerate(recipients):
            end = ending(dice)
            way = turns(dice, end, dialled=place * _SECONDS_BETWEEN_CALLS, longest_ring=min(body.hangup_delay or 20, _LONGEST_RING))
            at = starts_at + timedelta(seconds=way[-1].after)
            calls.append(Call(ended_message(dice, script, recipient.number, end, at, groups=recipient.groups or UNSET), way))
        return AcceptedCampaign(
            number=number,
            tracking_id=tracking_id,
            name=body.name or None,
            recipients=tuple(recipient.number for recipient in recipients),
            body=sent,
            created_at=created_at,
            starts_at=starts_at,
            ends_at=starts_at + timedelta(seconds=max(call.turns[-1].after for call in calls)),
            order=body,
            calls=tuple(calls),
            clock=self._clock,
        )


def _receipt(campaign: AcceptedCampaign, analysis: Analysis, problems: list[Problem]) -> CampaignAnswer:
    """The answer to a campaign. Its cost is our estimate: half a minute for everyone."""
    body = campaign.order
    return CampaignAnswer(
        tracking_id=campaign.tracking_id,
        type="Voice",
        state="Scheduled" if campaign.starts_at > campaign.created_at else "Queued",
        campaign_name=body.name,
        sender=body.sender,
        to=body.to,
        contacts=body.contacts,
        groups=body.groups,
        created_at=iso(campaign.created_at),
        scheduled_date=body.scheduled_date,
        cost=round(sum(rate(number)[1] for number in campaign.recipients) * 30, 6),
        file_url=body.file_url,
        message=body.message,
        respect_quiet_hours=body.respect_quiet_hours,
        hangup_delay=body.hangup_delay,
        callback=body.callback,
        campaign_callback=body.campaign_callback,
        collect_dtmf_digits=body.collect_dtmf_digits,
        collect_dtmf_await_seconds=body.collect_dtmf_await_seconds,
        statuses={**dict.fromkeys(MESSAGE_STATUSES, 0), "Queued": len(campaign.recipients)},
        voice_analysis=analysis,
        errors=problems or UNSET,
    )
