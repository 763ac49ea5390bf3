"""What nobody needs to see, and no file needs to hold: secrets in headers, queries, bodies and URLs. Numbers and texts are shown."""

import re
from collections.abc import Mapping
from typing import Any

import msgspec

MASK = "***"
_SECRET_HEADERS = {"authorization", "proxy-authorization", "cookie", "x-api-key"}
_SECRET = r"password|secret|token|api[_-]?key|client[_-]?secret|(?:access|refresh)[_-]?token"
_SECRET_NAME = re.compile(_SECRET, re.IGNORECASE)
_SECRET_IN_TEXT = re.compile(rf"""\b((?:{_SECRET})(?:=|"\s*:\s*"?))(?:(?<=")[^"]+|[^&\s]+)""", re.IGNORECASE)
"""In a form, the query of a URL, or what was to be JSON and is none."""
_URL = re.compile(r"(https?://)(?:[^/?#\s\"]*@)?([^/?#\s\"]*)([^\s\"]*)")
_TOKEN = re.compile(r"(?<=[/=])[\w~-]{20,}(?=[/?&#]|$)")  # a part of a path, or a value of a query, that was made by chance


def masked_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """The headers, without what lets their sender in."""
    return {name: MASK if name.lower() in _SECRET_HEADERS else value for name, value in headers.items()}


def masked_query(query: Mapping[str, str]) -> list[tuple[str, str]]:
    """The query, without passwords, and without the secret parts of the URLs in it."""
    return [(name, MASK if _SECRET_NAME.fullmatch(name) else masked_text(value)) for name, value in query.items()]


def masked_body(body: bytes) -> bytes:
    """A body, likewise: of JSON what is said in it, of anything else its text. What has no secret stays as it was sent."""
    try:
        sent = msgspec.json.decode(body)
        shown = masked(sent)
        return body if shown == sent else msgspec.json.encode(shown)
    except (ValueError, RecursionError):
        return masked_text(body.decode("latin-1")).encode("latin-1")


def masked(value: Any) -> Any:
    """What was read from JSON, likewise."""
    if isinstance(value, dict):
        return {name: MASK if _SECRET_NAME.fullmatch(name) else masked(one) for name, one in value.items()}
    if isinstance(value, list):
        return [masked(one) for one in value]
    return masked_text(value) if isinstance(value, str) else value


def masked_text(text: str) -> str:
    """A form, a URL, or a text that holds some, likewise."""
    return _URL.sub(_masked_url, _SECRET_IN_TEXT.sub(rf"\1{MASK}", text))


def _masked_url(found: re.Match[str]) -> str:
    scheme, host, rest = found.groups()
    return scheme + host + _TOKEN.sub(MASK, rest)
