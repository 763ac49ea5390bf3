"""JSON to models and back, through one cattrs converter for each temper.

``STRICT`` refuses an object of which any field cannot be read; single objects are read so. ``FORGIVING`` reads such a
field as None and keeps its raw value in ``extra`` under its wire name, so that one bad row never blocks a list; only
what tells an item apart must be readable. Both keep unknown keys in ``extra``.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from decimal import Decimal
from enum import Enum
from functools import cache
from typing import Annotated, Any, Final, get_args, get_origin

import attrs
from cattrs import Converter

from voicedrop_async._wire import _values
from voicedrop_async._wire._names import wire_names
from voicedrop_async._wire._values import Unreadable
from voicedrop_async.models import (
    NO_EXTRA,
    CampaignReceipt,
    ConversationEvent,
    DtmfEvent,
    MessageEvent,
    Seconds,
    SpacivoxRecord,
    VoiceMessage,
)

Load = Callable[[Any, Any], Any]

_IDENTITY: Final[Mapping[type, str]] = {
    VoiceMessage: "message_id",
    SpacivoxRecord: "id",
    CampaignReceipt: "tracking_id",
    MessageEvent: "message_id",
    ConversationEvent: "message_id",
    DtmfEvent: "message_id",
}


def identity_of(model: type[Any]) -> str | None:
    """Return the field that tells an object apart, if there is one: it must be readable in every temper."""
    return next((_IDENTITY[kind] for kind in model.__mro__ if kind in _IDENTITY), None)


def _converter(*, forgiving: bool) -> Converter:
    converter = Converter(detailed_validation=False)

    def tuple_of(kind: Any) -> Load:
        return _tuple_of(converter, kind)

    def mapping_of(kind: Any) -> Load:
        return _mapping_of(converter, kind)

    def object_of(kind: Any) -> Load:
        return _object_of(converter, kind, forgiving=forgiving)

    def dumper(kind: Any) -> Callable[[Any], dict[str, Any]]:
        return _dumper(converter, kind)

    for kind, reader in _READERS.items():
        converter.register_structure_hook(kind, _untyped(reader))
    converter.register_structure_hook_func(_is_anything, _untyped(_values.plain))
    converter.register_structure_hook_func(_is_seconds, _untyped(_optional_seconds))
    converter.register_structure_hook_factory(_is_open, _open_words)
    converter.register_structure_hook_factory(_is_tuple, tuple_of)
    converter.register_structure_hook_factory(_is_mapping, mapping_of)
    converter.register_structure_hook_factory(attrs.has, object_of)
    converter.register_unstructure_hook(datetime, _values.moment_text)
    converter.register_unstructure_hook_factory(attrs.has, dumper)
    return converter


_READERS: Final[Mapping[Any, Callable[[Any], Any]]] = {
    str: _values.text,
    int: _values.whole,
    bool: _values.truth,
    Decimal: _values.amount,
    datetime: _values.moment,
}


def _untyped(reader: Callable[[Any], Any]) -> Load:
    def load(value: Any, _kind: Any) -> Any:
        return reader(value)

    return load


def _optional_seconds(value: Any) -> int | float | None:
    return None if value is None else _values.seconds(value)


def _is_anything(kind: Any) -> bool:
    return kind is object


def _is_seconds(kind: Any) -> bool:
    return kind in (Seconds, Seconds | None)


def _is_open(kind: Any) -> bool:
    return get_origin(kind) is Annotated


def _is_tuple(kind: Any) -> bool:
    return get_origin(kind) is tuple


def _is_mapping(kind: Any) -> bool:
    return get_origin(kind) is Mapping


@cache
def open_words(kind: Any) -> type[Enum] | None:
    """Return the enumeration of a field that is open to newer words; None for other fields."""
    if get_origin(kind) is Annotated:
        words: type[Enum] = get_args(kind)[-1]
        return words
    return next(filter(None, map(open_words, get_args(kind))), None)


def _open_words(kind: Any) -> Load:
    words = open_words(kind)
    known: dict[Any, Enum] = {member.value: member for member in words or ()}
    reader = _values.whole if words is not None and issubclass(words, int) else _values.text

    def load(value: Any, _: Any) -> Any:
        read = reader(value)
        return known.get(read, read)

    return load


def _tuple_of(converter: Converter, kind: Any) -> Load:
    item = get_args(kind)[0]
    load = converter.get_structure_hook(item)

    def load_all(value: Any, _: Any) -> Any:
        if item is str and isinstance(value, str):
            value = [value]  # one number where a list of numbers may stand
        return tuple(_at(f"[{place}]", load, part, item) for place, part in enumerate(_values.array_of(value)))

    return load_all


def _mapping_of(converter: Converter, kind: Any) -> Load:
    key_kind, value_kind = get_args(kind)
    load_key, load_value = converter.get_structure_hook(key_kind), converter.get_structure_hook(value_kind)

    def load_all(value: Any, _: Any) -> Any:
        # A key can be a phone number, so the path does not show it.
        return {load_key(key, key_kind): _at("{}", load_value, part, value_kind) for key, part in _values.object_of(value).items()}

    return load_all


def _object_of(converter: Converter, model: type[Any], *, forgiving: bool) -> Load:
    fields = {field.name: field for field in attrs.fields(model)}
    by_wire = {name: field for field in fields.values() for name in wire_names(model, field.name) if field.name != "extra"}
    loads = {field.name: converter.get_structure_hook(field.type) for field in fields.values() if field.name != "extra"}
    required = {field.name for field in fields.values() if field.default is attrs.NOTHING}
    identity = identity_of(model)

    def load(value: Any, _: Any) -> Any:
        known: dict[str, Any] = {}
        extra: dict[str, Any] = {}
        for key, part in _values.object_of(value).items():
            field = by_wire.get(key)
            if field is None or field.name in known:
                extra[key] = _values.plain(part)
            elif part is not None:
                try:
                    known[field.name] = _at(key, loads[field.name], part, field.type)
                except Unreadable:
                    if not forgiving or field.name == identity:
                        raise
                    extra[key] = _values.plain(part)
        for name in required - known.keys():
            raise Unreadable("a value", wire_names(model, name)[0])
        return model(**known, extra=extra or NO_EXTRA)

    return load


def _at(place: str, load: Load, value: Any, kind: Any) -> Any:
    try:
        return load(value, kind)
    except Unreadable as fault:
        raise fault.below(place) from None


def _dumper(converter: Converter, model: type[Any]) -> Callable[[Any], dict[str, Any]]:
    fields = [(field, wire_names(model, field.name)[0]) for field in attrs.fields(model) if field.name != "extra"]

    def dump(value: Any) -> dict[str, Any]:
        said = [(wire, getattr(value, field.name)) for field, wire in fields if getattr(value, field.name) != field.default]
        return dict(getattr(value, "extra", NO_EXTRA)) | {wire: converter.unstructure(part) for wire, part in said}

    return dump


STRICT: Final = _converter(forgiving=False)
FORGIVING: Final = _converter(forgiving=True)


def unreadable_fields(value: Any) -> int:
    """Return how many fields of a forgivingly read model, and of the models in it, could not be read."""
    if isinstance(value, tuple):
        parts: tuple[Any, ...] = value
        return sum(map(unreadable_fields, parts))
    model = value.__class__
    if not attrs.has(model):
        return 0
    fields = [field for field in attrs.fields(model) if field.name != "extra"]
    lost = sum(_is_lost(value, field) for field in fields) if value.extra else 0
    return lost + sum(unreadable_fields(getattr(value, field.name)) for field in fields)


def _is_lost(value: Any, field: Any) -> bool:
    # A second spelling of a field that was read stands in ``extra`` as well, but nothing is lost with it.
    kept = any(wire in value.extra for wire in wire_names(value.__class__, field.name))
    return kept and getattr(value, field.name) == field.default
