"""What an answer outside 2xx means: which error, whether it may have happened, whether it may pass, and when to come back."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voicedrop_async import (
    ApiError,
    BadRequest,
    Conflict,
    Forbidden,
    Kind,
    NotFound,
    RateLimited,
    ServerFailed,
    TimedOut,
    Unauthorized,
    WireError,
)
from voicedrop_async.calls import Author, Complaint, Reply, refusal, retry_after, unknown
from voicedrop_async.models import CampaignProblem, Intent

NOW = datetime(2026, 1, 2, 12, tzinfo=UTC)
SERVICE, GATEWAY, ANYBODY = (Complaint(author=author) for author in (Author.SERVICE, Author.GATEWAY, Author.ANYBODY))


def refused(status: int, complaint: Complaint | None = None, kind: Kind = Kind.READ, headers: Mapping[str, str] | None = None) -> ApiError:
    return refusal(Reply(status=status, headers=headers or {}, body=b"", attempts=3, elapsed=0.1), complaint, kind, NOW)


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (300, ApiError),
        (400, BadRequest),
        (401, Unauthorized),
        (402, ApiError),
        (403, Forbidden),
        (404, NotFound),
        (409, Conflict),
        (422, BadRequest),
        (429, RateLimited),
        (499, ApiError),
        (500, ServerFailed),
        (501, ServerFailed),
        (599, ServerFailed),
        (600, ApiError),
    ],
)
def test_each_status_has_its_error(status: int, kind: type[ApiError]) -> None:
    error = refused(status)

    assert type(error) is kind
    assert (error.status, error.attempts) == (status, 3)


def test_a_refusal_brings_what_the_service_said() -> None:
    problem = CampaignProblem(code="400013002", developer_message="bad number", property=("to",))
    said = Complaint(author=Author.SERVICE, code="400013001", developer_message="no", problems=(problem,))

    error = refused(400, said)

    assert (error.code, error.developer_message, error.problems) == ("400013001", "no", (problem,))
    words = "code 400013001: no [1 problem: 400013002; see .problems]; mend the request: the same again fails again"
    assert str(error) == f"request: HTTP 400 (attempts: 3), {words}"


def test_a_code_beyond_all_measure_is_cut() -> None:
    """When nothing has to be found in it any more: half a secret is not known for one."""
    assert refused(400, Complaint(author=Author.SERVICE, code="9" * 99)).code == "9" * 40


def test_of_a_body_that_is_no_error_object_nothing_is_said() -> None:
    error = refused(502)

    assert (error.code, error.developer_message, error.problems) == (None, None, ())
    assert error.summary == "HTTP 502"


PASSING = {408, 425, 429, 500, 502, 503, 504}


@pytest.mark.parametrize("status", sorted(PASSING | {300, 399, 400, 401, 403, 404, 409, 422, 428, 430, 499, 501, 505, 599, 600}))
def test_only_what_may_pass_is_asked_again_and_told_when(status: int) -> None:
    error = refused(status, headers={"Retry-After": "7"})

    assert error.may_pass is (status in PASSING)
    assert error.retry_after == (7.0 if status in PASSING else None)


@pytest.mark.parametrize("status", [300, 301, 302, 303, 307, 308, 399])
def test_a_redirect_is_told_by_its_host_and_nothing_else_of_its_address(status: int) -> None:
    address = "https://user:word@elsewhere.example:8443/306912345678?token=word"

    error = refused(status, headers={"Location": address})

    assert error.summary == f"HTTP {status}, a redirect to elsewhere.example, which is never followed"


@pytest.mark.parametrize("headers", [{}, {"Location": ""}, {"Location": "/only/a/path"}, {"Location": "https://[broken/"}])
def test_a_redirect_to_nowhere_is_a_redirect_all_the_same(headers: dict[str, str]) -> None:
    assert refused(302, headers=headers).summary == "HTTP 302, a redirect, which is never followed"


def test_a_host_without_end_is_cut() -> None:
    summary = refused(302, headers={"Location": f"https://{'a' * 500}.example/"}).summary

    assert summary == f"HTTP 302, a redirect to {'a' * 80}, which is never followed"


@pytest.mark.parametrize("status", [299, 400])
def test_what_is_no_redirect_is_not_called_one(status: int) -> None:
    assert refused(status, headers={"Location": "https://elsewhere.example/"}).summary == f"HTTP {status}"


DEFINITE = [
    *[(401, author) for author in (SERVICE, GATEWAY, ANYBODY, None)],
    *[(status, author) for status in (400, 403, 404, 409, 422, 429, 499) for author in (SERVICE, GATEWAY)],
    (503, SERVICE),
]
"""Who says so, and with which status, has surely not acted."""
UNCERTAIN = [
    *[(status, author) for status in (302, 400, 403, 409, 429, 500, 503) for author in (ANYBODY, None)],
    *[(status, author) for status in (302, 399, 408, 500, 501, 502, 504, 600) for author in (SERVICE, GATEWAY)],
    (503, GATEWAY),
]


@pytest.mark.parametrize("kind", [Kind.PAID, Kind.CANCEL])
@pytest.mark.parametrize(("status", "author"), DEFINITE)
def test_what_the_service_or_its_gateway_refuses_has_not_happened(status: int, author: Complaint | None, kind: Kind) -> None:
    assert refused(status, author, kind).may_have_happened is False


@pytest.mark.parametrize("kind", [Kind.PAID, Kind.CANCEL])
@pytest.mark.parametrize(("status", "author"), UNCERTAIN)
def test_what_anybody_may_have_said_or_a_breakdown_leaves_open_may_have_happened(status: int, author: Complaint | None, kind: Kind) -> None:
    assert refused(status, author, kind).may_have_happened is True


@pytest.mark.parametrize("kind", [Kind.READ, Kind.TOKEN])
@pytest.mark.parametrize("status", [302, 500, 503])
def test_of_what_changes_nothing_nothing_may_have_happened(status: int, kind: Kind) -> None:
    assert refused(status, None, kind).may_have_happened is False


INTENT = Intent(ref="order-7", campaign_name="Spring sale", started_at=NOW, recipients=3)


def test_an_unknown_outcome_keeps_every_fact_of_its_failure() -> None:
    failure = ServerFailed(summary="HTTP 503", status=503, request="POST /voice/campaign", attempts=2, retry_after=7.0)

    error = unknown(failure, INTENT)

    assert (error.summary, error.request) == ("the outcome is unknown: HTTP 503", "POST /voice/campaign")
    assert (error.attempts, error.retry_after, error.intent, error.status) == (2, 7.0, INTENT, 503)
    assert error.may_have_happened
    assert str(error).endswith(
        "Do not send it again before you have looked: reconcile('order-7') searches the tracking for campaign 'Spring sale', some minutes "
        "after 2026-01-02T12:00:00+00:00 (recipients: 3). Whoever knows what became of it tells the journal: "
        "session.journal.settle('order-7', sent=True) or sent=False"
    )


@pytest.mark.parametrize(
    ("failure", "status"),
    [(WireError(summary="not JSON", status=200), 200), (WireError(summary="not JSON"), None), (TimedOut(summary="too long"), None)],
)
def test_an_unknown_outcome_has_a_status_where_there_was_an_answer(failure: WireError | TimedOut, status: int | None) -> None:
    assert unknown(failure, INTENT).status == status


# --- how long the service asks to wait --------------------------------------------------------------------------------


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


def test_h02_without_a_date_in_the_answer_a_moment_to_come_back_counts_from_now() -> None:
    assert refused(503, headers={"Retry-After": "Fri, 02 Jan 2026 12:00:30 GMT"}).retry_after == 30.0


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
