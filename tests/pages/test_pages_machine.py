"""Lists that change while they are walked, and what a walk promises all the same.

Hypothesis writes stories: a list is walked, left, taken up again and resumed, while rows are put in, taken out and moved,
and requests fail; between two requests, and while they are under way. At the end of each story every promise that applies
is held against what the service knows to be true.
"""

import asyncio
import os
from collections import Counter
from contextlib import aclosing
from functools import partial
from itertools import count, pairwise
from types import SimpleNamespace

import pytest
from attrs import define, field
from changing_server import NOON, SECOND, SECONDS, Changing, Slices
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule, run_state_machine_as_test

from voicedrop_async.errors import ConnectionLost, DriftDetected, PageLoop, WalkError
from voicedrop_async.models import WalkReport
from voicedrop_async.pages import Span, _ahead

WALKS = int(os.environ.get("VOICEDROP_WALKS", "1500"))
"""Walks to be made at least; ``nox -s fuzz`` makes 100,000."""

KINDS = [["fail"], ["insert", "fail"], ["delete", "fail"], ["replace"], ["move"], ["insert", "delete", "replace", "move", "fail"]]
"""What may happen in a story: promises hang on that."""

STORIES = settings(
    deadline=None,
    max_examples=60,
    stateful_step_count=16,
    phases=set(Phase) - {Phase.explain},
    report_multiple_bugs=False,
    suppress_health_check=list(HealthCheck),
)

CLOCK = SimpleNamespace()
"""What a walk looks at when pages wait. It goes by looks, so that a story is the same each time it is told."""

begun: Counter[str] = Counter()
"""Walks: afresh, and resumed."""
put_to_the_test: Counter[str] = Counter()
"""Stories for each promise that it applied to."""


@define
class Story:
    """A walk, and those that went on where it was left. Rows are their ids here."""

    server: Changing
    options: dict
    walks: list[list[int]] = field(factory=list)
    """What each walk handed out."""
    disturbed: int = 0
    """Failures, and times a walk was left or cancelled."""
    by_pages: bool = False
    """Whether some of it was taken page by page."""
    over: bool = False
    """Whether the last walk ended by itself."""
    error: WalkError | None = None
    report: WalkReport | None = None

    @property
    def handed(self) -> list[int]:
        return [row for walk in self.walks for row in walk]

    @property
    def single(self) -> bool:
        return len(self.walks) == 1

    @property
    def limited(self) -> bool:
        return self.options["max_items"] is not None and len(self.walks[-1]) == self.options["max_items"]

    @property
    def ended(self) -> bool:
        """Whether the list was walked to its end."""
        return self.over and not self.limited and self.error is None

    @property
    def passes(self) -> int:
        return self.options["max_passes"] if self.options["on_drift"] == "repair" else 1

    def only(self, kind: str) -> bool:
        """Whether the list changed, and always in this way."""
        return self.server.changes.keys() == {kind}

    def spans(self) -> list[Span | None]:
        """Return the slices as they were asked for: wherever one ended, the next one begins."""
        slices = self.options["slices"]
        if slices is None:
            return [None]
        ends = sorted({answer.span.end for answer in self.server.answers})
        return [Span(max(NOON, start - slices.overlap * SECOND), end) for start, end in pairwise([NOON, *ends])]

    def slices_of(self) -> Counter[int]:
        """Return how many slices a row lies in."""
        return Counter(row.id for span in self.spans() for row in self.server.ever if self.server.holds(span, row))

    def looks_uncut(self) -> bool:
        """Whether four slices in a row are crowded, so that the service may seem not to heed the range."""
        crowded = [span is not None and len(self.server.within(span)) > self.options["slices"].most for span in self.spans()]
        return any(all(crowded[first : first + 4]) for first in range(len(crowded) - 3))

    def due(self) -> set[int]:
        """Return the rows that were there all the time, and lie in a slice."""
        return self.server.always & {row for span in self.spans() for row in self.server.within(span)}

    def lost(self) -> set[int]:
        return self.due() - set(self.handed)


# --- the promises: each says whether it applies to the story --------------------------------------------------------


def nothing_is_made_up(story):
    assert set(story.handed) <= set(range(len(story.server.ever)))
    return True


def nothing_comes_twice(story):
    """Not in one walk; unless it lies in three slices, and one of them has lost it: the ids of two are kept."""
    if story.options["on_drift"] == "ignore":
        return False
    twice = {row for walk in story.walks for row, times in Counter(walk).items() if times > 1}
    assert all(story.slices_of()[row] > 2 for row in twice)
    return True


def a_list_that_rests_comes_whole_and_in_order(story):
    """Through failures, and from one walk to the next; which may cut what lies before it otherwise."""
    if story.server.changes or not story.over:
        return False
    assert story.error is None
    assert len(story.handed) == len(set(story.handed))
    whole = list(dict.fromkeys(row for span in story.spans() for row in story.server.within(span)))
    if story.single or story.options["slices"] is None:
        assert story.handed == whole[: len(story.handed)]
    if story.ended:
        assert set(whole) <= set(story.handed)
        assert story.report.suspected_missing == 0
        assert story.report.complete or story.looks_uncut()
    return True


def a_list_that_rests_costs_no_request_too_many(story):
    """Each page once, twice for a repair; and the first page of each slice that had to be cut."""
    server, size, slices = story.server, story.options["page_size"], story.options["slices"]
    if server.changes or not story.over or story.disturbed or not story.single:
        return False
    assert server.most_under_way <= max(1, story.options["prefetch"])
    if story.limited and slices is None:
        assert len(server.answers) == -(-story.options["max_items"] // size)
    if story.ended:
        asked = Counter((answer.span, answer.number) for answer in server.answers)
        pages = {(span, number) for span in story.spans() for number in range(max(1, -(-len(server.within(span)) // size)))}
        expected = Counter(dict.fromkeys(pages, 2 if story.options["on_drift"] == "repair" else 1))
        assert expected <= asked
        assert all(number == 0 and len(server.within(span)) > slices.most for span, number in asked - expected)
    return True


def a_list_that_only_grows_loses_nothing(story):
    """Wherever it grows, however far is read ahead. Only one that outruns the walk by pages is given up, and that is told."""
    if not story.ended or not story.only("insert"):
        return False
    assert not story.lost() or not story.report.complete
    if story.server.changes["insert"] < 3 * story.options["page_size"]:
        assert not story.lost()
    return True


def a_list_that_only_shrinks_is_not_called_complete_when_rows_were_lost(story):
    if not story.ended or not story.only("delete"):
        return False
    assert not story.lost() or not story.report.complete
    return True


def a_repaired_list_is_complete_when_it_says_so(story):
    """Whatever changed, and were it put in and taken out and moved so that no count tells."""
    if not story.ended or story.options["on_drift"] != "repair":
        return False
    assert not story.lost() or not story.report.complete
    return True


def a_repair_comes_to_rest_with_the_list(story):
    """Two passes over a list that does not change any more are enough."""
    if not story.ended or story.options["on_drift"] != "repair" or story.disturbed:
        return False
    server = story.server
    opened = Counter(answer.span for answer in server.answers if answer.number == 0 and answer.version == server.version)
    if any(opened[span] < 2 for span in story.spans()):
        return False
    assert story.report.complete or story.looks_uncut()
    return True


def what_is_read_after_the_last_change_comes_whole(story):
    repaired = story.options["on_drift"] == "repair" and story.options["slices"] is None and story.report.complete
    if not story.ended or not (story.single or repaired):
        return False
    server = story.server
    first = {answer.span: answer.version for answer in server.answers if answer.number == 0}
    for span in story.spans():
        if first.get(span) == server.version:
            assert set(server.within(span)) <= set(story.handed)
    return True


def no_more_is_suspected_missing_than_was_never_seen(story):
    """What lies in two slices can be missing from one of them."""
    if not story.ended or not (story.single or story.options["slices"] is None):
        return False
    answers = [[answer.ids for answer in story.server.answers if answer.span == span] for span in story.spans()]
    slices_of = story.slices_of()
    seen = {row for row in story.handed if slices_of[row] == 1}
    assert story.report.suspected_missing <= sum(max(len(set(ids) - seen) for ids in lists) for lists in answers)
    return True


def nothing_is_missing_from_a_complete_walk(story):
    """By the service's count."""
    if not story.ended or not story.single or story.options["slices"] is not None or not story.report.complete:
        return False
    assert story.report.suspected_missing == 0
    assert len(set(story.handed)) >= story.report.total_last
    assert len(set(story.handed)) == story.report.total_last or story.options["on_drift"] == "repair"
    return True


def only_a_changed_list_is_told_as_drift(story):
    if story.error is None:
        return False
    kinds = set(story.server.changes)
    if isinstance(story.error, DriftDetected):
        assert story.options["on_drift"] == "raise"
        assert kinds
    else:
        assert "move" in kinds or kinds == {"insert", "delete"}
    return True


def a_walk_without_drift_has_seen_none(story):
    if not story.ended or story.options["on_drift"] != "raise":
        return False
    assert story.report.complete or story.looks_uncut()
    if story.only("insert") or story.only("delete"):
        assert not story.lost()
    return True


def every_walk_ends(story):
    """Each page of each pass is asked for twice at most, but for what failed or was left; and there are not more passes than agreed."""
    server = story.server
    if story.single and story.options["slices"] is None and not story.disturbed:
        assert sum(answer.number == 0 for answer in server.answers) <= story.passes
    spans = {answer.span for answer in server.answers}
    pages = len(spans) * max(1, -(-server.longest // story.options["page_size"]))
    assert server.asked <= server.failed + 2 * story.passes * len(story.walks) * pages + story.disturbed * (story.options["prefetch"] + 2)
    return True


def no_more_is_under_way_or_held_than_was_agreed(story):
    """One request more while a page that was read too early is asked for again; one page more where a loop over pages holds it."""
    assert story.server.most_under_way <= max(1, story.options["prefetch"]) + 1
    assert story.disturbed or story.server.most_held <= story.options["prefetch"] + 1 + story.by_pages
    return True


PROMISES = [
    nothing_is_made_up,
    nothing_comes_twice,
    a_list_that_rests_comes_whole_and_in_order,
    a_list_that_rests_costs_no_request_too_many,
    a_list_that_only_grows_loses_nothing,
    a_list_that_only_shrinks_is_not_called_complete_when_rows_were_lost,
    a_repaired_list_is_complete_when_it_says_so,
    a_repair_comes_to_rest_with_the_list,
    what_is_read_after_the_last_change_comes_whole,
    no_more_is_suspected_missing_than_was_never_seen,
    nothing_is_missing_from_a_complete_walk,
    only_a_changed_list_is_told_as_drift,
    a_walk_without_drift_has_seen_none,
    every_walk_ends,
    no_more_is_under_way_or_held_than_was_agreed,
]


# --- the stories ------------------------------------------------------------------------------------------------------

places = st.integers(0, 12)
halves = st.integers(0, 2 * SECONDS)
changes = st.tuples(st.integers(0, 4), places, places, halves)
"""Which of the kinds of the story; and which row, where to, and its moment, as far as that matters to the kind."""
scripts = st.lists(st.tuples(st.integers(0, 6), changes), max_size=8)
"""What happens, and before which of the next answers."""
prefetches = st.integers(0, 4)
limits = st.none() | st.none() | st.none() | st.integers(0, 12)
options = st.fixed_dictionaries(
    {
        "page_size": st.integers(1, 3),
        "prefetch": prefetches,
        "on_drift": st.sampled_from(["dedupe", "repair", "repair", "raise", "ignore"]),
        "max_passes": st.integers(2, 3),
        "max_items": limits,
        "late": st.booleans(),
        "slices": st.none() | st.builds(Slices, st.sampled_from([1, 2, 3, SECONDS]), st.integers(1, 5), st.integers(0, 1)),
    }
)


class Walks(RuleBasedStateMachine):
    """A list that is changed and walked, by turns and at the same time."""

    def __init__(self):
        super().__init__()
        self.loop = asyncio.new_event_loop()
        CLOCK.monotonic = partial(next, count(0, 0.0004))
        self.unheard = []
        self.loop.set_exception_handler(lambda _, context: self.unheard.append(context["message"]))
        self.sound = True

    @initialize(
        rows=st.lists(halves, min_size=3, max_size=14),
        includes=st.tuples(st.booleans(), st.booleans()),
        kinds=st.sampled_from(KINDS),
        turns=st.lists(st.integers(0, 3), min_size=1, max_size=4),
        script=scripts,
        options=options,
        in_hand=st.booleans(),
    )
    def the_first_walk(self, rows, includes, kinds, turns, script, options, in_hand):
        self.server = Changing(rows, includes=includes, turns=turns)
        self.kinds = kinds
        self.begin(options, in_hand, script)

    @rule(change=changes)
    def something_happens(self, change):
        self.happens([(0, change)])

    def happens(self, script):
        for answers, (pick, which, where, half) in script:
            kind = self.kinds[pick % len(self.kinds)]
            self.server.happens(answers, partial(self.server.change, kind, which, where, half))

    @precondition(lambda self: not self.story.over)
    @rule(count=st.integers(1, 5), by_pages=st.booleans())
    def some_are_taken(self, count, by_pages):
        self.run(self.take(count, by_pages=by_pages))

    @precondition(lambda self: not self.story.over)
    @rule(turns=st.integers(0, 6))
    def the_walker_is_cancelled(self, turns):
        self.run(self.take_until_cancelled(turns))

    @precondition(lambda self: not self.story.over or self.story.limited)
    @rule(taken=st.integers(1, 6), prefetch=prefetches, most=limits, in_hand=st.booleans(), script=scripts)
    def the_walk_is_resumed_elsewhere(self, taken, prefetch, most, in_hand, script):
        if not self.story.over:
            self.run(self.take(taken))
        if self.story.error is not None:
            return
        token = str(self.walk.token)
        self.run(self.leave())
        self.story.disturbed += 1
        self.story.options |= {"prefetch": max(prefetch, self.story.options["prefetch"]), "max_items": most}
        self.take_up(in_hand, resume=token)
        self.happens(script)

    @rule(options=options, in_hand=st.booleans(), script=scripts)
    def it_is_walked_to_the_end_and_then_anew(self, options, in_hand, script):
        self.finish()
        self.begin(options, in_hand, script)

    @invariant()
    def nothing_runs_but_what_was_asked_for_ahead(self):
        running = asyncio.all_tasks(self.loop)
        assert len(running) <= (self.story.options["prefetch"] if self.in_hand else 0)
        assert not self.unheard

    def teardown(self):
        try:
            if self.sound and hasattr(self, "story"):
                self.finish()
        finally:
            self.loop.close()

    # --- how it is done

    def begin(self, options, in_hand, script):
        self.server.watch()
        self.story = Story(self.server, dict(options))
        self.take_up(in_hand)
        self.happens(script)

    def take_up(self, in_hand, **more):
        begun["resumed" if more else "afresh"] += 1
        self.walk = self.server.stream(**self.story.options, **more).walk()
        self.in_hand = in_hand
        self.story.walks.append([])
        self.story.over = False
        if in_hand:
            self.run(self.walk.__aenter__())

    def run(self, doing):
        self.sound = False
        self.loop.run_until_complete(doing)
        self.sound = True

    async def take(self, count, *, by_pages=False):
        story = self.story
        story.by_pages |= by_pages
        failure = None
        try:
            async with aclosing(self.walk.pages() if by_pages else aiter(self.walk)) as taken:
                while count and (each := await anext(taken, None)) is not None:
                    story.walks[-1] += [row.id for row in each.items] if by_pages else [each.id]
                    assert self.walk.report.items == len(story.walks[-1])
                    count -= 1
                story.over = count > 0
            story.disturbed += not story.over
        except ConnectionLost as error:
            story.disturbed, failure = story.disturbed + 1, error
        except (DriftDetected, PageLoop) as error:
            story.over, story.error, failure = True, error, error
        assert failure is None or failure.resume == self.walk.token

    async def take_until_cancelled(self, turns):
        taking = asyncio.ensure_future(self.take(1))
        for _ in range(turns):
            await asyncio.sleep(0)
        taking.cancel()
        self.story.disturbed += 1
        await asyncio.wait([taking])
        if not taking.cancelled():
            taking.result()

    async def leave(self):
        if self.in_hand:
            await self.walk.__aexit__(None, None, None)

    def finish(self):
        """Walk to the end, and hold the promises against what was handed out."""
        while not self.story.over:
            self.run(self.take(1 << 30))
        self.story.report = self.walk.report
        self.run(self.leave())
        self.sound = False
        assert not asyncio.all_tasks(self.loop)
        for promise in PROMISES:
            put_to_the_test[promise.__name__] += promise(self.story)
        self.sound = True


@pytest.mark.timeout(3600)
def test_walks_keep_their_promises_whatever_happens_to_the_list(monkeypatch):
    monkeypatch.setattr(_ahead, "time", CLOCK)
    while begun.total() < WALKS:
        run_state_machine_as_test(Walks, settings=STORIES)
    print(f"{begun.total():,} walks over lists that change, {begun['resumed']:,} of them resumed")
    assert all(put_to_the_test[promise.__name__] for promise in PROMISES)
