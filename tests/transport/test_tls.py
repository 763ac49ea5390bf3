"""TLS is verified, always: by the authorities of the machine, or by those of a context that is handed in."""

import asyncio
import ssl
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import trustme
from answers import MESSAGE, token
from campaigns import CAMPAIGN, QUICK, RECEIPT
from raw_server import RawServer, answer

from voicedrop_async import ClientCredentials, ConfigError, ConnectFailed, RouteeSession, SpacivoxSession, StaticToken, TimedOut, Timeouts

YESTERDAY = datetime.now(UTC) - timedelta(days=1)
OURS, THEIRS = trustme.CA(), trustme.CA()


def trusting(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.create_default_context()
    authority.configure_trust(context)
    return context


@asynccontextmanager
async def server(authority: trustme.CA = OURS, name: str = "127.0.0.1", **life: Any) -> AsyncGenerator[RawServer]:
    """A server with a certificate that this authority gave it, for this name."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert(name, **life).configure_cert(context)
    async with RawServer(tls=context) as running:
        yield running


async def test_an_authority_of_one_s_own_is_trusted_on_every_road() -> None:
    """The token endpoint, reading, and a paid send, which has connections of its own."""
    async with server() as line:
        line.will(
            token(),
            MESSAGE,
            answer(200, RECEIPT),
        )
        auth = ClientCredentials("id", "secret")
        async with RouteeSession(auth, base_url=line.url, auth_url=line.url, ssl_context=trusting(OURS)) as session:
            assert (await session.track_message("m")).message_id == "m"
            assert (await session.send_campaign(CAMPAIGN)).tracking_id == "tid-1"

    assert len(line.received) == 3


CASES: dict[str, tuple[dict[str, Any], Callable[[], ssl.SSLContext | None]]] = {
    "an authority nobody knows": ({}, lambda: None),
    "an authority we do not know": ({"authority": THEIRS}, lambda: trusting(OURS)),
    "the certificate of another host": ({"name": "other.example"}, lambda: trusting(OURS)),
    "an expired certificate": ({"not_before": YESTERDAY - timedelta(days=1), "not_after": YESTERDAY}, lambda: trusting(OURS)),
}


@pytest.mark.parametrize("case", CASES)
async def test_n20_a_server_that_cannot_prove_itself_gets_nothing(case: str) -> None:
    """A fault of the set-up: raised at once, for a paid send too, and neither token nor body has left."""
    made, context = CASES[case]
    async with server(**made) as line, RouteeSession(StaticToken("t"), base_url=line.url, ssl_context=context()) as session:
        with pytest.raises(ConnectFailed) as read:
            await session.track_message("m")
        with pytest.raises(ConnectFailed) as paid:
            await session.send_campaign(CAMPAIGN)

    for caught in (read, paid):
        assert (caught.value.attempts, caught.value.may_pass, caught.value.may_have_happened) == (1, False, False)
        assert "not a trusted https server of that name" in str(caught.value)
    assert line.received == []


async def test_n20_a_port_that_never_answers_a_handshake_is_given_up() -> None:
    greeted = asyncio.Event()

    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        greeted.set()
        await reader.read()
        writer.close()

    listening = await asyncio.start_server(silent, "127.0.0.1", 0)
    url = f"https://127.0.0.1:{listening.sockets[0].getsockname()[1]}"
    async with listening, RouteeSession(StaticToken("t"), base_url=url, timeouts=Timeouts(connect=0.05), retry=QUICK) as session:
        with pytest.raises(TimedOut) as caught:
            await session.track_message("m")

    assert greeted.is_set()
    assert "no connection within 0.05 s" in str(caught.value)


def unverified() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def any_name() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.check_hostname = False
    return context


def optional() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.verify_mode = ssl.CERT_OPTIONAL
    return context


@pytest.mark.parametrize(
    "value", [False, True, "ca.pem", unverified(), any_name(), optional(), ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)]
)
def test_verifying_cannot_be_turned_off(value: Any) -> None:
    with pytest.raises(ConfigError, match="ssl_context"):
        RouteeSession(StaticToken("t"), ssl_context=value)
    with pytest.raises(ConfigError, match="ssl_context"):
        SpacivoxSession(StaticToken("t"), base_url="https://example.com", ssl_context=value)


@pytest.mark.parametrize("trust", [False, unverified(), any_name()], ids=["none", "any authority", "any name"])
async def test_s11_a_borrowed_connector_that_trusts_anybody_is_refused(trust: Any) -> None:
    """aiohttp asks the connector wherever a request brings no context: the secret would go to whoever answers."""
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=trust)) as http:
        with pytest.raises(ConfigError, match="http: its connector does not verify"):
            RouteeSession(ClientCredentials("id", "secret"), http=http)


async def test_s11_a_borrowed_connector_that_does_not_tell_whom_it_trusts_is_refused() -> None:
    """It tells in an attribute that aiohttp may rename any day: then nobody knows, and that is no yes."""
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=False)) as http:
        del http.connector._ssl
        with pytest.raises(ConfigError, match="http: its connector does not tell"):
            RouteeSession(ClientCredentials("id", "secret"), http=http)


async def test_a_borrowed_connector_without_tls_has_nothing_to_tell(tmp_path: Path) -> None:
    async with aiohttp.ClientSession(connector=aiohttp.UnixConnector(str(tmp_path / "socket"))) as http:
        await RouteeSession(ClientCredentials("id", "secret"), http=http).aclose()


async def test_a_borrowed_connector_brings_the_authority_it_trusts() -> None:
    async with server() as line, aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=trusting(OURS))) as http:
        line.will(MESSAGE)
        async with RouteeSession(StaticToken("t"), base_url=line.url, http=http) as session:
            assert (await session.track_message("m")).message_id == "m"


async def test_a_borrowed_connector_without_an_authority_of_its_own_verifies_like_ours() -> None:
    async with server() as line, aiohttp.ClientSession() as http, RouteeSession(StaticToken("t"), base_url=line.url, http=http) as session:
        with pytest.raises(ConnectFailed):
            await session.track_message("m")

    assert line.received == []
