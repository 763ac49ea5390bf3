"""What the tests of the command line can ask for beyond what every test can."""

import signal
from contextlib import contextmanager
from pathlib import Path

import pytest

from .processes import CAMPAIGN, NAMES, Terminal, clean, start, stop

HERE = Path(__file__).parent


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    """Let one Python run what starts a process for each claim; on the others, one file tells whether commands work at all."""
    for item in items:
        if item.path.parent == HERE and item.path.name != "test_commands.py":
            item.add_marker(pytest.mark.once)


@pytest.fixture
def terminal():
    made = Terminal()
    yield made
    made.close()


@contextmanager
def served():
    """Let ``voicedrop sandbox`` serve in a process of its own; the environment as it prints it."""
    child = start("sandbox", "--port", "0", "--messages", "300", "--seed", "7", env=clean())
    printed = [child.stdout.readline().decode().rstrip("\n") for _ in NAMES]
    yield clean(**dict(line.split("=", 1) for line in printed))
    assert stop(child, signal.SIGTERM).code == 0


@pytest.fixture(scope="session")
def environment():
    """The environment of a sandbox that tests read from, and send nothing to."""
    with served() as printed:
        yield printed


@pytest.fixture
def own_environment():
    """The environment of a sandbox for one test alone."""
    with served() as printed:
        yield printed


@pytest.fixture
def campaign_file(tmp_path):
    """A file with a campaign to three numbers."""
    file = tmp_path / "spring.toml"
    file.write_text(CAMPAIGN, encoding="utf-8")
    return file


@pytest.fixture
def full_disk():
    """A file that takes nothing more."""
    if not Path("/dev/full").exists():
        pytest.skip("this system has no /dev/full")
    with Path("/dev/full").open("wb") as file:
        yield file
