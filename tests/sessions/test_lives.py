"""Programs that live on as they should not: without closing, across a fork, under a clock that is set."""

import asyncio
import json
import os
import re
import sys
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]


async def ran(*words: str) -> tuple[list[str], str]:
    """Run a program of the tests, in which every warning but of resources is an error; return its lines, and its complaints."""
    program = await asyncio.create_subprocess_exec(
        *(sys.executable, "-W", "error", "-W", "always::ResourceWarning", "-m", *words),
        env=os.environ | {"PYTHONPATH": str(TESTS)},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        async with asyncio.timeout(30):
            printed, complaints = await program.communicate()
    finally:
        if program.returncode is None:
            program.kill()
            await program.wait()
    assert program.returncode == 0, complaints.decode()
    return printed.decode().splitlines(), complaints.decode()


@pytest.mark.parametrize("way", ["dropped", "kept", "with calls under way"])
async def test_d02_a_session_that_is_never_closed_is_a_warning_and_no_more(way: str) -> None:
    """The program comes to its end, and nobody is told of tasks that were forgotten, or of tokens."""
    printed, complaints = await ran("sessions.lives", "forgets", way)

    assert printed == ["m", "the end"]
    assert "ResourceWarning: Unclosed client session" in complaints
    assert set(re.findall(r"(\w+(?:Warning|Error))\b", complaints)) == {"ResourceWarning"}
    assert not re.search(r"Traceback|never retrieved|was destroyed|canary", complaints)


@pytest.mark.parametrize("way", ["in its loop", "in another", "at rest"])
async def test_d03_after_a_fork_the_child_is_told_and_the_parent_goes_on(way: str) -> None:
    """Connection and token are the parent's: two processes on one connection would read each other's answers."""
    printed, complaints = await ran("sessions.lives", "forks", way)

    told = json.loads(printed[0])
    assert [text for text in told if "make one in each run" in text] == told
    assert len(told) == 6
    assert printed[1:] == ["m 3", "the end"]
    assert complaints == ""


@pytest.mark.parametrize("days", ["1", "-1"])
async def test_a12_a_clock_that_is_set_changes_nothing(days: str) -> None:
    """A token of an hour is asked for once, a wait of a second takes one, and neither a rate nor a deadline is upset."""
    printed, complaints = await ran("sessions.jumping_clock", days)

    came = json.loads(printed[-1])
    assert came["days"] == 2, "the clock really was set"
    assert came["messages"] == ["m"] * 4
    assert came["asked"] == ["/oauth/token", *["/voice/tracking/m"] * 5]
    assert 1.0 <= came["took"] < 10.0
    assert complaints == ""
