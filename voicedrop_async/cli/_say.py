"""What is told to the person at the keyboard: on stderr, in one line, and nobody's number with it."""

import io
import os
import re
import sys
from collections.abc import Generator
from contextlib import contextmanager
from typing import Final

_NUMBER: Final = re.compile(r"\+?\d(?:[ ().\-/]?\d){6,}")


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


def masked(text: str) -> str:
    """Return a text with the middle of every phone number in it hidden, as in ``+3069*****78``."""
    return _NUMBER.sub(_hidden, text)


def _hidden(found: re.Match[str]) -> str:
    number = found[0]
    return f"{number[:5] if len(number) > 10 else ''}*****{number[-2:]}"
