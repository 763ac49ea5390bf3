"""What costs money, or takes it back: campaigns.

Sources: "Send a voice campaign", "Analyze a voice campaign".
"""

from datetime import UTC, datetime

from voicedrop_async import _wire
from voicedrop_async._checks import check_campaign, check_id
from voicedrop_async.calls import Kind, Request
from voicedrop_async.errors import NotFound
from voicedrop_async.models import CampaignReceipt, Intent, VoiceAnalysis, VoiceCampaign
from voicedrop_async.routee._tracking import Tracking


class Sending(Tracking):
    """What sends, on top of what reads: a lost answer is looked for in the tracking."""

    async def send_campaign(self, campaign: VoiceCampaign, *, deadline: float | None = None) -> CampaignReceipt:
        """Send a campaign: this costs money and rings telephones. At most once, whatever the network does.

        It is sent again only if the first try surely did not arrive, or was turned away with a time to come back.

        Args:
            campaign: What to say and whom to call; it is checked here, before anything is sent.
            deadline: Seconds this call may take in all; the session's own if left out.

        Returns:
            The receipt. Its ``tracking_id`` is never None; ``problems`` lists recipients that were refused.

        Raises:
            ConfigError: The campaign cannot be; nothing was sent.
            OutcomeUnknown: It may have been sent. Look before you send it again.
            RequestError: Any other one: it was surely not sent.

        Source: Routee, "Send a voice campaign", ``POST /voice/campaign``.
        """
        check_campaign(campaign)
        request = Request(
            method="POST",
            route="/voice/campaign",
            kind=Kind.PAID,
            body=_wire.encode(_wire.dump_campaign(campaign)),
            intent=Intent(
                campaign_name=campaign.name,
                started_at=datetime.now(UTC),
                recipients=len(campaign.to) + len(campaign.contacts) + len(campaign.groups),
            ),
        )
        # The money is spent: an odd field of the receipt must not hide the id.
        return await self._send(request, lambda reply: _wire.load_one(reply, CampaignReceipt, forgiving=True), deadline=deadline)

    async def analyze_campaign(self, campaign: VoiceCampaign) -> VoiceAnalysis:
        """Ask what a campaign would reach, without sending it: recipients by country and group. Free.

        Sends the sender, the recipients and what is played, and nothing else of the campaign.

        Raises:
            ConfigError: The campaign cannot be; nothing was sent.
            WireError: The answer was no analysis.
            RequestError: The call failed.

        Source: Routee, "Analyze a voice campaign", ``POST /voice/analysis``.
        """
        check_campaign(campaign)
        request = Request(method="POST", route="/voice/analysis", kind=Kind.READ, body=_wire.dump_analysis(campaign))
        return await self._send(request, lambda reply: _wire.load_one(reply, VoiceAnalysis))

    async def delete_campaign(self, tracking_id: str) -> None:
        """Take back a scheduled campaign. Gone already, after an answer that was lost, is success.

        Raises:
            NotFound: No such campaign.
            RequestError: The call failed; the page does not say how a campaign that has begun is refused.

        Source: Routee's reference, ``DELETE /voice/campaign/{trackingId}``.
        """
        check_id("tracking_id", tracking_id)
        request = Request(method="DELETE", route="/voice/campaign/{tracking_id}", kind=Kind.CANCEL, ids={"tracking_id": tracking_id})
        try:
            await self._send(request, lambda _reply: None)
        except NotFound as gone:
            if not gone.may_have_happened:
                raise
