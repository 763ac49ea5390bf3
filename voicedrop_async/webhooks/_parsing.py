"""From bytes to events. What an event tells is as trustworthy as whoever posted it."""

from collections.abc import Callable, Mapping
from typing import Final

from voicedrop_async import _wire
from voicedrop_async.models import CallbackEvent, CallbackKind, CampaignEvent, ConversationEvent, DtmfEvent, MessageEvent


def parse_message_event(body: bytes) -> MessageEvent:
    """Read what was posted to ``VoiceCampaign.callback``; its status in either spelling, that of callbacks or that of tracking.

    A field that cannot be read is None, and kept in ``extra`` with what is newer than this library. Nothing in it is proven:
    take a price from ``track_message``.

    Raises:
        WebhookRejected: It is no JSON object, or has no message id.

    Source: Routee, "Voice callbacks".
    """
    return _wire.load_event(body, MessageEvent)


def parse_campaign_event(body: bytes) -> CampaignEvent:
    """Read what was posted to ``VoiceCampaign.campaign_callback``; as a message's, but any object will do.

    Raises:
        WebhookRejected: It is no JSON object.

    Source: Routee, "Voice callbacks", which announces it and does not show its keys.
    """
    return _wire.load_event(body, CampaignEvent)


def parse_conversation_event(body: bytes) -> ConversationEvent:
    """Read what was posted about a call of a conversation, or to an inbound number; as a message's.

    Raises:
        WebhookRejected: It is no JSON object, or has no message id.

    Source: Routee, "Voice conversation callbacks".
    """
    return _wire.load_event(body, ConversationEvent)


def parse_dtmf_event(body: bytes) -> DtmfEvent:
    """Read what was posted when keys were pressed.

    Who answers it with a dial plan, as JSON and within 3 seconds, replaces the one that runs ("Call flow"); a
    ``CallbackReceiver`` does not, so the old one goes on.

    Raises:
        WebhookRejected: It is no JSON object, or has no message id.

    Source: Routee, "Voice conversation callbacks".
    """
    return _wire.load_event(body, DtmfEvent)


PARSERS: Final[Mapping[str, Callable[[bytes], CallbackEvent]]] = {
    CallbackKind.MESSAGE: parse_message_event,
    CallbackKind.CAMPAIGN: parse_campaign_event,
    CallbackKind.CONVERSATION: parse_conversation_event,
    CallbackKind.DTMF: parse_dtmf_event,
}
"""Who reads what is posted to which of a receiver's URLs."""
