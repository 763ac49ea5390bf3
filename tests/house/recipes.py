"""The README's programs for a user's own program, by their headings."""

import re
from pathlib import Path

from voicedrop_async.sandbox import Sandbox

README = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")


def recipe(heading: str) -> str:
    """The Python below a heading."""
    (block,) = re.findall(rf"^### {heading}\n(?:(?!^#).)*?^```python\n(.*?)^```", README, re.MULTILINE | re.DOTALL)
    return block


AIOHTTP, FASTAPI, WORKER, CALLBACKS = (recipe(heading) for heading in ("aiohttp.web", "FastAPI", "A worker", "Callbacks in FastAPI"))


def environment_of(sandbox: Sandbox) -> dict[str, str]:
    return {
        "ROUTEE_APPLICATION_ID": sandbox.credentials[0],
        "ROUTEE_APPLICATION_SECRET": sandbox.credentials[1],
        "ROUTEE_BASE_URL": sandbox.routee_url,
        "ROUTEE_AUTH_URL": sandbox.auth_url,
        "SPACIVOX_ACCESS_TOKEN": sandbox.spacivox_token,
        "SPACIVOX_BASE_URL": sandbox.spacivox_url,
    }
