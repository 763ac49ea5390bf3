"""The end of a command that has done its work: Ctrl-C comes too late then, and an exit code of 130 would have it done again."""

import asyncio
import signal


def too_late() -> None:
    """Let Ctrl-C come too late from here on, to the end of the process."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


async def done() -> None:
    """Likewise, on a loop; what was pressed before still ends the command, here at the latest."""
    too_late()
    await asyncio.sleep(0)
