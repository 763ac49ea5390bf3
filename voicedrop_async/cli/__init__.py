"""The command line. Data goes to stdout, everything else to stderr; how it ended is told by the exit code."""

import sys
from typing import Final

from voicedrop_async.cli._process import give_up_stdout, has_somewhere_to_write, named, say
from voicedrop_async.errors import ConfigError, OutcomeUnknown, VoiceDropError

_EXTRA: Final = {"cyclopts", "rich"}
_OPTIONS: Final = {"start", "end", "page_size", "max_items", "prefetch", "rate", "max_in_flight", "slices", "team", "ref", "state"}
"""Of the same name as an argument of a session, or of the sandbox."""
_MISSING: Final = (
    'the command line needs its extra: python -m pip install "voicedrop-async[cli]", or in a checkout python -m pip install ".[cli]"'
)


def main() -> int:
    """Run the command that the arguments name, and return its exit code."""
    if not has_somewhere_to_write():
        return _told("standard output is closed: nothing was done, since its result could not be written", 2)
    try:
        return _run()
    except ModuleNotFoundError as missing:
        if (missing.name or "").partition(".")[0] not in _EXTRA:
            raise
        return _told(_MISSING, 2)
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        give_up_stdout()  # its reader has what it wanted
        return 0
    except ConfigError as error:
        return _told(_typed(str(error)), 2)
    except OutcomeUnknown as error:
        return _told(str(error), 3)
    except VoiceDropError as error:
        return _told(str(error), 1)
    except OSError as error:
        give_up_stdout()  # a full disk would speak up again
        return _told(f"{error.filename}: {error.strerror}" if error.filename else _typed(str(error)), 1)


def _run() -> int:
    from voicedrop_async.cli._app import run  # needs the extra

    code = run()
    with named("standard output"):
        sys.stdout.flush()  # while a reader that is gone can still be told from a bug
    return code


def _typed(sentence: str) -> str:
    """Name an option as it is typed, where a session names its argument."""
    argument, _, _ = sentence.partition(": ")
    return f"--{argument.replace('_', '-')}{sentence.removeprefix(argument)}" if argument in _OPTIONS else sentence


def _told(sentence: str, code: int) -> int:
    say(sentence)
    return code
