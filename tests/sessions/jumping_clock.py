"""A process whose clock on the wall is set under every call by the days on its command line, forth and back in turn.

What tells the time is replaced before anything of ours, or of aiohttp, is imported. Prints what came of it as JSON.
"""

import datetime
import sys
import time

_time, _Datetime = time.time, datetime.datetime
_jump = [0.0]
"""Seconds that the clock on the wall is wrong by."""


class _Kind(type):
    """Takes a moment of either making for one."""

    def __instancecheck__(cls, value: object) -> bool:
        return isinstance(value, _Datetime)


class _Jumping(_Datetime, metaclass=_Kind):
    @classmethod
    def now(cls, tz: datetime.tzinfo | None = None) -> datetime.datetime:
        return _Datetime.fromtimestamp(time.time(), tz)


time.time = lambda: _time() + _jump[0]
datetime.datetime = _Jumping

import asyncio  # noqa: E402 - the clock first
import json  # noqa: E402 - the clock first

from answers import MESSAGE, token  # noqa: E402 - the clock first
from raw_server import RawServer, answer  # noqa: E402 - the clock first

from voicedrop_async import ClientCredentials, Limits, RouteeSession  # noqa: E402 - the clock first


async def main(seconds: float) -> dict[str, object]:
    """Call four times, and be told at the third to wait for a second; the clock jumps under each answer."""
    wait = answer(429, headers={"Retry-After": "1"})
    steps = iter([token(), MESSAGE, MESSAGE, wait, MESSAGE, MESSAGE])
    days = set()

    async def jumping(writer: asyncio.StreamWriter) -> bool:
        _jump[0] = seconds - _jump[0]
        days.add(datetime.datetime.now(datetime.UTC).date())
        return await next(steps)(writer)

    async with RawServer([jumping]) as line:
        auth = ClientCredentials("id", "secret")
        async with RouteeSession(auth, base_url=line.url, auth_url=line.url, deadline=20.0, limits=Limits(rate=10.0)) as session:
            began = time.monotonic()
            messages = [(await session.track_message("m")).message_id for _ in range(4)]
            took = time.monotonic() - began
        asked = [request.target.partition("?")[0] for request in line.received]
    return {"messages": messages, "took": took, "asked": asked, "days": len(days)}


if __name__ == "__main__":
    print(json.dumps(asyncio.run(main(float(sys.argv[1]) * 86400.0))))
