"""The typed loop that one would write: aiohttp, orjson, and cattrs into frozen attrs classes.

Unknown keys are dropped and not kept, which spares it some work.
"""

from datetime import datetime
from decimal import Decimal
from functools import cache
from typing import Any

import attrs
import orjson
from cattrs import Converter
from cattrs.gen import make_dict_structure_fn, override
from cattrs.preconf.orjson import make_converter

from contenders.by_hand import body, session
from voicedrop_async import AnsweredBy, Direction, Gender, MessageStatus


@attrs.frozen
class Speech:
    text: str | None = None
    language: str | None = None
    gender: Gender | str | None = None


@attrs.frozen
class Status:
    status: MessageStatus | str
    date: datetime


@attrs.frozen
class Recording:
    tracking_id: str
    start: datetime
    end: datetime
    sender: str
    to: str
    url: str
    voice_tracking_ids: list[str]
    duration: int
    conversation_tracking_id: str | None = None


@attrs.frozen
class Message:
    message_id: str
    to: str
    sender: str
    status: Status
    application_name: str
    originating_service: str
    direction: Direction | str
    charge_interval: int
    recordings: list[Recording]
    conversation_tracking_id: str | None = None
    groups: list[str] | None = None
    country: str | None = None
    campaign: str | None = None
    duration: int | None = None
    file_url: str | None = None
    message: Speech | None = None
    price: Decimal | None = None
    collected_tones: str | None = None
    answered_by: AnsweredBy | str | None = None


@attrs.frozen
class Page:
    content: list[Message]
    last: bool


WIRE = {"sender": "from", "file_url": "fileURL"}


def _wire_name(name: str) -> str:
    head, *rest = name.split("_")
    return WIRE.get(name, head + "".join(word.title() for word in rest))


@cache
def _converter() -> Converter:
    converter = make_converter(detailed_validation=False)
    converter.register_structure_hook(datetime, lambda text, _: datetime.fromisoformat(text))
    converter.register_structure_hook(Decimal, lambda number, _: Decimal(str(number)))
    for words in (MessageStatus, AnsweredBy, Direction, Gender):
        known: dict[str, Any] = {word.value: word for word in words}
        for kind in (words | str, words | str | None):
            converter.register_structure_hook(kind, lambda text, _, known=known: known.get(text, text))
    for model in (Speech, Status, Recording, Message, Page):
        names: dict[str, Any] = {one.name: override(rename=_wire_name(one.name)) for one in attrs.fields(model)}
        converter.register_structure_hook(model, make_dict_structure_fn(model, converter, **names))
    return converter


async def walk(url: str, size: int, _at_once: int) -> int:
    """Ask for one page after the other."""
    converter, seen, number, last = _converter(), 0, 0, False
    async with session() as http:
        while not last:
            page = converter.structure(orjson.loads(await body(http, url, number, size)), Page)
            for _message in page.content:
                seen += 1
            number, last = number + 1, page.last
    return seen
