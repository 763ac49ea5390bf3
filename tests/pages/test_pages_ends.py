"""Where a list ends, whatever the service says of it: one test for each way in which it was seen to contradict itself."""

import pytest
from page_servers import Scripted, drain, fetched, ids, walked

from voicedrop_async.errors import PageLoop


def page(content="", last=False, pages=3, total=6, **said):
    return fetched(content, last=last, pages=pages, total=total, **said)


async def test_g01_a_repeated_page_of_a_list_that_did_not_grow_is_a_loop():
    """What was read before was handed out; going on would never end, but can be done once the service is mended."""
    server, taken = Scripted(page("ab"), page("cd"), page("ab")), []
    with pytest.raises(PageLoop) as caught:
        async with server.stream().walk() as walk:
            await drain(walk, taken)
    assert ids(taken) == list("abcd")
    assert (caught.value.report.items, caught.value.report.duplicates, caught.value.report.complete) == (4, 2, False)
    assert "page 2" in str(caught.value)
    assert server.asked == [0, 1, 2]

    server.script = (*server.script[:2], page("ef", last=True))
    items, _, _ = await walked(server, resume=caught.value.resume)
    assert items == ["e", "f"]


async def test_g01_a_cycle_of_pages_is_a_loop():
    server = Scripted(page("ab", pages=99), page("cd", pages=99), page("ab", pages=99), page("cd", pages=99))
    with pytest.raises(PageLoop):
        await walked(server)
    assert len(server.asked) == 3


async def test_g01_a_repeated_page_of_a_list_that_grew_is_only_repeated():
    """Two items came in front, and pushed everything back by a page."""
    server = Scripted(page("ab", pages=2, total=4), page("ab", total=6), page("cd", last=True, total=6))
    items, requests, report = await walked(server)
    assert (items, requests, report.duplicates) == (["a", "b", "c", "d"], 3, 2)
    assert (report.suspected_missing, report.complete) == (2, False)


async def test_g01_the_same_page_without_counts_is_a_loop():
    with pytest.raises(PageLoop):
        await walked(Scripted(page("ab", last=None, pages=None, total=None)))


async def test_g03_a_list_that_shrinks_ends_where_it_says():
    """What was taken out may have pulled others over the edge of a page: the walk cannot know that it saw all."""
    server = Scripted(page("ab", pages=4, total=8), page("cd", last=True, pages=2, total=4))
    items, requests, report = await walked(server)
    assert (items, requests) == (["a", "b", "c", "d"], 2)
    assert (report.total_first, report.total_last, report.complete) == (8, 4, False)


async def test_g03_a_list_that_shrinks_is_not_complete_though_its_items_are_not_counted():
    """Its pages are, and there are fewer of them than before."""
    server = Scripted(page("ab", pages=4, total=None), page("cd", last=True, pages=2, total=None))
    items, requests, report = await walked(server)
    assert (items, requests, report.complete) == (list("abcd"), 2, False)


async def test_g03_a_list_that_shrinks_ends_behind_its_end():
    server = Scripted(page("ab"), page("", last=True, pages=1, total=2))
    items, requests, report = await walked(server)
    assert (items, requests, report.complete) == (["a", "b"], 2, False)


async def test_g04_a_list_that_grows_is_followed():
    server = Scripted(page("ab", pages=2, total=4), page("cd", pages=3, total=6), page("ef", last=True, pages=3, total=6))
    items, requests, report = await walked(server)
    assert (items, requests, report.complete) == (list("abcdef"), 3, True)
    assert (report.total_first, report.total_last) == (4, 6)


async def test_g04_a_list_that_only_says_it_grows_ends_after_three_pages_without_anything_new():
    script = [page("ab", pages=2, total=2), *[page("ab", pages=number + 9, total=2 * number + 9) for number in range(1, 9)]]
    server = Scripted(*script)
    items, _, report = await walked(server)
    assert (items, report.complete) == (["a", "b"], False)
    assert server.asked == [0, 1, 2, 3]


async def test_g04_empty_pages_beyond_the_announced_end_are_not_followed_for_ever():
    server = Scripted(page("ab", pages=2, total=99), *[page("", pages=number + 9, total=99) for number in range(1, 9)])
    items, requests, report = await walked(server)
    assert (items, report.complete, report.suspected_missing) == (["a", "b"], False, 97)
    assert requests == 4


async def test_g04_something_new_starts_the_count_of_barren_pages_again():
    growing = [page(content, pages=99, total=number + 9) for number, content in enumerate(["ab", "ab", "c", "ab", "c", "d", "a", "a", "a"])]
    server = Scripted(page("ab", pages=2), *growing)
    items, requests, report = await walked(server)
    assert (items, requests, report.complete) == (list("abcd"), 10, False)


async def test_g05_an_empty_page_in_the_middle_is_not_the_end():
    server = Scripted(page("ab", total=4), page(""), page("cd", last=True, total=4))
    items, requests, report = await walked(server)
    assert (items, requests) == (list("abcd"), 3)
    assert report.suspected_missing == 0


async def test_empty_pages_without_end_are_not_walked_for_ever():
    """A service can announce any number of pages: after a hundred barren ones in a row the walk ends, and says so."""
    server = Scripted(*(page("", pages=10**9, total=10**11) for _ in range(200)))

    items, asked, report = await walked(server)

    assert (items, asked) == ([], 100)
    assert not report.complete


async def test_g05_empty_pages_are_no_loop():
    server = Scripted(page("ab", pages=5), page("", pages=5), page("", pages=5), page("", pages=5), page("cd", pages=5, last=True))
    assert (await walked(server))[:2] == (list("abcd"), 5)


async def test_g06_an_empty_list_is_one_request():
    items, requests, report = await walked(Scripted(page("", last=True, pages=0, total=0)))
    assert (items, requests, report.complete, report.total_first) == ([], 1, True, 0)


@pytest.mark.parametrize(("pages", "last"), [(None, None), (None, True), (0, None), (1, None), (1, True)])
async def test_g06_an_empty_list_is_one_request_however_it_is_said(pages, last):
    items, requests, report = await walked(Scripted(page("", last=last, pages=pages, total=None)))
    assert (items, requests, report.complete) == ([], 1, True)


async def test_g07_last_against_the_number_of_pages_is_settled_by_one_more_page():
    """The page behind is empty: ``last`` was right."""
    server = Scripted(page("ab", last=True, pages=5, total=2), page("", last=True, pages=5, total=2))
    items, requests, report = await walked(server)
    assert (items, requests, report.complete) == (["a", "b"], 2, False)


async def test_g07_last_against_the_number_of_pages_can_be_wrong():
    server = Scripted(page("ab", last=True), page("cd", last=False), page("ef", last=True))
    items, requests, report = await walked(server)
    assert (items, requests, report.complete) == (list("abcdef"), 3, False)


async def test_g07_the_number_of_pages_against_last_is_settled_by_one_more_page():
    server = Scripted(page("ab", pages=1, last=False, total=2), page("ab", pages=1, last=False, total=2))
    items, requests, report = await walked(server)
    assert (items, requests, report.complete) == (["a", "b"], 2, False)


async def test_g07_a_service_that_always_says_last_is_followed_while_it_brings_something():
    server = Scripted(*[page(content, last=True) for content in ("ab", "cd", "ef")])
    assert (await walked(server))[:2] == (list("abcdef"), 3)


async def test_g09_duplicates_across_pages_are_held_back_and_counted():
    server = Scripted(page("ab", total=5), page("bc", total=5), page("cdea", last=True, total=5))
    items, requests, report = await walked(server)
    assert (items, requests, report.duplicates, report.items) == (list("abcde"), 3, 3, 5)
    assert (report.suspected_missing, report.complete) == (0, True)


async def test_g09_duplicates_inside_a_page_are_held_back_and_counted():
    items, _, report = await walked(Scripted(page("aab", last=True, pages=1, total=2)))
    assert (items, report.duplicates, report.complete) == (["a", "b"], 1, True)


async def test_g10_items_counted_and_never_seen_are_missing():
    items, _, report = await walked(Scripted(page("ab"), page("bc"), page("cd", last=True)))
    assert (items, report.suspected_missing, report.complete) == (list("abcd"), 2, False)


async def test_g10_nothing_is_missing_while_the_walk_goes_on():
    async with Scripted(page("ab"), page("cd"), page("e", last=True)).stream().walk() as walk:
        seen = [walk.report.suspected_missing async for _ in walk.pages()]
    assert seen == [0, 0, 1]


async def test_g11_items_without_an_id_are_told_apart_by_their_content():
    server = Scripted(page("?x a ?y", pages=2, total=3), page("?y a ?x", last=True, pages=2, total=3))
    items, _, report = await walked(server)
    assert (items, report.duplicates, report.complete) == (["?x", "a", "?y"], 3, True)


@pytest.mark.parametrize("last", [None, False])
async def test_g15_without_a_number_of_pages_the_walk_goes_by_empty_pages(last):
    """A negative one is none. The page that is empty is the end; if it says that it is not, the walk cannot know."""
    server = Scripted(*[page(content, last=last, pages=None, total=None) for content in ("ab", "c", "")])
    items, requests, report = await walked(server)
    assert (items, requests, report.complete) == (list("abc"), 3, last is None)


async def test_g15_without_a_number_of_pages_the_walk_goes_by_last():
    server = Scripted(page("ab", pages=None, total=None), page("cd", last=True, pages=None, total=None))
    items, requests, report = await walked(server)
    assert (items, requests, report.complete, report.total_last) == (list("abcd"), 2, True, None)


async def test_g15_without_last_the_walk_goes_by_the_number_of_pages():
    server = Scripted(*[page(content, last=None, pages=2, total=4) for content in ("ab", "cd")])
    items, requests, report = await walked(server)
    assert (items, requests, report.complete) == (list("abcd"), 2, True)


async def test_g15_a_service_that_never_says_where_it_ends_ends_after_three_pages_without_anything_new():
    """It repeats itself in ever other ways, so that no page is one that was there before."""
    repeats = ["ab", "ba", "a", "b", "aab"]
    server = Scripted(*[page(content, last=None, pages=None, total=None) for content in repeats])
    items, requests, report = await walked(server)
    assert (items, requests, report.complete) == (["a", "b"], 4, False)


@pytest.mark.parametrize("on_drift", ["dedupe", "ignore"])
async def test_without_a_count_an_item_that_comes_twice_speaks_against_the_walk(on_drift):
    """Where it moved to, another may have been pulled from, and no count of the service tells."""
    pages = [page("ab", last=False, pages=None, total=None), page("bc", last=True, pages=None, total=None)]
    _, _, report = await walked(Scripted(*pages), on_drift=on_drift)
    assert (report.duplicates, report.suspected_missing, report.complete) == (1, 0, False)


async def test_a_page_that_comes_again_in_a_list_that_grew_by_pages_is_no_loop():
    """The service counts pages, and no items."""
    pages = [page("ab", last=False, pages=2, total=None), page("ab", last=False, pages=3, total=None)]
    items, _, _ = await walked(Scripted(*pages, page("cd", last=True, pages=3, total=None)))
    assert items == list("abcd")
