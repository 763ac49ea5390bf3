"""When a failed attempt is followed by another, after which pause, and what that may cost. No clock, no dice."""

from typing import Final

from attrs import frozen

from voicedrop_async._checks import check_amount, check_count
from voicedrop_async.calls._values import Kind
from voicedrop_async.errors import ApiError, RateLimited, RequestError, WireError


@frozen(kw_only=True)
class Retry:
    """When a failed attempt is followed by another, and after which pause."""

    attempts: int = 4
    """The most attempts of one call; 1 never repeats."""
    base: float = 0.5
    """Upper bound of the first pause, in seconds; it doubles with each further one."""
    cap: float = 20.0
    """Upper bound of any pause of ours, in seconds."""
    retry_after_cap: float = 60.0
    """The longest wait, in seconds, that we accept from the service; a longer one is raised to the caller."""
    budget: int | None = 500
    """What the repeats of all calls of a session may cost: 14 each, 5 after a 429. A call that succeeds brings back what its
    last repeat took, or 1 if it needed none. When it is used up, a failure is raised at once, with ``budget_exhausted``:
    a service that is down is not asked four times by everybody. None for no budget."""

    def __attrs_post_init__(self) -> None:
        check_count("attempts", self.attempts, 1)
        if self.budget is not None:
            check_count("budget", self.budget, 0)
        check_amount("base", self.base, zero=True)
        check_amount("cap", self.cap, zero=True)
        check_amount("retry_after_cap", self.retry_after_cap, zero=True)

    def wait(self, error: RequestError, kind: Kind, failures: int, roll: float) -> float | None:
        """Return the seconds until the next attempt, or None to give up.

        Args:
            error: What the latest attempt failed with.
            kind: What the call does.
            failures: Attempts that have failed, the latest included.
            roll: A throw of the dice, in [0, 1).
        """
        if failures >= self._most_attempts(error, kind) or not error.may_pass:
            return None
        if kind is Kind.PAID and not _surely_not_sent(error):
            return None
        jitter = roll * min(self.cap, self.base * 2.0 ** min(failures - 1, 60))
        if error.retry_after is None:
            return jitter
        if error.retry_after > self.retry_after_cap:
            return None
        # A little more than asked for, so that many workers do not come back in the same instant.
        return max(jitter, error.retry_after) * (1.0 + roll / 10.0)

    def _most_attempts(self, error: RequestError, kind: Kind) -> int:
        if isinstance(error, WireError):
            return min(2, self.attempts)  # a body that stays broken is the service's way of speaking
        return min(3, self.attempts) if kind is Kind.TOKEN else self.attempts


class Spending:
    """What the repeats of a session have cost, less what successes brought back. Views of a session share it.

    Source for the idea and the prices: the retry quota of the AWS SDKs, in its mode "standard".
    """

    def __init__(self) -> None:
        """Begin with nothing spent."""
        self.spent = 0

    def allows(self, error: RequestError, budget: int | None) -> bool:
        """Whether a repeat after ``error`` is within ``budget``; it is paid for if so."""
        if budget is None:
            return True
        if self.spent + _price(error) > budget:
            return False
        self.spent += _price(error)
        return True

    def succeeded(self, error: RequestError | None, budget: int | None) -> None:
        """Bring back what the repeat after ``error`` cost that led to a success; a little if there was none."""
        if budget is not None and self.spent:
            self.spent = max(0, self.spent - (_price(error) if error is not None else _FIRST_TRY))


_FIRST_TRY: Final = 1


def _price(error: RequestError) -> int:
    # To be turned away costs the service little; what else may pass can be the beginning of a breakdown.
    return 5 if isinstance(error, RateLimited) else 14


def _surely_not_sent(error: RequestError) -> bool:
    if error.may_have_happened:
        return False
    # A service that says when to come back has not acted; one that only says no may mean this very campaign.
    return not isinstance(error, ApiError) or (error.status in {429, 503} and error.retry_after is not None)
