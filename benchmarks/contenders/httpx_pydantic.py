"""The typed loop that many write: httpx, and pydantic from bytes. Source: pydantic, "JSON", ``model_validate_json``."""

from datetime import datetime
from decimal import Decimal
from typing import Annotated, TypeVar

import httpx
from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from voicedrop_async import AnsweredBy, Direction, Gender, MessageStatus

W = TypeVar("W")

Open = Annotated[W | str, Field(union_mode="left_to_right")]
"""A known word, or the text of one that is newer."""


class Model(BaseModel):
    model_config = ConfigDict(frozen=True, alias_generator=to_camel)


class Speech(Model):
    text: str | None = None
    language: str | None = None
    gender: Open[Gender] | None = None


class Status(Model):
    status: Open[MessageStatus]
    date: datetime


class Recording(Model):
    tracking_id: str
    start: datetime
    end: datetime
    sender: str = Field(alias="from")
    to: str
    url: str
    voice_tracking_ids: list[str]
    duration: int
    conversation_tracking_id: str | None = None


class Message(Model):
    message_id: str
    to: str
    sender: str = Field(alias="from")
    status: Status
    application_name: str
    originating_service: str
    direction: Open[Direction]
    charge_interval: int
    recordings: list[Recording]
    conversation_tracking_id: str | None = None
    groups: list[str] | None = None
    country: str | None = None
    campaign: str | None = None
    duration: int | None = None
    file_url: str | None = Field(default=None, alias="fileURL")
    message: Speech | None = None
    price: Decimal | None = None
    collected_tones: str | None = None
    answered_by: Open[AnsweredBy] | None = None


class Page(Model):
    content: list[Message]
    last: bool


async def walk(url: str, size: int, _at_once: int) -> int:
    """Ask for one page after the other, over one client."""
    seen, number, last = 0, 0, False
    async with httpx.AsyncClient(base_url=url, headers={"Authorization": "Bearer t"}) as http:
        while not last:
            response = await http.post("/voice/tracking", params={"page": number, "size": size}, content=b"[]")
            page = Page.model_validate_json(response.content)
            for _message in page.content:
                seen += 1
            number, last = number + 1, page.last
    return seen
