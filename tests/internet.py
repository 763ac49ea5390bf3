"""A small internet for the tests: names, addresses, and roads that all end on this machine."""

import socket
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Internet:
    """Names lead to addresses, and an address to a port of this machine; what has no road is not gone to."""

    names: dict[str, list[str]] = field(default_factory=dict)
    roads: dict[str, int] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    """Names that were looked up."""
    gone_to: list[str] = field(default_factory=list)
    """Addresses off this machine that somebody tried to reach."""

    async def getaddrinfo(self, host: str, port: int, **_: Any) -> list[Any]:
        self.asked.append(host)
        if host.lower() not in self.names:
            raise socket.gaierror(socket.EAI_NONAME, "no such name")
        return [_info(address, port) for address in self.names[host.lower()]]


def _info(address: str, port: int) -> tuple[Any, ...]:
    if ":" in address:
        return (socket.AF_INET6, socket.SOCK_STREAM, 6, "", (address, port, 0, 0))
    return (socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))
