"""kill -9 at random moments of an export: whoever calls again goes on, and the file has each message once."""

import asyncio
import os
import sys
from functools import partial
from pathlib import Path
from random import Random
from zlib import crc32

import polars as pl
import pytest

TESTS = Path(__file__).parents[1]
KILLS, PAGES = 6, 100
READERS = {"jsonl": partial(pl.read_ndjson, infer_schema_length=None), "csv": pl.read_csv, "parquet": pl.read_parquet}

pytestmark = pytest.mark.once  # each test starts several processes


async def exporting(sandbox, path):
    """A process that exports the tracked messages of a sandbox."""
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "export.exporter", str(path), sandbox.routee_url, sandbox.auth_url, *sandbox.credentials),
        env=os.environ | {"PYTHONPATH": str(TESTS)},
        stdout=asyncio.subprocess.PIPE,
    )


@pytest.mark.parametrize("format", READERS)
async def test_a_file_has_each_message_once_wherever_it_was_killed(sandbox, tmp_path, format):
    """The moments are random, from before the first page on; nothing is left beside the file."""
    path, dice = tmp_path / f"messages.{format}", Random(crc32(format.encode()))
    for _ in range(KILLS):
        child = await exporting(sandbox, path)
        for _ in range(dice.randrange(14)):
            await child.stdout.readline()
        await asyncio.sleep(dice.random() * 0.01)  # the moment itself, not something to wait for
        child.kill()
        await child.communicate()
        assert not path.exists()
    child = await exporting(sandbox, path)
    await child.communicate()

    assert child.returncode == 0
    assert READERS[format](path)["message_id"].to_list() == [message["messageId"] for message in sandbox.messages]
    assert list(tmp_path.iterdir()) == [path]
    asked = [request for request in sandbox.requests if request.path == "/voice/tracking"]
    assert len(asked) <= PAGES + 4 * KILLS, "each went on, and none began anew"
