"""Lists that change under a walk, at the sandbox: what each ``on_drift`` hands out, and what the report says of it."""

import pytest
from paged_server import NOON, Row, ids, into, message, page, rows, serving
from raw_server import answer

from voicedrop_async import DriftDetected


def names(sandbox):
    """The ids of the sandbox's list, as it is now."""
    return [message["messageId"] for message in sandbox.messages]


async def walked(stream, at, change):
    """Walk, with ``change`` done once so many items were handed out; return the ids and the report."""
    found = []
    async with stream.walk() as walk:
        await into(found, walk, lambda count: count == at and change())
    return ids(found), walk.report


# --- it grows at its front: what was seen is pushed to pages to come -------------------------------------------------


@pytest.mark.parametrize("prefetch", [0, 3])
async def test_a_list_that_grows_repeats_nothing_and_loses_nothing(sandbox, routee, prefetch):
    before = names(sandbox)
    found, report = await walked(routee.track_messages(page_size=50, prefetch=prefetch), 120, lambda: sandbox.grow(7))
    assert found == before
    assert (report.items, report.total_first, report.total_last, report.suspected_missing) == (500, 500, 507, 7)
    assert (report.duplicates, report.complete) == (7, False)


async def test_a_list_that_grows_is_repaired_with_what_came_in(sandbox, routee):
    before = names(sandbox)
    found, report = await walked(routee.track_messages(page_size=50, on_drift="repair"), 120, lambda: sandbox.grow(7))
    assert sorted(found) == sorted(names(sandbox))
    assert found[:500] == before
    assert (report.items, report.total_first, report.total_last) == (507, 500, 507)
    assert (report.suspected_missing, report.complete) == (0, True)


async def test_a_list_that_grows_is_raised_before_the_page_that_tells(sandbox, routee):
    found = []
    with pytest.raises(DriftDetected) as caught:
        await into(found, routee.track_messages(page_size=50, on_drift="raise"), lambda count: count == 120 and sandbox.grow(7))
    assert ids(found) == names(sandbox)[7:157]
    assert (caught.value.report.items, caught.value.report.complete) == (150, False)


async def test_to_ignore_drift_is_to_have_the_same_items_again(sandbox, routee):
    before = names(sandbox)
    found, report = await walked(routee.track_messages(page_size=50, on_drift="ignore"), 120, lambda: sandbox.grow(7))
    assert found == before[:150] + before[143:]
    assert (report.items, report.duplicates, report.complete) == (507, 7, False)


async def test_g20_of_a_message_that_comes_again_with_another_state_the_first_is_handed_out():
    """Its call went on while the list grew and pushed it on to the next page."""
    async with serving(rows=rows(*range(6))) as (server, routee, _):
        again = message(3) | {"status": {"status": "Failed"}}
        server.instead[1] = answer(body=page([again, message(4), message(5)], number=1, size=3, pages=3, total=7))
        server.instead[2] = answer(body=page([message(6)], number=2, size=3, pages=3, total=7))
        async with routee.track_messages(page_size=3).walk() as walk:
            found = [item async for item in walk]
    assert ids(found) == [1, 2, 3, 4, 5, 6]
    assert {item.status.status for item in found} == {"Completed"}
    assert walk.report.duplicates == 1


# --- it shrinks: what comes later is pulled past the walk ------------------------------------------------------------


@pytest.mark.parametrize("prefetch", [0, 3])
async def test_a_list_that_shrinks_says_that_something_may_be_missing(sandbox, routee, prefetch):
    """The count of what was seen fits again, as many came as went: only that it shrank tells."""
    found, report = await walked(routee.track_messages(page_size=50, prefetch=prefetch), 120, lambda: sandbox.shrink(7))
    assert (len(found), len(set(found))) == (493, 493)
    assert set(names(sandbox)) - set(found), "seven were pulled past the walk"
    assert (report.items, report.total_first, report.total_last, report.complete) == (493, 500, 493, False)


async def test_a_list_that_shrinks_is_repaired(sandbox, routee):
    """What was pulled past the first pass is found by the next one; what is gone had been handed out before."""
    before = names(sandbox)
    found, report = await walked(routee.track_messages(page_size=50, on_drift="repair"), 120, lambda: sandbox.shrink(7))
    assert sorted(found) == sorted(before)
    assert (report.suspected_missing, report.total_last, report.complete) == (0, 493, True)


async def test_a_list_that_shrinks_is_raised(sandbox, routee):
    with pytest.raises(DriftDetected, match="493 items, 500 before"):
        await walked(routee.track_messages(page_size=50, on_drift="raise"), 120, lambda: sandbox.shrink(7))


async def test_a_list_that_shrinks_as_it_grows_fools_dedupe_and_not_repair(sandbox, routee):
    """Its count stays as it was; a second pass sees what the first one could not."""

    def change():
        sandbox.shrink(9)
        sandbox.grow(9)

    found, report = await walked(routee.track_messages(page_size=50, on_drift="repair"), 120, change)
    assert set(names(sandbox)) <= set(found)
    assert (len(found), len(set(found)), report.complete) == (509, 509, True)


# --- it keeps still --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("on_drift", "reads"), [("dedupe", 1), ("repair", 2), ("raise", 1), ("ignore", 1)])
async def test_a_list_that_keeps_still_is_complete(sandbox, routee, on_drift, reads):
    async with routee.track_messages(page_size=50, on_drift=on_drift).walk() as walk:
        found = [item.message_id async for item in walk]
    asked = [request for request in sandbox.requests if request.path == "/voice/tracking"]
    assert (found, len(asked)) == (names(sandbox), 10 * reads)
    report = walk.report
    assert (report.items, report.duplicates, report.suspected_missing, report.complete) == (500, 0, 0, True)
    assert (report.total_first, report.total_last, report.pages) == (500, 500, 10 * reads)


# --- it never keeps still --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("most", [2, 3, 5])
async def test_repair_ends_after_its_passes_and_does_not_call_it_complete(most):
    """With every pass one more item comes in at the front."""
    async with serving(rows=rows(*range(6))) as (server, routee, _):

        def one_more():
            server.rows.insert(0, Row(NOON, 100 + len(server.rows)))
            server.before[2] = one_more

        server.before[2] = one_more
        async with routee.track_messages(page_size=2, on_drift="repair", max_passes=most).walk() as walk:
            found = [item async for item in walk]
        assert sum(asked.page == 0 for asked in server.asked) == most
    assert (len(set(ids(found))), walk.report.complete) == (len(found), False)


async def test_an_item_that_is_counted_and_never_shown_is_missing():
    async with serving(rows=rows(*range(6))) as (server, routee, _):
        server.before[1] = lambda: server.rows.insert(0, Row(NOON, 100))
        async with routee.track_messages(page_size=3).walk() as walk:
            assert ids([item async for item in walk]) == [1, 2, 3, 4, 5, 6]
    assert (walk.report.suspected_missing, walk.report.duplicates, walk.report.complete) == (1, 1, False)


async def test_an_item_that_comes_twice_is_raised():
    """One is taken out behind the walk and one put in in front of it: the count stays, an item comes again."""
    async with serving(rows=rows(*range(8))) as (server, routee, _):

        def swap():
            server.rows.insert(0, Row(NOON, 100))
            server.rows.pop()

        server.before[2] = swap
        found = []
        with pytest.raises(DriftDetected, match="repeats an item"):
            await into(found, routee.track_messages(page_size=2, on_drift="raise"))
    assert ids(found) == [1, 2, 3, 4]
