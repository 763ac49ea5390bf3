"""A documented answer with one thing changed: what a service sends on a bad day is nearly always nearly right."""

import json
import random
import re
from collections.abc import Iterator
from typing import Any, Final

ODD: Final[list[Any]] = [
    None, True, False, 0, -1, 3, 5.9, 2**63, 2**70, 10**400, -(10**400), 1e300, "", " ", "3", "3.0", "1e2", "NaN", "-Infinity", "1_000",
    "\u0663", "9" * 50, "None", "false", [], {}, [None], [[]], {"a": None}, ["x", 3], [{"trackingId": 5, "start": "soon"}, 7],
    "2015-01-06T10:21:14Z", "2015-01-06T10:21:14+0200", "9999-12-31T23:59:59.9999999Z", "0001-01-01T00:00:00+14:00", "1420539674",
    1420539674243, -1e15, {"status": 5}, {"name": "Busy", "updatedDate": 1}, "bearer", "mac", "two\r\nlines", "\0", "=1e41",
    "=9e999999", "=-9e999999", "=1e99999999999", "=1e-99999999999", "=1e400", "=-0.0", "=0.30000000000000000000000000000000000000004",
]  # fmt: skip
"""A text that begins with an equals sign goes out as the bare number behind it, which Python's own floats could not hold."""
NAMES: Final = [
    "content", "totalPages", "last", "number", "messageId", "id", "status", "name", "date", "updatedDate", "price", "duration",
    "recordings", "start", "timestamp", "state", "extra", "message_id", "access_token", "token_type", "expires_in", "+306912345678", "",
]  # fmt: skip


def places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Yield each object or array of a JSON value with each key or index in it."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, part in inner:
        yield value, key
        yield from places(part)


def changed(body: bytes, dice: random.Random) -> bytes:
    """Return the answer with one value replaced, removed, renamed, doubled or put one level deeper; as it is if it holds none.

    Raises:
        ValueError: It is no JSON.
    """
    value = json.loads(body)
    spots = list(places(value))
    if not spots:
        return body
    around, key = dice.choice(spots)
    way = dice.randrange(5)
    if way == 0:
        around[key] = dice.choice(ODD)
    elif way == 1:
        del around[key]
    elif way == 2 and isinstance(around, dict):
        around[dice.choice(NAMES)] = around.pop(key)
    elif way == 3 and isinstance(around, list):
        around.append(around[key])
    else:
        around[key] = dice.choice([[around[key]], {dice.choice(NAMES): around[key]}])
    return written(value)


def written(value: Any) -> bytes:
    """Return a value of ``ODD``, or one with such in it, as JSON."""
    return re.sub(r'"=([^"]*)"', r"\1", json.dumps(value)).encode()
