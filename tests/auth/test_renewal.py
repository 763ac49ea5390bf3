"""When a token is renewed: before its end, when somebody was refused with it, and not more often than that. By a clock that we set."""

import asyncio

import pytest
from auth.clock import Clock

from voicedrop_async import ServerFailed
from voicedrop_async.auth import Credential, RenewedToken, early
from voicedrop_async.calls import TokenResponse


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def tokens(clock: Clock) -> RenewedToken:
    async def ask() -> TokenResponse:
        return TokenResponse(access_token="t", expires_in=3600)

    return RenewedToken(ask, clock=clock, roll=lambda: 0.0)


async def test_a_token_is_renewed_before_it_ends_and_used_until_then(clock: Clock) -> None:
    given = iter(["first", "second"])

    async def ask() -> TokenResponse:
        return TokenResponse(access_token=next(given), expires_in=3600)

    tokens = RenewedToken(ask, clock=clock, roll=lambda: 0.0)
    first = await tokens.current()
    clock.now = 3299.0
    assert await tokens.current() is first
    clock.now = 3301.0
    assert await tokens.current() is first  # the renewal has only begun
    await asyncio.gather(*(task for task in asyncio.all_tasks() if task.get_name() == "voicedrop token"))

    assert (await tokens.current()).header == "Bearer second"


async def test_a_renewal_that_fails_early_breaks_no_call(clock: Clock) -> None:
    asked = 0

    async def ask() -> TokenResponse:
        nonlocal asked
        asked += 1
        if asked > 1:
            raise ServerFailed(summary="HTTP 503", status=503)
        return TokenResponse(access_token="first", expires_in=3600)

    tokens = RenewedToken(ask, clock=clock, roll=lambda: 0.0)
    first = await tokens.current()
    clock.now = 3400.0
    for _ in range(3):
        assert await tokens.current() is first
        await asyncio.sleep(0)
        await asyncio.sleep(0)

    assert asked == 2
    clock.now = 3600.0
    with pytest.raises(ServerFailed):
        await tokens.current()


async def test_an_unusable_renewal_is_not_asked_for_with_each_call(clock: Clock) -> None:
    asked = 0

    async def ask() -> TokenResponse:
        nonlocal asked
        asked += 1
        return TokenResponse(access_token="first", expires_in=3600, token_type="Bearer" if asked == 1 else "mac")

    tokens = RenewedToken(ask, clock=clock, roll=lambda: 0.0)
    await tokens.current()
    clock.now = 3400.0
    for _ in range(10):
        await tokens.current()
        await asyncio.sleep(0)
        await asyncio.sleep(0)

    assert asked == 2


@pytest.mark.parametrize(("lifetime", "lead"), [(59, 0), (60, 30), (300, 60), (1999, 300), (3600, 300), (631139040, 300)])
def test_how_early_a_token_is_renewed(lifetime: float, lead: float) -> None:
    assert early(lifetime, 0.0) == lead
    assert early(lifetime, 0.999) <= lead * 1.1


async def refused_twice(tokens: RenewedToken, status: int) -> Credential:
    """Return the token that came in the place of one that was refused, and was refused as well."""
    first = await tokens.current()
    assert tokens.distrust(first, status, False)
    second = await tokens.current(first)
    assert second is not first
    assert not tokens.distrust(second, status, True)
    assert await tokens.current() is second
    return second


async def test_after_a_minute_403_may_again_mean_that_the_token_has_ended(tokens: RenewedToken, clock: Clock) -> None:
    """A service that says so in that way is not locked out until its token ends by the clock."""
    second = await refused_twice(tokens, 403)
    clock.now = 59.0
    assert not tokens.distrust(second, 403, False)
    assert await tokens.current() is second

    clock.now = 61.0
    assert tokens.distrust(second, 403, False)
    assert await tokens.current() is not second


async def test_401_always_means_that_the_token_may_have_ended(tokens: RenewedToken) -> None:
    """Also if the call before was refused with two tokens in a row."""
    second = await refused_twice(tokens, 403)

    assert tokens.distrust(second, 401, False)
    assert await tokens.current() is not second


async def test_who_was_refused_with_a_token_that_is_gone_has_the_present_one(tokens: RenewedToken) -> None:
    first = await tokens.current()
    second = await refused_twice(tokens, 403)

    assert tokens.distrust(first, 403, False)
    assert await tokens.current(first) is second
