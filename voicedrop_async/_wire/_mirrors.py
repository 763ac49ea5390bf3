"""Mirrors: for each model a struct with its fields under their wire names, and the lines that finish what was decoded.

A mirror refuses what it was not made for. What a service has begun to send since (a key, a word of an enumeration) is
learned from pages that were refused: the mirrors made after that have a place for it.
"""

from collections.abc import Callable, Collection, Iterable, Iterator
from datetime import UTC, datetime
from decimal import Decimal
from functools import cache, reduce
from operator import or_
from types import UnionType
from typing import Annotated, Any, Final, Union, get_args, get_origin

import attrs
import msgspec
from attrs import frozen

from voicedrop_async._wire import _values
from voicedrop_async._wire._convert import open_words
from voicedrop_async._wire._names import REPEATED, wire_names
from voicedrop_async._wire._values import MOST_DIGITS
from voicedrop_async.models import NO_EXTRA

MOST_KEYS: Final = 64
"""Keys learned at most: a service that makes up new ones for every answer is left to the converter."""
_SOME: Final = Annotated[int, msgspec.Meta(gt=-(2**62), lt=2**62)]
"""A whole number that msgspec can hold to bounds; the converter has wider ones."""


@frozen
class News:
    """What answers have shown that stands in no document."""

    keys: frozenset[tuple[Any, str]] = frozenset()
    """Keys, each with the model it belongs to."""
    open: frozenset[tuple[Any, str]] = frozenset()
    """Fields with a word that their enumeration lacks, each with its model: their words are looked up one by one."""

    def keys_of(self, model: Any) -> list[str]:
        """Return the new keys of a model."""
        return sorted(key for owner, key in self.keys if owner is model)

    def and_keys(self, model: Any, keys: Collection[str]) -> "News":
        """Return the news with keys of ``model`` that no field of it has; of those, the ones that msgspec can look for."""
        both = self.keys | {(model, key) for key in keys if key.isprintable() and not {'"', "\\"} & set(key)}
        return attrs.evolve(self, keys=both) if len(self.keys) < len(both) <= MOST_KEYS else self

    def and_of(self, value: Any) -> "News":
        """Return the news with what a model shows that the converter has read."""
        model: Any = value.__class__
        news = self
        if value.extra:
            news = news.and_keys(model, value.extra.keys() - {name for part in _parts(model) for name in wire_names(model, part.name)})
        for part in _parts(model):
            held: Any = getattr(value, part.name)
            inners: tuple[Any, ...] = held if isinstance(held, tuple) else (held,)
            for inner in inners:
                if type(inner) in (str, int):
                    if open_words(part.type) is not None and (model, part.name) not in news.open:
                        news = attrs.evolve(news, open=news.open | {(model, part.name)})
                elif attrs.has(inner.__class__):
                    news = news.and_of(inner)
        return news


def mirror(model: Any, news: News) -> Any:
    """Return the struct that stands for ``model`` on the wire."""
    parts = sorted(_parts(model), key=lambda part: part.default is not attrs.NOTHING)
    shape = [
        (part.name, _wire_type(part, model, news), msgspec.NODEFAULT if part.default is attrs.NOTHING else part.default) for part in parts
    ]
    names = {part.name: wire_names(model, part.name)[0] for part in parts}
    spare = dict(spares(model, news))
    shape += [(name, Any, msgspec.UNSET) for name in spare]
    return msgspec.defstruct(
        f"{model.__name__}OnTheWire",
        shape,
        namespace={} if spare else {"extra": NO_EXTRA},
        rename=names | spare,
        forbid_unknown_fields=True,
        gc=False,
    )


def spares(model: Any, news: News) -> Iterable[tuple[str, str]]:
    """Return a name for a field for each new key; the key itself can be any text, which such a name cannot.

    The first one lies in ``extra`` until the row is finished, since each field has a key, and ``extra`` has none.
    """
    return ((f"spare_{place}" if place else "extra", key) for place, key in enumerate(news.keys_of(model)))


@cache
def _parts(model: Any) -> list[Any]:
    return [part for part in attrs.fields(model) if part.name != "extra"]


def _wire_type(part: Any, model: Any, news: News) -> Any:
    """Return what msgspec shall check of a field; what it would read too freely is left to the finisher."""

    def checked(kind: Any) -> Any:
        if attrs.has(kind):
            return mirror(kind, news)
        if kind is datetime:
            return str
        if kind is Decimal:
            return Any
        if get_origin(kind) is Annotated:
            words: Any = open_words(kind)
            new = (model, part.name) in news.open
            return words if not new else int if issubclass(words, int) else str
        if get_origin(kind) in (Union, UnionType):
            # A whole number of seconds that no float can hold would end in an error where such are added up.
            return reduce(or_, (_SOME if held is int and float in get_args(kind) else checked(held) for held in get_args(kind)))
        if get_origin(kind) is tuple:
            return tuple.__class_getitem__((checked(get_args(kind)[0]), ...))
        return kind

    return checked(part.type)


def finisher(model: Any, news: News, *, shares: bool = False) -> Callable[..., None]:
    """Return what is left to do for decoded rows: texts to moments, numbers to exact ones, new words and new keys.

    One that ``shares`` also takes a function that returns what to use in place of an equal value: what is kept then takes
    two thirds of the room.

    It runs over every row of every page, so its lines are written out for the fields, as attrs does for ``__init__``:
    a loop over names, or a call for each struct, would cost half as much again as the rest of the decoding.
    """
    scope: dict[str, Any] = {
        "UNSET": msgspec.UNSET,
        "UTC": UTC,
        "Decimal": Decimal,
        "NO_EXTRA": NO_EXTRA,
        "amount": _amount,
        "moment": datetime.fromisoformat,
        "plain": _values.plain,
        "plain_already": frozenset({str, int, bool, type(None)}),
    }
    lines = list(_finishing(model, news, scope, "row", shares=shares)) or ["break"]
    exec("\n".join(["def finish(rows, share=None):", "    for row in rows:", *(f"        {line}" for line in lines)]), scope)
    finish: Callable[..., None] = scope["finish"]
    return finish


def _finishing(model: Any, news: News, scope: dict[str, Any], row: str, *, shares: bool) -> Iterator[str]:
    """Yield the lines that finish a struct, which they call ``row``."""
    for part in _parts(model):
        yield from _finishing_of(part, model, news, scope, row, shares=shares)
        if shares and part.name in REPEATED:
            shared = "share(value, value)" if str in get_args(part.type) else "tuple(map(share, value, value))"
            yield f"if (value := {row}.{part.name}) is not None: {row}.{part.name} = {shared}"
    names = list(spares(model, news))
    if names:
        yield "extra = {}"
        for name, key in names:
            yield f"if (value := {row}.{name}) is not UNSET: extra[{key!r}] = value if type(value) in plain_already else plain(value)"
        yield f"{row}.extra = extra or NO_EXTRA"


def _finishing_of(part: Any, model: Any, news: News, scope: dict[str, Any], row: str, *, shares: bool) -> Iterator[str]:
    """Yield the lines that finish one field of the struct that is called ``row``."""
    place, inner = f"{row}.{part.name}", f"{row}_{part.name}"
    kinds = (part.type, *get_args(part.type))
    if (model, part.name) in news.open:
        words: Any = open_words(part.type)
        scope[f"{inner}_words"] = {member.value: member for member in words}.get
        yield f"if (value := {place}) is not None: {place} = {inner}_words(value, value)"
    elif datetime in kinds:
        yield f"if (value := {place}) is not None:"
        yield f"    {place} = value = moment(value)"
        yield "    if value.tzinfo is not UTC: raise ValueError"  # another zone, or none: the converter knows what to do
    elif Decimal in kinds:
        yield f"if (value := {place}) is not None and (type(value) is not Decimal or value.adjusted() >= {MOST_DIGITS}):"
        yield f"    {place} = amount(value)"
    for kind in kinds:
        many = get_origin(kind) is tuple
        held = get_args(kind)[0] if many else kind
        lines = [f"    {line}" for line in _finishing(held, news, scope, inner, shares=shares)] if attrs.has(held) else []
        if lines:
            yield f"for {inner} in {place} or ():" if many else f"if ({inner} := {place}) is not None:"
            yield from lines


def _amount(number: object) -> Decimal:
    if type(number) is not int or abs(number) >= 10**MOST_DIGITS:
        raise ValueError  # a number as text, perhaps, or a very large one: the converter knows which to take
    return Decimal(number)
