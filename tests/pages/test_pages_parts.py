"""What a walk is made of, each part alone: what it counts, what it remembers, and what follows a page."""

import pytest
from page_servers import fetched, message

from voicedrop_async.pages._course import Course, Turn
from voicedrop_async.pages._seen import Seen, sum_of
from voicedrop_async.pages._tally import Tally, add, shrank

# --- what is counted -------------------------------------------------------------------------------------------------


def test_a_report_adds_the_present_list_to_those_that_have_ended():
    tally = Tally(
        pages=3, items=9, duplicates=2, unreadable=1, unreadable_here=2, first=7, closed=4, total=5, known=1, crowded=2, missing=3
    )
    report = tally.report(waiting=4)
    assert (report.pages, report.items, report.duplicates, report.unreadable, report.crowded) == (3, 5, 2, 3, 2)
    assert (report.total_first, report.total_last, report.suspected_missing) == (6, 8, 3)


def test_before_the_first_page_nothing_is_known_of_totals():
    report = Tally().report(waiting=0)
    assert (report.total_first, report.total_last, report.complete) == (None, None, False)


@pytest.mark.parametrize("against", ["missing", "doubtful", "doubtful_here", "skipped_here", "cut"])
def test_whatever_speaks_against_a_walk_makes_it_incomplete(against):
    assert Tally(ended=True).report(waiting=0).complete
    assert not Tally(ended=True, **{against: 1}).report(waiting=0).complete
    assert not Tally(ended=True).report(waiting=1).complete
    assert not Tally().report(waiting=0).complete


def test_each_list_is_counted_once_and_each_page():
    tally = Tally()
    tally.take(fetched("ab", total=3, pages=2, unreadable=1, skipped=2), opens=True, begins=True)
    tally.take(fetched("c", total=3, pages=2, unreadable=1, skipped=1), opens=False, begins=False)
    assert (tally.pages, tally.first, tally.total, tally.total_pages) == (2, 3, 3, 2)
    assert (tally.unreadable_here, tally.skipped_here, tally.doubtful_here) == (2, 3, False)
    tally.close(seen=3, seen_last=3, doubtful=False)
    tally.take(fetched("d", total=4), opens=True, begins=True)
    assert (tally.first, tally.closed, tally.total, tally.unreadable) == (7, 3, 4, 2)
    tally.unreadable_here = 5
    tally.close(seen=4, seen_last=4, doubtful=False)
    assert tally.unreadable == 7


@pytest.mark.parametrize("smaller", [{"total": 2, "pages": 2}, {"total": 3, "pages": 1}])
@pytest.mark.parametrize("begins", [True, False])
def test_a_count_that_shrinks_within_a_pass_is_a_doubt(smaller, begins):
    tally = Tally()
    tally.take(fetched("ab", total=3, pages=2), opens=True, begins=True)
    tally.take(fetched("c", **smaller), opens=False, begins=begins)
    assert tally.doubtful_here is not begins
    tally.take(fetched("c", total=9, pages=9), opens=False, begins=False)
    assert tally.doubtful_here is not begins


@pytest.mark.parametrize(
    ("total", "seen", "skipped", "missing", "doubtful"),
    [(5, 5, 0, 0, False), (5, 3, 0, 2, True), (5, 3, 2, 0, True), (5, 6, 0, 0, True), (None, 3, 0, 0, False), (None, 3, 1, 0, True)],
)
def test_what_the_service_counts_and_did_not_show_is_missing(total, seen, skipped, missing, doubtful):
    """And who counts another number than there are may have left something out."""
    tally = Tally(total=total, skipped_here=skipped)
    assert tally.missing_here(seen) == missing
    tally.close(seen=seen, seen_last=seen, doubtful=False)
    assert (tally.missing, tally.doubtful, tally.skipped_here) == (missing, doubtful, 0)


@pytest.mark.parametrize("here", [True, False])
@pytest.mark.parametrize("told", [True, False])
def test_doubts_of_a_list_stay_when_it_has_ended(here, told):
    tally = Tally(total=2, doubtful_here=here)
    tally.close(seen=2, seen_last=2, doubtful=told)
    assert (tally.doubtful, tally.doubtful_here) == (here or told, False)
    tally.close(seen=0, seen_last=0, doubtful=False)
    assert tally.doubtful is (here or told)


def test_another_pass_begins_without_what_spoke_against_the_one_before():
    tally = Tally(unreadable_here=1, skipped_here=2, doubtful_here=True)
    tally.read_again()
    assert tally == Tally()


def test_what_is_not_known_makes_a_sum_unknown_and_shrinks_nothing():
    assert [add(2, 3), add(None, 3), add(2, None)] == [5, None, None]
    assert [shrank(3, 2), shrank(3, 3), shrank(2, 3), shrank(None, 2), shrank(3, None)] == [True, False, False, False, False]


# --- what is remembered ----------------------------------------------------------------------------------------------


def taken(seen, keys):
    items, repeated = seen.take(tuple(map(message, keys)), list(keys))
    return "".join(item.message_id for item in items), repeated


def test_each_key_is_fresh_once_in_all_passes_and_repeated_within_one():
    seen = Seen()
    assert [taken(seen, keys) for keys in ("abc", "cd", "aa", "ee")] == [("abc", 0), ("d", 1), ("", 2), ("e", 1)]
    seen.read_again()
    assert [taken(seen, keys) for keys in ("abc", "cf", "f")] == [("", 0), ("f", 1), ("", 1)]
    assert (seen.distinct_before, seen.distinct, seen.common) == (5, 4, 3)


def test_a_page_that_repeats_itself_is_taken_key_by_key():
    seen = Seen()
    assert taken(seen, "abab") == ("ab", 2)
    assert (seen.distinct, len(seen.here)) == (2, 2)


def test_two_passes_agree_on_the_same_keys_only():
    seen = Seen()
    taken(seen, "abc")
    agreed = []
    for keys in ("abc", "ab", "abd", "abd", "dba"):
        seen.read_again()
        taken(seen, keys)
        agreed.append(seen.agrees)
    assert agreed == [True, False, False, True, True]


def test_a_key_that_was_away_for_a_pass_is_not_common_to_both():
    seen = Seen()
    for keys in ("ab", "a", "ab"):
        taken(seen, keys)
        seen.read_again()
    assert (seen.distinct_before, seen.common) == (2, 0)
    assert taken(seen, "b") == ("", 0)


def test_the_next_list_knows_the_keys_of_this_one_and_no_older_ones():
    seen = Seen()
    taken(seen, "ab")
    seen = seen.next_list()
    assert taken(seen, "bc") == ("c", 0)
    assert taken(seen, "b") == ("", 1)
    seen = seen.next_list()
    assert taken(seen, "abc") == ("a", 0)


def test_of_a_list_that_is_all_handed_out_the_latest_keys_are_known_to_the_last_one():
    seen = Seen(most=4)
    for pair in ("ab", "cd", "ef"):
        assert taken(seen, pair) == (pair, 0)
    assert taken(seen, "c") == ("", 1)
    assert taken(seen, "b") == ("b", 0)
    assert (list(seen.here), seen.shown, seen.distinct) == (list("defb"), 7, 7)
    assert seen.next_list().most == 4


def test_who_repeats_a_key_within_a_pass_is_seen_before_it_is_taken():
    seen = Seen()
    taken(seen, "ab")
    assert [seen.repeats(keys) for keys in ("cd", "bc", "cc", "")] == [False, True, True, False]
    seen.read_again()
    assert not seen.repeats("ab")


@pytest.mark.parametrize("pages", [("abc", "def"), ("abca", "def"), ("ab", "bc", "def"), ("fed", "cba")])
def test_a_sum_of_what_was_handed_out_does_not_hang_on_order_or_pages(pages):
    seen = Seen(sum=0)
    for page in pages:
        taken(seen, page)
    assert seen.sum == sum_of("abcdef")
    assert seen.next_list().sum == 0


def test_a_sum_is_kept_only_where_it_is_wanted():
    seen = Seen()
    taken(seen, "ab")
    assert (seen.sum, seen.next_list().sum) == (None, None)


def test_sums_tell_keys_of_any_kind_apart_and_are_the_same_in_every_process():
    assert len({sum_of([key]) for key in ("a", "b", ("a", 1), ("a", 2), "half \ud800", None)}) == 6
    assert sum_of(["a", ("b", 1)]) == 1088396383


# --- what follows a page ---------------------------------------------------------------------------------------------


def turns(*pages):
    """Put pages through a course; each is fresh if it has a small letter. Return the course, and the turn after each."""
    course = Course()
    return course, [
        course.after(number, page, hash(page.page.items), fresh=any(item.message_id.islower() for item in page.page.items))
        for number, page in enumerate(pages)
    ]


def test_an_honest_course_ends_with_its_last_page_and_has_no_doubt():
    course, seen = turns(fetched("ab", last=False, pages=2, total=3), fetched("c", last=True, pages=2, total=3))
    assert (seen, course.doubtful) == ([Turn.PAGE, Turn.END], False)


@pytest.mark.parametrize(("barren", "after"), [(98, Turn.PAGE), (99, Turn.END)])
def test_a_hundred_barren_pages_end_a_list_whatever_was_announced(barren, after):
    course, seen = turns(*[fetched("", last=False, pages=10**6, total=10**7)] * (barren + 1))
    assert seen == [Turn.PAGE] * barren + [after]
    assert course.doubtful is (after is Turn.END)


@pytest.mark.parametrize(("total", "size", "follows"), [(4, 2, 3), (5, 2, 4), (6, 2, 4), (None, 2, 4), (9, 3, 4), (4, 0, 4)])
def test_three_barren_pages_behind_what_was_announced_end_a_list(total, size, follows):
    """A list announces no more pages than its own count of items could fill."""
    barren = [fetched(f"X{number} Y ", last=False, pages=9, total=total, size=size) for number in range(8)]
    _, seen = turns(fetched("ab", last=False, pages=3, total=total, size=size), *barren)
    assert seen.index(Turn.END) == follows


def test_a_page_that_was_there_before_is_a_loop_unless_the_list_grew_or_it_is_empty():
    page, grown, empty = (
        fetched("XY", last=False, pages=9, total=4),
        fetched("XY", last=False, pages=9, total=5),
        fetched("", last=False, pages=9, total=5),
    )
    assert turns(page, page)[1] == [Turn.PAGE, Turn.LOOP]
    assert turns(page, grown)[1] == [Turn.PAGE, Turn.PAGE]
    assert turns(page, grown, grown)[1] == [Turn.PAGE, Turn.PAGE, Turn.LOOP]
    assert turns(empty, empty)[1] == [Turn.PAGE, Turn.PAGE]


def test_pages_without_anything_new_are_expected_where_many_items_came_in_at_once():
    """Six of them push what was read before back by three pages; two pages' worth are no sign of an end by themselves."""
    old = [fetched(f"{letter}{number} b{letter}{number} ", last=False, pages=50, total=40) for letter in "a" for number in range(20)]

    def pushed(items):
        again = [fetched(f"X{number} Y ", last=False, pages=50, total=40 + items) for number in range(9)]
        return turns(*old, *again)[1].index(Turn.END) - len(old)

    assert (pushed(0), pushed(4), pushed(5), pushed(6), pushed(8)) == (2, 2, 5, 5, 6)


def test_of_pages_of_one_item_three_that_came_in_are_three_pages():
    old = [fetched(f"a{number} ", last=False, pages=50, total=20, size=1) for number in range(20)]
    again = [fetched(f"X{number} ", last=False, pages=50, total=23, size=1) for number in range(9)]
    assert turns(*old, *again)[1].index(Turn.END) - len(old) == 5


def test_a_contradiction_stays_one_to_the_end_of_its_list():
    pages = [fetched("ab", last=True, pages=5), fetched("cd"), fetched("")]
    course, seen = turns(*pages)
    assert (seen, course.doubtful) == ([Turn.PAGE, Turn.PAGE, Turn.END], True)


def test_a_list_that_is_counted_at_last_has_grown():
    page, counted = fetched("XY", last=False, pages=9), fetched("XY", last=False, pages=9, total=1)
    assert turns(page, counted)[1] == [Turn.PAGE, Turn.PAGE]
