"""Faults on demand."""

import asyncio

import aiohttp
import pytest


async def test_the_next_request_fails_and_the_one_after_does_not(caller):
    caller.sandbox.fail_next(status=429, retry_after=1)
    async with caller.http.post(caller.sandbox.routee_url + "/voice/tracking", headers=caller.bearer, json=[]) as response:
        assert (response.status, response.headers["Retry-After"]) == (429, "1")
        assert (await response.json())["code"] == "429013000"
    assert (await caller.search())["totalElements"] == 300


async def test_a_fault_with_a_status_does_not_act_unless_told(caller):
    caller.sandbox.fail_next(status=503, retry_after="Mon, 02 Mar 2026 12:00:05 GMT")
    caller.sandbox.fail_next(status=500, act=True)
    assert [(await caller.send())[0] for _ in range(3)] == [503, 500, 200]
    assert len(caller.sandbox.campaigns) == 2


async def test_a_fault_waits_for_its_path(caller):
    caller.sandbox.fail_next(status=500, path="/voice/tracking")
    caller.sandbox.fail_next(status=502, path="/voice/campaign", times=2)
    assert [(await caller.send())[0] for _ in range(3)] == [502, 502, 200]
    assert (await caller.call("GET", "/voice/tracking/campaign/x"))[0] == 500
    assert (await caller.call("GET", "/voice/tracking/campaign/x"))[0] == 404


async def test_a_path_is_no_mere_prefix_of_text(caller):
    caller.sandbox.fail_next(status=500, path="/voice/track")
    assert (await caller.search())["totalElements"] == 300


async def test_a_fault_can_say_401_as_the_gateway_does(caller):
    caller.sandbox.fail_next(status=401)
    status, body = await caller.send()
    assert (status, body["status"], body["error"]) == (401, 401, "Unauthorized")


async def test_any_bytes_can_be_answered(caller):
    caller.sandbox.fail_next(body=b"<html>", act=True)
    caller.sandbox.fail_next(body=b"{", status=502, content_type="application/json; charset=utf-8")
    url = caller.sandbox.routee_url + "/voice/campaign"
    body = {"from": "3021", "to": ["+306912345678"], "message": {"text": "Hello"}}
    async with caller.http.post(url, headers=caller.bearer, json=body) as response:
        assert (response.status, response.content_type, await response.read()) == (200, "text/html", b"<html>")
    async with caller.http.post(url, headers=caller.bearer, json=body) as response:
        assert (response.status, response.headers["Content-Type"]) == (502, "application/json; charset=utf-8")
        assert await response.read() == b"{"
    assert len(caller.sandbox.campaigns) == 1


@pytest.mark.parametrize(("moment", "accepted"), [("before_acting", 0), ("after_acting", 1)])
async def test_the_connection_can_be_dropped_before_or_after_acting(caller, moment, accepted):
    caller.sandbox.fail_next(drop=moment, path="/voice/campaign")
    with pytest.raises(aiohttp.ServerDisconnectedError):
        await caller.send()
    assert len(caller.sandbox.campaigns) == accepted
    assert caller.sandbox.requests[-1].status is None


async def test_an_answer_can_be_cut_in_the_middle_of_its_body(caller):
    caller.sandbox.fail_next(cut=True, path="/voice/campaign")
    with pytest.raises(aiohttp.ClientPayloadError):
        await caller.send()
    assert len(caller.sandbox.campaigns) == 1


async def test_a_fault_can_hit_the_token_endpoint_and_spacivox(caller):
    caller.sandbox.fail_next(status=500, path="/oauth/token")
    caller.sandbox.fail_next(status=400, path="/j")
    assert (await caller.ask_token())[0] == 500
    assert (await caller.drops())[0] == 400


@pytest.mark.parametrize("ways", [{}, {"status": 500, "drop": "after_acting"}, {"cut": True, "body": b""}, {"retry_after": 1}])
async def test_a_fault_is_one_way_to_fail(caller, ways):
    with pytest.raises(ValueError, match="one way"):
        caller.sandbox.fail_next(**ways)


@pytest.mark.parametrize(
    ("argument", "value"),
    [("drop", "after_actng"), ("status", 1), ("times", -1), ("retry_after", -1), ("retry_after", "1\r\nX: y"), ("content_type", "a\nb")],
)
async def test_a_fault_that_makes_no_sense_is_refused_and_named(caller, argument, value):
    """As over HTTP; otherwise a test with a slip of the pen would pass without its fault."""
    ways = {} if argument in {"drop", "status"} else {"status": 500}
    with pytest.raises(ValueError, match=argument):
        caller.sandbox.fail_next(**ways, **{argument: value})
    assert (await caller.send())[0] == 200


async def test_a_delayed_answer_comes_after_the_act(caller, until):
    caller.sandbox.delay(60)
    sending = asyncio.create_task(caller.send())
    await until(lambda: len(caller.sandbox.campaigns) == 1)
    assert caller.sandbox.requests[-1].status is None
    sending.cancel()
    await asyncio.wait([sending])
    assert sending.cancelled()


async def test_a_delay_is_kept_to_its_path_and_can_be_ended(caller):
    caller.sandbox.delay(60, path="/voice/tracking")
    caller.sandbox.delay(60, path="/voice/campaign")
    assert (await caller.ask_token())[0] == 200
    caller.sandbox.delay(0, path="/voice/campaign")
    async with asyncio.timeout(10):
        assert (await caller.send())[0] == 200
        caller.sandbox.delay(0)
        assert (await caller.search())["totalElements"] == 301


@pytest.mark.documented("E50")
@pytest.mark.parametrize(("method", "path", "status"), [("GET", "/voice/nowhere", 404), ("PUT", "/voice/campaign", 405)])
async def test_an_unknown_path_is_answered_in_the_gateway_shape(caller, method, path, status):
    answered, body = await caller.call(method, path)
    assert (answered, body["status"], body["path"]) == (status, status, path)
    assert body.keys() == {"timestamp", "status", "error", "message", "path"}
