"""A recording is saved whole or not at all, beside nothing that was there, and never on the loop's own time."""

import asyncio
import os
import re
import stat
import tempfile
import threading
import tracemalloc
from pathlib import Path

import pytest
from blockbuster import blockbuster_ctx
from folders import inside
from raw_server import RawServer, Step, answer, falls_silent, hangs_up, says

from voicedrop_async import (
    ConfigError,
    ConnectionLost,
    DeadlineExceeded,
    Event,
    FileError,
    NotFound,
    Recording,
    RouteeSession,
    SessionClosed,
    StaticToken,
    TimedOut,
    Timeouts,
    WireError,
)
from voicedrop_async.sandbox import Sandbox

SOUND = b"RIFF....WAVE" * 100
WHOLE = answer(200, SOUND, content_type="audio/wav")
CUT = says(b"HTTP/1.1 200 OK\r\nContent-Type: audio/wav\r\nContent-Length: 50\r\n\r\nRIFF")
ONE = Recording("r-1")


def in_chunks(*chunks: bytes, pause: float = 0.0, end: bool = True) -> Step:
    """An answer in pieces, whose length nobody said before."""

    async def step(writer: asyncio.StreamWriter) -> bool:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: audio/wav\r\nTransfer-Encoding: chunked\r\n\r\n")
        for chunk in chunks:
            writer.write(b"%x\r\n%b\r\n" % (len(chunk), chunk))
            await writer.drain()
            await asyncio.sleep(pause)
        writer.write(b"0\r\n\r\n" if end else b"")
        await writer.drain()
        return end

    return step


async def test_a_recording_of_a_message_is_saved(sandbox: Sandbox, routee: RouteeSession, tmp_path: Path) -> None:
    message = next(message for message in await routee.track_messages().collect() if message.recordings)
    assert message.recordings

    with blockbuster_ctx("voicedrop_async"):
        saved = await routee.download_recording(message.recordings[0], str(tmp_path))

    assert saved == tmp_path / f"{message.recordings[0].tracking_id}.wav"
    assert saved.read_bytes()[:4] == b"RIFF"
    assert stat.S_IMODE(saved.stat().st_mode) == 0o600
    assert inside(tmp_path) == [saved.name]


@pytest.mark.parametrize(
    "tracking_id",
    [
        "../../etc/passwd",
        "/etc/passwd",
        "..\\x",
        "CON",
        "nul",
        "com1",
        "-rf",
        ".bashrc",
        "a.b",
        "a\0b",
        "x" * 5000,
        "rec\u202egpj",
        "Ünï",
        "a b",
        "~",
    ],
)
async def test_s05_no_id_decides_where_a_file_is(line: RawServer, caller: RouteeSession, tmp_path: Path, tracking_id: str) -> None:
    line.will(WHOLE)

    saved = await caller.download_recording(Recording(tracking_id), tmp_path)

    assert re.fullmatch(r"recording-[0-9a-f]{32}\.wav", saved.name)
    assert inside(tmp_path) == [saved.name]


async def test_s05_two_odd_ids_are_two_files(line: RawServer, caller: RouteeSession, tmp_path: Path) -> None:
    line.will(WHOLE)

    assert len({await caller.download_recording(Recording(odd), tmp_path) for odd in ("a/b", "a.b", "a b")}) == 3


@pytest.mark.parametrize("header", ['attachment; filename="../../x.sh"', "attachment; filename*=UTF-8''%2Fetc%2Fpasswd"])
async def test_s05_no_name_of_the_server_is_used(line: RawServer, caller: RouteeSession, tmp_path: Path, header: str) -> None:
    line.will(answer(200, SOUND, headers={"Content-Disposition": header}, content_type="AUDIO/MPEG; name=/etc/passwd"))

    assert await caller.download_recording(ONE, tmp_path) == tmp_path / "r-1.mp3"


async def test_s05_a_link_in_its_place_is_replaced_and_not_followed(line: RawServer, caller: RouteeSession, tmp_path: Path) -> None:
    precious, folder = tmp_path / "precious", tmp_path / "folder"
    precious.write_text("precious")
    folder.mkdir()
    (folder / "r-1.wav").symlink_to(precious)
    line.will(WHOLE)

    saved = await caller.download_recording(ONE, folder)

    assert precious.read_text() == "precious"
    assert not saved.is_symlink()
    assert saved.read_bytes() == SOUND


async def test_s05_a_folder_in_its_place_stays(line: RawServer, caller: RouteeSession, tmp_path: Path) -> None:
    (tmp_path / "r-1.wav").mkdir()
    line.will(WHOLE)

    with pytest.raises(FileError, match="directory: cannot be written to"):
        await caller.download_recording(ONE, tmp_path)

    assert inside(tmp_path) == ["r-1.wav"]


async def test_s05_a_file_that_was_saved_before_stays_until_the_new_one_is_whole(
    line: RawServer, caller: RouteeSession, tmp_path: Path
) -> None:
    (tmp_path / "r-1.wav").write_bytes(b"before")
    line.will(CUT)
    with pytest.raises(ConnectionLost):
        await caller.download_recording(ONE, tmp_path)
    assert (tmp_path / "r-1.wav").read_bytes() == b"before"

    line.will(WHOLE)
    assert (await caller.download_recording(ONE, tmp_path)).read_bytes() == SOUND


@pytest.mark.parametrize(
    "bad", ["/no/such/directory", "a\0b", 5, None, b"/tmp", __file__], ids=["missing", "nul", "number", "none", "bytes", "a file"]
)
async def test_s05_a_directory_that_is_none_is_refused_before_anything_is_sent(line: RawServer, caller: RouteeSession, bad) -> None:
    with pytest.raises(ConfigError, match="directory"):
        await caller.download_recording(ONE, bad)

    assert line.connections == 0


@pytest.mark.parametrize(
    ("recording", "rule"),
    [
        (Recording(), "tracking_id: missing"),
        (Recording(""), "tracking_id: must not be empty"),
        (Recording(".."), "dots"),
        ("r-1", "no Recording"),
    ],
)
async def test_s05_a_recording_without_an_id_is_refused(
    line: RawServer, caller: RouteeSession, tmp_path: Path, recording, rule: str
) -> None:
    with pytest.raises(ConfigError, match=rule):
        await caller.download_recording(recording, tmp_path)

    assert line.connections == 0


@pytest.mark.parametrize(
    "step",
    [
        pytest.param(hangs_up(), id="closed without a byte"),
        pytest.param(CUT, id="cut in the body"),
        pytest.param(in_chunks(b"RIFF", end=False), id="cut between two chunks"),
        pytest.param(answer(503), id="503"),
        pytest.param(answer(200, b"<html>log in</html>", content_type="text/html"), id="html on 200"),
        pytest.param(answer(200, b"{}"), id="json on 200"),
        pytest.param(answer(200, b"", content_type="audio/wav"), id="empty"),
        pytest.param(answer(206, b"RI", content_type="audio/wav"), id="a part"),
        pytest.param(says(b"HTTP/1.1 200 OK\r\nContent-Type: audio/wav\r\nConnection: close\r\n\r\nRIFF"), id="where only the end tells"),
        pytest.param(answer(200, SOUND, headers={"Content-Encoding": "gzip"}, content_type="audio/wav"), id="encoded"),
    ],
)
async def test_what_may_pass_is_downloaded_again_from_its_beginning(
    line: RawServer, caller: RouteeSession, tmp_path: Path, step: Step
) -> None:
    line.will(step, WHOLE)

    saved = await caller.download_recording(ONE, tmp_path)

    assert saved.read_bytes() == SOUND
    assert inside(tmp_path) == [saved.name]


async def test_j17_a_file_that_stays_cut_is_an_error_and_no_file(
    line: RawServer, caller: RouteeSession, events: list[Event], tmp_path: Path
) -> None:
    line.will(CUT)

    with pytest.raises(ConnectionLost) as caught:
        await caller.download_recording(ONE, tmp_path)

    assert inside(tmp_path) == []
    assert caught.value.attempts == 4
    assert {event.route for event in events} == {"GET /recordings/my/downloads/{tracking_id}"}


async def test_a_recording_that_is_not_there_is_not_found(line: RawServer, caller: RouteeSession, tmp_path: Path) -> None:
    line.will(answer(404, {"code": "404013000", "developerMessage": "no"}))

    with pytest.raises(NotFound, match="404013000"):
        await caller.download_recording(ONE, tmp_path)

    assert inside(tmp_path) == []


async def test_a_recording_too_long_is_refused_before_its_first_byte(line: RawServer, caller: RouteeSession, tmp_path: Path) -> None:
    line.will(answer(200, b"", headers={"Content-Length": str(2**29 + 1)}, content_type="audio/wav"))

    with pytest.raises(WireError, match="longer than 512 MiB"):
        await caller.download_recording(ONE, tmp_path)

    assert len(line.received) == 1
    assert inside(tmp_path) == []


async def test_a_recording_that_does_not_say_how_long_it_is_ends_at_the_cap(
    line: RawServer, caller: RouteeSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("voicedrop_async.routee._recording_file.MOST_FILE_BYTES", 1000)
    line.will(in_chunks(b"x" * 1000), in_chunks(b"x" * 999, b"xx"))

    assert (await caller.download_recording(ONE, tmp_path)).stat().st_size == 1000
    with pytest.raises(WireError, match="longer"):
        await caller.download_recording(Recording("r-2"), tmp_path)

    assert len(line.received) == 2
    assert inside(tmp_path) == ["r-1.wav"]


async def test_a_long_recording_takes_no_memory(line: RawServer, caller: RouteeSession, tmp_path: Path) -> None:
    piece = bytes(1024 * 1024)
    line.will(in_chunks(*[piece] * 24))
    tracemalloc.start()
    try:
        saved = await caller.download_recording(ONE, tmp_path)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()

    assert saved.stat().st_size == 24 * len(piece)
    assert peak < 8 * 1024 * 1024


async def test_a_slow_recording_may_take_longer_than_one_answer(line: RawServer, tmp_path: Path) -> None:
    """The time of an attempt holds between two pieces of a file, not over the whole."""
    line.will(in_chunks(*[b"RIFF"] * 6, pause=0.2))
    async with RouteeSession(StaticToken("t"), base_url=line.url, timeouts=Timeouts(read=0.8)) as session:
        saved = await session.download_recording(ONE, tmp_path)

    assert saved.read_bytes() == b"RIFF" * 6
    assert len(line.received) == 1


async def test_a_recording_that_falls_silent_is_given_up(line: RawServer, caller: RouteeSession, tmp_path: Path) -> None:
    line.will(falls_silent(b"HTTP/1.1 200 OK\r\nContent-Type: audio/wav\r\nContent-Length: 50\r\n\r\nRIFF"))

    with pytest.raises(TimedOut):
        await caller.with_options(timeouts=Timeouts(read=0.1)).download_recording(ONE, tmp_path)

    assert inside(tmp_path) == []


async def test_a_download_ends_at_its_deadline(line: RawServer, caller: RouteeSession, tmp_path: Path) -> None:
    """However steadily it drips."""
    line.will(in_chunks(*[b"x"] * 500, pause=0.02))

    with pytest.raises(DeadlineExceeded):
        await caller.with_options(deadline=0.3).download_recording(ONE, tmp_path)

    assert inside(tmp_path) == []


async def test_closing_the_session_ends_a_download(line: RawServer, tmp_path: Path) -> None:
    line.will(falls_silent(b"HTTP/1.1 200 OK\r\nContent-Type: audio/wav\r\nContent-Length: 50\r\n\r\nRIFF"))
    session = RouteeSession(StaticToken("t"), base_url=line.url)
    download = asyncio.create_task(session.download_recording(ONE, tmp_path))
    await line.arrived.wait()

    await session.aclose()

    with pytest.raises(SessionClosed):
        await download
    assert inside(tmp_path) == []


async def test_whoever_cancels_a_download_leaves_no_part_of_it(
    line: RawServer, caller: RouteeSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write, written = os.write, threading.Event()

    def told(file: int, data: bytes) -> int:
        length = write(file, data)
        written.set()
        return length

    monkeypatch.setattr(os, "write", told)
    line.will(falls_silent(b"HTTP/1.1 200 OK\r\nContent-Type: audio/wav\r\nContent-Length: 50\r\n\r\nRIFF"))
    download = asyncio.create_task(caller.download_recording(ONE, tmp_path))
    await asyncio.to_thread(written.wait, 10)
    assert len(inside(tmp_path)) == 1

    download.cancel()

    with pytest.raises(asyncio.CancelledError):
        await download
    assert inside(tmp_path) == []


@pytest.mark.parametrize("step", ["mkstemp", "write", "fsync", "replace"])
async def test_whoever_cancels_while_the_disk_is_at_work_leaves_a_whole_file_or_none(
    line: RawServer, caller: RouteeSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    """Twice, even: the disk is waited for, since what it makes after that would stay."""
    at_work, go_on = threading.Event(), threading.Event()
    owner = {"mkstemp": tempfile, "write": os, "fsync": os, "replace": Path}[step]
    real = getattr(owner, step)

    def slow(*args: object, **options: object) -> object:
        at_work.set()
        assert go_on.wait(10)
        return real(*args, **options)

    line.will(WHOLE)
    monkeypatch.setattr(owner, step, slow)
    download = asyncio.create_task(caller.download_recording(ONE, tmp_path))
    await asyncio.to_thread(at_work.wait, 10)

    download.cancel()
    await asyncio.sleep(0)
    download.cancel()
    await asyncio.sleep(0)
    still_there = not download.done()
    go_on.set()

    with pytest.raises(asyncio.CancelledError):
        await download
    assert still_there
    assert inside(tmp_path) == ([] if step in {"mkstemp", "write"} else ["r-1.wav"])


@pytest.mark.parametrize("step", ["open", "write", "fsync"])
async def test_a_disk_that_refuses_is_no_failure_of_the_network(
    line: RawServer, caller: RouteeSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    """It is not tried again, nothing foreign comes out, and nothing stays."""

    def full(*_: object, **__: object) -> None:
        raise OSError(28, os.strerror(28), str(tmp_path))

    monkeypatch.setattr(os, step, full)
    line.will(WHOLE)

    with pytest.raises(FileError, match="No space left on device") as caught:
        await caller.download_recording(ONE, tmp_path)
    monkeypatch.undo()

    assert str(tmp_path) not in str(caught.value)
    assert len(line.received) == 1
    assert inside(tmp_path) == []
