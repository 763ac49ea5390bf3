"""What nobody needs to see, and no file needs to hold: secrets in headers, forms and URLs. Numbers and texts are shown."""

import re
from collections.abc import Mapping

MASK = "***"
_SECRET_HEADERS = {"authorization", "proxy-authorization", "cookie", "x-api-key"}
_FORM_SECRET = re.compile(r"\b(client_secret|password|access_token|token)=[^&\s]+")
_URL = re.compile(r"(https?://)(?:[^/\s\"@]*@)?([^/\s\"]*)([^\s\"]*)")
_TOKEN = re.compile(r"(?<=[/=])[\w~-]{20,}(?=[/?&#]|$)")  # a part of a path, or a value of a query, that was made by chance


def masked_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """The headers, without what lets their sender in."""
    return {name: MASK if name.lower() in _SECRET_HEADERS else value for name, value in headers.items()}


def masked_text(text: str) -> str:
    """A form, JSON or URL, without passwords, and without the secret parts of the URLs in it."""
    return _URL.sub(_masked_url, _FORM_SECRET.sub(rf"\1={MASK}", text))


def _masked_url(found: re.Match[str]) -> str:
    scheme, host, rest = found.groups()
    return scheme + host + _TOKEN.sub(MASK, rest)
