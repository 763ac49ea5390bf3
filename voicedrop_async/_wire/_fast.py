"""The short road for long lists: bytes straight to models, where every row is as documented.

msgspec decodes into structs that carry the wire names, then fills the plain attrs classes from them; both steps use
its public interface only. Absent keys, nulls and new words are ordinary here. Anything odd (an unknown key, a number
as text, a moment without a zone) makes it refuse the whole body, and the caller reads that with the converter: the
result and the errors are then the converter's.
"""

import gc
from collections.abc import Callable, Generator
from contextlib import contextmanager
from datetime import datetime
from decimal import Decimal
from functools import cache, reduce
from operator import or_
from types import UnionType
from typing import Annotated, Any, Final, Generic, NoReturn, TypeVar, Union, get_args, get_origin

import attrs
import msgspec

from voicedrop_async._wire._convert import open_words
from voicedrop_async._wire._names import wire_names
from voicedrop_async._wire._values import MOST_DIGITS
from voicedrop_async.models import NO_EXTRA

T = TypeVar("T")

_SOME: Final = Annotated[int, msgspec.Meta(gt=-(2**62), lt=2**62)]
"""A whole number that msgspec can hold to bounds; the converter has wider ones."""


class Envelope(msgspec.Struct, Generic[T], rename="camel", forbid_unknown_fields=True, gc=False):
    """A page as the service wraps it. Source: Routee, "Track multiple voice messages", response parameters.

    The last three are what Spring, whose envelope it is, may add by itself.
    """

    content: list[T] | None
    total_pages: int | None = None
    total_elements: int | None = None
    last: bool | None = None
    number: int | None = None
    size: int | None = None
    first: Any = None
    number_of_elements: Any = None
    pageable: Any = None
    sort: Any = None
    empty: Any = None


def decode_envelope(body: bytes, model: Any) -> Envelope[Any] | None:
    """Return the envelope with its rows as models, or None if the converter has to read it."""
    with _uncollected():
        envelope: Envelope[Any] | None = _decoded(_decoder(Envelope, model), body)
        if envelope is not None:
            envelope.content = _filled(envelope.content or [], model)
        return envelope


def decode_array(body: bytes, model: Any) -> list[Any] | None:
    """Return the rows of a bare array as models, or None if the converter has to read it."""
    with _uncollected():
        rows: list[Any] | None = _decoded(_decoder(list, model), body)
        return None if rows is None else _filled(rows, model)


@contextmanager
def _uncollected() -> Generator[None]:
    """Hold the garbage collector back for one synchronous decode, which makes thousands of objects and no garbage."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


@cache
def _decoder(shape: Any, model: Any) -> msgspec.json.Decoder[Any]:
    return msgspec.json.Decoder(shape[_mirror(model)], float_hook=Decimal)


def _decoded(decoder: msgspec.json.Decoder[T], body: bytes) -> T | None:
    try:
        return decoder.decode(body)
    except (msgspec.MsgspecError, ValueError, ArithmeticError, RecursionError):
        return None


def _filled(rows: list[Any], model: Any) -> list[Any]:
    """Return the models that the mirrors in ``rows`` stand for."""
    filled: list[Any] = msgspec.convert(rows, list[model], from_attributes=True)
    return filled


@cache
def _mirror(model: Any) -> Any:
    """Return a struct with the fields of ``model`` under their wire names; an unknown key makes it refuse."""
    fields = [field for field in attrs.fields(model) if field.name != "extra"]
    fields.sort(key=lambda field: field.default is not attrs.NOTHING)
    return msgspec.defstruct(
        f"{model.__name__}OnTheWire",
        [(field.name, _wire_type(field.type), msgspec.NODEFAULT if field.default is attrs.NOTHING else field.default) for field in fields],
        namespace={"__post_init__": _finisher(fields), "extra": NO_EXTRA},
        rename={field.name: wire_names(model, field.name)[0] for field in fields},
        forbid_unknown_fields=True,
        gc=False,
    )


def _wire_type(kind: Any) -> Any:
    """Return what msgspec shall check of a field of type ``kind``; what it would read too freely is left to ``finish``."""
    if attrs.has(kind):
        return _mirror(kind)
    if kind is datetime:
        return str
    if kind is Decimal:
        return Any
    if get_origin(kind) is Annotated:
        words = open_words(kind)
        return int if words is not None and issubclass(words, int) else str
    if get_origin(kind) in (Union, UnionType):
        # A whole number of seconds that no float can hold would end in an error where such are added up.
        return reduce(or_, (_SOME if part is int and float in get_args(kind) else _wire_type(part) for part in get_args(kind)))
    if get_origin(kind) is tuple:
        return tuple.__class_getitem__((_wire_type(get_args(kind)[0]), ...))
    return kind


def _finisher(fields: list[Any]) -> Callable[[Any], None]:
    """Return what is left to do for a decoded struct: words to members, texts to moments, numbers to exact ones.

    It runs for every struct of every page, so its lines are written out for the fields, as attrs does for ``__init__``:
    a loop over names would cost half as much again as the rest of the decoding.
    """
    scope: dict[str, Any] = {"moment": datetime.fromisoformat, "amount": _amount, "Decimal": Decimal, "other_zone": _other_zone}
    lines = ["def finish(row):"]
    for field in fields:
        words, kinds = open_words(field.type), (field.type, *get_args(field.type))
        line = ""
        if words is not None:
            scope[f"{field.name}_words"] = {member.value: member for member in words}.get
            line = f"if value is not None: row.{field.name} = {field.name}_words(value, value)"
        elif datetime in kinds:
            line = f"if value is not None: row.{field.name} = moment(value) if value[-1:] == 'Z' else other_zone()"
        elif Decimal in kinds:
            odd = f"type(value) is not Decimal or value.adjusted() >= {MOST_DIGITS}"
            line = f"if value is not None and ({odd}): row.{field.name} = amount(value)"
        lines += [f"    value = row.{field.name}", f"    {line}"] if line else []
    exec("\n".join([*lines, "    return None"]), scope)
    finish: Callable[[Any], None] = scope["finish"]
    return finish


def _other_zone() -> NoReturn:
    raise ValueError  # or none at all: the converter knows what to do


def _amount(number: object) -> Decimal:
    if type(number) is not int or abs(number) >= 10**MOST_DIGITS:
        raise ValueError  # a number as text, perhaps, or a very large one: the converter knows which to take
    return Decimal(number)
