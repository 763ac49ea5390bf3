"""Programs in a process of their own: one that never closes its session, one that forks with it in use.

Started as ``python -m sessions.lives NAME WORD``; what they have to say is on stdout.
"""

import asyncio
import gc
import json
import os
import sys

from answers import MESSAGE, token
from campaigns import CAMPAIGN, QUICK
from raw_server import RawServer, falls_silent

from voicedrop_async import ClientCredentials, ConfigError, RouteeSession

GRANT = token("canary-token")
kept: list[object] = []


async def forgets(way: str) -> None:
    """Use a session and never close it: dropped at once, kept to the last moment, or with calls under way."""
    async with RawServer([GRANT, MESSAGE, falls_silent()]) as line:
        session = RouteeSession(ClientCredentials("id", "canary-secret"), base_url=line.url, auth_url=line.url, retry=QUICK)
        print((await session.track_message("m")).message_id)
        if way == "with calls under way":
            calls = [asyncio.create_task(session.track_message("m")) for _ in range(5)]
            while len(line.received) < 7:
                line.arrived.clear()
                await line.arrived.wait()
            kept.append(calls)
        if way == "kept":
            kept.append(session)
        del session
        gc.collect()


async def fanned_out(session: RouteeSession) -> object:
    return (await anext(session.track_campaigns(["a"]))).value


async def refusals(session: RouteeSession) -> list[str]:
    """Return what a session says to its operations where it is not at home."""
    heard = []
    for operation in (
        session.track_message("m"),
        session.send_campaign(CAMPAIGN),
        session.track_messages().first(),
        session.track_messages(prefetch=2).collect(),
        fanned_out(session),
        session.aclose(),
    ):
        try:
            await operation
        except ConfigError as error:
            heard.append(str(error))
    return heard


async def forks(way: str) -> None:
    """Go on with a session on both sides of a fork; the child in the midst of its parent's loop, or in one of its own."""
    auth = ClientCredentials("id", "secret")
    async with RawServer([GRANT, MESSAGE]) as line, RouteeSession(auth, base_url=line.url, auth_url=line.url, retry=QUICK) as session:
        await session.track_message("m")
        child = os.fork()
        if child == 0:
            try:
                heard = await refusals(session) if way == "in its loop" else asyncio.run(refusals(session))
                print(json.dumps(heard), flush=True)
            finally:
                os._exit(0)
        await asyncio.to_thread(os.waitpid, child, 0)
        print((await session.track_message("m")).message_id, len(line.received))


def forks_at_rest() -> None:
    """Use a session; fork while its loop does not run; go on with it in that loop on both sides."""
    with asyncio.Runner() as runner:
        auth, line = ClientCredentials("id", "secret"), RawServer([GRANT, MESSAGE])
        runner.run(line.__aenter__())
        session = RouteeSession(auth, base_url=line.url, auth_url=line.url, retry=QUICK)
        runner.run(told(session))
        child = os.fork()
        if child == 0:
            try:
                print(json.dumps(runner.run(refusals(session))), flush=True)
            finally:
                os._exit(0)
        os.waitpid(child, 0)
        print(runner.run(told(session)), len(line.received))
        runner.run(session.aclose())
        runner.run(line.__aexit__(None, None, None))


async def told(session: RouteeSession) -> str:
    return (await session.track_message("m")).message_id


if __name__ == "__main__":
    if sys.argv[1:] == ["forks", "at rest"]:
        forks_at_rest()
    else:
        asyncio.run({"forgets": forgets, "forks": forks}[sys.argv[1]](sys.argv[2]))
    print("the end")
