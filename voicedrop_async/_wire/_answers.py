"""Answers, read whole: envelopes, arrays, single objects, tokens and complaints.

Every failure leaves as ``WireError``, with the status, content type and length of the answer and the place of the
fault in wire names. Nothing of the answer's content is in it.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final, Generic, TypeVar

from attrs import define, field

from voicedrop_async._wire import _fast, _values
from voicedrop_async._wire._convert import FORGIVING, STRICT, identity_of, unreadable_fields
from voicedrop_async._wire._names import wire_names
from voicedrop_async._wire._values import NOT_JSON, Unreadable
from voicedrop_async.calls import Author, Complaint, Reply, TokenResponse
from voicedrop_async.errors import WebhookRejected, WireError
from voicedrop_async.models import CampaignProblem

T = TypeVar("T")

_WORDS: Final = ("developerMessage", "message", "error_description", "error")
_CODES: Final = ("code", "errorCode")


@define(kw_only=True)  # not frozen, as one is made for each page: that would take twice as long
class Rows(Generic[T]):
    """The items of a list, and what of them could not be read."""

    items: tuple[T, ...] = field(repr=False)
    unreadable: int = 0
    """Fields that are None for it, and rows skipped."""
    skipped: int = 0
    """Rows that are no object or bear no usable id."""


@define(kw_only=True)
class Envelope(Generic[T]):
    """One page of an envelope; what it does not say usably is None."""

    rows: Rows[T]
    number: int | None
    size: int | None
    total_pages: int | None
    total_items: int | None
    last: bool | None


def load_envelope(reply: Reply, model: type[T], pool: dict[Any, Any] | None = None) -> Envelope[T]:
    """Read a page envelope. Source: Routee, "Track multiple voice messages", response parameters.

    Pages that are read with the same ``pool``, on the short road, share the texts that most of their rows repeat.
    """
    quick = _fast.decode_envelope(reply.body, model, pool)
    if quick is None:
        return _read(reply, lambda parsed: _odd_envelope(parsed, model))
    return Envelope(
        rows=Rows(items=quick.content),
        number=_known(quick.number),
        size=_known(quick.size),
        total_pages=_known(quick.total_pages),
        total_items=_known(quick.total_elements),
        last=quick.last,
    )


def load_array(reply: Reply, model: type[T], *, skip: bool) -> Rows[T]:
    """Read a bare array of rows; with ``skip``, a row that cannot be told apart is skipped and counted, else refused."""
    quick = _fast.decode_array(reply.body, model)
    if quick is not None:
        return Rows(items=quick)
    return _read(reply, lambda parsed: _odd_rows(parsed, model, skip=skip))


def load_one(reply: Reply, model: type[T], *, forgiving: bool = False) -> T:
    """Read a single object; ``forgiving`` reads what it can, but the object's id in any case."""
    return _read(reply, lambda parsed: _one(parsed, model, forgiving=forgiving))


def load_event(body: bytes, model: type[T]) -> T:
    """Read what was posted to a callback URL, forgivingly.

    Raises:
        WebhookRejected: It is no JSON object, or bears no id of what it tells of.
    """
    try:
        return _one(_values.parse(body), model, forgiving=True)
    except Unreadable as fault:
        wanted = f"{fault.wanted} expected{f' at {fault.path}' if fault.path else ''}"
    except RecursionError:
        wanted = "less nesting expected"
    raise WebhookRejected(f"callback: cannot be read, {wanted}; the answer to it is 400")


def _one(parsed: Any, model: type[T], *, forgiving: bool) -> T:
    value = (FORGIVING if forgiving else STRICT).structure(parsed, model)
    identity = identity_of(model)
    if identity is not None and not getattr(value, identity):
        raise Unreadable("an id", wire_names(model, identity)[0])
    return value


def load_token(reply: Reply) -> TokenResponse:
    """Read a token. Source: Routee, "Authentication"; RFC 6749, section 5.1."""
    return _read(reply, lambda parsed: STRICT.structure(parsed, TokenResponse))


def load_complaint(body: bytes) -> Complaint | None:
    """Read the body of a refusal; None if it is no error object of the service.

    Five spellings are known: ``code`` and ``developerMessage`` (Routee, "Error codes"), the same with a list of
    ``errors``, ``properties`` or ``entity``, and the gateway's ``error`` with ``message`` or ``error_description``.
    """
    try:
        said = _values.object_of(_values.parse(body))
    except Unreadable:
        return None
    words = next((said[key] for key in _WORDS if isinstance(said.get(key), str)), None)
    code = next((str(said[key]) for key in _CODES if isinstance(said.get(key), str | int) and not isinstance(said[key], bool)), None)
    problems = _problems(said.get("errors"))
    if words is None and code is None and not (problems or said.get("properties") or said.get("entity")):
        return None
    return Complaint(author=_author(said), code=code, developer_message=words, problems=problems)


def _author(said: Mapping[str, Any]) -> Author:
    if isinstance(said.get("developerMessage"), str):
        return Author.SERVICE
    by_gateway = {"status", "error", "message"} <= said.keys() or {"error", "error_description"} <= said.keys()
    return Author.GATEWAY if by_gateway else Author.ANYBODY


def _problems(rows: Any) -> tuple[CampaignProblem, ...]:
    try:
        return FORGIVING.structure(rows or [], tuple[CampaignProblem, ...])
    except Unreadable:
        return ()  # odd rows must not hide what the answer says beside them


def _odd_envelope(parsed: Any, model: type[T]) -> Envelope[T]:
    envelope = _envelope(parsed, model)
    _fast.learn(model, envelope.rows.items, keys=parsed)
    return envelope


def _odd_rows(parsed: Any, model: type[T], *, skip: bool) -> Rows[T]:
    rows = _rows(parsed, model, skip=skip)
    _fast.learn(model, rows.items)
    return rows


def _envelope(parsed: Any, model: type[T]) -> Envelope[T]:
    said = _values.object_of(parsed)
    if "content" not in said:
        raise Unreadable("an array", "content")
    try:
        rows = _rows([] if said["content"] is None else said["content"], model, skip=True)
    except Unreadable as fault:
        raise fault.below("content") from None
    number, size, pages, items = (_count(said, key) for key in ("number", "size", "totalPages", "totalElements"))
    try:
        last = None if said.get("last") is None else _values.truth(said["last"])
    except Unreadable as fault:
        raise fault.below("last") from None
    return Envelope(rows=rows, number=number, size=size, total_pages=pages, total_items=items, last=last)


def _rows(parsed: Any, model: type[T], *, skip: bool) -> Rows[T]:
    items: list[T] = []
    skipped = 0
    for place, row in enumerate(_values.array_of(parsed)):
        try:
            items.append(FORGIVING.structure(row, model))
        except Unreadable as fault:
            if not skip:
                raise fault.below(f"[{place}]") from None
            skipped += 1
    unread = skipped + sum(unreadable_fields(item) for item in items)
    return Rows(items=tuple(items), unreadable=unread, skipped=skipped)


def _count(said: Mapping[str, Any], key: str) -> int | None:
    try:
        return None if said.get(key) is None else _known(_values.whole(said[key]))
    except Unreadable as fault:
        raise fault.below(key) from None


def _known(count: int | None) -> int | None:
    # A negative count is no count; the walk then goes by ``last`` and by empty pages.
    return count if count is not None and count >= 0 else None


def _read(reply: Reply, load: Callable[[Any], T]) -> T:
    """Return what ``load`` makes of the answer's JSON."""
    try:
        return load(_values.parse(reply.body))
    except Unreadable as fault:
        raise wire_error(reply, fault.wanted, fault.path) from None
    except RecursionError:
        raise wire_error(reply, "less nesting", "") from None


def wire_error(reply: Reply, wanted: str, path: str) -> WireError:
    """Return the error of an answer that is not as documented."""
    return WireError(
        summary=f"the answer cannot be read, {wanted} expected",
        attempts=reply.attempts,
        may_pass=wanted == NOT_JSON,
        path=path,
        status=reply.status,
        content_type=reply.headers.get("Content-Type"),
        length=len(reply.body),
    )
