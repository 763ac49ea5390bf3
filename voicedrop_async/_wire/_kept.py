"""The receipt as a journal may keep it: without a phone number, and whole again for whoever sends the same campaign.

What the caller said comes back in the receipt, numbers above all. Each such text is replaced by its place among the
texts of the campaign, which the journal does not have and the caller brings along. A number that is not the caller's
own is gone for good, since a masked one can be guessed back: ``*****1``, ``*****2`` stand for the first and the second.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from typing import Any, Final

import msgspec

from voicedrop_async._masking import PHONE_NUMBER, shown_code
from voicedrop_async._wire._convert import FORGIVING
from voicedrop_async._wire._values import Unreadable, object_of, parse
from voicedrop_async.models import CampaignReceipt, VoiceCampaign

_MARK: Final = "\x1a"
"""Stands round a place; a text that bears it itself loses it."""
_PLACE: Final = re.compile(f"{_MARK}([0-9]+){_MARK}")
_DEPTH: Final = 100
_IN_CLEAR: Final = frozenset({"trackingId", "createdAt", "scheduledDate", "campaignName", "cost"})
_CODES: Final = frozenset({"code", "errorCode"})
_ENCODER: Final = msgspec.json.Encoder(decimal_format="number")


def dump_kept(body: bytes, campaign: VoiceCampaign) -> str | None:
    """Return what a journal keeps of the answer to ``campaign``; None if that is no object."""
    places = {text: f"{_MARK}{place}{_MARK}" for place, text in enumerate(_texts(campaign))}

    strangers: dict[str, str] = {}

    def hidden(found: re.Match[str]) -> str:
        # Each has a stand-in of its own, or rows that are named by their numbers would fall into one.
        return places.get(found[0]) or strangers.setdefault(found[0], f"*****{len(strangers) + 1}")

    def kept(text: str, key: str) -> str:
        if text in places:
            return places[text]
        if key in _IN_CLEAR or (key in _CODES and shown_code(text) == text):
            return text.replace(_MARK, "")
        return PHONE_NUMBER.sub(hidden, text.replace(_MARK, ""))

    try:
        return _ENCODER.encode(_through(object_of(parse(body)), kept)).decode()
    except Unreadable:
        return None


def load_kept(text: str | None, campaign: VoiceCampaign) -> CampaignReceipt | None:
    """Return the receipt that was kept; None if there is none, or it cannot be read."""
    texts = list(_texts(campaign))

    def whole(found: re.Match[str]) -> str:
        place = int(found[1])
        return texts[place] if place < len(texts) else ""

    try:
        receipt: CampaignReceipt = FORGIVING.structure(
            _through(object_of(parse((text or "").encode())), lambda part, _key: _PLACE.sub(whole, part)), CampaignReceipt
        )
    except Unreadable:
        return None
    return receipt


def _texts(campaign: VoiceCampaign) -> Iterator[str]:
    """The texts of a campaign that are nobody else's business, in the same order for the same recipients.

    Numbers come back with and without their plus sign.
    """
    numbers = [*sorted(campaign.to), campaign.sender]
    yield from numbers
    yield from (number.removeprefix("+") if number.startswith("+") else f"+{number}" for number in numbers)
    callbacks = [callback.url for callback in (campaign.callback, campaign.campaign_callback) if callback is not None]
    spoken = campaign.message.text if campaign.message is not None else None
    yield from (text for text in (spoken, campaign.file_url, *callbacks) if text is not None)


def _through(value: Any, change: Callable[[str, str], str], key: str = "", depth: int = 0) -> Any:
    """Return a JSON value with each of its texts, names among them, put through ``change``."""
    if depth > _DEPTH:
        return None  # nothing that is documented lies so deep
    if isinstance(value, str):
        return change(value, key)
    if isinstance(value, Mapping):
        members: Mapping[str, Any] = value
        return {change(name, ""): _through(part, change, name, depth + 1) for name, part in members.items()}
    if isinstance(value, list):
        parts: list[Any] = value
        return [_through(part, change, key, depth + 1) for part in parts]
    if isinstance(value, int | Decimal) and not -1_000_000 < value < 1_000_000:
        digits = change(str(value), key)  # a telephone number that came as a number
        return value if digits == str(value) else digits
    return value
