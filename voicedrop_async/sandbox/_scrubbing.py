"""What a recording keeps of an exchange: its shape, and what is known to be harmless. Everything else gets a stand-in.

Kept by name and by look: ids, words of the services, moments; and small numbers. A phone number becomes one of a country that
does not exist, any other text becomes ``text-1``, a URL leads to example.com. The same value has the same stand-in throughout a
recording, so that what belonged together still does; nothing in it leads back.
"""

import re
from collections import defaultdict
from collections.abc import Mapping
from typing import Any

_IDS = {"messageId", "conversationTrackingId", "trackingId", "campaignTrackingId", "voiceTrackingIds"}
_WORDS = {
    "status", "state", "type", "direction", "originatingService", "country", "recipientCountry", "language", "gender", "answeredBy",
    "strategy", "fieldName", "searchOperator", "error", "sort", "tagged",
}  # fmt: skip
_MOMENTS = {"date", "updatedDate", "createdAt", "scheduledDate", "start", "end", "timestamp", "from", "to", "dateStart", "dateEnd"}
_COUNTS = {"page", "size", "team"}
_TOTALS = {"totalPages", "totalElements", "numberOfElements", "numberOfRecipients", "totalInGroups"}
_BY_DATA = {"contacts", "recipientCountries", "recipientsPerGroup"}
"""Objects whose keys are numbers, ids of contacts and names of groups."""

_NAME = re.compile(r"[A-Za-z_]{1,40}")
_NUMBER = re.compile(r"\+?[\d().\s/-]*")
_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|[a-z_]{1,24}")
"""Or a part of a path. Another id gets a stand-in too, the same in answers and paths."""
_LOOKS = (
    (_IDS, _ID),
    (_WORDS, re.compile(r"[A-Za-z][A-Za-z_.,-]{0,23}")),
    (_MOMENTS, re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,9})?)?(Z|[+-]\d\d:\d\d)")),
    (_COUNTS, re.compile(r"\d{1,6}")),
    ({"code"}, re.compile(r"[1-5]\d\d(0\d{5})?")),
)
_LEAST_DIGITS = 6  # of a phone number
_SMALL = 10**6
"""What is below is a count, a price, or an id too short for a phone number."""


class Scrubber:
    """Scrubs the exchanges of one recording."""

    def __init__(self) -> None:
        """Nothing was seen yet."""
        self._places: dict[str, dict[str, int]] = defaultdict(dict)

    def path(self, path: str) -> str:
        """A path: its words and ids are kept."""
        return "/".join(part if not part or _ID.fullmatch(part) else self._text(part) for part in path.split("/"))

    def query(self, query: Mapping[str, str]) -> dict[str, str]:
        """A query: numbers of pages, moments and ids are kept."""
        return {self._name(name): self._text(value, name) for name, value in query.items()}

    def json(self, value: Any, name: str = "") -> Any:
        """A value as it was read from JSON; ``name`` is the key that it stands under."""
        if isinstance(value, dict):
            by_data = name in _BY_DATA
            return {self._text(key) if by_data else self._name(key): self.json(one, key) for key, one in value.items()}
        if isinstance(value, list):
            return [self.json(one, name) for one in value]
        if isinstance(value, str):
            return self._text(value, name)
        if isinstance(value, bool) or value is None or name in _TOTALS or abs(value) < _SMALL:
            return value
        return _SMALL + self._place("count", str(value))

    def _name(self, name: str) -> str:
        """The name of a field: letters and underscores."""
        return name if _NAME.fullmatch(name) else self._text(name)

    def _text(self, text: str, name: str = "") -> str:
        if any(name in names and look.fullmatch(text) for names, look in _LOOKS) or not text:
            return text
        digits = re.sub(r"\D", "", text)
        if len(digits) >= _LEAST_DIGITS and _NUMBER.fullmatch(text):
            return f"{'+' if text.startswith('+') else ''}999{self._place('number', digits):0{max(len(digits) - 3, 4)}}"
        if re.match(r"\w+://", text):
            return f"https://example.com/{self._place('url', text)}"
        return f"text-{self._place('text', text)}"

    def _place(self, kind: str, value: str) -> int:
        """The how manieth of its kind a value is."""
        places = self._places[kind]
        return places.setdefault(value, len(places) + 1)
