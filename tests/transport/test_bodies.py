"""Heads and bodies as no server should send them: an error of ours, in bounded memory, and the connection is not used again."""

import asyncio
import gzip
import json
import pickle
import sys
import traceback
import zlib
from pathlib import Path

import pytest
from raw_server import RawServer, Step, answer, falls_silent, says

from voicedrop_async import ConnectionLost, Event, RequestError, Retry, RouteeSession, StaticToken, TimedOut, Timeouts, WireError
from voicedrop_async.calls import MOST_BYTES

MESSAGE = answer(200, {"messageId": "m-1"})
OK = b"HTTP/1.1 200 OK\r\n"
BODY = b'Content-Length: 19\r\n\r\n{"messageId":"m-1"}'
GZIP = {"Content-Encoding": "gzip"}
GIGABYTE = 1024**3
MARGIN = 20_000_000
"""Bytes that reading may take beyond the cap: what is in buffers, and the chunk that was one too many."""


# --- heads -----------------------------------------------------------------------------------------------------------


async def lost(line: RawServer, caller: RouteeSession, step: Step) -> ConnectionLost:
    """Read against an answer that is no HTTP; the read after it is served, over a connection of its own."""
    line.will(step)
    with pytest.raises(ConnectionLost) as caught:
        await caller.track_message("m-1")
    used = {request.connection for request in line.received}
    line.will(MESSAGE)
    assert (await caller.track_message("m-1")).message_id == "m-1"

    assert line.received[-1].connection not in used
    assert caught.value.attempts == 4
    assert not hasattr(caught.value, "status")
    assert "HTTP 400" not in str(caught.value)
    return caught.value


@pytest.mark.parametrize(
    "head",
    [
        pytest.param(b"HTTP/1.1 99999 What\r\n\r\n", id="99999"),
        pytest.param(b"SMTP ready\r\n\r\n", id="a status line that is none"),
        pytest.param(b"HTTP/9.9 200 OK\r\n\r\n", id="a version that is none"),
        pytest.param(b"HTTP/1.1 101 Switching\r\n\r\n", id="101"),
        pytest.param(b"HTTP/1.1 100 Continue\r\n\r\n" * 200, id="100 and then nothing"),
    ],
)
async def test_h14_what_is_not_http_is_a_lost_connection(line: RawServer, caller: RouteeSession, head: bytes) -> None:
    """It is not the 400 that aiohttp makes of it: no service said so."""
    await lost(line, caller, says(head))


async def test_h14_another_protocol_is_not_spoken(line: RawServer, caller: RouteeSession) -> None:
    """Nobody asked for it; the connection stays open at the other end, and is not used again at ours."""
    switched = b"HTTP/1.1 101 Switching\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n\x81\x02hi"

    error = await lost(line, caller, falls_silent(switched))

    assert "another protocol" in str(error)


async def test_h14_a_few_interim_answers_are_passed_over(line: RawServer, caller: RouteeSession) -> None:
    line.will(says(b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" * 20 + OK + BODY))

    assert (await caller.track_message("m-1")).message_id == "m-1"


async def test_h14_a_flood_of_interim_answers_ends_with_the_attempt(line: RawServer) -> None:
    """As long as they come there is no answer: the clock of the attempt runs on."""
    ended = asyncio.Event()

    async def flood(writer: asyncio.StreamWriter) -> bool:
        try:
            while True:
                writer.write(b"HTTP/1.1 100 Continue\r\n\r\n" * 100)
                await writer.drain()
        finally:
            ended.set()

    line.will(flood)
    async with RouteeSession(StaticToken("t"), base_url=line.url, timeouts=Timeouts(read=0.2), retry=Retry(attempts=1)) as session:
        with pytest.raises(TimedOut) as caught:
            await session.track_message("m-1")
        await ended.wait()

    assert caught.value.attempts == len(line.received) == 1


async def without_end(writer: asyncio.StreamWriter) -> bool:
    writer.write(OK)
    while True:
        writer.write(b"X: 1\r\n" * 100)
        await writer.drain()


@pytest.mark.parametrize(
    "step",
    [
        pytest.param(says(OK + b"X: " + b"x" * 20_000 + b"\r\n" + BODY), id="a line of 20 KB"),
        pytest.param(says(OK + b"x" * 20_000 + b": 1\r\n" + BODY), id="a name of 20 KB"),
        pytest.param(says(b"HTTP/1.1 200 " + b"O" * 20_000 + b"\r\n" + BODY), id="a reason of 20 KB"),
        pytest.param(says(OK + b"".join(b"X-%d: 1\r\n" % number for number in range(500)) + BODY), id="500 headers"),
        pytest.param(without_end, id="headers without end"),
        pytest.param(says(OK + b"Content-Length: 20\r\n" + BODY), id="two lengths"),
        pytest.param(says(OK + b"Content-Length: 19\r\n" + BODY), id="one length twice"),
        pytest.param(says(OK + b"Transfer-Encoding: chunked\r\n" + BODY), id="a length and chunks"),
        pytest.param(says(OK + BODY.replace(b"19", b"-19")), id="a length below nothing"),
        pytest.param(says(OK + BODY.replace(b"19", b"1_9")), id="a length that is none"),
    ],
)
async def test_h15_a_head_beyond_all_measure_is_a_lost_connection(line: RawServer, caller: RouteeSession, step: Step) -> None:
    """With two lengths it is anybody's guess where the answer ends, and where the next one begins."""
    await lost(line, caller, step)


# --- bodies ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "kind", ["text/html", "text/plain", "application/json; charset=nonsense", "application/json; charset=utf-16", "\xe9"]
)
async def test_j15_an_answer_is_read_by_its_content(line: RawServer, caller: RouteeSession, kind: str) -> None:
    line.will(answer(200, {"messageId": "\N{GREEK SMALL LETTER ALPHA}"}, content_type=kind))

    assert (await caller.track_message("m-1")).message_id == "\N{GREEK SMALL LETTER ALPHA}"


async def test_j15_an_answer_without_a_type_is_read_as_well(line: RawServer, caller: RouteeSession) -> None:
    line.will(says(OK + BODY))

    assert (await caller.track_message("m-1")).message_id == "m-1"


def long_body(head: bytes, block: bytes, times: int, sent: list[int]) -> Step:
    """A body of many blocks; the bytes that went out are in ``sent``, one number for each block."""

    async def step(writer: asyncio.StreamWriter) -> bool:
        writer.write(head)
        for _ in range(times):
            writer.write(block)
            await writer.drain()
            sent.append(len(block))
        return False

    return step


def bomb(blocks: int) -> bytes:
    """190 kilobytes that become as many megabytes: one compressed megabyte of blanks, again and again."""
    packer = zlib.compressobj(9, wbits=-15)
    blank = packer.compress(b" " * 1024**2) + packer.flush(zlib.Z_FULL_FLUSH)
    return gzip.compress(b"")[:10] + blank * blocks


BLOCK = b" " * 65536
BOMB = bomb(190)
ENDLESS = {
    "1 GB": (b"Content-Length: %d\r\n\r\n" % GIGABYTE, BLOCK, GIGABYTE // len(BLOCK)),
    "1 GB in chunks": (b"Transfer-Encoding: chunked\r\n\r\n", b"%x\r\n%b\r\n" % (len(BLOCK), BLOCK), GIGABYTE // len(BLOCK)),
    "a bomb of 190 KB": (b"Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(BOMB), BOMB, 1),
}


@pytest.mark.once
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="the peak of a process's memory is nowhere told: no /proc/self/status")
@pytest.mark.parametrize(("body", "status"), [*((body, 200) for body in ENDLESS), ("a bomb of 190 KB", 500)])
async def test_j16_a_body_without_end_takes_no_more_memory_than_the_cap(line: RawServer, body: str, status: int) -> None:
    """Read in a process of its own, which tells its peak; at this end, next to nothing beyond the cap was taken."""
    fields, block, times = ENDLESS[body]
    sent: list[int] = []
    line.will(MESSAGE, long_body(b"HTTP/1.1 %d Whatever\r\n" % status + fields, block, times, sent))
    reader = Path(__file__).with_name("grown_by.py")

    child = await asyncio.create_subprocess_exec(sys.executable, str(reader), line.url, stdout=asyncio.subprocess.PIPE)
    told = json.loads((await child.communicate())[0])

    print(f"{body}, {status}: peak {told['grown'] / 1e6:.1f} MB above start, cap {MOST_BYTES / 1e6:.1f} MB")
    assert (told["kind"], told["attempts"], len(line.received)) == ("WireError", 1, 2)
    assert "longer than 16 MiB" in told["text"]
    assert f"status {status}" in told["text"]
    assert MOST_BYTES / 2 < told["grown"] < MOST_BYTES + MARGIN
    assert sum(sent) < MOST_BYTES + MARGIN


def test_j16_the_bomb_is_one() -> None:
    assert 150_000 < len(BOMB) < 220_000
    assert len(zlib.decompressobj(wbits=31).decompress(bomb(3))) == 3 * 1024**2


async def test_j16_a_body_without_end_is_not_asked_for_again(line: RawServer, caller: RouteeSession, events: list[Event]) -> None:
    line.will(answer(200, bomb(17), headers=GZIP))

    with pytest.raises(WireError) as caught:
        await caller.track_message("m-1")

    assert (caught.value.too_long, caught.value.may_pass, caught.value.status) == (True, False, 200)
    assert "longer than 16 MiB" in str(pickle.loads(pickle.dumps(caught.value))), "its bytes were masked as a phone number"
    assert len(line.received) == 1
    assert [(event.name, event.status) for event in events] == [("answered", 200)]


CANARIES = b"".join(b"canary%d" % (number**3) for number in range(100_000))


def locals_shown(error: BaseException) -> list[str]:
    """What an error reporter shows of our frames: each local variable, as its ``repr``."""
    frames = [frame for frame, _ in traceback.walk_tb(error.__traceback__) if "voicedrop_async" in frame.f_code.co_filename]
    return [repr(value) for frame in frames for value in frame.f_locals.values()]


@pytest.mark.parametrize(
    "whole",
    [
        pytest.param(answer(200, CANARIES * (MOST_BYTES // len(CANARIES) + 1)), id="too long"),
        pytest.param(answer(200, gzip.compress(CANARIES)[:-8] + b"x" * 8, headers=GZIP), id="a wrong sum, after most of it was read"),
    ],
)
async def test_no_error_of_a_body_holds_what_was_read_of_it(line: RawServer, caller: RouteeSession, whole: Step) -> None:
    """An error reporter shows the local variables of each frame, and in a body are people's numbers."""
    line.will(whole)

    with pytest.raises(WireError) as caught:
        await caller.track_message("m-1")

    assert "read_body" in {frame.f_code.co_name for frame, _ in traceback.walk_tb(caught.value.__traceback__)}
    assert [shown[:40] for shown in locals_shown(caught.value) if "canary" in shown] == []


async def test_a_compressed_body_is_read(line: RawServer, caller: RouteeSession) -> None:
    line.will(answer(200, gzip.compress(b'{"messageId": "m-1"}'), headers=GZIP))

    assert (await caller.track_message("m-1")).message_id == "m-1"


async def test_j17_a_compressed_body_cut_anywhere_is_read_whole_or_not_at_all(line: RawServer, caller: RouteeSession) -> None:
    """Without its last eight bytes, a sum and a length, it is still whole; a JSON object that is not whole is no JSON."""
    packed = gzip.compress(json.dumps({"messageId": "m-1", "campaign": "Spring sale", "to": "+306912345678"}).encode())
    impatient = caller.with_options(retry=Retry(attempts=1))
    for length in range(len(packed) - 9):
        line.will(answer(200, packed[:length], headers=GZIP))
        with pytest.raises(WireError, match="JSON expected"):
            await impatient.track_message("m-1")
    for length in range(len(packed) - 8, len(packed) + 1):
        line.will(answer(200, packed[:length], headers=GZIP))
        message = await impatient.track_message("m-1")
        assert (message.message_id, message.to) == ("m-1", "+306912345678")

    assert len(line.received) == len(packed)


@pytest.mark.parametrize(
    ("body", "label", "summary"),
    [
        pytest.param(b'{"messageId":"m-1"}', "gzip", "not compressed in the way it says", id="plain, called gzip"),
        pytest.param(b'{"messageId":"m-1"}', "deflate", "not compressed in the way it says", id="plain, called deflate"),
        pytest.param(gzip.compress(b'{"messageId":"m-1"}'), "deflate", "not compressed in the way it says", id="gzip, called deflate"),
        pytest.param(gzip.compress(b'{"messageId":"m-1"}')[:-8] + b"x" * 8, "gzip", "not compressed in the way it says", id="a wrong sum"),
        pytest.param(gzip.compress(b'{"messageId":"m-1"}'), "identity", "JSON expected", id="gzip, called plain"),
        pytest.param(b"", "gzip", "JSON expected", id="nothing, called gzip"),
    ],
)
async def test_j17_a_body_under_a_wrong_label_is_asked_for_twice_and_refused(
    line: RawServer, caller: RouteeSession, body: bytes, label: str, summary: str
) -> None:
    line.will(answer(200, body, headers={"Content-Encoding": label}))

    with pytest.raises(WireError, match=summary) as caught:
        await caller.track_message("m-1")

    assert (caught.value.status, caught.value.content_type) == (200, "application/json")
    assert len(line.received) == 2


async def test_j17_a_label_that_nobody_asked_for_is_an_error_of_ours(line: RawServer, caller: RouteeSession) -> None:
    line.will(answer(200, b'{"messageId":"m-1"}', headers={"Content-Encoding": "br"}))

    with pytest.raises(RequestError) as caught:
        await caller.track_message("m-1")

    assert isinstance(caught.value, WireError | ConnectionLost)
