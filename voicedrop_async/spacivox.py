"""Spacivox: list voicemail drop records.

Source: the page "Voicemail drop records". It knows no paging: one GET answers a whole range of time.
"""

from collections.abc import Hashable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final, Self, Unpack

from voicedrop_async import _wire
from voicedrop_async._checks import check_count, check_kind, check_range
from voicedrop_async._session import Session, SessionOptions, needed_from_environment
from voicedrop_async.auth import StaticToken
from voicedrop_async.calls import MOST_BYTES, Kind, Reply, Request
from voicedrop_async.errors import ConfigError, WireError
from voicedrop_async.models import Page, VoicemailDropRecord
from voicedrop_async.pages import Fetched, PageStream, Source

_DAY: Final = timedelta(days=1)
_SECOND: Final = timedelta(seconds=1)


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
        _check(start, end, team)
        request = _request(start, end, team)
        try:
            rows = await self._send(request, lambda reply: _wire.load_array(reply, VoicemailDropRecord, skip=False))
        except WireError as error:
            if error.length is not None and error.length > MOST_BYTES:
                error.summary += "; drop_records() lists the same range slice by slice"
            raise
        return [record for record in rows.items if _is_within(record, start, end)]

    def drop_records(
        self,
        start: datetime,
        end: datetime,
        *,
        team: int | None = None,
        slices: timedelta = _DAY,
        max_items: int | None = None,
    ) -> PageStream[VoicemailDropRecord]:
        """Stream the voicemail drops from ``start`` until ``end``.

        Nothing is sent before the first item is asked for; then one GET a slice of time.

        Args:
            start: Aware datetime, included.
            end: Aware datetime, excluded, as is the end of each slice. The page does not say, so we hold the edges
                ourselves; a record whose moment cannot be read is kept, once.
            team: Only this team's records; all of them if left out.
            slices: Time covered by one request; at least a second. Shorter is gentler on the server.
            max_items: Stop after so many; no slice is fetched that cannot be used.

        Yields:
            VoicemailDropRecord, each once by id; within a slice in the order the service gave.

        Raises:
            ConfigError: A naive datetime, ``end`` not after ``start``, or slices below a second. Nothing was sent.
            Forbidden: The token was refused; this service says so with 403.
            WireError: An answer was no list; names its JSON path, never its value.
            RequestError: A slice failed for good.

        Source: Spacivox, "Voicemail drop records", ``GET /j/voicemail_drop_records``.
        """
        _check(start, end, team)
        check_kind("slices", slices, timedelta)
        if slices < _SECOND:
            raise ConfigError("slices: below one second, the finest that the service's samples show")
        first, beyond = start.astimezone(UTC), end.astimezone(UTC)  # steps of wall time would trip over daylight saving
        slices = min(slices, beyond - first)
        count = -((first - beyond) // slices)

        async def fetch(number: int, _page: int, _size: int) -> Fetched[VoicemailDropRecord]:
            since, until = first + number * slices, min(first + (number + 1) * slices, beyond)
            return await self._send(_request(since, until, team), lambda reply: _fetched(reply, since, until, number, count))

        return PageStream(Source(fetch=fetch, keys=_keys, lists=count), max_items=max_items)


def _check(start: datetime, end: datetime, team: int | None) -> None:
    check_range(start, end)
    if team is not None:
        check_count("team", team, 0)


def _request(start: datetime, end: datetime, team: int | None) -> Request:
    # Whole seconds, as in the samples, and outwards: what lies beyond the edge is left out when it has come.
    params = {
        "start": _wire.moment_text(_wire.whole_second(start)),
        "end": _wire.moment_text(_wire.whole_second(end, up=True)),
    }
    if team is not None:
        params["team"] = str(team)
    return Request(method="GET", route="/j/voicemail_drop_records", kind=Kind.READ, params=params)


def _fetched(reply: Reply, start: datetime, end: datetime, number: int, count: int) -> Fetched[VoicemailDropRecord]:
    rows = _wire.load_array(reply, VoicemailDropRecord, skip=True)
    items = tuple(record for record in rows.items if _is_within(record, start, end))
    page = Page(items=items, number=number, size=len(items), total_pages=count, total_items=None, is_last=number + 1 == count)
    return Fetched(page=page, last=True, total_pages=1, unreadable=rows.unreadable, skipped=rows.skipped)


def _is_within(record: VoicemailDropRecord, start: datetime, end: datetime) -> bool:
    return record.timestamp is None or start <= record.timestamp < end


def _keys(records: Sequence[VoicemailDropRecord]) -> list[Hashable]:
    return [record.id for record in records]
