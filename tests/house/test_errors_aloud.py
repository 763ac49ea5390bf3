"""Every error read aloud: one of each class, really raised, says what failed, and what to do now."""

import re
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from campaigns import CAMPAIGN, NUMBER, QUICK, complaint
from raw_server import RawServer, answer, falls_silent, hangs_up

from voicedrop_async import (
    Limits,
    PageLoop,
    Recording,
    RedisThrottle,
    RouteeSession,
    SqliteJournal,
    StaticToken,
    Timeouts,
    VoiceDropError,
    parse_message_event,
)
from voicedrop_async import errors as tree

SECRET = "a-secret-token"
WORDS = complaint("400013001", "Invalid request.", errors=[{"code": "400013004", "developerMessage": f"{NUMBER} is no number"}])


@dataclass
class Scene:
    """Where something is made to fail."""

    line: RawServer
    session: RouteeSession
    folder: Path


Told = tuple[Callable[[Scene], Awaitable[Any]], str]


def read(step: Any, **options: float) -> Callable[[Scene], Awaitable[Any]]:
    """Look a message up, and be answered like this."""

    def tried(scene: Scene) -> Awaitable[Any]:
        scene.line.will(step)
        return scene.session.with_options(**options).track_message("m-1")

    return tried


def walked(*steps: Any, page_size: int = 2, **options: Any) -> Callable[[Scene], Awaitable[Any]]:
    """Read a list to its end, in pages of two."""

    def tried(scene: Scene) -> Awaitable[Any]:
        scene.line.will(*steps)
        return scene.session.track_messages(page_size=page_size, **options).collect()

    return tried


def page(number: int, ids: str, total: int) -> Any:
    content = [{"messageId": one} for one in ids]
    return answer(200, {"content": content, "number": number, "size": 2, "totalElements": total, "last": False})


async def read_no_callback(scene: Scene) -> None:
    parse_message_event(b"<html>")


def sent(scene: Scene) -> Awaitable[Any]:
    scene.line.will(hangs_up())
    return scene.session.send_campaign(CAMPAIGN, ref="order-1")


async def sent_when_closed(scene: Scene) -> None:
    await scene.session.aclose()
    await scene.session.send_campaign(CAMPAIGN)


async def sent_to_nobody_there(scene: Scene) -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{nobody.getsockname()[1]}"
        async with RouteeSession(StaticToken(SECRET), base_url=url, retry=QUICK) as session:
            await session.send_campaign(CAMPAIGN)


async def sent_without_redis(scene: Scene) -> None:
    throttle = RedisThrottle("redis://127.0.0.1:1/0", Limits(rate=5), local_rate=5)
    async with throttle, RouteeSession(StaticToken(SECRET), base_url=scene.line.url, throttle=throttle, retry=QUICK) as session:
        await session.send_campaign(CAMPAIGN)


async def asked_of_a_broken_journal(scene: Scene) -> None:
    file = scene.folder / "sends.db"
    file.write_text("no journal " * 500)
    async with SqliteJournal(file) as journal:
        await journal.open_entries()


def saved_where_a_folder_is(scene: Scene) -> Awaitable[Any]:
    (scene.folder / "r-1.wav").mkdir()
    scene.line.will(answer(200, b"RIFF", content_type="audio/wav"))
    return scene.session.download_recording(Recording(tracking_id="r-1", url=f"{scene.line.url}/r-1.wav"), scene.folder)


ALOUD: dict[str, Told] = {
    "ConfigError": (walked(page_size=0), "page_size: 0 is below 1"),
    "SessionClosed": (sent_when_closed, "make a new one"),
    "ResumeTokenError": (walked(resume="x"), "give it whole, or walk anew"),
    "WebhookRejected": (read_no_callback, "the answer to it is 400"),
    "JournalError": (asked_of_a_broken_journal, "put back a copy"),
    "FileError": (saved_where_a_folder_is, "mend that, then make the same call again"),
    "ConnectFailed": (sent_to_nobody_there, "then do it again, which is safe"),
    "ThrottleFailed": (sent_without_redis, "look at the Redis server, then send it again"),
    "ConnectionLost": (read(hangs_up()), "try again later, and look at the network"),
    "TimedOut": (read(falls_silent()), "allow more time with timeouts"),
    "DeadlineExceeded": (read(falls_silent(), deadline=0.02), "allow more time with deadline"),
    "ApiError": (read(answer(302, headers={"Location": "https://login.example.com/x"})), "check the service's URL"),
    "BadRequest": (read(answer(400, WORDS)), "mend the request"),
    "Unauthorized": (read(answer(401, WORDS)), "check the application id and secret, or the token"),
    "Forbidden": (read(answer(403, WORDS)), "list of allowed addresses"),
    "NotFound": (read(answer(404, WORDS)), "check the id, and the service's URL"),
    "Conflict": (read(answer(409, WORDS)), "look at what is there already"),
    "RateLimited": (read(answer(429, WORDS, headers={"Retry-After": "3600"})), "try again after 3600 s, and set a lower rate"),
    "ServerFailed": (read(answer(503, b"")), "try again later"),
    "WireError": (read(answer(200, b"<html>", content_type="text/html")), "check the service's URL"),
    "OutcomeUnknown": (sent, "Do not send it again before you have looked: reconcile('order-1')"),
    "PageLoop": (walked(page(0, "ab", 9), page(1, "ab", 9)), "narrow the range"),
    "DriftDetected": (walked(page(0, "ab", 5), page(1, "cd", 6), on_drift="raise"), 'walk again with on_drift="repair"'),
}
"""How each is brought about, and the words that say what to do."""
NEVER_RAISED = {"VoiceDropError", "RequestError", "WalkError"}
"""To catch by: what is raised is one of their kinds."""


def test_there_is_an_example_of_every_error() -> None:
    kinds = {name for name, kind in vars(tree).items() if isinstance(kind, type) and issubclass(kind, VoiceDropError)}

    assert kinds - NEVER_RAISED == set(ALOUD)


@pytest.fixture
async def scene(line: RawServer, tmp_path: Path) -> AsyncIterator[Scene]:
    patience = Timeouts(connect=2.0, read=0.1)
    async with RouteeSession(StaticToken(SECRET), base_url=line.url, retry=QUICK, timeouts=patience) as session:
        yield Scene(line, session, tmp_path)


@pytest.mark.parametrize("name", ALOUD)
async def test_an_error_says_what_failed_and_what_to_do_in_a_sentence_or_two(name: str, scene: Scene) -> None:
    """One form: small letters, no full stop, the request or the argument in front; nobody's number, no secret, no body."""
    bring_about, what_to_do = ALOUD[name]

    with pytest.raises(VoiceDropError) as caught:
        await bring_about(scene)
    text = str(caught.value)

    assert type(caught.value).__name__ == name
    assert what_to_do in text
    assert not text.endswith((".", ";", " "))
    assert "\n" not in text
    assert text.count(". ") <= 2
    assert NUMBER not in text
    assert SECRET not in text
    assert "<html>" not in text
    if isinstance(caught.value, tree.RequestError):
        assert re.match(r"(GET|POST) /\S+: ", text)
    elif not isinstance(caught.value, PageLoop | tree.DriftDetected | tree.SessionClosed):
        assert re.match(r"[\w./-]+: [a-z0-9]", text)
