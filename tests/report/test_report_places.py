"""Where a report is written: whole or not at all, over nothing that is still needed, and refused before anything is sent."""

import asyncio
import os
import sys
import threading
from datetime import UTC, datetime

import pytest
from raw_server import answer

from voicedrop_async import BadRequest, ConfigError, FileError, report_to
from voicedrop_async.report import _reporting


async def test_a_walk_that_fails_leaves_what_stood_there(caller, line, tmp_path):
    (tmp_path / "a.html").write_text("before")
    line.will(answer(400))

    with pytest.raises(BadRequest):
        await report_to(caller.track_messages(), tmp_path / "a.html")

    assert [(file.name, file.read_text()) for file in tmp_path.iterdir()] == [("a.html", "before")]


async def test_nothing_is_written_over_the_source_nor_over_the_other_file_nor_over_a_device(tmp_path):
    source, page, same, link, pipe = (tmp_path / name for name in ("a.jsonl", "a.html", "same.html", "link.html", "pipe"))
    source.write_text('{"message_id":"m1"}\n')
    same.hardlink_to(source)
    link.symlink_to(tmp_path / "old.html")
    os.mkfifo(pipe)
    for path, png, fault in (
        (source, None, "a.jsonl: is the source already"),
        (None, same, "same.html: is the source already"),
        (link, None, "link.html: is a link; name the file"),
        (page, tmp_path / ".." / tmp_path.name / "a.html", "is the page already"),
        (pipe, None, "a device, a pipe"),
    ):
        with pytest.raises(ConfigError, match=fault):
            await report_to(source, path, png=png)

    assert source.read_text() == '{"message_id":"m1"}\n'
    assert {file.name for file in tmp_path.iterdir()} == {"a.jsonl", "same.html", "link.html", "pipe"}
    assert pipe.is_fifo()


async def test_who_is_cancelled_while_it_is_drawn_finds_what_stood_there(tmp_path, monkeypatch):
    """The thread draws to its end, and what it drew is thrown away."""
    source, page = tmp_path / "a.jsonl", tmp_path / "a.html"
    source.write_text('{"message_id":"m1"}\n')
    page.write_text("before")
    loop, drawing, go_on = asyncio.get_running_loop(), asyncio.Event(), threading.Event()

    def slow(title, figures):
        loop.call_soon_threadsafe(drawing.set)
        go_on.wait()
        return b"after"

    monkeypatch.setattr(_reporting, "page_of", slow)
    task = asyncio.create_task(report_to(source, page))
    await drawing.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    go_on.set()
    await loop.shutdown_default_executor()

    assert page.read_text() == "before"


async def test_a_disk_that_is_full_says_so(tmp_path, monkeypatch):
    def full(*args, **more):
        raise OSError(28, "No space left on device")

    (tmp_path / "a.jsonl").write_text('{"message_id":"m1"}\n')
    monkeypatch.setattr(os, "write", full)
    with pytest.raises(FileError, match=r"a\.html: cannot be written to: No space left on device"):
        await report_to(tmp_path / "a.jsonl", tmp_path / "a.html")
    monkeypatch.undo()

    assert [file.name for file in tmp_path.iterdir()] == ["a.jsonl"]


async def test_what_cannot_be_drawn_is_refused_before_a_request(caller, spacivox, line, tmp_path, monkeypatch):
    drops = spacivox.drop_records(datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 3, 2, tzinfo=UTC))
    stream, page = caller.track_messages(), tmp_path / "a.html"
    for source, path, fault in (
        (stream, None, "path: missing"),
        (5, page, "an int is neither a stream of messages nor the path of a file"),
        (drops, page, "must be a stream of voice messages"),
        (stream, tmp_path, "is a folder"),
        (stream, tmp_path / "none" / "a.html", "no folder that can be written to"),
    ):
        with pytest.raises(ConfigError, match=fault):
            await report_to(source, path)
    monkeypatch.setitem(sys.modules, "vl_convert", None)
    with pytest.raises(ConfigError, match=r'pip install "voicedrop-async\[report\]"'):
        await report_to(stream, page)

    assert line.received == []
