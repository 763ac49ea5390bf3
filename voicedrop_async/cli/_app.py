"""The commands, and what the words after ``voicedrop`` mean."""

import sys
from typing import Final

from cyclopts import App, CycloptsError, Parameter

from voicedrop_async._masking import masked
from voicedrop_async.cli._process import say

_HELP: Final = """\
Send voice-messaging campaigns and read their results: Routee voice, and
voicemail drops of Spacivox. To look around without an account: voicedrop demo."""
_AFTER: Final = """\
Credentials come from the environment, never from arguments:
  ROUTEE_APPLICATION_ID, ROUTEE_APPLICATION_SECRET, SPACIVOX_ACCESS_TOKEN,
  SPACIVOX_BASE_URL, and to go elsewhere ROUTEE_BASE_URL and ROUTEE_AUTH_URL
What is not set there comes from ~/.config/voicedrop/config.toml, or the file
that VOICEDROP_CONFIG names: from its table [default], or the one that
--profile or VOICEDROP_PROFILE names. Its keys are the same words in small
letters. voicedrop doctor looks whether all is well.

Exit codes:
  0    done; also when the reader of the output wanted no more of it
  1    failed, as the last line says, or you did not want to send
  2    wrong usage or configuration; nothing was sent
  3    a paid send may have happened, or has, and its receipt is lost:
       look before you send again
  4    the list came to its end, but is not complete
  130  interrupted with Ctrl-C; a send that was under way may have happened
       all the same: the last line says so"""

COMMANDS: Final = {
    "completion": "Write what completes commands and options in your shell.",
    "demo": "Show the library at work against a sandbox on this machine.",
    "doctor": "Look at what the other commands need, and say what to mend.",
    "journal": "Show the paid sends of a journal whose outcome nobody knows; settle one.",
    "records": "Show voicemail drop records, or write them into a file.",
    "report": "Draw what became of messages: a page, a picture, or both.",
    "sandbox": "Serve both services on this machine, for trying things out. No telephone rings.",
    "send": "Send the campaign of a file: this costs money and rings telephones.",
    "summary": "Add up the messages of campaigns: how they ended, who answered, what they cost.",
    "track": "Show tracked messages, or write them into a file.",
}
"""Each command with the first line of its help: it is imported when it is named, not to be listed."""


def _version() -> str:
    from importlib.metadata import version  # takes longer than a help does to be written

    return version("voicedrop-async")


APP: Final = App(
    name="voicedrop",
    help=_HELP,
    help_epilogue=_AFTER,
    help_format="plaintext",
    version=_version,
    default_parameter=Parameter(negative=()),
    suppress_keyboard_interrupt=False,
    result_action="return_value",
)


def run() -> int:
    """Run the command that the arguments name, and return its exit code."""
    arguments = sys.argv[1:]
    for name, line in COMMANDS.items():
        # A line that is given would stand in the place of the whole help.
        APP.command(f"voicedrop_async.cli._commands.{name}:{name}", help=None if name in arguments else line)
    try:
        code = APP(arguments, exit_on_error=False, print_error=False)
    except CycloptsError as error:
        # It quotes what was typed, and that may be a number.
        say(f"{masked(str(error))} (voicedrop --help shows the way)")
        return 2
    return code if isinstance(code, int) else 0
