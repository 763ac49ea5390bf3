"""Reading changes nothing: it is repeated on what may pass, and only on that."""

import asyncio
from datetime import UTC, datetime, timedelta

import aiohttp
import pytest
from answers import MESSAGE
from campaigns import CAMPAIGN, complaint
from raw_server import RawServer, Step, answer, falls_silent, hangs_up, resets, says

from voicedrop_async import (
    ApiError,
    BadRequest,
    ClientCredentials,
    Conflict,
    ConnectFailed,
    DeadlineExceeded,
    Event,
    Forbidden,
    Kind,
    Limits,
    NotFound,
    RateLimited,
    Retry,
    RouteeSession,
    ServerFailed,
    SessionClosed,
    StaticToken,
    Throttle,
    TimedOut,
    Timeouts,
    Unauthorized,
    WireError,
)
from voicedrop_async.sandbox import Sandbox


@pytest.mark.parametrize(
    "step",
    [
        pytest.param(hangs_up(), id="closed without a byte"),
        pytest.param(resets(b"HTTP/1.1 200 OK\r\n"), id="reset in the head"),
        pytest.param(says(b'HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n{"messageId"'), id="cut in the body"),
        pytest.param(says(b'HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n{"messageId"'), id="cut where only the end tells"),
        pytest.param(answer(408), id="408"),
        pytest.param(answer(425), id="425"),
        pytest.param(answer(429), id="429"),
        pytest.param(answer(500, complaint()), id="500"),
        pytest.param(answer(502, b"<html>"), id="502"),
        pytest.param(answer(503), id="503"),
        pytest.param(answer(504), id="504"),
        pytest.param(answer(200, b"<html>", content_type="text/html"), id="html on 200"),
    ],
)
async def test_what_may_pass_is_read_again(line: RawServer, caller: RouteeSession, step) -> None:
    line.will(step, MESSAGE)

    message = await caller.track_message("m")

    assert message.message_id == "m"
    assert len(line.received) == 2


@pytest.mark.parametrize(
    ("status", "error"),
    [(400, BadRequest), (401, Unauthorized), (403, Forbidden), (404, NotFound), (409, Conflict), (418, ApiError), (422, BadRequest)],
)
async def test_h10_a_refusal_is_final_and_says_why(line: RawServer, caller: RouteeSession, status: int, error: type[ApiError]) -> None:
    """The code, the words and the properties are the service's own; one request."""
    row = {"code": "400013001", "developerMessage": "invalid", "property": ["0030"]}
    line.will(answer(status, complaint("404013000", "tracking not found", errors=[row])))

    with pytest.raises(error) as caught:
        await caller.track_message("m")

    assert type(caught.value) is error
    assert (caught.value.status, caught.value.code, caught.value.developer_message) == (status, "404013000", "tracking not found")
    assert [(problem.code, problem.developer_message, problem.property) for problem in caught.value.problems] == [
        ("400013001", "invalid", ("0030",))
    ]
    assert f"{{message_id}}: HTTP {status} (attempts: 1), code 404013000: tracking not found [1 problem: " in str(caught.value)
    assert len(line.received) == 1


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 418, 422])
@pytest.mark.parametrize("wait", ["0", "1", "3600"])
async def test_h11_a_refusal_that_names_a_time_is_not_asked_again(
    line: RawServer, caller: RouteeSession, events: list[Event], status: int, wait: str
) -> None:
    """To come back later does not mend what is wrong with the request, so the time is not even passed on."""
    line.will(answer(status, complaint(), headers={"Retry-After": wait}))

    with pytest.raises(ApiError) as caught:
        await caller.track_message("m")

    assert caught.value.retry_after is None
    assert len(line.received) == 1
    assert [event.name for event in events] == ["answered"]


async def test_h06_two_answers_of_503_are_three_requests(line: RawServer, caller: RouteeSession, events: list[Event]) -> None:
    line.will(answer(503, complaint()), answer(503, complaint()), MESSAGE)

    message = await caller.track_message("m")

    assert message.message_id == "m"
    assert len(line.received) == 3
    assert [event.status for event in events if event.name == "answered"] == [503, 503, 200]


@pytest.mark.parametrize(
    "body",
    [
        {"code": "400005001", "developerMessage": "bad"},
        {"code": "400005001", "developerMessage": "bad", "properties": {"to": "invalid"}},
        {"developerMessage": "bad", "errors": [{"errorCode": "400005001", "developerMessage": "x"}]},
        {"code": 400005001, "developerMessage": "bad", "entity": "contact", "value": "9"},
        {"timestamp": 1, "status": 400, "error": "Bad Request", "message": "bad", "path": "/x"},
        {"error": "invalid_scope", "error_description": "bad"},
    ],
)
async def test_each_spelling_of_an_error_is_read(line: RawServer, caller: RouteeSession, body: dict[str, object]) -> None:
    line.will(answer(400, body))

    with pytest.raises(BadRequest) as caught:
        await caller.track_message("m")

    assert caught.value.developer_message == "bad"
    codes = {caught.value.code, *(problem.code for problem in caught.value.problems)}
    assert ("400005001" in codes) == ("error" not in body)


async def test_a_failure_that_stays_is_raised_after_four_attempts(line: RawServer, caller: RouteeSession) -> None:
    line.will(answer(503, complaint("503")))

    with pytest.raises(ServerFailed) as caught:
        await caller.track_message("m")

    assert caught.value.attempts == len(line.received) == 4
    assert not caught.value.may_have_happened


async def test_j15_a_body_that_stays_broken_is_asked_for_twice_and_names_its_type(line: RawServer, caller: RouteeSession) -> None:
    line.will(answer(200, b"<html>Login</html>", content_type="text/html; charset=utf-8"))

    with pytest.raises(WireError) as caught:
        await caller.track_message("m")

    assert len(line.received) == 2
    assert (caught.value.status, caught.value.content_type, caught.value.length) == (200, "text/html; charset=utf-8", 18)
    assert "Login" not in str(caught.value)


async def test_an_answer_of_another_shape_is_not_asked_for_again(line: RawServer, caller: RouteeSession) -> None:
    line.will(answer(200, {"content": [{"messageId": "m"}], "totalPages": "many"}))

    with pytest.raises(WireError) as caught:
        await caller.track_messages().first()

    assert caught.value.path == "totalPages"
    assert len(line.received) == 1


@pytest.mark.parametrize("prefetch", [0, 2])
async def test_g12_the_page_that_was_not_asked_for_is_refused(line: RawServer, caller: RouteeSession, prefetch: int) -> None:
    """A server that answers with another page would repeat some messages and lose others: nothing of it is handed out."""
    counts = {"totalPages": 5, "totalElements": 5, "last": False}
    line.will(*(answer(200, {"content": [{"messageId": f"m{number}"}], "number": number, **counts}) for number in (0, 3)))

    async with caller.track_messages(page_size=1, prefetch=prefetch).walk() as walk:
        first = await anext(aiter(walk))
        with pytest.raises(WireError) as caught:
            await anext(aiter(walk))

    assert caught.value.path == "number"
    assert caught.value.resume == walk.token
    assert (first.message_id, walk.report.items) == ("m0", 1)


async def test_h01_a_wait_that_is_asked_for_is_kept_by_everybody(line: RawServer, events: list[Event]) -> None:
    """One caller is told to come back in a second; the other, on the same throttle, waits as well."""
    line.will(answer(429, complaint(), headers={"Retry-After": "1"}), MESSAGE)
    clock = asyncio.get_running_loop().time
    throttle = Throttle()
    pausing = asyncio.Event()

    def observe(event: Event) -> None:
        events.append(event)
        if event.name == "pausing":
            pausing.set()

    first = RouteeSession(StaticToken("a"), base_url=line.url, throttle=throttle, on_event=observe)
    second = RouteeSession(StaticToken("b"), base_url=line.url, throttle=throttle)
    async with first, second:
        began = clock()
        paused = asyncio.create_task(first.track_message("m"))
        await pausing.wait()
        assert (await second.track_message("m")).message_id == "m"
        waited = clock() - began
        assert (await paused).message_id == "m"

    (pause,) = [event.seconds for event in events if event.name == "pausing"]
    assert 1.0 <= pause <= 1.1
    assert waited >= 1.0
    assert len(line.received) == 3


async def test_h04_a_wait_longer_than_we_accept_is_raised_at_once(line: RawServer, caller: RouteeSession, events: list[Event]) -> None:
    line.will(answer(429, complaint(), headers={"Retry-After": "3600"}))

    with pytest.raises(RateLimited) as caught:
        await caller.track_message("m")

    assert caught.value.retry_after == 3600.0
    assert len(line.received) == 1
    assert [event.name for event in events] == ["answered"]


async def test_h04_whoever_gives_up_on_a_429_pauses_the_others_all_the_same(line: RawServer) -> None:
    line.will(answer(429, complaint(), headers={"Retry-After": "3600"}), MESSAGE)
    async with RouteeSession(StaticToken("t"), base_url=line.url, deadline=0.1) as session:
        with pytest.raises(RateLimited):
            await session.track_message("m")
        with pytest.raises(DeadlineExceeded):
            await session.track_message("m")

    assert len(line.received) == 1


async def test_closing_ends_a_pause(line: RawServer, events: list[Event]) -> None:
    line.will(answer(503, complaint(), headers={"Retry-After": "50"}))
    pausing = asyncio.Event()
    session = RouteeSession(StaticToken("t"), base_url=line.url, on_event=lambda event: pausing.set() if event.name == "pausing" else None)
    waiting = asyncio.create_task(session.track_message("m"))
    await pausing.wait()

    await session.aclose()

    with pytest.raises(SessionClosed):
        await waiting


async def test_h02_a_wait_may_be_given_as_a_date_by_the_server_s_own_clock(line: RawServer, caller: RouteeSession) -> None:
    ago = datetime.now(UTC) - timedelta(days=400)
    form = "%a, %d %b %Y %H:%M:%S GMT"
    headers = {"Date": ago.strftime(form), "Retry-After": (ago + timedelta(seconds=600)).strftime(form)}
    line.will(answer(503, complaint(), headers=headers))

    with pytest.raises(ServerFailed) as caught:
        await caller.track_message("m")

    assert caught.value.retry_after == 600.0


async def test_an_attempt_is_held_to_its_last_byte(line: RawServer) -> None:
    """The head comes at once and the body never: the clock of the attempt runs on."""
    line.will(falls_silent(b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n{"))
    async with RouteeSession(
        StaticToken("t"), base_url=line.url, timeouts=Timeouts(read=0.05), retry=Retry(attempts=2, base=0.0)
    ) as session:
        with pytest.raises(TimedOut) as caught:
            await session.track_message("m")

    assert isinstance(caught.value, TimeoutError)
    assert len(line.received) == caught.value.attempts == 2


async def test_a_deadline_covers_attempts_and_pauses(line: RawServer) -> None:
    line.will(falls_silent())
    async with RouteeSession(StaticToken("t"), base_url=line.url, deadline=0.05) as session:
        with pytest.raises(DeadlineExceeded) as caught:
            await session.track_message("m")

    assert isinstance(caught.value, TimeoutError)
    assert "not done within 0.05 s" in str(caught.value)


async def test_a_pause_beyond_the_deadline_is_not_begun(line: RawServer) -> None:
    line.will(answer(503, complaint(), headers={"Retry-After": "30"}))
    async with RouteeSession(StaticToken("t"), base_url=line.url, deadline=20.0) as session:
        with pytest.raises(ServerFailed) as caught:
            await session.track_message("m")

    assert caught.value.retry_after == 30.0


async def test_n18_waiting_for_a_slot_does_not_eat_the_time_of_an_attempt(sandbox: Sandbox) -> None:
    """Ten calls share one slot and take longer together than one attempt may; none fails."""
    sandbox.delay(0.03, path="/voice/tracking")
    session = RouteeSession(
        ClientCredentials(*sandbox.credentials),
        base_url=sandbox.routee_url,
        auth_url=sandbox.auth_url,
        limits=Limits(max_in_flight=1),
        timeouts=Timeouts(read=0.25),
        retry=Retry(attempts=1),
    )
    async with session:
        counts = await asyncio.gather(*(session.track_messages().count() for _ in range(10)))

    assert counts == [500] * 10


async def test_a_pool_smaller_than_the_limits_is_waited_for_within_the_time_of_connecting(line: RawServer) -> None:
    """Of a borrowed connector the one connection is taken: the next call has a slot and no connection, and sends nothing."""
    line.will(falls_silent())
    timeouts, retry = Timeouts(connect=0.05, read=30.0), Retry(attempts=1)
    async with (
        aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=1)) as http,
        RouteeSession(StaticToken("t"), base_url=line.url, http=http, timeouts=timeouts, retry=retry) as session,
    ):
        holding = asyncio.create_task(session.track_message("m"))
        await line.arrived.wait()
        with pytest.raises(TimedOut, match=r"no connection within 0\.05 s"):
            await session.track_message("m-2")
        holding.cancel()
        await asyncio.gather(holding, return_exceptions=True)

    assert len(line.received) == 1


async def test_no_connection_is_a_failure_to_connect(unused_tcp_port: int) -> None:
    async with RouteeSession(StaticToken("t"), base_url=f"http://127.0.0.1:{unused_tcp_port}", retry=Retry(base=0.0)) as session:
        with pytest.raises(ConnectFailed) as caught:
            await session.track_message("m")

    assert caught.value.attempts == 4


async def test_n02_a_host_that_does_not_exist_is_a_failure_to_connect() -> None:
    """For all it knows the name may be found the next time: it is looked up once an attempt, for a campaign too."""
    async with RouteeSession(StaticToken("t"), base_url="https://no-such-host.invalid", retry=Retry(attempts=2, base=0.0)) as session:
        with pytest.raises(ConnectFailed) as read:
            await session.track_message("m")
        with pytest.raises(ConnectFailed) as paid:
            await session.send_campaign(CAMPAIGN)

    for caught in (read, paid):
        assert (caught.value.attempts, caught.value.may_have_happened) == (2, False)


async def test_n20_plain_http_behind_https_is_final() -> None:
    """TLS to a server that speaks none: a fault of the set-up, so it is not tried again."""
    connections: list[asyncio.StreamWriter] = []

    async def in_clear(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connections.append(writer)
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        writer.close()

    server = await asyncio.start_server(in_clear, "127.0.0.1", 0)
    async with server, RouteeSession(StaticToken("t"), base_url=f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}") as session:
        with pytest.raises(ConnectFailed) as caught:
            await session.track_message("m")

    assert not caught.value.may_pass
    assert len(connections) == 1


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_no_redirect_is_followed(line: RawServer, caller: RouteeSession, status: int) -> None:
    async with RawServer() as elsewhere:
        line.will(answer(status, b"", headers={"Location": f"{elsewhere.url}/voice/tracking"}))

        with pytest.raises(ApiError) as caught:
            await caller.track_messages().first()

        assert "redirect" in str(caught.value)
        assert elsewhere.connections == 0


async def test_gone_already_after_a_lost_answer_is_success(line: RawServer, caller: RouteeSession) -> None:
    """The first deletion acted and its answer was lost; the second finds nothing left to delete."""
    line.will(hangs_up(), hangs_up(), answer(404, complaint("404009000")))

    assert await caller.delete_campaign("tid-1") is None


@pytest.mark.parametrize("before", [(), (answer(502, b"<html>", content_type="text/html"),)])
async def test_a_404_that_is_not_the_service_s_own_says_nothing_of_a_campaign(
    line: RawServer, caller: RouteeSession, before: tuple[Step, ...]
) -> None:
    """A proxy's page, or another address: what was to be taken back may ring, whether an answer was lost before or not."""
    line.will(*before, answer(404, b"<html>nginx</html>", content_type="text/html"))

    with pytest.raises(NotFound):
        await caller.delete_campaign("tid-1")


async def test_a_campaign_that_never_was_is_not_found(line: RawServer, caller: RouteeSession) -> None:
    line.will(answer(404, complaint("404009000")))

    with pytest.raises(NotFound):
        await caller.delete_campaign("tid-1")


async def test_steps_of_a_call_are_told_without_what_was_said(line: RawServer, caller: RouteeSession, events: list[Event]) -> None:
    line.will(answer(503, complaint()), answer(200, {"messageId": "m"}))

    await caller.track_message("m")

    assert [(event.name, event.status, event.attempt) for event in events] == [
        ("answered", 503, 1),
        ("pausing", None, 1),
        ("answered", 200, 2),
    ]
    assert {(event.kind, event.route) for event in events} == {(Kind.READ, "GET /voice/tracking/{message_id}")}


async def test_an_observer_that_fails_changes_nothing(line: RawServer, caplog: pytest.LogCaptureFixture) -> None:
    def observer(event: Event) -> None:
        raise ValueError("secret words")

    line.will(MESSAGE)
    async with RouteeSession(StaticToken("t"), base_url=line.url, on_event=observer) as session:
        message = await session.track_message("m")

    assert message.message_id == "m"
    assert "on_event raised ValueError" in caplog.text
    assert "secret words" not in caplog.text


async def test_reads_share_a_connection(line: RawServer, caller: RouteeSession) -> None:
    line.will(MESSAGE)

    for _ in range(3):
        await caller.track_message("m")

    assert len({request.connection for request in line.received}) == 1
