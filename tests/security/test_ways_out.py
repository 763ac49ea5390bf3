"""What goes out goes where the caller said, over https, with the caller's own credentials, and nothing else goes along."""

import base64
import logging
import pickle
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import aiohttp
import pytest
from answers import MESSAGE, token
from campaigns import CAMPAIGN, QUICK
from raw_server import RawServer, answer, says

from voicedrop_async import (
    ApiError,
    ClientCredentials,
    ConfigError,
    ConnectFailed,
    ConnectionLost,
    Forbidden,
    Kind,
    OutcomeUnknown,
    Recording,
    RequestError,
    RouteeSession,
    SendState,
    ServerFailed,
    SpacivoxSession,
    StaticToken,
)

TOKEN = token("bearer-token")
END = datetime(2026, 1, 2, tzinfo=UTC)

CALLS: dict[str, Callable[[RouteeSession, Path], Awaitable[object]]] = {
    "send_campaign": lambda session, _: session.send_campaign(CAMPAIGN),
    "analyze_campaign": lambda session, _: session.analyze_campaign(CAMPAIGN),
    "delete_campaign": lambda session, _: session.delete_campaign("tid"),
    "track_messages": lambda session, _: session.track_messages().first(),
    "track_message": lambda session, _: session.track_message("m"),
    "call": lambda session, _: session.call("PUT", "/voice/conversation/x", kind=Kind.READ, json={"action": "hangup"}),
    "download_recording": lambda session, folder: session.download_recording(Recording("r-1"), folder),
}


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("call", CALLS)
async def test_h12_no_redirect_is_followed_and_its_target_sees_nothing(
    line: RawServer, caller: RouteeSession, tmp_path: Path, call: str, status: int
) -> None:
    """With 307 and 308 the telephone numbers of a campaign would be posted once more, to whoever it is."""
    async with RawServer() as elsewhere:
        line.will(answer(status, b"", headers={"Location": f"{elsewhere.url}/voice?secret=1"}))
        with pytest.raises((ApiError, OutcomeUnknown), match=r"a redirect to 127\.0\.0\.1, which is never followed") as caught:
            await CALLS[call](caller, tmp_path)

        assert elsewhere.connections == 0
    assert len(line.received) == 1
    assert "secret" not in str(caught.value)


async def test_h12_a_redirect_to_the_same_host_is_not_followed_either(line: RawServer, caller: RouteeSession) -> None:
    line.will(answer(307, b"", headers={"Location": "/v2/voice/campaign"}))

    with pytest.raises(OutcomeUnknown, match="a redirect, which is never followed"):
        await caller.send_campaign(CAMPAIGN)

    assert len(line.received) == 1


@pytest.mark.parametrize("location", ["", "http://[::1", "//", "http://\u202e", "http:// x\x1b[2J/", "+306912345678"])
async def test_h12_an_odd_target_is_not_shown(line: RawServer, caller: RouteeSession, location: str) -> None:
    line.will(says(f"HTTP/1.1 302 Found\r\nContent-Length: 0\r\nLocation: {location}\r\n\r\n".encode()))

    with pytest.raises(RequestError) as caught:
        await caller.track_message("m")

    assert str(caught.value).isprintable()
    assert "306912345678" not in str(caught.value)


@pytest.mark.parametrize("endpoint", ["token", "campaign"])
async def test_h12_a_redirect_of_either_host_leads_no_credentials_to_the_other(line: RawServer, endpoint: str) -> None:
    """The secret goes to the token endpoint only, the token to the API only."""
    auth = ClientCredentials("app", "secret-of-app")
    async with (
        RawServer() as issuer,
        RouteeSession(auth, base_url=line.url, auth_url=issuer.url, retry=QUICK) as session,
    ):
        issuer.will(answer(307, b"", headers={"Location": line.url}) if endpoint == "token" else TOKEN)
        line.will(answer(307, b"", headers={"Location": issuer.url + "/oauth/token"}))
        with pytest.raises(RequestError):
            await session.send_campaign(CAMPAIGN)

    assert {request.headers["authorization"].split()[0] for request in issuer.received} == {"Basic"}
    assert {request.headers["authorization"] for request in line.received} <= {"Bearer bearer-token"}
    assert len(line.received) == (0 if endpoint == "token" else 1)


@pytest.mark.parametrize("borrowed", [False, True], ids=["own connections", "borrowed ones"])
async def test_s09_neither_netrc_nor_a_proxy_of_the_environment_is_used(
    line: RawServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, borrowed: bool
) -> None:
    """Also not where the lent session would have used them."""
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login someone password else\ndefault login someone password else\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    line.will(MESSAGE, answer(200, {"trackingId": "tid"}), answer(200, b"RIFF", content_type="audio/wav"))
    async with RawServer() as proxy, aiohttp.ClientSession(trust_env=True) as lent:
        for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "WS_PROXY"):
            monkeypatch.setenv(name, proxy.url)
            monkeypatch.setenv(name.lower(), proxy.url)
        async with RouteeSession(StaticToken("static-token"), base_url=line.url, http=lent if borrowed else None) as session:
            await session.track_message("m")
            await session.send_campaign(CAMPAIGN)
            await session.download_recording(Recording("r-1"), tmp_path)
        assert proxy.connections == 0

    assert {request.headers["authorization"] for request in line.received} == {"Bearer static-token"}


async def test_no_cookie_of_the_service_comes_back(line: RawServer, caller: RouteeSession, tmp_path: Path) -> None:
    """It would tie together what should not be, and could be fixed by whoever stands between."""
    cookie = {"Set-Cookie": "session=1; Path=/"}
    line.will(
        answer(200, {"messageId": "m"}, headers=cookie),
        answer(200, {"trackingId": "tid"}, headers=cookie),
        answer(200, b"RIFF", headers=cookie, content_type="audio/wav"),
        MESSAGE,
    )
    await caller.track_message("m")
    await caller.send_campaign(CAMPAIGN)
    await caller.download_recording(Recording("r-1"), tmp_path)
    await caller.track_message("m")

    assert len(line.received) == 4
    assert [request for request in line.received if "cookie" in request.headers] == []


@pytest.mark.parametrize(
    "make",
    [
        lambda **options: RouteeSession(StaticToken("t"), base_url="http://api.example.com", **options),
        lambda **options: RouteeSession(ClientCredentials("i", "s"), auth_url="http://auth.example.com", **options),
        lambda **options: SpacivoxSession(StaticToken("t"), base_url="http://api.example.com", **options),
    ],
    ids=["base_url", "auth_url", "spacivox"],
)
def test_s11_plain_http_to_another_machine_is_refused_when_the_session_is_made(make: Callable[..., object]) -> None:
    with pytest.raises(ConfigError, match="plain http"):
        make()
    assert make(allow_insecure=True)


@pytest.mark.parametrize("option", [{"ssl": False}, {"verify_ssl": False}, {"ssl_context": False}])
def test_s11_nothing_turns_the_check_of_certificates_off(option: dict[str, object]) -> None:
    with pytest.raises((ConfigError, TypeError), match="ssl"):
        RouteeSession(StaticToken("t"), **option)  # type: ignore[arg-type] - one option after another


ENCODED = base64.b64encode(b"someone:proxy-password").decode()
"""What stands in the header for the proxy."""
PROXIES = {
    "wants a password": answer(407, b"<html>who are you</html>", headers={"Proxy-Authenticate": "Basic"}, content_type="text/html"),
    "cannot go on": answer(502, b"<html>bad gateway</html>", content_type="text/html"),
    "refuses": answer(403, b"no", content_type="text/plain"),
    "speaks another language": says(b"\x05\x00\r\n\r\n"),
    "hangs up": says(b""),
}


@pytest.mark.parametrize(
    ("base", "step", "error"),
    [
        ("https://api.example.com", "wants a password", ConnectFailed),
        ("https://api.example.com", "cannot go on", ConnectFailed),
        ("https://api.example.com", "refuses", ConnectFailed),
        ("https://api.example.com", "speaks another language", ConnectionLost),
        ("https://api.example.com", "hangs up", ConnectionLost),
        ("http://127.0.0.9:9", "wants a password", ConnectFailed),
        ("http://127.0.0.9:9", "cannot go on", ServerFailed),
        ("http://127.0.0.9:9", "refuses", Forbidden),
        ("http://127.0.0.9:9", "speaks another language", ConnectionLost),
        ("http://127.0.0.9:9", "hangs up", ConnectionLost),
    ],
)
async def test_n21_a_proxy_that_fails_is_an_error_of_ours_without_its_password(
    line: RawServer, caplog: pytest.LogCaptureFixture, base: str, step: str, error: type[RequestError]
) -> None:
    """Over https it fails to connect us; plain http it answers itself. The password is in the header, and nowhere else in any form."""
    caplog.set_level(logging.DEBUG)
    line.will(PROXIES[step])
    proxy = line.url.replace("://", "://someone:proxy-password@")
    async with RouteeSession(StaticToken("static-token"), base_url=base, proxy=proxy, retry=QUICK) as session:
        with pytest.raises(RequestError) as caught:
            await session.track_message("m")
        shown = f"{session!r} {caught.value} {caught.value!r} {caught.value.__context__!r} {caught.value.__cause__!r} {caplog.text}"
    shown += pickle.dumps(caught.value, 0).decode("ascii") + str(vars(caught.value))

    assert type(caught.value) is error
    assert line.received[0].headers["proxy-authorization"] == f"Basic {ENCODED}"
    assert "proxy-password" not in shown
    assert ENCODED not in shown


@pytest.mark.parametrize("base", ["https://api.example.com", "http://127.0.0.9:9"], ids=["https", "plain"])
@pytest.mark.parametrize(("step", "asked"), [("wants a password", 1), ("cannot go on", 4)])
async def test_n21_a_proxy_that_says_no_is_named_and_asked_again_only_if_that_may_pass(
    line: RawServer, step: str, asked: int, base: str
) -> None:
    """Nobody but a proxy says 407, and it says so again; over plain http, the 502 may be the service's own."""
    line.will(PROXIES[step])
    proxy = line.url.replace("://", "://someone:proxy-password@")
    async with RouteeSession(StaticToken("static-token"), base_url=base, proxy=proxy, retry=QUICK) as session:
        with pytest.raises(RequestError) as caught:
            await session.track_message("m")

    assert len(line.received) == caught.value.attempts == asked
    if asked == 1 or base.startswith("https"):
        assert isinstance(caught.value, ConnectFailed)
        assert f"no connection: the proxy {line.url} says HTTP {407 if asked == 1 else 502}" in str(caught.value)
        assert "ClientHttpProxyError" not in str(caught.value)


@pytest.mark.parametrize("base", ["https://api.example.com", "http://127.0.0.9:9"], ids=["https", "plain"])
async def test_n21_a_send_that_a_proxy_wants_a_password_for_surely_did_not_happen(line: RawServer, base: str) -> None:
    line.will(PROXIES["wants a password"])
    async with RouteeSession(StaticToken("static-token"), base_url=base, proxy=line.url, retry=QUICK) as session:
        with pytest.raises(ConnectFailed):
            await session.send_campaign(CAMPAIGN, ref="order-7")
        entry = await session.journal.find("order-7")

    assert entry is not None
    assert entry.state is SendState.NOT_SENT
    assert len(line.received) == 1


async def test_n21_to_a_proxy_that_does_not_go_on_no_token_is_shown(line: RawServer) -> None:
    """Over https it sees the host, and nothing of the request: a paid send surely did not happen."""
    line.will(PROXIES["cannot go on"])
    async with RouteeSession(StaticToken("static-token"), base_url="https://api.example.com", proxy=line.url, retry=QUICK) as session:
        with pytest.raises(ConnectFailed) as caught:
            await session.send_campaign(CAMPAIGN)

    assert not caught.value.may_have_happened
    assert {(request.method, request.target) for request in line.received} == {("CONNECT", "api.example.com:443")}
    assert "static-token" not in str([(request.headers, request.body) for request in line.received])


async def test_n21_a_proxy_that_is_not_there_is_no_connection(unused_tcp_port: int) -> None:
    proxy = f"http://someone:proxy-password@127.0.0.1:{unused_tcp_port}"
    async with RouteeSession(StaticToken("t"), base_url="https://api.example.com", proxy=proxy, retry=QUICK) as session:
        with pytest.raises(ConnectFailed) as caught:
            await session.track_messages(start=END - timedelta(1), end=END).first()

    assert "proxy-password" not in f"{caught.value} {caught.value!r} {caught.value.__cause__!r} {caught.value.__context__!r}"
    assert f"the proxy http://127.0.0.1:{unused_tcp_port} cannot be reached" in str(caught.value)
    assert caught.value.attempts == 4


@pytest.mark.parametrize("proxy", ["", "localhost:8080", "http://", "http://a b", "http://a\r\nb", "http://x:secret-word@a\x00b", 5])
def test_n21_a_proxy_that_cannot_be_is_refused_without_being_shown(proxy) -> None:
    with pytest.raises(ConfigError, match="proxy: ") as caught:
        RouteeSession(StaticToken("t"), proxy=proxy)

    assert "secret-word" not in str(caught.value)
