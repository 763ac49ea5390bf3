"""The three sites and their endpoints: from HTTP to the sandbox's world and back."""

from collections.abc import Callable
from datetime import datetime
from typing import TypeVar

import msgspec
from aiohttp import web
from attrs import define, field

from ._callbacks import Poster
from ._campaigns import Campaigns
from ._faults import Faults
from ._front import answer
from ._records import records_between
from ._refusals import Refusal, api_error, gateway_error, unreadable
from ._silence import SILENCE
from ._store import Store
from ._time import Clock, read_moment
from ._tokens import Tokens
from ._tracking import Search, Tracking
from ._wire import Filter, Page, Record

Value = TypeVar("Value")
Default = TypeVar("Default")

_INT32 = 2**31 - 1


@define(eq=False, kw_only=True)
class Auth:
    """The token endpoint's site."""

    tokens: Tokens
    clock: Clock
    name: str = "auth"

    def routes(self) -> list[web.RouteDef]:
        """Its endpoints."""
        return [web.post("/oauth/token", self.token)]

    def admit(self, request: web.Request) -> None:
        """Let everyone in: the endpoint itself looks at the credentials."""

    async def token(self, request: web.Request) -> web.Response:
        """``grant_type`` comes in the form, as documented, or in the query, as integrators send it."""
        form = await request.post() if request.content_type == "application/x-www-form-urlencoded" else request.query
        asked = form.get("grant_type", request.query.get("grant_type"))
        grant = asked if isinstance(asked, str) else None
        return answer(self.tokens.issue(request.headers.get("Authorization", ""), grant, request.path, self.clock.now()))


@define(eq=False, kw_only=True)
class Routee:
    """Routee voice."""

    campaigns: Campaigns
    tracking: Tracking
    history: tuple[str, ...]
    """Tracking ids of past campaigns."""
    poster: Poster
    tokens: Tokens
    clock: Clock
    faults: Faults
    store: Store
    name: str = "routee"

    def routes(self) -> list[web.RouteDef]:
        """Its endpoints."""
        return [
            web.post("/voice/campaign", self.send),
            web.delete("/voice/campaign/{id}", self.delete),
            web.post("/voice/analysis", self.analyze),
            web.post("/voice/tracking", self.search),
            web.get("/voice/tracking/{id}", self.message),
            web.get("/voice/tracking/campaign/{id}", self.campaign),
            web.get("/voice/tracking/conversation/{id}", self.conversation),
            web.get("/recordings/my/downloads/{id}", self.recording),
        ]

    def admit(self, request: web.Request) -> None:
        """Bearers of a token that holds."""
        if not self.tokens.holds(request.headers.get("Authorization", "")):
            raise gateway_error(401, "Invalid access token", path=request.path, now=self.clock.now())

    async def send(self, request: web.Request) -> web.Response:
        """Source: Routee, "Send a voice campaign"."""
        raw = await request.read()
        campaign, receipt = self.campaigns.accept(raw)
        self.store.campaign(campaign.number, campaign.tracking_id, raw, campaign.created_at)
        self.tracking.follow(campaign)
        self.poster.follow(campaign)
        return answer(receipt)

    async def delete(self, request: web.Request) -> web.Response:
        """The answer's body is not documented for voice; the one for SMS is empty too."""
        campaign = self.campaigns.delete(request.match_info["id"])
        self.tracking.forget(campaign)
        self.poster.forget(campaign)
        self.store.deleted(campaign.tracking_id)
        return answer({})

    async def analyze(self, request: web.Request) -> web.Response:
        """Source: Routee, "Analyze a voice campaign"."""
        return answer(self.campaigns.analyze(await request.read()))

    async def search(self, request: web.Request) -> web.Response:
        """Source: Routee, "Track multiple voice messages with filters for a specific time range"."""
        try:
            filters = msgspec.json.decode(await request.read(), type=tuple[Filter, ...])
        except (ValueError, RecursionError) as error:
            raise unreadable(error) from None
        search = Search(
            start=_moment(request, "from"),
            end=_moment(request, "to"),
            campaign_id=request.query.get("trackingId"),
            tagged=_flag(request, "tagged"),
            filters=filters,
            sort=request.query.get("sort", ""),
        )
        return answer(self._page(request, search))

    async def message(self, request: web.Request) -> web.Response:
        """Source: Routee, "Voice message tracking"."""
        message = self.tracking.one(request.match_info["id"])
        if message is None:
            raise _not_found()
        return answer(message)

    async def campaign(self, request: web.Request) -> web.Response:
        """Source: Routee, "Retrieve voice tracking by campaign". A campaign that has not begun has no messages."""
        tracking_id = request.match_info["id"]
        if tracking_id not in self.history and self.campaigns.find(tracking_id) is None:
            raise _not_found()
        return answer(self._page(request, Search(campaign_id=tracking_id, sort=request.query.get("sort", ""))))

    async def conversation(self, request: web.Request) -> web.Response:
        """Source: Routee, "Retrieve conversation dial tracking"."""
        page = self._page(request, Search(conversation_id=request.match_info["id"]))
        if not page.total_elements:
            raise _not_found()
        return answer(page)

    async def recording(self, _request: web.Request) -> web.Response:
        """Every id has a recording here: a moment of silence."""
        return web.Response(body=SILENCE, content_type="audio/wav")

    def _page(self, request: web.Request, search: Search) -> Page:
        size = _whole(request, "size", default=20, least=1)
        size = min(size, self.faults.page_size_cap or size)
        return self.tracking.page(search, _whole(request, "page", default=0, least=0), size)


@define(eq=False, kw_only=True)
class Spacivox:
    """Spacivox. Only the status of a refusal is documented, not its body."""

    token: str = field(repr=False)
    records: dict[str, list[Record]] = field(repr=False)
    """By path."""
    name: str = "spacivox"

    def routes(self) -> list[web.RouteDef]:
        """Its endpoints."""
        return [web.get(path, self.listed) for path in self.records]

    def admit(self, request: web.Request) -> None:
        """Bearers of the token."""
        if request.headers.get("Authorization") != f"Bearer {self.token}":
            raise Refusal(403, "Forbidden")

    async def listed(self, request: web.Request) -> web.Response:
        """Source: Spacivox, "Voicemail drop records"; its neighbours are asked alike."""
        try:
            start, end = read_moment(request.query["start"]), read_moment(request.query["end"])
            team = int(request.query["team"]) if "team" in request.query else None
        except (KeyError, ValueError):
            raise Refusal(400, "start and end are required: ISO 8601 with a zone; team is an integer") from None
        records = records_between(self.records[request.path], start, end, team)
        if "body" not in request.query.get("include", "").split(","):
            records = [
                record if record.body is msgspec.UNSET else msgspec.structs.replace(record, body=msgspec.UNSET) for record in records
            ]
        return answer(records)


def _not_found() -> Refusal:
    return api_error(404, "Tracking not found")


def _moment(request: web.Request, name: str) -> datetime | None:
    return _query(request, name, read_moment, None)


def _whole(request: web.Request, name: str, *, default: int, least: int) -> int:
    def read(text: str) -> int:
        number = int(text) if text.isascii() and text.isdigit() else -1
        if not least <= number <= _INT32:
            raise ValueError(text)
        return number

    return _query(request, name, read, default)


def _flag(request: web.Request, name: str) -> bool:
    return _query(request, name, {"true": True, "false": False}.__getitem__, False)


def _query(request: web.Request, name: str, read: Callable[[str], Value], default: Default) -> Value | Default:
    """One parameter of the query, ``default`` if it is not there."""
    text = request.query.get(name)
    if text is None:
        return default
    try:
        return read(text)
    except (KeyError, ValueError):
        raise api_error(400, f"Bad value of the query parameter {name}", number=9) from None
