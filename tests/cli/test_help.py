"""Help is there at once, tells of every command, and a shell completes what it lists."""

import shutil
import subprocess
import sys
from importlib import import_module

import pytest

from voicedrop_async.cli._app import COMMANDS

from .processes import clean, run

LISTENS = """
import sys; sys.argv = ["voicedrop", *{words}]
from voicedrop_async.cli import main
main(); print(*sys.modules, file=sys.stderr)"""
"""A command in a process that says at its end what it has imported."""
ASKS = """
. "$0"; COMP_WORDS=(voicedrop "$@"); COMP_CWORD=$#
function=$(complete -p voicedrop); function=${function##*-F }; ${function%% *}
echo "${COMPREPLY[@]}"
"""
"""What bash does when somebody presses the tabulator behind the words."""


def imported_by(*words):
    told = subprocess.run([sys.executable, "-c", LISTENS.format(words=list(words))], env=clean(), capture_output=True, check=True)
    return set(told.stderr.decode().split())


def test_each_line_of_the_list_is_the_first_of_that_command_s_own_help():
    commands = {name: getattr(import_module(f"voicedrop_async.cli._commands.{name}"), name) for name in COMMANDS}
    assert {name: command.__doc__.strip().partition("\n\n")[0] for name, command in commands.items()} == COMMANDS
    listed = run("--help", env=clean(COLUMNS="200")).out
    assert all(f" {name} " in listed and line in listed for name, line in COMMANDS.items())


def test_a_list_of_commands_imports_none_of_them_nor_what_they_stand_on():
    modules = imported_by("--help")
    assert not modules & {"asyncio", "aiohttp", "cattrs", "voicedrop_async.sandbox", "voicedrop_async.cli._commands"}


@pytest.mark.parametrize("words", [("send", "--help"), ("--help", "send")])
def test_the_help_of_a_command_is_whole(words):
    ended = run(*words, env=clean(COLUMNS="200"))
    assert ended.code == 0
    assert "It is sent at most once" in ended.out
    assert "Do not ask." in ended.out


def test_the_help_of_a_command_tells_of_its_own_options_alone():
    assert "--resume" not in run("report", "--help", env=clean(COLUMNS="200")).out


@pytest.mark.parametrize("shell", ["bash", "fish", "zsh"])
def test_each_shell_takes_what_is_written_for_it(shell):
    written = run("completion", shell, env=clean())
    assert (written.code, written.err) == (0, "")
    assert all(name in written.out for name in [*COMMANDS, "--campaign", "--resume"])
    if shutil.which(shell) is None:
        pytest.skip(f"there is no {shell} here to read it")
    read = subprocess.run([shell, "-n"], input=written.out.encode(), capture_output=True, check=False)
    assert (read.returncode, read.stderr) == (0, b"")


def test_bash_completes_commands_and_their_options(tmp_path):
    if shutil.which("bash") is None:
        pytest.skip("there is no bash here")
    (tmp_path / "voicedrop").write_text(run("completion", "bash", env=clean()).out)

    def offered(*words):
        told = subprocess.run(["bash", "-c", ASKS, tmp_path / "voicedrop", *words], capture_output=True, check=True, env=clean())
        return told.stdout.decode().split()

    assert offered("tr") == ["track"]
    assert "--start" in offered("track", "--st")
    assert "--start" not in offered("send", "--")
