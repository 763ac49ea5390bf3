"""The columns of a table of messages, and of one of drop records: their names, what they hold, and where it is in an item.

The names and their order are a promise. An item is one row; what stands deeper in it (its status, its text) has columns of its own.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from enum import Enum, auto
from operator import attrgetter
from typing import Any, Final

from attrs import frozen

from voicedrop_async.errors import ConfigError
from voicedrop_async.models import (
    NO_EXTRA,
    AnsweredBy,
    Direction,
    DropState,
    Gender,
    MessageStatus,
    VoicemailDropRecord,
    VoiceMessage,
)


class Holds(Enum):
    """What a column holds."""

    TEXT = auto()
    WHOLE = auto()
    """A whole number."""
    SECONDS = auto()
    """A number of seconds, whole or not."""
    PRICE = auto()
    MOMENT = auto()
    TEXTS = auto()
    """A list of texts."""
    RECORDINGS = auto()
    """A list of ``Recording``."""
    EXTRA = auto()
    """An object whose keys nobody knows beforehand."""


@frozen(kw_only=True)
class Column:
    """One column, and how its values are got from items: all of them at once, which is quicker than item by item."""

    name: str
    holds: Holds
    read: Callable[[Any], Any]
    words: Mapping[Any, str | None] | None = None
    """Of an open enumeration: each member's word."""

    def of(self, items: Iterable[object]) -> list[Any]:
        """Return the value of each item; None where there is none."""
        values = map(self.read, items)
        return list(values if self.words is None else map(self.words.__getitem__, values))


class _Words(dict[Any, str | None]):
    """The word of each member; of what is newer than this library, its own text."""

    def __missing__(self, key: object) -> str:
        return str(key)


def _column(name: str, holds: Holds = Holds.TEXT, read: Callable[[Any], Any] | None = None, *, words: type[Enum] | None = None) -> Column:
    known = None
    if words is not None:  # a text is its own word; of a number, the name is the only one
        known = _Words({member: member.value if isinstance(member.value, str) else member.name for member in words} | {None: None})
    return Column(name=name, holds=holds, read=read or attrgetter(name), words=known)


def _within(part: str, name: str) -> Callable[[Any], Any]:
    """Return what reads a field of an inner object, which may be absent."""
    outer, inner = attrgetter(part), attrgetter(name)

    def read(item: object) -> object:
        held = outer(item)
        return None if held is None else inner(held)

    return read


def _extra(message: VoiceMessage) -> dict[str, object] | None:
    """Return what the service sent beyond its document, also in the status and in the text; None if it sent nothing.

    A status has no reason in tracking, by its page: where it has one, it is here.
    """
    status, spoken = message.status, message.message
    extra = None if message.extra is NO_EXTRA else dict(message.extra)
    if status is not None and (status.extra is not NO_EXTRA or status.reason is not None):
        reason = {} if status.reason is None else {"reason": status.reason}
        extra = {**(extra or {}), "status": reason | dict(status.extra)}
    if spoken is not None and spoken.extra is not NO_EXTRA:
        extra = {**(extra or {}), "message": dict(spoken.extra)}
    return extra or None


_MESSAGES: Final = (
    _column("message_id"),
    _column("conversation_tracking_id"),
    _column("to"),
    _column("sender"),
    _column("groups", Holds.TEXTS),
    _column("country"),
    _column("status", read=_within("status", "status"), words=MessageStatus),
    _column("status_date", Holds.MOMENT, _within("status", "date")),
    _column("campaign"),
    _column("application_name"),
    _column("originating_service"),
    _column("direction", words=Direction),
    _column("duration", Holds.SECONDS),
    _column("file_url"),
    _column("message_text", read=_within("message", "text")),
    _column("message_language", read=_within("message", "language")),
    _column("message_gender", read=_within("message", "gender"), words=Gender),
    _column("price", Holds.PRICE),
    _column("charge_interval", Holds.SECONDS),
    _column("collected_tones"),
    _column("answered_by", words=AnsweredBy),
    _column("recordings", Holds.RECORDINGS),
    _column("extra", Holds.EXTRA, _extra),
)
_DROPS: Final = (
    _column("id", Holds.WHOLE),
    _column("campaign", Holds.WHOLE),
    _column("job", Holds.WHOLE),
    _column("number"),
    _column("reference"),
    _column("state", words=DropState),
    _column("team", Holds.WHOLE),
    _column("timestamp", Holds.MOMENT),
)
_TABLES: Final[Mapping[object, Sequence[Column]]] = {VoiceMessage: _MESSAGES, VoicemailDropRecord: _DROPS}


def columns_of(model: object) -> Sequence[Column]:
    """Return the columns of a table of such items.

    Raises:
        ConfigError: These items have no table.
    """
    columns = _TABLES.get(model)
    if columns is None:
        raise ConfigError("stream: only voice messages and voicemail drop records can be exported")
    return columns
