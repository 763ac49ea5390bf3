"""A report says what the data says, whatever it came from; it holds no number and no PIN, and nothing that a service sent runs."""

import asyncio
import json
import os
import re
import struct
import sys
import threading
import zlib
from datetime import UTC, datetime, timedelta
from xml.etree import ElementTree

import polars as pl
import pytest
import vl_convert
from page_tables import Report
from raw_server import answer

from voicedrop_async import BadRequest, ConfigError, FileError, export_to, report_to
from voicedrop_async._masking import shown
from voicedrop_async.export._frames import schema_of
from voicedrop_async.models import VoiceMessage
from voicedrop_async.report import _batches, _reporting, _tally

HOSTILE = "</script><img src=x onerror=alert(1)>\u2028\u202e=1+1"


HEADER = ",".join(_tally.COLUMNS).encode() + b"\n"


def at(clock, status, **more):
    return {"status": {"status": status, "date": f"2026-03-02T{clock}", **more}}


ROWS = [
    {**at("09:00:10Z", "Completed"), "answeredBy": "HUMAN", "country": "GR", "duration": 12, "price": 0.1, "collectedTones": "1"},
    {**at("09:00:50Z", "Completed"), "answeredBy": "HUMAN", "country": "GR", "duration": 61.5, "price": 0.2, "collectedTones": "1"},
    {**at("09:07:00Z", "Completed"), "answeredBy": "MACHINE", "country": "DE", "duration": 7, "price": 1e-9, "collectedTones": "0042"},
    {**at("09:08:00Z", "NoAnswer"), "to": "+306912345678", "country": "GR", "duration": 0, "price": 0},
    {**at("11:00:00+01:00", "Failed", reason="no route to +306912345678"), "to": "=1+1", "country": HOSTILE},
    {"status": {"status": HOSTILE}, "answeredBy": "ALIEN", "collectedTones": ""},
    {},
]


def page(rows, **more):
    content = [{"messageId": f"m{place}", **row} for place, row in enumerate(rows)]
    return answer(body={"content": content, "totalPages": 1, "totalElements": len(rows), "last": True, "number": 0, "size": 100} | more)


def read(path):
    return Report(path.read_text("utf-8"))


def without_its_moment(path):
    return re.sub("Made with .*|<p class=.standing.>.*", "", path.read_text("utf-8"))


def drawn_rows(png):
    """The width of a picture, and in how many of its rows there is anything: one of a single colour has two different bytes at most."""
    data, chunks, at = png.read_bytes(), [], 8
    while at < len(data):
        length, kind = struct.unpack(">I4s", data[at : at + 8])
        chunks += [data[at + 8 : at + 8 + length]] if kind == b"IDAT" else []
        at += length + 12
    width, height = struct.unpack(">2I", data[16:24])
    pixels = zlib.decompress(b"".join(chunks))
    size = len(pixels) // height
    return width, sum(len(set(pixels[start + 1 : start + size])) > 2 for start in range(0, len(pixels), size))


@pytest.fixture
def messages(caller, line):
    line.will(*[page(ROWS)] * 5)
    return caller.track_messages()


async def test_the_figures_are_those_of_the_data(messages, tmp_path):
    done = await report_to(messages, tmp_path / "a.html", title="Spring & sale")

    told = read(done.path)
    strange = shown(HOSTILE, 40)
    assert (done.messages, done.png, done.report.complete) == (7, None, True)
    assert told.counts("status") == {"Completed": 3, strange: 1, "Failed": 1, "NoAnswer": 1, "(not told)": 1}
    assert told.counts("answered") == {"HUMAN": 2, "ALIEN": 1, "MACHINE": 1, "(not told)": 3}
    assert told.counts("country") == {"GR": 3, strange: 1, "DE": 1, "(not told)": 2}
    assert told.counts("keys") == {"1": 2, "(several keys)": 1, "(no key)": 4}
    assert told.counts("failed") == {"Failed": 1, "NoAnswer": 1}
    steps = {label: count for label, count in told.counts("duration").items() if count}
    assert steps == {"under 1 s": 1, "5 to 10 s": 1, "10 to 15 s": 1, "1 to 2 min": 1, "(not told)": 3}
    assert told.tables["cost"][1:] == [["GR", "0.3"], ["DE", "0.000000001"], ["All", "0.300000001"]]
    assert told.tables["time"] == [
        ["From", "Completed", "No answer", "Failed", "Other", "All"],
        ["2026-03-02 09:00", "2", "0", "0", "0", "2"],
        ["2026-03-02 09:07", "1", "0", "0", "0", "1"],
        ["2026-03-02 09:08", "0", "1", "0", "0", "1"],
        ["2026-03-02 10:00", "0", "0", "1", "0", "1"],
        ["(not told)", "0", "0", "0", "2", "2"],
        ["All", "3", "1", "1", "2", "7"],
    ]
    assert [told.total(name)[1] for name in ("status", "answered", "country", "keys", "duration")] == ["7"] * 5
    assert (
        told.headlines | {"Messages": "7", "Cost": "0.300000001", "Pressed a key": "3", "On the telephone": "1 min 20 s"} == told.headlines
    )
    assert "Spring & sale" in told.text


async def test_no_number_no_pin_no_markup_of_others_and_no_address_is_in_it(messages, tmp_path):
    done = await report_to(messages, tmp_path / "a.html")

    html, told = done.path.read_text("utf-8"), read(done.path)
    assert told.tables["failures"][1:] == [
        ["2026-03-02 10:00", "*****+1", shown(HOSTILE, 40), "Failed", "An internal error of the service. no route to +3069*****78", "m4"],
        ["2026-03-02 09:08", "+3069*****78", "GR", "NoAnswer", "Nobody answered, or the call was rejected.", "m3"],
    ]
    assert [text for text in ("0042", "306912345678", "\u2028", "\u202e") if text in html] == []
    assert {tag for tag, _ in told.tags} & {"script", "img", "iframe", "object", "form"} == set()
    assert {name for _, attributes in told.tags for name in attributes if name.startswith("on") or name in {"style", "src"}} == set()
    assert set(re.findall(r"\w+://[^\"'<> ]*", html)) == {"http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"}


@pytest.mark.once
async def test_a_file_tells_the_same_as_its_stream_and_the_picture_is_one(messages, tmp_path, monkeypatch):
    """All three formats, in more than one batch: what a spreadsheet was kept from running is shown as it was."""
    for name, size in (("_ROWS", 3), ("_PARQUET_ROWS", 3), ("_BYTES", 700)):
        monkeypatch.setattr(_batches, name, size)
    done = await report_to(messages, tmp_path / "stream.html", png=tmp_path / "stream.png")
    for name in ("messages.jsonl", "messages.csv", "messages.parquet"):
        await export_to(messages, tmp_path / name)
        steps = []
        from_file = await report_to(tmp_path / name, tmp_path / f"{name}.html", on_batch=lambda *step, steps=steps: steps.append(step))

        assert (from_file.messages, from_file.report, steps[-1]) == (7, None, (7, 1.0))
        assert len(steps) > 1
        assert sorted(steps) == steps
        assert without_its_moment(from_file.path) == without_its_moment(done.path)
        assert "does not tell whether its list was complete" in read(from_file.path).text
    assert (rows := drawn_rows(done.png))[0] == 2 * 1060
    assert rows[1] > 1_000
    assert {file.stat().st_mode & 0o777 for file in tmp_path.iterdir()} == {0o600}


@pytest.mark.once
async def test_names_of_colours_in_texts_stay_texts_and_a_long_title_has_lines(tmp_path, monkeypatch):
    words = ["var(--x)", "var(--ink)", 'fill="var(--ink)"', "<text>"]
    (tmp_path / "a.jsonl").write_text("".join(json.dumps({"message_id": "m", "country": word}) + "\n" for word in words))
    draw, seen = vl_convert.svg_to_png, []
    monkeypatch.setattr(vl_convert, "svg_to_png", lambda svg, **more: seen.append(svg) or draw(svg, **more))
    title = "Spring sale of var(--y) " * 8

    await report_to(tmp_path / "a.jsonl", None, png=tmp_path / "a.png", title=title)

    elements = list(ElementTree.fromstring(seen[0]).iter())
    texts = [element.text for element in elements if element.text]
    assert set(words) <= set(texts)
    assert [value for element in elements for value in element.attrib.values() if "var(" in value] == []
    lines = texts[: texts.index("Messages")]
    assert " ".join(lines) == title.strip()
    assert max(map(len, lines)) < 60


async def test_a_moment_of_1970_is_counted_apart_from_a_morning(caller, line, tmp_path):
    morning = [at(f"09:{minute:02}:00Z", "Completed") for minute in range(60)]
    line.will(page([{"status": {"status": "Busy", "date": "1970-01-01T00:00:00Z"}}, *morning]))

    told = read((await report_to(caller.track_messages(), tmp_path / "a.html")).path)

    assert told.tables["time"][1] == ["(long before)", "0", "1", "1"]
    assert (told.tables["time"][2][0], len(told.tables["time"])) == ("2026-03-02 09:00", 63)
    assert "only in the table: 1." in told.text


async def test_what_is_not_complete_says_so(caller, line, tmp_path):
    line.will(page(ROWS, totalElements=9))

    done = await report_to(caller.track_messages(), tmp_path / "a.html")

    assert not done.report.complete
    assert "The list is not complete." in read(done.path).text
    assert "Counted by the service: 9." in read(done.path).text


async def test_what_was_cut_as_wanted_is_not_blamed_and_what_could_not_be_read_is_told(caller, line, tmp_path):
    rows = [{**at("09:00:00Z", "Completed"), "price": "a lot"}] * 3
    line.will(page(rows), page(rows))
    whole = await report_to(caller.track_messages(), tmp_path / "a.html")
    cut = await report_to(caller.track_messages(max_items=2), tmp_path / "b.html")

    assert (whole.report.complete, cut.report.complete) == (True, False)
    assert "The list is complete: every message is here. Fields or rows that could not be read" in read(whole.path).text
    assert "in the figures: 3." in read(whole.path).text
    assert "Cut by max_items, after 2 messages. Fields or rows" in read(cut.path).text
    assert "not complete" not in read(cut.path).text


async def test_no_two_ticks_of_the_time_axis_say_the_same(tmp_path):
    """Six days in bars of three hours, on a desk and on a telephone: what is no midnight says its hour."""
    start = datetime(2026, 11, 17, tzinfo=UTC)
    rows = [{"message_id": "m", "status": "Busy", "status_date": f"{start + timedelta(hours=hours):%FT%TZ}"} for hours in range(0, 144, 3)]
    (tmp_path / "a.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))

    told = await report_to(tmp_path / "a.jsonl", tmp_path / "a.html")

    section = told.path.read_text("utf-8").partition('id="status"')[0]
    axes = [re.findall(">([^<>]+)</text>", axis) for axis in re.findall('role-axis-label".*?</g>', section, re.DOTALL)][::2]
    assert [axis[0] for axis in axes] == ["17 Nov"] * 2
    assert "12:00" in axes[0]
    assert [date for axis in axes for date in set(axis) if "Nov" in date and axis.count(date) > 1] == []


@pytest.mark.once
async def test_an_empty_list_is_a_page_that_says_so(caller, line, tmp_path):
    line.will(page([]))

    done = await report_to(caller.track_messages(), tmp_path / "a.html", png=tmp_path / "a.png")

    told = read(done.path)
    assert (done.messages, told.headlines["Messages"], told.headlines["Cost"]) == (0, "0", "0")
    assert told.text.count("Nothing to draw.") == len(told.tables) == 8
    assert drawn_rows(done.png)[1] < 700  # titles only


async def test_a_walk_that_fails_leaves_what_stood_there(caller, line, tmp_path):
    (tmp_path / "a.html").write_text("before")
    line.will(answer(400))

    with pytest.raises(BadRequest):
        await report_to(caller.track_messages(), tmp_path / "a.html")

    assert [(file.name, file.read_text()) for file in tmp_path.iterdir()] == [("a.html", "before")]


@pytest.mark.parametrize(
    ("name", "content", "fault"),
    [
        ("a.txt", b"", "its name tells no format"),
        ("none.jsonl", None, "No such file"),
        ("cut.jsonl", b'{"message_id":"m1"}\n{"message_id":"m2","status":"Comp', "line 2 cannot be read"),
        ("drops.jsonl", b'{"id":1,"state":"SENT"}\n', "line 1 cannot be read"),
        ("drops.csv", b"id,state\n1,SENT\n", "no export of voice messages"),
        ("odd.csv", HEADER + b"m1,,,,,,,,,\nm2,,,,2026-03-02T09:00:00,,,,,\nm3,,,,,,,,,\n", "line 3 cannot be read"),
        ("short.csv", HEADER + b"m1,,,,,,,,,\nm2\nm3,,,,,,,,,\n", "line 3 cannot be read"),
        ("latin.csv", HEADER + b'm1,,,,,,,,,\n"m\n2",,\xe9,,,,,,,\nm3,,,,,,,,,\n', "line 4 cannot be read"),
        ("quoted.csv", HEADER + b'm1,,,,,,,,,\n"m2"x,,,,,,,,,\nm3,,,,,,,,,\n', "line 3 cannot be read"),
        ("no.parquet", b"PAR1", "cannot be read as Parquet"),
    ],
)
async def test_what_holds_no_messages_is_refused(tmp_path, name, content, fault):
    if content is not None:
        (tmp_path / name).write_bytes(content)

    with pytest.raises(ConfigError, match=fault):
        await report_to(tmp_path / name, tmp_path / "a.html")

    assert not (tmp_path / "a.html").exists()


async def test_a_parquet_file_whose_json_is_none_is_refused(tmp_path):
    row = {"message_id": "m1", "extra": [{"key": "status", "value": "{"}]}
    pl.DataFrame([row], schema=schema_of(VoiceMessage)).write_parquet(tmp_path / "odd.parquet")

    with pytest.raises(ConfigError, match="cannot be read as Parquet"):
        await report_to(tmp_path / "odd.parquet", tmp_path / "a.html")


async def test_a_cell_may_be_as_long_as_an_answer(tmp_path):
    """Longer than Python's ``csv`` takes; the rest of the process keeps its own limit."""
    reason, limit = "x" * 200_000, _batches.csv.field_size_limit()
    row = json.dumps({"status": {"reason": reason}}).replace('"', '""')
    (tmp_path / "long.csv").write_bytes(HEADER + f'm1,,,Busy,,,,,,"{row}"\n'.encode())

    await report_to(tmp_path / "long.csv", tmp_path / "a.html")

    assert read(tmp_path / "a.html").tables["failures"][1][4] == f"The line was busy. {reason[:200]}"
    assert _batches.csv.field_size_limit() == limit


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
        (stream, None, "neither a page nor a picture"),
        (5, page, "an int is neither a stream of messages nor the path of a file"),
        (drops, page, "only voice messages"),
        (stream, tmp_path, "is a folder"),
        (stream, tmp_path / "none" / "a.html", "no folder that can be written to"),
    ):
        with pytest.raises(ConfigError, match=fault):
            await report_to(source, path)
    monkeypatch.setitem(sys.modules, "vl_convert", None)
    with pytest.raises(ConfigError, match=r'pip install "voicedrop-async\[report\]"'):
        await report_to(stream, page)

    assert line.received == []
