"""Several lists in one stream, as the slices of a range of time are."""

import pytest
from page_servers import Honest, OnePageLists, fetched, ids, walked

from voicedrop_async.errors import ConnectionLost


async def test_lists_are_walked_one_after_the_other():
    server = Honest("abc", "", "de", totals=False)
    items, _, report = await walked(server)
    assert items == list("abcde")
    assert server.asked == [(0, 0), (0, 1), (1, 0), (2, 0)]
    assert (report.pages, report.complete) == (4, True)


async def test_lists_are_complete_though_each_counts_only_its_own():
    """The second is shorter than the first; nothing was taken out of either."""
    items, _, report = await walked(Honest("abcd", "ef"))
    assert (items, report.suspected_missing, report.complete) == (list("abcdef"), 0, True)


async def test_what_is_missing_from_one_list_is_not_made_up_for_by_the_next():
    server = OnePageLists(fetched("ab", last=True, pages=1, total=4), fetched("cdefgh", last=True, pages=1, total=6))
    _, _, report = await walked(server)
    assert (report.suspected_missing, report.complete) == (2, False)


async def test_an_item_on_the_edge_of_two_lists_is_handed_out_once():
    items, _, report = await walked(Honest("abc", "cde", "efa", totals=False))
    assert items == list("abcdefa")
    assert (report.duplicates, report.total_last, report.complete) == (0, None, True)


@pytest.mark.parametrize("mode", ["dedupe", "repair", "ignore", "raise"])
async def test_an_item_on_an_edge_counts_once_though_the_service_counts_it_in_both_lists(mode):
    """To ignore drift is to take what comes twice in one list; an edge is no drift."""
    items, _, report = await walked(Honest("abc", "cde", "efa"), on_drift=mode)
    assert items == list("abcdefa")
    assert (report.total_first, report.total_last, report.duplicates, report.complete) == (7, 7, 0, True)


async def test_to_ignore_drift_takes_what_one_list_repeats_and_not_what_the_one_before_it_showed():
    server = OnePageLists(fetched("ab", last=True, pages=1, total=2), fetched("bcca", last=True, pages=1, total=4))
    items, _, report = await walked(server, on_drift="ignore")
    assert (items, report.items, report.duplicates) == (list("abcc"), 4, 1)


async def test_an_item_that_moves_farther_than_to_the_next_list_comes_again():
    """Ids are kept for a list and its neighbour: an edge can repeat an item there only."""
    assert (await walked(Honest("a", "b", "a", totals=False)))[0] == ["a", "b", "a"]


async def test_an_item_in_three_neighbours_is_handed_out_once():
    """Such as a drop record without a readable moment, which belongs to every slice that shows it."""
    items, _, report = await walked(Honest("ab", "bc", "bd", totals=False))
    assert (items, report.duplicates) == (["a", "b", "c", "d"], 0)


async def test_a_list_of_repeated_items_only_is_no_loop():
    items, requests, _ = await walked(Honest("ab", "ab", "c", totals=False))
    assert (items, requests) == (list("abc"), 3)


@pytest.mark.parametrize(("most", "asked"), [(3, [(0, 0), (1, 0)]), (2, [(0, 0)]), (5, [(0, 0), (1, 0), (1, 1)])])
async def test_max_items_holds_over_all_lists(most, asked):
    server = Honest("ab", "cdef")
    assert ids(await server.stream(max_items=most).collect()) == list("abcdef")[:most]
    assert server.asked == asked


async def test_a_list_that_fails_is_asked_for_again():
    server = Honest("ab", "cd", totals=False)
    server.failing = [None, ConnectionLost(summary="cut")]
    async with server.stream().walk() as walk:
        pages = walk.pages()
        first = await anext(pages)
        with pytest.raises(ConnectionLost):
            await anext(pages)
        second = await anext(walk.pages())
    assert ids([*first.items, *second.items]) == list("abcd")
    assert server.asked == [(0, 0), (1, 0), (1, 0)]


async def test_the_walk_is_complete_only_with_the_last_list():
    async with Honest("ab", "c", totals=False).stream().walk() as walk:
        seen = [walk.report.complete async for _ in walk.pages()]
    assert seen == [False, True]
