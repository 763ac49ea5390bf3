"""The tracked list: what was called, searched by filters, cut into pages.

Order: by creation, oldest first; the service documents none. A settled message never changes again, so what a search
finds among the settled ones is kept until the list itself changes; only calls under way are looked at anew.

Source: Routee, "Track multiple voice messages with filters for a specific time range".
"""

import operator
from bisect import bisect_left, bisect_right, insort
from collections.abc import Callable, Iterator
from datetime import datetime
from itertools import chain
from operator import attrgetter
from typing import Any

from attrs import frozen
from msgspec import UNSET, Struct

from ._calls import Turn
from ._campaigns import AcceptedCampaign, Call
from ._refusals import api_error
from ._time import Clock
from ._wire import Filter, Message, Page

_KEPT_SEARCHES = 256
_KEPT_ROWS = 4_000_000  # found by those searches, 8 bytes each


class Tracked(Struct, frozen=True, gc=False):
    """A message in the list, with two facts that tracking does not show."""

    created: datetime
    campaign_id: str
    message: Message


_created = attrgetter("created")

_FILTER_FIELDS: dict[str, Callable[[Tracked], Any]] = {
    "id": attrgetter("message.message_id"),
    "recipient": attrgetter("message.to"),
    "from": attrgetter("message.sender"),
    "collectedTones": attrgetter("message.collected_tones"),
    "groups": attrgetter("message.groups"),
    "country": attrgetter("message.country"),
    "status.status": attrgetter("message.status.status"),
    "campaign": attrgetter("message.campaign"),
}

_SORT_FIELDS: dict[str, Callable[[Tracked], Any]] = {
    **{name: read for name, read in _FILTER_FIELDS.items() if name != "groups"},
    "messageId": attrgetter("message.message_id"),
    "conversationTrackingId": attrgetter("message.conversation_tracking_id"),
    "to": attrgetter("message.to"),
    "status.date": attrgetter("message.status.date"),
    "direction": attrgetter("message.direction"),
    "duration": attrgetter("message.duration"),
    "price": attrgetter("message.price"),
    "answeredBy": attrgetter("message.answered_by"),
    "fileURL": attrgetter("message.file_url"),
}

_OPERATORS: dict[str, Callable[[str, str], bool]] = {
    "is": operator.eq,
    "is_not": operator.eq,
    "contains": operator.contains,
    "starts_with": str.startswith,
    "ends_with": str.endswith,
}


@frozen(kw_only=True)
class Search:
    """What is looked for. Conditions are combined with and; both ends of the time range are included (neither is documented)."""

    start: datetime | None = None
    end: datetime | None = None
    campaign_id: str | None = None
    conversation_id: str | None = None
    tagged: bool = False
    """Only messages whose recipient belongs to groups. The parameter is documented by name alone."""
    filters: tuple[Filter, ...] = ()
    sort: str = ""

    def __attrs_post_init__(self) -> None:
        """Refuse a field or an operator that is not documented."""
        for one in self.filters:
            if one.field_name not in _FILTER_FIELDS:
                raise api_error(400, f"Unknown fieldName {one.field_name}", number=6)
            if one.search_operator not in _OPERATORS:
                raise api_error(400, f"Unknown searchOperator {one.search_operator}", number=7)
        name, _, direction = self.sort.partition(",")
        if self.sort and (name not in _SORT_FIELDS or direction not in ("", "asc", "desc")):
            raise api_error(400, f"Unknown sort {self.sort}", number=8)

    def keep(self, rows: list[Tracked]) -> list[Tracked]:
        """Those of some rows, ordered by creation, that are looked for."""
        if self.start is not None:
            rows = rows[bisect_left(rows, self.start, key=_created) :]
        if self.end is not None:
            rows = rows[: bisect_right(rows, self.end, key=_created)]
        if self.campaign_id is not None:
            rows = [row for row in rows if row.campaign_id == self.campaign_id]
        if self.conversation_id is not None:
            rows = [row for row in rows if row.message.conversation_tracking_id == self.conversation_id]
        if self.tagged:
            rows = [row for row in rows if row.message.groups]
        for one in self.filters:
            rows = _kept(rows, one)
        return rows

    def sorted(self, rows: list[Tracked]) -> list[Tracked]:
        """The rows in the order asked for, rows without the field first."""
        if not self.sort:
            return rows
        name, _, direction = self.sort.partition(",")
        read = _SORT_FIELDS[name]

        def key(row: Tracked) -> tuple[bool, Any]:
            value = read(row)
            return value is not UNSET, value

        return sorted(rows, key=key, reverse=direction == "desc")


def _kept(rows: list[Tracked], one: Filter) -> list[Tracked]:
    """The rows that meet one condition. A missing value meets only ``is_not``; of groups, any may meet it."""
    read, test, term = _FILTER_FIELDS[one.field_name], _OPERATORS[one.search_operator], one.search_term
    wanted = one.search_operator != "is_not"

    def meets(value: Any) -> bool:
        if isinstance(value, str):
            return test(value, term)
        return value is not UNSET and any(test(member, term) for member in value)

    return [row for row in rows if meets(read(row)) is wanted]


class _UnderWay:
    """The rows of a campaign that is not over. Only what changed since they were last asked for is made anew."""

    def __init__(self, campaign: AcceptedCampaign) -> None:
        self.campaign = campaign
        changes = [(turn.after, place, turn) for place, call in enumerate(campaign.calls) for turn in call.turns[1:]]
        self._changes = sorted(changes, reverse=True)
        self._rows = [self._row(call, call.turns[0]) for call in campaign.calls]

    def rows(self, now: datetime) -> list[Tracked]:
        """The rows at a moment not before the last one; none before calling begins."""
        seconds = (now - self.campaign.starts_at).total_seconds()
        while self._changes and self._changes[-1][0] <= seconds:
            _, place, turn = self._changes.pop()
            self._rows[place] = self._row(self.campaign.calls[place], turn)
        return self._rows if seconds >= 0 else []

    def _row(self, call: Call, turn: Turn) -> Tracked:
        return Tracked(self.campaign.starts_at, self.campaign.tracking_id, call.message_at(turn, self.campaign.starts_at))


class Tracking:
    """The list of tracked messages: settled ones, then those of campaigns under way."""

    def __init__(self, past: list[Tracked], clock: Clock) -> None:
        """``past`` is ordered by creation."""
        self._settled = past
        self._by_id = {row.message.message_id: row for row in past}
        self._under_way: list[_UnderWay] = []
        self._clock = clock
        self._found: dict[Search, list[Tracked]] = {}
        self._found_rows = 0

    def follow(self, campaign: AcceptedCampaign) -> None:
        """Track a campaign from now on."""
        insort(self._under_way, _UnderWay(campaign), key=attrgetter("campaign.starts_at"))

    def forget(self, campaign: AcceptedCampaign) -> None:
        """Track a campaign no longer."""
        self._under_way = [one for one in self._under_way if one.campaign is not campaign]

    def find(self, search: Search) -> list[Tracked]:
        """Every message looked for, as things are now. The answer is shared: not to be changed."""
        now = self._clock.now()
        self._settle(now)
        settled = self._found.get(search)
        if settled is None:
            settled = search.sorted(search.keep(self._settled))
            if len(self._found) >= _KEPT_SEARCHES or self._found_rows + len(settled) > _KEPT_ROWS:
                self._forget_searches()
            self._found[search] = settled
            self._found_rows += len(settled)
        moving = search.keep(self._moving(now, search.campaign_id))
        return search.sorted(settled + moving) if moving else settled

    def page(self, search: Search, number: int, size: int) -> Page:
        """One page of what is looked for. Behind the end: no content, and the last."""
        rows = self.find(search)
        cut = rows[number * size : (number + 1) * size]
        pages = -(-len(rows) // size)
        return Page(
            content=[row.message for row in cut],
            total_pages=pages,
            last=number + 1 >= pages,
            total_elements=len(rows),
            first=number == 0,
            number_of_elements=len(cut),
            number=number,
            size=size,
        )

    def one(self, message_id: str) -> Message | None:
        """The message of that id, as it is now."""
        now = self._clock.now()
        self._settle(now)
        if message_id in self._by_id:
            return self._by_id[message_id].message
        return next((row.message for row in self._moving(now) if row.message.message_id == message_id), None)

    def grow(self, rows: list[Tracked]) -> list[str]:
        """Put rows at the head of the list. Their ids."""
        by_id = {row.message.message_id: row for row in rows}
        self._settled[:0] = rows
        self._by_id |= by_id
        self._forget_searches()
        return list(by_id)

    def shrink(self, count: int) -> list[str]:
        """Take settled messages from the head of the list. Their ids."""
        self._settle(self._clock.now())
        gone = [row.message.message_id for row in self._settled[:count]]
        del self._settled[:count]
        for message_id in gone:
            del self._by_id[message_id]
        self._forget_searches()
        return gone

    def newest(self) -> tuple[int, Iterator[Tracked]]:
        """How many messages there are, and each as it is now, the newest first; none is looked at before it is asked for."""
        now = self._clock.now()
        self._settle(now)
        moving = self._moving(now)
        return len(self._settled) + len(moving), chain(reversed(moving), reversed(self._settled))

    @property
    def is_moving(self) -> bool:
        """Whether a campaign is under way."""
        now = self._clock.now()
        self._settle(now)
        return any(one.campaign.starts_at <= now for one in self._under_way)

    def head(self) -> Tracked | None:
        """The first message of the list."""
        return self._settled[0] if self._settled else None

    def _settle(self, now: datetime) -> None:
        """Move campaigns that are over to the settled messages, in order of their beginning, so that no row ever changes its place."""
        while self._under_way and self._under_way[0].campaign.ends_at <= now:
            rows = self._under_way.pop(0).rows(now)
            self._settled += rows
            self._by_id |= {row.message.message_id: row for row in rows}
            self._forget_searches()

    def _forget_searches(self) -> None:
        self._found.clear()
        self._found_rows = 0

    def _moving(self, now: datetime, campaign_id: str | None = None) -> list[Tracked]:
        wanted = [one for one in self._under_way if campaign_id in (None, one.campaign.tracking_id)]
        return [row for one in wanted for row in one.rows(now)]
