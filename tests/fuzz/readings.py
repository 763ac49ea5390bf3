"""The four places where bytes from outside are read, each as one plain function of those bytes.

A reading ends well or with an error of ours; anything else leaves the function, and whoever called it has found a fault. So
does an error that says more than it may: what stands in an answer is in none of its words. And so does a page that the two
roads of ``_wire`` read differently. No reading knows what another one's bytes have shown: what breaks once breaks again.
"""

import re
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import count
from typing import Any, Final, TypeVar

from by_value import told

from voicedrop_async import _wire
from voicedrop_async._wire import _fast, _values
from voicedrop_async._wire._answers import Envelope, Rows, _envelope, _read, _rows
from voicedrop_async._wire._names import wire_names
from voicedrop_async.auth import TOKEN, RenewedToken
from voicedrop_async.calls import Reply, TokenResponse, retry_after
from voicedrop_async.errors import Unauthorized, VoiceDropError, WireError
from voicedrop_async.models import (
    CampaignProblem,
    CampaignSummary,
    DeliveryStatus,
    Recording,
    SpokenMessage,
    VoiceAnalysis,
    VoicemailDropRecord,
    VoiceMessage,
)

T = TypeVar("T")

NOW: Final = datetime(2026, 1, 2, 12, tzinfo=UTC)
MOST_SECONDS: Final = 1.0
"""Of the processor, for one reading of a few kilobytes: a thousand times what it takes."""
FORGOTTEN_EVERY: Final = 1000
"""Lists after which the decoders are forgotten as well that were made for what lists have shown."""

_READ: Final = (VoiceMessage, VoicemailDropRecord, DeliveryStatus, SpokenMessage, Recording, TokenResponse, VoiceAnalysis, CampaignProblem)
_NAMES: Final = {name for model in _READ for field in model.__attrs_attrs__ for name in wire_names(model, field.name)}
_NAME: Final = "|".join(sorted(_NAMES | {"content", "number", "size", "totalPages", "totalElements", "last"}))
_STEP: Final = rf"(?:{_NAME}|\[\d+\]|\{{\}})"
_WANTED: Final = "JSON|text|number|whole number|number of seconds|true or false|moment|object|array|an array|an id|a value|less nesting"
WIRE_TEXT: Final = re.compile(
    rf"request: the answer cannot be read, (?:{_WANTED}) expected \(attempts: 1\): status 200, \d+ bytes(?:, at {_STEP}(?:\.?{_STEP})*)?"
    r"; (?:the service may have changed: look for a newer version of this library, or report this line|"
    r"try again later, and if it stays, check the service's URL and what stands between you and it)"
)
"""All that an error may say of an answer: what was wanted, how long it is, and where in wire names of the documents."""
TOKEN_TEXT: Final = re.compile(
    r"POST /oauth/token: the token cannot be used: "
    r"(?:its type is not Bearer|it is empty, or holds characters that cannot be part of one|it has ended already) \(attempts: 1\)"
    r"; check the application id and secret, or the token, and the URL they are sent to"
)


class Told(AssertionError):
    """An error said what it may not."""


class Torn(AssertionError):
    """Two roads read the same bytes differently."""


class Slow(AssertionError):
    """A reading took longer than its bytes can need."""


def told_only(error: VoiceDropError, allowed: re.Pattern[str]) -> None:
    """Refuse an error that says anything but what is ``allowed``, or brings along what caused it."""
    if not allowed.fullmatch(str(error)) or error.__cause__ is not None or not (error.__context__ is None or error.__suppress_context__):
        raise Told(f"{error!r}, because of {error.__cause__!r}, while {error.__context__!r}")


def reply(body: bytes) -> Reply:
    return Reply(status=200, headers={}, body=body, attempts=1, elapsed=0.1)


_lists = count(1)


def unlearn() -> None:
    """Forget what lists have shown, and now and then what was made for it: the lines that learn and make are tried again."""
    _fast._news.clear()
    if next(_lists) % FORGOTTEN_EVERY == 0:
        _fast._tools.cache_clear()


def _messages(body: bytes) -> Envelope[VoiceMessage]:
    envelope = _wire.load_envelope(reply(body), VoiceMessage)
    assert all(count is None or count >= 0 for count in (envelope.number, envelope.size, envelope.total_pages, envelope.total_items))
    assert 0 <= envelope.rows.skipped <= envelope.rows.unreadable
    hash(envelope.rows.items)
    assert CampaignSummary.of(envelope.rows.items).messages <= len(envelope.rows.items)
    return envelope


def _records(body: bytes, *, skip: bool) -> Rows[VoicemailDropRecord]:
    rows = _wire.load_array(reply(body), VoicemailDropRecord, skip=skip)
    assert skip or not rows.skipped
    assert all(type(record.id) is int for record in rows.items)
    return rows


_ROADS: Final[list[tuple[Callable[[bytes], Any], Callable[[Any], Any]]]] = [
    (_messages, lambda parsed: _envelope(parsed, VoiceMessage)),
    (partial(_records, skip=True), lambda parsed: _rows(parsed, VoicemailDropRecord, skip=True)),
    (partial(_records, skip=False), lambda parsed: _rows(parsed, VoicemailDropRecord, skip=False)),
]
"""How each list is read, and what the converter alone makes of its JSON."""


def _outcome(read: Callable[[bytes], Any], body: bytes) -> Any:
    """Return what reading ends with: a list, or all that an error may say."""
    try:
        return read(body)
    except WireError as error:
        told_only(error, WIRE_TEXT)
        return str(error)


def page_once(body: bytes) -> None:
    """Read a page of tracking and a list of drop records, and add up what is in them."""
    unlearn()
    for read, _ in _ROADS:
        _outcome(read, body)


def page(body: bytes) -> None:
    """Read each list as the first of its kind and as the second, which is read by what the first has shown: as the converter does."""
    for read, convert in _ROADS:
        unlearn()
        roads = read, read, lambda body, convert=convert: _read(reply(body), convert)
        _agree(*(_outcome(road, body) for road in roads))


def _agree(*outcomes: Any) -> None:
    with suppress(RecursionError):  # what nests too deep to be looked into was at least read
        first, *others = map(told, outcomes)
        if any(other != first for other in others):
            raise Torn("the short road, what was learned, and the converter: they do not say the same")


def token(body: bytes) -> None:
    """Read an answer of the token endpoint, and make of it what goes into a header."""
    tokens = RenewedToken(lambda: _granted(body), clock=lambda: 1e6, roll=lambda: 0.5)
    try:
        header = _at_once(tokens._fetch()).header
    except WireError as error:
        told_only(error, WIRE_TEXT)
    except Unauthorized as error:
        told_only(error, TOKEN_TEXT)
    else:
        assert TOKEN.fullmatch(header.removeprefix("Bearer "))
        assert 1e6 <= tokens._renew_at <= tokens._ends_at


async def _granted(body: bytes) -> TokenResponse:
    return _wire.load_token(reply(body))


def _at_once(work: Awaitable[T]) -> T:
    """Return the result of what waits for nothing."""
    steps = work.__await__()
    try:
        next(steps)
    except StopIteration as end:
        return end.value
    raise AssertionError("it waits")


def wait(data: bytes) -> None:
    """Read two header values, the first line as ``Retry-After`` and the rest as ``Date``."""
    first, _, rest = data.decode("utf-8", "surrogateescape").partition("\n")
    seconds = retry_after({"Retry-After": first, "Date": rest}, NOW)
    assert seconds is None or 0.0 <= seconds < 1e12


def moment(data: bytes) -> None:
    """Read a moment, as text and as a JSON value."""
    _one_moment(data.decode("utf-8", "replace"))
    with suppress(_values.Unreadable):
        _one_moment(_values.parse(data))


def _one_moment(value: object) -> None:
    try:
        read = _values.moment(value)
    except _values.Unreadable as fault:
        if str(fault) != "moment" or fault.path:
            raise Told(repr(fault)) from None
        return
    assert read.utcoffset() == timedelta(0)
    assert _values.moment(_values.moment_text(read)) == read


READINGS: Final[dict[str, Callable[[bytes], None]]] = {"page": page, "token": token, "wait": wait, "moment": moment}


def timed(read: Callable[[bytes], None], data: bytes) -> None:
    """Read, and refuse to take longer than ``MOST_SECONDS``."""
    began = time.thread_time()
    read(data)
    took = time.thread_time() - began
    if took > MOST_SECONDS:
        raise Slow(f"{took:.1f} s for {len(data)} bytes")
