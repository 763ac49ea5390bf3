"""Faults on demand: which request fails next, and how."""

from typing import Literal

from attrs import define, field, frozen

DropMoment = Literal["before_acting", "after_acting"]


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
    method: str | None = None
    """Of a recorded answer, which is for this method and this very path."""

    @property
    def acts(self) -> bool:
        """Whether the request takes effect all the same."""
        return self.act or self.cut or self.drop == "after_acting"

    @property
    def breaks_off(self) -> bool:
        """Whether the connection is closed before the answer is whole."""
        return self.cut or self.drop is not None


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

    def take(self, method: str, path: str) -> Fault | None:
        """The fault for a request that arrives now; it is used up."""
        for place, fault in enumerate(self._waiting):
            if covers(fault.path, path) and (fault.method is None or (fault.method, fault.path) == (method, path)):
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
