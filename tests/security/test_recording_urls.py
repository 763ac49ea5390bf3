"""Where the service says a recording is, is data: nothing is sent to a place that nobody named, and no token to another host."""

import ssl
from pathlib import Path

import pytest
import trustme
from answers import MESSAGE, token
from campaigns import QUICK
from folders import inside
from internet import Internet
from raw_server import RawServer, answer

from voicedrop_async import (
    ApiError,
    ClientCredentials,
    ConfigError,
    ConnectFailed,
    RateLimited,
    Recording,
    RouteeSession,
    StaticToken,
    Unauthorized,
)
from voicedrop_async._resolver import is_public

SOUND = answer(200, b"RIFF....WAVE", content_type="audio/wav")
TOKEN = token("bearer-token")
FILES = "files.example.com"


def stored(url: str) -> Recording:
    return Recording("r-1", url=url)


@pytest.mark.parametrize(
    "url",
    [
        "https://evil.example/r.wav",
        "https://api.example.evil.example/r.wav",
        "https://files.example.com.evil.example/r.wav",
        "http://files.example.com/r.wav",
        "https://files.example.com:8443/r.wav",
        "https://files.example.com./r.wav",
        "https://user:hunter2@files.example.com/r.wav",
        "https://@files.example.com/r.wav",
        "https://files.example.com@evil.example/r.wav",
        "https://files.example.com\\@evil.example/r.wav",
        "https://files.example.com%2eevil.example/r.wav",
        "https://files.example.com\r\nHost: evil.example/",
        "https://files.exa\u00admple.com/r.wav",
        "https://93.184.215.14/r.wav",
        "https://169.254.169.254/latest/meta-data/",
        "http://169.254.169.254/latest/meta-data/",
        "https://[::1]/r.wav",
        "https://[::ffff:169.254.169.254]/r.wav",
        "https://2130706433/r.wav",
        "https://0x7f.1/r.wav",
        "https://localhost/r.wav",
        "//evil.example/r.wav",
        "/recordings/my/downloads/r-1",
        "file:///etc/passwd",
        "ftp://files.example.com/r.wav",
        "https:///r.wav",
        "https://files.example.com:99999/r.wav",
        "",
    ],
)
async def test_s04_a_recording_elsewhere_is_refused_before_anything_is_sent(internet: Internet, line: RawServer, tmp_path: Path, url: str):
    async with RouteeSession(StaticToken("static-token"), base_url=line.url, recording_hosts=[FILES]) as session:
        with pytest.raises(ConfigError, match=r"recording\.url") as caught:
            await session.download_recording(stored(url), tmp_path)

    assert (line.connections, internet.asked, internet.gone_to, inside(tmp_path)) == (0, [], [], [])
    assert "hunter2" not in str(caught.value)
    assert str(caught.value).isprintable()


@pytest.mark.parametrize("change", [("http:", "https:"), ("127.0.0.1", "localhost"), ("127.0.0.1", "127.1"), ("://", "://x@")])
async def test_s04_what_only_resembles_the_origin_of_the_api_is_another_one(
    line: RawServer, caller: RouteeSession, tmp_path: Path, change: tuple[str, str]
) -> None:
    with pytest.raises(ConfigError, match=r"recording\.url"):
        await caller.download_recording(stored(line.url.replace(*change) + "/r"), tmp_path)

    assert line.connections == 0


async def test_s04_another_port_of_the_same_host_is_another_origin(line: RawServer, caller: RouteeSession, tmp_path: Path) -> None:
    async with RawServer() as other:
        with pytest.raises(ConfigError, match=r"recording\.url"):
            await caller.download_recording(stored(other.url + "/r"), tmp_path)

        assert (line.connections, other.connections) == (0, 0)


async def test_s04_at_the_origin_of_the_api_the_url_is_followed_as_it_is(line: RawServer, caller: RouteeSession, tmp_path: Path) -> None:
    """Whatever its path, whose signature would not survive another spelling."""
    line.will(SOUND)

    saved = await caller.download_recording(stored(line.url + "/elsewhere/%2f?sig=a%2Bb&x=+1"), tmp_path)

    assert line.received[0].target == "/elsewhere/%2f?sig=a%2Bb&x=+1"
    assert line.received[0].headers["authorization"] == "Bearer static-token"
    assert saved.read_bytes() == b"RIFF....WAVE"


async def test_s04_a_recording_without_a_url_is_fetched_by_its_id(line: RawServer, caller: RouteeSession, tmp_path: Path) -> None:
    line.will(SOUND)

    await caller.download_recording(Recording("a/../b"), tmp_path)

    assert line.received[0].target == "/recordings/my/downloads/a%2F..%2Fb"
    assert line.received[0].headers["authorization"] == "Bearer static-token"


async def test_s04_a_redirect_is_not_followed_and_its_host_is_told(line: RawServer, caller: RouteeSession, tmp_path: Path) -> None:
    async with RawServer() as elsewhere:
        line.will(answer(302, b"", headers={"Location": elsewhere.url + "/secret?token=1"}))

        with pytest.raises(ApiError, match=r"a redirect to 127\.0\.0\.1, which is never followed") as caught:
            await caller.download_recording(Recording("r-1"), tmp_path)

        assert elsewhere.connections == 0
    assert "secret" not in str(caught.value)
    assert inside(tmp_path) == []


@pytest.mark.parametrize(
    "addresses",
    [
        ["127.0.0.1"],
        ["10.0.0.1"],
        ["169.254.169.254"],
        ["::1"],
        ["::ffff:10.0.0.1"],
        ["fd00::1"],
        ["93.184.215.14", "192.168.1.1"],
    ],
)
async def test_s04_a_named_host_that_leads_into_a_network_is_not_gone_to(
    internet: Internet, line: RawServer, tmp_path: Path, addresses: list[str]
) -> None:
    """Whoever owns the name decides where it leads, today or in a minute."""
    internet.names[FILES] = addresses
    async with RouteeSession(StaticToken("t"), base_url=line.url, recording_hosts=[FILES], retry=QUICK) as session:
        with pytest.raises(ConnectFailed, match="not public") as caught:
            await session.download_recording(stored(f"https://{FILES}/r.wav"), tmp_path)

    assert not caught.value.may_pass
    assert (internet.asked, internet.gone_to, line.connections, inside(tmp_path)) == ([FILES], [], 0, [])


async def test_s04_a_name_is_looked_at_anew_for_each_connection(internet: Internet, line: RawServer, tmp_path: Path) -> None:
    """Public when it was looked up first, and then not: no older answer stands in for the new one."""
    internet.names[FILES] = ["93.184.215.14"]
    async with RouteeSession(StaticToken("t"), base_url=line.url, recording_hosts=[FILES], retry=QUICK) as session:
        with pytest.raises(ConnectFailed, match="no connection"):
            await session.download_recording(stored(f"https://{FILES}/r.wav"), tmp_path)
        tried = len(internet.gone_to)
        internet.names[FILES] = ["127.0.0.1"]
        with pytest.raises(ConnectFailed, match="not public"):
            await session.download_recording(stored(f"https://{FILES}/r.wav"), tmp_path)

    assert internet.gone_to == ["93.184.215.14"] * tried
    assert tried > 0


@pytest.fixture
def trusted() -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """What the server of files shows, and what trusts it."""
    authority = trustme.CA()
    theirs, ours = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH), ssl.create_default_context()
    authority.issue_cert(FILES).configure_cert(theirs)
    authority.configure_trust(ours)
    return theirs, ours


async def test_s04_a_named_host_gets_no_token(
    internet: Internet, line: RawServer, tmp_path: Path, trusted: tuple[ssl.SSLContext, ssl.SSLContext]
) -> None:
    internet.names[FILES] = ["93.184.215.14"]
    async with (
        RawServer(tls=trusted[0]) as files,
        RouteeSession(StaticToken("t"), base_url=line.url, recording_hosts=[FILES.upper()], ssl_context=trusted[1]) as session,
    ):
        internet.roads["93.184.215.14"] = files.port
        files.will(SOUND)
        saved = await session.download_recording(stored(f"https://{FILES.title()}/r.wav?sig=1"), tmp_path)

    assert saved.read_bytes() == b"RIFF....WAVE"
    assert files.received[0].target == "/r.wav?sig=1"
    assert (files.received[0].headers["accept"], files.received[0].headers["accept-encoding"]) == ("*/*", "identity")
    assert not {"authorization", "cookie", "referer"} & files.received[0].headers.keys()
    assert line.connections == 0


@pytest.mark.parametrize(("status", "error"), [(401, Unauthorized), (429, RateLimited)])
async def test_s04_what_a_named_host_says_is_not_said_by_the_api(
    internet: Internet,
    line: RawServer,
    tmp_path: Path,
    trusted: tuple[ssl.SSLContext, ssl.SSLContext],
    status: int,
    error: type[ApiError],
) -> None:
    """It cannot make us renew the token, and its 429 pauses nobody who asks the API."""
    internet.names[FILES] = ["93.184.215.14"]
    async with (
        RawServer([TOKEN]) as issuer,
        RawServer(tls=trusted[0]) as files,
        RouteeSession(
            ClientCredentials("app", "secret"),
            base_url=line.url,
            auth_url=issuer.url,
            recording_hosts=[FILES],
            ssl_context=trusted[1],
            retry=QUICK,
        ) as session,
    ):
        internet.roads["93.184.215.14"] = files.port
        files.will(answer(status, b"", headers={"Retry-After": "3600"}))
        with pytest.raises(error):
            await session.download_recording(stored(f"https://{FILES}/r.wav"), tmp_path)
        line.will(MESSAGE)
        await session.with_options(deadline=5.0).track_message("m")

    assert (len(files.received), len(issuer.received), len(line.received)) == (1, 1, 1)


async def test_s04_through_a_proxy_the_hosts_are_the_same(line: RawServer, tmp_path: Path) -> None:
    """The proxy looks names up, so what it is asked for is all that can be held."""
    line.will(answer(403, b"no"))
    async with RouteeSession(StaticToken("static-token"), proxy=line.url, recording_hosts=[FILES], retry=QUICK) as session:
        with pytest.raises(ConfigError, match=r"recording\.url"):
            await session.download_recording(stored("https://evil.example/r.wav"), tmp_path)
        assert line.connections == 0
        with pytest.raises(ConnectFailed):
            await session.download_recording(stored(f"https://{FILES}/r.wav"), tmp_path)

    assert {(request.method, request.target) for request in line.received} == {("CONNECT", f"{FILES}:443")}
    assert "static-token" not in str([request.headers for request in line.received])


@pytest.mark.parametrize(
    "hosts", [FILES, 5, [""], ["localhost"], ["127.0.0.1"], ["::1"], ["https://files.example.com"], ["a.example:8443"], ["*.example"], [5]]
)
def test_s04_names_of_hosts_that_cannot_be_are_refused(hosts) -> None:
    with pytest.raises(ConfigError, match="recording_hosts"):
        RouteeSession(StaticToken("t"), recording_hosts=hosts)


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("93.184.215.14", True),
        ("2606:4700::1", True),
        ("64:ff9b::5db8:d70e", True),
        ("64:ff9b::7f00:1", False),
        ("::ffff:127.0.0.1", False),
        ("2002:7f00:1::", False),
        ("fe80::1%1", False),
        ("0.0.0.0", False),
        ("100.64.0.1", False),
        ("172.16.0.1", False),
        ("192.0.2.1", False),
        ("224.0.0.1", False),
        ("255.255.255.255", False),
        ("::", False),
        ("ff02::1", False),
    ],
)
def test_s04_an_address_within_a_network_is_known_in_every_spelling(address: str, public: bool) -> None:
    assert is_public(address) is public
