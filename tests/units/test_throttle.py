"""Slots and the line before them, in virtual time: nobody waits for a clock."""

import asyncio

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from throttle_line import Callers, most_at_once, throttle
from virtual_time import here, in_virtual_time

from voicedrop_async import ConfigError, Kind, Limits, SessionClosed, Throttle, ThrottleSnapshot
from voicedrop_async.throttle._gate import Gate


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


@in_virtual_time
async def test_reading_leaves_room_for_sending() -> None:
    """Five readers share the one slot they may have for ever; a send comes late and goes at once."""
    callers = Callers(throttle(Limits(max_in_flight=2)))
    for number in range(5):
        callers.come(number, stays=1e6)
    await asyncio.sleep(1.0)

    await callers.come("send", Kind.PAID)

    assert callers.names == [0, "send"]
    assert callers.throttle.snapshot() == ThrottleSnapshot(in_flight=1, waiting=4, rate=None, rate_limit=None, paused_for=0.0)


@in_virtual_time
async def test_who_came_first_goes_first_whatever_they_do() -> None:
    """For a slot that both may have, a send that came later waits longer."""
    callers = Callers(throttle(Limits(max_in_flight=1)))
    for name, kind in (("a", Kind.READ), ("b", Kind.PAID), ("c", Kind.READ), ("d", Kind.CANCEL), ("e", Kind.PAID), ("f", Kind.READ)):
        callers.come(name, kind, stays=1.0)
        await asyncio.sleep(0)
    await callers.done()

    assert callers.names == ["a", "b", "c", "d", "e", "f"]


@in_virtual_time
async def test_who_comes_as_a_slot_gets_free_does_not_overtake() -> None:
    callers = Callers(throttle(Limits(max_in_flight=1)))
    async with callers.throttle.slot(Kind.PAID):
        callers.come("waited")
        await asyncio.sleep(0)
    async with callers.throttle.slot(Kind.PAID):
        assert callers.names == ["waited"]

    await callers.done()


@in_virtual_time
async def test_the_order_outlasts_a_pause_and_a_rate() -> None:
    """Some come before the pause, some while it is on, some in the instant in which it ends."""
    callers = Callers(throttle(Limits(max_in_flight=1, rate=2.0)))
    callers.come(0, stays=0.1)
    callers.come(1, stays=0.1)
    await asyncio.sleep(0.05)
    callers.throttle.pause(5.0)
    callers.come(2)
    await asyncio.sleep(1.0)
    callers.come(3, Kind.PAID)
    await asyncio.sleep(4.0)
    callers.come(4)
    await callers.done()

    assert callers.names == [0, 1, 2, 3, 4]


@in_virtual_time
async def test_a_pause_holds_everybody_and_no_slot() -> None:
    line = throttle(Limits(max_in_flight=1))
    line.pause(5.0)
    line.pause(2.0)
    assert line.snapshot().paused_for == 5.0
    began = here().time()

    async with line.slot(Kind.PAID):
        assert here().time() - began == 5.0
        assert line.snapshot().paused_for == 0.0


@in_virtual_time
async def test_a_pause_that_begins_while_we_are_in_line_is_waited_out() -> None:
    callers = Callers(throttle(Limits(max_in_flight=1)))
    began = here().time()
    async with callers.throttle.slot(Kind.PAID):
        callers.come("waited")
        await asyncio.sleep(1.0)
        callers.throttle.pause(3.0)
    await callers.done()

    assert callers.since(began) == [4.0]


@in_virtual_time
async def test_a_pause_that_grows_while_it_is_waited_out_is_waited_out_to_its_end() -> None:
    callers = Callers(throttle(Limits()))
    began = here().time()
    callers.throttle.pause(1.0)
    callers.come("waited")
    await asyncio.sleep(0.5)
    callers.throttle.pause(3.0)
    await callers.done()

    assert callers.since(began) == [3.5]


@in_virtual_time
async def test_five_hundred_who_wait_cost_no_polling() -> None:
    """An hour of pause: one timer for all of them, and the loop goes round a few times, not once a tick."""
    callers = Callers(throttle(Limits()))
    callers.throttle.pause(3600.0)
    for number in range(500):
        callers.come(number)
    await asyncio.sleep(0)
    turns = here().turns

    assert here().timers == 1
    await callers.tasks[0]
    assert here().turns - turns <= 5

    await callers.done()
    assert callers.names == list(range(500))
    assert here().timers == 0


@in_virtual_time
async def test_five_hundred_who_wait_for_a_slot_cost_nothing_until_it_is_free() -> None:
    """An hour behind one who holds the slot: no timer but its own, and the loop stands still."""
    callers = Callers(throttle(Limits(max_in_flight=1)))
    first = callers.come("holds it", stays=3600.0)
    for number in range(500):
        callers.come(number)
    await asyncio.sleep(0)
    turns = here().turns

    assert (here().timers, callers.throttle.snapshot().waiting) == (1, 500)
    await first
    assert here().turns - turns <= 5

    await callers.done()
    assert callers.names == ["holds it", *range(500)]


@pytest.mark.parametrize("victim", range(6))
@in_virtual_time
async def test_a_caller_that_goes_away_in_line_takes_no_slot_with_it(victim: int) -> None:
    """The first of them holds the slot, the others wait for it."""
    callers = Callers(throttle(Limits(max_in_flight=1)))
    for number in range(6):
        callers.come(number, stays=1.0)
    await asyncio.sleep(0.5)
    callers.tasks[victim].cancel()
    await callers.done()

    assert [name for name in callers.names if name != victim] == [number for number in range(6) if number != victim]
    assert await most_at_once(callers.throttle, Kind.READ, 3) == 1


@in_virtual_time
async def test_a_caller_cancelled_in_the_instant_it_is_let_in_hands_its_slot_on() -> None:
    callers = Callers(throttle(Limits(max_in_flight=1)))
    async with callers.throttle.slot(Kind.PAID):
        late = callers.come("cancelled")
        callers.come("next")
        await asyncio.sleep(0)
    late.cancel()  # the slot is its own since a moment, and it has not run yet
    await callers.done()

    assert late.cancelled()
    assert callers.names == ["next"]
    assert callers.throttle.snapshot().in_flight == 0


@in_virtual_time
async def test_a_slot_that_gets_free_as_the_first_in_line_goes_away_is_the_next_one_s() -> None:
    callers = Callers(throttle(Limits(max_in_flight=1)))
    async with callers.throttle.slot(Kind.PAID):
        late = callers.come("cancelled")
        callers.come("next")
        await asyncio.sleep(0)
        late.cancel()  # its turn is over, though it has not run yet
    await callers.done()

    assert callers.names == ["next"]


@in_virtual_time
async def test_all_free_slots_are_given_at_once_when_a_pause_is_over() -> None:
    """In the same round of the loop, whoever holds it up."""
    line, rounds = throttle(Limits()), []
    line.pause(1.0)

    async def call() -> None:
        async with line.slot(Kind.PAID):
            rounds.append(here().turns)
            await asyncio.sleep(1.0)

    await asyncio.gather(*(call() for _ in range(8)))

    assert len(set(rounds)) == 1


@pytest.mark.parametrize("kind", Kind)
@in_virtual_time
async def test_who_gives_up_in_a_pause_leaves_no_timer_behind(kind: Kind) -> None:
    callers = Callers(throttle(Limits()))
    callers.throttle.pause(60.0)
    for number in range(3):
        callers.come(number, kind)
    await asyncio.sleep(0)
    for task in callers.tasks:
        task.cancel()
    await callers.done()

    assert here().timers == 0
    assert callers.throttle.snapshot().waiting == 0


@pytest.mark.parametrize("victim", [0, 1, 2])
@in_virtual_time
async def test_who_gives_up_in_a_pause_leaves_the_others_their_start(victim: int) -> None:
    callers = Callers(throttle(Limits()))
    began = here().time()
    callers.throttle.pause(60.0)
    for number in range(3):
        callers.come(number)
    await asyncio.sleep(0)
    callers.tasks[victim].cancel()
    await callers.done()

    assert callers.names == [number for number in range(3) if number != victim]
    assert callers.since(began) == [60.0, 60.0]


@pytest.mark.parametrize(("kind", "free"), [(Kind.READ, 1), (Kind.TOKEN, 2), (Kind.PAID, 2), (Kind.CANCEL, 2)])
@in_virtual_time
async def test_only_reading_keeps_off_what_is_reserved_for_sending(kind: Kind, free: int) -> None:
    assert await most_at_once(throttle(Limits(max_in_flight=2)), kind, 5) == free


@in_virtual_time
async def test_a_snapshot_tells_who_holds_who_waits_and_how_long_the_pause_is() -> None:
    callers = Callers(throttle(Limits(max_in_flight=2, rate=10.0)))
    assert callers.throttle.snapshot() == ThrottleSnapshot(in_flight=0, waiting=0, rate=10.0, rate_limit=10.0, paused_for=0.0)

    callers.come("reads", stays=5.0)
    await asyncio.sleep(0)
    callers.throttle.pause(3.0)
    for kind in (Kind.READ, Kind.PAID, Kind.CANCEL):
        callers.come(kind, kind)
    await asyncio.sleep(1.0)

    assert callers.throttle.snapshot() == ThrottleSnapshot(in_flight=1, waiting=3, rate=10.0, rate_limit=10.0, paused_for=2.0)
    await callers.done()
    assert callers.names == ["reads", Kind.PAID, Kind.CANCEL, Kind.READ]


@in_virtual_time
async def test_who_comes_as_a_pause_ends_does_not_overtake() -> None:
    """The pause is over and the timer that says so is late."""
    callers = Callers(throttle(Limits(max_in_flight=1)))
    callers.throttle.pause(1.0)
    callers.come("first")
    await asyncio.sleep(0)
    here().stall(2.0)
    callers.come("second")
    await callers.done()

    assert callers.names == ["first", "second"]


def test_a_gate_opens_at_the_very_moment_at_which_a_pause_ends_and_a_turn_comes() -> None:
    gate = Gate(4.0)
    gate.pause(100.0, 60.0)

    assert [gate.passes(now) for now in (159.9, 160.0, 160.2, 160.25, 160.4, 160.5)] == [False, True, False, True, False, True]
    assert (gate.opens_at(160.6), gate.resume_at) == (160.75, 160.0)


@in_virtual_time
async def test_a_shorter_pause_does_not_end_a_longer_one() -> None:
    line = throttle(Limits())
    line.pause(60.0)
    line.pause(1.0)

    assert line.snapshot().paused_for == 60.0


@pytest.mark.parametrize("limits", [Limits(max_in_flight=1), Limits(rate=1.0)])
@in_virtual_time
async def test_of_two_owners_in_line_one_is_sent_away_and_the_other_moves_up(limits: Limits) -> None:
    """As if the first had never come: no slot and no turn is lost, and none is gained by those who hold one."""
    callers = Callers(throttle(limits))
    began = here().time()
    holder = callers.come("holds it", stays=0.5, owner="goes")
    leaving = [callers.come(number, kind, owner="goes") for number, kind in enumerate((Kind.READ, Kind.PAID, Kind.CANCEL))]
    callers.come("stays", owner="stays")
    callers.come("nobody's")
    await asyncio.sleep(0.25)
    callers.throttle.dismiss("goes")
    callers.throttle.dismiss("goes")
    await asyncio.wait(leaving)

    assert here().time() - began == 0.25
    assert {type(task.exception()) for task in leaving} == {SessionClosed}
    await holder
    await callers.done()
    assert callers.names == ["holds it", "stays", "nobody's"]
    assert callers.since(began) == ([0.0, 1.0, 2.0] if limits.rate else [0.0, 0.5, 0.5])
    assert (callers.throttle.snapshot().in_flight, callers.throttle.snapshot().waiting, here().timers) == (0, 0, 0)


@in_virtual_time
async def test_whose_owner_goes_in_the_instant_of_its_turn_leaves_the_turn_to_the_next() -> None:
    callers = Callers(throttle(Limits(rate=1.0)))
    began = here().time()
    callers.come("first")
    late = callers.come("dismissed", owner="goes")
    callers.come("next")
    here().call_at(began + 1.0 + 1e-10, callers.throttle.dismiss, "goes")  # in the same round of the loop, after it was let in
    await callers.done()

    assert isinstance(late.exception(), SessionClosed)
    assert callers.names == ["first", "next"]
    assert callers.since(began) == [0.0, 1.0]


@in_virtual_time
async def test_an_owner_that_was_sent_away_may_come_again() -> None:
    callers = Callers(throttle(Limits(max_in_flight=1)))
    callers.throttle.dismiss("one that never came")
    async with callers.throttle.slot(Kind.READ, "goes"):
        callers.throttle.dismiss("goes")
        callers.come("comes again", owner="goes")
    await callers.done()

    assert callers.names == ["comes again"]


def test_nobody_is_sent_away_in_a_loop_that_ended() -> None:
    line = Throttle(Limits(max_in_flight=1))

    async def hold() -> None:
        async with line.slot(Kind.READ, "one"):
            pass

    asyncio.run(hold())
    line.dismiss("one")

    asyncio.run(hold())


@settings(deadline=None, max_examples=50)
@given(
    st.lists(st.tuples(st.sampled_from([Kind.READ, Kind.PAID]), st.floats(0, 3), st.floats(0, 2), st.booleans()), max_size=25),
    st.integers(1, 4),
    st.sampled_from([None, 3.0]),
)
def test_any_mixture_of_callers_that_come_and_go_leaves_nothing_behind(
    plan: list[tuple[Kind, float, float, bool]], slots: int, rate: float | None
) -> None:
    """Each comes after a while and stays a while; some are cancelled, in line or at work. Of a kind, nobody is overtaken."""

    @in_virtual_time
    async def check() -> None:
        callers = Callers(throttle(Limits(max_in_flight=slots, rate=rate)))
        for number, (kind, stays, gap, is_cancelled) in enumerate(plan):
            task = callers.come((kind, number), kind, stays=stays)
            if is_cancelled:
                here().call_later(gap * 2, task.cancel)
            await asyncio.sleep(gap)
        await callers.done()
        now = callers.throttle.snapshot()

        assert (now.in_flight, now.waiting) == (0, 0)
        for kind in (Kind.READ, Kind.PAID):
            of_kind = [name for name in callers.names if isinstance(name, tuple) and name[0] is kind]
            assert of_kind == sorted(of_kind, key=lambda name: name[1])
        assert await most_at_once(callers.throttle, Kind.PAID, slots + 2) == (slots if rate is None else 1)

    check()


def test_a_throttle_serves_one_loop_after_another() -> None:
    line = Throttle(Limits(max_in_flight=2))

    assert [asyncio.run(most_at_once(line, Kind.PAID, 6)) for _ in range(3)] == [2, 2, 2]


def test_a_slot_of_a_loop_that_ended_is_not_missing_in_the_next() -> None:
    """The first loop stops while one slot is held and another caller waits for it."""
    line = Throttle(Limits(max_in_flight=1))

    async def hold() -> None:
        async with line.slot(Kind.PAID):
            await asyncio.Event().wait()

    first = asyncio.new_event_loop()
    tasks = [first.create_task(hold()), first.create_task(hold())]
    first.run_until_complete(asyncio.sleep(0))
    try:
        assert (line.snapshot().in_flight, line.snapshot().waiting) == (1, 1)
        assert asyncio.run(most_at_once(line, Kind.PAID, 3)) == 1
        assert (line.snapshot().in_flight, line.snapshot().waiting) == (0, 0)
    finally:
        for task in tasks:
            task.cancel()
        first.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
        first.close()


def test_a_pause_goes_on_in_the_next_loop() -> None:
    """It is the service's, not the loop's."""
    line = Throttle()

    async def pause() -> None:
        line.pause(60.0)

    async def enter() -> None:
        async with asyncio.timeout(0.01), line.slot(Kind.READ):
            pass

    asyncio.run(pause())
    with pytest.raises(TimeoutError):
        asyncio.run(enter())


def test_limits_that_are_none_are_refused() -> None:
    with pytest.raises(ConfigError, match="limits"):
        Throttle(8)
