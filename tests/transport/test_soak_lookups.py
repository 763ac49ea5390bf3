"""A twentieth of the lookups of ``nox -s soak``: the server's count is the judge, and the script ends with 1 if a promise is broken."""

import asyncio
import re
import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

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
async def test_d04_five_thousand_lookups_of_five_hundred_callers_under_faults_lose_nothing_and_leave_nothing() -> None:
    """By id: what was got is what was served. The limit held in each second, few repeats, memory flat, nothing left open."""
    code, printed, complaints = await run("--lookups", "5000")

    print(f"\n{printed}")
    assert complaints == ""
    assert "every promise was kept" in printed
    assert code == 0


@pytest.mark.once
async def test_d04_a_soak_that_met_no_faults_proves_nothing() -> None:
    code, printed, _ = await run("--lookups", "100", "--callers", "20", "--faults", "0")

    assert "BROKEN: no request met cut" in printed
    assert code == 1


@pytest.mark.once
async def test_d04_calls_that_fail_are_a_broken_promise() -> None:
    """One attempt, no repeat: six calls in a hundred fail, which the faults do not explain."""
    code, printed, _ = await run("--lookups", "1000", "--attempts", "1")

    assert re.search(r"^BROKEN: [0-9]+ of 800 calls failed$", printed, re.MULTILINE)
    assert re.search(r"^BROKEN: [0-9]+ of 800 calls ended with an answer that is no JSON$", printed, re.MULTILINE)
    assert code == 1


@pytest.fixture
def soak(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The script, as a module; what it imports stands beside it."""
    monkeypatch.syspath_prepend(SOAK.parent)
    spec = spec_from_file_location("soak_lookups", SOAK)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def told(soak: ModuleType, failures: dict[str, dict[str, int]], peaks: tuple[float | None, float | None] = (40.0, 41.0)) -> object:
    """What callers of ten thousand lookups were told."""
    made = soak.Told(10_000)
    made.peaks.update(zip(("first", "last"), peaks, strict=True))
    for stretch, kinds in failures.items():
        made.failures[stretch].update(kinds)
    return made


@pytest.mark.parametrize(
    ("failures", "count"),
    [
        ({"warm": {"ServerFailed": 4}, "last": {"ConnectionLost": 4}}, 0),
        ({"warm": {"ServerFailed": 4}, "last": {"ConnectionLost": 5}}, 1),
        ({"first": {"WireError": 37}}, 0),
        ({"first": {"WireError": 38}, "last": {"TimedOut": 9}}, 2),
        ({"after the storm": {"ServerFailed": 900, "WireError": 900}}, 0),
    ],
)
def test_d04_few_calls_may_fail_but_after_the_storm(soak: ModuleType, failures: dict[str, dict[str, int]], count: int) -> None:
    assert len(list(soak.too_many_failed(told(soak, failures)))) == count


def test_d04_what_this_machine_does_not_tell_is_said_not_to_be_checked(
    soak: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A system without ``/proc``, and one whose ``/proc`` cannot be written."""
    monkeypatch.setattr(soak, "FILES", tmp_path / "nowhere")
    for place in (tmp_path, tmp_path / "nowhere" / "clear_refs"):
        monkeypatch.setattr(soak, "PEAK", place)
        assert soak.forget_peak() is False
    unknown = list(soak.unknown(told(soak, {}, (None, None)), {"tasks": 0, "files": soak.files()}))

    assert unknown == ["whether memory grew: /proc/self/clear_refs cannot be written here", "whether files are left"]
    assert list(soak.unknown(told(soak, {}), {"tasks": 0, "files": 0})) == []
    assert [soak.has_grown(told(soak, {}, (40.0, last))) for last in (42.0, 42.1)] == [False, True]
