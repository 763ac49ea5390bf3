"""Pages of tracked messages as a raw server answers them: an envelope, and rows in it."""

from collections.abc import Sequence
from typing import Any

from raw_server import Step, answer


def page(rows: Sequence[dict[str, Any]], *, number: int = 0, pages: int = 1, **said: Any) -> Step:
    """One page of so many, all as long; ``said`` is what its envelope says otherwise."""
    totals = {"totalPages": pages, "totalElements": pages * len(rows), "last": number + 1 >= pages, "number": number, "size": 100}
    return answer(body={"content": rows, **totals, **said})


def numbered(number: int, *, pages: int = 3, size: int = 2) -> Step:
    """One page of a list whose messages are called m0, m1 and so on."""
    rows = [{"messageId": f"m{place}"} for place in range(number * size, (number + 1) * size)]
    return page(rows, number=number, pages=pages, size=size)
