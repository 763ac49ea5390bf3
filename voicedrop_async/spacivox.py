"""Spacivox: list its records.

Source: the page "Voicemail drop records". It knows no paging: one GET answers a whole range of time, for each kind of record alike.
"""

from collections.abc import Hashable, Mapping, Sequence
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any, Final, Generic, Self, TypeVar, Unpack

from attrs import frozen

from voicedrop_async import _wire
from voicedrop_async._checks import check_count, check_range, check_slices
from voicedrop_async._masking import type_of
from voicedrop_async._session import Session, SessionOptions, needed_from_environment
from voicedrop_async.auth import StaticToken
from voicedrop_async.calls import Kind, Reply, Request
from voicedrop_async.errors import ConfigError, WireError
from voicedrop_async.models import (
    Page,
    SpacivoxRecord,
    TextRecord,
    VoicemailDropRecord,
)
from voicedrop_async.pages import Fetched, PageStream, Source, Span, WalkOptions, check_options, in_utc

R = TypeVar("R", bound=SpacivoxRecord)

_DAY: Final = timedelta(days=1)
_SECOND: Final = timedelta(seconds=1)
_NO_MORE: Final[Mapping[str, str]] = MappingProxyType({})
_BODIES: Final[Mapping[str, str]] = MappingProxyType({"include": "body"})
"""What is asked for beyond the range and the team."""


@frozen
class _Listing(Generic[R]):
    """One kind of record: the method that streams it, the route that lists it, and what it is read as."""

    stream: str
    route: str
    model: type[R]


_DROPS: Final = _Listing("drop_records", "/j/voicemail_drop_records", VoicemailDropRecord)
_TEXTS: Final = _Listing("text_records", "/j/text_records", TextRecord)


class SpacivoxSession(Session):
    """One account of Spacivox.

    Nothing is sent before the first call. A session belongs to the loop it is first used in.
    """

    def __init__(self, auth: StaticToken, *, base_url: str, **options: Unpack[SessionOptions]) -> None:
        """Check the options; no I/O, and no loop is needed yet.

        Args:
            auth: The access token that Spacivox handed out; it documents no other way.
            base_url: Where the service is, as Spacivox told you; a path it carries is kept.
            **options: See ``SessionOptions``.

        Raises:
            ConfigError: A plain-http URL to another machine, or options that cannot be.
        """
        if not isinstance(auth, StaticToken):
            raise ConfigError("auth: must be a StaticToken; Spacivox has no token endpoint")
        super().__init__(auth, base_url=base_url, auth_url=None, **options)

    @classmethod
    def from_env(cls, **options: Unpack[SessionOptions]) -> Self:
        """Return a session from ``SPACIVOX_ACCESS_TOKEN`` and ``SPACIVOX_BASE_URL`` of the environment.

        Raises:
            ConfigError: One of them is missing; the text names it.
        """
        auth = StaticToken(needed_from_environment("SPACIVOX_ACCESS_TOKEN", "the access token"))
        return cls(auth, base_url=needed_from_environment("SPACIVOX_BASE_URL", "the service's URL"), **options)

    async def list_drop_records(self, start: datetime, end: datetime, *, team: int | None = None) -> list[VoicemailDropRecord]:
        """Return the voicemail drops from ``start`` until ``end``, with one GET.

        Args:
            start: Aware datetime, included.
            end: Aware datetime, excluded. The page does not say, so we hold the edge ourselves; a record whose moment
                cannot be read is kept.
            team: Only this team's records; all of them if left out.

        Raises:
            ConfigError: A naive datetime, or ``end`` not after ``start``. Nothing was sent.
            Forbidden: The token was refused; this service says so with 403.
            WireError: The answer was no list, held a row without a usable id, or was longer than 16 MiB, for which
                there is ``drop_records``.
            RequestError: The call failed.

        Source: Spacivox, "Voicemail drop records", ``GET /j/voicemail_drop_records``.
        """
        return await self._listed(_DROPS, start, end, team)

    def drop_records(
        self,
        start: datetime,
        end: datetime,
        *,
        team: int | None = None,
        slices: timedelta = _DAY,
        **options: Unpack[WalkOptions],
    ) -> PageStream[VoicemailDropRecord]:
        """Stream the voicemail drops from ``start`` until ``end``.

        Nothing is sent before the first item is asked for; then one GET a slice of time.

        Args:
            start: Aware datetime, included.
            end: Aware datetime, excluded, as is the end of each slice. The page does not say, so we hold the edges
                ourselves; a record whose moment cannot be read is kept, once.
            team: Only this team's records; all of them if left out.
            slices: Time covered by one request; at least a second. Shorter is gentler on the server. A slice whose answer is
                longer than 16 MiB is cut in two.
            **options: See ``WalkOptions``: ``max_items``, ``prefetch``, ``resume``, ``on_drift``, ``max_passes``.

        Yields:
            VoicemailDropRecord, each once by id; within a slice in the order the service gave.

        Raises:
            ConfigError: A naive datetime, ``end`` not after ``start``, or slices below a second. Nothing was sent.
            ResumeTokenError: A token that is damaged, or of another query. Nothing was sent.
            Forbidden: The token was refused; this service says so with 403.
            WireError: An answer was no list; names its JSON path, never its value.
            RequestError: A slice failed for good.

        Source: Spacivox, "Voicemail drop records", ``GET /j/voicemail_drop_records``.
        """
        return self._streamed(_DROPS, start, end, slices, options, team)

    async def list_text_records(self, start: datetime, end: datetime, *, team: int | None = None, body: bool = False) -> list[TextRecord]:
        """Return the text messages, as ``list_drop_records`` does, and with their texts if ``body``. Source: Spacivox, "Text records"."""
        return await self._listed(_TEXTS, start, end, team, _more(body))

    def text_records(
        self,
        start: datetime,
        end: datetime,
        *,
        team: int | None = None,
        body: bool = False,
        slices: timedelta = _DAY,
        **options: Unpack[WalkOptions],
    ) -> PageStream[TextRecord]:
        """Stream the text messages from ``start`` until ``end``, with their texts if ``body``; all else is as for ``drop_records``.

        Source: Spacivox, "Text records", ``GET /j/text_records``.
        """
        return self._streamed(_TEXTS, start, end, slices, options, team, _more(body))

    async def _listed(
        self, listing: _Listing[R], start: datetime, end: datetime, team: int | None, more: Mapping[str, str] = _NO_MORE
    ) -> list[R]:
        _check(start, end, team)
        request = _request(listing, start, end, team, more)
        try:
            rows = await self._send(request, lambda reply: _wire.load_array(reply, listing.model, skip=False))
        except WireError as error:
            if error.too_long:
                error.summary += f"; {listing.stream}() lists the same range slice by slice"
            raise
        return [record for record in rows.items if _is_within(record, start, end)]

    def _streamed(
        self,
        listing: _Listing[R],
        start: datetime,
        end: datetime,
        slices: timedelta,
        options: WalkOptions,
        team: int | None,
        more: Mapping[str, str] = _NO_MORE,
    ) -> PageStream[R]:
        _check(start, end, team)
        check_options(listing.stream, options)
        check_slices(slices)
        whole = in_utc(start, end)
        count = -((whole.start - whole.end) // slices)

        async def fetch(span: Span | None, _page: int, _size: int) -> Fetched[R]:
            span = span or whole
            number = (span.start - whole.start) // slices
            place = _Place(span=span, number=number, count=count, is_last=span.end == whole.end)
            return await self._send(
                _request(listing, span.start, span.end, team, more), lambda reply: _fetched(reply, listing.model, place)
            )

        query = repr((listing.route, start.timestamp(), end.timestamp(), team, *more.items()))
        source = Source(fetch=fetch, keys=_keys, model=listing.model, query=query, range=whole, step=slices)
        return PageStream(source, **options)


@frozen(kw_only=True)
class _Place:
    """A slice among its like; those that were cut in two share a number."""

    span: Span
    number: int
    count: int
    is_last: bool


def _more(body: bool) -> Mapping[str, str]:
    if not isinstance(body, bool):
        raise ConfigError(f"body: {type_of(body)} is neither True nor False")
    return _BODIES if body else _NO_MORE


def _check(start: datetime, end: datetime, team: int | None) -> None:
    check_range(start, end)
    if team is not None:
        check_count("team", team, 0)


def _request(listing: _Listing[Any], start: datetime, end: datetime, team: int | None, more: Mapping[str, str]) -> Request:
    # Whole seconds, as in the samples, and outwards: what lies beyond the edge is left out when it has come. The start may
    # be excluded by the service, the end is by us.
    params = {
        "start": _wire.moment_text(_wire.whole_second(start) - _SECOND),
        "end": _wire.moment_text(_wire.whole_second(end, up=True)),
        **more,
    }
    if team is not None:
        params["team"] = str(team)
    return Request(method="GET", route=listing.route, kind=Kind.READ, params=params)


def _fetched(reply: Reply, model: type[R], place: _Place) -> Fetched[R]:
    rows = _wire.load_array(reply, model, skip=True)
    items = tuple(record for record in rows.items if _is_within(record, place.span.start, place.span.end))
    page = Page(items=items, number=place.number, size=len(items), total_pages=place.count, total_items=None, is_last=place.is_last)
    return Fetched(page=page, last=True, total_pages=1, unreadable=rows.unreadable, skipped=rows.skipped)


def _is_within(record: SpacivoxRecord, start: datetime, end: datetime) -> bool:
    return record.timestamp is None or start <= record.timestamp < end


def _keys(records: Sequence[SpacivoxRecord]) -> list[Hashable]:
    return [record.id for record in records]
