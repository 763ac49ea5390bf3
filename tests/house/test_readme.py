"""Every Python block of the README is a program, and runs as it stands there."""

import asyncio
import os
import re
import sys
from pathlib import Path

import pytest

from voicedrop_async.sandbox import Sandbox

README = Path(__file__).parents[2] / "README.md"
BLOCKS = re.findall(r"^```python\n(.*?)^```", README.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)


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
