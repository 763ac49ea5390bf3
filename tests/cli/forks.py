"""Runs of the command line that begin at once: forked from a process that has imported what they import, and does nothing else.

Each is a process with streams, signals, environment and end of its own; only the half second of importing was spent before, for all
commands. A claim about that half second, about what Python reads when it starts (its own variables, the locale), or about streams that
are closed at the beginning needs ``processes.PROGRAM``; and each command is started by it once, so that what one forgets to import shows.
"""

import atexit
import contextlib
import functools
import gc
import json
import os
import runpy
import select
import signal
import socket
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module
from pathlib import Path

PATIENCE = 50
"""Seconds for a run to end."""


class Forked:
    """A run of the command line; as far as it goes, what ``subprocess.Popen`` is for another program."""

    def __init__(self, arguments, *, env, before="", bufsize=-1, **streams):
        self.returncode = None
        self.stdout, out = _end_of(streams["stdout"], 1, bufsize)
        self.stderr, err = _end_of(streams["stderr"], 2, bufsize)
        self._line, theirs = socket.socketpair()
        with Path(os.devnull).open("rb") as nothing, theirs:
            into = nothing.fileno() if streams["stdin"] == subprocess.DEVNULL else _number(streams["stdin"], 0)
            socket.send_fds(_forking(), [b"."], [into, out, err, theirs.fileno()])
        for ours, number in ((self.stdout, out), (self.stderr, err)):
            if ours is not None:
                os.close(number)
        self._line.settimeout(PATIENCE)
        self._told = self._line.makefile("rw")
        print(json.dumps([arguments, env, before, str(Path.cwd())]), file=self._told, flush=True)
        self.pid = int(self._told.readline())

    def send_signal(self, number):
        with contextlib.suppress(ProcessLookupError):  # it has ended
            os.kill(self.pid, number)

    def kill(self):
        self.send_signal(signal.SIGKILL)

    def wait(self):
        """Wait for its end; the code is negative if a signal was its end."""
        if self.returncode is None:
            try:
                status = int(self._told.readline())
            except TimeoutError:
                self.returncode = -signal.SIGKILL
                self.kill()
                raise
            self.returncode = os.waitstatus_to_exitcode(status)
            self._told.close()
            self._line.close()
        return self.returncode

    def communicate(self):
        """Read both streams to their ends."""
        with ThreadPoolExecutor(1) as beside:
            err = beside.submit(self.stderr.read) if self.stderr else None
            out = self.stdout.read() if self.stdout else None
        self.wait()
        return out, err and err.result()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for stream in (self.stdout, self.stderr):
            if stream is not None:
                stream.close()
        self.wait()


def _end_of(stream, usual, bufsize):
    """Our end of a stream, if it is a pipe, and the number of the run's."""
    if stream != subprocess.PIPE:
        return None, _number(stream, usual)
    ours, theirs = os.pipe()
    return os.fdopen(ours, "rb", bufsize), theirs


def _number(stream, usual):
    return usual if stream is None else stream if isinstance(stream, int) else stream.fileno()


@functools.cache
def _forking():
    """The line to the process that forks, which ends when the line does."""
    ours, theirs = socket.socketpair()
    with theirs:
        number = theirs.fileno()
        forking = subprocess.Popen([sys.executable, "-P", __file__, str(number)], pass_fds=[number], start_new_session=True)

    assert ours.recv(1), "it could not begin; stderr tells why"

    def end():
        ours.close()
        forking.wait()

    atexit.register(end)
    return ours


def _serve(line):
    """Fork for each that is asked for, and tell its number and its end; return the file numbers of a run, in its process."""
    begun = {}
    ends, ended = socket.socketpair()
    ended.setblocking(False)
    signal.set_wakeup_fd(ended.fileno())  # an end is something to read, and nothing is done within a signal
    signal.signal(signal.SIGCHLD, lambda *_: None)
    line.sendall(b".")
    while True:
        ready = select.select([line, ends], [], [])[0]
        if ends in ready:
            ends.recv(4096)
            _tell(begun)
        if line not in ready:
            continue
        asked, numbers, *_ = socket.recv_fds(line, 1, 4)
        if not asked:
            for pid in begun:
                os.kill(pid, signal.SIGKILL)
            sys.exit()
        pid = os.fork()
        if not pid:
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            for other in (ends, ended, *begun.values()):
                other.close()
            return numbers
        begun[pid] = socket.socket(fileno=numbers.pop())
        begun[pid].sendall(f"{pid}\n".encode())
        for number in numbers:
            os.close(number)


def _tell(begun):
    """Tell of each run that has ended how it did."""
    for pid in list(begun):
        ended, status = os.waitpid(pid, os.WNOHANG)
        if ended:
            with begun.pop(pid) as told, contextlib.suppress(OSError):  # whoever began it may be gone
                told.sendall(f"{status}\n".encode())


def _become(numbers):
    """Make of this process one that was started with the arguments, the environment and the streams of the run."""
    with socket.socket(fileno=numbers[3]) as told, told.makefile() as orders:
        arguments, environment, before, folder = json.loads(orders.readline())
    for number, usual in zip(numbers[:3], range(3), strict=True):
        os.dup2(number, usual)
        os.close(number)
    os.environ.clear()
    os.environ.update(environment)
    time.tzset()
    os.chdir(folder)
    sys.argv = ["voicedrop", *arguments]
    encoding, _, errors = os.environ.get("PYTHONIOENCODING", "").partition(":")
    how = {"encoding": encoding or None, "errors": errors or None}
    sys.stdin = os.fdopen(0, **how)
    sys.stdout = os.fdopen(1, "w", **how)
    sys.stderr = os.fdopen(2, "w", encoding=encoding or None, errors="backslashreplace", buffering=1)
    exec(before, {})


if __name__ == "__main__":
    from voicedrop_async.cli._app import COMMANDS

    for seldom in ("cyclopts.help", "rich.progress", "voicedrop_async.sandbox", "voicedrop_async.cli._screen"):
        import_module(seldom)
    for command in COMMANDS:
        import_module(f"voicedrop_async.cli._commands.{command}")
    gc.freeze()
    with socket.socket(fileno=int(sys.argv[1])) as line:
        streams = _serve(line)
    _become(streams)
    runpy.run_module("voicedrop_async", run_name="__main__", alter_sys=True)
