"""The rules on repeating a call, without clock, dice or network."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voicedrop_async import (
    ApiError,
    ConfigError,
    ConnectFailed,
    ConnectionLost,
    Kind,
    OutcomeUnknown,
    RateLimited,
    RequestError,
    Retry,
    ServerFailed,
    WireError,
)
from voicedrop_async.calls import Author, Complaint, Reply, Request, Spending, refusal, retry_after, unknown
from voicedrop_async.models import Intent

NOW = datetime(2026, 1, 2, 12, tzinfo=UTC)
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


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("0", 0.0),
        ("120", 120.0),
        (" 7 ", 7.0),
        ("", None),
        ("-1", None),
        ("1.5", None),
        ("1e3", None),
        ("1_000", None),
        ("١٢", None),
        ("9" * 400, 1e9),
        ("soon", None),
        ("nan", None),
        ("inf", None),
        ("-Infinity", None),
        ("0x10", None),
        ("+5", None),
        ("\uff11\uff12", None),
        ("12, 13", None),
        ("0000000012", 12.0),
        ("Fri, 02 Jan 2026 12:00:30 GMT", 30.0),
        ("Friday, 02-Jan-26 12:00:30 GMT", 30.0),
        ("Fri Jan  2 12:00:30 2026", 30.0),
        ("Fri, 02 Jan 2026 11:00:00 GMT", 0.0),
        ("Fri, 02 Jan 2026 14:00:30 +0200", 30.0),
        ("Friday, 02-Jan-99 12:00:30 GMT", 0.0),
        ("Fri, 31 Dec 9999 23:59:59 GMT", 251634945599.0),
        ("Fri, 32 Jan 2026 11:00:00 GMT", None),
        ("Fri, 02 Jan 99999 11:00:00 GMT", None),
        ("Fri, 02 Jan 2026 12:00:30 +9999", None),
    ],
)
def test_h02_how_long_the_service_asks_to_wait(text: str, seconds: float | None) -> None:
    assert retry_after({"Retry-After": text}, NOW) == seconds


def test_h02_a_date_to_wait_for_counts_from_the_answer_s_own_clock() -> None:
    headers = {"Retry-After": "Fri, 02 Jan 2026 12:00:30 GMT", "Date": "Fri, 02 Jan 2026 12:00:20 GMT"}

    assert retry_after(headers, datetime(2030, 1, 1, tzinfo=UTC)) == 10.0


MOMENTS = st.integers(0, 2**37).map(lambda seconds: datetime.fromtimestamp(seconds, UTC))
DATES = st.builds(
    "{}, {:02} {} {} {}:{}:{} {}".format,
    st.sampled_from(["Mon", "Friday", "Fri", ""]),
    st.integers(-1, 40),
    st.sampled_from(["Jan", "Feb", "Dec", "Foo", "\u0661"]),
    st.integers(-1, 20_000),
    *[st.integers(-1, 70)] * 3,
    st.sampled_from(["GMT", "", "+0200", "-2359", "+99999999", "EST", "\x00"]),
)


@given(st.text() | DATES, st.text() | DATES)
def test_h02_no_retry_after_brings_anything_else_out(text: str, date: str) -> None:
    seconds = retry_after({"Retry-After": text, "Date": date}, NOW)

    assert seconds is None or 0.0 <= seconds < 1e12


@given(MOMENTS, st.integers(0, 10**6), MOMENTS)
def test_h02_no_clock_of_ours_matters_where_the_answer_bears_a_date(theirs: datetime, seconds: int, ours: datetime) -> None:
    headers = {
        "Date": format_datetime(theirs, usegmt=True),
        "Retry-After": format_datetime(theirs + timedelta(seconds=seconds), usegmt=True),
    }

    assert retry_after(headers, ours) == seconds


def test_a_request_shows_its_route_and_no_ids() -> None:
    request = Request(method="GET", route="/voice/tracking/{message_id}", kind=Kind.READ, ids={"message_id": "a/b"})

    assert str(request) == "GET /voice/tracking/{message_id}"
    assert request.path == "/voice/tracking/a%2Fb"
    assert "a/b" not in repr(request)


def test_the_unknown_keeps_the_facts_of_what_failed() -> None:
    intent = Intent(ref="order-7", campaign_name="Spring sale", started_at=NOW, recipients=3)
    error = unknown(ServerFailed(summary="HTTP 502", status=502, request="POST /voice/campaign", attempts=2), intent)

    assert isinstance(error, OutcomeUnknown)
    assert (error.status, error.attempts, error.intent) == (502, 2, intent)
    assert str(error).endswith(
        "Do not send it again before you have looked: reconcile('order-7') searches the tracking for campaign 'Spring sale', some minutes "
        "after 2026-01-02T12:00:00+00:00 (recipients: 3). Whoever knows what became of it tells the journal: "
        "session.journal.settle('order-7', sent=True) or sent=False"
    )


def test_a_code_beyond_all_measure_is_cut() -> None:
    """When nothing has to be found in it any more: half a secret is not known for one."""
    reply = Reply(status=400, headers={}, body=b"", attempts=1, elapsed=0.0)
    complaint = Complaint(author=Author.SERVICE, code="9" * 99)

    assert refusal(reply, complaint, Kind.READ, NOW).code == "9" * 40
    assert refusal(reply, None, Kind.READ, NOW).code is None


def test_a_route_shows_what_it_is_and_no_number_in_it() -> None:
    """Percent-encoded, a number with blanks in it would look like something else."""
    request = Request(method="GET", route="/voice/0030%20691%20234%205678/x%20y/%C3%BC", kind=Kind.READ)

    assert str(request) == "GET /voice/0030*****78/x y/ü"
    assert request.path == "/voice/0030%20691%20234%205678/x%20y/%C3%BC"
