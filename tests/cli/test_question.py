"""``send`` asks before it spends money: on a terminal, or not at all."""

import asyncio
import json
import subprocess

import pytest

from .processes import NUMBERS, environment_of, run, start


def test_without_a_terminal_and_without_yes_nothing_is_sent(environment, campaign_file):
    ended = run("send", str(campaign_file), env=environment)
    assert (ended.code, ended.out) == (2, "")
    assert "--yes" in ended.err


def asked(terminal, environment, campaign_file, answer):
    """Run ``send`` with its question on a terminal, and stdout apart; answer it."""
    child = start("send", str(campaign_file), env=environment, stdin=terminal.side, stdout=subprocess.PIPE, stderr=terminal.side)
    terminal.hand_over()
    terminal.read_until("[y/N] ")
    terminal.type(answer)
    with child:
        out = child.stdout.read().decode()
        terminal.read_until()
    return child.returncode, out


def test_yes_sends_and_only_the_receipt_is_on_stdout(terminal, own_environment, campaign_file):
    code, out = asked(terminal, own_environment, campaign_file, "y\n")

    assert code == 0
    assert json.loads(out)["campaign_name"] == "Spring sale"
    assert "'Spring sale' to 3 numbers now? It costs money" in terminal.seen
    assert not any(number in terminal.seen for number in NUMBERS)


@pytest.mark.parametrize("answer", ["\n", "n\n", "perhaps\n", "\x04"])
async def test_anything_else_sends_nothing_and_ends_with_1(terminal, sandbox, campaign_file, answer):
    """Also Ctrl-D, the end of the input."""
    code, out = await asyncio.to_thread(asked, terminal, environment_of(sandbox), campaign_file, answer)

    assert (code, out) == (1, "")
    assert "nothing was sent" in terminal.seen
    assert not sandbox.requests
