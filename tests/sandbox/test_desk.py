"""The desk: what the page and tests in other languages see and steer over HTTP, and who may not."""

import json
import re
from pathlib import Path

import aiohttp
import attrs
import pytest

from voicedrop_async.sandbox import _desk

from .conftest import Desk

README = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")


async def test_a_fault_asked_for_over_http_is_the_one_that_python_asks_for(caller, desk):
    asked = {"status": 429, "retry_after": 1, "path": "/voice/campaign", "times": 2}
    waiting = [{"fault": "answered 429, Retry-After: 1", "path": "/voice/campaign", "times": 2}]
    assert await desk.post("/faults", **asked) == (200, {"waiting": waiting, "delays": [], "page_size_cap": None})
    assert [(await caller.send())[0] for _ in range(3)] == [429, 429, 200]

    await desk.post("/faults", body="<html>busy</html>", status=502)
    async with caller.http.post(caller.sandbox.routee_url + "/voice/tracking", headers=caller.bearer, json=[]) as response:
        assert (response.status, response.content_type, await response.text()) == (502, "text/html", "<html>busy</html>")
    await desk.post("/faults", drop="after_acting", path="/voice/campaign")
    with pytest.raises(aiohttp.ServerDisconnectedError):
        await caller.send()
    assert len(caller.sandbox.campaigns) == 2
    shown = await desk.get("/requests", limit=1)
    assert (shown["requests"][0]["status"], shown["requests"][0]["fault"]) == (None, "dropped after acting")


async def test_the_other_levers_and_the_end_of_them_all(caller, desk):
    await desk.post("/cap_page_size", size=7)
    await desk.post("/delay", seconds=0.01, path="/voice")
    assert (await caller.search(size=50))["size"] == 7
    assert (await desk.get())["faults"] == {"waiting": [], "delays": [{"path": "/voice", "seconds": 0.01}], "page_size_cap": 7}
    await desk.post("/faults", cut=True)
    async with caller.http.delete(desk.url + "/faults") as response:
        assert await response.json() == {"waiting": [], "delays": [], "page_size_cap": None}
    assert (await caller.search(size=50))["size"] == 50

    _, grown = await desk.post("/grow", count=3)
    assert [message["messageId"] for message in caller.sandbox.messages[:3]] == grown["ids"]
    assert (await desk.post("/shrink", count=3))[1] == grown
    assert (await desk.post("/expire_tokens"))[0] == 200
    assert (await caller.send())[0] == 401


@pytest.mark.parametrize(
    ("path", "content"),
    [
        ("/faults", {}),
        ("/faults", {"status": 500, "cut": True}),
        ("/faults", {"status": 99999}),
        ("/faults", {"statuss": 500}),
        ("/faults", {"status": 429, "retry_after": "1\r\nX: y"}),
        ("/faults", {"cut": True, "times": 0}),
        ("/delay", {"seconds": -1}),
        ("/grow", {"count": 0}),
        ("/cap_page_size", {}),
        ("/expire_tokens", {"now": True}),
    ],
)
async def test_what_makes_no_sense_is_refused_with_a_reason(desk, path, content):
    status, said = await desk.post(path, **content)
    assert status == 400
    assert said["error"]


async def test_a_page_of_another_site_can_neither_steer_nor_read(caller, desk):
    """Not by a form, not by a script, and not by a name of its own that leads to this machine."""
    here = caller.sandbox.routee_url
    port = here.rpartition(":")[2]
    typed = {"Content-Type": "application/json"}
    tries = [
        ("POST", typed | {"Origin": "https://evil.example"}, 403),
        ("POST", typed | {"Origin": "http://localhost:3000"}, 403),
        ("POST", typed | {"Origin": "null"}, 403),
        ("POST", typed | {"Host": f"evil.example:{port}"}, 403),
        ("POST", typed | {"Host": "127.0.0.1.evil.example"}, 403),
        ("POST", {"Content-Type": "text/plain"}, 415),
        ("POST", {"Content-Type": "application/x-www-form-urlencoded"}, 415),
        ("DELETE", {"Origin": "https://evil.example"}, 403),
        ("OPTIONS", {"Origin": "https://evil.example"}, 403),
        ("POST", typed | {"Origin": here}, 200),
        ("POST", typed | {"Host": f"localhost:{port}", "Origin": f"http://localhost:{port}"}, 200),
    ]
    for method, headers, status in tries:
        async with caller.http.request(method, desk.url + "/faults", data=b'{"status": 500, "path": "/x"}', headers=headers) as response:
            assert (response.status, headers) == (status, headers)
            assert "Access-Control-Allow-Origin" not in response.headers
    for path in ("/requests", "/messages", "/../"):
        async with caller.http.get(desk.url + path, headers={"Host": "evil.example"}) as response:
            assert response.status == 403


async def test_requests_are_shown_without_what_lets_their_sender_in(caller, desk):
    secret = "c2VjcmV0LXBhcnQtb2YtYS1wYXRo"
    callback = {"strategy": "OnCompletion", "url": f"https://user:pass@example.com/hook/{secret}?key={secret}"}
    await caller.send(callback=callback)
    entries = (await desk.get("/requests"))["requests"]
    assert [(one["number"], one["path"], one["status"]) for one in entries] == [(2, "/voice/campaign", 200), (1, "/oauth/token", 200)]
    shown = [await desk.get(f"/requests/{number}") for number in (1, 2)]
    assert [one["headers"]["Authorization"] for one in shown] == ["***", "***"]
    assert '"url":"https://example.com/hook/***?key=***"' in shown[1]["body"]
    assert "+306912345678" in shown[1]["body"]
    (campaign,) = (await desk.get("/campaigns"))["campaigns"]
    everything = str(shown) + str(await desk.get(f"/campaigns/{campaign['tracking_id']}"))
    assert not [word for word in (secret, "user:pass", caller.bearer["Authorization"].split()[1]) if word in everything]
    assert await desk.get("/requests/3") == 404


async def test_what_is_masked_is_masked_by_its_name_and_nothing_else_is_harmed(caller, desk):
    """A short secret looks like any other word: in a URL, the query, a form and JSON its name tells; the rest stays as it was sent."""
    callback = {"strategy": "OnCompletion", "url": "http://127.0.0.1:9/cb?token=abc&page=2"}
    _, receipt = await caller.send(callback=callback, name="My password", password=["x1"], nested=[{"clientSecret": {"a": "x2"}}])
    shown = await desk.get(f"/campaigns/{receipt['trackingId']}")
    assert shown["body"]["callback"] == {"strategy": "OnCompletion", "url": "http://127.0.0.1:9/cb?token=***&page=2"}
    whole = await desk.get("/requests/2")
    assert json.loads(whole["body"]) == shown["body"]
    assert (shown["body"]["password"], shown["body"]["nested"], shown["body"]["name"]) == ("***", [{"clientSecret": "***"}], "My password")

    secrets = {"access_token": "x3", "client_secret": "x4", "Password": "x5"}
    await caller.search(page=0, **secrets)
    await caller.call("POST", "/voice/campaign", data=b'{"a": 1, "password": "x6", "access_token":"x7"', params={"url": "http://a:x8@b"})
    await caller.ask_token(data={"grant_type": "client_credentials", "client_secret": "x9"})
    searched, broken, form = [await desk.get(f"/requests/{number}") for number in (3, 4, 5)]
    assert dict(searched["query"]) == {"page": "0", **dict.fromkeys(secrets, "***")}
    assert (broken["query"], broken["body"]) == ([["url", "http://b"]], '{"a": 1, "password": "***", "access_token":"***"')
    assert form["body"] == "grant_type=client_credentials&client_secret=***"
    assert re.findall(r"x\d", repr(caller.sandbox.requests)) == []


async def test_campaigns_are_shown_with_how_far_they_are(serve, clock):
    caller = await serve(clock=clock, messages=0)
    desk = Desk(caller)
    await caller.send(to=[f"+3069{place:08}" for place in range(100)])
    (begun,) = (await desk.get("/campaigns"))["campaigns"]
    assert (begun["state"], begun["over"], begun["statuses"]) == ("Queued", 0, {"Queued": 100})
    assert (await desk.get())["moving"] is True
    clock.turn(100)
    ended = await desk.get(f"/campaigns/{begun['tracking_id']}")
    assert (ended["state"], ended["over"], ended["body"]["name"]) == ("Finished", 100, "Spring sale")
    assert (await desk.get())["moving"] is False


async def test_messages_are_searched_by_anything_that_they_show(caller, desk):
    await caller.send(to=[f"+3069{place:08}" for place in range(60)], name="Autumn sale")
    newest = await desk.get("/messages")
    truth = caller.sandbox.messages[::-1]
    assert (newest["total"], newest["more"]) == (360, True)
    assert [one["messageId"] for one in newest["messages"]] == [one["messageId"] for one in truth[:50]]
    second = await desk.get("/messages", search="autumn", offset=50)
    assert (second["total"], len(second["messages"]), second["more"]) == (60, 10, False)
    one = truth[200]
    for search in (one["messageId"], one["to"][1:]):
        assert [found["messageId"] for found in (await desk.get("/messages", search=search))["messages"]] == [one["messageId"]]
    busy = await desk.get("/messages", status="Busy", limit=500)
    assert busy["total"] == sum(one["status"]["status"] == "Busy" for one in truth)
    (campaign,) = caller.sandbox.campaigns
    of_one = await desk.get("/messages", campaign=campaign.tracking_id, limit=500)
    of_past = await desk.get("/messages", campaign=caller.sandbox.history_campaigns[0], limit=500)
    assert of_one["total"] == 60
    assert 0 < of_past["total"] < 300
    assert (await desk.get(f"/messages/{one['messageId']}"))["to"] == one["to"]
    assert await desk.get("/messages", limit=501) == 400


async def test_callbacks_are_shown_with_how_they_were_answered(serve, receive, until):
    caller, receiver = await serve(speed=10_000), await receive(500, 200)
    desk = Desk(caller)
    await caller.send(callback={"strategy": "OnCompletion", "url": receiver.url})
    await receiver.next(2)
    await until(lambda: len(caller.sandbox.callbacks) == 2)
    shown = await desk.get("/callbacks")
    assert [(one["attempt"], one["status"]) for one in shown["callbacks"]] == [(2, 200), (1, 500)]
    whole = await desk.get("/callbacks/1")
    assert (whole["about"], whole["id"], whole["news"]) == ("message", whole["body"]["messageId"], whole["body"]["status"]["name"])


async def test_the_page_comes_from_here_alone_and_meets_no_fault(caller):
    """Nothing of it is asked for elsewhere, and its calls are neither written down nor failed."""
    caller.sandbox.fail_next(status=500)
    before = len(caller.sandbox.requests)
    files = [f"_sandbox/page/{name}" for name in ("page.css", "page.js", "views.js", "making.js")]
    for path in ("", *files, "_sandbox"):
        async with caller.http.get(caller.sandbox.page_url + path) as response:
            assert response.status == 200
            assert "default-src 'none'" in response.headers["Content-Security-Policy"]
            assert re.findall(r"https?://(?!www\.w3\.org/2000/svg|127\.0\.0\.1)[^\s\"']+", await response.text()) == []
    for path in ("_sandbox/page/page.html.bak", "_sandbox/page/..%2f__init__.py", "_sandbox/nothing"):
        async with caller.http.get(caller.sandbox.page_url + path) as response:
            assert response.status == 404
    assert len(caller.sandbox.requests) == before
    assert (await caller.send())[0] == 500


async def test_the_call_of_the_readme_reaches_the_sandbox_that_the_command_line_serves(caller):
    """By the environment that ``voicedrop sandbox`` says."""
    ((kind, content, url),) = re.findall(r"curl -H '(.*)' -d '(.*)' \"(.*)\"", README)
    url = url.replace("$ROUTEE_BASE_URL", caller.sandbox.routee_url)
    async with caller.http.post(url, data=content, headers=dict([kind.split(": ")])) as response:
        assert (response.status, (await response.json())["waiting"][0]["fault"]) == (200, "dropped after acting")


def test_the_readme_lists_the_calls_that_there_are():
    routes = _desk.Desk(**dict.fromkeys(field.name for field in attrs.fields(_desk.Desk))).routes()
    calls = {(route.method, re.sub(r":.*$", "}", route.path)) for route in routes if "/page" not in route.path and route.path != "/"}
    assert set(re.findall(r"`(GET|POST|DELETE) (/_sandbox\S*)`", README)) == calls
