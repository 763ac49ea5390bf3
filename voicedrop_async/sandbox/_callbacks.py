"""Posting callbacks, and posting them again.

Sources: Routee, "Voice callbacks"; "Callback URL webhook" for what counts as received (exactly 200 within two seconds) and
for the waits between repeats.
"""

import asyncio
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta
from functools import partial
from heapq import heapify, heappop, heappush

import msgspec
from aiohttp import ClientError, ClientSession, ClientTimeout
from attrs import evolve, field, frozen

from ._calls import Turn
from ._campaigns import AcceptedCampaign, Call
from ._log import Log, PostedCallback
from ._loopback import is_loopback
from ._store import Store
from ._time import Clock, iso
from ._wire import CallbackStatus, CampaignCallback, MessageCallback, plain

Body = MessageCallback | CampaignCallback

_PATIENCE = ClientTimeout(total=2)
_NOT_LOOPBACK = "not on loopback: never contacted"
_WAITS = [timedelta(minutes=minutes) for minutes in (0.5, 1, 2, 5, 10, 15, 30, 60, 120, 240, 480, 1440)]


@frozen(order=True)
class Post:
    """Something to post. Posts are ordered by when they are due."""

    due: datetime
    place: int
    """Among the posts of the campaign; no two have the same."""
    url: str = field(order=False)
    content: Callable[[], Body] = field(order=False)
    attempt: int = field(default=1, order=False)


class Poster:
    """Posts what campaigns have to tell, to receivers on loopback only: one task for each campaign with callbacks."""

    def __init__(self, *, clock: Clock, posted: Log[PostedCallback], store: Store) -> None:
        """``posted`` gets every attempt."""
        self._clock = clock
        self._posted = posted
        self._store = store
        self._tasks: dict[str, asyncio.Task[None]] = {}

    def follow(self, campaign: AcceptedCampaign, tried: Mapping[tuple[str, int], tuple[int, datetime | None]] | None = None) -> None:
        """Post for a campaign from now on.

        Args:
            campaign: Whose calls it is about.
            tried: What an earlier run has posted already: by campaign and place the next attempt, and when it is due, None for never.
        """
        if not (campaign.order.callback or campaign.order.campaign_callback):
            return
        line: list[Post] = []
        for post in _posts(campaign):
            attempt, due = (tried or {}).get((campaign.tracking_id, post.place), (1, post.due))
            line += [evolve(post, due=due, attempt=attempt)] if due is not None else []
        task = self._tasks[campaign.tracking_id] = asyncio.create_task(self._post_all(campaign, line))
        task.add_done_callback(lambda _: self._tasks.pop(campaign.tracking_id, None))

    def forget(self, campaign: AcceptedCampaign) -> None:
        """Post no longer for a campaign."""
        task = self._tasks.get(campaign.tracking_id)
        if task is not None:
            task.cancel()

    async def aclose(self) -> None:
        """Post nothing more."""
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _post_all(self, campaign: AcceptedCampaign, line: list[Post]) -> None:
        """Post in order of time; what was not received goes back in line."""
        heapify(line)
        async with ClientSession(timeout=_PATIENCE) as http:
            while line:
                post = heappop(line)
                await asyncio.sleep((post.due - self._clock.now()).total_seconds() / self._clock.speed)
                body = post.content()
                status, note = await _post(http, post.url, body)
                self._write_down(post, body, status, note)
                again = status != 200 and note != _NOT_LOOPBACK and post.attempt <= len(_WAITS)
                due = self._clock.now() + _WAITS[post.attempt - 1] if again else None
                self._store.posted(campaign.tracking_id, post.place, post.attempt + 1, due)
                if due is not None:
                    heappush(line, evolve(post, due=due, attempt=post.attempt + 1))
        self._store.told(campaign.tracking_id)

    def _write_down(self, post: Post, body: Body, status: int | None, note: str) -> None:
        posted = PostedCallback(
            number=self._posted.total + 1,
            url=post.url,
            body=plain([body])[0],
            attempt=post.attempt,
            status=status,
            note=note,
            at=self._clock.now(),
        )
        self._posted.add(posted)
        self._store.callback(posted, self._posted.first)


async def _post(http: ClientSession, url: str, body: Body) -> tuple[int | None, str]:
    """The status answered, or None and why there was no answer."""
    if not is_loopback(url):
        return None, _NOT_LOOPBACK
    headers = {"Content-Type": "application/json"}
    try:
        async with http.post(url, data=msgspec.json.encode(body), headers=headers, allow_redirects=False) as response:
            return response.status, ""
    except (ClientError, TimeoutError, ValueError) as error:
        return None, type(error).__name__


def _posts(campaign: AcceptedCampaign) -> Iterator[Post]:
    """Everything a campaign has to tell: each change, or with ``OnCompletion`` the last one only."""
    order, place = campaign.order, 0
    if order.callback:
        for call in campaign.calls:
            for turn in call.turns[1 if order.callback.strategy == "OnChange" else -1 :]:
                place += 1
                yield Post(campaign.moment(turn.after), place, order.callback.url, partial(_message, campaign, call, turn))
    if order.campaign_callback:
        for state, since in campaign.states()[1 if order.campaign_callback.strategy == "OnChange" else -1 :]:
            place += 1
            yield Post(since, place, order.campaign_callback.url, partial(_campaign, campaign, state, since))


def _message(campaign: AcceptedCampaign, call: Call, turn: Turn) -> MessageCallback:
    message = call.message_at(turn, campaign.starts_at)
    return MessageCallback(
        message_id=message.message_id,
        campaign_tracking_id=campaign.tracking_id,
        campaign_name=message.campaign,
        to=message.to,
        sender=message.sender,
        country=message.country,
        groups=message.groups,
        application_name=message.application_name,
        price=message.price,
        originating_service=message.originating_service,
        direction=message.direction,
        status=CallbackStatus(message.status.status, message.status.date),
        audio_message=message.message,
        file_url=message.file_url,
        hangup_delay=campaign.order.hangup_delay,
        respect_quiet_hours=campaign.order.respect_quiet_hours,
        duration=message.duration,
        created_at=iso(campaign.created_at),
        charge_interval=message.charge_interval,
    )


def _campaign(campaign: AcceptedCampaign, state: str, since: datetime) -> CampaignCallback:
    return CampaignCallback(
        tracking_id=campaign.tracking_id,
        campaign_name=campaign.order.name,
        state=state,
        statuses=campaign.statuses_at(since),
        created_at=iso(campaign.created_at),
    )
