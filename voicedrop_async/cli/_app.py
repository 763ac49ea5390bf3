"""The commands, and what the words after ``voicedrop`` mean."""

import sys
from importlib.metadata import version
from typing import Final

from cyclopts import App, CycloptsError, Parameter

from voicedrop_async.cli._demo import demo
from voicedrop_async.cli._doctor import doctor
from voicedrop_async.cli._journal import journal
from voicedrop_async.cli._records import records
from voicedrop_async.cli._sandbox import sandbox
from voicedrop_async.cli._say import masked, say
from voicedrop_async.cli._send import send
from voicedrop_async.cli._summary import summary
from voicedrop_async.cli._track import track

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
  130  interrupted with Ctrl-C"""


def _version() -> str:
    return version("voicedrop-async")


_APP: Final = App(
    name="voicedrop",
    help=_HELP,
    help_epilogue=_AFTER,
    help_format="plaintext",
    version=_version,
    default_parameter=Parameter(negative=()),
    suppress_keyboard_interrupt=False,
    result_action="return_value",
)
for _command in (demo, sandbox, doctor, send, track, records, summary, journal):
    _APP.command(_command)


def run() -> int:
    """Run the command that the arguments name, and return its exit code."""
    arguments = sys.argv[1:]
    try:
        code = _APP(arguments, exit_on_error=False, print_error=False)
    except CycloptsError as error:
        # It quotes what was typed, and that may be a number.
        say(f"{masked(str(error))} (voicedrop --help shows the way)")
        return 2
    return code if isinstance(code, int) else 0
