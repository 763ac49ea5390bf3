"""Processes that send and are killed in the middle of it: ``kill -9``, so that nothing of theirs can clean up.

A zygote: it imports everything once, then forks a child for each job, a line of JSON on its standard input, and kills it
after so many seconds. The child writes what its send came to; the zygote, how it ended.
"""

import asyncio
import json
import os
import signal
import sys
import time
from typing import Any

from attrs import evolve
from campaigns import CAMPAIGN

from voicedrop_async import ClientCredentials, OutcomeUnknown, RouteeSession, SqliteJournal


async def send(job: dict[str, Any]) -> str:
    """Send what the job says; return what it came to."""
    async with (
        SqliteJournal(job["journal"]) as journal,
        RouteeSession(ClientCredentials(*job["credentials"]), base_url=job["url"], auth_url=job["auth_url"], journal=journal) as session,
    ):
        if job["chunk"] is None:
            try:
                await session.send_campaign(evolve(CAMPAIGN, name=None, to=job["to"]), ref=job["ref"])
            except OutcomeUnknown:
                return "unknown"
            return "sent"
        template = evolve(CAMPAIGN, to=())
        ledger = await session.send_campaigns(template, job["to"], ref=job["ref"], chunk=job["chunk"], stop_at_unknown=False)
        return " ".join(chunk.state.value for chunk in ledger.chunks)


def say(**words: object) -> None:
    """A line in one write: whole, or not at all."""
    os.write(sys.stdout.fileno(), json.dumps(words).encode() + b"\n")


def main() -> None:
    """Do jobs until the input ends."""
    say(ready=True)
    for line in sys.stdin:
        job = json.loads(line)
        began = time.monotonic()
        child = os.fork()
        if child == 0:
            try:
                say(outcome=asyncio.run(send(job)))
            finally:
                os._exit(0)
        if job["after"] is not None:
            time.sleep(job["after"])
            os.kill(child, signal.SIGKILL)  # not reaped yet, so the number is still its own
        _, status = os.waitpid(child, 0)
        say(killed=os.WIFSIGNALED(status), seconds=time.monotonic() - began)


if __name__ == "__main__":
    main()
