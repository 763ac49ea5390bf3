"""What the fuzzing begins with: the documented answers, and every spelling of a waiting time and a moment that is known."""

from pathlib import Path
from typing import Final

_SAMPLES: Final = Path(__file__).parents[1] / "wire" / "samples"
_DATES: Final = ("Fri, 02 Jan 2026 12:00:30 GMT", "Friday, 02-Jan-26 12:00:30 GMT", "Fri Jan  2 12:00:30 2026", "2 Jan 2026 14:00:30 +0200")
_MOMENTS: Final = (
    "2015-01-06T10:21:14.123456789Z",
    "2015-01-06 12:21:14.000+0200",
    "2015-W02-2T10:21:14",
    "20150106",
    "1420539674.5",
    "1420539674243",
    '"2015-01-06T24:00:00Z"',
    "0001-01-01T00:00:00+14:00",
)

SEEDS: Final[dict[str, list[bytes]]] = {
    "page": [(_SAMPLES / f"{name}.json").read_bytes().strip() for name in ("tracking_page", "drop_records")],
    "token": [(_SAMPLES / "token.json").read_bytes().strip()],
    "wait": [b"120", *(f"{date}\n{date}".encode() for date in _DATES)],
    "moment": [text.encode() for text in _MOMENTS],
}
"""By the name of the reading."""
