"""The rules on repeating a call, without clock, dice or network."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voicedrop_async import (
    ApiError,
    ConfigError,
    ConnectFailed,
    ConnectionLost,
    Kind,
    RateLimited,
    RequestError,
    Retry,
    ServerFailed,
    WireError,
)
from voicedrop_async.calls import Spending

ROLLS = st.floats(0, 1, exclude_max=True)
FAILURES = st.integers(1, 50)


@given(FAILURES, ROLLS)
def test_a_paid_send_that_may_have_happened_is_never_repeated(failures: int, roll: float) -> None:
    lost = ConnectionLost(summary="cut")

    assert Retry(attempts=100).wait(lost, Kind.PAID, failures, roll) is None


@given(FAILURES, ROLLS)
def test_a_paid_send_that_was_turned_away_is_repeated_only_when_told_when(failures: int, roll: float) -> None:
    turned_away = RateLimited(summary="HTTP 429", status=429, may_pass=True)
    told = RateLimited(summary="HTTP 429", status=429, may_pass=True, retry_after=2.0)

    assert Retry(attempts=100).wait(turned_away, Kind.PAID, failures, roll) is None
    assert Retry(attempts=100).wait(told, Kind.PAID, failures, roll) is not None


@pytest.mark.parametrize("status", [400, 409, 429, 500, 502, 503, 504])
def test_of_what_surely_did_not_happen_a_paid_send_is_repeated_where_the_service_says_when(status: int) -> None:
    refused = ApiError(summary=f"HTTP {status}", status=status, may_pass=True, retry_after=2.0)

    assert (Retry().wait(refused, Kind.PAID, 1, 0.0) is not None) == (status in {429, 503})


@pytest.mark.parametrize(("kind", "attempts"), [(Kind.READ, 4), (Kind.TOKEN, 3), (Kind.PAID, 4), (Kind.CANCEL, 4)])
def test_no_call_is_repeated_beyond_its_attempts(kind: Kind, attempts: int) -> None:
    waits = [Retry(attempts=4).wait(ConnectFailed(summary="refused"), kind, failures, 0.5) for failures in range(1, 7)]

    assert [wait is not None for wait in waits] == [failures < attempts for failures in range(1, 7)]


@pytest.mark.parametrize("kind", Kind)
def test_where_one_attempt_is_set_no_kind_of_call_is_repeated(kind: Kind) -> None:
    for error in (ConnectFailed(summary="refused"), WireError(summary="not JSON", may_pass=True)):
        assert Retry(attempts=1).wait(error, kind, 1, 0.0) is None


def test_the_bound_of_a_pause_doubles_up_to_its_cap() -> None:
    waits = [Retry(attempts=50).wait(ConnectFailed(summary="refused"), Kind.READ, failures, 0.5) for failures in range(1, 9)]

    assert waits == [0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 10.0, 10.0]


@given(st.integers(1, 3000), ROLLS)
def test_a_pause_is_jittered_up_to_a_doubling_bound(failures: int, roll: float) -> None:
    wait = Retry(attempts=5000).wait(ConnectFailed(summary="refused"), Kind.READ, failures, roll)

    assert wait is not None
    assert 0.0 <= wait <= min(20.0, 0.5 * 2.0 ** min(failures - 1, 60))


@given(st.floats(0, 60), ROLLS)
def test_a_wait_asked_for_is_kept_and_a_little_more(asked: float, roll: float) -> None:
    error = ServerFailed(summary="HTTP 503", status=503, may_pass=True, retry_after=asked)

    wait = Retry().wait(error, Kind.READ, 1, roll)

    assert wait is not None
    assert asked <= wait <= max(asked, 0.5) * 1.1


def test_many_workers_come_back_within_a_tenth_more_than_asked_for() -> None:
    error = RateLimited(summary="HTTP 429", status=429, may_pass=True, retry_after=20.0)

    assert [Retry().wait(error, Kind.READ, 1, roll) for roll in (0.0, 0.25, 0.5)] == pytest.approx([20.0, 20.5, 21.0])


def test_a_wait_beyond_the_cap_is_not_begun() -> None:
    error = RateLimited(summary="HTTP 429", status=429, may_pass=True, retry_after=60.5)
    as_long = RateLimited(summary="HTTP 429", status=429, may_pass=True, retry_after=60.0)

    assert Retry().wait(error, Kind.READ, 1, 0.0) is None
    assert Retry().wait(as_long, Kind.READ, 1, 0.0) == 60.0


def test_what_cannot_pass_is_not_repeated() -> None:
    assert Retry().wait(RequestError(summary="final"), Kind.READ, 1, 0.0) is None


FAILED, TURNED_AWAY = ServerFailed(summary="HTTP 503", status=503), RateLimited(summary="HTTP 429", status=429)


@pytest.mark.parametrize(("error", "repeats"), [(FAILED, 35), (TURNED_AWAY, 100), (ConnectFailed(summary="refused"), 35)])
def test_a_budget_of_500_pays_for_so_many_repeats_without_a_success(error: RequestError, repeats: int) -> None:
    spending, budget = Spending(), Retry().budget

    assert [spending.allows(error, budget) for _ in range(repeats + 1)] == [True] * repeats + [False]


@given(st.lists(st.sampled_from([FAILED, TURNED_AWAY, None]), max_size=200), st.integers(0, 60))
def test_what_is_spent_stays_within_the_budget_and_never_below_nothing(steps: list[RequestError | None], budget: int) -> None:
    """Each step is a repeat after an error, or a success at the first try; every other repeat succeeds."""
    spending = Spending()
    for place, error in enumerate(steps):
        before = spending.spent
        allowed = error is not None and spending.allows(error, budget)
        assert 0 <= spending.spent <= budget
        if allowed and place % 2:
            spending.succeeded(error, budget)
            assert spending.spent == before
        elif error is None:
            spending.succeeded(None, budget)
            assert spending.spent == max(0, before - 1)


def test_who_has_no_budget_neither_spends_nor_earns() -> None:
    spending = Spending()
    spending.allows(FAILED, 500)

    assert all(spending.allows(FAILED, None) for _ in range(1000))
    spending.succeeded(FAILED, None)
    assert spending.spent == 14


@pytest.mark.parametrize("budget", [-1, 1.5, True, "500"])
def test_a_budget_is_a_whole_number_or_none(budget: object) -> None:
    with pytest.raises(ConfigError, match="budget"):
        Retry(budget=budget)


def test_a_body_that_cannot_be_parsed_is_asked_for_once_more() -> None:
    broken = WireError(summary="not JSON", may_pass=True)

    assert Retry().wait(broken, Kind.READ, 1, 0.5) == 0.25
    assert Retry().wait(broken, Kind.READ, 2, 0.5) is None
