"""Whatever a server says, a walk ends, and hands no item out twice; from an honest one it brings everything."""

import asyncio

from hypothesis import given, settings
from hypothesis import strategies as st
from page_servers import PATIENT, Honest, Scripted, fetched, ids, walked

from voicedrop_async.errors import PageLoop

LETTERS = "abcdefgh"
MOST_PAGES = 9

lying_page = st.builds(
    fetched,
    st.text(LETTERS, max_size=3),
    last=st.sampled_from([None, True, False]),
    pages=st.one_of(st.none(), st.integers(0, MOST_PAGES)),
    total=st.one_of(st.none(), st.integers(0, 12)),
    skipped=st.integers(0, 1),
)
scripts = st.lists(lying_page, min_size=1, max_size=12)


async def handed_out(server, **options):
    """Return the items a walk hands out until it ends, by itself or with a loop; and its report."""
    taken = []
    async with server.stream(**options).walk() as walk:
        looped = None
        try:
            async for item in walk:
                taken.append(item)  # noqa: PERF401 - those before a loop count
        except PageLoop as error:
            looped = error
    return ids(taken), looped, walk.report


@settings(PATIENT, max_examples=300)
@given(script=scripts)
def test_any_walk_ends_and_hands_no_item_out_twice(script):
    """At most the pages announced at first, then three barren ones after each page with something new."""
    server = Scripted(*script)
    items, looped, report = asyncio.run(handed_out(server))
    assert len(server.asked) <= MOST_PAGES + 3 * (len(LETTERS) + 1)
    assert server.asked == list(range(len(server.asked)))
    assert len(items) == len(set(items)) == report.items
    assert set(items) == {item.message_id for number in server.asked for item in script[min(number, len(script) - 1)].page.items}
    assert report.pages == len(server.asked)
    assert looped is None or not report.complete


@settings(PATIENT, max_examples=100)
@given(script=scripts, most=st.integers(0, 6))
def test_a_limit_cuts_any_walk_and_changes_nothing_else(script, most):
    whole, _, _ = asyncio.run(handed_out(Scripted(*script)))
    cut, _, report = asyncio.run(handed_out(Scripted(*script), max_items=most))
    assert cut == whole[:most]
    assert report.items == len(cut)


@settings(PATIENT, max_examples=150)
@given(script=scripts)
def test_only_a_walk_that_nothing_speaks_against_is_complete(script):
    server = Scripted(*script)
    items, looped, report = asyncio.run(handed_out(server))
    seen = [script[min(number, len(script) - 1)] for number in server.asked]
    counted = seen[-1].page.total_items
    if report.complete:
        assert looped is None
        assert not any(page.skipped for page in seen)
        assert counted is None or len(items) >= counted
        assert seen[-1].last is not False or counted is not None


@settings(PATIENT, max_examples=150)
@given(count=st.integers(0, 30), size=st.integers(1, 12))
def test_an_honest_list_comes_whole_with_no_request_too_many(count, size):
    server = Honest([f"m{number}" for number in range(count)])
    items, requests, report = asyncio.run(walked(server, page_size=size))
    assert items == server.lists[0]
    assert requests == max(1, -(-count // size))
    assert (report.complete, report.duplicates, report.suspected_missing, report.items) == (True, 0, 0, count)


@settings(PATIENT, max_examples=100)
@given(counts=st.lists(st.integers(0, 8), min_size=1, max_size=5), size=st.integers(1, 5), most=st.none() | st.integers(0, 30))
def test_honest_lists_come_whole_one_after_the_other(counts, size, most):
    server = Honest(*[[f"{place}-{number}" for number in range(count)] for place, count in enumerate(counts)], totals=False)
    items, requests, report = asyncio.run(walked(server, page_size=size, max_items=most))
    whole = [item for each in server.lists for item in each]
    assert items == whole[:most]
    if most is None:
        assert requests == sum(max(1, -(-count // size)) for count in counts)
        assert report.complete
