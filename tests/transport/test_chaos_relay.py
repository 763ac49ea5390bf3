"""The relay itself: what a plan says is what a client sees, or no test over it would mean anything."""

import asyncio
from collections.abc import AsyncGenerator

import pytest
from chaos_relay import ChaosRelay, Plan, Then, Way

GREETING = b"good morning"


class Echo(asyncio.Protocol):
    """Sends back what it gets, and remembers it, piece by piece."""

    def __init__(self) -> None:
        self.got: list[bytes] = []

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self.got.append(data)
        self._transport.write(data)


@pytest.fixture
async def echo() -> Echo:
    return Echo()


@pytest.fixture
async def port(echo: Echo) -> AsyncGenerator[int]:
    server = await asyncio.get_running_loop().create_server(lambda: echo, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]


async def heard(relay: ChaosRelay) -> bytes:
    """Say something, and return what comes back until the whole of it has, or the line ends."""
    reader, writer = await asyncio.open_connection("127.0.0.1", relay.own_port)
    writer.write(GREETING)
    try:
        return await reader.readexactly(len(GREETING))
    except asyncio.IncompleteReadError as cut:
        return cut.partial
    finally:
        writer.close()


async def test_a_clear_line_passes_everything(port: int) -> None:
    async with ChaosRelay(port) as relay:
        assert await heard(relay) == GREETING
        await relay.left()

    assert (relay.connections, relay.struck) == (1, 0)


async def test_a_cut_line_ends_after_its_bytes(port: int) -> None:
    async with ChaosRelay(port, [Plan(after=5)]) as relay:
        assert await heard(relay) == b"good "

    assert relay.struck == 1


async def test_a_line_that_is_cut_on_the_way_there_lets_as_much_arrive(port: int, echo: Echo) -> None:
    async with ChaosRelay(port, [Plan(way=Way.TO_SERVER, after=5)]) as relay:
        assert len(await heard(relay)) <= 5
        await relay.left()

    assert b"".join(echo.got) == b"good "


async def test_a_reset_is_a_reset(port: int) -> None:
    async with ChaosRelay(port, [Plan(after=0, then=Then.RESET)]) as relay:
        with pytest.raises(ConnectionResetError):
            await heard(relay)


async def test_in_a_black_hole_a_connection_stays_open_and_says_nothing(port: int) -> None:
    async with ChaosRelay(port, [Plan(after=5, then=Then.NOTHING)]) as relay:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await heard(relay)
        await relay.left()  # once the client has gone

    assert relay.struck == 1


async def test_slices_arrive_one_by_one(port: int, echo: Echo) -> None:
    async with ChaosRelay(port, [Plan(way=Way.TO_SERVER, piece=1)]) as relay:
        assert await heard(relay) == GREETING

    assert len(echo.got) == len(GREETING)
    assert relay.pieces > len(GREETING)


async def test_latency_comes_before_each_piece(port: int) -> None:
    clock = asyncio.get_running_loop().time
    async with ChaosRelay(port, [Plan(piece=6, latency=0.02)]) as relay:
        began = clock()
        assert await heard(relay) == GREETING

    assert clock() - began >= 0.04


async def test_plans_are_taken_in_turn_and_the_last_one_stays(port: int) -> None:
    async with ChaosRelay(port, [Plan(after=0), Plan(after=1), Plan()]) as relay:
        came = [await heard(relay) for _ in range(4)]

    assert came == [b"", b"g", GREETING, GREETING]


async def test_until_it_listens_it_refuses(port: int) -> None:
    async with ChaosRelay(port, listening=False) as relay:
        with pytest.raises(ConnectionRefusedError):
            await heard(relay)
        await relay.listen()
        assert await heard(relay) == GREETING
