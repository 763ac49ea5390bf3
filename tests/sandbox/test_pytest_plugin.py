"""The fixture of the wheel, in fresh processes of pytest that know nothing of this run."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

README = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
(LOST_ANSWER,) = [block for block in re.findall(r"^```python\n(.*?)^```", README, re.MULTILINE | re.DOTALL) if "def test_" in block]
NO_LOOP = """
import sys
from contextlib import suppress
from urllib.error import HTTPError
from urllib.request import urlopen

LOADED = {name for name in sys.modules if name.partition(".")[0] in {"aiohttp", "msgspec", "voicedrop_async"}}

def test_the_plugin_loads_nothing_until_it_is_used():
    assert LOADED == {"voicedrop_async", "voicedrop_async._lazily", "voicedrop_async._pytest_plugin"}

def test_without_a_loop(voicedrop_sandbox):
    with suppress(HTTPError):
        urlopen(voicedrop_sandbox.routee_url + "/voice/tracking/x")
    assert [(request.path, request.status) for request in voicedrop_sandbox.requests] == [("/voice/tracking/x", 401)]

def test_each_test_has_a_sandbox_of_its_own(voicedrop_sandbox):
    assert voicedrop_sandbox.requests == ()
"""
BACKEND = "\n@pytest.fixture\ndef anyio_backend(): return 'asyncio'\n"
ASYNCIO = ["-p", "asyncio", "-o", "asyncio_default_fixture_loop_scope=function", "-o"]


def marked(mark: str) -> str:
    return LOST_ANSWER.replace("async def", f"@pytest.mark.{mark}\nasync def")


MODES = {
    "no plugin for loops": ("", []),
    "asyncio, auto": (LOST_ANSWER, [*ASYNCIO, "asyncio_mode=auto"]),
    "asyncio, strict": (marked("asyncio"), [*ASYNCIO, "asyncio_mode=strict"]),
    "anyio": (marked("anyio") + BACKEND, ["-p", "anyio"]),
}


@pytest.mark.once
@pytest.mark.parametrize("mode", MODES)
def test_the_fixture_works_beside_every_plugin_for_loops(tmp_path, mode):
    """By the plugin's own name, as the wheel tells it; no other plugin is loaded. The test with a loop is the README's."""
    source, words = MODES[mode]
    (tmp_path / "test_some.py").write_text(NO_LOOP + source, encoding="utf-8")
    (tmp_path / "pytest.ini").write_text("[pytest]\nfilterwarnings = error\n", encoding="utf-8")
    clean = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    ended = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "voicedrop_sandbox", *words],
        cwd=tmp_path,
        env=clean | {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
    )
    assert (ended.returncode, ended.stderr) == (0, ""), ended.stdout
    assert re.search(rf"^{4 if source else 3} passed in", ended.stdout, re.MULTILINE), ended.stdout
