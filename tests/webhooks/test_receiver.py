"""The receiver, on a real line: what it answers, what it hands on, and what it keeps to itself."""

import asyncio
import gzip
import json
import logging
import pickle
import threading
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve
from campaigns import CAMPAIGN
from webhooks.callbacks import SECRET, Heard, Poster, message, served, served_by_uvicorn
from yarl import URL

from voicedrop_async import (
    Callback,
    CallbackEvent,
    CallbackKind,
    CallbackReceiver,
    CallbackStrategy,
    CampaignEvent,
    ClientCredentials,
    ConfigError,
    DtmfEvent,
    MessageEvent,
    RouteeSession,
)
from voicedrop_async.sandbox import Sandbox


@pytest.fixture
def heard() -> Heard:
    return Heard()


@pytest.fixture
async def poster(heard: Heard) -> AsyncGenerator[Poster]:
    async with CallbackReceiver(heard, secret=SECRET) as receiver, served(receiver) as poster:
        yield poster


DOORS = [pytest.param(served, id="aiohttp"), pytest.param(served_by_uvicorn, id="uvicorn", marks=pytest.mark.once)]
WRONG = [SECRET[:-1], SECRET + "x", SECRET.upper(), "x" * len(SECRET), "é" * 40, "%ff", "%20", "..."]


@pytest.mark.parametrize("door", DOORS)
async def test_s08_a_callback_is_taken_in_by_its_secret_once_and_up_to_a_length(
    heard: Heard, door: Any, caplog: pytest.LogCaptureFixture
) -> None:
    """Through both doors: what is answered, and that nothing of it is seen in a log."""
    caplog.set_level(logging.DEBUG, "voicedrop_async")
    async with CallbackReceiver(heard, secret=[SECRET, "next-one-" * 5]) as receiver, door(receiver) as poster:
        said = {
            "wrong": {await poster.post(message(), secret=secret) for secret in WRONG},
            "unknown kind": await poster.post(message(), "mess"),
            "10 MB": await poster.post(b" " * 10_000_000),
            "no JSON": await poster.post(b"<html>+306912345678</html>"),
            "first": await poster.post(message()),
            "again": await poster.post(message(price=1)),
            "another status": await poster.post(message(status="Completed")),
            "by the other secret": await poster.post(message(2), secret="next-one-" * 5),
            "as a campaign": await poster.post({"trackingId": "c-1", "state": "Running"}, "campaign"),
        }
        async with poster.http.get(f"{poster.base}/{SECRET}/message") as answer:
            assert (answer.status, answer.headers["Allow"]) == (405, "POST")
        async with poster.http.get(f"{poster.base}/{SECRET[:-1]}/message") as answer:
            assert answer.status == 404
        async with poster.http.post(f"{poster.base}/{SECRET}/message", data=b"plain", headers={"Content-Encoding": "gzip"}) as answer:
            assert answer.status == 415
        await heard.until(4)

    assert said == {
        "wrong": {404}, "unknown kind": 404, "10 MB": 413, "no JSON": 400, "first": 200, "again": 200, "another status": 200,
        "by the other secret": 200, "as a campaign": 200,
    }  # fmt: skip
    assert [getattr(event, "message_id", "c") for event in heard.events] == ["m-1", "m-1", "m-2", "c"]
    assert [type(event) for event in heard.events] == [MessageEvent, MessageEvent, MessageEvent, CampaignEvent]
    assert "is refused" in caplog.text
    assert [word for word in (SECRET, "next-one", "30691") if word in caplog.text] == []


@pytest.mark.parametrize("door", DOORS)
async def test_who_posts_slowly_or_compressed_is_answered_and_makes_no_noise(
    heard: Heard, door: Any, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Slowly: the connection is closed, too. Compressed: read on by no server, which would log each broken one with a traceback."""
    monkeypatch.setattr("voicedrop_async.webhooks._receiver._TO_POST", 0.05)
    packed, broken = gzip.compress(json.dumps(message()).encode()), b"nope"
    async with asyncio.timeout(5), CallbackReceiver(heard, secret=SECRET) as receiver, door(receiver) as poster:
        slow = await raw(poster, b'{"', "Content-Length: 50")
        for secret, statuses in ((SECRET, {415}), ("x" * 40, {404})):
            coded = {
                await raw(poster, body, f"Content-Length: {len(body)}\r\nContent-Encoding: {coding}\r\nConnection: close", secret=secret)
                for body, coding in ((packed, "gzip"), (broken, "gzip"), (broken, "deflate"), (broken, "x-other"))
            }
            assert coded == statuses
        plain = json.dumps(message()).encode()
        assert await raw(poster, plain, f"Content-Length: {len(plain)}\r\nContent-Encoding: identity\r\nConnection: close") == 200

    assert slow == 408
    assert len(heard.events) == 1
    noise = [record for record in caplog.records if record.levelno >= logging.WARNING]
    assert [record for record in noise if not record.message.startswith("Executing ")] == []  # asyncio may call a step slow


async def raw(poster: Poster, body: bytes, head: str, *, secret: str = SECRET) -> int:
    """Post by hand, and wait until the connection is closed; return the status."""
    url = URL(poster.base)
    reader, writer = await asyncio.open_connection(url.host, url.port)
    writer.write(f"POST {url.path}/{secret}/message HTTP/1.1\r\nHost: localhost\r\n{head}\r\n\r\n".encode() + body)
    try:
        answer = await reader.read()
    finally:
        writer.close()
    return int(answer.split()[1])


async def test_by_itself_under_asgi_it_lives_as_long_as_its_server(heard: Heard, tmp_path: Path) -> None:
    """The lifespan opens and closes it, also when it is cancelled; a file that cannot be opened fails the start.

    A client that leaves is not answered, one that wants a web socket gets none, and a path may end in a slash, as Litestar's do.
    """
    said, server = list[Any](), asyncio.Queue[Any]()
    started, part = asyncio.Event(), {"type": "http.request", "body": b'{"messageId":', "more_body": True}

    async def send(message: Any) -> None:
        said.append(message.get("status", message["type"]))
        started.set()

    async def post(*parts: Any) -> None:
        messages: asyncio.Queue[Any] = asyncio.Queue()
        for one in parts:
            messages.put_nowait(one)
        scope = {"type": "http", "http_version": "1.1", "method": "POST", "path": f"/{SECRET}/message/", "headers": []}
        await receiver(scope, messages.get, send)

    receiver = CallbackReceiver(heard, secret=SECRET)
    living = asyncio.create_task(receiver({"type": "lifespan"}, server.get, send))
    server.put_nowait({"type": "lifespan.startup"})
    await started.wait()
    await post(part, {"type": "http.request", "body": b'"m-1"}'})
    await post(part, {"type": "http.disconnect"})
    server.put_nowait({"type": "lifespan.shutdown"})
    await living
    server.put_nowait({"type": "lifespan.startup"})
    await CallbackReceiver(heard, secret=SECRET, path=tmp_path)({"type": "lifespan"}, server.get, send)
    await receiver({"type": "websocket"}, server.get, send)
    started.clear()
    server.put_nowait({"type": "lifespan.startup"})
    living = asyncio.create_task(receiver({"type": "lifespan"}, server.get, send))
    await started.wait()
    living.cancel()
    await asyncio.wait({living})

    assert said == [
        "lifespan.startup.complete", 200, "http.response.body", "lifespan.shutdown.complete", "lifespan.startup.failed", "websocket.close",
        "lifespan.startup.complete",
    ]  # fmt: skip
    assert receiver._task is None
    assert [getattr(event, "message_id", None) for event in heard.events] == ["m-1"]


async def test_both_spellings_of_a_status_are_one_status(poster: Poster, heard: Heard) -> None:
    tracked = message() | {"status": {"status": "Ringing", "date": "2026-03-02T12:00:00Z"}}

    assert [await poster.post(body) for body in (message(), tracked, message(2))] == [200, 200, 200]
    assert [getattr(event, "message_id", None) for event in await heard.until(2)] == ["m-1", "m-2"]


async def test_a_key_that_is_pressed_twice_is_handed_on_twice(poster: Poster, heard: Heard) -> None:
    pressed = {"messageId": "m-1", "collectedTones": "1"}

    assert [await poster.post(pressed, "dtmf") for _ in range(2)] == [200, 200]
    assert [event.collected_tones for event in await heard.until(2) if isinstance(event, DtmfEvent)] == ["1", "1"]


@pytest.mark.parametrize("raises", [None, ValueError, asyncio.CancelledError, pytest.fail.Exception])
async def test_whatever_the_handler_does_the_answer_is_200_at_once(
    poster: Poster, heard: Heard, raises: Any, caplog: pytest.LogCaptureFixture
) -> None:
    """While it waits for a thing that does not come, and when it raises; the next one is handed on all the same."""
    heard.may_go_on.clear()
    heard.raises = raises
    async with asyncio.timeout(1.5):
        assert [await poster.post(message(number)) for number in range(20)] == [200] * 20
    await heard.until(1)
    heard.may_go_on.set()
    await heard.until(20)

    assert heard.called == 20
    assert ("the handler raised" in caplog.text) == (raises is not None)
    assert "30691" not in caplog.text


async def test_a_plain_function_may_block() -> None:
    """It has a thread of its own; who waits for it at the end is told what it had not seen."""
    go_on, seen = threading.Event(), list[CallbackEvent]()

    def blocks(event: CallbackEvent) -> None:
        go_on.wait(20)
        seen.append(event)

    async with CallbackReceiver(blocks, secret=SECRET) as receiver, served(receiver) as poster:
        async with asyncio.timeout(1.5):
            assert [await poster.post(message(number)) for number in range(3)] == [200] * 3
        assert receiver.waiting == 3
        go_on.set()

    assert [getattr(event, "message_id", None) for event in seen] == ["m-0", "m-1", "m-2"]
    assert receiver.waiting == 0


async def test_a_plain_function_may_raise_what_no_future_takes(caplog: pytest.LogCaptureFixture) -> None:
    seen = list[CallbackEvent]()

    def raises(event: CallbackEvent) -> None:
        seen.append(event)
        raise StopIteration

    async with CallbackReceiver(raises, secret=SECRET) as receiver, served(receiver) as poster:
        assert [await poster.post(message(number)) for number in range(2)] == [200, 200]

    assert len(seen) == caplog.text.count("the handler raised RuntimeError") == 2


async def test_where_nothing_is_handed_on_any_more_nothing_is_taken_in(heard: Heard) -> None:
    """Somebody cancelled each task of the loop. Closing does not wait for what cannot come."""
    async with asyncio.timeout(5), CallbackReceiver(heard, secret=SECRET, patience=60) as receiver, served(receiver) as poster:
        heard.may_go_on.clear()
        assert await poster.post(message(1)) == 200
        assert receiver._task is not None
        receiver._task.cancel()
        await asyncio.wait({receiver._task})
        assert await poster.post(message(2)) == 503


async def test_a_full_line_takes_in_nothing_until_there_is_room(heard: Heard, caplog: pytest.LogCaptureFixture) -> None:
    """What was refused comes again: it was not remembered."""
    heard.may_go_on.clear()
    async with CallbackReceiver(heard, secret=SECRET, capacity=2) as receiver, served(receiver) as poster:
        assert [await poster.post(message(number)) for number in (1, 2, 3, 3, 1)] == [200, 200, 503, 503, 200]
        heard.may_go_on.set()
        await heard.until(2)
        assert await poster.post(message(3)) == 200
        await heard.until(3)

    assert caplog.text.count("more are answered 503") == 1


async def test_what_is_remembered_is_bounded(heard: Heard) -> None:
    async with CallbackReceiver(heard, secret=SECRET, remember=2) as receiver, served(receiver) as poster:
        for number in (1, 2, 2, 3, 1):
            assert await poster.post(message(number)) == 200

    assert [getattr(event, "message_id", None) for event in heard.events] == ["m-1", "m-2", "m-3", "m-1"]


async def test_closing_takes_in_nothing_more_and_waits_for_the_handler_a_while(heard: Heard, caplog: pytest.LogCaptureFixture) -> None:
    receiver = CallbackReceiver(heard, secret=SECRET, patience=0)
    async with served(receiver) as poster:
        assert await poster.post(message()) == 503
        async with receiver:
            with pytest.raises(ConfigError, match="open already"):
                await receiver.__aenter__()
            heard.may_go_on.clear()
            assert [await poster.post(message(number)) for number in (1, 2)] == [200, 200]
        assert "closed before the handler had seen 2 of them, which are lost" in caplog.text
        assert await poster.post(message()) == 503
        await receiver.aclose()


async def test_what_a_campaign_of_the_sandbox_posts_arrives(heard: Heard) -> None:
    """Each change of each message, and of the campaign, in the order in which it was posted; watchers see the same."""
    watched: list[CallbackEvent] = []
    async with AsyncExitStack() as stack:
        receiver = await stack.enter_async_context(CallbackReceiver(heard, secret=SECRET))
        base = (await stack.enter_async_context(served(receiver))).base
        stack.enter_context(receiver.watched_by(watched.append))
        sandbox = await stack.enter_async_context(Sandbox(messages=0, drops=0, speed=1000))
        auth = ClientCredentials(*sandbox.credentials)
        routee = await stack.enter_async_context(RouteeSession(auth, base_url=sandbox.routee_url, auth_url=sandbox.auth_url))
        await routee.send_campaign(
            evolve(
                CAMPAIGN,
                to=[f"+3069{number:08}" for number in range(5)],
                callback=Callback(CallbackStrategy.ON_CHANGE, url=receiver.url(base, CallbackKind.MESSAGE)),
                campaign_callback=Callback(CallbackStrategy.ON_CHANGE, url=receiver.url(base, CallbackKind.CAMPAIGN)),
            )
        )
        await heard.until(sum(len(call.turns) - 1 for call in sandbox.campaigns[0].calls) + 3)

    posted = [(body.get("messageId"), body.get("state") or body["status"]["name"]) for body in (one.body for one in sandbox.callbacks)]
    assert [
        (event.message_id, event.status and event.status.status) if isinstance(event, MessageEvent) else (None, getattr(event, "state", ""))
        for event in heard.events
    ] == posted
    assert watched == heard.events
    assert [event for event in heard.events if event.extra] == []
    assert {one.status for one in sandbox.callbacks} == {200}


def handle(event: CallbackEvent) -> None:
    """Handle nothing."""


@pytest.mark.parametrize(
    ("options", "fault"),
    [
        ({"secret": "short"}, "secret: must be 32"),
        ({"secret": ["a" * 40, "slash/" * 10]}, "secret: must be 32"),
        ({"secret": []}, "secret: must be 32"),
        ({"handler": "handle"}, "handler: a str"),
        ({"capacity": 0}, "capacity: 0 is below 1"),
        ({"remember": 0}, "remember"),
        ({"patience": -1}, "patience"),
        ({"secret": 5}, "secret: must be 32"),
        ({"path": ""}, "path: must not be empty"),
        ({"path": 5}, "path: an int"),
        ({"path": "a\0b"}, "path: no name"),
    ],
)
def test_what_cannot_be_is_refused_without_showing_it(options: dict[str, Any], fault: str) -> None:
    with pytest.raises(ConfigError, match=fault) as caught:
        CallbackReceiver(**({"handler": handle, "secret": SECRET} | options))

    assert "slash" not in str(caught.value)


def test_s08_the_secret_is_not_shown_and_not_pickled() -> None:
    receiver = CallbackReceiver(handle, secret=SECRET)

    assert receiver.url("https://example.com/voice/", CallbackKind.DTMF) == f"https://example.com/voice/{SECRET}/dtmf"
    assert SECRET not in repr(receiver)
    with pytest.raises(ConfigError, match="not pickled"):
        pickle.dumps(receiver)
    with pytest.raises(ConfigError, match="plain http"):
        receiver.url("http://example.com", CallbackKind.DTMF)
