"""Names of hosts that a service told us, looked up with care: they may lead to public addresses only.

An address within a network (loopback, private, link-local, where clouds keep their metadata) is often open to whoever
comes from inside, and a name can lead there, today or in a minute.
"""

import socket
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from typing import Final

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult

_NAT64: Final = IPv6Network("64:ff9b::/96")


class NotPublic(OSError):
    """A name that leads to an address within a network."""


class PublicOnly(AbstractResolver):
    """A resolver that refuses a name if any of its addresses is not public."""

    def __init__(self, inner: AbstractResolver | None = None) -> None:
        """Look up with ``inner``, or as aiohttp does; made inside a running loop."""
        self._inner = inner or aiohttp.DefaultResolver()

    async def resolve(self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET) -> list[ResolveResult]:
        """Return the addresses of ``host``, which are then the ones connected to.

        Raises:
            NotPublic: One of them is not public.
            OSError: It has none.
        """
        found = await self._inner.resolve(host, port, family)
        if not all(is_public(one["host"]) for one in found):
            raise NotPublic
        return found

    async def close(self) -> None:
        """Close what looks up."""
        await self._inner.close()


def is_public(text: str) -> bool:
    """Whether an address is one of the whole internet; an IPv4 address inside an IPv6 one counts as itself."""
    address = ip_address(text)
    if isinstance(address, IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour
        if address in _NAT64:
            inner = IPv4Address(address.packed[-4:])
        address = address if inner is None else inner
    return address.is_global and not address.is_multicast
