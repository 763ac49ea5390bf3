"""A stream into a file: there when it is whole, gone on with after a failure, and nobody else's."""

import asyncio
import fcntl
import json
import os
import sys
from datetime import UTC, datetime, timedelta

import pytest
from export.readers import READERS, ids
from raw_server import answer, falls_silent
from tracked import numbered

from voicedrop_async import BadRequest, ConfigError, FileError, export_to, to_polars
from voicedrop_async.export import _exporting, _parts

NOW = datetime.now(UTC)
FORMATS = pytest.mark.parametrize("format", READERS)


@FORMATS
async def test_a_file_has_every_message_of_the_list_and_lies_alone(sandbox, routee, tmp_path, format):
    path = tmp_path / f"messages.{format}"

    done = await export_to(routee.track_messages(prefetch=2), path)

    assert (done.path, done.items, done.report.items, done.report.complete) == (path, 500, 500, True)
    assert ids(path, format) == [message["messageId"] for message in sandbox.messages]
    assert list(tmp_path.iterdir()) == [path]
    assert path.stat().st_mode & 0o777 == 0o600


@FORMATS
async def test_drop_records_likewise(sandbox, spacivox, tmp_path, format):
    path = tmp_path / "drops"

    await export_to(spacivox.drop_records(NOW - timedelta(days=9), datetime.now(UTC)), path, format=format)

    assert ids(path, format, "id") == [drop["id"] for drop in sandbox.drops]


@FORMATS
async def test_a_failure_keeps_what_came_before_and_the_same_call_goes_on(caller, line, tmp_path, format):
    """Two pages, then a refusal: the second call asks for the third page first."""
    path, stream = tmp_path / f"messages.{format}", caller.track_messages(page_size=2)
    path.write_text("what stood there before")
    line.will(numbered(0), numbered(1), answer(400, {"developerMessage": "No more"}))
    with pytest.raises(BadRequest):
        await export_to(stream, path)
    assert path.read_text() == "what stood there before"

    line.will(numbered(2))
    done = await export_to(stream, path)

    assert "page=2&" in line.received[-1].target
    assert (done.items, done.report.items, done.report.complete) == (6, 2, True)
    assert ids(path, format) == [f"m{number}" for number in range(6)]
    assert list(tmp_path.iterdir()) == [path]


async def test_who_is_cancelled_loses_nothing(caller, line, tmp_path):
    path, stream = tmp_path / "messages.csv", caller.track_messages(page_size=2)
    line.will(numbered(0), falls_silent())
    taken = asyncio.Event()
    task = asyncio.create_task(export_to(stream, path, on_page=lambda page, so_far: taken.set()))
    await taken.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    line.will(numbered(1), numbered(2))
    assert (await export_to(stream, path)).items == 6
    assert ids(path, "csv") == [f"m{number}" for number in range(6)]


async def test_max_items_counts_all_runs_together(caller, line, tmp_path):
    path, stream = tmp_path / "messages.jsonl", caller.track_messages(page_size=2, max_items=3)
    line.will(numbered(0), answer(400, {"developerMessage": "No more"}))
    with pytest.raises(BadRequest):
        await export_to(stream, path)
    line.will(numbered(1))

    assert (await export_to(stream, path)).items == 3
    assert ids(path) == ["m0", "m1", "m2"]


async def begun(caller, line, path):
    """An export that failed behind its first page."""
    line.will(numbered(0), answer(400, {"developerMessage": "No more"}))
    with pytest.raises(BadRequest):
        await export_to(caller.track_messages(page_size=2), path)


async def test_what_lies_behind_the_place_is_cut_off(caller, line, tmp_path):
    """As a process leaves it that is killed between writing a page and keeping its place."""
    path = tmp_path / "messages.jsonl"
    await begun(caller, line, path)
    with (tmp_path / "messages.jsonl.part").open("ab") as part:
        part.write(b'{"message_id":"half a li')
    line.will(numbered(1), numbered(2))

    await export_to(caller.track_messages(page_size=2), path)

    assert ids(path) == [f"m{number}" for number in range(6)]


@pytest.mark.parametrize("gone", ["messages.jsonl.part", "messages.jsonl.part.place"])
async def test_a_part_without_its_place_and_a_place_without_its_part_are_begun_anew(caller, line, tmp_path, gone):
    path = tmp_path / "messages.jsonl"
    await begun(caller, line, path)
    (tmp_path / gone).unlink()
    line.will(numbered(0), numbered(1), numbered(2))

    await export_to(caller.track_messages(page_size=2), path)

    assert ids(path) == [f"m{number}" for number in range(6)]


async def test_another_stream_or_format_is_refused_and_what_is_there_stays(caller, line, tmp_path):
    path = tmp_path / "messages.jsonl"
    await begun(caller, line, path)
    before = {file.name: file.read_bytes() for file in tmp_path.iterdir()}

    with pytest.raises(ConfigError, match=r"another query.*remove it and messages\.jsonl\.part\.place"):
        await export_to(caller.track_messages(page_size=2, campaign_id="c1"), path)
    with pytest.raises(ConfigError, match="was begun as jsonl"):
        await export_to(caller.track_messages(page_size=2), path, format="csv")
    place = tmp_path / "messages.jsonl.part.place"
    place.write_bytes(b"[]")
    with pytest.raises(ConfigError, match="no place of an export"):
        await export_to(caller.track_messages(page_size=2), path)
    place.write_bytes(before[place.name])

    assert {file.name: file.read_bytes() for file in tmp_path.iterdir()} == before
    assert json.loads(before[place.name]).keys() == {"format", "columns", "extent", "items", "token"}


@FORMATS
async def test_a_part_with_other_columns_is_refused_and_stays(caller, line, tmp_path, format):
    """As a version leaves it that knows one column less: rows of two kinds would stand under one header."""
    path, place = tmp_path / f"messages.{format}", tmp_path / f"messages.{format}.part.place"
    await begun(caller, line, path)
    mark = json.loads(place.read_bytes())
    mark["columns"].remove("price")
    place.write_text(json.dumps(mark))
    asked = len(line.received)

    with pytest.raises(ConfigError, match="was begun with other columns; remove it and messages"):
        await export_to(caller.track_messages(page_size=2), path)

    assert (len(line.received), json.loads(place.read_bytes())) == (asked, mark)


@FORMATS
async def test_two_cannot_write_one_file(caller, line, tmp_path, format):
    path, stream = tmp_path / f"messages.{format}", caller.track_messages(page_size=2)
    line.will(numbered(0), falls_silent())
    taken = asyncio.Event()
    first = asyncio.create_task(export_to(stream, path, on_page=lambda page, so_far: taken.set()))
    await taken.wait()

    with pytest.raises(ConfigError, match="another export is writing it"):
        await export_to(stream, path)

    first.cancel()
    await asyncio.wait([first])


@FORMATS
async def test_who_comes_as_another_finishes_leaves_the_whole_file_alone(caller, line, tmp_path, format, monkeypatch):
    """The part is open and not locked yet, and becomes the file at that moment."""
    path, stream, flock = tmp_path / f"messages.{format}", caller.track_messages(page_size=2), fcntl.flock
    first, second = (_exporting._part_of(stream, path, None) for _ in range(2))
    line.will(numbered(0))
    messages = await caller.track_messages(page_size=2, max_items=2).collect()
    first.open()
    first.ready(messages)()

    def late(*args):
        monkeypatch.undo()
        first.finish()
        first.close()
        flock(*args)

    monkeypatch.setattr(_parts.fcntl, "flock", late)
    second.open()
    second.close()

    assert ids(path, format) == ["m0", "m1"]


@pytest.mark.parametrize(
    ("name", "format", "told"),
    [
        ("messages.txt", None, "tells no format"),
        ("messages", "xlsx", "format: unknown"),
        ("", "csv", "is a folder"),
        ("no/m.csv", None, "No such file"),
    ],
)
async def test_what_cannot_be_written_is_refused_before_anything_is_sent(caller, line, tmp_path, name, format, told):
    with pytest.raises(ConfigError, match=told):
        await export_to(caller.track_messages(), tmp_path / name, format=format)

    assert line.received == []


async def test_the_place_of_a_pipe_or_of_a_link_is_not_taken(caller, line, tmp_path):
    """Nor is a part written into a pipe; what a link leads to would be old for whoever reads it."""
    pipe, part, link = (tmp_path / name for name in ("pipe", "m.part", "link"))
    os.mkfifo(pipe)
    os.mkfifo(part)
    link.symlink_to(tmp_path / "old.csv")
    for path, fault in (
        (pipe, "is no file but a device, a pipe"),
        (part.with_suffix(""), "m.part: is no file"),
        (link, "is a link; name the file"),
    ):
        with pytest.raises(ConfigError, match=fault):
            await export_to(caller.track_messages(), path, format="csv")

    assert (pipe.is_fifo(), part.is_fifo(), link.is_symlink()) == (True, True, True)
    assert line.received == []


async def test_what_is_no_stream_of_ours_is_refused(tmp_path):
    with pytest.raises(ConfigError, match="a list is no PageStream"):
        await export_to([], tmp_path / "messages.csv")
    with pytest.raises(ConfigError, match="a list is no PageStream"):
        await to_polars([])


async def test_without_polars_a_sentence_says_how_to_install_it(caller, line, tmp_path, monkeypatch):
    """JSON lines and CSV need nothing; for the rest nothing is sent, and nothing left behind."""
    monkeypatch.setitem(sys.modules, "polars", None)
    with pytest.raises(ConfigError, match=r'pip install "voicedrop-async\[export\]"'):
        await export_to(caller.track_messages(), tmp_path / "messages.parquet")
    with pytest.raises(ConfigError, match=r'pip install "voicedrop-async\[export\]"'):
        await to_polars(caller.track_messages())

    assert (line.received, list(tmp_path.iterdir())) == ([], [])


async def test_a_disk_that_is_full_says_so_and_the_part_can_be_gone_on_with(routee, sandbox, tmp_path, monkeypatch):
    """The third page does not fit: half of it is written, and cut off by the next call."""
    path, append = tmp_path / "messages.jsonl", _parts.Lines._append
    pages = []

    def full(part, data):
        pages.append(data)
        append(part, data if len(pages) < 4 else data[:1000])  # the first is the header, which lines have none of
        if len(pages) == 4:
            raise OSError(28, "No space left on device")

    monkeypatch.setattr(_parts.Lines, "_append", full)
    monkeypatch.setattr(_exporting, "LINES_KEPT_EVERY", 0.0)
    with pytest.raises(FileError, match="No space left on device"):
        await export_to(routee.track_messages(), path)
    monkeypatch.undo()

    done = await export_to(routee.track_messages(), path)

    assert (done.items, done.report.items) == (500, 300)
    assert ids(path) == [message["messageId"] for message in sandbox.messages]
