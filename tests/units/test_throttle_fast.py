"""High rates: reached although timers are late, never exceeded in any second, and nothing is saved up for a burst."""

import asyncio
from collections.abc import Iterator
from math import ceil

import pytest
from hypothesis import given
from hypothesis import strategies as st
from throttle_line import Callers, throttle
from virtual_time import here, in_virtual_time

from voicedrop_async import Kind, Limits
from voicedrop_async.throttle._gate import Gate


def in_a_second(starts: list[float], seconds: float = 1.0) -> int:
    """How many starts the second that holds most of them holds; what is a second later is in the next one."""
    first = most = 0
    for place, start in enumerate(starts):
        while start - starts[first] >= seconds:
            first += 1
        most = max(most, place - first + 1)
    return most


@pytest.mark.parametrize("rate", [200.0, 1000.0])
@in_virtual_time
async def test_a_high_rate_is_reached_though_timers_are_late(rate: float) -> None:
    """They wake on whole steps of 1.7 ms, as epoll's do on milliseconds; ten seconds of starts take ten seconds all the same."""
    here().wake_on_whole(0.0017)
    callers = Callers(throttle(Limits(max_in_flight=100, rate=rate)))
    began = here().time()
    for number in range(int(rate) * 10):
        callers.come(number)
    await callers.done()

    assert callers.starts[-1] - began == pytest.approx(10.0, abs=0.1)
    assert in_a_second(callers.starts) == rate


@in_virtual_time
async def test_whose_turns_came_while_the_loop_was_busy_start_together() -> None:
    """Five milliseconds late, at one start a millisecond: six of them at once, and then each at its own turn again."""
    callers = Callers(throttle(Limits(max_in_flight=100, rate=1000.0)))
    began = here().time()
    for number in range(12):
        callers.come(number)
    here().call_at(began + 0.0009, here().stall, 0.0051)
    await callers.done()

    assert callers.since(began) == [0.0, *[0.006] * 6, 0.007, 0.008, 0.009, 0.01, 0.011]


@in_virtual_time
async def test_of_a_long_delay_only_the_last_hundredth_of_a_second_is_made_good() -> None:
    callers = Callers(throttle(Limits(max_in_flight=100, rate=1000.0)))
    began = here().time()
    for number in range(15):
        callers.come(number)
    here().call_at(began + 0.0005, here().stall, 0.4995)
    await callers.done()

    assert callers.since(began) == [0.0, *[0.5] * 11, 0.501, 0.502, 0.503]


@in_virtual_time
async def test_a_pause_is_not_saved_up() -> None:
    """The first starts as it ends, and the others at the rate."""
    callers = Callers(throttle(Limits(max_in_flight=100, rate=1000.0)))
    callers.throttle.pause(5.0)
    began = here().time()
    for number in range(5):
        callers.come(number)
    await callers.done()

    assert callers.since(began) == [5.0, 5.001, 5.002, 5.003, 5.004]


@in_virtual_time
async def test_time_without_a_slot_is_not_saved_up() -> None:
    """Three slots are given back in the same instant, a second after the next turn had come."""
    callers = Callers(throttle(Limits(max_in_flight=3, rate=1000.0, send_reserve=0)))
    release = asyncio.Event()

    async def hold() -> None:
        async with callers.throttle.slot(Kind.READ):
            await release.wait()

    holders = [asyncio.create_task(hold()) for _ in range(3)]
    for number in range(3):
        callers.come(number)
    await asyncio.sleep(1.0)
    began = here().time()
    release.set()
    await asyncio.gather(*holders)
    await callers.done()

    assert callers.since(began) == [0.0, 0.001, 0.002]


@in_virtual_time
async def test_turns_of_those_who_gave_up_are_not_saved_up() -> None:
    """Nobody waits any more; a second later three come at once."""
    callers = Callers(throttle(Limits(max_in_flight=100, rate=200.0)))
    callers.come("first")
    late = callers.come("gives up")
    await asyncio.sleep(0.001)
    late.cancel()
    await asyncio.sleep(1.0)
    here().stall(0.02)
    began = here().time()
    for number in range(3):
        callers.come(number)
    await callers.done()

    assert callers.since(began)[1:] == [0.0, 0.005, 0.01]


@in_virtual_time
async def test_those_cancelled_as_they_are_let_in_together_leave_their_turns_to_the_next() -> None:
    """Six are let in at once, and three of them are gone before they wake."""
    callers = Callers(throttle(Limits(max_in_flight=100, rate=1000.0)))
    began = here().time()
    tasks = [callers.come(number) for number in range(12)]
    here().call_at(began + 0.0009, here().stall, 0.0051)
    for task in tasks[2:5]:
        here().call_at(began + 0.001 + 1e-10, task.cancel)  # due by now, and after the line's own timer
    await callers.done()

    assert callers.names == [0, 1, *range(5, 12)]
    assert callers.since(began) == [0.0, *[0.006] * 6, 0.007, 0.008]
    assert (callers.throttle.snapshot().in_flight, callers.throttle.snapshot().waiting) == (0, 0)


def starts_of(gate: Gate, plan: list[tuple[float, int, float]]) -> Iterator[float]:
    """Come after each gap, as many at once, and wake a while after being let in: by what the gate says, without a loop."""
    now = 1000.0
    for gap, count, late in plan:
        now += gap
        if count == 0:
            if gate.passes(now):
                yield now
            continue
        ahead = 0
        while ahead < count and gate.opens_at(now, ahead) <= now:
            ahead += 1
        now += late
        for _ in range(ahead):
            gate.start(now)
            yield now


@given(
    st.sampled_from([0.4, 1.0, 2.5, 3.0, 50.0, 200.0]),
    st.lists(st.tuples(st.floats(0, 0.4) | st.floats(0, 0.01), st.integers(0, 20), st.floats(0, 0.1)), max_size=400),
)
def test_no_second_holds_more_than_the_rate(rate: float, plan: list[tuple[float, int, float]]) -> None:
    """Whenever callers come, however many, and however late they wake; of a rate below one, no two seconds and a half."""
    places = ceil(rate)
    starts = list(starts_of(Gate(rate), plan))

    assert in_a_second(starts, places / rate - 1e-9) <= places


def test_a_rate_beyond_all_measure_remembers_no_more_than_it_must() -> None:
    gate = Gate(1e9)

    assert all(gate.passes(1000.0 + number / 1e6) for number in range(20_000))
    assert len(gate._starts) == 10_000
