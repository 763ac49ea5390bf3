"""The four places where bytes from outside are read, each as one plain function of those bytes.

A reading ends well or with an error of ours; anything else leaves the function, and whoever called it has found a fault. So
does an error that says more than it may: what stands in an answer is in none of its words.
"""

import re
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Final, TypeVar

from voicedrop_async import _wire
from voicedrop_async._wire import _values
from voicedrop_async._wire._names import wire_names
from voicedrop_async.auth import TOKEN, RenewedToken
from voicedrop_async.calls import Grant, Reply, retry_after
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

_READ: Final = (VoiceMessage, VoicemailDropRecord, DeliveryStatus, SpokenMessage, Recording, Grant, VoiceAnalysis, CampaignProblem)
_NAMES: Final = {name for model in _READ for field in model.__attrs_attrs__ for name in wire_names(model, field.name)}
_NAME: Final = "|".join(sorted(_NAMES | {"content", "number", "size", "totalPages", "totalElements", "last"}))
_STEP: Final = rf"(?:{_NAME}|\[\d+\]|\{{\}})"
_WANTED: Final = "JSON|text|number|whole number|number of seconds|true or false|moment|object|array|an array|an id|a value|less nesting"
WIRE_TEXT: Final = re.compile(
    rf"request: the answer cannot be read, (?:{_WANTED}) expected \(attempts: 1\): status 200, \d+ bytes(?:, at {_STEP}(?:\.?{_STEP})*)?"
)
"""All that an error may say of an answer: what was wanted, how long it is, and where in wire names of the documents."""
TOKEN_TEXT: Final = re.compile(
    r"POST /oauth/token: the token cannot be used: "
    r"(?:its type is not Bearer|it holds characters that cannot be part of one|it has ended already) \(attempts: 1\)"
)


class Told(AssertionError):
    """An error said what it may not."""


class Slow(AssertionError):
    """A reading took longer than its bytes can need."""


def told_only(error: VoiceDropError, allowed: re.Pattern[str]) -> None:
    """Refuse an error that says anything but what is ``allowed``, or brings along what caused it."""
    if not allowed.fullmatch(str(error)) or error.__cause__ is not None or not (error.__context__ is None or error.__suppress_context__):
        raise Told(f"{error!r}, because of {error.__cause__!r}, while {error.__context__!r}")


def reply(body: bytes) -> Reply:
    return Reply(status=200, headers={}, body=body, attempts=1, elapsed=0.1)


def page(body: bytes) -> None:
    """Read a page of tracking and a list of drop records, and add up what is in them."""
    try:
        sheet = _wire.load_sheet(reply(body), VoiceMessage)
    except WireError as error:
        told_only(error, WIRE_TEXT)
    else:
        assert all(count is None or count >= 0 for count in (sheet.number, sheet.size, sheet.total_pages, sheet.total_items))
        assert 0 <= sheet.rows.skipped <= sheet.rows.unreadable
        summary = CampaignSummary.of(sheet.rows.items)
        hash(sheet.rows.items)
        assert summary.messages <= len(sheet.rows.items)
    for skip in (True, False):
        try:
            rows = _wire.load_array(reply(body), VoicemailDropRecord, skip=skip)
        except WireError as error:
            told_only(error, WIRE_TEXT)
        else:
            assert skip or not rows.skipped
            assert all(type(record.id) is int for record in rows.items)


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


async def _granted(body: bytes) -> Grant:
    return _wire.load_grant(reply(body))


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
        if str(fault) not in {"moment", "number"} or fault.path:
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
