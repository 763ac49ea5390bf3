"""The command line as people run it: a process of its own, a sandbox in another one, and now and then a terminal."""

import codecs
import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import sys
import termios
from typing import NamedTuple

from .forks import Forked

PROGRAM = (sys.executable, "-m", "voicedrop_async")
AT_A_TERMINAL = "import fcntl, os, termios; os.setsid(); fcntl.ioctl(2, termios.TIOCSCTTY, 0)"
"""Put before a run: the terminal that is its stderr is in charge of it, and there Ctrl-C is a key."""
LITTLE_ROOM = """
import atexit, resource
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, resource.RLIM_INFINITY))
atexit.register(resource.setrlimit, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY,) * 2)  # for whoever measures it
"""
"""Put before a run: no file that it writes may grow further, as on a full disk."""
NUMBERS = ("+306912345678", "+306912345679", "+306912345670")
CAMPAIGN = f"""
sender = "302101234567"
to = {list(NUMBERS)}
name = "Spring sale"

[message]
text = "Hello"
language = "en-GB"
gender = "female"
"""
NAMES = (
    "ROUTEE_BASE_URL",
    "ROUTEE_AUTH_URL",
    "ROUTEE_APPLICATION_ID",
    "ROUTEE_APPLICATION_SECRET",
    "SPACIVOX_BASE_URL",
    "SPACIVOX_ACCESS_TOKEN",
)


class Ended(NamedTuple):
    """How a run ended."""

    code: int
    out: str
    err: str


def clean(**more):
    """The environment of this process, without anything about the services or the terminal, and with ``more``."""
    others = {*NAMES, "VOICEDROP_CONFIG", "VOICEDROP_PROFILE", "COLUMNS", "LINES", "FORCE_COLOR", "NO_COLOR", "PYTHONUNBUFFERED"}
    ours = {name: value for name, value in os.environ.items() if name not in others}
    return ours | {"TERM": "xterm-256color", "PYTHONIOENCODING": "utf-8", "XDG_CONFIG_HOME": "/nowhere"} | more


def start(*arguments, env, program=None, before="", **streams):
    """A run that is under way, with nobody at its keyboard: at once, or from the beginning if a ``program`` is named.

    ``before`` is what its process does first, in Python.
    """
    streams = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE} | streams
    if program is None:
        return Forked(arguments, env=env, before=before, **streams)
    return subprocess.Popen([*program, *arguments], env=env, **streams)


def finish(child):
    """Wait for a run to end by itself."""
    with child:
        out, err = child.communicate()
    return Ended(child.returncode, (out or b"").decode(), (err or b"").decode())


def run(*arguments, env, **options):
    """Run a command to its end."""
    return finish(start(*arguments, env=env, **options))


def stop(child, number):
    """Send a run a signal, and wait for its end."""
    child.send_signal(number)
    return finish(child)


class Terminal:
    """A pseudo-terminal of 80 columns and 30 rows: ``side`` is the one that a program sees."""

    def __init__(self):
        self._ours, self.side = pty.openpty()
        fcntl.ioctl(self.side, termios.TIOCSWINSZ, struct.pack("HHHH", 30, 80, 0, 0))
        self.seen = ""
        self._decoder = codecs.getincrementaldecoder("utf-8")()  # what is read may end within a letter

    def read_until(self, text=None):
        """Read until ``text`` is on the screen, or to the end."""
        while text is None or text not in self.seen:
            assert select.select([self._ours], [], [], 50)[0], f"nothing more after {self.seen!r}"
            try:
                self.seen += self._decoder.decode(os.read(self._ours, 65536))
            except OSError:  # so Linux says that the other side is closed
                return self.seen
        return self.seen

    def type(self, text):
        os.write(self._ours, text.encode())

    def hand_over(self):
        """Leave the program's side to the program alone."""
        os.close(self.side)
        self.side = -1

    def close(self):
        for side in {self._ours, self.side} - {-1}:
            os.close(side)

    @property
    def rows(self):
        """What was written, line by line as a screen of any width would hold it: without colours and movements."""
        return [row for line in re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", self.seen).split("\n") for row in line.split("\r")]

    @property
    def left(self):
        """What stands there at the end, line by line: of the movements, those that a bar makes; without colours."""
        lines, row, column = [""], 0, 0
        for moved, letter in re.findall(r"\x1b\[\??[0-9;]*([A-Za-z])|(.)", self.seen, re.DOTALL):
            if letter == "\n":
                row += 1
                lines += [""] * (row == len(lines))
            elif letter == "\r":
                column = 0
            elif moved == "A":
                row -= 1
            elif moved == "K":
                lines[row] = ""
            elif letter:
                lines[row] = f"{lines[row][:column]:{column}}{letter}{lines[row][column + 1 :]}"
                column += 1
        return [line for line in lines if line]


def environment_of(sandbox):
    """What a command needs to speak to a sandbox of this process."""
    values = (sandbox.routee_url, sandbox.auth_url, *sandbox.credentials, sandbox.spacivox_url, sandbox.spacivox_token)
    return clean(**dict(zip(NAMES, values, strict=True)))


def asked(terminal, environment, answer, *sending):
    """Run ``send`` with its question on a terminal, and stdout apart; answer it."""
    child = start("send", *map(str, sending), env=environment, stdin=terminal.side, stdout=subprocess.PIPE, stderr=terminal.side)
    terminal.hand_over()
    terminal.read_until("[y/N] ")
    if isinstance(answer, str):
        terminal.type(answer)
    else:
        child.send_signal(answer)
    with child:
        out = child.stdout.read().decode()
        terminal.read_until()
    return child.returncode, out
