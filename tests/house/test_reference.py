"""The API reference: something is said of every public name, down to the last field."""

import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = Path(__file__).parents[2] / ".ci/reference.py"


@pytest.mark.once
def test_something_is_said_of_every_public_name(tmp_path: Path) -> None:
    ended = subprocess.run([sys.executable, "-W", "error", PROGRAM, tmp_path], capture_output=True, text=True, check=False)

    assert (ended.returncode, ended.stdout + ended.stderr) == (0, "")
    assert "What a receiver hands on." in (tmp_path / "voicedrop_async.html").read_text(encoding="utf-8")
