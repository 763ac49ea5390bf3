"""``voicedrop report``: from the service and from a file to the same page; nothing on stdout."""

import asyncio

from page_tables import Report
from raw_server import answer, falls_silent
from tracked import numbered

from .lists import behind, ctrl_c
from .processes import AT_A_TERMINAL, clean, finish, run, start


def test_a_report_of_a_file_is_that_of_the_service(environment, tmp_path):
    live, png, file, from_file = (tmp_path / name for name in ("live.html", "live.png", "m.csv", "file.html"))
    ended = [
        run("report", "--out", str(live), "--png", str(png), "--title", "Spring <sale>", "--prefetch", "2", env=environment),
        run("track", "--out", str(file), env=environment),
        run("report", str(file), "--out", str(from_file), env=environment),
    ]

    assert [(one.code, one.out, one.err) for one in ended] == [(0, "", "")] * 3
    told, again = (Report(path.read_text("utf-8")) for path in (live, from_file))
    assert told.tables == again.tables
    assert told.headlines["Messages"] == "300"
    assert "Spring <sale>" in told.text
    assert png.read_bytes().startswith(b"\x89PNG")


async def test_a_list_that_is_not_complete_ends_with_4_and_its_page_says_so(sandbox, line, tmp_path):
    out = tmp_path / "a.html"
    line.will(answer(body={"content": [{"messageId": "m1"}], "totalPages": 1, "totalElements": 3, "last": True, "number": 0, "size": 100}))

    ended = await asyncio.to_thread(run, "report", "--out", str(out), env=behind(sandbox, line))

    assert (ended.code, ended.out) == (4, "")
    assert "missing, at least: 2" in ended.err
    assert "The list is not complete." in Report(out.read_text("utf-8")).text


async def test_prices_that_cannot_be_read_are_told_though_the_list_is_complete(sandbox, line, tmp_path):
    rows = [{"messageId": f"m{number}", "price": "a lot"} for number in range(3)]
    line.will(*[answer(body={"content": rows, "totalPages": 1, "totalElements": 3, "last": True, "number": 0, "size": 100})] * 2)
    for command in ("report", "track"):
        ended = await asyncio.to_thread(run, command, "--out", str(tmp_path / f"{command}.csv"), env=behind(sandbox, line))

        assert (ended.code, ended.out) == (0, "")
        assert ended.err == "voicedrop: rows or fields that cannot be read: 3; what was written is good\n"


async def test_ctrl_c_says_that_nothing_was_written(sandbox, line, tmp_path):
    out = tmp_path / "a.html"
    out.write_text("before")
    line.will(numbered(0), falls_silent())
    ended = await ctrl_c(
        line, 2, "report", "--page-size", "2", "--out", str(out), "--png", str(tmp_path / "a.png"), env=behind(sandbox, line)
    )

    assert ended == (130, "", "voicedrop: nothing was written\n")
    assert [(file.name, file.read_text()) for file in tmp_path.iterdir()] == [("a.html", "before")]


def test_a_file_has_a_bar_of_progress_as_well(terminal, tmp_path):
    (tmp_path / "m.jsonl").write_text('{"message_id":"m1"}\n' * 300)
    arguments = ("report", str(tmp_path / "m.jsonl"), "--out", str(tmp_path / "a.html"))
    child = start(*arguments, env=clean(), before=AT_A_TERMINAL, stderr=terminal.side)
    terminal.hand_over()
    terminal.read_until()

    assert finish(child).code == 0
    assert "messages: 300, " in terminal.seen
    assert terminal.left == []


def test_what_cannot_be_drawn_ends_with_2(environment, tmp_path):
    for arguments, fault in (((), "--out: missing"), (("m.csv", "--out", "a.html", "--start", "-7d"), "FILE: is drawn whole")):
        ended = run("report", *arguments, env=environment)

        assert (ended.code, ended.out) == (2, "")
        assert fault in ended.err
