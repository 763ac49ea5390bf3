"""Routee voice: send campaigns, and track their messages.

Sources: the pages "Send a voice campaign", "Analyze a voice campaign", "Track multiple voice messages" and the tracking
pages beside it, "Authentication".
"""

from collections.abc import Hashable, Sequence
from datetime import UTC, datetime
from typing import Final, Self, Unpack

from attrs import evolve, frozen

from voicedrop_async import _wire
from voicedrop_async._checks import check_base_url, check_campaign, check_filters, check_id, check_kind, check_range, check_text
from voicedrop_async._session import Session, SessionOptions, from_environment, needed_from_environment
from voicedrop_async.auth import ClientCredentials, StaticToken
from voicedrop_async.calls import Kind, Reply, Request
from voicedrop_async.errors import ConfigError, NotFound
from voicedrop_async.models import (
    CampaignReceipt,
    Intent,
    Page,
    TrackingFilter,
    VoiceAnalysis,
    VoiceCampaign,
    VoiceMessage,
)
from voicedrop_async.pages import Fetched, PageStream, Source

BASE_URL: Final = "https://connect.routee.net"
AUTH_URL: Final = "https://auth.routee.net"


@frozen(kw_only=True)
class RouteeDialect:
    """The wire names that Routee's own pages do not settle, so that a wrong guess needs no release to mend."""

    range_start: str = "from"
    """Query name of the start of a range; sibling services say ``dateStart``."""
    range_end: str = "to"
    """Query name of the end of a range; sibling services say ``dateEnd``."""
    campaign_id: str = "trackingId"
    """Query name that restricts a search to one campaign."""
    tagged: str = "tagged"
    filter_field: str = "fieldName"
    filter_operator: str = "searchOperator"
    filter_value: str = "searchTerm"
    date_format: str = "%Y-%m-%dT%H:%M:%SZ"
    """How moments stand in a query, for ``strftime``; always UTC."""


class RouteeSession(Session):
    """One account of Routee voice.

    Nothing is sent before the first call. A session belongs to the loop it is first used in.
    """

    def __init__(
        self,
        auth: ClientCredentials | StaticToken,
        *,
        base_url: str = BASE_URL,
        auth_url: str = AUTH_URL,
        dialect: RouteeDialect | None = None,
        **options: Unpack[SessionOptions],
    ) -> None:
        """Check the options; no I/O, and no loop is needed yet.

        Args:
            auth: Id and secret of the application, or a token you have.
            base_url: Where the API is; a path it carries is kept.
            auth_url: Where the token endpoint is; the secret goes there and nowhere else.
            dialect: Other wire names, where the documented ones turn out wrong.
            **options: See ``SessionOptions``.

        Raises:
            ConfigError: A plain-http URL to another machine, or options that cannot be.
        """
        if not isinstance(auth, ClientCredentials | StaticToken):
            raise ConfigError("auth: must be ClientCredentials or a StaticToken")
        check_kind("dialect", dialect, RouteeDialect)
        check_base_url("auth_url", auth_url, allow_insecure=options.get("allow_insecure", False))
        super().__init__(auth, base_url=base_url, auth_url=auth_url, **options)
        self._dialect = dialect or RouteeDialect()

    @classmethod
    def from_env(cls, **options: Unpack[SessionOptions]) -> Self:
        """Return a session with the credentials of the environment.

        Reads ``ROUTEE_APPLICATION_ID`` and ``ROUTEE_APPLICATION_SECRET``, and ``ROUTEE_BASE_URL`` and
        ``ROUTEE_AUTH_URL`` if they are set.

        Raises:
            ConfigError: A credential is missing; the text names its variable.
        """
        auth = ClientCredentials(
            needed_from_environment("ROUTEE_APPLICATION_ID", "the application's id"),
            needed_from_environment("ROUTEE_APPLICATION_SECRET", "the application's secret"),
        )
        base_url, auth_url = from_environment("ROUTEE_BASE_URL") or BASE_URL, from_environment("ROUTEE_AUTH_URL") or AUTH_URL
        return cls(auth, base_url=base_url, auth_url=auth_url, **options)

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

    def track_messages(
        self,
        *,
        start: datetime | None = None,
        end: datetime | None = None,
        campaign_id: str | None = None,
        filters: Sequence[TrackingFilter] = (),
        sort: str | None = None,
        tagged: bool | None = None,
        page_size: int = 100,
        max_items: int | None = None,
    ) -> PageStream[VoiceMessage]:
        """Stream tracked messages. Nothing is sent before the first is asked for; then one request a page.

        Args:
            start: Aware datetime; sent as the whole second before. The service's own default range, which is not
                documented, holds if it is left out.
            end: Aware datetime; sent as the whole second after. Whether the service includes it is not documented.
            campaign_id: Only messages of this campaign: ``CampaignReceipt.tracking_id``.
            filters: Conditions that must all hold.
            sort: Name of the field to sort by, as the service spells it.
            tagged: Passed on as it is; the page names it without a word on its meaning.
            page_size: Items a request; the service's own default is 20, its maximum is not documented.
            max_items: Stop after so many; no page is fetched that cannot be used.

        Yields:
            VoiceMessage, each once by id, in the order of the pages.

        Raises:
            ConfigError: A naive datetime, a range that ends before it begins, a page size below 1. Nothing was sent.
            WireError: An answer was no page; names its JSON path, never its value.
            PageLoop: The service repeats a page and its list does not grow.
            RequestError: A page failed for good.

        Source: Routee, "Track multiple voice messages", ``POST /voice/tracking``.
        """
        check_range(start, end)
        check_filters(filters)
        check_kind("tagged", tagged, bool)
        for argument, text in (("campaign_id", campaign_id), ("sort", sort)):
            if text is not None:
                check_text(argument, text)
        dialect = self._dialect
        params = {
            dialect.range_start: None if start is None else _wire.whole_second(start).strftime(dialect.date_format),
            dialect.range_end: None if end is None else _wire.whole_second(end, up=True).strftime(dialect.date_format),
            "sort": sort,
            dialect.campaign_id: campaign_id,
            dialect.tagged: None if tagged is None else str(tagged).lower(),
        }
        request = Request(
            method="POST",
            route="/voice/tracking",
            kind=Kind.READ,
            params={name: value for name, value in params.items() if value is not None},
            body=_wire.encode([self._dumped_filter(condition) for condition in filters]),
        )
        return self._stream(request, page_size=page_size, max_items=max_items)

    def track_campaign(self, tracking_id: str, *, page_size: int = 100, max_items: int | None = None) -> PageStream[VoiceMessage]:
        """Stream the messages of one campaign; as ``track_messages``, by the campaign's own path.

        Source: Routee's reference, ``GET /voice/tracking/campaign/{campaignTrackingId}``.
        """
        check_id("tracking_id", tracking_id)
        request = Request(method="GET", route="/voice/tracking/campaign/{tracking_id}", kind=Kind.READ, ids={"tracking_id": tracking_id})
        return self._stream(request, page_size=page_size, max_items=max_items)

    def track_conversation(self, tracking_id: str) -> PageStream[VoiceMessage]:
        """Stream the dial legs of one conversation.

        The page lists no paging parameters, so the first page is asked for without any, and a second one only if the
        first says that it is not the last.

        Source: Routee, "Retrieve conversation dial tracking", ``GET /voice/tracking/conversation/{conversationTrackingId}``.
        """
        check_id("tracking_id", tracking_id)
        request = Request(
            method="GET", route="/voice/tracking/conversation/{tracking_id}", kind=Kind.READ, ids={"tracking_id": tracking_id}
        )
        return self._stream(request, bare=True)

    async def track_message(self, message_id: str) -> VoiceMessage:
        """Return one tracked message.

        Raises:
            NotFound: No such message.
            WireError: The answer was no message, or one without an id.
            RequestError: The call failed.

        Source: Routee, "Voice message tracking", ``GET /voice/tracking/{messageTrackingId}``.
        """
        check_id("message_id", message_id)
        request = Request(method="GET", route="/voice/tracking/{message_id}", kind=Kind.READ, ids={"message_id": message_id})
        return await self._send(request, lambda reply: _wire.load_one(reply, VoiceMessage))

    def _stream(
        self, request: Request, *, page_size: int = 100, max_items: int | None = None, bare: bool = False
    ) -> PageStream[VoiceMessage]:
        async def fetch(_list: int, number: int, size: int) -> Fetched[VoiceMessage]:
            paging = {"page": str(number), "size": str(size)}
            if bare:  # pages are cut by the service's own size, so all of them have to be
                paging = {"page": str(number)} if number else {}
            page = evolve(request, params={**request.params, **paging})
            return await self._send(page, lambda reply: _fetched(reply, number, size))

        return PageStream(Source(fetch=fetch, keys=_keys), page_size=page_size, max_items=max_items)

    def _dumped_filter(self, condition: TrackingFilter) -> dict[str, str]:
        return {
            self._dialect.filter_field: condition.field,
            self._dialect.filter_operator: condition.operator,
            self._dialect.filter_value: condition.value,
        }


def _fetched(reply: Reply, number: int, size: int) -> Fetched[VoiceMessage]:
    sheet = _wire.load_sheet(reply, VoiceMessage)
    if sheet.number is not None and sheet.number != number:
        raise _wire.wire_error(reply, "the page that was asked for", "number")
    counted_out = sheet.total_pages is not None and number + 1 >= sheet.total_pages
    page = Page(
        items=sheet.rows.items,
        number=number,
        size=size if sheet.size is None else sheet.size,
        total_pages=sheet.total_pages,
        total_items=sheet.total_items,
        is_last=counted_out if sheet.last is None else sheet.last,
    )
    return Fetched(page=page, last=sheet.last, total_pages=sheet.total_pages, unreadable=sheet.rows.unreadable, skipped=sheet.rows.skipped)


def _keys(messages: Sequence[VoiceMessage]) -> list[Hashable]:
    # Ids are kept for the length of a list, and as bytes they weigh a fifth less. One without an id is its content.
    return [message.message_id.encode() or message for message in messages]
