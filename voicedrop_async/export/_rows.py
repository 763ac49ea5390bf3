"""The columns of a table of messages, and of one of records of Spacivox: their names, what they hold, and where it is in an item.

The names and their order are a promise. An item is one row; what stands deeper in it (its status, its text) has columns of its own.
Rows are structs that the garbage collector need not look at. Those of messages are filled by a function written out for their fields:
a million of them are made at a walk's own speed. Records of Spacivox are flat, and their columns are their fields.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from enum import Enum, auto
from functools import cache
from operator import attrgetter
from typing import Annotated, Any, Final, TypeAlias, get_args, get_type_hints

import attrs
import msgspec
from attrs import frozen

from voicedrop_async.errors import ConfigError
from voicedrop_async.models import (
    AnsweredBy,
    Direction,
    DropState,
    Gender,
    MessageStatus,
    Recording,
    SpacivoxRecord,
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
    """A list of rows of recordings."""
    EXTRA = auto()
    """An object whose keys nobody knows beforehand."""


Text: TypeAlias = Annotated[str | None, Holds.TEXT]
Whole: TypeAlias = Annotated[int | None, Holds.WHOLE]
Seconds: TypeAlias = Annotated[float | None, Holds.SECONDS]
Price: TypeAlias = Annotated[Decimal | None, Holds.PRICE]
Moment: TypeAlias = Annotated[datetime | None, Holds.MOMENT]
Texts: TypeAlias = Annotated[tuple[str, ...] | None, Holds.TEXTS]
Extra: TypeAlias = Annotated[Mapping[str, object] | None, Holds.EXTRA]

_Table: TypeAlias = tuple[type[msgspec.Struct], Callable[[Iterable[Any]], list[Any]]]
"""Rows, and what fills them."""


class RecordingRow(msgspec.Struct, gc=False):
    """A recording, inside the row of its message."""

    tracking_id: Text
    start: Moment
    end: Moment
    sender: Text
    to: Text
    url: Text
    voice_tracking_ids: Texts
    conversation_tracking_id: Text
    duration: Seconds
    extra: Extra


class MessageRow(msgspec.Struct, gc=False):
    """A voice message."""

    message_id: Text
    conversation_tracking_id: Text
    to: Text
    sender: Text
    groups: Texts
    country: Text
    status: Text
    status_date: Moment
    campaign: Text
    application_name: Text
    originating_service: Text
    direction: Text
    duration: Seconds
    file_url: Text
    message_text: Text
    message_language: Text
    message_gender: Text
    price: Price
    charge_interval: Seconds
    collected_tones: Text
    answered_by: Text
    recordings: Annotated[Sequence[RecordingRow] | None, Holds.RECORDINGS]
    extra: Extra


@frozen
class Column:
    """One column of a table."""

    name: str
    holds: Holds

    def of(self, rows: Iterable[object]) -> list[Any]:
        """Return the value of each row; None where there is none."""
        return list(map(attrgetter(self.name), rows))


class _Words(dict[Any, str | None]):
    """The word of each member, and none for none; of what is newer than this library, its own text."""

    def __init__(self, members: type[Enum]) -> None:
        # A text is its own word; of a number, the name is the only one.
        super().__init__({member: member.value if isinstance(member.value, str) else member.name for member in members})
        self[None] = None

    def __missing__(self, key: object) -> str:
        return str(key)


_STATUSES: Final = _Words(MessageStatus)
_DIRECTIONS: Final = _Words(Direction)
_GENDERS: Final = _Words(Gender)
_ANSWERED: Final = _Words(AnsweredBy)
_STATES: Final = _Words(DropState)


def rows_of(model: object, items: Iterable[Any]) -> list[Any]:
    """Return items of a model as rows.

    Raises:
        ConfigError: These items have no table.
    """
    return _table(model)[1](items)


def columns_of(model: object) -> Sequence[Column]:
    """Return the columns of a table of such items.

    Raises:
        ConfigError: These items have no table.
    """
    return inner_columns(_table(model)[0])


@cache
def inner_columns(row: type[msgspec.Struct]) -> Sequence[Column]:
    """Return the columns of rows."""
    hints = get_type_hints(row, include_extras=True)
    return [Column(name, hints[name].__metadata__[0]) for name in row.__struct_fields__]


def _message_rows(messages: Iterable[VoiceMessage]) -> list[MessageRow]:
    return [
        MessageRow(
            message.message_id,
            message.conversation_tracking_id,
            message.to,
            message.sender,
            message.groups,
            message.country,
            None if (delivery := message.status) is None else _STATUSES[delivery.status],
            None if delivery is None else delivery.date,
            message.campaign,
            message.application_name,
            message.originating_service,
            _DIRECTIONS[message.direction],
            message.duration,
            message.file_url,
            None if (spoken := message.message) is None else spoken.text,
            None if spoken is None else spoken.language,
            None if spoken is None else _GENDERS[spoken.gender],
            message.price,
            message.charge_interval,
            message.collected_tones,
            _ANSWERED[message.answered_by],
            _recording_rows(recordings) if (recordings := message.recordings) else None if recordings is None else (),
            _extra(message) if message.extra or (delivery and (delivery.extra or delivery.reason)) or (spoken and spoken.extra) else None,
        )
        for message in messages
    ]


def _extra(message: VoiceMessage) -> Mapping[str, object]:
    """Return what the service sent beyond its document, also in the status and in the text.

    A status has no reason in tracking, by its page: where it has one, it is here.
    """
    extra, status, spoken = dict(message.extra), message.status, message.message
    if status and (status.extra or status.reason):
        extra["status"] = ({"reason": status.reason} if status.reason else {}) | dict(status.extra)
    if spoken and spoken.extra:
        extra["message"] = spoken.extra
    return extra


def _recording_rows(recordings: Iterable[Recording]) -> list[RecordingRow]:
    return [
        RecordingRow(
            recording.tracking_id,
            recording.start,
            recording.end,
            recording.sender,
            recording.to,
            recording.url,
            recording.voice_tracking_ids,
            recording.conversation_tracking_id,
            recording.duration,
            recording.extra or None,
        )
        for recording in recordings
    ]


_CELLS: Final[Mapping[object, object]] = {int: Whole, str: Text, datetime: Moment}
"""Of records of Spacivox, which are flat."""


def _record_table(model: type[SpacivoxRecord]) -> _Table:
    """A column for each field in its order, but for ``extra``; the state is its word."""
    fields = [field for field in attrs.fields(model) if field.name != "extra"]
    cells = {field.name: next((_CELLS[kind] for kind in (field.type, *get_args(field.type)) if kind in _CELLS), Text) for field in fields}
    row: Any = msgspec.defstruct(f"{model.__name__}Row", cells.items(), gc=False)
    values = attrgetter(*cells)

    def rows(records: Iterable[SpacivoxRecord]) -> list[Any]:
        made = [row(*values(record)) for record in records]
        for one in made:
            one.state = _STATES[one.state]
        return made

    return row, rows


@cache
def _table(model: object) -> _Table:
    if model is VoiceMessage:
        return MessageRow, _message_rows
    if isinstance(model, type) and issubclass(model, SpacivoxRecord):
        return _record_table(model)
    raise ConfigError("stream: must be one of voice messages or of records of Spacivox")
