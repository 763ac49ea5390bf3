"""The token endpoint. Source: Routee, "Authentication", "Get authenticated"."""

from base64 import b64encode
from datetime import datetime

from ._dice import Dice
from ._refusals import Refusal, gateway_error
from ._time import Clock
from ._wire import Token

_PERMISSIONS = ("MT_ROLE_ACCOUNT_FINANCE", "MT_ROLE_REPORT", "MT_ROLE_VOICE")
_SCOPE = "account contact report voice"  # the words are seen in answers, but for the last, which is ours


class Tokens:
    """Hands out bearer tokens and knows which hold. They age by real seconds, however fast the sandbox runs."""

    def __init__(self, *, seed: int, credentials: tuple[str, str], lifetime: float, clock: Clock) -> None:
        """Every token holds for ``lifetime`` seconds."""
        self._dice = Dice.of(seed, "tokens")
        self._basic = "Basic " + b64encode(":".join(credentials).encode()).decode()
        self._lifetime = lifetime
        self._clock = clock
        self._token = ""
        self._ends = 0.0

    def issue(self, authorization: str, grant: str | None, path: str, now: datetime) -> Token:
        """A token; the same one again, with what is left of its life, while it holds.

        Raises:
            Refusal: 401 for wrong credentials, 400 for another grant.
        """
        if authorization != self._basic:
            raise gateway_error(401, "Bad credentials", path=path, now=now)
        if grant is None:
            raise Refusal(400, {"error": "invalid_request", "error_description": "Missing grant type"})
        if grant != "client_credentials":
            raise Refusal(400, {"error": "unsupported_grant_type", "error_description": f"Unsupported grant type: {grant}"})
        if self._left() < 1:
            self._token = self._dice.uuid()
            self._ends = self._clock.real_seconds() + self._lifetime
        return Token(self._token, "Bearer", round(self._left()), _SCOPE, _PERMISSIONS)

    def holds(self, authorization: str) -> bool:
        """Whether a request that bears this header is let in."""
        return self._left() > 0 and authorization == f"Bearer {self._token}"

    def expire(self) -> None:
        """End the life of every token handed out."""
        self._token, self._ends = "", 0.0

    def _left(self) -> float:
        return self._ends - self._clock.real_seconds() if self._token else 0.0
