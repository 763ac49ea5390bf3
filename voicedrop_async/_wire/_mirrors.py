"""Mirrors: for each model a struct with its fields under their wire names, and the lines that make models of such structs.

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
from attrs import field, frozen

from voicedrop_async._masking import PHONE_NUMBER
from voicedrop_async._wire import _values
from voicedrop_async._wire._convert import open_words
from voicedrop_async._wire._names import wire_names
from voicedrop_async._wire._values import MOST_DIGITS
from voicedrop_async.models import NO_EXTRA

MOST_KEYS: Final = 64
"""Keys remembered at most, the latest: a service may make up new ones for every answer."""
LONGEST_KEY: Final = 64
REPEATED: Final = frozenset({"sender", "groups", "country", "campaign", "application_name", "originating_service", "text", "language"})
"""Fields of which most rows of a list have one of a few texts."""
_SOME: Final = Annotated[int, msgspec.Meta(gt=-(2**62), lt=2**62)]
"""A whole number that msgspec can hold to bounds; the converter has wider ones."""


@frozen(eq=False)
class News:
    """What answers have shown that stands in no document; as long as nothing is added, it stays the same object."""

    keys: tuple[tuple[Any, str], ...] = field(default=(), repr=False)
    """Keys, each with the model it belongs to, the latest at the end."""
    open: frozenset[tuple[Any, str]] = frozenset()
    """Fields with a word that their enumeration lacks, each with its model: their words are looked up one by one."""

    def keys_of(self, model: Any) -> list[str]:
        """Return the new keys of a model."""
        return [key for owner, key in self.keys if owner is model]

    def and_keys(self, model: Any, keys: Collection[str]) -> "News":
        """Return the news with keys of ``model`` that no field of it has, as far as they can be learned."""
        new = [(model, key) for key in keys if _is_name(key) and (model, key) not in self.keys]
        return attrs.evolve(self, keys=(*self.keys, *new)[-MOST_KEYS:]) if new else self

    def and_of(self, value: Any) -> "News":
        """Return the news with what a model shows that the converter has read."""
        model: Any = value.__class__
        news: News = self.and_keys(model, value.extra.keys() - _documented(model)) if value.extra else self
        for name, is_open in _telling(model):
            held: Any = getattr(value, name)
            if is_open:
                if type(held) in (str, int) and (model, name) not in news.open:
                    news = attrs.evolve(news, open=news.open | {(model, name)})
            elif held is not None:
                inners: tuple[Any, ...] = held if isinstance(held, tuple) else (held,)
                for inner in inners:
                    news = news.and_of(inner)
        return news


def _is_name(key: str) -> bool:
    """Whether a key is one that msgspec can look for, and that a service would name a field with: no phone number, no text."""
    return len(key) <= LONGEST_KEY and key.isprintable() and not {'"', "\\"} & set(key) and PHONE_NUMBER.search(key) is None


@cache
def _parts(model: Any) -> list[Any]:
    return [part for part in attrs.fields(model) if part.name != "extra"]


@cache
def _documented(model: Any) -> frozenset[str]:
    return frozenset(name for part in _parts(model) for name in wire_names(model, part.name))


@cache
def _telling(model: Any) -> list[tuple[str, bool]]:
    """Return the fields that can hold news: with words of an open enumeration, or with models."""
    kinds = [(part.name, open_words(part.type) is not None, _held(part), _rows(part)) for part in _parts(model)]
    return [(name, is_open) for name, is_open, held, rows in kinds if is_open or held is not None or attrs.has(rows)]


def _held(part: Any) -> Any:
    """Return the model that a field holds, if it does."""
    return next((kind for kind in (part.type, *get_args(part.type)) if attrs.has(kind)), None)


def _rows(part: Any) -> Any:
    """Return the type of the members of a field that holds several; NoneType for others."""
    return next((get_args(kind)[0] for kind in (part.type, *get_args(part.type)) if get_origin(kind) is tuple), type(None))


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
        rename=names | spare,
        forbid_unknown_fields=True,
        gc=False,
    )


def spares(model: Any, news: News) -> Iterable[tuple[str, str]]:
    """Return a name for a field for each new key; the key itself can be any text, which such a name cannot."""
    return ((f"spare_{place}", key) for place, key in enumerate(news.keys_of(model)))


def _wire_type(part: Any, model: Any, news: News) -> Any:
    """Return what msgspec shall check of a field; what it would read too freely is left to the builder."""

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


def builder(model: Any, news: News, *, shares: bool = False) -> Callable[..., tuple[Any, ...]]:
    """Return what makes models of decoded rows: texts become moments, numbers exact ones, new keys ``extra``.

    One that ``shares`` also takes a function that returns what to use in place of an equal value: what is kept then takes
    two thirds of the room.

    It runs over every row of every page, so its lines are written out for the fields, as attrs does for ``__init__``: a
    loop over names, or that ``__init__``, which a frozen class needs a call for each field in, would take three times as long.
    """
    scope: dict[str, Any] = {
        "UNSET": msgspec.UNSET,
        "UTC": UTC,
        "Decimal": Decimal,
        "NO_EXTRA": NO_EXTRA,
        "amount": _amount,
        "moment": datetime.fromisoformat,
        "plain": _values.plain,
        "PLAIN": _values.PLAIN,
    }
    lines = _made_of(model, news, scope, "row", "item", shares=shares)
    text = ["def build(rows, share=None):", "    items = []", "    for row in rows:", *(f"        {line}" for line in lines)]
    exec("\n".join([*text, "        items.append(item)", "    return tuple(items)"]), scope)
    build: Callable[..., tuple[Any, ...]] = scope["build"]
    return build


@cache
def _thawed(model: Any) -> Any:
    """Return a twin of a frozen class that begins empty and can be filled; full, it takes the class of the model, and is frozen by it."""
    plain = {name: getattr(object, name) for name in ("__init__", "__setattr__", "__delattr__")}
    return type(f"{model.__name__}InTheMaking", (model,), {"__slots__": (), **plain})


def _made_of(model: Any, news: News, scope: dict[str, Any], row: str, item: str, *, shares: bool) -> Iterator[str]:
    """Yield the lines that make the model ``item`` of the struct ``row``."""
    scope |= {f"{item}_model": model, f"{item}_making": _thawed(model)}
    yield f"{item} = {item}_making()"
    for part in _parts(model):
        yield from _part_of(part, model, news, scope, row, item, shares=shares)
    names = list(spares(model, news))
    if names:
        yield "extra = {}"
        for name, key in names:
            yield f"if (value := {row}.{name}) is not UNSET: extra[{key!r}] = value if type(value) in PLAIN else plain(value)"
    yield f"{item}.extra = {'extra or NO_EXTRA' if names else 'NO_EXTRA'}"
    yield f"{item}.__class__ = {item}_model"


def _part_of(part: Any, model: Any, news: News, scope: dict[str, Any], row: str, item: str, *, shares: bool) -> Iterator[str]:
    """Yield the lines that set one field of the model ``item`` from the struct ``row``."""
    name, value = part.name, f"{row}.{part.name}"
    kinds, held, rows = (part.type, *get_args(part.type)), _held(part), _rows(part)
    if held is not None:
        yield f"if ({row}_{name} := {value}) is None: {item}_{name} = None"
        yield "else:"
        yield from (f"    {line}" for line in _made_of(held, news, scope, f"{row}_{name}", f"{item}_{name}", shares=shares))
        value = f"{item}_{name}"
    elif attrs.has(rows):
        scope[f"{item}_{name}"] = builder(rows, news, shares=shares)
        value = f"{item}_{name}(value, share) if (value := {value}) else value"
    elif (model, name) in news.open:
        words: Any = open_words(part.type)
        scope[f"{item}_{name}"] = {member.value: member for member in words}
        value = f"{item}_{name}[value] if (value := {value}) in {item}_{name} else value"
    elif datetime in kinds:
        yield f"if (value := {value}) is not None:"
        yield "    value = moment(value)"
        yield "    if value.tzinfo is not UTC: raise ValueError"  # another zone, or none: the converter knows what to do
        value = "value"
    elif Decimal in kinds:
        yield f"if (value := {value}) is not None and (type(value) is not Decimal or value.adjusted() >= {MOST_DIGITS}):"
        yield "    value = amount(value)"
        value = "value"
    elif shares and name in REPEATED:
        shared = "tuple(map(share, value, value))" if rows is str else "share(value, value)"
        value = f"None if (value := {value}) is None else {shared}"
    yield f"{item}.{name} = {value}"


def _amount(number: object) -> Decimal:
    if type(number) is not int or abs(number) >= 10**MOST_DIGITS:
        raise ValueError  # a number as text, perhaps, or a very large one: the converter knows which to take
    return Decimal(number)
