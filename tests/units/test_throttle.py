"""Slots, rate and pause, in virtual time: a sleep moves the clock, and nobody waits."""

import asyncio

import pytest

from voicedrop_async import Kind, Limits, Throttle


class Time:
    """A clock for the throttle whose sleeps are over at once."""

    def __init__(self) -> None:
        self.now = 100.0

    def monotonic(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.now += seconds
        await asyncio.sleep(0)

    def throttle(self, limits: Limits) -> Throttle:
        return Throttle(limits, clock=self.monotonic, sleep=self.sleep)


@pytest.fixture
def clock() -> Time:
    return Time()


async def most_at_once(throttle: Throttle, kind: Kind, callers: int) -> int:
    inside = most = 0

    async def call() -> None:
        nonlocal inside, most
        async with throttle.slot(kind):
            inside += 1
            most = max(most, inside)
            await asyncio.sleep(0)
            inside -= 1

    await asyncio.gather(*(call() for _ in range(callers)))
    return most


@pytest.mark.parametrize(
    ("limits", "kind", "most"),
    [
        (Limits(), Kind.READ, 7),
        (Limits(), Kind.PAID, 8),
        (Limits(max_in_flight=1), Kind.READ, 1),
        (Limits(max_in_flight=1), Kind.PAID, 1),
        (Limits(max_in_flight=4, send_reserve=9), Kind.READ, 1),
        (Limits(max_in_flight=4, send_reserve=0), Kind.READ, 4),
    ],
)
async def test_no_more_requests_than_slots_are_in_flight(limits: Limits, kind: Kind, most: int) -> None:
    assert await most_at_once(Throttle(limits), kind, 30) == most


async def test_reading_leaves_room_for_sending() -> None:
    throttle, entered = Throttle(Limits(max_in_flight=2)), asyncio.Event()

    async def read_for_ever() -> None:
        async with throttle.slot(Kind.READ):
            entered.set()
            await asyncio.Event().wait()

    readers = [asyncio.create_task(read_for_ever()) for _ in range(5)]
    await entered.wait()
    async with throttle.slot(Kind.PAID):
        pass
    for reader in readers:
        reader.cancel()
    await asyncio.gather(*readers, return_exceptions=True)

    assert await most_at_once(throttle, Kind.PAID, 9) == 2


async def test_requests_start_evenly_at_the_rate(clock: Time) -> None:
    throttle = clock.throttle(Limits(rate=10.0))
    starts: list[float] = []

    for _ in range(5):
        async with throttle.slot(Kind.READ):
            starts.append(round(clock.now - 100.0, 6))

    assert starts == [0.0, 0.1, 0.2, 0.3, 0.4]


async def test_a_pause_holds_everybody_and_no_slot(clock: Time) -> None:
    throttle = clock.throttle(Limits(max_in_flight=1))
    throttle.pause(5.0)
    throttle.pause(2.0)

    async with throttle.slot(Kind.PAID):
        assert clock.now == 105.0


async def test_a_pause_that_begins_in_the_queue_is_waited_out(clock: Time) -> None:
    """Whoever was in line when it began gives the slot back and waits."""
    throttle = clock.throttle(Limits(max_in_flight=1))
    entered_at: list[float] = []

    async def call() -> None:
        async with throttle.slot(Kind.PAID):
            entered_at.append(clock.now)

    async with throttle.slot(Kind.PAID):
        waiting = asyncio.create_task(call())
        await asyncio.sleep(0)
        throttle.pause(3.0)
    await waiting

    assert entered_at == [103.0]


async def test_a_pause_that_begins_while_the_rate_holds_us_is_waited_out(clock: Time) -> None:
    """The second request waits a tenth of a second for its turn, and meanwhile the service asks for three seconds."""
    paused: list[float] = []
    starts: list[float] = []

    async def sleep(seconds: float) -> None:
        await clock.sleep(seconds)
        if not paused:
            paused.append(seconds)
            throttle.pause(3.0)

    throttle = Throttle(Limits(rate=10.0), clock=clock.monotonic, sleep=sleep)
    for _ in range(2):
        async with throttle.slot(Kind.READ):
            starts.append(round(clock.now - 100.0, 6))

    assert [round(seconds, 6) for seconds in paused] == [0.1]
    assert starts[0] == 0.0
    assert starts[1] >= 3.1


def test_a_throttle_serves_one_loop_after_another() -> None:
    throttle = Throttle(Limits(max_in_flight=2))

    assert [asyncio.run(most_at_once(throttle, Kind.PAID, 6)) for _ in range(3)] == [2, 2, 2]


async def test_a_caller_that_goes_away_in_the_queue_takes_no_slot_with_it() -> None:
    throttle = Throttle(Limits(max_in_flight=1))

    async def call() -> None:
        async with throttle.slot(Kind.READ):
            await asyncio.sleep(0)

    for victim in range(6):
        calls = [asyncio.create_task(call()) for _ in range(6)]
        await asyncio.sleep(0)
        calls[victim].cancel()
        await asyncio.gather(*calls, return_exceptions=True)

    assert await most_at_once(throttle, Kind.READ, 3) == 1
