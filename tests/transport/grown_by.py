"""Asks for one message, and prints what came of it and by how much the memory of this process rose: run with a base URL."""

import asyncio
import json
import sys
from pathlib import Path

from voicedrop_async import RequestError, RouteeSession, StaticToken, Timeouts


def status(name: str) -> int:
    """Return a figure of this process, in bytes. The peak that ``resource`` tells can be that of the parent."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith(name)).split()[1]) * 1024


async def main(url: str) -> None:
    async with RouteeSession(StaticToken("t"), base_url=url, timeouts=Timeouts(read=25.0)) as session:
        await session.track_message("usual")
        before = status("VmRSS")
        try:
            await session.track_message("m-1")
        except RequestError as error:
            told = {"kind": type(error).__name__, "attempts": error.attempts, "text": str(error)}
            print(json.dumps(told | {"grown": status("VmHWM") - before}))


asyncio.run(main(sys.argv[1]))
