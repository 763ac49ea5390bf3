"""Every Python block of the README is a program, and runs as it stands there; its table of errors is the list of errors."""

import asyncio
import os
import re
import sys
from pathlib import Path

import pytest

import voicedrop_async
from voicedrop_async import RequestError, VoiceDropError, WalkError
from voicedrop_async.sandbox import Sandbox

README = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```python\n(.*?)^```", README, re.MULTILINE | re.DOTALL)
NEVER_RAISED = {VoiceDropError, RequestError, WalkError}
"""What stands above others in the tree, to be caught: the text in front of the table tells of them."""


def test_the_readme_has_programs() -> None:
    assert len(BLOCKS) >= 5


@pytest.mark.parametrize("block", BLOCKS, ids=range(len(BLOCKS)))
async def test_a_program_of_the_readme_runs(sandbox: Sandbox, tmp_path: Path, block: str) -> None:
    """The environment points to a sandbox, where a user's points to the real services; files go to a folder that is thrown away."""
    environment = {
        "ROUTEE_APPLICATION_ID": sandbox.credentials[0],
        "ROUTEE_APPLICATION_SECRET": sandbox.credentials[1],
        "ROUTEE_BASE_URL": sandbox.routee_url,
        "ROUTEE_AUTH_URL": sandbox.auth_url,
        "SPACIVOX_ACCESS_TOKEN": sandbox.spacivox_token,
        "SPACIVOX_BASE_URL": sandbox.spacivox_url,
    }
    program = await asyncio.create_subprocess_exec(
        *(sys.executable, "-W", "error", "-c", block),
        env=os.environ | environment,
        cwd=tmp_path,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    printed, complaints = await program.communicate()

    assert complaints.decode() == ""
    assert program.returncode == 0
    assert printed.strip()


def test_the_table_of_errors_is_the_list_of_errors() -> None:
    """One row for each that can be raised: what happened, what may have happened, what to do."""
    section = README.split("\n## When things go wrong\n")[1].split("\n## ")[0]
    text, _, table = section.partition("| error | what happened | what may have happened | what to do |\n|---|---|---|---|\n")
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines() if line.startswith("|")]
    public = [getattr(voicedrop_async, name) for name in voicedrop_async.__all__]
    errors = {thing for thing in public if isinstance(thing, type) and issubclass(thing, VoiceDropError)}

    assert sorted(name for name, *_ in rows) == sorted(f"`{error.__name__}`" for error in errors - NEVER_RAISED)
    assert [row for row in rows if len(row) != 4 or not all(row)] == []
    assert [error for error in NEVER_RAISED if f"`{error.__name__}`" not in text] == []
