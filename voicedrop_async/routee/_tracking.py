"""Reading what became of the messages: single ones, and streams of them.

Sources: "Track multiple voice messages" and the tracking pages beside it.
"""

from collections.abc import AsyncGenerator, Callable, Hashable, Sequence
from datetime import datetime, timedelta
from typing import Any, Final, Unpack

from attrs import evolve

from voicedrop_async import _wire
from voicedrop_async._checks import check_count, check_id, check_kind, check_range, check_slices, check_text
from voicedrop_async._session import Session
from voicedrop_async.calls import Kind, Reply, Request
from voicedrop_async.errors import ConfigError, RequestError, WalkError
from voicedrop_async.fanout import Outcome, Several, each
from voicedrop_async.models import CampaignSummary, Page, TrackingFilter, VoiceMessage
from voicedrop_async.pages import Ask, Fetch, Fetched, PageStream, Source, Span, WalkOptions, check_options, in_utc
from voicedrop_async.routee._dialect import RouteeDialect
from voicedrop_async.routee._rules import check_filters

_SECOND: Final = timedelta(seconds=1)


class Tracking(Session):
    """What reads lists and messages."""

    _dialect: RouteeDialect

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
        slices: timedelta | None = None,
        max_slice_items: int = 10_000,
        **options: Unpack[WalkOptions],
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
            slices: Cut the range, of which both ends are needed then, into stretches of that length, at least a second;
                each is walked by itself, so that no page lies deep in a long list.
            max_slice_items: A slice of more items is cut in two, and so on down to a second.
            **options: See ``WalkOptions``: ``max_items``, ``prefetch``, ``resume``, ``on_drift``, ``max_passes``.

        Yields:
            VoiceMessage, each once by id, in the order of the pages. Slices overlap by a second, so that none is lost on
            their edges; ids are kept for a slice and the one before it, so a message that the service moves farther between
            two requests comes again.

        Raises:
            ConfigError: A naive datetime, a range that ends before it begins, a page size below 1. Nothing was sent.
            ResumeTokenError: A token that is damaged, or of another query or page size. Nothing was sent.
            DriftDetected: The list changed, and ``on_drift`` is ``"raise"``.
            WireError: An answer was no page; names its JSON path, never its value.
            PageLoop: The service repeats a page and its list does not grow.
            RequestError: A page failed for good.

        Source: Routee, "Track multiple voice messages", ``POST /voice/tracking``.
        """
        check_options("track_messages", options)
        check_range(start, end)
        conditions = check_filters(filters)
        check_kind("tagged", tagged, bool)
        for argument, text in (("campaign_id", campaign_id), ("sort", sort)):
            if text is not None:
                check_text(argument, text)
        span = _sliced(start, end, slices, max_slice_items)
        dialect = self._dialect
        params = {
            **self._range(start, end),
            "sort": sort,
            dialect.campaign_id: campaign_id,
            dialect.tagged: None if tagged is None else str(tagged).lower(),
        }
        request = Request(
            method="POST",
            route="/voice/tracking",
            kind=Kind.READ,
            params={name: value for name, value in params.items() if value is not None},
            body=_wire.encode([self._dumped_filter(condition) for condition in conditions]),
        )
        source = self._source(request, start=start, end=end)
        if slices is not None:
            # Who an edge belongs to is not documented, and a message does not tell when it was made.
            source = evolve(source, range=span, step=slices, overlap=_SECOND, most=max_slice_items)
        return PageStream(source, page_size=page_size, **options)

    def track_campaign(self, tracking_id: str, *, page_size: int = 100, **options: Unpack[WalkOptions]) -> PageStream[VoiceMessage]:
        """Stream the messages of one campaign; as ``track_messages``, by the campaign's own path.

        Args:
            tracking_id: Of the campaign: ``CampaignReceipt.tracking_id``.
            page_size: Items a request.
            **options: See ``WalkOptions``.

        Source: Routee's reference, ``GET /voice/tracking/campaign/{campaignTrackingId}``.
        """
        check_options("track_campaign", options)
        request = _of_campaign(tracking_id)
        return PageStream(self._source(request), page_size=page_size, **options)

    def track_conversation(self, tracking_id: str, **options: Unpack[WalkOptions]) -> PageStream[VoiceMessage]:
        """Stream the dial legs of one conversation.

        The page lists no paging parameters, so the first page is asked for without any, and a second one only if the
        first says that it is not the last.

        Args:
            tracking_id: Of the conversation: ``VoiceMessage.conversation_tracking_id``.
            **options: See ``WalkOptions``.

        Source: Routee, "Retrieve conversation dial tracking", ``GET /voice/tracking/conversation/{conversationTrackingId}``.
        """
        check_options("track_conversation", options)
        check_id("tracking_id", tracking_id)
        request = Request(
            method="GET", route="/voice/tracking/conversation/{tracking_id}", kind=Kind.READ, ids={"tracking_id": tracking_id}
        )
        return PageStream(self._source(request, bare=True), **options)

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

    def track_campaigns(
        self, ids: Several[str], *, concurrency: int = 8, page_size: int = 100
    ) -> AsyncGenerator[Outcome[str, list[VoiceMessage]]]:
        """Read the messages of many campaigns, several at once; each is ``track_campaign(...).collect()``.

        Nothing is sent before the first outcome is asked for. A ``break`` ends the requests under way after a few turns of
        the loop, in which Python closes the generator; at once, if it is held by ``contextlib.aclosing``.

        Args:
            ids: Their ids, ``CampaignReceipt.tracking_id``, from any iterable, with or without waiting. Pulled one by one as
                places become free. An async generator is closed at the end.
            concurrency: Campaigns at work at once. Requests in flight are also held by ``Limits``, of which one slot is
                kept for sending: more than ``max_in_flight - 1`` at once wait for each other.
            page_size: Items a request; as for ``track_messages``.

        Yields:
            Outcome, one for each id, as they finish. Its ``value`` is the list of messages; of a campaign that failed, and of
            what is no id, its ``error`` says why, and the others go on.

        Raises:
            ConfigError: A concurrency or page size below 1, or a single text in place of an iterable. Nothing was sent.
            SessionClosed: The session is closed.
            Exception: Whatever ``ids`` raised; what was begun has ended by then.

        Source: Routee's reference, ``GET /voice/tracking/campaign/{campaignTrackingId}``.
        """
        check_count("page_size", page_size, 1)
        return each("ids", ids, lambda one: self.track_campaign(one, page_size=page_size).collect(), concurrency=concurrency)

    def summarize_campaigns(self, ids: Several[str], *, concurrency: int = 8) -> AsyncGenerator[Outcome[str, CampaignSummary]]:
        """Add up the messages of many campaigns, several at once; as ``track_campaigns``, with numbers for messages.

        A message that the service sends twice, as a list that grows makes it do, counts with its newer status. Memory
        holds the messages of the campaigns at work, however many ids there are.

        Yields:
            Outcome, one for each id, as they finish; its ``value`` is a ``CampaignSummary``.

        Source: Routee's reference, ``GET /voice/tracking/campaign/{campaignTrackingId}``.
        """
        return each("ids", ids, self._summary, concurrency=concurrency)

    def _source(
        self, request: Request, *, bare: bool = False, start: datetime | None = None, end: datetime | None = None
    ) -> Source[VoiceMessage]:
        def page(span: Span | None, number: int, size: int) -> Request:
            params = {**request.params, "page": str(number), "size": str(size)}
            if bare:  # pages are cut by the service's own size, so all of them have to be
                params = {"page": str(number)} if number else {}
            if span is not None:
                params |= self._range(span.start, span.end)
            return Request(method=request.method, route=request.route, kind=request.kind, ids=request.ids, params=params, body=request.body)

        def reading(pool: dict[Any, Any] | None) -> tuple[Fetch[VoiceMessage], Ask[VoiceMessage]]:
            async def fetch(span: Span | None, number: int, size: int) -> Fetched[VoiceMessage]:
                return await self._send(page(span, number, size), lambda reply: _fetched(reply, number, size, pool))

            async def ask(span: Span | None, number: int, size: int) -> Callable[[], Fetched[VoiceMessage]]:
                reply = await self._send(page(span, number, size), lambda reply: reply)
                return lambda: _fetched(reply, number, size, pool)

            return fetch, ask

        fetch, ask = reading(None)
        return Source(
            fetch=fetch,
            ask=ask,
            keys=_keys,
            model=VoiceMessage,
            query=_query(request, start, end),
            terms=(request.body or b"").decode(),
            sharing=lambda: reading({}),
        )

    def _range(self, start: datetime | None, end: datetime | None) -> dict[str, str]:
        """Return the query of a range: whole seconds, outwards. What comes twice for it is told by its id."""
        dialect = self._dialect
        moments = {
            dialect.range_start: None if start is None else _wire.whole_second(start),
            dialect.range_end: None if end is None else _wire.whole_second(end, up=True),
        }
        return {name: moment.strftime(dialect.date_format) for name, moment in moments.items() if moment is not None}

    def _dumped_filter(self, condition: TrackingFilter) -> dict[str, str]:
        return {
            self._dialect.filter_field: condition.field,
            self._dialect.filter_operator: condition.operator,
            self._dialect.filter_value: condition.value,
        }

    async def _summary(self, tracking_id: str) -> CampaignSummary:
        # What comes again may be newer, so nothing is held back here.
        async with self.track_campaign(tracking_id, on_drift="ignore").walk() as walk:
            begins = walk.token
            try:
                messages = [message async for message in walk]
            except (RequestError, WalkError) as error:
                error.resume = begins  # what was read so far is thrown away
                raise
        return CampaignSummary.of(messages, walk.report)


def _of_campaign(tracking_id: str) -> Request:
    check_id("tracking_id", tracking_id)
    return Request(method="GET", route="/voice/tracking/campaign/{tracking_id}", kind=Kind.READ, ids={"tracking_id": tracking_id})


def _sliced(start: datetime | None, end: datetime | None, slices: timedelta | None, most: int) -> Span | None:
    """Return the range to be cut into slices, if it is to be."""
    check_count("max_slice_items", most, 1)
    if slices is None:
        return None
    check_slices(slices)
    if start is None or end is None:
        raise ConfigError("slices: needs start and end, which say what is to be cut")
    return in_utc(start, end)


def _query(request: Request, start: datetime | None = None, end: datetime | None = None) -> str:
    """Return what tells one query from another, for tokens; without the filters."""
    moments = [None if moment is None else moment.timestamp() for moment in (start, end)]
    return repr((request.method, request.route, sorted(request.ids.items()), sorted(request.params.items()), moments))


def _fetched(reply: Reply, number: int, size: int, pool: dict[Any, Any] | None) -> Fetched[VoiceMessage]:
    envelope = _wire.load_envelope(reply, VoiceMessage, pool)
    if envelope.number is not None and envelope.number != number:
        raise _wire.wire_error(reply, "the number of the page that was asked for", "number")
    counted_out = envelope.total_pages is not None and number + 1 >= envelope.total_pages
    page = Page(
        items=envelope.rows.items,
        number=number,
        size=size if envelope.size is None else envelope.size,
        total_pages=envelope.total_pages,
        total_items=envelope.total_items,
        is_last=counted_out if envelope.last is None else envelope.last,
    )
    rows = envelope.rows
    return Fetched(page=page, last=envelope.last, total_pages=envelope.total_pages, unreadable=rows.unreadable, skipped=rows.skipped)


def _keys(messages: Sequence[VoiceMessage]) -> list[Hashable]:
    # One without an id is its content.
    return [message.message_id or message for message in messages]
