"""What a caller may ask for. Everything here runs at the call, before anything is sent, and raises ``ConfigError``.

A text names the argument, the value's fault and the rule; it never shows a phone number, a URL's password or a text
meant for somebody's ear.
"""

import re
import ssl
from collections.abc import AsyncIterable, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from inspect import iscoroutinefunction
from ipaddress import ip_address
from math import isfinite
from typing import Final
from urllib.parse import SplitResult, unquote, urlsplit

import aiohttp

from voicedrop_async._masking import type_of
from voicedrop_async.errors import ConfigError

NOT_E164: Final = "not E.164: a plus sign, then 7 to 15 digits, the first not zero"
MAX_REF: Final = 200

_DAY: Final = timedelta(days=1)
_E164: Final = re.compile(r"\+[1-9][0-9]{6,14}", re.ASCII)


def check_kind(argument: str, value: object, kind: type) -> None:
    """Refuse what is neither left out nor of its kind."""
    if value is not None and not isinstance(value, kind):
        raise ConfigError(f"{argument}: {type_of(value)} is no {kind.__name__}")


def check_moment(argument: str, moment: object) -> None:
    """Refuse what is no aware datetime."""
    if not isinstance(moment, datetime):
        raise ConfigError(f"{argument}: {type_of(moment)} is no datetime")
    if moment.utcoffset() is None:
        raise ConfigError(f"{argument}: a naive datetime could mean any moment of a day; give it a timezone, such as UTC")
    if not datetime.min.replace(tzinfo=UTC) + _DAY <= moment <= datetime.max.replace(tzinfo=UTC) - _DAY:
        raise ConfigError(f"{argument}: must not be within a day of the first or the last moment that a datetime can be")


def check_range(start: datetime | None, end: datetime | None) -> None:
    """Refuse naive moments and a range that ends before it begins."""
    for argument, moment in (("start", start), ("end", end)):
        if moment is not None:
            check_moment(argument, moment)
    if start is not None and end is not None and end <= start:
        raise ConfigError("end: not after start; a range runs from start, included, to end, excluded")


def check_slices(slices: object) -> None:
    """Refuse what is no length of time of at least a second, the finest that the services' samples show."""
    if not isinstance(slices, timedelta):
        raise ConfigError(f"slices: {type_of(slices)} is no timedelta")
    if slices < timedelta(seconds=1):
        raise ConfigError("slices: below one second, the finest that the services' samples show")


def check_count(argument: str, count: object, least: int) -> None:
    """Refuse what is no whole number of at least ``least``."""
    if isinstance(count, bool) or not isinstance(count, int):
        raise ConfigError(f"{argument}: {type_of(count)} is no whole number")
    if count < least:
        raise ConfigError(f"{argument}: {count} is below {least}")


def check_amount(argument: str, amount: object, *, zero: bool = False) -> None:
    """Refuse what is no finite number above zero; with ``zero``, of at least zero."""
    if isinstance(amount, bool) or not isinstance(amount, int | float) or not isfinite(amount):
        raise ConfigError(f"{argument}: must be a finite number")
    if amount < 0 or (amount == 0 and not zero):
        raise ConfigError(f"{argument}: {amount} is {'below' if zero else 'not above'} zero")


def check_text(argument: str, text: object) -> str:
    """Refuse what is no text, blank, or cannot be written as UTF-8."""
    writable = check_writable(argument, text)
    if not writable.strip():
        raise ConfigError(f"{argument}: must not be empty")
    return writable


def check_writable(argument: str, text: object) -> str:
    """Refuse what is no text, or cannot be written as UTF-8."""
    if not isinstance(text, str):
        raise ConfigError(f"{argument}: {type_of(text)} is no text")
    try:
        text.encode()
    except UnicodeEncodeError:
        raise ConfigError(f"{argument}: holds half a character, which cannot be sent") from None
    return text


def check_id(argument: str, text: object) -> None:
    """Refuse what cannot stand as one segment of a path."""
    if check_text(argument, text) in {".", ".."}:
        raise ConfigError(f"{argument}: must be an id as the service gave it, not dots")


def check_several(argument: str, values: object) -> None:
    """Refuse what cannot be gone through, and a single text, which would be gone through letter by letter."""
    if isinstance(values, str | bytes):
        raise ConfigError(f"{argument}: a single text; give a list or another iterable of them")
    if not isinstance(values, Iterable | AsyncIterable):
        raise ConfigError(f"{argument}: {type_of(values)} is no iterable")


def check_base_url(argument: str, url: object, *, allow_insecure: bool) -> None:
    """Refuse a base that is no absolute https URL; plain http may only reach this machine."""
    if not isinstance(url, str):
        raise ConfigError(f"{argument}: {type_of(url)} is no URL text")
    parts = _split(argument, url)
    if parts.query or parts.fragment or parts.username is not None or parts.password is not None:
        raise ConfigError(f"{argument}: a base URL has no query, fragment, user name or password")
    if {".", ".."} & set(unquote(parts.path).split("/")):
        raise ConfigError(f"{argument}: holds dot segments, which lead to another path than the one that stands there")
    if parts.scheme == "http" and not allow_insecure and not _is_loopback(parts.hostname or ""):
        raise ConfigError(f"{argument}: plain http would show the token to everybody on the way; use https (or allow_insecure=True)")


def check_reachable_url(argument: str, url: str | None) -> None:
    """Refuse what is no URL that the service could reach by https; plain http is for loopback."""
    parts = _split(argument, url or "")
    if parts.scheme == "http" and not _is_loopback(parts.hostname or ""):
        raise ConfigError(f"{argument}: plain http is for loopback only; use https")


def check_proxy(url: object) -> None:
    """Refuse a proxy that is no URL; its text, which may hold a password, is not shown."""
    if not isinstance(url, str):
        raise ConfigError(f"proxy: {type_of(url)} is no URL text")
    _split("proxy", url)


def check_trace_configs(configs: object) -> None:
    """Refuse what is no list of tracings."""
    if isinstance(configs, aiohttp.TraceConfig) or not isinstance(configs, Sequence):
        raise ConfigError("trace_configs: must be a list of aiohttp.TraceConfig")
    for place, config in enumerate(configs):
        if not isinstance(config, aiohttp.TraceConfig):
            raise ConfigError(f"trace_configs[{place}]: {type_of(config)} is no TraceConfig")


def check_observer(on_event: object) -> None:
    """Refuse what cannot be called, and what would have to be awaited: nobody does."""
    if on_event is None:
        return
    if not callable(on_event):
        raise ConfigError(f"on_event: {type_of(on_event)} cannot be called")
    if iscoroutinefunction(on_event) or iscoroutinefunction(type(on_event).__call__):
        raise ConfigError("on_event: an async function would never be awaited; give a plain one, which may put the event in a queue")


def is_e164(text: str) -> bool:
    """Whether a text is a phone number as the service wants it."""
    return _E164.fullmatch(text) is not None


def check_ref(ref: object) -> None:
    """Refuse a key that cannot be kept and shown in clear, as journals and errors do."""
    text = check_text("ref", ref)
    if len(text) > MAX_REF or not text.isprintable():
        raise ConfigError(f"ref: must be at most {MAX_REF} characters, none of them a control character")
    if _E164.search(text):
        raise ConfigError("ref: holds a phone number; a ref is kept and shown in clear, so use an id of your own")


def check_ssl_context(context: object) -> None:
    """Refuse a context that trusts every server, or any server for any name."""
    check_kind("ssl_context", context, ssl.SSLContext)
    if _trusts_anybody(context):
        raise ConfigError("ssl_context: does not verify the server's certificate and name; begin with ssl.create_default_context()")


def check_connector(connector: object) -> None:
    """Refuse a borrowed connector that trusts every server, or that does not tell: it would be asked wherever no context is given."""
    trust = getattr(connector, "_ssl", None)  # aiohttp tells it nowhere else; of one that speaks TLS it is never None
    if trust is None and isinstance(connector, aiohttp.TCPConnector):
        raise ConfigError("http: its connector does not tell whether it verifies certificates; this aiohttp may be too new")
    if _trusts_anybody(trust):
        raise ConfigError("http: its connector does not verify the server's certificate and name; make it without ssl=False")


def _trusts_anybody(trust: object) -> bool:
    if isinstance(trust, ssl.SSLContext):
        return trust.verify_mode is not ssl.CERT_REQUIRED or not trust.check_hostname
    return trust is False


def _split(argument: str, url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        host, _port = parts.hostname, parts.port
    except ValueError:
        raise ConfigError(f"{argument}: must be a URL such as https://example.com") from None
    if parts.scheme not in {"http", "https"} or not host or not url.isprintable() or " " in url:
        raise ConfigError(f"{argument}: must be a URL such as https://example.com")
    return parts


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
