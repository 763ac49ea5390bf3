"""Answers of a recording, each for the request that it was given to."""

import re
from collections.abc import Mapping
from typing import Any, Final

import msgspec
from attrs import define, field, frozen

from ._faults import Fault
from ._recording import Exchange, json_of
from ._scrubbing import Scrubber

_JSON: Final = "application/json"
_MOMENT: Final = re.compile(rb'"\d{4}-\d\d-\d\dT\d\d:\d\d[^"]*"')
_NOT_RECORDED: Final = Fault(
    status=501,
    body=b'{"code":"501013000","developerMessage":"recorded with another query or body only, or answered already"}',
    content_type=_JSON,
)


@frozen
class _Asked:
    """A request as a recording knows it: what has a stand-in there is as good as another of its kind."""

    method: str
    path: str
    content: bytes
    """Query and body."""

    @classmethod
    def of(cls, method: str, path: str, query: Mapping[str, str], body: Any) -> "_Asked":
        """Scrub it on its own, so that its first text is ``text-1`` whatever came before. What is scrubbed already comes out alike."""
        scrubber = Scrubber()
        return cls(method, scrubber.path(path), msgspec.json.encode((scrubber.query(query), scrubber.json(body))))

    @property
    def any_day(self) -> bytes:
        """Query and body without their moments: a search of the last week is another one tomorrow."""
        return _MOMENT.sub(b'""', self.content)


@define
class Replay:
    """What was recorded and is not answered yet, in order."""

    _waiting: list[tuple[_Asked, Fault]] = field(factory=list[tuple[_Asked, Fault]])

    def add(self, one: Exchange) -> None:
        """Answer this, after those that wait already."""
        body = b"" if one.answer is None else msgspec.json.encode(one.answer)
        answer = Fault(status=one.status, retry_after=one.retry_after, body=body, content_type=_JSON)
        self._waiting.append((_Asked.of(one.method, one.path, one.query, one.request), answer))

    def clear(self) -> None:
        """Answer none of them any more."""
        self._waiting.clear()

    def take(self, method: str, path: str, query: Mapping[str, str], body: bytes) -> Fault | None:
        """The answer to a request; it is used up. None where nothing is left for its method and path."""
        if not self._waiting:
            return None
        asked = _Asked.of(method, path, query, json_of(body))
        here = [entry for entry in self._waiting if (entry[0].method, entry[0].path) == (asked.method, asked.path)]
        alike = [entry for entry in here if entry[0].any_day == asked.any_day]
        if not alike:
            return _NOT_RECORDED if here else None
        taken = next((entry for entry in alike if entry[0].content == asked.content), alike[0])
        self._waiting = [entry for entry in self._waiting if entry is not taken]
        return taken[1]
