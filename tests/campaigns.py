"""Campaigns, the answers to them, and a patience that makes no test wait."""

from typing import Any

from voicedrop_async import Retry, SpokenMessage, VoiceCampaign

QUICK = Retry(base=0.001, cap=0.002)
"""Repeats as usual, but does not make a test wait."""

NUMBER = "+306912345678"
CAMPAIGN = VoiceCampaign("306900000000", to=[NUMBER], name="Spring sale", message=SpokenMessage("Hello", language="en-GB"))
RECEIPT: dict[str, Any] = {"trackingId": "tid-1", "state": "Queued", "campaignName": "Spring sale"}


def complaint(code: str = "400013001", words: str = "no", **more: Any) -> dict[str, Any]:
    """An error object as the service documents it."""
    return {"code": code, "developerMessage": words, **more}
