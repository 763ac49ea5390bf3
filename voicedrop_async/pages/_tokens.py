"""A place in a walk as opaque text, valid in another process. It holds no secret, and nothing of the items."""

import binascii
from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Final
from zlib import crc32

import msgspec
from attrs import astuple, define

from voicedrop_async._masking import type_of
from voicedrop_async.errors import ResumeTokenError
from voicedrop_async.models import ResumeToken
from voicedrop_async.pages._source import Span

_VERSION: Final = "1"
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
_CONTENT: Final = msgspec.json.Decoder(tuple[int, int, int | None, int | None, int, int, int, int | None, int, bool, bool, int | None])


@define  # one is made for each page
class Mark:
    """What a token says, in this order. Moments are microseconds since 1970, so that a slice begins exactly where it began."""

    query: int
    """See ``query_hash``."""
    page_size: int
    start: int | None = None
    """Of the slice; None where there are none."""
    end: int | None = None
    number: int = 0
    """Of the page in the list."""
    index: int = 0
    """Of the first item of that page which was not handed out."""
    seen: int = 0
    """Items of the list that lie behind."""
    total: int | None = None
    """The service's count of the list."""
    passes: int = 1
    """How often the list had been begun."""
    doubtful: bool = False
    """Whether something had spoken against the part that lies behind."""
    ended: bool = False
    sum: int | None = None
    """Of hashes of what was handed out of the list, where that is to be compared."""

    @property
    def span(self) -> Span | None:
        """The slice."""
        if self.start is None or self.end is None:
            return None
        return Span(_EPOCH + self.start * _MICROSECOND, _EPOCH + self.end * _MICROSECOND)

    def token(self) -> ResumeToken:
        """Return it as text: version, a dot, then checksum and content in URL-safe base 64."""
        content = msgspec.json.encode(astuple(self))
        return ResumeToken(f"{_VERSION}.{urlsafe_b64encode(_checksum(content) + content).decode().rstrip('=')}")


def micros(moment: datetime) -> int:
    """Return microseconds since 1970."""
    return (moment - _EPOCH) // _MICROSECOND


def query_hash(query: str, terms: str) -> int:
    """Return 32 bits that tell one query from another: 20 of the query, 12 of the terms it searches for.

    A term can be a phone number, of which there are so few that more bits would single one out.
    """
    return _hash(query) >> 12 << 12 | _hash(terms) & 0xFFF


def _hash(text: str) -> int:
    return int.from_bytes(sha256(text.encode()).digest()[:4], "big")


def read_token(given: object, *, query: int, page_size: int, cut: bool) -> Mark:
    """Return what a token says, or its text.

    Raises:
        ResumeTokenError: Damaged, of a newer version, or of another query, page size or kind of stream.
    """
    text = given.text if isinstance(given, ResumeToken) else given
    if not isinstance(text, str):
        raise ResumeTokenError(f"resume: {type_of(text)} is no token and no text of one; give walk.token, or its text")
    version, _, packed = text.strip().partition(".")
    if version != _VERSION and version.isascii() and version.isdigit() and packed:
        raise ResumeTokenError(f"resume: a token of version {version[:9]}; this library reads version {_VERSION}; walk anew, without it")
    try:
        raw = urlsafe_b64decode(packed.encode("ascii") + b"=" * (-len(packed) % 4))
        mark = Mark(*_CONTENT.decode(raw[4:]))
        # Base 64 has several spellings of the same bytes.
        sound = raw[:4] == _checksum(raw[4:]) and mark.token().text == text.strip()
    except (binascii.Error, UnicodeError, msgspec.MsgspecError):
        raise ResumeTokenError("resume: no token, or one that is cut off or damaged; give it whole, or walk anew, without it") from None
    if not sound:
        raise ResumeTokenError("resume: the token is damaged, its checksum does not fit; give it as it was, or walk anew, without it")
    if mark.query != query:
        raise ResumeTokenError("resume: the token belongs to another query; give the same arguments, start and end to the microsecond")
    if mark.page_size != page_size:
        raise ResumeTokenError(f"resume: the token belongs to pages of {mark.page_size}; give page_size={mark.page_size}")
    if cut != (mark.span is not None) and not mark.ended:
        raise ResumeTokenError(
            f"resume: the token belongs to a stream {'without' if cut else 'with'} slices; {'give none' if cut else 'give them'}"
        )
    return mark


def _checksum(content: bytes) -> bytes:
    return crc32(content).to_bytes(4)
