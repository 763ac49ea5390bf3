"""The README's plan on Dask, as it stands there."""

import asyncio
import json
import re
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cli.processes import environment_of

README = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")


async def test_the_plan_runs_on_an_engine_that_it_does_not_know(sandbox, routee, tmp_path):
    """In processes of its own: a year until midnight, each message once."""
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
    midnight = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    written = [json.loads(line)["message_id"] for line in (tmp_path / "year.jsonl").read_bytes().splitlines()]
    assert len(set(written)) == len(written) > 100
    assert len(written) == await routee.track_messages(start=midnight - timedelta(days=365), end=midnight).count()
    assert len(list((tmp_path / "year.parts").glob("*.jsonl"))) == 13
