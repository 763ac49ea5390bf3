"""Recording a service and answering the same later: nothing in the file leads back to a person or into an account."""

import json
import re
from datetime import timedelta

import aiohttp
import pytest
from aiohttp import web

from voicedrop_async import (
    ClientCredentials,
    MessageStatus,
    Retry,
    RouteeSession,
    ServerFailed,
    SpokenMessage,
    TrackingFilter,
    VoiceCampaign,
)
from voicedrop_async._masking import PHONE_NUMBER
from voicedrop_async.sandbox import Recorder, Sandbox

from .conftest import served

NUMBER, SECRET, PERSON = "+306999888777", "cAnArY-s3cret", "Mariacanary"
WRITTEN = (
    NUMBER,
    NUMBER[1:],
    "0030 699 988 8777",
    "699-9888777",
    SECRET,
    PERSON,
    PERSON.lower(),
    f"{PERSON.lower()}_papadopoulou",
    f"{PERSON},desc",
    f"{SECRET}@example.com",
    f"https://{SECRET}.example/{NUMBER}?{SECRET}",
)
NAMES = (
    *("to", "from", "messageId", "trackingId", "status", "state", "date", "code", "id", "number", "message", "property", "url", "fileURL"),
    *("unknown", "access_token", "recipientCountries", "recipientsPerGroup", "contacts", "error", "developerMessage", "sort", "page"),
    *("country", "language", "gender", "type", "direction", "originatingService", "answeredBy", "fieldName", "searchOperator", "tagged"),
)


def seen(text):
    """What of the canaries is in a text, however a number may be written; as a number, too."""
    bare = re.sub(r"[^0-9a-z]", "", text.lower())
    return [canary for canary in (NUMBER[3:], SECRET.lower().replace("-", ""), PERSON.lower()) if canary in bare]


def planted():
    """An answer with a canary in every place: under each name, as a key, in lists and deeper, as text and as number."""
    places = [{name: text, name + "s": [text], text: name, "deep": {name: {text: [{name: text}]}}} for name in NAMES for text in WRITTEN]
    return {"content": places, "numbers": [{name: int(NUMBER), "deep": {name: [int(NUMBER), -float(NUMBER)]}} for name in NAMES]}


@pytest.fixture
async def leaky():
    """A service that says whatever it was told, to everybody."""

    async def say(request):
        body = json.dumps(planted()) if "json" in request.path else f"<html>{NUMBER} {SECRET} {PERSON}"
        return web.Response(text=body, status=400, headers={"X-Secret": SECRET, "Retry-After": NUMBER, "Set-Cookie": f"a={SECRET}"})

    async with served(say) as url:
        yield url


async def test_no_secret_and_no_number_is_in_the_file(leaky, tmp_path):
    """Neither of what was asked nor of what was answered, while the client gets everything."""
    async with Recorder(tmp_path / "it.jsonl", to=leaky) as recorder, aiohttp.ClientSession() as http:
        for path in (
            f"/json/{NUMBER}/{SECRET}@x/0030699988877?to={NUMBER}&{SECRET}@={SECRET}@&{PERSON}=1",
            f"/contacts/{PERSON.lower()}/json?sort={PERSON}",
            "/html",
            f"/oauth/json?{SECRET}",
        ):
            call = {"json": planted(), "headers": {"Authorization": f"Bearer {SECRET}", "Cookie": SECRET}}
            async with http.post(recorder.url + path, **call) as response:
                answered = await response.text()
                assert (response.status, seen(answered)) == (400, seen(NUMBER + SECRET + PERSON))
    text = (tmp_path / "it.jsonl").read_text(encoding="utf-8")
    assert len(text.splitlines()) == 3
    assert seen(text) == []
    assert '"messageId":' in text  # the names of fields stay
    assert '"path":"/contacts/text-' in text
    assert PHONE_NUMBER.findall(re.sub(r"\+?999\d{4,}|\b10000\d\d\b", "", text)) == []


async def recorded(file, sandbox):
    """A walk, a campaign and an analysis, through a recorder."""
    async with Recorder(file, to=sandbox.routee_url) as recorder:
        auth = ClientCredentials(*sandbox.credentials)
        async with RouteeSession(auth, base_url=recorder.url, auth_url=sandbox.auth_url) as routee:
            return await everything(routee)


async def everything(routee):
    campaign = VoiceCampaign("306900000000", to=[NUMBER], name="Spring sale", message=SpokenMessage("Hello"))
    async with routee.track_messages(page_size=40).walk() as walk:
        messages = [message async for message in walk]
    busy = await routee.track_messages(filters=[TrackingFilter("status.status", "Busy")]).collect()
    one = await routee.track_message(messages[3].message_id)
    return messages, walk.report, busy, one, await routee.analyze_campaign(campaign), await routee.send_campaign(campaign)


def kept(message):
    """What of a message a recording keeps; a status of no document has a stand-in."""
    status = message.status.status if isinstance(message.status.status, MessageStatus) else ""
    end = (message.duration, message.price, message.answered_by, len(message.recordings))
    return message.message_id, status, message.status.date, message.country, *end


async def test_what_was_recorded_is_answered_again(sandbox, tmp_path):
    """By a sandbox that knows nothing of it, without sending; then it is itself again."""
    file = tmp_path / "it.jsonl"
    messages, report, busy, one, analysis, receipt = await recorded(file, sandbox)
    numbers = {message.to for message in messages} | {NUMBER}
    text = file.read_text(encoding="utf-8")
    assert [found for found in (*numbers, *sandbox.credentials, "Hello", "Spring sale", "Παραλαβή") if found in text] == []
    async with Sandbox(messages=1, drops=0) as other:
        other.replay(file)
        auth = ClientCredentials(*other.credentials)
        async with RouteeSession(auth, base_url=other.routee_url, auth_url=other.auth_url) as routee:
            again = await everything(routee)
            assert len(await routee.track_messages().collect()) == 1
    assert again[1] == report
    assert [kept(message) for message in again[0]] == [kept(message) for message in messages]
    assert [kept(message) for message in again[2]] == [kept(message) for message in busy]
    assert kept(again[3]) == kept(one)
    assert len({message.to for message in again[0]}) == len({message.to for message in messages})
    assert again[4].number_of_recipients == analysis.number_of_recipients
    assert (again[5].tracking_id, again[5].cost) == (receipt.tracking_id, receipt.cost)
    assert other.campaigns == ()


async def test_an_answer_comes_to_the_very_request_it_was_recorded_for(sandbox, tmp_path):
    """Also in another order; a number or a moment of another day is as good, another query is told, not answered with what fits not."""
    auth = ClientCredentials(*sandbox.credentials)
    busy, failed = (
        [TrackingFilter("status.status", status), TrackingFilter("recipient", NUMBER, operator="is_not")] for status in ("Busy", "Failed")
    )
    file, day = tmp_path / "it.jsonl", timedelta(days=1)
    week = {"start": sandbox.now - 9 * day, "end": sandbox.now}
    async with (
        Recorder(file, to=sandbox.routee_url) as recorder,
        RouteeSession(auth, base_url=recorder.url, auth_url=sandbox.auth_url) as routee,
    ):
        first, other = [await routee.track_messages(filters=one, **week).collect() for one in (busy, failed)]
        assert len(first) != len(other)
    sandbox.replay(file)
    later = {"start": week["start"] + day, "end": week["end"] + day}
    nobody = [TrackingFilter("status.status", "Failed"), TrackingFilter("recipient", "+306900000000", operator="is_not")]
    async with RouteeSession(auth, base_url=sandbox.routee_url, auth_url=sandbox.auth_url, retry=Retry(attempts=1)) as routee:
        with pytest.raises(ServerFailed, match="another query or body only"):
            await routee.track_messages(filters=busy[:1], **week).collect()
        assert len(await routee.track_messages(filters=nobody, **later).collect()) == len(other)
        assert len(await routee.track_messages(filters=busy, **week).collect()) == len(first)


@pytest.mark.parametrize("by_python", [True, False])
async def test_what_is_left_of_a_replay_ends_with_the_faults(caller, desk, tmp_path, by_python):
    exchange = {"method": "POST", "path": "/voice/tracking", "query": {}, "request": [], "status": 418, "retry_after": None, "answer": None}
    (tmp_path / "it.jsonl").write_text(f"{json.dumps(exchange)}\n" * 2)
    caller.sandbox.replay(tmp_path / "it.jsonl")
    async with caller.http.post(caller.sandbox.routee_url + "/voice/tracking", json=[], headers=caller.bearer) as response:
        assert response.status == 418

    if by_python:
        caller.sandbox.clear_faults()
    else:
        await caller.http.delete(desk.url + "/faults")

    assert (await caller.search())["totalElements"] == 300


async def test_a_redirect_is_handed_on_with_where_it_leads(tmp_path):
    """The client may follow it; it is not in the file."""

    async def send_on(_request):
        raise web.HTTPFound("https://files.example.com/x")

    async with (
        served(send_on) as url,
        Recorder(tmp_path / "it.jsonl", to=url) as recorder,
        aiohttp.ClientSession() as http,
        http.get(recorder.url, allow_redirects=False) as response,
    ):
        assert (response.status, response.headers["Location"]) == (302, "https://files.example.com/x")
    assert "example" not in (tmp_path / "it.jsonl").read_text(encoding="utf-8")


async def test_a_service_that_is_not_there_is_a_502_and_not_recorded(unused_tcp_port, tmp_path):
    to = f"http://127.0.0.1:{unused_tcp_port}"
    async with Recorder(tmp_path / "it.jsonl", to=to) as recorder, aiohttp.ClientSession() as http, http.get(recorder.url) as response:
        assert response.status == 502
    assert (tmp_path / "it.jsonl").read_bytes() == b""


async def test_what_cannot_be_recorded_or_replayed_is_told(tmp_path, sandbox):
    for to in ("http://connect.routee.net", "http://127.0.0.1.example.com", "connect.routee.net"):
        with pytest.raises(ValueError, match="https"):
            Recorder(tmp_path / "it.jsonl", to=to)
    with pytest.raises(RuntimeError, match="async with"):
        _ = Recorder(tmp_path / "it.jsonl", to="https://connect.routee.net").url
    (tmp_path / "it.jsonl").write_text('{"method": "GET"}\n')
    with pytest.raises(ValueError, match="line 1"):
        sandbox.replay(tmp_path / "it.jsonl")
