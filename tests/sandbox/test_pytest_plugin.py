"""The fixture of the wheel, in fresh processes of pytest that know nothing of this run; and the sandbox in a thread, in this one."""

import os
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from aiohttp import ClientSession

from voicedrop_async import ClientCredentials, OutcomeUnknown, RouteeSession, SpokenMessage, VoiceCampaign
from voicedrop_async.sandbox import Sandbox, in_thread

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


async def test_in_a_thread_it_is_the_same_sandbox(voicedrop_sandbox):
    """Its methods and properties are those of ``Sandbox``, but for those that start and end it."""
    here = voicedrop_sandbox
    assert {*dir(here)} == {name for name in dir(Sandbox) if not name.startswith("_")} - {"start", "aclose"}
    assert (len(here.messages), len(here.grow(3)), len(here.shrink(1)), len(here.messages)) == (1000, 3, 1, 1002)
    with pytest.raises(AttributeError, match="the block"):
        await here.aclose()
    with pytest.raises(ValueError, match="one way"):
        here.fail_next()
    assert here.credentials[1] not in repr(here)


async def test_what_was_received_can_be_read_when_it_has_ended():
    with in_thread(Sandbox(messages=0, drops=0)) as sandbox:
        sandbox.fail_next(status=500)
    assert sandbox.requests == ()


async def test_what_cannot_be_served_is_told(voicedrop_sandbox, sandbox):
    """A taken port; and a sandbox that runs already, and goes on."""
    port = int(voicedrop_sandbox.routee_url.rpartition(":")[2])
    with pytest.raises(OSError, match="in use"), in_thread(Sandbox(port=port)):
        pytest.fail("it cannot be served")
    with pytest.raises(RuntimeError, match="once"), in_thread(sandbox):
        pytest.fail("it is served elsewhere")
    async with ClientSession() as http, http.get(sandbox.page_url) as response:
        assert response.status == 200


def test_many_threads_can_use_it_at_once(voicedrop_sandbox):
    with ThreadPoolExecutor(8) as threads:
        grown = list(threads.map(lambda _: voicedrop_sandbox.grow(1)[0], range(200)))
    assert len({*grown}) == 200
    assert {*grown} == {message["messageId"] for message in voicedrop_sandbox.messages[:200]}


async def test_a_claim_that_does_not_hold_says_why(voicedrop_sandbox):
    """And shows no number whole."""
    here = voicedrop_sandbox
    campaign = VoiceCampaign("306900000000", to=["+306912345678"], name="Spring sale", message=SpokenMessage("Hello"))
    auth = ClientCredentials(*here.credentials)
    async with RouteeSession(auth, base_url=here.routee_url, auth_url=here.auth_url) as routee:
        here.assert_nothing_sent()
        with pytest.raises(AssertionError, match=r"^0 sends of 'Autumn', expected 1; accepted: none; POST /voice/campaign: no request$"):
            here.assert_sent_once("Autumn")
        await routee.send_campaign(campaign)
        assert here.assert_sent_once("Spring sale") is here.campaigns[0]
        here.assert_nobody_called_twice()
        here.fail_next(drop="after_acting", path="/voice/campaign")
        with pytest.raises(OutcomeUnknown):
            await routee.send_campaign(campaign)
    told = r"accepted: 'Spring sale' \(2\); POST /voice/campaign: 200, not answered$"
    with pytest.raises(AssertionError, match=rf"^2 sends of a campaign, expected 1; {told}"):
        here.assert_sent_once()
    with pytest.raises(AssertionError, match=rf"^2 sends, expected none; {told}"):
        here.assert_nothing_sent()
    with pytest.raises(AssertionError, match=r"^called more than once: \+3069\*\*\*78 2 times; accepted: 'Spring sale' \(2\)$"):
        here.assert_nobody_called_twice()
