"""The log of what arrived: what is kept of it, for how long, and what its ``repr`` shows."""

from http import HTTPStatus
from io import BytesIO

from voicedrop_async.sandbox import ReceivedRequest, _log

from .conftest import NOW


async def test_what_arrived_is_written_down_without_secrets_in_its_repr(caller):
    await caller.call("POST", "/voice/tracking", json=[], params={"size": "5"})
    request = caller.sandbox.requests[-1]
    assert (request.site, request.method, request.path, request.status) == ("routee", "POST", "/voice/tracking", 200)
    assert (request.query, request.body, request.json) == ({"size": "5"}, b"[]", [])
    assert request.headers["authorization"] == caller.bearer["Authorization"]
    assert "***" in repr(request)
    assert caller.bearer["Authorization"] not in repr(request)
    assert [request.site for request in caller.sandbox.requests] == ["auth", "routee"]


async def test_no_secret_and_no_number_is_in_a_repr(caller):
    await caller.send()
    shown = repr(caller.sandbox) + repr(caller.sandbox.campaigns) + repr(caller.sandbox.requests)
    secrets = (caller.sandbox.credentials[1], caller.sandbox.spacivox_token, "+306912345678")
    assert not [secret for secret in secrets if secret in shown]


async def test_a_body_too_large_is_refused(caller):
    status, body = await caller.call("POST", "/voice/campaign", data=BytesIO(bytes(1024 * 1024 + 1)))
    assert (status, body["error"]) == (413, HTTPStatus.REQUEST_ENTITY_TOO_LARGE.phrase)
    assert caller.sandbox.requests[-1].body == b""


async def test_what_is_too_old_is_counted_and_not_kept(caller, desk, monkeypatch):
    """Twenty thousand requests and 64 MiB of their bodies; here three, and then the bytes of one campaign."""
    monkeypatch.setattr(_log, "KEPT", 3)
    for _ in range(5):
        await caller.search()
    shown = await desk.get("/requests")
    assert (shown["total"], shown["kept"], [one["number"] for one in shown["requests"]]) == (6, 3, [6, 5, 4])
    assert [one.number for one in caller.sandbox.requests] == [4, 5, 6]
    assert (await desk.get("/requests/3"), (await desk.get("/requests/4"))["number"]) == (404, 4)
    monkeypatch.setattr(_log, "_KEPT_BYTES", 150)
    for _ in range(3):
        await caller.send()
    assert [one.number for one in caller.sandbox.requests] == [9]


def test_an_entry_has_its_own_number_where_those_before_it_were_lost():
    """Requests that were under way when the run before was killed."""
    log = _log.Log()
    log.restore(entry(number) for number in (3, 4, 7, 9))
    log.add(entry(10))
    assert [one and one.number for one in map(log.get, range(12))] == [None, None, None, 3, 4, None, None, 7, None, 9, 10, None]
    assert (log.first, log.total, [one.number for one in log.newest(1, 3)]) == (3, 10, [9, 7, 4])
    assert (_log.Log().first, _log.Log().get(1)) == (1, None)


def entry(number):
    """A request of that number."""
    return ReceivedRequest(number=number, site="routee", method="GET", path="/", query={}, headers={}, at=NOW)
