"""``voicedrop sandbox``."""

import asyncio
import signal
import sys
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter, validators

from voicedrop_async.cli._process import say

_COUNT = Parameter(validator=validators.Number(gte=0))


async def sandbox(
    *,
    port: Annotated[int, Parameter(validator=validators.Number(gte=0, lte=65533))] = 0,
    messages: Annotated[int, _COUNT] = 1_000,
    seed: int = 7,
    speed: Annotated[float, Parameter(validator=validators.Number(gt=0))] = 1.0,
    state: Path | None = None,
) -> int:
    """Serve both services on this machine, for trying things out. No telephone rings.

    Writes the environment of the other commands to stdout, one NAME=value a
    line, and serves until Ctrl-C (exit code 130) or SIGTERM (0). In one
    terminal, and then in another:

        voicedrop sandbox > sandbox.env
        set -a; . ./sandbox.env; set +a; voicedrop track

    Args:
        port: Of Routee; the token endpoint and Spacivox have the next two. 0 takes free ones.
        messages: Tracked messages of the last seven days.
        seed: The same seed makes the same messages.
        speed: Seconds that pass in the sandbox during a real one. Above 1,
            its clock runs ahead: what asks for messages "until now" by yours,
            as the journal's reconcile does, soon sees none of the new ones.
        state: A file from which it goes on, and which it keeps, for another
            run after this one, however it ends. Messages and seed are those
            of the file, once there is one. It holds phone numbers.
    """
    from voicedrop_async.sandbox import Sandbox

    async with Sandbox(port=port, messages=messages, seed=seed, speed=speed, state=state) as served:
        stop = asyncio.Event()
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
        application_id, secret = served.credentials
        environment = {
            "ROUTEE_BASE_URL": served.routee_url,
            "ROUTEE_AUTH_URL": served.auth_url,
            "ROUTEE_APPLICATION_ID": application_id,
            "ROUTEE_APPLICATION_SECRET": secret,
            "SPACIVOX_BASE_URL": served.spacivox_url,
            "SPACIVOX_ACCESS_TOKEN": served.spacivox_token,
        }
        sys.stdout.write("".join(f"{name}={value}\n" for name, value in environment.items()))
        sys.stdout.flush()
        say(f"Ctrl-C ends the sandbox; its page: {served.page_url}")
        await stop.wait()
    return 0
