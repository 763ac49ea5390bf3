"""The desk: the page for people, and the calls by which it, and tests in any language, see and steer the sandbox.

A page of another site could make these calls, too, in the same browser. So the host must be loopback by name, and not a name of
theirs that leads here; a caller who says where it comes from must come from here; and what changes something must be JSON,
which no form of another site can send.
"""

from collections.abc import Callable, Mapping
from itertools import islice
from pathlib import Path
from typing import Annotated, Any, Final, TypeVar

import msgspec
from aiohttp import web
from aiohttp.typedefs import Handler
from attrs import define
from msgspec import Meta, Struct
from yarl import URL

from ._browse import Part, Words, browse
from ._faults import Asked, Faults, asked_for
from ._front import answer
from ._log import Entry, Log, PostedCallback, ReceivedRequest
from ._replay import Replay
from ._shown import brief_callback, brief_campaign, brief_request, full_callback, full_campaign, full_request
from ._store import Store
from ._time import iso
from ._world import World

_PAGE: Final = Path(__file__).parent / "page"
_BELOW: Final = "/_sandbox"
_HERE: Final = {"127.0.0.1", "localhost"}
_HEADERS: Final = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "Cache-Control": "no-cache",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
_MOST: Final = 500  # entries of one answer

_Count = Annotated[int, Meta(ge=1, le=100_000)]


class Nothing(Struct, forbid_unknown_fields=True):
    """No arguments."""


class FailNext(Asked):
    """As ``Sandbox.fail_next``; the body is text."""

    body: str | None = None


class Delay(Struct, forbid_unknown_fields=True):
    """As ``Sandbox.delay``."""

    seconds: Annotated[float, Meta(ge=0, le=3600)]
    path: str | None = None


class Change(Struct, forbid_unknown_fields=True):
    """As ``Sandbox.grow`` and ``Sandbox.shrink``."""

    count: _Count


class Cap(Struct, forbid_unknown_fields=True):
    """As ``Sandbox.cap_page_size``."""

    size: _Count | None


Body = TypeVar("Body", bound=Struct)


@define(eq=False, kw_only=True)
class Desk:
    """Beside Routee's site; what arrives here is not written down, and meets no fault."""

    urls: Mapping[str, str]
    """The base of each site, by its name."""
    world: World
    requests: Log[ReceivedRequest]
    callbacks: Log[PostedCallback]
    faults: Faults
    replay: Replay
    store: Store

    def owns(self, path: str) -> bool:
        """Whether a request is for the desk."""
        return path in ("/", _BELOW) or path.startswith(_BELOW + "/")

    def routes(self) -> list[web.RouteDef]:
        """The page, and the calls."""
        changes = {"expire_tokens": self.expire_tokens, "grow": self.grow, "shrink": self.shrink, "cap_page_size": self.cap_page_size}
        return [
            web.get("/", self.page),
            web.get(_BELOW + "/page/{file:page[.]css|(?:page|views|making)[.]js}", self.page),
            web.get(_BELOW, self.overview),
            web.get(_BELOW + "/requests", self.list_requests),
            web.get(_BELOW + "/requests/{number:[0-9]{1,9}}", self.request),
            web.get(_BELOW + "/campaigns", self.list_campaigns),
            web.get(_BELOW + "/campaigns/{id}", self.campaign),
            web.get(_BELOW + "/messages", self.list_messages),
            web.get(_BELOW + "/messages/{id}", self.message),
            web.get(_BELOW + "/callbacks", self.list_callbacks),
            web.get(_BELOW + "/callbacks/{number:[0-9]{1,9}}", self.callback),
            web.post(_BELOW + "/faults", self.fail_next),
            web.delete(_BELOW + "/faults", self.clear_faults),
            web.post(_BELOW + "/delay", self.delay),
            *(web.post(f"{_BELOW}/{name}", handler) for name, handler in changes.items()),
        ]

    async def attend(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Answer one request, if its sender may ask."""
        try:
            _admit(request)
            response = await handler(request)
        except web.HTTPException as error:
            response = answer({"error": error.text or error.reason}, error.status)
        except OSError as error:
            response = answer({"error": str(error)}, 500)
        response.headers.update(_HEADERS)
        return response

    async def page(self, request: web.Request) -> web.StreamResponse:
        """The page, its styles and its script."""
        return web.FileResponse(_PAGE / request.match_info.get("file", "page.html"))

    async def overview(self, _request: web.Request) -> web.Response:
        """How things are, in numbers: enough to know whether to look again."""
        messages, _ = self.world.tracking.newest()
        return answer(
            {
                "now": iso(self.world.clock.now()),
                "urls": self.urls,
                "counts": {
                    "campaigns": len(self.world.campaigns.accepted),
                    "messages": messages,
                    "requests": self.requests.total,
                    "callbacks": self.callbacks.total,
                },
                "moving": self.world.tracking.is_moving,
                "faults": self.faults.shown(),
            }
        )

    async def list_requests(self, request: web.Request) -> web.Response:
        """Those that are kept, the newest first."""
        return answer(_newest("requests", self.requests, brief_request, request))

    async def request(self, request: web.Request) -> web.Response:
        """One of them."""
        return answer(full_request(_numbered(self.requests, request)))

    async def list_campaigns(self, request: web.Request) -> web.Response:
        """Those accepted and not deleted, the newest first."""
        offset, limit = _span(request)
        accepted = self.world.campaigns.accepted
        return answer(
            {"campaigns": [brief_campaign(one) for one in islice(reversed(accepted), offset, offset + limit)], "total": len(accepted)}
        )

    async def campaign(self, request: web.Request) -> web.Response:
        """One of them."""
        return answer(full_campaign(_found(self.world.campaigns.find(request.match_info["id"]))))

    async def list_messages(self, request: web.Request) -> web.Response:
        """Those that meet ``search``, ``status`` and ``campaign``, the newest first, as tracking shows them."""
        offset, limit = _span(request)
        search, status, campaign_id = (request.query.get(name, "") for name in ("search", "status", "campaign"))
        campaign = self.world.campaigns.find(campaign_id)
        count, rows = self.world.tracking.newest()
        if campaign is not None:
            messages = reversed(campaign.messages_at(self.world.clock.now()))
        elif campaign_id:
            messages = (row.message for row in rows if row.campaign_id == campaign_id)
        elif not (search or status):
            cut = [row.message for row in islice(rows, offset, offset + limit)]
            return _part(Part(cut, count, more=offset + limit < count))
        elif (one := self.world.tracking.one(search.strip())) is not None:
            messages = iter([one])
        else:
            messages = (row.message for row in rows)
        return _part(await browse(messages, Words(search, status), offset=offset, limit=limit))

    async def message(self, request: web.Request) -> web.Response:
        """One of them."""
        return answer(_found(self.world.tracking.one(request.match_info["id"])))

    async def list_callbacks(self, request: web.Request) -> web.Response:
        """Attempts to post that are kept, the newest first."""
        return answer(_newest("callbacks", self.callbacks, brief_callback, request))

    async def callback(self, request: web.Request) -> web.Response:
        """One of them."""
        return answer(full_callback(_numbered(self.callbacks, request)))

    async def fail_next(self, request: web.Request) -> web.Response:
        """Let requests fail."""
        wishes = msgspec.structs.asdict(await _read(request, FailNext))
        body: str | None = wishes.pop("body")
        try:
            self.faults.add(*asked_for(None if body is None else body.encode(), **wishes))
        except ValueError as error:
            raise _refused(str(error)) from None
        return self._told()

    async def clear_faults(self, _request: web.Request) -> web.Response:
        """End all faults."""
        self.faults.clear()
        self.replay.clear()
        return self._told()

    async def delay(self, request: web.Request) -> web.Response:
        """Let answers wait."""
        asked = await _read(request, Delay)
        self.faults.delay(asked.seconds, asked.path)
        return self._told()

    async def cap_page_size(self, request: web.Request) -> web.Response:
        """Cap pages, or end that."""
        self.faults.page_size_cap = (await _read(request, Cap)).size
        return self._told()

    async def expire_tokens(self, request: web.Request) -> web.Response:
        """End the life of all bearer tokens."""
        await _read(request, Nothing)
        self.world.tokens.expire()
        return self._told()

    async def grow(self, request: web.Request) -> web.Response:
        """Put messages at the head of the tracked list."""
        ids = self.world.grow((await _read(request, Change)).count)
        await self.store.settled()
        return answer({"ids": ids})

    async def shrink(self, request: web.Request) -> web.Response:
        """Take messages from the head of the tracked list."""
        ids = self.world.shrink((await _read(request, Change)).count)
        await self.store.settled()
        return answer({"ids": ids})

    def _told(self) -> web.Response:
        return answer(self.faults.shown())


def _admit(request: web.Request) -> None:
    try:
        here = URL(f"http://{request.host}").host in _HERE
    except ValueError:
        here = False
    if not here:
        raise web.HTTPForbidden(text="the host is to be 127.0.0.1 or localhost")
    if request.headers.get("Origin", f"http://{request.host}") != f"http://{request.host}":
        raise web.HTTPForbidden(text="a page of another site may not ask")
    if request.method == "POST" and request.content_type != "application/json":
        raise web.HTTPUnsupportedMediaType(text="the content type is to be application/json")


async def _read(request: web.Request, shape: type[Body]) -> Body:
    try:
        return msgspec.json.decode(await request.read() or b"{}", type=shape)
    except (ValueError, RecursionError) as error:
        raise _refused(str(error)) from None


def _refused(text: str) -> web.HTTPException:
    return web.HTTPBadRequest(text=text)


Thing = TypeVar("Thing")


def _found(thing: Thing | None) -> Thing:
    if thing is None:
        raise web.HTTPNotFound(text="there is none, or it is not kept any more")
    return thing


def _numbered(log: Log[Entry], request: web.Request) -> Entry:
    return _found(log.get(int(request.match_info["number"])))


def _newest(name: str, log: Log[Entry], brief: Callable[[Entry], dict[str, Any]], request: web.Request) -> dict[str, Any]:
    """Some entries of a log, and how many there were."""
    return {name: [brief(entry) for entry in log.newest(*_span(request))], "total": log.total, "kept": len(log)}


def _span(request: web.Request) -> tuple[int, int]:
    """``offset`` and ``limit`` of the query."""
    try:
        offset, limit = int(request.query.get("offset", "0")), int(request.query.get("limit", "50"))
    except ValueError:
        offset = limit = -1
    if offset < 0 or not 1 <= limit <= _MOST:
        raise _refused(f"offset is to be 0 or more, limit 1 to {_MOST}")
    return offset, limit


def _part(part: Part) -> web.Response:
    content: dict[str, Any] = {"messages": part.messages, "total": part.total, "more": part.more}
    return answer(content)
