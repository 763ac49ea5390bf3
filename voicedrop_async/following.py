"""What becomes of a campaign, as it becomes: callbacks and tracking, merged."""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Iterable, Mapping
from contextlib import ExitStack, aclosing, suppress
from typing import Final

from attrs import define, field, frozen

from voicedrop_async._checks import check_amount, check_count, check_id, check_kind
from voicedrop_async._masking import type_of
from voicedrop_async.errors import ConfigError, NotFound, RequestError
from voicedrop_async.models import (
    CallbackEvent,
    CampaignEvent,
    CampaignState,
    DeliveryStatus,
    MessageEvent,
    MessageStatus,
    Page,
    VoiceMessage,
)
from voicedrop_async.pages import PageStream
from voicedrop_async.routee import RouteeSession
from voicedrop_async.webhooks import CallbackReceiver

_MOST: Final = 100_000
"""Callbacks kept for who is slow; more are passed over, as tracking tells of the last ones."""
_COURSE: Final[Mapping[str | None, int]] = {
    MessageStatus.QUEUED: 0,
    MessageStatus.INITIATED: 1,
    MessageStatus.RINGING: 2,
    MessageStatus.IN_PROGRESS: 3,
}
"""In which order statuses come, where their moments do not tell; final ones are last, and one that is not known is anywhere."""
_OVER: Final = len(_COURSE)
"""The place of each final one."""


@frozen
class MessageUpdate:
    """A message of a followed campaign has another status."""

    message_id: str
    """Of the message; what ``track_message`` takes."""
    status: DeliveryStatus = field(kw_only=True)
    """What became of it, and when."""
    origin: VoiceMessage | MessageEvent = field(kw_only=True)
    """Where it was said first: in tracking, or in a callback, which is not proven."""


def follow(
    routee: RouteeSession,
    tracking_id: str,
    *,
    deadline: float,
    callbacks: CallbackReceiver | None = None,
    interval: float = 5.0,
    expected: int | None = None,
) -> "Following":
    """Follow the messages of a campaign until each of them is over, or the deadline is reached.

    Tracking is read every ``interval`` seconds, and tells of the status that a message has then; callbacks tell of those
    between. Each status of each message comes once, whichever of the two says it first, and for each message in the order of
    a call: what comes late, behind a later status, is passed over.

    Callbacks are not proven: one is told also of a message that tracking never lists, and ``origin`` says who said it.
    Tracking has the last word: a final status in tracking is told unless it is the last that was
    told, also behind another final one of a callback, and ends what callbacks can say of that message. A status on the way
    that tracking says behind a final one of a callback is not told.

    The campaign is over when as many messages as ``expected`` have a final status in tracking. Without that, when all that
    tracking lists have one, and a second reading finds the same; or at once if a campaign callback has said before that it
    is finished. Callbacks alone never end it, as they are not proven.

    Args:
        routee: The session to read tracking with.
        tracking_id: Of the campaign: ``CampaignReceipt.tracking_id``.
        deadline: Seconds after which it ends in any case, quietly: ``Following.is_final`` is false then. The service may
            never say that a message is over.
        callbacks: An open receiver, to which the campaign's callbacks are posted. Those that come before
            the loop begins are not kept: begin as soon as the campaign is sent. They are told while tracking is read. Of
            more than 100,000 that wait for the loop's body the oldest are dropped, without a word.
        interval: Seconds from one reading of tracking to the next.
        expected: Number of messages of the campaign.

    Returns:
        Following, to be iterated: ``async for update in follow(...)``. A reading that fails for now, or takes longer than the
        session's ``deadline``, is left out.

    Raises:
        ConfigError: Options that cannot be. Nothing was sent.
        RequestError: From the loop, of a reading that fails for good.
        PageLoop: From the loop; the service repeats a page of tracking, and its list does not grow.

    Source: Routee's reference, ``GET /voice/tracking/campaign/{campaignTrackingId}``; "Voice callbacks".
    """
    check_kind("callbacks", callbacks, CallbackReceiver)
    check_id("tracking_id", tracking_id)
    check_amount("deadline", deadline)
    check_amount("interval", interval)
    if not isinstance(routee, RouteeSession):
        raise ConfigError(f"routee: {type_of(routee)} is no RouteeSession")
    if expected is not None:
        check_count("expected", expected, 1)
    return Following(routee.track_campaign(tracking_id), tracking_id, deadline, callbacks, interval, expected)


@define(eq=False, repr=False)
class Following:
    """A campaign that is followed; see ``follow``. Each ``async for`` begins anew."""

    _stream: PageStream[VoiceMessage]
    _tracking_id: str
    _deadline: float
    _callbacks: CallbackReceiver | None
    _interval: float
    _expected: int | None
    is_final: bool = field(default=False, init=False)
    """Whether the last loop ended because the campaign was over."""

    async def __aiter__(self) -> AsyncGenerator[MessageUpdate]:
        """Yield each status of each message once."""
        self.is_final = False
        clock = asyncio.get_running_loop().time
        ends, seen, before = clock() + self._deadline, _Seen(self._tracking_id), _Reading()
        with ExitStack() as stack:
            if self._callbacks is not None:
                stack.enter_context(self._callbacks.watched_by(seen.hear))
            while clock() < ends and not self.is_final:
                reads_again, reading = clock() + self._interval, _Reading()
                async with aclosing(self._read(reading, before, seen, ends)) as updates:
                    async for update in updates:
                        yield update
                self.is_final = self._is_over(reading, before, seen)
                before = reading if reading.is_whole else before
                while not self.is_final and (left := min(reads_again, ends) - clock()) > 0:
                    for update in await seen.heard(within=left):
                        yield update
            for update in seen.drained():
                yield update

    async def _read(self, reading: "_Reading", before: "_Reading", seen: "_Seen", ends: float) -> AsyncGenerator[MessageUpdate]:
        """Yield what one reading of tracking says, and what callbacks say meanwhile."""
        async with aclosing(self._stream.pages()) as pages:
            while True:
                turning = asyncio.create_task(self._page(pages, ends, before=before, reading=reading))
                turning.add_done_callback(seen.wake)
                try:
                    while not turning.done():
                        for update in await seen.heard():
                            yield update
                    messages = turning.result()
                finally:
                    turning.cancel()
                    await asyncio.gather(turning, return_exceptions=True)
                for update in seen.tracked(messages):
                    yield update
                if not messages:
                    return

    async def _page(
        self, pages: AsyncGenerator[Page[VoiceMessage]], ends: float, *, before: "_Reading", reading: "_Reading"
    ) -> tuple[VoiceMessage, ...]:
        """Return the next page with messages; none if there are no more, or it cannot be read for now."""
        try:
            async with asyncio.timeout_at(ends):
                async for page in pages:
                    reading.take(page)
                    if page.items:
                        return tuple(page.items)
                reading.is_whole = True
        except RequestError as error:
            is_not_there_yet = isinstance(error, NotFound) and not before.messages
            if not (error.may_pass or is_not_there_yet):
                raise
        except TimeoutError:
            pass  # the deadline
        return ()

    def _is_over(self, reading: "_Reading", before: "_Reading", seen: "_Seen") -> bool:
        if not reading.is_whole or not reading.messages or not reading.is_final:
            return False
        if self._expected is not None:
            return len(reading.messages) >= self._expected
        return seen.is_finished or (before.is_final and before.messages == reading.messages)


@define(eq=False)
class _Reading:
    """What one reading of tracking found."""

    messages: set[str] = field(factory=set)
    is_final: bool = True
    """Whether each message that was read has a final status."""
    is_whole: bool = False

    def take(self, page: Page[VoiceMessage]) -> None:
        for message in page.items:
            self.messages.add(message.message_id)
            word = None if message.status is None else message.status.status
            self.is_final = self.is_final and isinstance(word, MessageStatus) and word.is_final


class _Seen:
    """What was said of each message so far."""

    def __init__(self, tracking_id: str) -> None:
        self._tracking_id = tracking_id
        self._said: dict[str, list[DeliveryStatus]] = {}
        self._over: set[str] = set()
        """Messages that are over, as tracking says."""
        self._heard: deque[MessageEvent] = deque(maxlen=_MOST)
        self._arrived = asyncio.Event()
        self.is_finished = False
        """Whether a callback said so."""

    def hear(self, event: CallbackEvent) -> None:
        """Take note of a callback."""
        if isinstance(event, MessageEvent) and event.campaign_tracking_id == self._tracking_id:
            self._heard.append(event)
            self._arrived.set()
        elif isinstance(event, CampaignEvent) and event.tracking_id == self._tracking_id:
            self.is_finished = isinstance(event.state, CampaignState) and event.state.is_final

    def wake(self, _of: object) -> None:
        """End the waiting of ``heard``."""
        self._arrived.set()

    async def heard(self, *, within: float | None = None) -> list[MessageUpdate]:
        """Wait for callbacks, at most so many seconds, or to be woken; return what they say that is new."""
        with suppress(TimeoutError):
            async with asyncio.timeout(within):
                await self._arrived.wait()
        return self.drained()

    def tracked(self, messages: Iterable[VoiceMessage]) -> list[MessageUpdate]:
        """Return what callbacks say that is new, and then tracking: what it says is the later."""
        return self.drained() + [update for message in messages if (update := self._update(message))]

    def drained(self) -> list[MessageUpdate]:
        """Return what callbacks have said that is new."""
        self._arrived.clear()
        heard = [self._heard.popleft() for _ in range(len(self._heard))]
        return [update for event in heard if (update := self._update(event))]

    def _update(self, origin: VoiceMessage | MessageEvent) -> MessageUpdate | None:
        status = origin.status
        if status is None or status.status is None:
            return None
        said = self._said.setdefault(origin.message_id, [])
        if isinstance(origin, VoiceMessage) and _place(status.status) == _OVER:
            self._over.add(origin.message_id)
            is_news = not said or said[-1].status != status.status
        elif isinstance(origin, MessageEvent) and origin.message_id in self._over:
            is_news = False
        else:
            is_late = bool(said) and _is_before(status, said[-1], by_moment=isinstance(origin, MessageEvent))
            is_news = not is_late and all(one.status != status.status for one in said)
        if not is_news:
            return None
        said.append(status)
        return MessageUpdate(origin.message_id, status=status, origin=origin)


def _is_before(one: DeliveryStatus, other: DeliveryStatus, *, by_moment: bool) -> bool:
    """Whether a status is an earlier one by the course of a call, or where that does not tell, and if so wished, by its moment."""
    places = [_place(status.status) for status in (one, other)]
    if places[0] is not None and places[1] is not None and places[0] != places[1]:
        return places[0] < places[1]
    return by_moment and one.date is not None and other.date is not None and one.date < other.date


def _place(word: str | None) -> int | None:
    return _OVER if isinstance(word, MessageStatus) and word.is_final else _COURSE.get(word)
