"""kill -9 at random moments of an export: whoever calls again goes on, and the file has each message once."""

import asyncio
import os
import signal
import sys
from pathlib import Path
from random import Random
from zlib import crc32

import pytest
from export.readers import READERS, ids

TESTS = Path(__file__).parents[1]
KILLS, PAGES = 6, 50

pytestmark = pytest.mark.once  # each test starts several processes


@pytest.fixture
async def exporter(sandbox):
    """Forks a process that exports the tracked messages of the sandbox for each path that it is told."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "export.exporter", sandbox.routee_url, sandbox.auth_url, *sandbox.credentials),
        env=os.environ | {"PYTHONPATH": os.pathsep.join((str(TESTS), *sys.path))},
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    yield process
    process.stdin.close()
    assert await process.wait() == 0


async def ended(exporter):
    """How its process ended."""
    async for line in exporter.stdout:
        if line.startswith(b"ended"):
            return int(line.split()[1])
    pytest.fail("the exporter is gone")


@pytest.mark.parametrize("format", READERS)
async def test_a_file_has_each_message_once_wherever_it_was_killed(sandbox, exporter, tmp_path, format):
    """The moments are random, from before the first page on; nothing is left beside the file."""
    path, dice = tmp_path / f"messages.{format}", Random(crc32(format.encode()))
    for _ in range(KILLS):
        exporter.stdin.write(f"{path}\n".encode())
        child = int(await exporter.stdout.readline())
        for _ in range(dice.randrange(8)):
            await exporter.stdout.readline()
        await asyncio.sleep(dice.random() * 0.01)  # the moment itself, not something to wait for
        os.kill(child, signal.SIGKILL)
        assert await ended(exporter) == -signal.SIGKILL
        assert not path.exists()
    exporter.stdin.write(f"{path}\n".encode())

    assert await ended(exporter) == 0
    assert ids(path, format) == [message["messageId"] for message in sandbox.messages]
    assert list(tmp_path.iterdir()) == [path]
    asked = [request for request in sandbox.requests if request.path == "/voice/tracking"]
    assert len(asked) <= PAGES + 4 * KILLS, "each went on, and none began anew"
