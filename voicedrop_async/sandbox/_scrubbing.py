"""What a recording keeps of an exchange: its shape, and what is known to be harmless. Everything else gets a stand-in.

Kept are names of fields, parts of paths and words that a document has; UUIDs, moments, countries and languages by their look; and
small numbers. A phone number becomes one of a country that does not exist, any other text becomes ``text-1``, a URL leads to
example.com. The same value has the same stand-in throughout a recording, so that what belonged together still does; nothing in it
leads back.
"""

import re
from collections import defaultdict
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from msgspec import structs

from . import _wire
from ._calls import MESSAGE_STATUSES

_SHAPES = (
    _wire.Analysis, _wire.Callback, _wire.CampaignAnswer, _wire.CampaignBody, _wire.Contact, _wire.Record, _wire.Filter, _wire.Message,
    _wire.Page, _wire.Problem, _wire.Recording, _wire.Speech, _wire.Status,
)  # fmt: skip
_FIELDS = {
    *(one.encode_name for shape in _SHAPES for one in structs.fields(shape)), *MESSAGE_STATUSES,
    "placeholder", "timestamp", "path", "error", "error_description", "errorCode", "properties", "entity", "value",
    "tagged", "page", "sort", "dateStart", "dateEnd", "start", "end", "team", "include",
}  # fmt: skip
"""What an object's keys, and the parameters of a query, may be called."""
_PARTS = {
    "voice", "campaign", "tracking", "analysis", "conversation", "recordings", "my", "downloads", "campaigns", "contacts", "groups",
    "j", "voicemail_drop_records", "text_records", "call_records", "email_records", "jobs", "campaign_templates", "audio_messages",
    "teams", "agents",
}  # fmt: skip
"""Of paths."""
_STATES = {*MESSAGE_STATUSES, "Scheduled", "Running", "Sent", "Finished"}
_SORTED_BY = {*_FIELDS, "id", "recipient", "status.status", "status.date"}
_WORDS = {
    "status": _STATES,
    "state": _STATES,
    "type": {"Voice"},
    "direction": {"Inbound", "Outbound"},
    "originatingService": {"Voice", "Failover"},
    "gender": {"male", "female"},
    "answeredBy": {"HUMAN", "MACHINE", "UNKNOWN"},
    "strategy": {"OnChange", "OnCompletion"},
    "fieldName": _SORTED_BY,
    "searchTerm": _STATES,
    "searchOperator": {"is", "is_not", "contains", "starts_with", "ends_with"},
    "sort": {name + way for name in _SORTED_BY for way in ("", ",asc", ",desc")},
    "tagged": {"true", "false"},
    "include": {"body"},
    "error": {*(status.phrase for status in HTTPStatus), "invalid_request", "invalid_token", "unsupported_grant_type"},
}
"""What the services say under these names. A word newer than this list gets a stand-in."""
_IDS = {"messageId", "conversationTrackingId", "trackingId", "campaignTrackingId", "voiceTrackingIds"}
_MOMENTS = {"date", "updatedDate", "createdAt", "scheduledDate", "start", "end", "timestamp", "from", "to", "dateStart", "dateEnd"}
_COUNTS = {"page", "size", "team"}
_TOTALS = {"totalPages", "totalElements", "numberOfElements", "numberOfRecipients", "totalInGroups"}
_BY_DATA = {"contacts", "recipientCountries", "recipientsPerGroup"}
"""Objects whose keys are numbers, ids of contacts and names of groups."""

_NUMBER = re.compile(r"\+?[\d().\s/-]*")
_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
"""Another id gets a stand-in, the same in answers and paths."""
_LOOKS = (
    (_IDS, _ID),
    ({"country", "recipientCountry"}, re.compile("[A-Z]{2}")),
    ({"language"}, re.compile("[a-z]{2}-[A-Z]{2}")),
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
        """A path: documented parts, and ids, are kept."""
        return "/".join(part if part in _PARTS or _ID.fullmatch(part) else self._text(part) for part in path.split("/"))

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
        """The name of a field."""
        return name if name in _FIELDS else self._text(name)

    def _text(self, text: str, name: str = "") -> str:
        if not text or text in _WORDS.get(name, ()) or any(name in names and look.fullmatch(text) for names, look in _LOOKS):
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
