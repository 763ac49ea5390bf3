"""Processes that export, to be killed in the middle of it: each is forked here, and has little to load.

python -m export.exporter BASE_URL AUTH_URL APPLICATION_ID APPLICATION_SECRET

For each path on standard input, a process: its id, a line for each page that it took, and how it ended.
"""

import asyncio
import os
import sys
import traceback

from voicedrop_async import ClientCredentials, RouteeSession, export_to
from voicedrop_async.export import _exporting


def say(line: object) -> None:
    os.write(1, f"{line}\n".encode())


async def export(path: str, base_url: str, auth_url: str, *credentials: str) -> None:
    """Keep the place after each page, so that each kill finds another one."""
    _exporting.LINES_KEPT_EVERY = _exporting.FRAMES_KEPT_EVERY = 0.0
    async with RouteeSession(ClientCredentials(*credentials), base_url=base_url, auth_url=auth_url) as routee:
        await export_to(routee.track_messages(page_size=10), path, on_page=lambda page, _: say("page"))


def main(*service: str) -> None:
    for line in sys.stdin:
        child = os.fork()
        if not child:
            code = 1
            try:
                say(os.getpid())
                asyncio.run(export(line.strip(), *service))
                code = 0
            finally:
                if code:
                    traceback.print_exc()
                os._exit(code)
        _, status = os.waitpid(child, 0)
        say(f"ended {os.waitstatus_to_exitcode(status)}")


if __name__ == "__main__":
    main(*sys.argv[1:])
