"""The matrix of faults and the tests are held equal, and the section at the end of a run says no more than what happened."""

import os
import re
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest
from matrix import FAULTS, rows_of

TESTS = Path(__file__).parents[1]
PATIENCE = 150.0
"""Seconds that a run of pytest may take within one of these tests; all the tests are imported, beside others at work."""
pytestmark = pytest.mark.timeout(PATIENCE + 10)
CONFTEST = """
from survival import Survival


def pytest_configure(config):
    config.pluginmanager.register(Survival())
"""
PLENTY = """
import pytest

@pytest.mark.parametrize("number", [1, 2])
def test_a01_lives(number): pass

def test_a02_a03_live(): pass

@pytest.mark.parametrize("number", [1, 2])
def test_a05_dies_once(number): assert number == 1

@pytest.mark.parametrize("number", [1, 2])
def test_a06_cannot_run_once(number):
    if number == 2: pytest.skip("no second machine")

@pytest.fixture
def breaks():
    yield
    raise OSError

def test_a07_dies_behind_its_end(breaks): pass

@pytest.mark.once
def test_a08_takes_long(): pass

def test_a08_is_short(): pass

@pytest.mark.xfail
def test_a10_is_known_to_fail(): assert False
"""


def ran(folder: Path, *words: str, **environment: str) -> tuple[int, str]:
    """Run pytest in a process of its own, which knows nothing of this run and is not measured; return its exit code and what it printed."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "COV"))}
    ended = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *words],
        cwd=folder,
        env=clean | environment | {"PYTHONPATH": str(TESTS)},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    return ended.returncode, ended.stdout + ended.stderr


def section(folder: Path, source: str, *words: str) -> list[str]:
    """Return the lines of the section that a run of ``source`` prints."""
    (folder / "conftest.py").write_text(CONFTEST, encoding="utf-8")
    (folder / "test_some.py").write_text(source, encoding="utf-8")
    (folder / "pytest.ini").write_text("[pytest]\nmarkers = once\n", encoding="utf-8")
    _, printed = ran(folder, *words, PYTEST_DISABLE_PLUGIN_AUTOLOAD="1")
    found = re.search(r"^=+ faults =+\n(.*?^faults: .*?)$", printed, re.MULTILINE | re.DOTALL)
    return found[1].splitlines() if found else []


@cache
def collected() -> dict[str, list[str]]:
    """Return the tests of each row; what needs a service may not be installed, and is only read."""
    code, printed = ran(TESTS.parent, "--collect-only", "-p", "no:randomly", "tests")
    assert code == 0, printed[-2000:]
    tests = [line for line in printed.splitlines() if "::" in line]
    for path in TESTS.glob("services/test_*.py"):
        tests += [f"tests/services/{path.name}::{name}" for name in re.findall(r"def (test_\w+)", path.read_text(encoding="utf-8"))]
    return {row: [test for test in tests if row in rows_of(test)] for test in tests for row in rows_of(test)}


@pytest.mark.once
def test_every_row_of_the_matrix_has_a_test() -> None:
    """But for those that wait for a room that is not built."""
    without = [f"{row}: {fault.happens}" for row, fault in FAULTS.items() if row not in collected() and not fault.room]

    assert not without, "\n".join(without)


def test_every_id_of_a_test_is_a_row_of_the_matrix() -> None:
    assert {row: tests for row, tests in collected().items() if row not in FAULTS} == {}


def test_a_row_that_waits_for_its_room_has_no_test() -> None:
    """Once it has, it is built, and no longer waits: strike the room off its row."""
    assert {row: tests for row, tests in collected().items() if row in FAULTS and FAULTS[row].room} == {}


def test_what_was_collected_can_be_told() -> None:
    """The walk itself sees tests, also those that need a service, and of a test with two ids both."""
    assert len(collected()) > 50
    assert set(collected()["J11"]) & set(collected()["J12"])


@pytest.mark.parametrize(
    ("test", "rows"),
    [
        ("tests/wire/test_values.py::test_j11_j12_what_is_no_json[b'[::test_a01_']", ("J11", "J12")),
        ("tests/paid/test_kill.py::TestIt::test_p07_killed", ("P07",)),
        ("test_s01_nothing", ("S01",)),
        ("tests/test_a01_file.py::test_it", ()),
        ("tests/x.py::test_500_callers", ()),
        ("tests/x.py::test_of_a01_nothing", ()),
        ("tests/x.py::test_a011_nothing", ()),
    ],
)
def test_the_rows_of_a_test_stand_at_the_beginning_of_its_name(test: str, rows: tuple[str, ...]) -> None:
    assert rows_of(test) == rows


@pytest.mark.parametrize("words", [(), ("-p", "xdist", "-n", "2")], ids=["one process", "two workers"])
def test_the_section_says_by_id_what_became_of_each_row(tmp_path: Path, words: tuple[str, ...]) -> None:
    """A row one of whose tests failed, was skipped, or was not run did not survive, whatever the others did."""
    waiting = {row: fault for row, fault in FAULTS.items() if fault.room}
    rest = len(FAULTS) - len(waiting) - 7

    assert section(tmp_path, PLENTY, "-m", "not once", *words) == [
        "survived: A01 (2), A02 (1), A03 (1)",
        "not run: A08 (1 of 2)",
        *[f"not built yet: {row}, {fault.happens}: waits for {fault.room}" for row, fault in waiting.items()],
        f"cannot run here: A06, {FAULTS['A06'].happens}: no second machine",
        f"failed: A05, {FAULTS['A05'].happens}: test_some.py::test_a05_dies_once[2]",
        f"failed: A07, {FAULTS['A07'].happens}: test_some.py::test_a07_dies_behind_its_end",
        f"failed: A10, {FAULTS['A10'].happens}: test_some.py::test_a10_is_known_to_fail",
        f"faults: 3 of {len(FAULTS)} survived, {len(waiting)} not built yet, 1 cannot run here, 3 failed, {rest} not run",
    ]


def test_what_a_run_that_stops_early_did_not_reach_did_not_survive(tmp_path: Path) -> None:
    source = "def test_a01_lives(): pass\ndef test_it(): assert False\ndef test_a01_is_not_reached(): pass\n"

    assert section(tmp_path, source, "-x")[0] == "not run: A01 (1 of 2)"


def test_a_run_without_any_row_prints_no_section(tmp_path: Path) -> None:
    assert section(tmp_path, "def test_it(): pass\n") == []
