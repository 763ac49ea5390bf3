"""What cannot be is refused at the call: the text names the argument and the rule, and nothing is sent."""

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import partial
from typing import Any

import aiohttp
import attrs
import pytest
from campaigns import CAMPAIGN, NUMBER
from raw_server import RawServer, answer

from voicedrop_async import (
    Callback,
    CallbackStrategy,
    ClientCredentials,
    ConfigError,
    Event,
    Kind,
    Limits,
    Retry,
    RouteeDialect,
    RouteeSession,
    SpacivoxSession,
    SpokenMessage,
    StaticToken,
    Throttle,
    Timeouts,
    TrackingFilter,
)

NOON = datetime(2026, 1, 2, 12, tzinfo=UTC)
NAIVE = datetime(2026, 1, 2, 12)  # noqa: DTZ001 - what is refused


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"to": []}, "to: no recipients"),
        ({"to": [f"+30691234{n:04}" for n in range(1001)]}, "to: 1001 is above 1000"),
        ({"contacts": [str(n) for n in range(1001)]}, "contacts: 1001 is above 1000"),
        ({"groups": [str(n) for n in range(1001)]}, "groups: 1001 is above 1000"),
        ({"to": ["306912345678"]}, r"to\[0\]: not E.164"),
        ({"to": [NUMBER, "+0306912345678"]}, r"to\[1\]: not E.164"),
        ({"to": [NUMBER + " "]}, r"to\[0\]: not E.164"),
        ({"to": ["+1234567890123456"]}, r"to\[0\]: not E.164"),
        ({"to": [NUMBER, "+306900000001", NUMBER]}, r"to\[2\]: repeats to\[0\]"),
        ({"groups": [""]}, r"groups\[0\]: must not be empty"),
        ({"message": None}, "message: missing"),
        ({"file_url": "https://example.com/a.wav"}, "message: given together with file_url"),
        ({"message": SpokenMessage("")}, "message.text: must not be empty"),
        ({"message": SpokenMessage("x" * 1001)}, "message.text: 1001 characters are above 1000"),
        ({"message": None, "file_url": "http://example.com/a.wav"}, "file_url: plain http"),
        ({"message": None, "file_url": "a.wav"}, "file_url: must be a URL"),
        ({"name": "x"}, "name: must be 2 to 30"),
        ({"name": "x" * 31}, "name: must be 2 to 30"),
        ({"name": "Spring_sale"}, "name: must be 2 to 30"),
        ({"name": "Άνοιξη"}, "name: must be 2 to 30"),
        ({"sender": " "}, "sender: must not be empty"),
        ({"scheduled_date": NAIVE}, "scheduled_date: a naive datetime"),
        ({"scheduled_date": "tomorrow"}, "scheduled_date: a str is no datetime"),
        ({"hangup_delay": 0}, "hangup_delay: 0 is not above zero"),
        ({"hangup_delay": float("nan")}, "hangup_delay: must be a finite number"),
        ({"collect_dtmf_await_seconds": 5}, "collect_dtmf_await_seconds: only has a meaning"),
        ({"callback": Callback(CallbackStrategy.ON_CHANGE, url="http://example.com/")}, "callback.url: plain http"),
        ({"message": "Hello"}, "message: a str is no SpokenMessage"),
        ({"message": SpokenMessage("\ud800")}, "message.text: holds half a character"),
        ({"message": SpokenMessage("Hello", gender=5)}, "message.gender: an int is no text"),
        ({"message": None, "file_url": 5}, "file_url: an int is no str"),
        ({"callback": {"url": "x"}}, "callback: a dict is no Callback"),
        ({"respect_quiet_hours": "no"}, "respect_quiet_hours: a str is no bool"),
        ({"scheduled_date": datetime.max.replace(tzinfo=UTC)}, "scheduled_date: must not be within a day"),
        ({"callback": Callback(url="https://example.com/")}, "callback.strategy: missing"),
        ({"campaign_callback": Callback(CallbackStrategy.ON_CHANGE)}, "campaign_callback.url: must be a URL"),
    ],
)
async def test_a_campaign_that_cannot_be_is_not_sent(line: RawServer, caller: RouteeSession, change: dict[str, Any], says: str) -> None:
    campaign = attrs.evolve(CAMPAIGN, **change)

    with pytest.raises(ConfigError, match=says) as sent:
        await caller.send_campaign(campaign)
    with pytest.raises(ConfigError, match=says):
        await caller.analyze_campaign(campaign)

    assert line.connections == 0
    assert "3069" not in str(sent.value)


def test_one_recipient_may_be_a_bare_text() -> None:
    """Not a recipient for each of its characters."""
    assert attrs.evolve(CAMPAIGN, to=NUMBER).to == (NUMBER,)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"start": NAIVE}, "start: a naive datetime"),
        ({"end": NAIVE}, "end: a naive datetime"),
        ({"start": "2026-01-02"}, "start: a str is no datetime"),
        ({"start": NOON, "end": NOON}, "end: not after start"),
        ({"start": NOON, "end": NOON - timedelta(seconds=1)}, "end: not after start"),
        ({"page_size": 0}, "page_size: 0 is below 1"),
        ({"page_size": True}, "page_size: a bool is no whole number"),
        ({"max_items": -1}, "max_items: -1 is below 0"),
        ({"filters": [{"fieldName": "id"}]}, r"filters\[0\]: a dict is no TrackingFilter"),
        ({"filters": [TrackingFilter("recipient", 30)]}, r"filters\[0\].value: an int is no text"),
        ({"campaign_id": " "}, "campaign_id: must not be empty"),
        ({"filters": TrackingFilter("recipient", NUMBER)}, "filters: a TrackingFilter is no list"),
        ({"filters": 5}, "filters: an int is no list"),
        ({"filters": None}, "filters: None is no list"),
    ],
)
def test_a_search_that_cannot_be_is_refused_when_it_is_described(options: dict[str, Any], says: str) -> None:
    session = RouteeSession(StaticToken("t"))

    with pytest.raises(ConfigError, match=says):
        session.track_messages(**options)


@pytest.mark.parametrize("bad", ["", " ", ".", "..", 7])
async def test_an_id_that_would_be_another_path_is_refused(caller: RouteeSession, line: RawServer, bad: Any) -> None:
    for described in (caller.track_campaign, caller.track_conversation):
        with pytest.raises(ConfigError, match="tracking_id"):
            described(bad)
    for called in (caller.track_message, caller.delete_campaign):
        with pytest.raises(ConfigError, match="_id"):
            await called(bad)

    assert line.connections == 0


async def test_an_id_is_one_segment_of_the_path_whatever_it_holds(caller: RouteeSession, line: RawServer) -> None:
    await caller.delete_campaign("../a b/ü?x=1#y")

    assert line.received[0].target == "/voice/campaign/..%2Fa%20b%2F%C3%BC%3Fx%3D1%23y"


@pytest.mark.parametrize(
    ("start", "end", "options", "says"),
    [
        (NAIVE, NOON, {}, "start: a naive"),
        (NOON, NOON, {}, "end: not after start"),
        (NOON, NOON + timedelta(1), {"team": -1}, "team: -1 is below 0"),
        (NOON, NOON + timedelta(1), {"team": "1"}, "team: a str is no whole number"),
    ],
)
async def test_a_range_of_drops_that_cannot_be_is_refused(start: datetime, end: datetime, options: dict[str, Any], says: str) -> None:
    session = SpacivoxSession(StaticToken("t"), base_url="https://spacivox.example")

    with pytest.raises(ConfigError, match=says):
        session.drop_records(start, end, **options)
    with pytest.raises(ConfigError, match=says):
        await session.list_drop_records(start, end, **options)


def test_slices_longer_than_the_range_are_one() -> None:
    session = SpacivoxSession(StaticToken("t"), base_url="https://spacivox.example")

    assert session.drop_records(NOON, NOON + timedelta(1), slices=timedelta(days=9_000_000))
    with pytest.raises(ConfigError, match="slices: a str is no timedelta"):
        session.drop_records(NOON, NOON + timedelta(1), slices="1d")


@pytest.mark.parametrize("slices", [timedelta(0), timedelta(days=-1), timedelta(milliseconds=1)])
def test_slices_below_a_second_are_refused(slices: timedelta) -> None:
    session = SpacivoxSession(StaticToken("t"), base_url="https://spacivox.example")

    with pytest.raises(ConfigError, match="slices"):
        session.drop_records(NOON, NOON + timedelta(1), slices=slices)


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("http://api.example.com", "plain http"),
        ("http://127.0.0.1.example.com", "plain http"),
        ("http://localhost.example.com", "plain http"),
        ("ftp://api.example.com", "must be a URL such as https://example"),
        ("api.example.com", "must be a URL such as https://example"),
        ("https://", "must be a URL such as https://example"),
        ("https://user:pass@api.example.com", "no query, fragment, user name or password"),
        ("https://api.example.com?x=1", "no query, fragment"),
        ("https://api.example.com\r\n", "must be a URL such as https://example"),
        ("https://[::1", "must be a URL such as https://example"),
        ("https://api.example.com:port", "must be a URL such as https://example"),
        ("https://api.example.com/a/../b", "dot segments"),
        ("https://api.example.com/a/%2E%2e/b", "dot segments"),
        ("https://api.example.com/.", "dot segments"),
        (None, "no URL text"),
    ],
)
def test_a_base_url_must_be_https_off_this_machine(url: Any, says: str) -> None:
    with pytest.raises(ConfigError, match=f"base_url: .*{says}"):
        RouteeSession(StaticToken("t"), base_url=url)
    with pytest.raises(ConfigError, match=f"auth_url: .*{says}"):
        RouteeSession(ClientCredentials("i", "s"), auth_url=url)
    with pytest.raises(ConfigError, match=f"base_url: .*{says}"):
        SpacivoxSession(StaticToken("t"), base_url=url)


@pytest.mark.parametrize("url", ["http://127.0.0.1:1", "http://127.8.9.1/x", "http://[::1]:8080", "http://localhost"])
def test_plain_http_may_stay_on_this_machine(url: str) -> None:
    assert url in repr(RouteeSession(StaticToken("t"), base_url=url))


def test_plain_http_elsewhere_must_be_asked_for() -> None:
    assert "http://api" in repr(RouteeSession(StaticToken("t"), base_url="http://api.example.com", allow_insecure=True))


async def watches(_event: Event) -> None:
    """What nobody would await."""


class Watcher:
    """The same, as an object that can be called."""

    async def __call__(self, _event: Event) -> None:
        raise AssertionError


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: Limits(max_in_flight=0), "max_in_flight: 0 is below 1"),
        (lambda: Limits(send_reserve=-1), "send_reserve: -1 is below 0"),
        (lambda: Limits(rate=0), "rate: 0 is not above zero"),
        (lambda: Retry(attempts=0), "attempts: 0 is below 1"),
        (lambda: Retry(base=-1), "base: -1 is below zero"),
        (lambda: Timeouts(read=0), "read: 0 is not above zero"),
        (lambda: Timeouts(connect=float("inf")), "connect: must be a finite"),
        (lambda: RouteeSession(StaticToken("t"), deadline=0), "deadline: 0 is not above"),
        (lambda: RouteeSession(StaticToken("t")).with_options(deadline=-1), "deadline: -1 is not above"),
        (lambda: RouteeSession(StaticToken("t"), limits=Limits(), throttle=Throttle()), "limits: given together with throttle"),
        (lambda: RouteeSession("token"), "auth: must be"),
        (lambda: RouteeSession(StaticToken("t"), retry=3), "retry: an int is no Retry"),
        (lambda: RouteeSession(StaticToken("t")).with_options(timeouts=5), "timeouts: an int is no Timeouts"),
        (lambda: RouteeSession(StaticToken("t"), http="x"), "http: a str is no ClientSession"),
        (lambda: RouteeSession(StaticToken("t"), proxy="localhost:8080"), "proxy: must be a URL"),
        (lambda: RouteeSession(StaticToken("t"), dialect={}), "dialect: a dict is no RouteeDialect"),
        (lambda: RouteeSession(StaticToken("t"), trace_configs=5), "trace_configs: must be a list"),
        (lambda: RouteeSession(StaticToken("t"), trace_configs=aiohttp.TraceConfig()), "trace_configs: must be a list"),
        (lambda: RouteeSession(StaticToken("t"), trace_configs=[5]), r"trace_configs\[0\]: an int is no TraceConfig"),
        (lambda: RouteeSession(StaticToken("t"), on_event=5), "on_event: an int cannot be called"),
        (lambda: RouteeSession(StaticToken("t"), on_event=watches), "on_event: an async function"),
        (lambda: RouteeSession(StaticToken("t"), on_event=Watcher()), "on_event: an async function"),
        (lambda: RouteeSession(StaticToken("t"), on_event=partial(watches)), "on_event: an async function"),
        (lambda: RouteeDialect(date_format=5), "date_format: an int is no text"),
        (lambda: RouteeDialect(range_start=""), "range_start: must not be empty"),
        (lambda: Throttle(8), "limits: an int is no Limits"),
        (lambda: SpacivoxSession(ClientCredentials("i", "s"), base_url="https://x.example"), "auth: must be a StaticToken"),
    ],
)
def test_options_that_cannot_be_are_refused(make: Any, says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        make()


@attrs.frozen
class Price:
    """A value of the caller's own, of a kind that has a notation in JSON."""

    amount: float


@pytest.mark.parametrize(
    ("method", "path", "body", "says"),
    [
        ("get", "/x", None, "method"),
        ("GET /", "/x", None, "method"),
        ("GET", "x", None, "path"),
        ("GET", "//evil.example/x", None, "path"),
        ("GET", "/a/../b", None, "path"),
        ("GET", "/a\r\nHost: evil", None, "path"),
        ("GET", 5, None, "path"),
        (["GET"], "/x", None, "method"),
        ("POST", "/x", object(), r"json: not a JSON value \(TypeError"),
        ("POST", "/x", "\ud800", r"json: not a JSON value \(UnicodeEncodeError"),
        ("POST", "/x", {"a": float("nan")}, "json: holds NaN or infinity"),
        ("POST", "/x", [1, {"a": (float("-inf"),)}], "json: holds NaN or infinity"),
        ("POST", "/x", {"a": Decimal("NaN")}, "json: holds NaN or infinity"),
        ("POST", "/x", {float("inf"): 1}, "json: holds NaN or infinity"),
        ("POST", "/x", Price(float("nan")), "json: holds NaN or infinity"),
    ],
)
async def test_a_call_that_cannot_be_is_refused(
    caller: RouteeSession, line: RawServer, method: Any, path: Any, body: Any, says: str
) -> None:
    with pytest.raises(ConfigError, match=says):
        await caller.call(method, path, kind=Kind.READ, json=body)
    with pytest.raises(ConfigError, match=says):
        await caller.call(method, path, kind=Kind.PAID, json=body)

    assert line.connections == 0


@pytest.mark.parametrize(
    ("params", "says"),
    [
        ([("a", "b")], "params: a list is no Mapping"),
        ("a=b", "params: a str is no Mapping"),
        ({"a": "x\ud800"}, r"params\['a'\]: holds half a character"),
        ({"a\ud800": "x"}, "params: a name: holds half a character"),
        ({"": "x"}, "params: a name: must not be empty"),
        ({5: "x"}, "params: a name: an int is no text"),
        ({"a": float("inf")}, r"params\['a'\]: must be a finite number"),
        ({"a": float("nan")}, r"params\['a'\]: must be a finite number"),
        ({"a": None}, r"params\['a'\]: None is no text"),
    ],
)
async def test_a_query_that_cannot_be_is_refused(caller: RouteeSession, line: RawServer, params: Any, says: str) -> None:
    """Half a character went missing on the way, and infinity went out as a word."""
    with pytest.raises(ConfigError, match=says):
        await caller.call("GET", "/x", kind=Kind.READ, params=params)

    assert line.connections == 0


async def test_what_a_call_is_given_goes_out_as_it_is(caller: RouteeSession, line: RawServer) -> None:
    params = {"text": "a ü&=", "empty": "", "yes": True, "count": 5, "part": 0.5}
    await caller.call(
        "POST", "/x", kind=Kind.READ, params=params, json={"a": [None, True, 1.5, Decimal("0.10"), "ü"], "b": Price(2.5), "7": {}}
    )

    (received,) = line.received
    assert received.target == "/x?text=a+%C3%BC%26%3D&empty=&yes=true&count=5&part=0.5"
    assert received.body == '{"a":[null,true,1.5,0.10,"ü"],"b":{"amount":2.5},"7":{}}'.encode()


async def test_filters_may_come_from_any_iterable(caller: RouteeSession, line: RawServer) -> None:
    """They are looked at and sent; one that can be gone through once only was used up by the look."""
    line.will(answer(200, {"content": [], "totalElements": 0, "last": True}))
    filters: Any = (TrackingFilter("recipient", word) for word in ("a", "b"))

    await caller.track_messages(filters=filters).collect()

    assert [row["searchTerm"] for row in json.loads(line.received[0].body)] == ["a", "b"]


@pytest.mark.parametrize("kind", [Kind.TOKEN, "paid", "read", None])
async def test_the_kind_of_a_call_is_declared_and_not_guessed(caller: RouteeSession, line: RawServer, kind: Any) -> None:
    """A text that merely equals a kind would be a paid call to one rule and none to another."""
    with pytest.raises(ConfigError, match=r"kind: must be Kind.READ"):
        await caller.call("POST", "/voice/conversation", kind=kind)

    assert line.connections == 0
