"""Secrets and phone numbers are planted, everything is made to go wrong, and what can be seen is searched for them."""

import asyncio
import inspect
import logging
import pickle
import re
import traceback
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Awaitable, Callable, Iterator
from datetime import UTC, datetime
from enum import Enum
from pathlib import Path
from typing import Any, is_typeddict
from urllib.parse import quote, quote_plus

import attrs
import pytest
from campaigns import CAMPAIGN, QUICK, RECEIPT
from raw_server import RawServer, answer, hangs_up

import voicedrop_async
from voicedrop_async import (
    ApiError,
    CallbackReceiver,
    ClientCredentials,
    Event,
    Intent,
    Kind,
    MemoryJournal,
    Recording,
    RouteeSession,
    SpacivoxSession,
    SqliteJournal,
    StaticToken,
    Throttle,
    TrackingFilter,
    VoiceDropError,
    WalkReport,
    follow,
)
from voicedrop_async import errors as tree
from voicedrop_async.sandbox import Sandbox

SECRET = "cAnArY-secret"
TOKEN = "cAnArY-token"
NUMBER = "+306999888777"
TEXT = "cAnArY-text"
TONES = "4711471147"
BLANKS = "0030 699 988 8777"
CANARIES = (SECRET, TOKEN, NUMBER, NUMBER[1:], BLANKS, BLANKS.replace(" ", "%20"), TEXT, TONES, "QXBwOmNBbkFyWS1zZWNyZXQ")

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
    "call with blanks": lambda session: session.call("GET", f"/numbers/{BLANKS}/x", kind=Kind.READ),
    "download_recording": lambda session: session.download_recording(Recording(NUMBER), "."),
}


def seen(text: str) -> list[str]:
    return [canary for canary in CANARIES if canary in text]


def all_shown(error: BaseException) -> str:
    """Everything that a log, a console or a tracker of errors would get of an error."""
    plain = "".join(traceback.format_exception(error))
    unpickled = pickle.loads(pickle.dumps(error))
    behind = [repr(one) for one in chain(error)]
    return "\n".join([plain, repr(error), str(error), repr(error.args), repr(unpickled), repr(vars(unpickled)), *behind])


def chain(error: BaseException | None) -> Iterator[BaseException]:
    """An error and what it came from, also what a traceback would leave out."""
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("step", STEPS)
async def test_s01_nothing_planted_is_seen_in_an_error_an_event_or_a_log(
    line: RawServer, caplog: pytest.LogCaptureFixture, step: str, call: str
) -> None:
    caplog.set_level(logging.DEBUG)
    events: list[Event] = []
    line.will(STEPS[step])
    async with RouteeSession(StaticToken(TOKEN), base_url=line.url, retry=QUICK, on_event=events.append) as session:
        shown, behind = [repr(session)], list[BaseException]()
        try:
            shown.append(repr(await CALLS[call](session)))
        except VoiceDropError as error:
            shown.append(all_shown(error))
            behind = [*chain(error)]

    assert [type(one) for one in behind if not isinstance(one, VoiceDropError)] == []
    assert seen("\n".join([*shown, repr(events), caplog.text])) == []


async def test_s01_nothing_planted_is_seen_when_no_token_is_given(line: RawServer, caplog: pytest.LogCaptureFixture) -> None:
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


ODD = "cAnArY+s3/cr&t=~x y"
"""A secret that looks different in each notation."""
NOTATIONS: dict[str, Callable[[str], str]] = {
    "as it is": str,
    "quoted": quote,
    "quoted whole": lambda text: quote(text, safe=""),
    "quoted in small letters": lambda text: re.sub("%..", lambda found: found[0].lower(), quote(text, safe="")),
    "quoted, every letter": lambda text: "".join(f"%{byte:02x}" for byte in text.encode()),
    "in a form": quote_plus,
    "base64": lambda text: b64encode(text.encode()).decode(),
    "base64 for URLs": lambda text: urlsafe_b64encode(text.encode()).decode(),
    "base64, not filled up": lambda text: b64encode(text.encode()).decode().rstrip("="),
    "base64, quoted": lambda text: quote(b64encode(text.encode()).decode()),
}


@pytest.mark.parametrize("notation", NOTATIONS)
async def test_a_service_that_repeats_our_secrets_in_another_notation_is_not_repeated(line: RawServer, notation: str) -> None:
    """The token endpoint the secret and the header it came in, the API the secret and the token."""
    write, token = NOTATIONS[notation], "cAnArY+to/ken~" * 4 + "=="
    basic = b64encode(f"App:{ODD}".encode()).decode()
    told = [f"a=b&c={write(one)}; 100% wrong" for one in (ODD, basic, token)]
    given = answer(200, {"access_token": token, "token_type": "Bearer", "expires_in": 3600})
    refuses = answer(403, {"developerMessage": told[0] + told[2], "code": write(token), "errors": [{"developerMessage": told[0]}]})
    line.will(answer(401, {"error": "invalid_client", "error_description": told[0] + told[1]}), given, refuses, given, refuses)
    shown: list[str] = []
    async with RouteeSession(ClientCredentials("App", ODD), base_url=line.url, auth_url=line.url, retry=QUICK) as session:
        for _ in range(2):
            with pytest.raises(ApiError) as caught:
                await session.track_message("m-1")
            shown += [all_shown(caught.value), *(str(row.developer_message) for row in caught.value.problems)]
            assert "***" in (caught.value.developer_message or "")

    text = "\n".join(shown)
    assert len(line.received) == 5
    for one in (ODD, basic, token):
        assert [found for found in (one, write(one), write(one).rstrip("="), write(one)[:20]) if found in text] == []


HIDDEN = {
    "body", "code", "collected_tones", "content_type", "developer_message", "dial_plan_analysis", "extra", "file_url", "headers",
    "items", "number", "path", "property", "recipient_countries", "sender", "to", "url", "value",
}  # fmt: skip
"""What fields are called that no ``repr`` shows as they are, in whatever class they stand."""
OTHERWISE = {
    ("CampaignProblem", "code"), ("Event", "url"), ("Exported", "items"), ("Exported", "path"), ("Merged", "items"), ("Merged", "path"),
    ("Page", "number"), ("Reported", "path"), ("ShardProgress", "items"), ("ShardResult", "items"),
    ("WalkReport", "items"), ("Written", "items"),
}  # fmt: skip
"""Fields of such a name that are something else: a word of the service, counts, a file that the caller named, an address without ids."""
NEEDED: dict[str, Any] = {
    "chunks": (),
    "duplicates": (),
    "folder": "year.parts",
    "message_id": "m-1",
    "invalid": {NUMBER: "no phone number"},
    "campaign_name": "Spring sale",
    "recipients": 1,
    "ref": "order-7",
    "report": WalkReport(pages=1, items=1, duplicates=0, unreadable=0, total_first=1, total_last=1, suspected_missing=0, complete=True),
    "started_at": datetime.now(UTC),
    "status": 400,
    "summary": "no",
    "text": "opaque",
}
CLASSES = {name: thing for name in voicedrop_async.__all__ if inspect.isclass(thing := getattr(voicedrop_async, name))}
CHECKED = {"Limits", "Retry", "RouteeDialect", "Timeouts"}
"""Settings: numbers, and names of a service's document."""
VALUES = [name for name, thing in CLASSES.items() if attrs.has(thing) and name not in CHECKED | {"ClientCredentials", "StaticToken"}]
MADE: dict[str, Callable[[], object]] = {
    "ClientCredentials": lambda: ClientCredentials("App", SECRET),
    "StaticToken": lambda: StaticToken(TOKEN),
    "RouteeSession": lambda: RouteeSession(ClientCredentials("App", SECRET), proxy=f"http://user:{SECRET}@proxy.example"),
    "SpacivoxSession": lambda: SpacivoxSession(StaticToken(TOKEN), base_url="https://api.example"),
    "PageStream": lambda: RouteeSession(StaticToken(TOKEN)).track_messages(filters=[TrackingFilter("recipient", NUMBER)]),
    "Walk": lambda: RouteeSession(StaticToken(TOKEN)).track_messages(filters=[TrackingFilter("recipient", NUMBER)]).walk(),
    "Throttle": Throttle,
    "MemoryJournal": MemoryJournal,
    "SqliteJournal": lambda: SqliteJournal("sends.journal"),
    "CallbackReceiver": lambda: CallbackReceiver(print, secret=[SECRET * 3, TOKEN * 3], path="callbacks.db"),
    "Following": lambda: follow(RouteeSession(StaticToken(TOKEN)), "c-1", deadline=1),
}


def planted(kind: type) -> object:
    """One of these, with a number in every field that is not to be shown."""
    facts = {}
    for one in attrs.fields(kind):
        if one.name.strip("_") in HIDDEN and (kind.__name__, one.name) not in OTHERWISE:
            facts[one.alias] = {NUMBER: TEXT} if one.name in {"extra", "headers"} else TEXT + NUMBER
        elif one.name in NEEDED or one.default is attrs.NOTHING:
            facts[one.alias] = planted(Intent) if one.name == "intent" else NEEDED.get(one.name)
    return kind(**facts)


def everything_of(thing: object) -> str:
    """What a console, a log or a format shows of an object; of an error, its pickle too. Models pickle whole: they are the user's."""
    texts = [str(thing), repr(thing), f"{thing}", f"{[thing]} {thing!r:>4}"]
    if isinstance(thing, BaseException):
        texts.append(pickle.dumps(thing).decode("latin-1"))
    return "\n".join(texts)


@pytest.mark.parametrize("name", VALUES)
def test_s01_no_value_shows_what_it_hides(name: str) -> None:
    shown = everything_of(planted(CLASSES[name]))

    assert [canary for canary in seen(shown) if canary != TEXT or not issubclass(CLASSES[name], VoiceDropError)] == []


@pytest.mark.parametrize("name", MADE)
async def test_s01_nothing_that_holds_a_secret_shows_or_pickles_it(name: str) -> None:
    thing = MADE[name]()

    assert seen(everything_of(thing)) == []
    try:
        pickled = pickle.dumps(thing)
    except (TypeError, AttributeError, pickle.PicklingError, VoiceDropError):
        return
    assert seen(pickled.decode("latin-1")) == []


def test_s01_every_public_class_is_among_those_looked_at() -> None:
    """A new one is to be planted as well."""
    words = {name for name, thing in CLASSES.items() if issubclass(thing, Enum) or is_typeddict(thing)}
    bare = {"Journal", "JournalError", "ConfigError", "FileError", "ResumeTokenError", "SessionClosed", "VoiceDropError", "WebhookRejected"}
    bare |= {"ShardSink"}
    with_services = {"RedisJournal", "RedisThrottle", "ShardQueue"}  # need a library that is not here: planted in tests/services

    assert CLASSES.keys() - words - bare - with_services - {*VALUES} - CHECKED - MADE.keys() == set()
    assert len(VALUES) > 30


async def test_s02_at_the_lowest_level_no_log_holds_a_secret_or_a_number(
    sandbox: Sandbox, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    """Ours, aiohttp's and the loop's own, while things go well and while they do not."""
    caplog.set_level(1)
    names = ("voicedrop_async", "aiohttp.client", "aiohttp.internal", "asyncio")
    for name in names:
        caplog.set_level(1, name)
    secrets = (*sandbox.credentials, NUMBER, NUMBER[1:], TEXT)

    def fails(_event: Event) -> None:
        raise ValueError(NUMBER)

    async with RouteeSession(
        ClientCredentials(*sandbox.credentials), base_url=sandbox.routee_url, auth_url=sandbox.auth_url, retry=QUICK, on_event=fails
    ) as session:
        await session.send_campaign(CAMPAIGN_WITH_CANARIES)
        sandbox.fail_next(status=503)
        sandbox.fail_next(drop="before_acting", times=2)
        sandbox.expire_tokens()
        for call in ("track_messages", "analyze_campaign"):
            await CALLS[call](session)
        await session.download_recording(Recording("r-1"), tmp_path)
        sandbox.fail_next(drop="after_acting", path="/voice/campaign")
        with pytest.raises(VoiceDropError) as caught:
            await CALLS["send_campaign"](session)
        logging.getLogger("voicedrop_async").warning("%s %r", caught.value, caught.value, exc_info=caught.value)
    await asyncio.sleep(0)

    bearers = {request.headers["Authorization"].split()[1] for request in sandbox.requests}
    assert len(bearers) >= 3  # Basic, and two tokens
    assert "on_event raised ValueError" in caplog.text
    assert [secret for secret in (*secrets, *bearers) if secret in caplog.text] == []


def test_foreign_words_cannot_forge_a_line_of_a_log() -> None:
    error = tree.BadRequest(summary="HTTP 400", status=400, developer_message="a\r\nINFO all is well\x1b[2J\u2028\u202e")

    assert str(error).isprintable()
    assert "\\x0a" in str(error)
