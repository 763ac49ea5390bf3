"""Settings: the environment, and below it a profile of a TOML file. All commands get their sessions here."""

import os
import stat
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager, suppress
from math import inf
from pathlib import Path
from shlex import quote
from types import UnionType
from typing import Any, Final, NoReturn, Self, cast

import aiohttp
from attrs import field, frozen

from voicedrop_async import ClientCredentials, ConfigError, Journal, Limits, RouteeSession, SpacivoxSession, StaticToken
from voicedrop_async.cli._toml import parsed
from voicedrop_async.routee import AUTH_URL, BASE_URL

KEYS: Final = {
    "routee_application_id": "the application's id",
    "routee_application_secret": "the application's secret",
    "routee_base_url": "the service's URL",
    "routee_auth_url": "the token endpoint's URL",
    "routee_rate": "the most requests a second",
    "routee_max_in_flight": "the most requests in flight",
    "spacivox_access_token": "the access token",
    "spacivox_base_url": "the service's URL",
    "spacivox_rate": "the most requests a second",
    "spacivox_max_in_flight": "the most requests in flight",
}
"""Every key of a profile, and what it holds. The variables of the environment are the same words in capitals."""
NEEDED: Final = {
    "routee": ("routee_application_id", "routee_application_secret"),
    "spacivox": ("spacivox_access_token", "spacivox_base_url"),
}
"""Without which a service cannot be used."""

_DEFAULT: Final = "default"
_SECRETS: Final = frozenset({"routee_application_secret", "spacivox_access_token"})
_URLS: Final[Mapping[str, Mapping[str, str | None]]] = {
    "routee": {"routee_base_url": BASE_URL, "routee_auth_url": AUTH_URL},
    "spacivox": {"spacivox_base_url": None},
}
"""The keys of each service's URLs, and where it is if nothing else is set."""
_ARGUMENTS: Final = {
    "application_id": "application_id",
    "secret": "application_secret",
    "token": "access_token",
    "base_url": "base_url",
    "auth_url": "auth_url",
}
"""What a session calls them, and what we do."""
_IN_FLIGHT: Final = Limits().max_in_flight
_OTHERS: Final = stat.S_IRWXG | stat.S_IRWXO


@frozen(kw_only=True)
class Settings:
    """What is set, key by key: in the environment, or else in a profile. Its ``repr`` shows no value, and it is not pickled."""

    place: str
    """The file and the profile, as sentences name them."""
    why_empty: str
    """Why nothing comes from there; empty if something may."""
    table: Mapping[str, Any] = field(repr=False)
    """What the profile holds, by key."""

    @classmethod
    def load(cls, profile: str | None = None) -> Self:
        """Read the profile of that name, of ``VOICEDROP_PROFILE``, or the one that is called default.

        The file is what ``VOICEDROP_CONFIG`` names, or ``voicedrop/config.toml`` in the folder for configuration. Neither it nor a
        profile in it need be there, unless one of them was named.

        Raises:
            ConfigError: It can be read by others, or is no TOML; a key is unknown or holds what it cannot. The text names file,
                profile and key, and never a value.
        """
        named_file, named = os.environ.get("VOICEDROP_CONFIG"), profile or os.environ.get("VOICEDROP_PROFILE")
        file, name = Path(named_file) if named_file else _usual_file(), named or _DEFAULT
        place = f"{file}, profile {name!r}"
        try:
            profiles = _read(file)
        except OSError as error:
            if named_file or named:
                raise ConfigError(f"{place}: {error.strerror}") from None
            return cls(place=place, why_empty=error.strerror or type(error).__name__, table={})
        if name not in profiles:
            there = f"no such profile; there are: {', '.join(map(repr, profiles)) or 'none'}"
            if named:
                raise ConfigError(f"{place}: {there}")
            return cls(place=place, why_empty=there, table={})
        _check_profile(place, profiles[name])
        return cls(place=place, why_empty="", table=profiles[name])

    def routee(
        self,
        *,
        ahead: int = 0,
        rate: float | None = None,
        max_in_flight: int | None = None,
        among: int = 1,
        journal: Journal | None = None,
        trace_configs: Sequence[aiohttp.TraceConfig] = (),
    ) -> RouteeSession:
        """Return a session for Routee.

        Args:
            ahead: Requests that are wanted under way at once, beside one that sends.
            rate: Requests a second, at most; in place of what is set.
            max_in_flight: Requests under way at once, at most; likewise.
            among: Processes that divide what is set.
            journal: Where paid sends are written down.
            trace_configs: As of the session.

        Raises:
            ConfigError: Something is missing or cannot be; the text names the variable, or file, profile and key.
        """
        with self._names("routee"):
            auth = ClientCredentials(self._needed("routee_application_id"), self._needed("routee_application_secret"))
            base_url, auth_url = self.urls("routee").values()
            limits = self._limits("routee", ahead, rate, max_in_flight, among)
            return RouteeSession(auth, base_url=base_url, auth_url=auth_url, journal=journal, limits=limits, trace_configs=trace_configs)

    def spacivox(
        self,
        *,
        ahead: int = 0,
        rate: float | None = None,
        max_in_flight: int | None = None,
        trace_configs: Sequence[aiohttp.TraceConfig] = (),
    ) -> SpacivoxSession:
        """Return a session for Spacivox; arguments and errors as for Routee."""
        with self._names("spacivox"):
            auth = StaticToken(self._needed("spacivox_access_token"))
            (base_url,) = self.urls("spacivox").values()
            limits = self._limits("spacivox", ahead, rate, max_in_flight)
            return SpacivoxSession(auth, base_url=base_url, limits=limits, trace_configs=trace_configs)

    def urls(self, service: str) -> dict[str, str]:
        """Return where a service is, by key; the usual places where nothing else is set."""
        return {key: self._text(key) or usual or self._needed(key) for key, usual in _URLS[service].items()}

    def lacking(self, service: str) -> list[str]:
        """Return the keys that a service needs and that are set nowhere."""
        return [key for key in NEEDED[service] if self.origin(key) is None]

    def origin(self, key: str) -> str | None:
        """Return who says so: the variable, in capitals, or the key of the profile, in small letters; None if nobody does."""
        return key.upper() if os.environ.get(key.upper()) else key if key in self.table else None

    def missing(self, key: str) -> str:
        """Return the sentence about a key that is set nowhere."""
        why = f" ({self.why_empty})" if self.why_empty else ""
        return f"{key.upper()}: not set in the environment, and no {key} in {self.place}{why}; it holds {KEYS[key]}"

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise ConfigError("settings: may hold secrets, and are not pickled; load them where they are used")

    @contextmanager
    def _names(self, service: str) -> Generator[None]:
        """Name variable, or file, profile and key, where a session names its argument."""
        try:
            yield
        except ConfigError as error:
            argument, _, fault = str(error).partition(": ")
            origin = self.origin(f"{service}_{_ARGUMENTS.get(argument)}")
            if origin is None:
                raise
            raise ConfigError(f"{self._full(origin)}: {fault}") from None

    def _full(self, origin: str) -> str:
        return origin if origin.isupper() else f"{self.place}: {origin}"

    def _needed(self, key: str) -> str:
        text = self._text(key)
        if text is None:
            raise ConfigError(self.missing(key))
        return text

    def _text(self, key: str) -> str | None:
        value = os.environ.get(key.upper()) or self.table.get(key)
        return _from_keyring(f"{self.place}: {key}", value["keyring"]) if isinstance(value, dict) else value

    def _number(self, key: str) -> float | None:
        text = os.environ.get(key.upper())
        value = _counted(text) if text else self.table.get(key)
        if text and (rule := _rule_broken(key, value)):
            raise ConfigError(f"{key.upper()}: {rule}")
        return cast("float | None", value)

    def _limits(self, service: str, ahead: int, rate: float | None, max_in_flight: int | None, among: int = 1) -> Limits:
        most = self._number(f"{service}_max_in_flight") if max_in_flight is None else max_in_flight
        rate = self._number(f"{service}_rate") if rate is None else rate
        # Who asks for many ahead, means it, unless he has said what is the most; one slot is for sending.
        return Limits(
            max_in_flight=max(_IN_FLIGHT, ahead + 1) if most is None else max(1, int(most) // among) if among > 1 else int(most),
            rate=rate if rate is None or among == 1 else rate / among,
        )


def _usual_file() -> Path:
    # On every POSIX system the rule is one line, the same for Macs, where programs of the command line keep to it as well: no
    # library is needed for it.
    folder = Path(os.environ.get("XDG_CONFIG_HOME", ""))
    if not folder.is_absolute():
        folder = Path("~/.config")
        with suppress(RuntimeError):  # a user without a home has no such file either
            folder = folder.expanduser()
    return folder / "voicedrop" / "config.toml"


def _read(file: Path) -> dict[str, dict[str, Any]]:
    with file.open("rb") as opened:
        if os.fstat(opened.fileno()).st_mode & _OTHERS:  # of the very file that is read
            raise ConfigError(f"{file}: others can read or change it, and it may hold secrets; mend that: chmod 600 {quote(str(file))}")
        tables = parsed(file, opened.read())
    strays = [key for key, table in tables.items() if not isinstance(table, dict)]
    if strays:
        raise ConfigError(f"{file}: in no profile: {', '.join(map(repr, strays))}; they belong below a line such as [default]")
    return tables


def _check_profile(place: str, profile: Mapping[str, object]) -> None:
    unknown = [key for key in profile if key not in KEYS]
    if unknown:
        raise ConfigError(f"{place}: unknown: {', '.join(map(repr, unknown))}; known are {', '.join(KEYS)}")
    for key, value in profile.items():
        if rule := _rule_broken(key, value):
            raise ConfigError(f"{place}: {key}: {rule}")


def _rule_broken(key: str, value: object) -> str:
    """Return what a value had to be; empty if it is."""
    if key.endswith("_rate"):
        return "" if _is_number(value, int | float) else "must be a number above zero"
    if key.endswith("_max_in_flight"):
        return "" if _is_number(value, int) else "must be a whole number above zero"
    if isinstance(value, str):
        return "" if value else "is empty"
    if key not in _SECRETS:
        return "must be a text"
    return "" if _names_an_entry(value) else 'must be a text, or { keyring = "service/user" }'


def _is_number(value: object, kind: type | UnionType) -> bool:
    return isinstance(value, kind) and isinstance(value, int | float) and not isinstance(value, bool) and 0 < value < inf


def _names_an_entry(value: object) -> bool:
    entry = cast("dict[str, object]", value) if isinstance(value, dict) else {}
    where = entry.get("keyring")
    return len(entry) == 1 and isinstance(where, str) and all(where.rpartition("/")[::2])


def _counted(text: str) -> float | None:
    """Return a number of the environment, where every value is text; None if it is none."""
    for kind in (int, float):
        with suppress(ValueError):
            return kind(text)
    return None


def _from_keyring(where: str, entry: str) -> str:
    """Return a secret of the system's keyring; the last slash of ``entry`` parts service and user."""
    try:
        import keyring
        from keyring.errors import KeyringError
    except ModuleNotFoundError:
        extra = 'python -m pip install "voicedrop-async[keyring]"'
        raise ConfigError(f"{where}: is kept in the system's keyring, which needs its extra: {extra}") from None
    service, _, user = entry.rpartition("/")
    try:
        secret = keyring.get_password(service, user)
    except KeyringError as error:
        raise ConfigError(f"{where}: the system's keyring does not give it ({type(error).__name__}); unlock it, or set one up") from None
    if not secret:
        raise ConfigError(f"{where}: the system's keyring holds nothing under that name; this puts it there: keyring set SERVICE USER")
    return secret
