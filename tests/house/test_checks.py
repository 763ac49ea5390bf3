"""A check that was handed nothing has checked nothing, and fails: no workflow, no script, no package, nobody to ask."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

HOUSE = Path(__file__).parents[2]


def run(script: str, *words: object) -> tuple[int, str]:
    """Run a script of ``.ci`` as nox does, where no checker can be found."""
    command = [sys.executable, HOUSE / ".ci" / script, *map(str, words)]
    ended = subprocess.run(command, capture_output=True, text=True, check=False, env={"PATH": ""})
    return ended.returncode, ended.stdout + ended.stderr


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """What is looked at of a checkout: its workflows and its scripts."""
    shutil.copytree(HOUSE / ".github", tmp_path / ".github")
    shutil.copytree(HOUSE / ".ci", tmp_path / ".ci")
    return tmp_path


def test_a_checkout_without_a_workflow_fails(checkout: Path) -> None:
    shutil.rmtree(checkout / ".github")

    assert run("workflows.py", checkout) == (1, f"workflows: NONE, so nothing would be checked\nscripts: {checkout}/.ci/run\n")


def test_a_checkout_without_a_script_fails(checkout: Path) -> None:
    (checkout / ".ci" / "run").unlink()

    code, said = run("workflows.py", checkout)

    assert (code, said.splitlines()[1]) == (1, "scripts: NONE, so nothing would be checked")


def test_a_checker_that_is_not_there_is_no_check(checkout: Path) -> None:
    code, said = run("workflows.py", checkout)

    assert code == 1
    assert "FileNotFoundError" in said


def judged(folder: Path, packages: list[str], rows: list[dict[str, object]] | None, *options: str, complaint: str = "") -> tuple[int, str]:
    """What is made of a report on ``packages``, or of the complaint of a pip-audit that broke down: it wrote none, None for rows."""
    requirements, report, complaints = folder / "requirements.txt", folder / "report.json", folder / "complaints"
    complaints.write_text(complaint)
    requirements.write_text("# as uv writes them\n" + "".join(f"{package}==1.0\n    # via voicedrop-async\n" for package in packages))
    if rows is not None:
        report.write_text(json.dumps({"dependencies": rows, "fixes": []}))
    return run("audit.py", requirements, report, complaints, *options)


SOUND = {"name": "attrs", "version": "1.0", "vulns": []}
NOT_FOUND = {"name": "aiohttp", "skip_reason": "Dependency not found and could not be audited"}
VULNERABLE = {"name": "aiohttp", "version": "1.0", "vulns": [{"id": "CVE-2026-22815", "fix_versions": ["1.1"]}]}
NOBODY_ANSWERED = [NOT_FOUND, NOT_FOUND | {"name": "attrs"}]


def test_every_package_asked_about_and_none_vulnerable_is_well(tmp_path: Path) -> None:
    assert judged(tmp_path, ["attrs"], [SOUND]) == (0, "audit: 1 of 1 packages asked about, 0 vulnerable\n")


def test_a_vulnerable_package_fails_and_is_named(tmp_path: Path) -> None:
    code, said = judged(tmp_path, ["aiohttp", "attrs"], [SOUND, VULNERABLE], "--if-reachable")

    assert code == 1
    assert said.startswith("audit: aiohttp has CVE-2026-22815\n")


@pytest.mark.parametrize("rows", [NOBODY_ANSWERED, []], ids=["none found", "an empty report"])
def test_where_nobody_could_be_asked_the_audit_fails(tmp_path: Path, rows: list[dict[str, object]] | None) -> None:
    """pip-audit itself ends well there: "No known vulnerabilities found"."""
    code, said = judged(tmp_path, ["aiohttp", "attrs"], rows)

    assert (code, said) == (1, "audit: NOTHING WAS CHECKED, nobody could be asked about 2 packages from this machine\n")


def test_where_nobody_can_be_asked_it_goes_on_only_if_told_to_and_says_so(tmp_path: Path) -> None:
    code, said = judged(tmp_path, ["aiohttp", "attrs"], NOBODY_ANSWERED, "--if-reachable")

    assert (code, said) == (0, "audit: NOTHING WAS CHECKED, nobody could be asked about 2 packages from this machine\n")


REFUSED = "Traceback (most recent call last):\n  somewhere\nrequests.exceptions.ProxyError: Unable to connect to proxy\n"
TIMED_OUT = "ERROR:pip_audit._cli:Could not connect to the vulnerability feed\n"
OUR_OWN_FAULT = "Traceback (most recent call last):\n  somewhere\nKeyError: 'vulnerabilities'\n"


@pytest.mark.parametrize("complaint", [REFUSED, TIMED_OUT], ids=["refused", "timed out"])
def test_where_nobody_answers_at_all_there_is_no_report_and_it_is_the_same(tmp_path: Path, complaint: str) -> None:
    nothing = f"{complaint}audit: NOTHING WAS CHECKED, nobody could be asked about 1 packages from this machine\n"

    assert judged(tmp_path, ["attrs"], None, complaint=complaint) == (1, nothing)
    assert judged(tmp_path, ["attrs"], None, "--if-reachable", complaint=complaint) == (0, nothing)


@pytest.mark.parametrize("complaint", [OUR_OWN_FAULT, ""], ids=["an exception", "no word"])
@pytest.mark.parametrize("options", [(), ("--if-reachable",)])
def test_a_checker_that_broke_down_fails_whoever_could_be_asked(tmp_path: Path, complaint: str, options: tuple[str, ...]) -> None:
    """Whether anybody could have been asked, nobody knows: it did not come so far."""
    broken = f"{complaint}audit: FAILED, pip-audit broke down and wrote no report\n"

    assert judged(tmp_path, ["attrs"], None, *options, complaint=complaint) == (1, broken)


@pytest.mark.parametrize("options", [(), ("--if-reachable",)])
def test_one_package_that_was_left_out_fails(tmp_path: Path, options: tuple[str, ...]) -> None:
    code, said = judged(tmp_path, ["aiohttp", "attrs"], [SOUND, NOT_FOUND], *options)

    assert code == 1
    assert "not checked: aiohttp" in said


@pytest.mark.parametrize("options", [(), ("--if-reachable",)])
def test_no_package_at_all_fails(tmp_path: Path, options: tuple[str, ...]) -> None:
    assert judged(tmp_path, [], [], *options) == (1, "audit: FAILED, there was no package to ask about\n")
