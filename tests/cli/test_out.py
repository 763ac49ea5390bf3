"""``--out`` and ``--format``: a list into a file, by the command that a person runs twice."""

import asyncio
import csv
import json
from datetime import UTC, datetime, timedelta

import polars as pl
import pytest
from raw_server import answer, falls_silent
from tracked import numbered

from .lists import behind, ctrl_c, past, until
from .processes import AT_A_TERMINAL, run, start


async def test_a_file_that_was_interrupted_is_gone_on_with_by_the_same_command(sandbox, line, tmp_path):
    """Ctrl-C while the third page is on its way: nothing stands at its place, and what is said names the part."""
    out = tmp_path / "messages.parquet"
    command = ("track", "--page-size", "2", "--out", str(out))
    line.will(numbered(0), numbered(1), falls_silent())
    interrupted = await ctrl_c(line, 3, *command, env=behind(sandbox, line))
    assert (interrupted.code, interrupted.out, out.exists()) == (130, "", False)
    assert interrupted.err == f"voicedrop: {out}.part keeps what was written: the same command goes on from there\n"

    line.will(numbered(2))
    ended = await asyncio.to_thread(run, *command, env=behind(sandbox, line))

    assert (ended.code, ended.out, ended.err) == (0, "", "")
    assert "page=2&" in line.received[-1].target
    assert pl.read_parquet(out)["message_id"].to_list() == [f"m{number}" for number in range(6)]
    assert list(tmp_path.iterdir()) == [out]


async def test_ctrl_c_is_a_key_and_last_week_is_the_one_of_the_first_run(sandbox, line, terminal, tmp_path):
    """Typed at a terminal, before the list ends: its bar is gone, what is said is there, and hours later the range is the same."""
    out = tmp_path / "messages.csv"
    command = ("track", "--start", "-7d", "--page-size", "2", "--out", str(out))
    line.will(numbered(0), numbered(1), falls_silent())
    child = start(*command, env=behind(sandbox, line), before=AT_A_TERMINAL, stdout=None, stderr=terminal.side)
    terminal.hand_over()
    await until(line, 3)
    await asyncio.to_thread(terminal.read_until, "4 of 6")
    terminal.type("\x03")
    await asyncio.to_thread(terminal.read_until)
    assert await asyncio.to_thread(child.wait) == 130
    assert terminal.left == [f"voicedrop: {out}.part keeps what was written: the same command goes on from there"]

    line.will(numbered(2))
    refused = await asyncio.to_thread(run, *command[:2], "-8d", *command[3:], env=behind(sandbox, line))
    ended = await asyncio.to_thread(run, "track", "--start=-7d", *command[3:], env=behind(sandbox, line))

    assert refused.code == 2
    assert "--start: another one than that of" in refused.err
    assert (ended.code, ended.out, ended.err) == (0, "", "")
    assert len({request.target.partition("&page")[0] for request in line.received}) == 1
    assert pl.read_csv(out)["message_id"].to_list() == [f"m{number}" for number in range(6)]
    assert list(tmp_path.iterdir()) == [out]


async def test_a_table_is_what_a_terminal_gets_and_text_without_colours_if_wanted(sandbox, line, terminal):
    """Ctrl-C after the first page: the rows stay, and nobody is told of a place."""
    line.will(numbered(0), falls_silent())
    env = behind(sandbox, line) | {"NO_COLOR": "1"}
    child = start("track", "--page-size", "2", env=env, before=AT_A_TERMINAL, stdout=terminal.side, stderr=terminal.side)
    terminal.hand_over()
    await until(line, 2)
    terminal.type("\x03")
    await asyncio.to_thread(terminal.read_until)

    assert await asyncio.to_thread(child.wait) == 130
    header, *rows = terminal.left
    assert header.split()[:3] == ["time", "(UTC)", "to"]
    assert [set(row.split()) for row in rows[:2]] == [{"-"}] * 2
    assert "\x1b" not in terminal.seen
    assert "voicedrop:" not in terminal.seen


def test_records_go_into_a_file_as_well(environment, tmp_path):
    out = tmp_path / "records"
    ended = run("records", *past(), "--format", "csv", "--out", str(out), env=environment)

    assert (ended.code, ended.out, ended.err) == (0, "", "")
    rows = list(csv.DictReader(out.read_text().splitlines()))
    assert rows
    assert all(row["number"].startswith("+") for row in rows)


def test_csv_goes_to_stdout_with_its_header_once(environment, tmp_path):
    command = ("track", "--format", "csv", "--max-items", "200", "--resume", str(tmp_path / "place"))
    parts = [run(*command, env=environment).out for _ in range(2)]
    rows = list(csv.DictReader("".join(parts).splitlines()))

    assert len({row["message_id"] for row in rows}) == len(rows) == 300


async def test_the_header_comes_with_the_first_page_and_not_again_behind_a_failure(sandbox, line, tmp_path):
    """A refused first request has written nothing; of slices, the first has no rows, and Ctrl-C comes while the second is on its way."""
    now = datetime.now(UTC)
    hours = ("--start", (now - timedelta(hours=2)).isoformat(), "--end", now.isoformat(), "--slices", "1h")
    command = ("track", *hours, "--page-size", "2", "--format", "csv", "--resume", str(tmp_path / "place"))
    env = behind(sandbox, line)
    line.will(answer(403, {}), answer(403, {}), numbered(0, pages=1, size=0), falls_silent())
    failed = await asyncio.to_thread(run, *command, env=env)
    asked = len(line.received)
    interrupted = await ctrl_c(line, asked + 2, *command, env=env)
    late = {"messageId": "m0", "status": {"status": "Busy", "date": (now - timedelta(minutes=30)).isoformat()}}
    totals = {"totalPages": 1, "totalElements": 1, "last": True, "number": 0, "size": 2}
    line.will(numbered(0, pages=1, size=0), answer(body={"content": [late], **totals}))  # it looks back first
    ended = await asyncio.to_thread(run, *command, env=env)

    assert (failed.code, failed.out, interrupted.code, ended.code) == (1, "", 130, 0)
    rows = list(csv.DictReader((failed.out + interrupted.out + ended.out).splitlines()))
    assert [row["message_id"] for row in rows] == ["m0"]


async def test_what_cannot_go_on_is_not_said_to(sandbox, line, tmp_path):
    out = tmp_path / "messages"
    line.will(numbered(0), falls_silent())
    await ctrl_c(line, 2, "track", "--page-size", "2", "--out", str(out), "--format", "jsonl", env=behind(sandbox, line))

    refused = await asyncio.to_thread(run, "track", "--page-size", "2", "--out", str(out), "--format", "csv", env=behind(sandbox, line))

    assert refused.code == 2
    assert "jsonl" in refused.err
    assert "goes on from there" not in refused.err


def test_max_items_of_a_file_are_those_in_it(environment, tmp_path):
    out = tmp_path / "messages.jsonl"
    ended = run("track", "--max-items", "5", "--out", str(out), env=environment)

    assert (ended.code, ended.err) == (0, "")
    assert len([json.loads(line) for line in out.read_text().splitlines()]) == 5


@pytest.mark.parametrize(
    ("options", "named"),
    [
        (("--format", "xlsx"), "--format"),
        (("--format", "parquet"), "--out"),
        (("--out", "m.csv", "--resume", "place"), "--resume"),
        (("--out", "."), "is a folder"),
        (("--out", "/", "--start", "-7d"), "is a folder"),
        (("--resume", "."), "is a folder"),
        (("--out", "messages"), "tells no format"),
        (("--out", "messages.csv", "--format", "table"), "for the screen"),
    ],
)
def test_what_does_not_go_together_ends_with_2(environment, options, named):
    ended = run("track", *options, env=environment)

    assert (ended.code, ended.out) == (2, "")
    assert named in ended.err
