"""The README's plan on Dask, as it stands there."""

import asyncio
import re
import sys
from pathlib import Path

from cli.processes import environment_of

README = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")


async def test_the_plan_runs_on_an_engine_that_it_does_not_know(sandbox, tmp_path):
    """In processes of its own: a year, each message once."""
    (block,) = (block for block in re.findall(r"^```python\n(.*?)^```", README, re.MULTILINE | re.DOTALL) if "dask" in block)
    (tmp_path / "year.py").write_text(block, encoding="utf-8")
    program = await asyncio.create_subprocess_exec(
        *(sys.executable, "year.py"),
        env=environment_of(sandbox),
        cwd=tmp_path,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    printed, complaints = await program.communicate()

    assert program.returncode == 0, complaints.decode()
    assert printed.decode().splitlines()[-1] == "True"
    assert len((tmp_path / "year.jsonl").read_bytes().splitlines()) == 500
    assert len(list((tmp_path / "year.parts").glob("*.jsonl"))) == 13
