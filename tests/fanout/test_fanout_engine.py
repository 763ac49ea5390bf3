"""Many keys, one job: how far they are pulled, how many are at work, and what each comes to. No HTTP."""

import asyncio

import pytest
from fanout_jobs import Jobs, Keys, told, turns
from hypothesis import given, settings
from hypothesis import strategies as st

from voicedrop_async.errors import ConfigError, ConnectionLost, SessionClosed
from voicedrop_async.fanout import each

LOST = ConnectionLost(summary="cut", request="GET /voice/tracking/campaign/{tracking_id}")


async def test_each_key_has_its_outcome():
    outcomes = [outcome async for outcome in each("ids", ["a", "b", "a"], Jobs(open=True), concurrency=2)]
    assert sorted(told(outcomes)) == [("a", "value of a"), ("a", "value of a"), ("b", "value of b")]
    assert all(outcome.ok and outcome.error is None for outcome in outcomes)


async def test_no_keys_have_no_outcomes():
    assert [outcome async for outcome in each("ids", [], Jobs(), concurrency=2)] == []
    assert [outcome async for outcome in each("ids", Keys(0).slowly(), Jobs(), concurrency=2)] == []


@pytest.mark.parametrize("slowly", [False, True])
async def test_no_key_is_pulled_before_there_is_a_place_for_it(slowly):
    """Nor before the first outcome is asked for, nor while the loop is busy with one."""
    jobs, keys = Jobs(), Keys(1000)
    outcomes = each("ids", keys.slowly() if slowly else keys, jobs, concurrency=3)
    await turns()
    assert keys.pulled == 0

    first = asyncio.ensure_future(anext(outcomes))
    await jobs.until_begun(3)
    await turns()
    assert (keys.pulled, jobs.at_work) == (3, 3)

    jobs.end(1)
    assert (await first).key == 1
    await turns()
    assert (keys.pulled, jobs.at_work) == (3, 2)

    jobs.end(2)
    assert (await anext(outcomes)).key == 2
    await turns()
    assert (keys.pulled, jobs.at_work) == (4, 2)
    await outcomes.aclose()


async def test_outcomes_come_as_they_finish():
    jobs = Jobs()
    outcomes = each("ids", ["c", "d", "e"], jobs, concurrency=9)
    for key in ("e", "c", "d"):
        jobs.end(key)
        assert (await anext(outcomes)).key == key
    assert [outcome async for outcome in outcomes] == []


async def test_what_is_finished_is_handed_out_while_the_next_key_lets_us_wait():
    """As from a queue that is empty for an hour."""
    more = asyncio.Event()

    async def keys():
        yield "a"
        await more.wait()
        yield "b"

    outcomes = each("ids", keys(), Jobs(open=True), concurrency=5)
    assert (await anext(outcomes)).key == "a"
    more.set()
    assert [outcome.key async for outcome in outcomes] == ["b"]


async def test_with_one_at_a_time_they_come_in_order():
    """The next one begins when the loop comes back."""
    jobs, seen = Jobs(open=True), []
    async for outcome in each("ids", range(5), jobs, concurrency=1):
        await turns()
        assert jobs.begun[-1] == outcome.key
        seen.append(outcome.key)
    assert (seen, jobs.most_at_work) == ([0, 1, 2, 3, 4], 1)


async def test_one_that_fails_harms_no_other():
    jobs = Jobs()
    for key in range(4):
        jobs.end(key, LOST if key == 2 else None)
    outcomes = {outcome.key: outcome async for outcome in each("ids", range(4), jobs, concurrency=2)}
    assert [outcomes[key].ok for key in range(4)] == [True, True, False, True]
    assert outcomes[2].error is LOST
    with pytest.raises(ConnectionLost, match="cut"):
        _ = outcomes[2].value


@pytest.mark.parametrize("error", [SessionClosed(), ZeroDivisionError("a mistake in the job"), RuntimeError()])
async def test_what_is_no_single_key_s_fault_is_raised(error):
    """A closed session would fail every key to come; a mistake in the program is not hidden in an outcome."""
    jobs, keys = Jobs(), Keys(1000)
    jobs.end(1, error)
    with pytest.raises(type(error)) as caught:
        await anext(each("ids", keys, jobs, concurrency=3))
    assert caught.value is error
    assert (keys.pulled, sorted(jobs.cancelled)) == (3, [0, 2])


async def test_keys_that_raise_raise_out_of_the_loop():
    """What was finished by then is handed out first, what was begun is ended."""
    jobs, error = Jobs(), LookupError("the table of ids is gone")
    keys = Keys(3, error)
    jobs.end(0)
    outcomes = each("ids", keys.slowly(), jobs, concurrency=9)
    assert (await anext(outcomes)).key == 0
    with pytest.raises(LookupError) as caught:
        await anext(outcomes)
    assert caught.value is error
    assert (jobs.begun, sorted(jobs.cancelled), jobs.at_work) == ([0, 1, 2], [1, 2], 0)
    assert keys.closed.is_set()


async def test_keys_that_raise_without_waiting_end_what_was_begun_too():
    jobs, error = Jobs(), LookupError("the table of ids is gone")
    with pytest.raises(LookupError) as caught:
        await anext(each("ids", Keys(3, error), jobs, concurrency=9))
    assert caught.value is error
    assert (sorted(jobs.cancelled), jobs.at_work) == (jobs.begun, 0)


async def test_keys_that_belong_to_one_task_are_pulled_and_closed_by_one():
    """A generator may hold a timeout or a task group, which must be left in the task that entered it."""
    tasks = set()

    async def keys():
        async with asyncio.timeout(60):
            for key in range(10):
                tasks.add(asyncio.current_task())
                yield key
        tasks.add(asyncio.current_task())

    assert len([outcome async for outcome in each("ids", keys(), Jobs(open=True), concurrency=3)]) == 10
    assert len(tasks) == 1


async def test_an_iterator_that_is_no_generator_is_not_closed():
    """It is the caller's, and may be gone on with."""

    class Stream:
        def __aiter__(self):
            return self

        async def __anext__(self):
            return "key"

        async def aclose(self):
            closed.append(self)

    closed = []
    outcomes = each("ids", Stream(), Jobs(open=True), concurrency=2)
    assert (await anext(outcomes)).key == "key"
    await outcomes.aclose()
    assert closed == []


@pytest.mark.parametrize(
    ("keys", "concurrency", "words"),
    [
        ("an-id", 8, "ids: a single text"),
        (b"an-id", 8, "ids: a single text"),
        (5, 8, "ids: an int is no iterable"),
        (["a"], 0, "concurrency: 0 is below 1"),
        (["a"], True, "concurrency: a bool is no whole number"),
        (["a"], 2.0, "concurrency: a float is no whole number"),
    ],
)
def test_what_cannot_be_is_refused_at_the_call(keys, concurrency, words):
    """No loop is needed to be told so."""
    with pytest.raises(ConfigError, match=words):
        each("ids", keys, Jobs, concurrency=concurrency)


@given(st.lists(st.tuples(st.integers(0, 4), st.booleans()), max_size=30), st.integers(1, 9), st.booleans())
@settings(deadline=None)
def test_whatever_the_jobs_do_each_key_comes_once_and_no_bound_is_passed(plan, concurrency, slowly):
    """Jobs of any length, failing or not; keys with and without waiting."""

    async def walk():
        jobs, keys = Jobs(open=True), Keys(len(plan))

        async def job(key):
            length, works = plan[key]
            await jobs(key)
            await turns(length)
            if not works:
                raise LOST
            return length

        handed_out = []
        async for outcome in each("ids", keys.slowly() if slowly else keys, job, concurrency=concurrency):
            assert keys.pulled <= len(handed_out) + concurrency
            handed_out.append(outcome)
        return handed_out

    outcomes = asyncio.run(walk())
    assert sorted(outcome.key for outcome in outcomes) == list(range(len(plan)))
    assert all(outcome.ok == plan[outcome.key][1] for outcome in outcomes)
