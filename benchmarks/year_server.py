"""A year of tracked messages that nobody stores: how many there are until a moment, and which, is arithmetic.

    python benchmarks/year_server.py MESSAGES

Most calls are made by day, from Monday to Friday; both ends of a range are included, so that what lies on an edge is in two stretches.
A request without a query is one for a token, and does not count in ``/seen``.
"""

import json
import sys
from datetime import UTC, datetime, timedelta
from itertools import accumulate
from urllib.parse import unquote

from page_server import Lists, Pages
from server import answer, serve

BEGIN = datetime(2025, 1, 1, tzinfo=UTC)
END = BEGIN + timedelta(days=365)
_HOUR = 3600


def _weight(hour: int) -> int:
    """Return how busy an hour is."""
    day, clock = (BEGIN + timedelta(hours=hour)).weekday(), hour % 24
    return (10 if 8 <= clock < 20 else 1) * (4 if day < 5 else 1)


class Year(Lists):
    """The messages of a year."""

    def __init__(self, messages: int) -> None:
        """Spread so many over it."""
        super().__init__(1_000, [])
        weights = [_weight(hour) for hour in range(365 * 24)]
        self._before = [messages * part // sum(weights) for part in accumulate(weights, initial=0)]

    def page(self, query: str, _count: int | None) -> bytes:
        """Return the page that a query asks for."""
        if not query:
            Pages.seen -= 1
            return answer(json.dumps({"access_token": "token", "token_type": "Bearer", "expires_in": 3600}).encode())
        asked = dict(pair.split("=", 1) for pair in query.split("&"))
        first, end = self._until(asked["from"], 0), self._until(asked["to"], 1)
        return self._put_together(first, end, int(asked["page"]), int(asked["size"]))

    def _until(self, moment: str, seconds: int) -> int:
        """Return how many there are before a moment, and so many seconds behind it."""
        whole = int((datetime.fromisoformat(unquote(moment)) - BEGIN).total_seconds()) + seconds
        hour, rest = divmod(max(0, min(whole, 365 * 24 * _HOUR)), _HOUR)
        before = self._before[hour]
        return before + (self._before[min(hour + 1, 365 * 24)] - before) * rest // _HOUR


if __name__ == "__main__":
    year = Year(int(sys.argv[1]))
    serve(lambda: Pages(year))
