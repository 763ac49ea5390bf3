"""What the services' pages say and no other test of the sandbox happens to show: see tests/documented.py."""

import asyncio
import re

import pytest
from aiohttp import ClientTimeout, web

from voicedrop_async.sandbox import _callbacks

from .conftest import served

LANGUAGES = ["en-US", "de-DE", "fr-FR", "it-IT", "pt-BR", "es-ES", "es-LA", "en-GB", "el-GR", "bg-BG", "pl-PL", "hu-HU", "sv-SE", "ru-RU"]
ALWAYS = {
    "messageId": str,
    "to": str,
    "from": str,
    "status": dict,
    "applicationName": str,
    "originatingService": str,
    "direction": str,
    "chargeInterval": int,
    "recordings": list,
}


@pytest.mark.documented("T03", "T05", "T06")
@pytest.mark.parametrize("lifetime", [3600, 86_400, 631_139_040])
async def test_a_token_of_each_lifetime_has_every_scope(serve, lifetime):
    caller = await serve(**({} if lifetime == 3600 else {"token_lifetime": lifetime}), messages=0)
    _, plain = await caller.ask_token()
    _, scoped = await caller.ask_token(data={"grant_type": "client_credentials", "scope": "voice"})
    assert lifetime - 60 < plain["expires_in"] <= lifetime
    assert {"account", "contact", "report", "voice"} == set(plain["scope"].split())
    assert scoped["access_token"] == plain["access_token"]


@pytest.mark.documented("S12", "S13", "S14", "S15", "S16", "S17", "S21", "V07", "E04")
async def test_every_message_has_what_every_message_has(caller):
    for message in caller.sandbox.messages:
        assert {key: type(message[key]) for key in ALWAYS} == ALWAYS
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", message["status"]["date"])
        assert re.fullmatch("[A-Z]{2}", message["country"])
        assert message["direction"] in {"Inbound", "Outbound"}
        assert isinstance(message["price"], int | float)
        assert all(isinstance(group, str) for group in message.get("groups", ()))
        assert isinstance(message.get("message", {}), dict)
        assert ("campaign" in message) != ("conversationTrackingId" in message)
        assert None not in message.values()


@pytest.mark.documented("V05", "V06", "C05", "C06")
async def test_each_language_voice_sender_and_file_is_taken(caller):
    for language in LANGUAGES:
        _, receipt = await caller.send(message={"text": "Hello", "language": language, "gender": "male"})
        assert receipt["message"]["language"] == language
    for sender in ("306900000000", "Acme"):
        _, receipt = await caller.send(**{"from": sender}, message=None, fileURL="https://files.example.com/a.wav")
        assert (receipt["from"], receipt["fileURL"][-4:]) == (sender, ".wav")


@pytest.mark.documented("C10", "E01", "E03")
async def test_every_status_of_the_pages_can_be_answered(serve):
    """Those that the sandbox has no reason for are asked for."""
    caller = await serve(unique_names=True)
    for status in (403, 404, 500):
        caller.sandbox.fail_next(status=status, path="/voice")
        answered, body = await caller.send()
        assert (answered, body.keys()) == (status, {"code", "developerMessage"})
        assert body["code"] == f"{status}013000"
    statuses = [(await caller.send())[0] for _ in range(2)]
    statuses += [(await caller.send(to=None))[0], (await caller.call("GET", "/voice/tracking/x"))[0]]
    caller.sandbox.expire_tokens()
    assert [*statuses, (await caller.send())[0]] == [200, 409, 400, 404, 401]


@pytest.mark.documented("B03")
async def test_a_receiver_that_takes_too_long_has_not_received(serve, until, monkeypatch):
    """Two seconds; here the clock of the post runs faster."""
    assert _callbacks._PATIENCE.total == 2
    monkeypatch.setattr(_callbacks, "_PATIENCE", ClientTimeout(total=0.05))
    caller, ends = await serve(speed=1000), asyncio.Event()

    async def hang(_request):
        await ends.wait()
        return web.Response()

    async with served(hang) as url:
        await caller.send(callback={"strategy": "OnCompletion", "url": url})
        await until(lambda: len(caller.sandbox.callbacks) == 2)
        ends.set()
    assert {(posted.status, posted.note) for posted in caller.sandbox.callbacks} == {(None, "TimeoutError")}


@pytest.mark.documented("T08", "N01", "N02", "N03")
async def test_what_is_not_served_is_not_pretended(caller):
    sandbox = caller.sandbox
    for base, method, path in (
        (sandbox.auth_url, "POST", "/oauth/access_token"),
        (sandbox.routee_url, "POST", "/voice/conversation"),
        (sandbox.routee_url, "GET", "/voice/conversation/x"),
        (sandbox.routee_url, "GET", "/campaigns/x"),
        *((sandbox.spacivox_url, "GET", f"/j/{kind}") for kind in ("text_records", "call_records", "email_records", "jobs", "campaigns")),
    ):
        token = sandbox.spacivox_token if base == sandbox.spacivox_url else caller.bearer["Authorization"].removeprefix("Bearer ")
        async with caller.http.request(method, base + path, headers={"Authorization": f"Bearer {token}"}) as response:
            assert response.status == 404


@pytest.mark.documented("N04", "N05", "N06", "N07", "N08")
async def test_a_call_of_a_campaign_is_no_conversation(serve, until):
    """It collects keys and is offered dial plans, with the campaign and in answers: its own callbacks come, and nothing else."""
    caller, bodies = await serve(speed=1000), []

    async def answer(request):
        bodies.append((request.path, await request.json()))
        return web.json_response(plan)

    async with served(answer) as base:
        url = base + "/"
        plan = {"verbs": [{"name": "COLLECT", "eventUrl": url + "keys", "bargeIn": True, "verbs": [{"name": "HANGUP"}]}]}
        asked = {"dialPlan": plan, "dialPlanUrl": url + "plan", "eventUrl": url + "keys", "collectDtmfDigits": True}
        await caller.send(**asked, to=[f"+3069{place:08}" for place in range(20)], callback={"strategy": "OnChange", "url": url})
        (campaign,) = caller.sandbox.campaigns
        planned = sorted(turn.status for call in campaign.calls for turn in call.turns[1:])
        await until(lambda: len(bodies) == len(planned) and campaign.state == "Finished")
    assert any("collectedTones" in message for message in campaign.messages)
    assert {path for path, _ in bodies} == {"/"}
    assert sorted(body["status"]["name"] for _, body in bodies) == planned
    assert all("campaignTrackingId" in body and not body.keys() & {"conversationTrackingId", "collectedTones"} for _, body in bodies)


async def test_odd_requests_are_refused_and_never_an_error_of_the_sandbox(caller):
    """Each was found by schemathesis once."""
    sandbox = caller.sandbox
    multipart = {"Authorization": "x", "Content-Type": "multipart/form-data"}
    async with caller.http.post(sandbox.auth_url + "/oauth/token", headers=multipart, data=b"grant_type=x") as response:
        assert response.status == 401
    async with caller.http.put(sandbox.routee_url + "/voice/campaign", headers=caller.bearer) as response:
        assert (response.status, response.headers["Allow"]) == (405, "POST")
    assert (await caller.send(hangupDelay=1e300))[0] == 200
    assert [(await caller.send(scheduledDate=date))[0] for date in ("9999-12-31T23:59:59Z", "0001-01-01T00:00:00+14:00")] == [400, 400]
    assert (await caller.send(ignoreDnd="yes"))[0] == 400
    for params in ({"size": 2**31}, {"page": "1_0"}, {"page": "٣"}):
        assert (await caller.call("POST", "/voice/tracking", json=[], params=params))[0] == 400
    await caller.send(scheduledDate="2026-03-02T15:00:00+02:00")
    assert sandbox.campaigns[-1].starts_at.isoformat() == "2026-03-02T13:00:00+00:00"
