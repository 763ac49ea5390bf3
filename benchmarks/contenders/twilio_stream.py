"""twilio's asynchronous stream, for our list: page and instance as its generator writes them for a service's own lists.

Its page knows one key beside its own; ours has more, so where the records are and what follows is said by overriding.
Its own lists read their moments, so the one of the status is read, cut to the second, since its reader knows no fraction;
most other fields, those of recordings among them, stay as they came.
"""

from datetime import datetime
from decimal import Decimal
from typing import Any

from twilio.base import deserialize
from twilio.base.domain import Domain
from twilio.base.instance_resource import InstanceResource
from twilio.base.page import Page
from twilio.base.version import Version
from twilio.http.async_http_client import AsyncTwilioHttpClient
from twilio.rest import Client


class MessageInstance(InstanceResource):
    """A message, its fields taken one by one."""

    def __init__(self, version: Version, payload: dict[str, Any]) -> None:
        """Take the fields."""
        super().__init__(version)
        self.message_id: str | None = payload.get("messageId")
        self.conversation_tracking_id: str | None = payload.get("conversationTrackingId")
        self.to: str | None = payload.get("to")
        self.sender: str | None = payload.get("from")
        self.groups: list[str] | None = payload.get("groups")
        self.country: str | None = payload.get("country")
        self.status: str | None = payload["status"].get("status")
        self.status_date: datetime | str | None = deserialize.iso8601_datetime(f"{payload['status']['date'][:19]}Z")
        self.campaign: str | None = payload.get("campaign")
        self.application_name: str | None = payload.get("applicationName")
        self.originating_service: str | None = payload.get("originatingService")
        self.direction: str | None = payload.get("direction")
        self.duration: int | None = deserialize.integer(payload.get("duration"))
        self.file_url: str | None = payload.get("fileURL")
        self.message: dict[str, Any] | None = payload.get("message")
        self.price: Decimal | str | None = deserialize.decimal(payload.get("price"))
        self.charge_interval: int | None = deserialize.integer(payload.get("chargeInterval"))
        self.collected_tones: str | None = payload.get("collectedTones")
        self.recordings: list[dict[str, Any]] | None = payload.get("recordings")
        self.answered_by: str | None = payload.get("answeredBy")


class MessagePage(Page):
    """A page of them."""

    def load_page(self, payload: dict[str, Any]) -> list[dict[str, Any]]:
        content: list[dict[str, Any]] = payload["content"]
        return content

    @property
    def next_page_url(self) -> str | None:
        if self._payload["last"]:
            return None
        url: str = self._version.absolute_url(f"tracking?page={self._payload['number'] + 1}&size={self._payload['size']}")
        return url

    def get_instance(self, payload: dict[str, Any]) -> MessageInstance:
        return MessageInstance(self._version, payload)


async def walk(url: str, size: int, _at_once: int) -> int:
    """Walk item by item."""
    seen = 0
    async with AsyncTwilioHttpClient() as http:
        version = Version(Domain(Client("account", "token", http_client=http), url), "voice")
        first = await version.page_async("GET", "tracking", params={"page": 0, "size": size}, headers={"Accept": "application/json"})
        async for _message in version.stream_async(MessagePage(version, first)):
            seen += 1
    return seen
