"""A sandbox that goes on where another was ended, from a file."""

import asyncio
import sys
from datetime import timedelta
from types import SimpleNamespace

import aiohttp
import pytest

from voicedrop_async.sandbox import Sandbox, _front

from .conftest import NOW, Caller, campaign

NUMBERS = [f"+3069{place:08}" for place in range(40)]


@pytest.fixture
def state(tmp_path):
    return tmp_path / "sandbox.state"


def world(sandbox):
    """What clients could see; recordings are elsewhere, as the port is another one."""
    return {
        "messages": [{**message, "recordings": len(message["recordings"])} for message in sandbox.messages],
        "campaigns": [(one.number, one.tracking_id, one.name, one.state, one.statuses, one.body) for one in sandbox.campaigns],
        "requests": [(one.number, one.method, one.path, one.status, one.fault, one.body, one.at) for one in sandbox.requests],
        "callbacks": [(one.number, one.url, one.body, one.attempt, one.status, one.note, one.at) for one in sandbox.callbacks],
        "past": (sandbox.drops, sandbox.credentials, sandbox.history_campaigns),
    }


async def test_what_was_sent_and_changed_is_there_in_the_next_run(serve, state, clock, receive, until):
    """Whatever that run is told of messages, seed and time: they are the file's."""
    caller, receiver = await serve(state=state, clock=clock), await receive(200)
    await caller.send(to=NUMBERS, callback={"strategy": "OnChange", "url": receiver.url})
    clock.turn(100)
    _, gone = await caller.send(scheduledDate="2026-03-02T13:00:00Z")
    await caller.call("DELETE", f"/voice/campaign/{gone['trackingId']}")
    _, under_way = await caller.send(to=NUMBERS)
    caller.sandbox.fail_next(drop="after_acting")
    with pytest.raises(aiohttp.ServerDisconnectedError):
        await caller.send(name="Lost")
    caller.sandbox.grow(3)
    caller.sandbox.shrink(5)
    caller.sandbox.grow(1)
    clock.turn(2)
    count = sum(len(call.turns) - 1 for call in caller.sandbox.campaigns[0].calls)
    await until(lambda: len(caller.sandbox.callbacks) == count)
    await caller.sandbox.aclose()
    again = await serve(state=state, clock=clock, messages=9, drops=9, seed=9, now=NOW - timedelta(days=9))
    assert [one.state for one in again.sandbox.campaigns][:2] == ["Finished", "Running"]

    clock.turn(100)  # for both: the first can still be asked what would have become of it all
    before, after = world(caller.sandbox), world(again.sandbox)
    requests = after.pop("requests")
    assert requests[:-1] == before.pop("requests")  # then comes a new token
    assert after == before
    assert after["campaigns"][1][1] == under_way["trackingId"]
    _, receipt = await again.send()
    assert receipt["trackingId"] not in {one[1] for one in before["campaigns"]} | {gone["trackingId"]}
    assert [one.number for one in again.sandbox.campaigns] == [0, 2, 3, 4]
    assert again.sandbox.grow(2)[0] not in {one["messageId"] for one in before["messages"]}


@pytest.mark.parametrize("fault", [{"drop": "after_acting"}, {"cut": True}], ids=str)
async def test_what_came_of_a_request_is_in_the_file_before_its_connection_breaks(serve, state, monkeypatch, fault):
    """Who is cut off may kill the sandbox at once."""
    caller, found = await serve(state=state), []
    break_off = _front._break_off

    async def look_first(*args, **options):
        file = caller.sandbox._store._file
        found.extend(file.execute("SELECT (SELECT count(*) FROM campaigns), (SELECT max(number) FROM requests)").fetchone())
        return await break_off(*args, **options)

    monkeypatch.setattr(_front, "_break_off", look_first)
    caller.sandbox.fail_next(**fault)
    with pytest.raises((aiohttp.ServerDisconnectedError, aiohttp.ClientPayloadError)):
        await caller.send()
    assert found == [1, 2]
    assert [one.status for one in caller.sandbox.requests] == [200, None]


async def test_a_masked_request_is_whole_in_the_file(serve, state):
    caller = await serve(state=state)
    await caller.send(callback={"strategy": "OnCompletion", "url": "http://127.0.0.1:9/cb?token=abc"})
    await caller.search(access_token="x3")
    await caller.sandbox.aclose()
    _, sent, searched, *_ = (await serve(state=state)).sandbox.requests
    assert sent.json == campaign(callback={"strategy": "OnCompletion", "url": "http://127.0.0.1:9/cb?token=***"})
    assert (searched.query, searched.body) == ({"access_token": "***"}, b"[]")


async def running(state, *options):
    """``voicedrop sandbox`` in a process of its own, started as a person does, and what it says, by the names of a ``Sandbox``."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "voicedrop_async", "sandbox", "--state", str(state), *options),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    said = dict([(await process.stdout.readline()).decode().strip().split("=", 1) for _ in range(6)])
    return process, SimpleNamespace(
        routee_url=said["ROUTEE_BASE_URL"],
        auth_url=said["ROUTEE_AUTH_URL"],
        credentials=(said["ROUTEE_APPLICATION_ID"], said["ROUTEE_APPLICATION_SECRET"]),
        spacivox_token=said["SPACIVOX_ACCESS_TOKEN"],
    )


@pytest.mark.once
async def test_after_kill_9_nothing_is_lost_that_was_answered_and_the_rest_is_posted(state, receive):
    """Posts that were received are not sent again; those that were not, are."""
    receiver = await receive(500, 200)
    async with aiohttp.ClientSession() as http:
        process, here = await running(state, "--messages", "20", "--speed", "100")
        first = await Caller(here, http).log_in()
        _, receipt = await first.send(to=NUMBERS, callback={"strategy": "OnCompletion", "url": receiver.url})
        _, grown = await first.call("POST", "/_sandbox/grow", json={"count": 2})
        told = [body["messageId"] for body in await receiver.next(10)]
        process.kill()
        await process.wait()

        process, again = await running(state)
        second = Caller(again, http)
        _, campaigns = await second.call("GET", "/_sandbox/campaigns")
        _, found = await second.call("GET", "/_sandbox/messages", params={"limit": 500})
        while len(set(told)) < len(NUMBERS):
            told += [body["messageId"] for body in await receiver.next(1)]
        _, log = await second.call("GET", "/_sandbox/requests")
        process.terminate()
        assert await process.wait() == 0

    messages = [message["messageId"] for message in found["messages"]]
    assert [campaign["tracking_id"] for campaign in campaigns["campaigns"]] == [receipt["trackingId"]]
    assert (len(messages), messages[-2:]) == (20 + 2 + 40, grown["ids"][::-1])
    assert set(told) == set(messages[: len(NUMBERS)])
    assert len(told) <= len(NUMBERS) + 2  # the one answered 500, and the one that was under way
    assert [one["path"] for one in log["requests"]] == ["/voice/campaign", "/oauth/token"]
    written = state.read_bytes()
    shown = (aiohttp.encode_basic_auth(*here.credentials), first.bearer["Authorization"])
    secrets = (here.credentials[1], here.spacivox_token, *(header.split()[1] for header in shown))
    assert [secret for secret in secrets if secret.encode() in written] == []
    assert state.stat().st_mode & 0o777 == 0o600


async def test_a_file_of_another_program_or_of_a_sandbox_that_runs_is_refused(state, tmp_path, serve):
    await serve(state=state)
    text = tmp_path / "notes.txt"
    text.write_text("These are notes, and no state of a sandbox. " * 30)
    for path, words in ((state, "another sandbox has it"), (text, "no state of a sandbox"), (tmp_path / "no" / "folder", "No such file")):
        with pytest.raises(OSError, match=f"^state: .*{words}"):
            await Sandbox(state=path).start()
    assert text.read_text().startswith("These are notes")


async def test_what_cannot_be_written_is_not_answered_as_if_it_were(serve, state):
    """The disk is full, and then there is room again."""
    caller = await serve(state=state)
    file = caller.sandbox._store._file
    (pages,) = file.execute("PRAGMA page_count").fetchone()
    file.execute(f"PRAGMA max_page_count = {pages}")
    async with caller.http.post(
        caller.sandbox.routee_url + "/voice/campaign", json=campaign(to=NUMBERS * 20), headers=caller.bearer
    ) as response:
        assert response.status == 500
    file.execute("PRAGMA max_page_count = 100000")
    assert (await caller.send())[0] == 200
