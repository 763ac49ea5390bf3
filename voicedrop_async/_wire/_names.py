"""What the fields of the models are called on the wire. Data only: a new name is a new line here."""

from collections.abc import Mapping
from functools import cache
from typing import Any, Final

from voicedrop_async.calls import TokenResponse
from voicedrop_async.models import CampaignEvent, CampaignProblem, CampaignReceipt, DeliveryStatus, MessageEvent, VoiceAnalysis

_PLAIN: Final[Mapping[str, str]] = {
    "sender": "from",
    "file_url": "fileURL",
}
"""Where the wire name is not the Python name in camel case."""

_SPELLINGS: Final[Mapping[tuple[type, str], tuple[str, ...]]] = {
    # tracking says status and date; callbacks say name and updatedDate ("Voice callbacks")
    (DeliveryStatus, "status"): ("status", "name"),
    (DeliveryStatus, "date"): ("date", "updatedDate"),
    (MessageEvent, "message"): ("audioMessage", "message"),
    # no page shows these keys: the receipt's word for it, and the message callback's
    (CampaignEvent, "tracking_id"): ("trackingId", "campaignTrackingId"),
    # the page says code; answers of the live service have said errorCode
    (CampaignProblem, "code"): ("code", "errorCode"),
    (CampaignReceipt, "problems"): ("errors",),
    (VoiceAnalysis, "problems"): ("errors",),
    # RFC 6749 writes its names with underscores
    (TokenResponse, "access_token"): ("access_token",),
    (TokenResponse, "token_type"): ("token_type",),
    (TokenResponse, "expires_in"): ("expires_in",),
}
"""Where a class has a name of its own for a field, or several; the first one is written, all are read."""


def wire_names(model: Any, field: str) -> tuple[str, ...]:
    """Return every wire name of a field, the one we write first."""
    return _wire_names(model, field)  # mypy would not take a class for the key of a cache


@cache
def _wire_names(model: Any, field: str) -> tuple[str, ...]:
    return _SPELLINGS.get((model, field)) or (_PLAIN.get(field) or _camel(field),)


def _camel(name: str) -> str:
    first, *others = name.split("_")
    return first + "".join(word.capitalize() for word in others)
