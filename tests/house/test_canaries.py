"""Secrets and phone numbers are planted, everything is made to go wrong, and what can be seen is searched for them."""

import logging
import pickle
import traceback
from collections.abc import Awaitable, Callable

import attrs
import pytest
from campaigns import CAMPAIGN, QUICK, RECEIPT
from raw_server import RawServer, answer, hangs_up

from voicedrop_async import ClientCredentials, Event, Kind, RouteeSession, StaticToken, TrackingFilter, VoiceDropError
from voicedrop_async import errors as tree

SECRET = "cAnArY-secret"
TOKEN = "cAnArY-token"
NUMBER = "+306999888777"
TEXT = "cAnArY-text"
TONES = "4711471147"
CANARIES = (SECRET, TOKEN, NUMBER, NUMBER[1:], TEXT, TONES, "QXBwOmNBbkFyWS1zZWNyZXQ")

MESSAGE = {
    "messageId": "m-1",
    "to": NUMBER,
    "from": NUMBER[1:],
    "collectedTones": TONES,
    "message": {"text": TEXT},
    "fileURL": f"https://example.com/{TEXT}.wav",
    "recordings": [{"url": f"https://example.com/{TEXT}", "from": NUMBER, "to": NUMBER}],
    "unknownKey": TEXT,
}
WORDS = {"code": "400013001", "developerMessage": f"number {NUMBER} is bad", "errors": [{"code": "1", "property": [NUMBER]}]}
STEPS = {
    "hangs up": hangs_up(),
    "refuses": answer(400, WORDS),
    "fails with the number in a code of a row": answer(400, {"developerMessage": "x", "errors": [{"code": NUMBER}]}),
    "refuses with the number in the code": answer(400, {"code": NUMBER}),
    "fails": answer(500, WORDS),
    "html": answer(200, f"<html>{NUMBER} {TEXT}</html>".encode(), content_type=f"text/html; x={NUMBER}"),
    "another shape": answer(200, [MESSAGE]),
    "odd values": answer(200, MESSAGE | {"trackingId": {"x": NUMBER}, "status": NUMBER, "price": TEXT, "content": NUMBER}),
    "redirects": answer(302, b"", headers={"Location": f"https://example.com/{NUMBER}?{TEXT}"}),
}
CAMPAIGN_WITH_CANARIES = attrs.evolve(CAMPAIGN, sender=NUMBER[1:], to=[NUMBER], message=attrs.evolve(CAMPAIGN.message, text=TEXT))

CALLS: dict[str, Callable[[RouteeSession], Awaitable[object]]] = {
    "send_campaign": lambda session: session.send_campaign(CAMPAIGN_WITH_CANARIES),
    "analyze_campaign": lambda session: session.analyze_campaign(CAMPAIGN_WITH_CANARIES),
    "send_campaign under a ref": lambda session: session.send_campaign(CAMPAIGN_WITH_CANARIES, ref="order-7"),
    "send_campaigns": lambda session: session.send_campaigns(attrs.evolve(CAMPAIGN_WITH_CANARIES, to=()), [NUMBER], ref="order-7"),
    "track_message": lambda session: session.track_message("m-1"),
    "track_messages": lambda session: session.track_messages(filters=[TrackingFilter("recipient", NUMBER)]).collect(),
    "call": lambda session: session.call("GET", f"/numbers/{NUMBER}", kind=Kind.READ, params={"n": NUMBER}),
}


def seen(text: str) -> list[str]:
    return [canary for canary in CANARIES if canary in text]


def all_shown(error: BaseException) -> str:
    """Everything that a log, a console or a tracker of errors would get of an error."""
    plain = "".join(traceback.format_exception(error))
    unpickled = pickle.loads(pickle.dumps(error))
    return "\n".join([plain, repr(error), str(error), repr(error.args), repr(unpickled), repr(vars(unpickled))])


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("step", STEPS)
async def test_nothing_planted_is_seen_in_an_error_an_event_or_a_log(
    line: RawServer, caplog: pytest.LogCaptureFixture, step: str, call: str
) -> None:
    caplog.set_level(logging.DEBUG)
    events: list[Event] = []
    line.will(STEPS[step])
    async with RouteeSession(StaticToken(TOKEN), base_url=line.url, retry=QUICK, on_event=events.append) as session:
        shown = [repr(session)]
        try:
            shown.append(repr(await CALLS[call](session)))
        except VoiceDropError as error:
            shown.append(all_shown(error))

    assert seen("\n".join([*shown, repr(events), caplog.text])) == []


async def test_nothing_planted_is_seen_when_no_token_is_given(line: RawServer, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    auth = ClientCredentials("App", SECRET)
    line.will(answer(401, {"error": "Unauthorized", "message": f"Bad credentials {NUMBER}"}))
    async with RouteeSession(auth, base_url=line.url, auth_url=line.url, retry=QUICK) as session:
        with pytest.raises(VoiceDropError) as caught:
            await session.track_message("m-1")

    assert seen(all_shown(caught.value) + caplog.text + repr(auth)) == []


@pytest.mark.parametrize("call", ["send_campaign", "send_campaign under a ref", "analyze_campaign", "track_message"])
async def test_no_secret_stands_in_the_locals_of_our_frames(line: RawServer, call: str) -> None:
    """Trackers of errors show the local variables of each frame."""
    line.will(answer(400, WORDS))
    async with RouteeSession(StaticToken(TOKEN), base_url=line.url, retry=QUICK) as session:
        with pytest.raises(VoiceDropError) as caught:
            await CALLS[call](session)

    frames = [frame for frame, _ in traceback.walk_tb(caught.value.__traceback__) if "voicedrop_async" in frame.f_code.co_filename]
    assert frames
    assert [found for frame in frames for found in seen(repr(frame.f_locals))] == []


async def test_what_is_planted_was_there_to_be_seen(line: RawServer) -> None:
    """The search itself finds what is not hidden: the user's own data, asked for by its name."""
    line.will(answer(200, RECEIPT), answer(200, MESSAGE))
    async with RouteeSession(StaticToken(TOKEN), base_url=line.url) as session:
        await session.send_campaign(CAMPAIGN_WITH_CANARIES)
        message = await session.track_message("m-1")

    sent = line.received[0]
    assert set(seen(f"{sent.headers} {sent.body!r}")) >= {TOKEN, NUMBER, TEXT}
    assert message.message is not None
    assert set(seen(f"{message.to} {message.collected_tones} {message.message.text}")) >= {NUMBER, TONES, TEXT}
    assert seen(repr(message)) == []


async def test_a_service_that_repeats_our_secrets_is_not_repeated(line: RawServer) -> None:
    """Some servers write into their error what they were sent."""
    echo = {"developerMessage": f"bad token {TOKEN}", "code": TOKEN, "errors": [{"developerMessage": f"Bearer {TOKEN}", "code": TOKEN}]}
    line.will(answer(400, echo))
    async with RouteeSession(StaticToken(TOKEN), base_url=line.url, retry=QUICK) as session:
        with pytest.raises(VoiceDropError) as api:
            await session.track_message("m-1")

    line.will(answer(401, {"error": "invalid_client", "error_description": f"{SECRET} of Basic QXBwOmNBbkFyWS1zZWNyZXQ= is wrong"}))
    async with RouteeSession(ClientCredentials("App", SECRET), base_url=line.url, auth_url=line.url, retry=QUICK) as session:
        with pytest.raises(VoiceDropError) as endpoint:
            await session.track_message("m-1")

    assert seen(all_shown(api.value) + all_shown(endpoint.value)) == []


def test_foreign_words_cannot_forge_a_line_of_a_log() -> None:
    error = tree.BadRequest(summary="HTTP 400", status=400, developer_message="a\r\nINFO all is well\x1b[2J\u2028\u202e")

    assert str(error).isprintable()
    assert "\\x0a" in str(error)
