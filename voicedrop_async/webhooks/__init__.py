"""Callbacks in: from bytes to events, and a receiver of them for aiohttp.web and for ASGI.

Sources: Routee, "Voice callbacks", "Voice conversation callbacks"; "Callback URL webhook" for what counts as received.
"""

from voicedrop_async.webhooks._parsing import parse_campaign_event, parse_conversation_event, parse_dtmf_event, parse_message_event
from voicedrop_async.webhooks._receiver import CallbackReceiver

__all__ = ["CallbackReceiver", "parse_campaign_event", "parse_conversation_event", "parse_dtmf_event", "parse_message_event"]
