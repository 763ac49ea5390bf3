"""Access tokens: where they come from, when they are renewed, and that one renewal serves everybody.

Source: Routee, "Authentication" and "Get authenticated"; RFC 6749, "Client Credentials Grant". Spacivox hands out a
static token and documents neither renewal nor lifetime.
"""

import asyncio
import base64
import random
import re
import time
from collections.abc import Awaitable, Callable
from typing import Final, NoReturn, Protocol

from attrs import field, frozen

from voicedrop_async.calls import TokenResponse
from voicedrop_async.errors import ConfigError, RequestError, SessionClosed, Unauthorized

# RFC 6750, "b64token": anything else could end the header, or begin another one.
TOKEN: Final = re.compile(r"[A-Za-z0-9\-._~+/]+=*", re.ASCII)

_ASK_AGAIN: Final = 5.0
"""Seconds between two tries to renew a token that still lives; without them each call would try."""
_PATIENCE: Final = 2.0
"""Seconds that calls wait for another token because somebody else was refused with the one at hand."""
_BELIEVED: Final = 60.0
"""Seconds for which 403 speaks of permissions and not of the token, once a new token was answered with it as well."""


def _stays_here(self: object, _protocol: object) -> NoReturn:
    raise ConfigError(f"{type(self).__name__}: credentials are not pickled; make them where they are used, from the environment")


@frozen(repr=False)
class ClientCredentials:
    """Id and secret of an application; tokens are fetched and renewed with them.

    Neither ``repr`` nor pickle shows the secret: the first hides it, the second is refused.
    """

    application_id: str
    """Id of the application, without a colon."""
    secret: str
    """Its secret; hidden from ``repr``."""

    __reduce_ex__ = _stays_here

    def __attrs_post_init__(self) -> None:
        for name, text in (("application_id", self.application_id), ("secret", self.secret)):
            if not isinstance(text, str) or not text or not text.isprintable():
                raise ConfigError(f"{name}: empty, or with characters that cannot be part of credentials")
        if ":" in self.application_id:
            raise ConfigError("application_id: holds a colon, which ends the id in a Basic header")

    def __repr__(self) -> str:
        return "ClientCredentials(***)"

    def basic(self) -> "Credential":
        """Return what the token endpoint takes (RFC 7617; one line)."""
        return Credential("Basic " + base64.b64encode(f"{self.application_id}:{self.secret}".encode()).decode("ascii"))


@frozen(repr=False)
class StaticToken:
    """A token that was handed out once and is sent as it is; when it is refused, so is the call."""

    token: str
    """A bearer token, as it stands in the header."""

    __reduce_ex__ = _stays_here

    def __attrs_post_init__(self) -> None:
        if not isinstance(self.token, str) or not TOKEN.fullmatch(self.token):
            raise ConfigError("token: empty, or with characters that cannot be part of a bearer token")

    def __repr__(self) -> str:
        return "StaticToken(***)"


@frozen(eq=False)
class Credential:
    """What goes into the ``Authorization`` header of one request; its ``repr`` does not show it."""

    header: str = field(repr=False)


class Tokens(Protocol):
    """Where the transport gets the credential of a request."""

    latest: Credential | None
    """The one that came last; whether it still lives is not looked at."""

    async def current(self, refused: Credential | None = None, /) -> Credential:
        """Return one that should be accepted, and is another than ``refused``."""
        ...

    def distrust(self, refused: Credential, status: int, again: bool, /) -> bool:
        """Note that ``refused`` was answered with 401 or 403; return whether it is worth asking with another.

        Args:
            refused: With what the call went out.
            status: The answer.
            again: Whether the call was refused before, with the token before this one.
        """
        ...

    async def aclose(self) -> None:
        """Stop what is under way."""
        ...


class FixedToken:
    """The one token of a ``StaticToken``."""

    def __init__(self, auth: StaticToken) -> None:
        """Hand out the token of ``auth``."""
        self._credential = Credential(f"Bearer {auth.token}")
        self.latest: Credential | None = self._credential

    async def current(self, _refused: Credential | None = None, /) -> Credential:
        """Return the token."""
        return self._credential

    def distrust(self, _refused: Credential, _status: int, _again: bool, /) -> bool:
        """Return False: there is no other."""
        return False

    async def aclose(self) -> None:
        """Do nothing."""


class RenewedToken:
    """A token that is fetched when first needed, and again before it ends, by one task for all who wait."""

    def __init__(
        self,
        ask: Callable[[], Awaitable[TokenResponse]],
        *,
        clock: Callable[[], float] = time.monotonic,
        roll: Callable[[], float] = random.random,
    ) -> None:
        """Get tokens from ``ask``; age is counted by ``clock``, which no change of the time of day touches."""
        self._ask = ask
        self._clock = clock
        self._roll = roll
        self.latest: Credential | None = None
        self._renew_at = self._ends_at = 0.0
        self._renewal: asyncio.Task[Credential] | None = None
        self._doubted: Credential | None = None
        """The one that a call was refused with, if another was asked for because of that."""
        self._doubt_ends_at = self._believed_until = 0.0

    async def current(self, refused: Credential | None = None, /) -> Credential:
        """Return a token that lives and is another than ``refused``, fetching one if need be.

        In the last part of its life a token is renewed in the background, and stays in use until that is done. One that
        others were refused with may be good all the same: its renewal is waited for a little, and if that fails it stays in use.
        """
        now, latest = self._clock(), self.latest
        if latest is None or latest is refused or now >= self._ends_at:
            renewal = self._renewed()
            # Waiting does not own the task: a caller that is cancelled here takes none of the others with it.
            await asyncio.wait((renewal,))
            if renewal.cancelled():
                raise SessionClosed
            return renewal.result()
        if now >= self._renew_at:
            renewal = self._renewed()
            if now < self._doubt_ends_at:
                await asyncio.wait((renewal,), timeout=self._doubt_ends_at - now)
                return self.latest or latest
        return latest

    def distrust(self, refused: Credential, status: int, again: bool, /) -> bool:
        """Let the token be renewed, once for all who were refused with it; False if no other can be of help.

        A new one that is refused as well is not to blame, and stays. With 403 it is a permission that is missing, and until
        ``_BELIEVED`` seconds later nobody who is told so throws the token away.
        """
        if self.latest is not refused:
            return not again
        now = self._clock()
        if status == 403:
            if again:
                self._believed_until = now + _BELIEVED
            if now < self._believed_until:
                return False
        if not again and self._doubted is not refused:  # the first to be refused decides for all
            self._doubted, self._renew_at, self._doubt_ends_at = refused, now, now + _PATIENCE
        return not again

    async def aclose(self) -> None:
        """Cancel a renewal that is under way."""
        if self._renewal is not None and not self._renewal.done():
            self._renewal.cancel()
            await asyncio.wait((self._renewal,))

    def _renewed(self) -> asyncio.Task[Credential]:
        """Return the renewal under way, begun now if there is none."""
        if self._renewal is None or self._renewal.done():
            self._renewal = asyncio.get_running_loop().create_task(self._fetch(), name="voicedrop token")
            self._renewal.add_done_callback(_seen)
        return self._renewal

    async def _fetch(self) -> Credential:
        asked = self._clock()
        try:
            response = await self._ask()
            _check_response(response)
        except RequestError:
            self._renew_at = self._clock() + _ASK_AGAIN
            self._doubt_ends_at = 0.0
            raise
        self.latest = Credential(f"Bearer {response.access_token}")
        self._ends_at = asked + response.expires_in
        self._renew_at = self._ends_at - early(response.expires_in, self._roll())
        self._doubt_ends_at = 0.0
        return self.latest


def early(lifetime: float, roll: float) -> float:
    """Return how many seconds before its end a token is renewed: a fifth of its life, between one and five minutes.

    A life below a minute is used up; ``roll`` in [0, 1) keeps many processes from renewing in the same second.
    """
    if lifetime < 60.0:
        return 0.0
    return min(max(lifetime / 5.0, 60.0), 300.0, lifetime / 2.0) * (1.0 + roll / 10.0)


def _check_response(response: TokenResponse) -> None:
    fault = ""
    if response.token_type.lower() != "bearer":
        fault = "its type is not Bearer"
    elif not TOKEN.fullmatch(response.access_token):
        fault = "it is empty, or holds characters that cannot be part of one"
    elif response.expires_in <= 0:
        fault = "it has ended already"
    if fault:
        raise Unauthorized(summary=f"the token cannot be used: {fault}", request="POST /oauth/token", status=200)


def _seen(task: asyncio.Task[Credential]) -> None:
    # Nobody may be waiting any more, and a failure that nobody reads would be reported by the loop.
    if not task.cancelled():
        task.exception()
