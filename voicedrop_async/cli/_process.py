"""This process, as whoever started it sees it: data on stdout, one line at a time on stderr, and Ctrl-C."""

import io
import os
import signal
import stat
import sys
from collections.abc import Generator
from contextlib import contextmanager


def has_somewhere_to_write() -> bool:
    """Whether standard output is open; a standard error that is closed becomes one that nobody reads."""
    streams: list[object] = [sys.stdout, sys.stderr]  # Python sets those to None that were closed when it began
    if streams[1] is None:
        sys.stderr = io.StringIO()
    return streams[0] is not None


def say(sentence: str) -> None:
    """Tell it on stderr, in one line."""
    sys.stderr.write(f"voicedrop: {' '.join(sentence.split())}\n")
    sys.stderr.flush()


@contextmanager
def named(what: str) -> Generator[None]:
    """Let an error of the disk tell what could not be written: it does not know itself if a file was open already."""
    try:
        yield
    except OSError as error:
        raise OSError(error.errno, error.strerror, what) from None


def give_up_stdout() -> None:
    """Let what cannot be written vanish: Python tries once more at its end, and would complain."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def put(data: bytes) -> None:
    """Write a page to stdout. In a file, half of one is taken back: the other half would be written behind half a line."""
    out = sys.stdout.buffer
    before = os.fstat(out.fileno())
    with named("standard output"):
        try:
            out.write(data)
            out.flush()
        except OSError:
            if stat.S_ISREG(before.st_mode):
                os.ftruncate(out.fileno(), before.st_size)
            raise


def too_late() -> None:
    """Let Ctrl-C come too late from here on: the work is done, and an exit code of 130 would have it done again."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


async def done() -> None:
    """Likewise, on a loop; what was pressed before still ends the command, here at the latest."""
    from asyncio import sleep  # whoever lists the commands needs no loop

    too_late()
    await sleep(0)
