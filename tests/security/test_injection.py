"""Texts stay texts: none becomes a header, a path, a field or a line of a log."""

import json
import logging
from collections.abc import Awaitable, Callable
from typing import Any

import attrs
import pytest
from answers import token
from campaigns import CAMPAIGN, QUICK, RECEIPT
from raw_server import RawServer, answer

from voicedrop_async import (
    BadRequest,
    ClientCredentials,
    ConfigError,
    Kind,
    RouteeSession,
    SpokenMessage,
    StaticToken,
    TrackingFilter,
    Unauthorized,
    VoiceDropError,
    WireError,
)
from voicedrop_async import errors as tree
from voicedrop_async._masking import shown

SPLITS = ["a\r\nX-Evil: 1", "a\nX-Evil: 1", "a\rX-Evil: 1", "a\0b", "a\x0bb", "a\u2028b", "a\x85b"]


@pytest.mark.parametrize("text", SPLITS)
@pytest.mark.parametrize(
    "make",
    [
        StaticToken,
        lambda text: ClientCredentials(text, "secret"),
        lambda text: ClientCredentials("id", text),
        lambda text: RouteeSession(StaticToken("t"), base_url=f"https://api.example.com/{text}"),
        lambda text: RouteeSession(ClientCredentials("i", "s"), auth_url=f"https://{text}.example.com"),
        lambda text: RouteeSession(StaticToken("t"), proxy=f"http://{text}@proxy.example.com"),
    ],
    ids=["token", "application id", "secret", "base_url", "auth_url", "proxy"],
)
def test_s12_what_would_end_a_header_is_refused_when_it_is_given(make: Callable[[str], object], text: str) -> None:
    with pytest.raises(ConfigError):
        make(text)


@pytest.mark.parametrize("text", SPLITS)
@pytest.mark.parametrize(
    "call",
    [
        lambda session, text: session.call(f"GET {text}", "/x", kind=Kind.READ),
        lambda session, text: session.call("GET", f"/x{text}", kind=Kind.READ),
    ],
    ids=["method", "path"],
)
async def test_s12_what_would_end_the_first_line_is_refused_before_any_byte(
    line: RawServer, caller: RouteeSession, call: Callable[[RouteeSession, str], Awaitable[object]], text: str
) -> None:
    with pytest.raises(ConfigError):
        await call(caller, text)

    assert line.connections == 0


@pytest.mark.parametrize("text", SPLITS)
async def test_s12_a_token_that_would_end_its_header_is_not_used(line: RawServer, text: str) -> None:
    async with (
        RawServer([token(text)]) as issuer,
        RouteeSession(ClientCredentials("i", "s"), base_url=line.url, auth_url=issuer.url, retry=QUICK) as session,
    ):
        with pytest.raises(Unauthorized, match="cannot be part of one"):
            await session.track_message("m")

    assert line.connections == 0


@pytest.mark.parametrize("text", SPLITS)
async def test_s12_texts_of_the_caller_come_whole_and_end_nothing(line: RawServer, caller: RouteeSession, text: str) -> None:
    """As an id, a value of the query, a name in it, and in a body."""
    line.will(answer(200, {"messageId": "m"}), answer(200, {"content": [], "last": True}), answer(200, b"{}"), answer(200, RECEIPT))
    await caller.track_message(text)
    await caller.track_messages(campaign_id=text, filters=[TrackingFilter(text, text)]).collect()
    await caller.call("GET", "/x", kind=Kind.READ, params={text: text})
    await caller.send_campaign(attrs.evolve(CAMPAIGN, message=SpokenMessage(text)))

    by_id, search, call, campaign = line.received
    assert len(line.received) == 4
    assert [request for request in line.received if "x-evil" in request.headers] == []
    assert all(request.target.isprintable() and " " not in request.target for request in line.received)
    assert by_id.target.count("/") == 3
    assert json.loads(search.body)[0]["searchTerm"] == text
    assert call.target.count("&") == 0
    assert json.loads(campaign.body)["message"]["text"] == text


@pytest.mark.parametrize(
    ("given", "sent"),
    [
        ("a/b", "a%2Fb"),
        ("a%2Fb", "a%252Fb"),
        ("../x", "..%2Fx"),
        ("..%2fx", "..%252fx"),
        ("%2e%2e", "%252e%252e"),
        ("a\\b", "a%5Cb"),
        ("a?b#c", "a%3Fb%23c"),
        ("a;b=c", "a%3Bb%3Dc"),
        ("//evil.example", "%2F%2Fevil.example"),
        ("ü", "%C3%BC"),
        ("\u2024\u2024", "%E2%80%A4%E2%80%A4"),
        ("...", "..."),
        ("a b+c", "a%20b%2Bc"),
        ("{tracking_id}", "%7Btracking_id%7D"),
    ],
)
async def test_an_id_is_one_segment_of_the_path_in_every_operation(line: RawServer, caller: RouteeSession, given: str, sent: str) -> None:
    line.will(answer(200, {"messageId": "m"}), answer(200, b"{}"), answer(200, {"content": [], "last": True}))
    await caller.track_message(given)
    await caller.delete_campaign(given)
    await caller.track_campaign(given).pages().__anext__()
    await caller.track_conversation(given).pages().__anext__()

    assert [request.target.partition("?")[0] for request in line.received] == [
        f"/voice/tracking/{sent}",
        f"/voice/campaign/{sent}",
        f"/voice/tracking/campaign/{sent}",
        f"/voice/tracking/conversation/{sent}",
    ]


FORGERIES = [
    "a\r\nINFO all is well",
    "a\x1b[2J\x1b]0;title\x07",
    "a\u2028b\u2029c\x85d",
    "a\u202eb\u2066c\u061cd\u200fe",
    "a\u200bb\u2060c\ufeffd",
    "a\U000e0041b",
    "a\0b\x7fc\x9bd",
]


@pytest.mark.parametrize("text", FORGERIES)
def test_nothing_that_could_forge_or_hide_a_line_is_shown(text: str) -> None:
    assert shown(text).isprintable()
    assert shown(text).startswith("a\\x")


@pytest.mark.parametrize("text", FORGERIES)
@pytest.mark.parametrize(
    "error",
    [
        lambda text: tree.BadRequest(summary="x", status=400, code=text, developer_message=text),
        lambda text: tree.WireError(summary="x", path=text, content_type=text, status=200),
    ],
    ids=["ApiError", "WireError"],
)
def test_no_text_of_the_service_forges_a_line_of_a_log(error: Callable[[str], VoiceDropError], text: str) -> None:
    assert str(error(text)).isprintable()
    assert repr(error(text)).isprintable()


@pytest.mark.parametrize("text", FORGERIES)
async def test_no_answer_of_the_service_forges_a_line_of_a_log(
    line: RawServer, caller: RouteeSession, caplog: pytest.LogCaptureFixture, text: str
) -> None:
    """Its words, its code, the names of its keys, and what it calls its content."""
    caplog.set_level(logging.DEBUG, "voicedrop_async")
    steps: list[tuple[Any, type[VoiceDropError]]] = [
        (answer(400, {"code": text, "developerMessage": text, "errors": [{"code": text, "developerMessage": text}]}), BadRequest),
        (answer(200, {"messageId": "m", "status": {text: text, "status": {}}}), WireError),
        (answer(200, b"<html>", content_type=f"text/{text.replace(chr(13), '').replace(chr(10), '').replace(chr(0), '')}"), WireError),
    ]
    for step, kind in steps:
        line.will(step)
        with pytest.raises(VoiceDropError) as caught:
            await caller.track_message("m")
        assert isinstance(caught.value, kind | tree.ConnectionLost)  # some such headers are no HTTP
        assert str(caught.value).isprintable()

    assert [record.getMessage() for record in caplog.records if not record.name.startswith("asyncio")] == []


@pytest.mark.parametrize("text", FORGERIES)
def test_what_a_caller_got_wrong_is_told_without_forging_a_line(text: str) -> None:
    """The names of hosts, ids and parameters come from elsewhere as well."""
    with pytest.raises(ConfigError) as caught:
        RouteeSession(StaticToken("t"), recording_hosts=[text])

    assert str(caught.value).isprintable()
