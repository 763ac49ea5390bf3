"""openai's client and its page, for our list: models and page as its generator writes them for a service's own lists.

Over its default transport, and over aiohttp, which its README names as the quicker one. Its models hold words as texts
and prices as floats. It is asked to check answers: pydantic then fills a page at once, several times as quick as the
unchecked way, which goes from field to field in Python.
"""

from datetime import datetime
from typing import Any

from openai import AsyncOpenAI, BaseModel, DefaultAioHttpClient
from openai._base_client import BaseAsyncPage, BasePage, PageInfo, make_request_options
from pydantic import Field


class Speech(BaseModel):
    text: str | None = None
    language: str | None = None
    gender: str | None = None


class Status(BaseModel):
    status: str
    date: datetime


class Recording(BaseModel):
    tracking_id: str = Field(alias="trackingId")
    start: datetime
    end: datetime
    sender: str = Field(alias="from")
    to: str
    url: str
    voice_tracking_ids: list[str] = Field(alias="voiceTrackingIds")
    duration: int
    conversation_tracking_id: str | None = Field(default=None, alias="conversationTrackingId")


class Message(BaseModel):
    message_id: str = Field(alias="messageId")
    to: str
    sender: str = Field(alias="from")
    status: Status
    application_name: str = Field(alias="applicationName")
    originating_service: str = Field(alias="originatingService")
    direction: str
    charge_interval: int = Field(alias="chargeInterval")
    recordings: list[Recording]
    conversation_tracking_id: str | None = Field(default=None, alias="conversationTrackingId")
    groups: list[str] | None = None
    country: str | None = None
    campaign: str | None = None
    duration: int | None = None
    file_url: str | None = Field(default=None, alias="fileURL")
    message: Speech | None = None
    price: float | None = None
    collected_tones: str | None = Field(default=None, alias="collectedTones")
    answered_by: str | None = Field(default=None, alias="answeredBy")


class TrackingPage(BaseAsyncPage[Message], BasePage[Message]):
    content: list[Message]
    number: int
    last: bool

    def _get_page_items(self) -> list[Message]:
        return self.content

    def next_page_info(self) -> PageInfo | None:
        return None if self.last else PageInfo(params={"page": self.number + 1})


async def _seen(client: AsyncOpenAI, size: int) -> int:
    seen = 0
    options: Any = make_request_options(query={"page": 0, "size": size})
    async with client:
        listed = client.get_api_list("/voice/tracking", page=TrackingPage, model=Message, body=[], method="post", options=options)
        async for _message in listed:
            seen += 1
    return seen


async def walk(url: str, size: int, _at_once: int) -> int:
    """Walk over its default transport."""
    return await _seen(AsyncOpenAI(api_key="t", base_url=url, _strict_response_validation=True), size)


async def over_aiohttp(url: str, size: int, _at_once: int) -> int:
    """Walk over aiohttp."""
    http = DefaultAioHttpClient()
    return await _seen(AsyncOpenAI(api_key="t", base_url=url, http_client=http, _strict_response_validation=True), size)
