"""A process that exports, to be killed in the middle of it: a line on its standard output for each page that it took.

python -m export.exporter PATH BASE_URL AUTH_URL APPLICATION_ID APPLICATION_SECRET
"""

import asyncio
import os
import sys

from voicedrop_async import ClientCredentials, RouteeSession, export_to
from voicedrop_async.export import _exporting


async def main(path, base_url, auth_url, *credentials):
    """Keep the place after each page, so that each kill finds another one."""
    _exporting.LINES_KEPT_EVERY = _exporting.FRAMES_KEPT_EVERY = 0.0
    async with RouteeSession(ClientCredentials(*credentials), base_url=base_url, auth_url=auth_url) as routee:
        stream = routee.track_messages(page_size=5)
        await export_to(stream, path, on_page=lambda page, _: os.write(1, b"page\n"))


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
