"""The rate: even, held in every second, lower after a 429 and slowly back. In virtual time."""

import asyncio

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from throttle_line import Callers, busiest_second, throttle
from virtual_time import here, in_virtual_time

from voicedrop_async import Kind, Limits, Throttle


def rate_of(line: Throttle) -> float:
    rate = line.snapshot().rate
    assert rate is not None
    return round(rate, 6)


@in_virtual_time
async def test_requests_start_evenly_at_the_rate() -> None:
    callers = Callers(throttle(Limits(rate=10.0)))
    began = here().time()
    for number in range(5):
        callers.come(number)
    await callers.done()

    assert callers.since(began) == [0.0, 0.1, 0.2, 0.3, 0.4]


@in_virtual_time
async def test_turns_come_while_others_hold_their_slots() -> None:
    callers = Callers(throttle(Limits(rate=10.0)))
    began = here().time()
    for number in range(5):
        callers.come(number, stays=60.0)
    await callers.done()

    assert callers.since(began) == [0.0, 0.1, 0.2, 0.3, 0.4]


@in_virtual_time
async def test_who_comes_between_the_turn_of_another_and_its_start_waits_for_the_next_turn() -> None:
    callers = Callers(throttle(Limits(rate=4.0)))
    began = here().time()

    async def come_late() -> None:
        await asyncio.sleep(0.25 - 1e-10)  # in the round of the loop in which the second is let in, and awake before it
        async with callers.throttle.slot(Kind.READ):
            callers.names.append("late")
            callers.starts.append(here().time())

    here().call_at(began + 0.25 - 2e-10, here().stall, 0.01)
    callers.come("first")
    callers.come("second")
    await come_late()
    await callers.done()

    assert callers.names == ["first", "second", "late"]
    assert callers.since(began) == [0.0, 0.26, 0.5]


@in_virtual_time
async def test_time_in_which_nobody_came_is_not_saved_up() -> None:
    callers = Callers(throttle(Limits(rate=10.0)))
    await callers.come("first")
    await asyncio.sleep(60.0)
    began = here().time()
    for number in range(3):
        callers.come(number)
    await callers.done()

    assert callers.since(began)[1:] == [0.0, 0.1, 0.2]


@in_virtual_time
async def test_a_loop_that_wakes_us_a_little_late_does_not_lower_the_rate() -> None:
    """Each start is 20 ms late, and the next one is not later for that: 100 of them take ten seconds, not twelve."""
    callers = Callers(throttle(Limits(rate=10.0)))
    began = here().time()
    for number in range(101):
        callers.come(number)
    for _ in range(100):
        await asyncio.sleep(0.1)
        here().stall(0.02)
    await callers.done()

    assert 10.0 <= callers.starts[-1] - began <= 10.2


@settings(deadline=None, max_examples=50)
@given(
    st.sampled_from([1.0, 3.0, 20.0, 50.0]),
    st.lists(st.tuples(st.floats(0, 0.3), st.integers(0, 20), st.floats(0, 0.5)), min_size=1, max_size=12),
)
def test_no_second_holds_more_than_the_rate_and_one(rate: float, plan: list[tuple[float, int, float]]) -> None:
    """Whenever callers come, and however often the loop is held up by others."""

    @in_virtual_time
    async def check() -> None:
        callers = Callers(throttle(Limits(max_in_flight=100, rate=rate)))
        callers.come("first")
        for gap, count, stall in plan:
            await asyncio.sleep(gap)
            for number in range(count):
                callers.come(number)
            here().stall(stall)
        await callers.done()

        assert busiest_second(callers.starts) <= rate + 1

    check()


@in_virtual_time
async def test_callers_who_give_up_leave_no_hole_in_the_rate() -> None:
    """A hundred wait for their turns, a minute and a half altogether, and go; who comes then waits for one turn."""
    callers = Callers(throttle(Limits(rate=1.0)))
    began = here().time()
    for number in range(100):
        callers.come(number)
    await asyncio.sleep(2.5)
    for task in callers.tasks:
        task.cancel()
    await callers.done()
    await callers.come("late")

    assert callers.since(began) == [0.0, 1.0, 2.0, 3.0]


@in_virtual_time
async def test_a_caller_cancelled_in_the_instant_of_its_turn_leaves_the_turn_to_the_next() -> None:
    callers = Callers(throttle(Limits(rate=1.0)))
    began = here().time()
    callers.come("first")
    late = callers.come("cancelled")
    callers.come("next")
    here().call_at(began + 1.0 + 1e-10, late.cancel)  # in the same round of the loop, after it was let in
    await callers.done()

    assert callers.names == ["first", "next"]
    assert callers.since(began) == [0.0, 1.0]


@in_virtual_time
async def test_a_loop_held_up_before_a_caller_wakes_starts_nobody_together_with_it() -> None:
    """The first is let in at its turn, and runs half a second later; the next has its own turn after that."""
    callers = Callers(throttle(Limits(rate=4.0)))
    began = here().time()
    for number in range(3):
        callers.come(number)
    here().call_at(began + 0.25 + 1e-10, here().stall, 0.5)
    await callers.done()

    assert callers.since(began) == [0.0, 0.75, pytest.approx(0.875, abs=0.001)]


@in_virtual_time
async def test_a_429_halves_the_rate_and_each_second_gives_a_hundredth_back() -> None:
    line = throttle(Limits(rate=40.0))
    seen = []

    line.slow_down(0.0, 0)
    for _ in range(7):
        seen.append(rate_of(line))
        await asyncio.sleep(10.0)

    assert seen == [20.0, 24.0, 28.0, 32.0, 36.0, 40.0, 40.0]
    assert line.snapshot().rate_limit == 40.0


@in_virtual_time
async def test_the_refusals_of_one_burst_lower_the_rate_once() -> None:
    """Eight requests are under way when the first is refused; the other seven started at the old rate as well."""
    line = throttle(Limits(rate=40.0))
    turns = []
    for _ in range(8):
        async with line.slot(Kind.READ) as lowered:
            turns.append(lowered)

    for lowered in turns:
        line.slow_down(0.0, lowered)
    assert rate_of(line) == 20.0

    async with line.slot(Kind.READ) as lowered:
        line.slow_down(0.0, lowered)
    assert 10.0 <= rate_of(line) < 10.1


@in_virtual_time
async def test_a_caller_whose_turn_had_come_before_a_429_does_not_lower_the_rate_again() -> None:
    """Its turn has come, and it has not woken yet, when another's 429 does; it is refused as well, for the same old rate."""
    line, turns = throttle(Limits(rate=4.0)), []

    async def call() -> None:
        async with line.slot(Kind.READ) as lowered:
            turns.append((here().time(), lowered))

    began = here().time()
    await call()
    here().call_at(began + 0.25 + 1e-10, line.slow_down, 0.0, 0)  # in the round of the loop in which the second is let in
    await call()

    assert turns == [(began, 0), (pytest.approx(began + 0.25), 0)]
    assert line.snapshot().rate == pytest.approx(2.0)
    line.slow_down(0.0, turns[1][1])
    assert line.snapshot().rate == pytest.approx(2.0)


@in_virtual_time
async def test_a_slot_tells_how_often_the_rate_had_been_lowered() -> None:
    line, told = throttle(Limits(rate=40.0)), []
    for _ in range(3):
        async with line.slot(Kind.READ) as lowered:
            told.append(lowered)
            line.slow_down(0.0, lowered)

    assert told == [0, 1, 2]


@in_virtual_time
async def test_the_rate_falls_to_a_tenth_and_no_further() -> None:
    line = throttle(Limits(rate=40.0))

    for lowered in range(50):
        line.slow_down(0.0, lowered)

    assert rate_of(line) == 4.0


@in_virtual_time
async def test_nothing_is_given_back_while_the_service_wants_quiet() -> None:
    line = throttle(Limits(rate=40.0))

    line.slow_down(30.0, 0)
    await asyncio.sleep(30.0)
    assert rate_of(line) == 20.0
    await asyncio.sleep(10.0)
    assert rate_of(line) == 24.0


@in_virtual_time
async def test_a_lower_rate_holds_for_those_who_wait_already() -> None:
    callers = Callers(throttle(Limits(rate=10.0)))
    began = here().time()
    for number in range(4):
        callers.come(number)
    await asyncio.sleep(0.05)
    callers.throttle.slow_down(0.0, 0)
    await callers.done()

    first, second, third, fourth = callers.since(began)
    assert (first, second) == (0.0, pytest.approx(0.2, abs=0.005))
    assert third - second == pytest.approx(0.2, abs=0.005)
    assert fourth - third == pytest.approx(0.2, abs=0.005)


@in_virtual_time
async def test_without_a_rate_a_429_is_a_pause_and_nothing_else() -> None:
    line = throttle(Limits())

    line.slow_down(2.0, 0)

    assert (line.snapshot().rate, line.snapshot().rate_limit, line.snapshot().paused_for) == (None, None, 2.0)


@in_virtual_time
async def test_a_client_set_too_fast_settles_near_what_the_service_allows() -> None:
    """The service takes five starts in any second, we are set to forty: after a minute few are refused, and work is done."""
    line, taken, refused = throttle(Limits(rate=40.0)), [], []

    async def call() -> None:
        async with line.slot(Kind.READ) as lowered:
            now = here().time()
            is_taken = sum(moment > now - 1.0 for moment in taken) < 5
            (taken if is_taken else refused).append(now)
            await asyncio.sleep(0.05)
        if not is_taken:
            line.slow_down(0.3, lowered)

    began = here().time()
    while here().time() < began + 120.0:
        await call()
    settled = [moment for moment in taken if moment > began + 60.0]

    assert len(settled) / 60.0 >= 3.0
    assert sum(moment > began + 60.0 for moment in refused) <= len(settled) / 5
