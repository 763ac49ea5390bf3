"""What costs money, or takes it back: campaigns.

Sources: "Send a voice campaign", "Analyze a voice campaign".
"""

from attrs import evolve

from voicedrop_async import _wire
from voicedrop_async._checks import check_id, check_ref
from voicedrop_async._paid import Draft
from voicedrop_async._session import Session
from voicedrop_async.calls import Kind, Reply, Request
from voicedrop_async.errors import NotFound
from voicedrop_async.journal import JournalEntry
from voicedrop_async.models import CampaignReceipt, VoiceAnalysis, VoiceCampaign
from voicedrop_async.routee._names import unique_name
from voicedrop_async.routee._rules import check_campaign, check_names_nobody


def check_send(campaign: VoiceCampaign, ref: str | None = None) -> None:
    """Refuse what ``send_campaign`` would refuse by itself; needs no session, and nothing is sent.

    Raises:
        ConfigError: As ``send_campaign``; what only its journal tells is not looked at.
    """
    check_campaign(campaign)
    if ref is not None:
        check_ref(ref)
    _check_shown(campaign.name, ref, campaign)


def _check_shown(name: str | None, ref: str | None, campaign: VoiceCampaign) -> None:
    for argument, text in (("name", name), ("ref", ref)):
        check_names_nobody(argument, text or "", campaign.to)


class Sending(Session):
    """What sends."""

    async def send_campaign(self, campaign: VoiceCampaign, *, ref: str | None = None, deadline: float | None = None) -> CampaignReceipt:
        """Send a campaign: this costs money and rings telephones. At most once, whatever the network does.

        Within one call it is sent again only if the try before surely did not arrive, or was turned away with a time to
        come back. Across calls ``ref`` holds it together: the journal has written down, before the first byte, that
        the send begins, and a second call with the same ``ref`` does not send what the first one may have sent; in
        another process too, if the journal is one on a disk.

        Args:
            campaign: What to say and whom to call; it is checked here, before anything is sent. One without a name gets
                a name of its own, by which it can be found.
            ref: Your own key for this send, such as the id of an order or of a task. It is kept and shown in clear,
                so nobody's number may be in it.
            deadline: Seconds this call may take in all; the session's own if left out. A journal that is slow to write down
                what became of the send is waited for a second longer, and then writes it behind your back; so it is
                when the call is cancelled.

        Returns:
            The receipt; ``problems`` lists recipients that were refused. If it was sent under ``ref`` before, the
            receipt of then, without a request. Its ``tracking_id`` is None only if the send was found by ``reconcile``
            or settled by a person, since tracking does not tell it.

        Raises:
            ConfigError: The campaign cannot be, another one stands under ``ref``, or a recipient's number is in its name or
                in ``ref``; nothing was sent.
            OutcomeUnknown: It may have been sent, by this call or by another one under ``ref``, which may be at work.
                Look before you send it again: ``reconcile``.
            JournalError: The journal cannot be read or written; nothing was sent.
            RequestError: Any other one: it was surely not sent, and the same ``ref`` can be sent again.

        Source: Routee, "Send a voice campaign", ``POST /voice/campaign``.
        """
        check_send(campaign, ref)
        return await self._send_as(campaign, campaign.name or unique_name(), ref=ref, deadline=deadline)

    async def _send_as(self, campaign: VoiceCampaign, name: str, *, ref: str | None, deadline: float | None) -> CampaignReceipt:
        """Send a checked campaign as ``name``, which does not tell one campaign from another: ``campaign.name`` does."""
        _check_shown(name, ref, campaign)
        # What holds numbers is not kept in a local variable, where an error reporter would show it.
        draft = Draft(
            ref=ref,
            campaign_name=name,
            campaign=_wire.canonical(_wire.dump_campaign(evolve(campaign, to=(), contacts=(), groups=()))),
            recipients=_wire.canonical([sorted(campaign.to), sorted(campaign.contacts), sorted(campaign.groups)]),
            count=len(campaign.to) + len(campaign.contacts) + len(campaign.groups),
        )
        request = Request(
            method="POST",
            route="/voice/campaign",
            kind=Kind.PAID,
            body=_wire.encode(_wire.dump_campaign(evolve(campaign, name=name))),
        )

        def load(reply: Reply) -> tuple[CampaignReceipt, str | None]:
            # The money is spent: an odd field of the receipt must not hide the id.
            return _wire.load_one(reply, CampaignReceipt, forgiving=True), _wire.dump_kept(reply.body, campaign)

        answer = await self._paid.send(request, self._policy_until(deadline), load, draft)
        return _receipt_of(answer, campaign) if isinstance(answer, JournalEntry) else answer

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
            # It may have been us only where an answer was lost, and where it is the service that says so: not a proxy, nor another address.
            if gone.attempts == 1 or not gone.may_have_happened or (gone.code is None and gone.developer_message is None):
                raise


def _receipt_of(entry: JournalEntry, campaign: VoiceCampaign) -> CampaignReceipt:
    """Return the receipt of a campaign that was sent before; without one, what the caller and the journal know."""
    return _wire.load_kept(entry.result, campaign) or CampaignReceipt(
        campaign_name=entry.intent.campaign_name,
        sender=campaign.sender,
        to=campaign.to,
        contacts=campaign.contacts,
        groups=campaign.groups,
    )
