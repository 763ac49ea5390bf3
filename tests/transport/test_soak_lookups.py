"""A tenth of the lookups of ``nox -s soak``: the server's count is the judge, and the script ends with 1 if a promise is broken."""

import asyncio
import sys
from pathlib import Path

import pytest

SOAK = Path(__file__).parents[2] / "benchmarks" / "soak_lookups.py"


async def run(*options: str) -> tuple[int | None, str, str]:
    """The script's exit code, and what it printed and complained of."""
    program = await asyncio.create_subprocess_exec(
        *(sys.executable, "-W", "error", str(SOAK), *options), stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    printed, complaints = await program.communicate()
    return program.returncode, printed.decode(), complaints.decode()


@pytest.mark.once
@pytest.mark.timeout(240)
async def test_d04_ten_thousand_lookups_of_five_hundred_callers_under_faults_lose_nothing_and_leave_nothing() -> None:
    """By id: what was got is what was served. The limit held in each second, few repeats, memory flat, nothing left open."""
    code, printed, complaints = await run("--lookups", "10000")

    print(f"\n{printed}")
    assert complaints == ""
    assert "every promise was kept" in printed
    assert code == 0


@pytest.mark.once
async def test_d04_a_soak_that_met_no_faults_proves_nothing() -> None:
    code, printed, _ = await run("--lookups", "200", "--faults", "0")

    assert "BROKEN: no request met cut" in printed
    assert code == 1
