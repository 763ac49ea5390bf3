"""Faults on demand: which request fails next, and how."""

from collections.abc import Iterator
from itertools import groupby
from typing import Annotated, Any, Literal

from attrs import define, field, frozen
from msgspec import Meta, Struct, convert

DropMoment = Literal["before_acting", "after_acting"]

_HeaderText = Annotated[str, Meta(pattern=r"^[\x20-\x7e]*\Z")]


class Asked(Struct, forbid_unknown_fields=True, kw_only=True):
    """What a fault may be asked for with, in Python and over HTTP; the body aside."""

    status: Annotated[int, Meta(ge=200, le=599)] | None = None
    retry_after: Annotated[int, Meta(ge=0)] | _HeaderText | None = None
    content_type: _HeaderText | None = None
    drop: DropMoment | None = None
    cut: bool = False
    act: bool = False
    path: str | None = None
    times: Annotated[int, Meta(ge=1, le=1000)] = 1


@frozen(kw_only=True)
class Fault:
    """One way for a request to fail."""

    status: int
    retry_after: int | str | None = None
    body: bytes | None = None
    content_type: str = "text/html"
    drop: DropMoment | None = None
    cut: bool = False
    act: bool = False
    path: str | None = None

    @property
    def acts(self) -> bool:
        """Whether the request takes effect all the same."""
        return self.act or self.cut or self.drop == "after_acting"

    def __str__(self) -> str:
        """What happens to the request, in words."""
        if self.drop is not None:
            return f"dropped {self.drop.replace('_', ' ')}"
        if self.cut:
            return "answer cut in its body"
        words = f"answered {self.status}" + (f" with {self.content_type}" if self.body is not None else "")
        words += f", Retry-After: {self.retry_after}" if self.retry_after is not None else ""
        return words + (" after acting" if self.act else "")

    @property
    def breaks_off(self) -> bool:
        """Whether the connection is closed before the answer is whole."""
        return self.cut or self.drop is not None


def asked_for(body: bytes | None, /, **wishes: object) -> tuple[Fault, int]:
    """The fault that is asked for, and how many times.

    Raises:
        ValueError: A wish makes no sense, or they name no way to fail, or more than one.
    """
    asked = convert(wishes, Asked)
    if sum((asked.drop is not None, asked.cut, asked.status is not None or body is not None)) != 1:
        raise ValueError("name one way to fail: status and body, drop, or cut")
    fault = Fault(
        status=200 if asked.status is None else asked.status,
        retry_after=asked.retry_after,
        body=body,
        content_type=asked.content_type or "text/html",
        drop=asked.drop,
        cut=asked.cut,
        act=asked.act,
        path=asked.path,
    )
    return fault, asked.times


def covers(path: str | None, asked: str) -> bool:
    """Whether a path given for a fault or a delay means the path asked for: the same one, or one above it; None means all."""
    return path is None or asked == path or asked.startswith(path.rstrip("/") + "/")


@define
class Faults:
    """Faults waiting for their request, delays, and a cap on the page size."""

    _waiting: list[Fault] = field(factory=list[Fault])
    _delays: dict[str | None, float] = field(factory=dict[str | None, float])

    page_size_cap: int | None = None

    def add(self, fault: Fault, times: int) -> None:
        """Let so many requests fail this way, after those that wait already."""
        self._waiting += [fault] * times

    def clear(self) -> None:
        """End them all."""
        self._waiting.clear()
        self._delays.clear()
        self.page_size_cap = None

    def shown(self) -> dict[str, Any]:
        """What waits, and what holds, in words and numbers."""
        return {
            "waiting": [{"fault": words, "path": path, "times": times} for words, path, times in self._grouped()],
            "delays": [{"path": path, "seconds": seconds} for path, seconds in self._delays.items()],
            "page_size_cap": self.page_size_cap,
        }

    def _grouped(self) -> Iterator[tuple[str, str | None, int]]:
        for fault, same in groupby(self._waiting):
            yield str(fault), fault.path, len(list(same))

    def take(self, path: str) -> Fault | None:
        """The fault for a request that arrives now; it is used up."""
        for place, fault in enumerate(self._waiting):
            if covers(fault.path, path):
                return self._waiting.pop(place)
        return None

    def delay(self, seconds: float, path: str | None) -> None:
        """Let answers wait. Zero seconds without a path ends every delay."""
        if seconds:
            self._delays[path] = seconds
        elif path is None:
            self._delays.clear()
        else:
            self._delays.pop(path, None)

    def wait(self, path: str) -> float:
        """Seconds that the answer on this path waits: the longest delay that covers it."""
        return max((seconds for covered, seconds in self._delays.items() if covers(covered, path)), default=0.0)
