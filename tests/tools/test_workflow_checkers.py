"""The checkers of workflows and scripts, each on a fault that it has to find: one that finds none checks nothing."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

HOUSE = Path(__file__).parents[2]


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    shutil.copytree(HOUSE / ".github", tmp_path / ".github")
    shutil.copytree(HOUSE / ".ci", tmp_path / ".ci")
    return tmp_path


def failed(checkout: Path) -> str:
    """The last line of the check: who found something."""
    command = [sys.executable, HOUSE / ".ci" / "workflows.py", checkout]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    last = ended.stdout.splitlines()[-1]
    assert ended.returncode == (last != "failed: none")
    return last


def test_our_own_are_without_fault(checkout: Path) -> None:
    assert failed(checkout) == "failed: none"


def test_a_word_that_no_workflow_knows_is_found(checkout: Path) -> None:
    workflow = checkout / ".github" / "workflows" / "ci.yml"
    workflow.write_text(workflow.read_text().replace("timeout-minutes: 90", "timeout-hours: 2"))

    assert "check-jsonschema" in failed(checkout)


@pytest.mark.parametrize(
    "step",
    ["uses: actions/checkout@v4", "run: echo ${{ github.event.pull_request.title }}"],
    ids=["an action that can change", "a title that is run"],
)
def test_a_step_that_lets_others_in_is_found(checkout: Path, step: str) -> None:
    workflow = checkout / ".github" / "workflows" / "ci.yml"
    workflow.write_text(workflow.read_text() + f"\n      - name: Added\n        {step}\n")

    assert failed(checkout) == "failed: zizmor"


def test_a_second_workflow_is_checked_as_well(checkout: Path) -> None:
    (checkout / ".github" / "workflows" / "other.yaml").write_text("name: other\non: push\njobs: {}\n")

    assert "check-jsonschema" in failed(checkout)


def test_a_word_that_the_shell_would_split_is_found(checkout: Path) -> None:
    script = checkout / ".ci" / "run"
    script.write_text(script.read_text() + "\ncat $HOME/figures\n")

    assert failed(checkout) == "failed: shellcheck"
