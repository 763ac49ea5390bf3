"""``voicedrop demo``: plain lines in a pipe, moving bars on a terminal."""

import re

from voicedrop_async.cli._commands.demo.findings import Findings

from .processes import clean, run, start

NUMBER = re.compile(r"\+\d{7,}")
FASTER = "from voicedrop_async.cli._commands import demo; demo._SPEED = 40"
"""Put before a run, whose calls last six seconds otherwise."""


def test_in_a_pipe_the_demo_is_a_few_plain_lines():
    ended = run("demo", env=clean(PYTHONIOENCODING="ascii"), before=FASTER)

    assert (ended.code, ended.err) == (0, "")
    lines = ended.out.splitlines()
    assert len(lines) < 30
    assert max(map(len, lines)) <= 80
    assert "\x1b" not in ended.out
    assert "1,000 of 1,000 calls over" in ended.out
    for title in ("Messages: ", "Answered by: ", "Voicemail drops: ", "Cost: ", "Durations: "):
        assert any(line.startswith(title) for line in lines)
    assert "*****" in ended.out
    assert not NUMBER.search(ended.out)


def test_on_a_terminal_the_demo_moves_and_stays_within_80_columns(terminal):
    child = start("demo", env=clean(), before=FASTER, stdin=terminal.side, stdout=terminal.side, stderr=terminal.side)
    terminal.hand_over()
    terminal.read_until()

    assert child.wait() == 0
    shown = {int(done.replace(",", "")) for done in re.findall(r"([\d,]+) of 1,000 calls over", terminal.seen)}
    assert len(shown) > 5
    assert 1000 in shown
    assert max(map(len, terminal.rows)) <= 80
    assert not NUMBER.search(terminal.seen)
    assert terminal.seen.count("\x1b[?25l") == terminal.seen.count("\x1b[?25h") == 1, "the cursor is back"


def test_calls_that_nobody_answered_have_no_durations():
    assert dict(Findings((), ()).sentences()) == {"Cost": "0.0000 in all, 0.0000 a message"}
