"""``voicedrop report``: from the service and from a file to the same page; nothing on stdout."""

import asyncio

from page_tables import Report
from raw_server import answer

from .processes import run
from .test_walks import behind


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


def test_what_cannot_be_drawn_ends_with_2(environment, tmp_path):
    for arguments, fault in (((), "--out: missing"), (("m.csv", "--out", "a.html", "--start", "-7d"), "FILE: is drawn whole")):
        ended = run("report", *arguments, env=environment)

        assert (ended.code, ended.out) == (2, "")
        assert fault in ended.err
