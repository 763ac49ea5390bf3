"""The token endpoint, and who is let in."""

import aiohttp
import pytest


@pytest.mark.documented("T03", "T04")
async def test_a_token_has_every_documented_key(serve):
    caller = await serve(token_lifetime=1999)
    status, token = await caller.ask_token()
    assert status == 200
    assert {key: type(value) for key, value in token.items()} == {
        "access_token": str,
        "token_type": str,
        "expires_in": int,
        "scope": str,
        "permissions": list,
    }
    assert (token["token_type"], token["expires_in"]) == ("Bearer", 1999)


@pytest.mark.documented("T51")
async def test_a_token_that_holds_is_given_again_with_what_is_left_of_its_life(serve, clock):
    caller = await serve(clock=clock)
    _, first = await caller.ask_token()
    clock.turn(1600)
    _, second = await caller.ask_token()
    assert second["access_token"] == first["access_token"]
    assert second["expires_in"] == 2000


async def test_a_token_ages_by_real_seconds_however_fast_the_sandbox_runs(serve, clock):
    caller = await serve(clock=clock, speed=1000)
    clock.turn(3599)
    assert (await caller.call("GET", "/voice/tracking/x"))[0] == 404
    clock.turn(2)
    assert (await caller.call("GET", "/voice/tracking/x"))[0] == 401
    await caller.log_in()
    assert (await caller.call("GET", "/voice/tracking/x"))[0] == 404


@pytest.mark.documented("T50")
async def test_the_grant_may_come_in_the_query(caller):
    status, _ = await caller.ask_token(data=None, params={"grant_type": "client_credentials"})
    assert status == 200


@pytest.mark.documented("T02", "T52")
@pytest.mark.parametrize("basic", [aiohttp.encode_basic_auth("someone", "else"), "Basic ?", "Bearer x"])
async def test_wrong_credentials_are_answered_in_the_gateway_shape(caller, basic):
    status, body = await caller.ask_token(headers={"Authorization": basic})
    assert status == 401
    assert body.pop("timestamp").endswith("Z")
    assert body == {"status": 401, "error": "Unauthorized", "message": "Bad credentials", "path": "/oauth/token"}


@pytest.mark.documented("T03", "T52")
@pytest.mark.parametrize(
    ("form", "error"), [({"grant_type": "password"}, "unsupported_grant_type"), ({"scope": "voice"}, "invalid_request")]
)
async def test_another_grant_is_refused_in_the_shape_of_oauth(caller, form, error):
    status, body = await caller.ask_token(data=form)
    assert status == 400
    assert body["error"] == error
    assert set(body) == {"error", "error_description"}


@pytest.mark.documented("T07", "E50")
async def test_expired_tokens_are_refused_and_a_new_one_is_another(caller):
    caller.sandbox.expire_tokens()
    status, body = await caller.call("POST", "/voice/tracking", json=[])
    assert (status, body["error"], body["path"]) == (401, "Unauthorized", "/voice/tracking")
    before = caller.bearer
    await caller.log_in()
    assert caller.bearer != before
    assert (await caller.search())["totalElements"] == 300


async def test_nobody_gets_in_without_a_token(caller):
    caller.bearer = {}
    assert (await caller.send())[0] == 401
    assert caller.sandbox.campaigns == ()


@pytest.mark.documented("T01")
async def test_each_service_has_an_origin_of_its_own(caller):
    sandbox = caller.sandbox
    assert len({sandbox.routee_url, sandbox.auth_url, sandbox.spacivox_url}) == 3
    async with caller.http.post(sandbox.routee_url + "/oauth/token", headers=caller.bearer) as response:
        assert response.status == 404
