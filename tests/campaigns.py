"""Campaigns, and the answers to them, that many tests use."""

from typing import Any

from voicedrop_async import SpokenMessage, VoiceCampaign

NUMBER = "+306912345678"
CAMPAIGN = VoiceCampaign("306900000000", to=[NUMBER], name="Spring sale", message=SpokenMessage("Hello", language="en-GB"))
RECEIPT: dict[str, Any] = {"trackingId": "tid-1", "state": "Queued", "campaignName": "Spring sale"}


def complaint(code: str = "400013001", words: str = "no", **more: Any) -> dict[str, Any]:
    """An error object as the service documents it."""
    return {"code": code, "developerMessage": words, **more}
