"""A process of its own: goes on from each token it is given on its standard input, and prints what it found as JSON."""

import asyncio
import json
import sys
from datetime import datetime, timedelta

from voicedrop_async import RouteeSession, StaticToken


async def main() -> None:
    order = json.load(sys.stdin)
    options = order["options"]
    for name in ("start", "end"):
        if name in options:
            options[name] = datetime.fromisoformat(options[name])
    if "slices" in options:
        options["slices"] = timedelta(seconds=options["slices"])
    async with RouteeSession(StaticToken("static-token"), base_url=order["url"], auth_url=order["url"]) as routee:
        found = [
            [message.message_id async for message in routee.track_messages(**options, resume=text or None)] for text in order["tokens"]
        ]
    print(json.dumps(found))


asyncio.run(main())
