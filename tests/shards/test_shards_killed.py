"""``voicedrop track --workers``: processes that are killed and interrupted, and a list that is there once and whole."""

import asyncio
import json
import os
import signal
from pathlib import Path

import pytest
from cli.processes import environment_of, finish, start

from voicedrop_async import ConfigError, Parts, plan
from voicedrop_async.cli._options import Output, Portion, Search, Spread
from voicedrop_async.cli._track import track
from voicedrop_async.sandbox import Sandbox

WEEK = ("--start", "-8d", "--end", "now")
"""Words, which mean another range each time."""


def children(pid):
    """The processes that one has begun."""
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def searches(sandbox):
    return sum(request.path == "/voice/tracking" for request in sandbox.requests)


async def until(sandbox, count):
    """Let the loop turn until the service has been asked so often."""
    async with asyncio.timeout(30):
        while True:
            if searches(sandbox) >= count:
                return
            await asyncio.sleep(0.01)


@pytest.mark.once
@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="this system does not tell whose child a process is")
async def test_d06_a_worker_is_killed_in_the_middle_of_a_shard(tmp_path, monkeypatch):
    """First one of two workers, then the command itself with Ctrl-C; the same command goes on, and little is asked for twice."""
    path = tmp_path / "week.jsonl"
    async with Sandbox(messages=2_000) as sandbox:
        sandbox.delay(0.02)
        command = ("track", *WEEK, "--workers", "2", "--page-size", "10", "--out", str(path))
        first = start(*command, env=environment_of(sandbox))
        await until(sandbox, 40)
        os.kill(children(first.pid)[0], signal.SIGKILL)
        await until(sandbox, 80)
        first.send_signal(signal.SIGINT)
        interrupted = await asyncio.to_thread(finish, first)
        for name, value in environment_of(sandbox).items():
            monkeypatch.setenv(name, value)
        with pytest.raises(ConfigError, match="is of another list"):
            await track(search=Search(start=WEEK[1], end=WEEK[3], page_size=20), spread=Spread(workers=2), output=Output(out=path))
        kept = {file.name for file in tmp_path.iterdir()}
        last = await asyncio.to_thread(finish, start(*command, env=environment_of(sandbox)))
        asked = searches(sandbox)
        wanted = [message["messageId"] for message in sandbox.messages]

    assert (interrupted.code, last.code) == (130, 0)
    assert "a worker died (-9); another one goes on with its shard" in interrupted.err
    assert "week.jsonl.parts keeps what was written: the same command goes on from there" in interrupted.err
    assert (last.out, last.err, kept) == ("", "", {"week.jsonl.parts", "week.jsonl.parts.range"})
    assert [json.loads(line)["message_id"] for line in path.read_bytes().splitlines()] == wanted
    assert [file.name for file in tmp_path.iterdir()] == ["week.jsonl"]
    assert asked < 8 + 200 + 8 + 60, "8 counts, 200 pages, one more for an edge, and what was under way"


async def test_a_shard_that_fails_for_good_ends_with_1(sandbox, routee, tmp_path, monkeypatch, capsys):
    """The others are kept, no file is there that would look whole, and the same command asks for no more than is missing."""
    for name, value in environment_of(sandbox).items():
        monkeypatch.setenv(name, value)
    parts, (campaign, *_) = Parts(tmp_path / "all.csv.parts", "csv"), sandbox.history_campaigns
    await parts.keep_plan(await plan(routee, by=[campaign]))
    command = {"search": Search(campaign=campaign), "spread": Spread(workers=1), "output": Output(out=tmp_path / "all.csv")}
    sandbox.fail_next(status=400, path="/voice/tracking/campaign")

    assert await track(**command) == 1
    assert "1 of 1 shards are not there; the first of them: GET /voice/tracking/campaign/{tracking_id}: HTTP 400" in capsys.readouterr().err
    assert not (tmp_path / "all.csv").exists()
    assert await track(**command) == 0
    assert [file.name for file in tmp_path.iterdir()] == ["all.csv"]


async def test_workers_that_cannot_start_are_not_tried_again_and_again(sandbox, tmp_path, monkeypatch):
    for name, value in environment_of(sandbox).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("sys.executable", "false")

    with pytest.raises(ConfigError, match=r"a worker cannot start \(exit code 1\)"):
        await track(search=Search(start="-7d", end="now"), spread=Spread(workers=1), output=Output(out=tmp_path / "all.csv"))


@pytest.mark.parametrize(
    ("options", "fault"),
    [
        ({"search": Search(filter=["recipient=+306912345678"])}, "--filter: not together"),
        ({"portion": Portion(max_items=0)}, "--max-items: not together"),
        ({"output": Output()}, "a file that --out names"),
        ({"output": Output(out=Path("messages.txt"))}, "tells no format"),
        ({"spread": Spread(workers=0)}, "a number from 1 up"),
    ],
)
async def test_what_workers_cannot_do_is_refused(options, fault):
    with pytest.raises(ConfigError, match=fault):
        await track(**{"spread": Spread(workers=2), "output": Output(out=Path("messages.csv"))} | options)
