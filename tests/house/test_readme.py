"""Every Python block of the README is a program, and runs as it stands there; its tables and commands are those that there are."""

import ast
import asyncio
import os
import re
import sys
import tomllib
from pathlib import Path

import pytest
from recipes import AIOHTTP, CALLBACKS, FASTAPI, README, WORKER, environment_of

import voicedrop_async
from voicedrop_async import RequestError, VoiceDropError, WalkError
from voicedrop_async.calls import TRANSIENT
from voicedrop_async.cli._app import APP
from voicedrop_async.cli._settings import Settings
from voicedrop_async.sandbox import Sandbox

HOUSE = Path(__file__).parents[2]
PYTHON = re.findall(r"^```python\n(.*?)^```", README, re.MULTILINE | re.DOTALL)
TESTS = [block for block in PYTHON if "def test_" in block]  # run by tests/sandbox/test_pytest_plugin.py
ENGINES = [block for block in PYTHON if "from dask" in block or "worker_broker" in block]
BLOCKS = [block for block in PYTHON if block not in {AIOHTTP, CALLBACKS, FASTAPI, WORKER, *TESTS, *ENGINES}]
"""Those are run by test_recipes, and one each by nox -s dask and nox -s services."""
CELL = "import ast, asyncio, sys; asyncio.run(eval(compile(sys.argv[1], 'cell', 'exec', ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)))"
"""Runs what a notebook would run: ``await`` stands outside of functions."""
PACKAGE = Path(voicedrop_async.__file__).parent
NEVER_RAISED = {VoiceDropError, RequestError, WalkError}
"""What stands above others in the tree, to be caught: the text in front of the table tells of them."""


def test_the_readme_has_programs() -> None:
    assert len(BLOCKS) >= 5
    assert len(TESTS) == 1


@pytest.mark.once
@pytest.mark.parametrize("block", BLOCKS, ids=range(len(BLOCKS)))
async def test_a_program_of_the_readme_runs(sandbox: Sandbox, tmp_path: Path, block: str) -> None:
    """The environment points to a sandbox, where a user's points to the real services; files go to a folder that is thrown away."""
    program = await asyncio.create_subprocess_exec(
        *(sys.executable, "-W", "error", "-c", *([CELL, block] if re.search(r"^\w.*\bawait ", block, re.MULTILINE) else [block])),
        env=os.environ | environment_of(sandbox),
        cwd=tmp_path,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    printed, complaints = await program.communicate()

    assert complaints.decode() == ""
    assert program.returncode == 0
    assert printed.strip()


SETTINGS = README.split("\n## Settings and doctor\n")[1].split("\n## ")[0]
SHELL = "\n".join(re.findall(r"^```console\n(.*?)^```", SETTINGS, re.MULTILINE | re.DOTALL))


async def test_the_doctor_can_be_tried_as_the_readme_says(sandbox: Sandbox, tmp_path: Path) -> None:
    """By somebody who has just installed it: a home without settings, and the file that the sandbox has written."""
    (tmp_path / "sandbox.env").write_text("".join(f"{name}={value}\n" for name, value in environment_of(sandbox).items()))
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    shell = await asyncio.create_subprocess_exec(
        *("sh", "-e", "-c", SHELL),
        env={"HOME": str(tmp_path), "PATH": path},
        cwd=tmp_path,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    printed, complaints = await shell.communicate()

    assert (shell.returncode, complaints.decode()) == (0, "")
    assert {line.split()[0] for line in printed.decode().splitlines()} == {"ok"}
    assert len(printed.splitlines()) >= 10


DESK = README.split("\n## From the command line\n")[1].split("\n## ")[0]


@pytest.mark.once
async def test_a_file_is_read_and_a_report_opened_as_the_readme_says(sandbox: Sandbox, tmp_path: Path) -> None:
    """The browser is one that says what it was to open."""
    (block,) = (block for block in re.findall(r"^```console\n(.*?)^```", DESK, re.MULTILINE | re.DOTALL) if "duckdb" in block)
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    shell = await asyncio.create_subprocess_exec(
        *("sh", "-e", "-c", block),
        env=environment_of(sandbox) | {"HOME": str(tmp_path), "PATH": path, "BROWSER": "echo %s", "PYTHONIOENCODING": "utf-8"},
        cwd=tmp_path,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    printed, complaints = await shell.communicate()

    assert (shell.returncode, complaints.decode()) == (0, "")
    assert {str(message["status"]["status"]) for message in sandbox.messages} <= set(re.findall(r"\w+", printed.decode()))
    assert f"file://{tmp_path}/week.html" in printed.decode().splitlines()
    assert (tmp_path / "week.html").is_file()


def test_the_exit_codes_are_those_of_the_help() -> None:
    told = re.findall(r"^\| (\d+) \| (.*) \|$", DESK, re.MULTILINE)
    listed = APP.help_epilogue.partition("Exit codes:\n")[2] if APP.help_epilogue else ""

    assert " ".join(f"{code} {words}" for code, words in told) == " ".join(listed.split())


@pytest.mark.parametrize("profile", ["default", "north"])
def test_the_profiles_of_the_readme_are_profiles(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, profile: str) -> None:
    file = tmp_path / "config.toml"
    file.touch(mode=0o600)
    file.write_text("".join(re.findall(r"^```toml\n(.*?)^```", SETTINGS, re.MULTILINE | re.DOTALL)))
    monkeypatch.setenv("VOICEDROP_CONFIG", str(file))

    assert [Settings.load(profile).lacking(service) for service in ("routee", "spacivox")].count([]) == 1


def test_the_table_of_errors_is_the_list_of_errors() -> None:
    """One row for each that can be raised: what happened, what may have happened, what to do."""
    section = README.split("\n## When things go wrong\n")[1].split("\n## ")[0]
    text, _, table = section.partition("| error | what happened | what may have happened | what to do |\n|---|---|---|---|\n")
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines() if line.startswith("|")]
    public = [getattr(voicedrop_async, name) for name in voicedrop_async.__all__]
    errors = {thing for thing in public if isinstance(thing, type) and issubclass(thing, VoiceDropError)}

    assert sorted(name for name, *_ in rows) == sorted(f"`{error.__name__}`" for error in errors - NEVER_RAISED)
    assert [row for row in rows if len(row) != 4 or not all(row)] == []
    assert [error for error in NEVER_RAISED if f"`{error.__name__}`" not in text] == []


def sessions() -> dict[str, ast.FunctionDef]:
    """The sessions of the noxfile. It is read and not run: nox is not among what the tests install."""
    functions = [node for node in ast.parse((HOUSE / "noxfile.py").read_text("utf-8")).body if isinstance(node, ast.FunctionDef)]
    return {
        function.name: function for function in functions if any("nox.session" in ast.unparse(mark) for mark in function.decorator_list)
    }


def commands(text: str) -> set[str]:
    """The sessions that a text calls by ``nox -s``, one or several at a time."""
    return {name for names in re.findall(r"nox -s ((?:\w+ ?)+)", text) for name in names.split()}


def left_out() -> set[str]:
    """The sessions of which the README says that ``.ci/run`` leaves them out; not what brackets say of them."""
    section = re.sub(r"\([^)]*\)", "", README.split("\n## For those who work on it\n")[1])
    text = re.search(r"`\.ci/run` runs them (.*?)\.\s", section, re.DOTALL)
    assert text is not None
    return set(re.findall(r"`(\w+)`", text[1]))


def test_every_command_of_the_readme_is_a_session() -> None:
    assert {"tests", "soak"} <= commands(README) <= sessions().keys()


WHEN = re.compile(
    r"(Every day|Before a (merge|release)|When [\w, ]+), (seconds|a minute|minutes|half an hour|an hour)(; needs [\w, ]+)?: .+\."
)


@pytest.mark.parametrize("session", sessions().values(), ids=sessions())
def test_a_session_says_when_how_long_and_what_it_needs(session: ast.FunctionDef) -> None:
    """In the line that ``nox -l`` shows of it."""
    assert WHEN.fullmatch((ast.get_docstring(session) or "").partition("\n")[0])


def test_before_a_merge_is_run_what_says_so() -> None:
    """And what is for every day."""
    habits = README.split("\n### Every day\n")[1].split("\n### ")[0]
    due = {name for name, session in sessions().items() if (ast.get_docstring(session) or "").startswith(("Every day", "Before a merge"))}

    assert commands(habits) == due


def test_each_folder_of_tests_is_named_like_a_room_or_said() -> None:
    habits = README.split("\n### Every day\n")[1].split("\n### ")[0]
    rooms = {path.relative_to(PACKAGE).parts[0].removesuffix(".py").strip("_") for path in PACKAGE.rglob("*.py")}
    folders = {path.parent.name for path in (HOUSE / "tests").glob("*/test_*.py")} | {"fuzz"}

    assert {"network", "streams"} <= folders
    assert sorted(folders - rooms - set(re.findall(r"`(\w+)`", habits))) == []


def test_what_is_asked_again_is_said() -> None:
    text = re.search(r"What is answered ([\d, or]+) is asked again", README)

    assert text is not None
    assert set(map(int, re.findall(r"\d+", text[1]))) == TRANSIENT


def test_what_is_left_out_on_a_clean_checkout_is_said() -> None:
    script = (HOUSE / ".ci" / "run").read_text(encoding="utf-8")
    run = commands("\n".join(line for line in script.splitlines() if not line.lstrip().startswith("#")))

    assert {"tests", "package"} <= run
    assert left_out() == sessions().keys() - run


def test_the_table_of_rooms_is_the_package() -> None:
    """But for what every package has: its door, and what ``python -m`` runs."""
    table = README.split("| room | its one job |\n|---|---|\n")[1]
    named = [room for line in table.splitlines() if line.startswith("|") for room in re.findall(r"`(\w+)`", line.split("|")[1])]
    rooms = {path.relative_to(PACKAGE).parts[0].removesuffix(".py") for path in PACKAGE.rglob("*.py")}

    assert sorted(named) == sorted(rooms - {"__init__", "__main__"})


def test_the_places_that_it_names_are_there() -> None:
    """In the table of where things go: files and folders of the checkout, and of the package."""
    table = README.split("\n### Where things go\n")[1].split("\n\nAn example")[0]
    named = set(re.findall(r"`([\w./]+\.(?:py|toml)|(?:tests|benchmarks)/[\w/]+)`", table))

    assert len(named) > 30
    assert [name for name in sorted(named) if not (HOUSE / name).exists() and not (PACKAGE / name).exists()] == []


def test_the_newest_changes_are_those_of_this_version() -> None:
    """Only they may wait for their release."""
    project = tomllib.loads((HOUSE / "pyproject.toml").read_text("utf-8"))["project"]
    headings = re.findall(r"^### (.*)$", README.split("\n## Changes\n")[1].split("\n## ")[0], re.MULTILINE)
    versions = [tuple(map(int, heading.partition(",")[0].split("."))) for heading in headings]

    assert headings[0].partition(",")[0] == project["version"]
    assert versions == sorted(versions, reverse=True)
    assert re.fullmatch(r"[\d.]+, (not released yet|\d{4}-\d\d-\d\d)", headings[0])
    assert [heading for heading in headings[1:] if not re.fullmatch(r"[\d.]+, \d{4}-\d\d-\d\d", heading)] == []
