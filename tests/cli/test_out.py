"""``--out`` and ``--format``: a list into a file, by the command that a person runs twice."""

import asyncio
import csv
import json
import signal

import polars as pl
import pytest
from raw_server import falls_silent

from .processes import finish, run, start
from .test_walks import behind, page, past, until


async def test_a_file_that_was_interrupted_is_gone_on_with_by_the_same_command(sandbox, line, tmp_path):
    """Ctrl-C while the third page is on its way: nothing stands at its place, and what is said names the part."""
    out = tmp_path / "messages.parquet"
    command = ("track", "--page-size", "2", "--out", str(out))
    line.will(page(0), page(1), falls_silent())
    child = start(*command, env=behind(sandbox, line))
    await until(line, 3)
    child.send_signal(signal.SIGINT)
    interrupted = await asyncio.to_thread(finish, child)
    assert (interrupted.code, interrupted.out, out.exists()) == (130, "", False)
    assert interrupted.err == f"voicedrop: {out}.part keeps what was written: the same command goes on from there\n"

    line.will(page(2))
    ended = await asyncio.to_thread(run, *command, env=behind(sandbox, line))

    assert (ended.code, ended.out, ended.err) == (0, "", "")
    assert "page=2&" in line.received[-1].target
    assert pl.read_parquet(out)["message_id"].to_list() == [f"m{number}" for number in range(6)]
    assert list(tmp_path.iterdir()) == [out]


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
        (("--out", "messages"), "tells no format"),
    ],
)
def test_what_does_not_go_together_ends_with_2(environment, options, named):
    ended = run("track", *options, env=environment)

    assert (ended.code, ended.out) == (2, "")
    assert named in ended.err
