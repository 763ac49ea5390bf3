"""``voicedrop sandbox``: what it prints, and how it ends."""

import signal
import socket

from .processes import NAMES, clean, run, start, stop


def served(*arguments):
    """A sandbox under way, and its first lines."""
    child = start("sandbox", *arguments, env=clean())
    return child, [child.stdout.readline().decode() for _ in NAMES]


def test_stdout_is_ready_for_export_and_stderr_tells_of_the_page():
    """Nothing but NAME=value lines on stdout, so that ``voicedrop sandbox > sandbox.env`` makes a file to source."""
    child, lines = served("--messages", "3", "--seed", "5")
    ended = stop(child, signal.SIGTERM)

    assert [line.partition("=")[0] for line in lines] == list(NAMES)
    assert all(line.partition("=")[2].strip() for line in lines)
    assert ended.out == ""
    assert ended.code == 0
    assert ended.err.endswith(f" {lines[0].partition('=')[2].strip()}/\n")  # alone at the end: it is copied from there


def test_a_state_that_cannot_be_kept_is_told_by_its_option(tmp_path):
    ended = run("sandbox", "--state", str(tmp_path / "no" / "state"), env=clean())

    assert (ended.code, ended.err) == (1, f"voicedrop: --state: {tmp_path}/no/state: No such file or directory\n")


def test_ctrl_c_ends_it_with_130():
    child, _ = served()
    assert stop(child, signal.SIGINT).code == 130


def test_a_port_that_is_taken_ends_with_1_and_without_a_traceback():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        ended = run("sandbox", "--port", str(min(taken.getsockname()[1], 65533)), env=clean())

    assert ended.code == 1
    assert ended.err.count("\n") == 1
