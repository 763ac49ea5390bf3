"""However a fan-out is left, nothing goes on behind it: no task, no key pulled, no warning. No HTTP."""

import asyncio
import subprocess
import sys
from contextlib import aclosing

import pytest
from fanout_jobs import Jobs, Keys, others, turns

from voicedrop_async.fanout import each


class Left:
    """A fan-out whose job 0 is done, and whose jobs 1 and 2 would never end; what must be true when it was left."""

    def __init__(self):
        self.before = others()
        self.jobs, self.keys = Jobs(), Keys(1000)
        self.jobs.end(0)
        self.outcomes = each("ids", self.keys.slowly(), self.jobs, concurrency=3)

    async def first(self):
        outcome = await anext(self.outcomes)
        await self.jobs.until_begun(3)
        return outcome

    def check(self, begun=3):
        """One more is begun when the loop has come back for the second outcome."""
        assert others() == self.before
        assert (sorted(self.jobs.cancelled), self.jobs.at_work) == ([*range(1, begun)], 0)
        assert self.keys.closed.is_set()
        assert self.keys.pulled == begun


async def test_closing_it_leaves_nothing_at_once():
    left = Left()
    await left.first()
    await left.outcomes.aclose()
    left.check()
    await left.outcomes.aclose()
    assert [outcome async for outcome in left.outcomes] == []


async def test_an_exception_in_the_body_leaves_nothing_when_it_is_held_by_aclosing():
    left = Left()

    async def walk():
        async with aclosing(left.outcomes):
            await left.first()
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await walk()
    left.check()


async def test_a_break_leaves_nothing_after_a_few_turns():
    """Python itself closes a generator that nobody holds any more."""
    left = Left()
    outcomes, left.outcomes = left.outcomes, None
    async for _outcome in outcomes:
        await left.jobs.until_begun(3)
        break
    del outcomes
    await left.keys.closed.wait()
    await turns()
    left.check()


async def test_a_timeout_leaves_nothing():
    left = Left()
    await left.first()
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.01):
            await anext(left.outcomes)
    left.check(begun=4)


@pytest.mark.parametrize("again", [False, True])
async def test_a_cancellation_leaves_nothing_also_when_it_comes_twice(again):
    """The second one finds us seeing off what the first one ended."""
    left = Left()
    await left.first()
    waiting = asyncio.ensure_future(anext(left.outcomes))
    await left.jobs.until_begun(4)
    waiting.cancel()
    if again:
        await turns(1)
        waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    left.check(begun=4)


async def test_keys_that_swallow_the_cancellation_begin_nothing_more():
    """``asyncio.wait_for`` of Python 3.11 does, when its value comes at the same moment."""
    before, jobs, closed = others(), Jobs(), []

    async def keys():
        try:
            yield 0
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                yield 1
        finally:
            closed.append(True)

    jobs.end(0)
    outcomes = each("ids", keys(), jobs, concurrency=3)
    await anext(outcomes)
    async with asyncio.timeout(5):
        await outcomes.aclose()
    assert (jobs.begun, closed, others()) == ([0], [True], before)


@pytest.mark.parametrize("patience", range(40))
async def test_a_cancellation_after_any_number_of_turns_leaves_nothing(patience):
    """Before the first key, between keys, while outcomes wait, at the end."""
    before, keys, jobs = others(), Keys(4), Jobs(open=True)
    outcomes = each("ids", keys.slowly(), jobs, concurrency=2)

    async def walk():
        async with aclosing(outcomes):
            return [outcome.key async for outcome in outcomes]

    walking = asyncio.ensure_future(walk())
    await turns(patience)
    walking.cancel()
    _, pending = await asyncio.wait([walking], timeout=5)
    assert not pending
    assert walking.cancelled() or walking.result() == [0, 1, 2, 3]
    assert others() == before
    assert jobs.at_work == 0
    assert keys.closed.is_set() or keys.pulled == 0


async def test_a_finished_job_that_nobody_took_says_nothing(caplog):
    """Its error is not called forgotten, either."""
    jobs = Jobs()
    for key, error in enumerate([None, LookupError("never looked at"), None]):
        jobs.end(key, error)
    outcomes = each("ids", range(3), jobs, concurrency=3)
    await anext(outcomes)
    await turns()
    await outcomes.aclose()
    assert [record.getMessage() for record in caplog.records if not record.getMessage().startswith("Executing ")] == []  # slow, at times


END = """
import asyncio
from voicedrop_async.fanout import each

async def job(key):
    await asyncio.sleep(1000 * key)

async def keys():
    try:
        for key in range(1000):
            yield key
    finally:
        await asyncio.sleep(0)
        print("closed")

async def main():
    outcomes = each("ids", keys(), job, concurrency=3)
    async for outcome in outcomes:
        break
    {last}

asyncio.run(main())
"""


@pytest.mark.parametrize("last", ["pass", "del outcomes", "globals()['kept'] = outcomes", "raise SystemExit(0)"])
async def test_a_program_that_ends_in_the_middle_of_it_ends_without_a_word(last):
    program = await asyncio.create_subprocess_exec(
        *(sys.executable, "-X", "dev", "-W", "error", "-c", END.format(last=last)), stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    printed, complaints = await program.communicate()
    assert (program.returncode, printed.decode(), complaints.decode()) == (0, "closed\n", "")
