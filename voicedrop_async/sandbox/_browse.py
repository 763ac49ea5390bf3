"""Looking through messages for people: the newest first, a part at a time, without holding anybody up."""

import asyncio
from collections.abc import Iterator
from functools import cache
from typing import NamedTuple

from msgspec import UnsetType

from ._wire import Message

_AT_ONCE = 2_000  # messages that are looked at before others have their turn: some two milliseconds


class Part(NamedTuple):
    """Some of what was looked for."""

    messages: list[Message]
    total: int | None
    """How many there are in all, None if nobody counted to the end."""
    more: bool


class Words:
    """What is looked for: a status, and a text anywhere in what a message shows."""

    def __init__(self, text: str, status: str) -> None:
        """Nothing is left out by an empty text or status."""
        self._text = text.strip().casefold()
        self._status = status
        self._said = cache(self._says)  # names and texts come again and again

    def meet(self, message: Message) -> bool:
        """Whether this is one of those looked for."""
        if self._status and message.status.status != self._status:
            return False
        return (
            not self._text
            or self._text in message.to
            or self._text in message.message_id
            or self._said(message.sender)
            or self._said(message.campaign)
            or self._said(message.message.text if message.message else "")
            or (isinstance(message.conversation_tracking_id, str) and self._text in message.conversation_tracking_id)
        )

    def _says(self, text: str | UnsetType) -> bool:
        return isinstance(text, str) and self._text in text.casefold()


async def browse(messages: Iterator[Message], words: Words, *, offset: int, limit: int) -> Part:
    """Look until ``limit`` messages behind the first ``offset`` ones are found, and there is one more."""
    found: list[Message] = []
    count = 0
    for place, message in enumerate(messages, 1):
        if words.meet(message):
            count += 1
            if count > offset + limit:
                return Part(found, None, more=True)
            if count > offset:
                found.append(message)
        if place % _AT_ONCE == 0:
            await asyncio.sleep(0)
    return Part(found, count, more=False)
