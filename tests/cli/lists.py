"""Lists for the commands to walk, page by page from the raw server, and runs that are ended in the middle of one."""

import asyncio
import json
import signal
from datetime import UTC, datetime, timedelta

from .processes import environment_of, finish, start

WEEK = timedelta(days=8)


def past():
    """A range from a week ago until now, as options."""
    now = datetime.now(UTC)
    return ("--start", (now - WEEK).isoformat(), "--end", now.isoformat())


def ids(text, key="message_id"):
    return [json.loads(line)[key] for line in text.splitlines()]


def behind(sandbox, line):
    """The environment of a command that gets its tokens from the sandbox, and its pages from the raw server."""
    return environment_of(sandbox) | {"ROUTEE_BASE_URL": line.url}


async def until(line, requests):
    """Wait until so many requests are there."""
    while len(line.received) < requests:
        line.arrived.clear()
        await line.arrived.wait()


async def ctrl_c(line, requests, *command, env):
    """Run a command until so many requests are there, and end it as Ctrl-C does."""
    child = start(*command, env=env)
    await until(line, requests)
    child.send_signal(signal.SIGINT)
    return await asyncio.to_thread(finish, child)
