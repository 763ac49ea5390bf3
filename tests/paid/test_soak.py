"""A tenth of ``nox -s soak``: the script judges by the server's count, and ends with 1 if a promise is broken."""

import asyncio
import sys
from pathlib import Path

import pytest

SOAK = Path(__file__).parents[2] / "benchmarks" / "soak.py"


@pytest.mark.once
async def test_p16_a_thousand_sends_under_faults_are_all_accounted_for() -> None:
    program = await asyncio.create_subprocess_exec(
        *(sys.executable, "-W", "error", str(SOAK), "--sends", "1000"), stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    printed, complaints = await program.communicate()

    print(f"\n{printed.decode()}")
    assert complaints.decode() == ""
    assert program.returncode == 0
    assert "duplicates: 0; the sum adds up" in printed.decode()
