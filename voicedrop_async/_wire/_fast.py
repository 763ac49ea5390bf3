"""The short road for long lists: bytes straight to models, where every row is as documented.

msgspec decodes into mirrors, structs that carry the wire names, of which models are made. Absent keys and nulls are
ordinary here; so are keys and words newer than this library, once a page has shown them. Anything odd (a number as text,
a moment without a zone) makes it refuse the whole body, and the caller reads that with the converter: the result and the
errors are then the converter's.
"""

import gc
from collections.abc import Callable, Collection, Iterable
from decimal import Decimal
from functools import lru_cache
from typing import Any, Final, TypeVar

import msgspec
from attrs import frozen

from voicedrop_async._wire._mirrors import News, builder, mirror, spares

T = TypeVar("T")
Pool = dict[Any, Any]
"""Values that are kept, each under itself: what equals one of them gives way to it."""
_NONE: Final = News()
_news: dict[Any, News] = {}
"""What the lists of each model have shown. What one thread learns another may undo; the next page brings it back."""


class EnvelopeMirror(msgspec.Struct, rename="camel", forbid_unknown_fields=True, gc=False, kw_only=True):
    """A page as the service wraps it. Source: Routee, "Track multiple voice messages", response parameters.

    The last three are what Spring, whose envelope it is, may add by itself.
    """

    content: Any
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


def decode_envelope(body: bytes, model: Any, pool: Pool | None = None) -> EnvelopeMirror | None:
    """Return the envelope with its rows as models, or None if the converter has to read it; values that rows repeat by ``pool``."""
    return _unless_odd(_tools(model, _news.get(model, _NONE)).envelope, body, pool)


def decode_array(body: bytes, model: Any) -> tuple[Any, ...] | None:
    """Return the rows of a bare array as models, or None if the converter has to read it."""
    return _unless_odd(_tools(model, _news.get(model, _NONE)).array, body, None)


def learn(model: Any, items: Iterable[Any], *, keys: Collection[str] = ()) -> None:
    """Take note of what a refused page has that is newer than this library: in its rows, and the ``keys`` of its envelope."""
    news = _news.get(model, _NONE).and_keys(EnvelopeMirror, set(keys).difference(EnvelopeMirror.__struct_encode_fields__))
    for item in items:
        news = news.and_of(item)
    _news[model] = news


def _unless_odd(read: Callable[[bytes, Pool | None], T], body: bytes, pool: Pool | None) -> T | None:
    """Return what ``read`` makes of a body, with the garbage collector held back: it makes thousands of objects and no garbage."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        return read(body, pool)
    except (msgspec.MsgspecError, ValueError, ArithmeticError, RecursionError):
        return None
    finally:
        if was_on:
            gc.enable()


@frozen
class _Tools:
    """What reads the lists of one model, as far as its news go."""

    envelopes: msgspec.json.Decoder[Any]
    arrays: msgspec.json.Decoder[Any]
    build: Callable[..., tuple[Any, ...]]
    build_sharing: Callable[..., tuple[Any, ...]]

    def envelope(self, body: bytes, pool: Pool | None) -> EnvelopeMirror:
        envelope: EnvelopeMirror = self.envelopes.decode(body)
        envelope.content = self._built(envelope.content or [], pool)
        return envelope

    def array(self, body: bytes, pool: Pool | None) -> tuple[Any, ...]:
        return self._built(self.arrays.decode(body), pool)

    def _built(self, rows: list[Any], pool: Pool | None) -> tuple[Any, ...]:
        return self.build(rows) if pool is None else self.build_sharing(rows, pool.setdefault)


@lru_cache(maxsize=16)
def _tools(model: Any, news: News) -> _Tools:
    rows: Any = list.__class_getitem__(mirror(model, news))
    names = dict(spares(EnvelopeMirror, news))
    envelope = msgspec.defstruct(
        "EnvelopeOnTheWire",
        [("content", rows | None), *((name, Any, None) for name in names)],
        bases=(EnvelopeMirror,),
        rename=names,
        forbid_unknown_fields=True,
        kw_only=True,
        gc=False,
    )
    return _Tools(
        envelopes=msgspec.json.Decoder(envelope, float_hook=Decimal),
        arrays=msgspec.json.Decoder(rows, float_hook=Decimal),
        build=builder(model, news),
        build_sharing=builder(model, news, shares=True),
    )
