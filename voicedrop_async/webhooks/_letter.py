"""One callback on its way to the handler."""

from hashlib import blake2b

from attrs import define, field

from voicedrop_async.models import CallbackEvent, ConversationEvent, DtmfEvent, MessageEvent


@define(eq=False)
class Letter:
    """One callback."""

    kind: str
    body: bytes = field(repr=False)
    event: CallbackEvent | None
    """What it tells; None of one that an earlier run left, until it is handed on."""
    key: bytes | None
    """By which it is known again; None for one that may well come twice."""
    place: int = 0
    """In the file, if there is one."""


def key_of(kind: str, body: bytes, event: CallbackEvent) -> bytes | None:
    """Return by what a callback is known again: message and status, or all of it; None for keys, of which one can be pressed twice."""
    if isinstance(event, DtmfEvent):
        return None
    if isinstance(event, MessageEvent | ConversationEvent) and event.status is not None and event.status.status is not None:
        body = f"{len(event.message_id)} {event.message_id} {event.status.status}".encode(errors="surrogatepass")
    return blake2b(body, digest_size=16, person=kind.encode()).digest()
