"""What the tests of security share: a small internet, on this machine."""

import asyncio
import socket

import pytest
from internet import Internet


@pytest.fixture
async def internet(monkeypatch: pytest.MonkeyPatch) -> Internet:
    net = Internet()
    loop = asyncio.get_running_loop()
    connect = loop.sock_connect

    async def sock_connect(sock: socket.socket, address: tuple[str, int]) -> None:
        host, _port = address[:2]
        if host in net.roads:
            address = ("127.0.0.1", net.roads[host])
        elif host != "127.0.0.1":
            net.gone_to.append(host)
            raise OSError(101, "Network is unreachable")
        await connect(sock, address)

    monkeypatch.setattr(loop, "getaddrinfo", net.getaddrinfo)
    monkeypatch.setattr(loop, "sock_connect", sock_connect)
    return net
