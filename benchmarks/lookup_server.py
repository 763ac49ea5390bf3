"""A service of single messages that fails as often as it is told to, and counts what really happened.

    python benchmarks/lookup_server.py FAULTS SEED

Prints its port, answers until its standard input ends, and then prints its counts as one line of JSON. Of the ids
``message-0``, ``message-1`` and so on one in a hundred is not there; for ``storm-0`` and so on it is down, always. Other
faults come by dice, but for two that no single request meets alone: a token ends for all who use it, and what arrives
within a moment is turned away together.
"""

import asyncio
import json
import socket
import struct
import sys
import time
from array import array
from collections import Counter
from collections.abc import Callable
from random import Random
from typing import Any, Final

_STAMPS: Final = 35 if sys.platform == "linux" else None
"""SO_TIMESTAMPNS of Linux, which Python does not name: the kernel tells when each request arrived, however late we read it."""
_BURST_AT: Final = 5_000
"""The request with which the first burst of refusals begins."""
_BURST_EVERY: Final = 50_000
"""Requests from one burst to the next."""
_BURST: Final = 0.05
"""Seconds that a burst takes."""
_SLOW: Final = 0.3
"""Seconds."""
_ABSENT: Final = 100
"""One id in so many is not there."""


def answer(status: int, body: Any, *, kind: str = "application/json", more: str = "") -> bytes:
    """Return a whole answer; a body that is no text is JSON."""
    text = body if isinstance(body, str) else json.dumps(body)
    return f"HTTP/1.1 {status} Whatever\r\nContent-Type: {kind}\r\nContent-Length: {len(text)}\r\n{more}\r\n{text}".encode()


def refusal(status: int, words: str, more: str = "") -> bytes:
    """Return an error as the service documents it."""
    return answer(status, {"code": f"{status}000000", "developerMessage": words}, more=more)


DOWN: Final = refusal(503, "Down")
ABSENT: Final = refusal(404, "No such message")
ENDED: Final = answer(401, {"status": 401, "error": "Unauthorized", "message": "The token has ended"})
TOO_MANY: Final = refusal(429, "Too many requests", more="Retry-After: 1\r\n")
HTML: Final = answer(200, "<html><body>Back soon</body></html>", kind="text/html")


def message(number: int) -> bytes:
    """Return a message whose content tells it from every other one."""
    status = {"status": "Completed", "date": "2026-01-01T00:00:00Z"}
    return answer(200, {"messageId": f"message-{number}", "to": "+306912345678", "status": status, "campaign": f"campaign {number}"})


class Line:
    """One connection: reads a request, has it answered, and reads the next."""

    def __init__(self, link: socket.socket, attend: Callable[["Line", str, float], None], lines: set["Line"]) -> None:
        """Begin to read."""
        self._link = link
        self._attend = attend
        self._lines = lines
        self._buffer = b""
        lines.add(self)
        asyncio.get_running_loop().add_reader(link, self._read)

    def _read(self) -> None:
        try:
            data, notes, _, _ = self._link.recvmsg(65536, 64)
        except BlockingIOError:
            return
        except OSError:
            data, notes = b"", []
        if not data:
            self.close()
            return
        stamps = [struct.unpack("qq", note) for _, kind, note in notes if kind == _STAMPS]
        at = stamps[0][0] + stamps[0][1] / 1e9 if stamps else time.time()
        head, end, body = (self._buffer + data).partition(b"\r\n\r\n")
        length = head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0]
        if end and len(body) >= int(length or 0):
            self._buffer = b""
            self._attend(self, head.decode("latin-1"), at)
        else:
            self._buffer += data

    def say(self, data: bytes) -> bool:
        """Send a few bytes, which the kernel takes at once; return whether there was somebody to take them."""
        try:
            return self in self._lines and self._link.send(data) == len(data)
        except OSError:
            self.close()
            return False

    def close(self) -> None:
        """End the connection."""
        if self in self._lines:
            self._lines.discard(self)
            asyncio.get_running_loop().remove_reader(self._link)
            self._link.close()


class Lookups:
    """Answers, and keeps the books."""

    def __init__(self, faults: float, seed: int) -> None:
        """Fail so often, by dice that fall alike for the same seed."""
        self._faults = faults
        self._dice = Random(seed)
        self._token = ""
        self._refuses_until = 0.0
        self.arrivals = array("d")
        self.counts = Counter[str](dict.fromkeys(("tokens", "endings", "lookups", "storm", "most connections"), 0))
        self.met = Counter[str]()
        self.whole, self.absent = Counter[int](), Counter[int]()
        """How often each number was answered to the last byte: with its message, or that there is none."""

    def attend(self, line: Line, head: str, at: float) -> None:
        """Answer one request."""
        target = head.split(" ", 2)[1]
        if target == "/oauth/token":
            self.counts["tokens"] += 1
            self._token = f"token-{self.counts['tokens']}"
            line.say(answer(200, {"access_token": self._token, "token_type": "bearer", "expires_in": 3600}))
            return
        kind, _, number = target.rpartition("/")[2].partition("-")
        self.arrivals.append(at)
        if kind == "storm":
            self.counts["storm"] += 1
            line.say(DOWN)
            return
        self.counts["lookups"] += 1
        fault = self._fault(head, at)
        self.met.update([fault] if fault else [])
        self._speak(line, fault, int(number))

    def _fault(self, head: str, at: float) -> str:
        if self.counts["lookups"] % _BURST_EVERY == _BURST_AT:
            self._refuses_until = at + _BURST
        if at < self._refuses_until:
            return "429"
        if not self._token or f"authorization: bearer {self._token}\r\n" not in f"{head.lower()}\r\n":
            return "401"
        if self._dice.random() >= self._faults:
            return ""
        (fault,) = self._dice.choices(["503", "cut", "closed", "html", "slow", "401"], [20, 20, 20, 20, 20, 2])
        if fault == "401":
            self.counts["endings"] += 1
            self._token = ""
        return fault

    def _speak(self, line: Line, fault: str, number: int) -> None:
        refusals = {"503": DOWN, "401": ENDED, "429": TOO_MANY, "html": HTML}
        if fault in refusals:
            line.say(refusals[fault])
        elif fault == "slow":
            asyncio.get_running_loop().call_later(_SLOW, self._fulfil, line, number)
        elif fault:
            line.say(message(number)[:-20] if fault == "cut" else b"")
            line.close()
        else:
            self._fulfil(line, number)

    def _fulfil(self, line: Line, number: int) -> None:
        is_absent = number % _ABSENT == _ABSENT - 1
        if line.say(ABSENT if is_absent else message(number)):
            (self.absent if is_absent else self.whole)[number] += 1

    def busiest_second(self) -> int:
        """Return how many requests arrived in the second that holds most of them."""
        moments = sorted(self.arrivals)
        first = most = 0
        for place, moment in enumerate(moments):
            while moment - moments[first] >= 1.0:
                first += 1
            most = max(most, place - first + 1)
        return most


async def accept(listener: socket.socket, service: Lookups, lines: set[Line]) -> None:
    """Take every connection."""
    loop = asyncio.get_running_loop()
    while True:
        link, _ = await loop.sock_accept(listener)
        link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if _STAMPS is not None:
            link.setsockopt(socket.SOL_SOCKET, _STAMPS, 1)
        Line(link, service.attend, lines)
        service.counts["most connections"] = max(service.counts["most connections"], len(lines))


async def serve(faults: float, seed: int) -> None:
    """Serve until standard input ends, then tell what happened."""
    service, lines = Lookups(faults, seed), set[Line]()
    with socket.create_server(("127.0.0.1", 0), backlog=512) as listener:
        listener.setblocking(False)
        if _STAMPS is not None:
            listener.setsockopt(socket.SOL_SOCKET, _STAMPS, 1)  # taken over by each connection, from its first byte on
        accepting = asyncio.create_task(accept(listener, service, lines))
        print(listener.getsockname()[1], flush=True)
        await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
        for _ in range(10):  # whoever closed a connection did so before the input ended: it only has to be read
            await asyncio.sleep(0)
        accepting.cancel()
    facts = {**service.counts, "open": len(lines), "met": service.met}
    facts["busiest second"] = service.busiest_second()
    print(json.dumps(facts | {"whole": list(service.whole.items()), "absent": list(service.absent.items())}))


if __name__ == "__main__":
    asyncio.run(serve(float(sys.argv[1]), int(sys.argv[2])))
