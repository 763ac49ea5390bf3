"""A report says what the data says; it holds no number and no PIN, and nothing that a service sent runs."""

import json
import re
import struct
import zlib
from datetime import UTC, datetime, timedelta
from xml.etree import ElementTree

import pytest
import vl_convert
from report.reported import HOSTILE, ROWS, at, messages_of, read

from voicedrop_async import report_to
from voicedrop_async._masking import shown


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


async def test_the_figures_are_those_of_the_data(messages, tmp_path):
    done = await report_to(messages, tmp_path / "a.html", title="Spring & sale")

    told = read(done.path)
    strange = shown(HOSTILE, 40)
    assert (done.messages, done.png, done.report.complete, done.path.stat().st_mode & 0o777) == (7, None, True, 0o600)
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
async def test_the_picture_is_one_and_its_owner_s_alone(messages, tmp_path):
    done = await report_to(messages, None, png=tmp_path / "a.png")

    width, rows = drawn_rows(done.png)
    assert (done.path, width) == (None, 2 * 1060)
    assert rows > 1_000
    assert [(file.name, file.stat().st_mode & 0o777) for file in tmp_path.iterdir()] == [("a.png", 0o600)]


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
    line.will(messages_of([{"status": {"status": "Busy", "date": "1970-01-01T00:00:00Z"}}, *morning]))

    told = read((await report_to(caller.track_messages(), tmp_path / "a.html")).path)

    assert told.tables["time"][1] == ["(long before)", "0", "1", "1"]
    assert (told.tables["time"][2][0], len(told.tables["time"])) == ("2026-03-02 09:00", 63)
    assert "only in the table: 1." in told.text


async def test_what_is_not_complete_says_so(caller, line, tmp_path):
    line.will(messages_of(ROWS, totalElements=9))

    done = await report_to(caller.track_messages(), tmp_path / "a.html")

    assert not done.report.complete
    assert "The list is not complete." in read(done.path).text
    assert "Counted by the service: 9." in read(done.path).text


async def test_what_was_cut_as_wanted_is_not_blamed_and_what_could_not_be_read_is_told(caller, line, tmp_path):
    rows = [{**at("09:00:00Z", "Completed"), "price": "a lot"}] * 3
    line.will(messages_of(rows), messages_of(rows))
    whole = await report_to(caller.track_messages(), tmp_path / "a.html")
    cut = await report_to(caller.track_messages(max_items=2), tmp_path / "b.html")

    assert (whole.report.complete, cut.report.complete) == (True, False)
    assert "The list is complete: every message is here. Rows or fields that cannot be read" in read(whole.path).text
    assert "in the figures: 3." in read(whole.path).text
    assert "Cut by max_items, after 2 messages. Rows or fields" in read(cut.path).text
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
    line.will(messages_of([]))

    done = await report_to(caller.track_messages(), tmp_path / "a.html", png=tmp_path / "a.png")

    told = read(done.path)
    assert (done.messages, told.headlines["Messages"], told.headlines["Cost"]) == (0, "0", "0")
    assert told.text.count("Nothing to draw.") == len(told.tables) == 8
    assert drawn_rows(done.png)[1] < 700  # titles only
