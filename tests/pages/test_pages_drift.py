"""A list that changes while it is walked: four answers to it, and what the report says."""

import pickle

import pytest
from page_servers import Honest, Scripted, drain, fetched, ids, walked

from voicedrop_async.errors import ConfigError, DriftDetected, PageLoop
from voicedrop_async.pages import _reader


class Changing(Honest):
    """Becomes the next of its versions with each request that a script names."""

    def __init__(self, *versions, at):
        super().__init__(versions[0])
        self.versions = [list(version) for version in versions[1:]]
        self.at = at

    async def fetch(self, number, page, size):
        if len(self.asked) in self.at:
            self.lists = [self.versions.pop(0)]
        return await super().fetch(number, page, size)


async def taken_until_drift(server, **options):
    taken = []
    async with server.stream(on_drift="raise", **options).walk() as walk:
        with pytest.raises(DriftDetected) as drift:
            await drain(walk, taken)
    return ids(taken), drift.value


# --- dedupe ----------------------------------------------------------------------------------------------------------


async def test_what_comes_in_at_the_front_repeats_items_and_loses_none():
    items, _, report = await walked(Changing("abcdef", "Xabcdef", at=[1]))
    assert items == list("abcdef")
    assert (report.duplicates, report.suspected_missing, report.complete) == (1, 1, False)


async def test_what_is_taken_out_may_pull_an_item_past_the_walk_and_that_is_said():
    items, _, report = await walked(Changing("abcdef", "bcdef", at=[1]))
    assert items == list("abdef")
    assert (report.suspected_missing, report.complete) == (0, False)


@pytest.mark.parametrize("prefetch", [0, 3])
@pytest.mark.parametrize("mode", ["dedupe", "ignore", "repair"])
async def test_a_list_that_grows_by_many_pages_is_followed_to_its_end(mode, prefetch):
    """More pages than three in a row bring nothing new, and behind them stands what was not read yet."""
    old, new = [f"m{number}" for number in range(40)], [f"n{number}" for number in range(20)]
    items, _, report = await walked(Changing(old, new + old, at=[14]), on_drift=mode, prefetch=prefetch)
    assert set(items) >= set(old)
    assert report.complete == (mode == "repair")


async def test_more_may_come_in_than_was_read():
    """Then its own first part is read as well, and what was read before comes behind it."""
    old, new = [f"m{number}" for number in range(40)], [f"n{number}" for number in range(60)]
    items, _, _ = await walked(Changing(old, new + old, at=[10]))
    assert items == [*old[:20], *new[20:], *old[20:]]


# --- ignore ----------------------------------------------------------------------------------------------------------


async def test_to_ignore_drift_is_to_take_what_comes():
    items, _, report = await walked(Changing("abcdef", "Xabcdef", at=[1]), on_drift="ignore")
    assert items == list("abbcdef")
    assert (report.items, report.duplicates, report.complete) == (7, 1, False)


# --- raise -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("then", "reason"), [("Xabcdef", "7 items, 6 before"), ("bcdef", "5 items, 6 before")])
async def test_a_count_that_changes_is_raised_before_the_page_is_handed_out(then, reason):
    items, drift = await taken_until_drift(Changing("abcdef", then, at=[2]))
    assert items == list("abcd")
    assert reason in str(drift)
    assert drift.report.items == 4


async def test_a_count_that_changes_with_the_second_page_is_raised():
    items, drift = await taken_until_drift(Changing("abcdef", "abcdefX", at=[1]))
    assert (items, "7 items, 6 before" in str(drift)) == (["a", "b"], True)


async def test_counts_of_a_long_list_are_told_apart_from_phone_numbers():
    """An error that is pickled masks those, and seven digits in a row look like one."""
    script = [fetched("ab", last=False, pages=9, total=1_234_567), fetched("cd", last=False, pages=9, total=1_234_568)]
    _, drift = await taken_until_drift(Scripted(*script))
    assert "1,234,568 items, 1,234,567 before" in str(pickle.loads(pickle.dumps(drift)))


async def test_an_item_that_comes_twice_is_raised():
    items, drift = await taken_until_drift(Changing("abcdef", "Xabcde", at=[1]))
    assert (items, "page 1 repeats an item" in str(drift)) == (["a", "b"], True)


async def test_an_item_that_is_missing_is_raised_when_the_last_page_is_handed_out():
    script = [fetched("ab", last=False, pages=2, total=5), fetched("cd", last=True, pages=2, total=5)]
    items, drift = await taken_until_drift(Scripted(*script))
    assert (items, "1 more items than it showed" in str(drift), drift.report.items) == (list("abcd"), True, 4)


async def test_from_where_an_item_may_have_been_pulled_past_the_walk_it_is_never_complete():
    server = Changing("abcdef", "bcdef", at=[2])
    items, drift = await taken_until_drift(server)
    rest, _, report = await walked(server, resume=drift.resume)
    assert (items + rest, report.complete) == (list("abcdf"), False)


async def test_a_list_that_shrank_and_grew_again_under_one_walk_is_never_complete():
    server, taken = Changing("abcdef", "bcdef", "bcdefg", at=[1, 3]), []
    async with server.stream(on_drift="raise").walk() as walk:
        for reason in ("5 items, 6 before", "6 items, 5 before"):
            with pytest.raises(DriftDetected, match=reason) as drift:
                await drain(walk, taken)
    rest, _, report = await walked(server, resume=drift.value.resume)
    assert (ids(taken) + rest, report.complete) == (list("abdefg"), False)


@pytest.mark.parametrize("mode", ["dedupe", "raise", "repair"])
async def test_from_where_drift_was_raised_the_walk_can_go_on(mode):
    server = Changing("abcdef", "abcdefg", at=[2])
    items, drift = await taken_until_drift(server)
    rest = await server.stream(resume=drift.resume, on_drift=mode).collect()
    assert items + ids(rest) == list("abcdefg")


async def test_a_count_that_changed_since_the_walk_was_left_is_raised():
    async with Honest("abcdef").stream(on_drift="raise").walk() as walk:
        await anext(aiter(walk))
    with pytest.raises(DriftDetected, match="5 items, 6 before"):
        await Honest("bcdef").stream(on_drift="raise", resume=walk.token).collect()


async def test_a_list_that_keeps_still_raises_nothing():
    items, requests, report = await walked(Honest("abcde", "f"), on_drift="raise", prefetch=2)
    assert (items, requests, report.complete) == (list("abcdef"), 4, True)


# --- repair ----------------------------------------------------------------------------------------------------------


async def test_repair_reads_each_list_again_until_two_passes_agree():
    items, requests, report = await walked(Honest("abc", "de"), on_drift="repair")
    assert (items, requests) == (list("abcde"), 6)
    assert (report.items, report.duplicates, report.complete) == (5, 0, True)


async def test_g10_repair_finds_what_was_pulled_past_the_walk():
    """``a`` went while the second page was read, and ``c`` with it: the second pass brings ``c``, the third agrees."""
    items, requests, report = await walked(Changing("abcdef", "bcdef", at=[1]), on_drift="repair")
    assert items == list("abdefc")
    assert (requests, report.complete, report.suspected_missing) == (9, True, 0)


async def test_repair_finds_what_a_change_that_keeps_the_count_hides():
    items, _, report = await walked(Changing("abcdef", "bcdefX", at=[1]), on_drift="repair")
    assert set(items) == set("abcdefX")
    assert (len(items), report.complete) == (7, True)


async def test_repair_says_so_when_no_two_passes_agree():
    server = Changing("abcd", "bcde", "cdef", "defg", at=[1, 3, 5])
    items, requests, report = await walked(server, on_drift="repair")
    assert len(items) == len(set(items))
    assert (requests, report.complete) == (6, False)


async def test_more_passes_may_be_allowed():
    server = Changing("abcd", "bcde", "cdef", at=[1, 3])
    items, requests, report = await walked(server, on_drift="repair", max_passes=5)
    assert set(items) == set("abcdef")
    assert (requests, report.complete) == (8, True)


async def test_a_row_that_is_unreadable_in_each_pass_is_counted_once():
    page = fetched("ab", last=True, pages=1, total=3, unreadable=1, skipped=1)
    _, requests, report = await walked(Scripted(page), on_drift="repair")
    assert (requests, report.unreadable, report.complete) == (2, 1, False)


async def test_passes_over_one_list_follow_each_other():
    """Ahead or not, a pass begins when the one before has ended: what two of them agree on is then the list."""
    items, requests, report = await walked(Honest("abcdef", "gh"), on_drift="repair", prefetch=4)
    assert (items, requests, report.complete) == (list("abcdefgh"), 8, True)


# --- bad input -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("options", [{"on_drift": "mend"}, {"max_passes": 1}, {"prefetch": -1}, {"prefetch": 1.5}, {"on_drift": None}])
def test_options_that_cannot_be_are_refused_at_the_call(options):
    with pytest.raises(ConfigError, match=f"^{next(iter(options))}: "):
        Honest("ab").stream(**options)


def test_an_answer_to_drift_that_there_is_not_is_told_those_that_there_are():
    with pytest.raises(ConfigError) as refused:
        Honest("ab").stream(on_drift="mend")
    assert str(refused.value) == "on_drift: must be one of 'dedupe', 'repair', 'raise', 'ignore'"


@pytest.mark.parametrize("mode", ["dedupe", "repair", "raise", "ignore"])
async def test_a_service_that_repeats_itself_is_a_loop_in_every_mode_that_does_not_raise_before(mode):
    endless = Scripted(fetched("ab", last=False, pages=9, total=18))
    with pytest.raises(DriftDetected if mode == "raise" else PageLoop) as error:
        await walked(endless, on_drift=mode)
    assert error.value.resume is not None


async def test_to_ignore_drift_is_to_remember_no_more_than_what_drift_can_move(monkeypatch):
    """However long the list is. What comes again from farther back is no duplicate any more."""
    monkeypatch.setattr(_reader, "_KNOWN", 4)
    items, _, report = await walked(Honest("abcdefghijkllab"), on_drift="ignore")
    assert (items, report.duplicates, report.suspected_missing) == (list("abcdefghijkllab"), 1, 1)


async def test_a_list_that_goes_round_is_left_however_little_is_remembered(monkeypatch):
    monkeypatch.setattr(_reader, "_KNOWN", 2)
    script = [fetched(pair, pages=99, total=198) for pair in ("ab", "cd", "ef")]
    with pytest.raises(PageLoop):
        await walked(Scripted(*script, script[0]), on_drift="ignore")
