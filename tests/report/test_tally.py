"""What is counted stays small, and its parts are the whole: whatever the messages are."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from voicedrop_async.report import _tally, _timeline
from voicedrop_async.report._figures import figures_of
from voicedrop_async.report._tally import COLUMNS, MOST_FAILURES, Tally

FEW = st.sampled_from([None, "", "Completed", "Busy", "NoAnswer", "Ringing", "(others)", "(not told)", "x" * 99, "+306912345678"])
WORDS = FEW | st.integers(0, 9).map("word {}".format)
MOMENTS = [
    datetime(1, 1, 1, tzinfo=UTC),
    datetime(9999, 12, 31, 23, 59, tzinfo=UTC),
    *(datetime(2026, 3, day, tzinfo=UTC) for day in (1, 2, 9)),
]
ROW = st.fixed_dictionaries(
    {
        **dict.fromkeys(("to", "country", "status", "answered_by"), WORDS),
        "message_id": st.just("m"),
        "status_date": st.sampled_from([None, *MOMENTS]),
        "duration": st.sampled_from([None, -1, 0, 0.5, 5, 4_000, 10**400, float("inf"), float("nan")]),
        "price": st.sampled_from([None, *map(Decimal, ("0.1", "0", "-3", "1e-9", "1e999999", "NaN", "-Infinity"))]),
        "collected_tones": st.sampled_from([None, "", "1", "#", "0042", "x"]),
        "extra": st.sampled_from([None, {}, {"status": "x"}, {"status": {"reason": 7}}, {"status": {"reason": "none"}}]),
    }
)


def columns(rows):
    return {name: [row[name] for row in rows] for name in COLUMNS}


@settings(max_examples=50)
@given(batches=st.lists(st.lists(ROW, max_size=9), max_size=3))
def test_the_parts_of_each_figure_are_the_whole(batches):
    """Of more than four words, the rarest are merged, again and again."""
    tally = Tally()
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(_tally, "_MOST_WORDS", 4)
        for rows in batches:
            tally.add(columns(rows))

    figures = {figure.key: figure for figure in figures_of(tally, None).figures}

    count = f"{sum(map(len, batches)):,}"
    for key in ("time", "status", "answered", "duration", "keys", "country"):
        at = -1 if key == "time" else 1
        assert figures[key].total[at] == count
        assert f"{sum(int(row[at].replace(',', '')) for row in figures[key].rows):,}" == count
    assert len(tally.over_time.spread().bins) <= _timeline.MOST_BINS


def add(timeline, moments):
    timeline.add({(place, "Busy"): count for place, count in Counter(timeline.places(moments)).items()})


def test_bins_are_as_narrow_as_they_can_be_and_nothing_is_lost():
    """A minute each at first; a year of days becomes a year of weeks, and all of time a few bins."""
    timeline, start = _timeline.Timeline(), datetime(2026, 3, 2, 9, 30, 20, tzinfo=UTC)
    add(timeline, [start] * 5)
    assert (timeline.spread().bins[0][0], timeline.spread().width) == (start.replace(second=0), timedelta(minutes=1))

    add(timeline, [start + timedelta(days=day) for day in range(365)])
    assert timeline.spread().width == timedelta(weeks=1)
    assert timeline.spread().bins[0][0] == datetime(2026, 3, 2, tzinfo=UTC)  # a Monday

    ends = [datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)]
    add(timeline, ends * 100)
    spread = timeline.spread()
    assert len(spread.bins) <= 12
    assert sum(counts["Busy"] for _, counts in spread.bins) == 570
    assert (spread.before, spread.after) == ({}, {})


def test_bins_that_are_held_are_bounded():
    timeline, start = _timeline.Timeline(), datetime(2026, 3, 2, tzinfo=UTC)
    for part in range(20):
        add(timeline, [start + timedelta(hours=part * 200 + hour) for hour in range(200)])

    assert len(timeline.counts) <= _timeline._MOST_HELD
    assert sum(counts["Busy"] for _, counts in timeline.spread().bins) == 4_000


@pytest.mark.parametrize(
    ("far", "apart"),
    [
        ({"1970-01-01T00:00:00Z": 1}, (1, 0)),
        ({"1970-01-01T00:00:00Z": 2, "1980-01-01T00:00:00Z": 1, "9999-12-31T23:59:59Z": 4}, (3, 4)),
        ({"1970-01-01T00:00:00Z": 30}, (0, 0)),  # too many to be a mistake
        ({"2026-03-03T07:00:00Z": 1}, (0, 0)),  # the next morning
    ],
)
def test_what_lies_far_from_the_rest_does_not_make_one_bar_of_a_morning(far, apart):
    timeline, start = _timeline.Timeline(), datetime(2026, 3, 2, 9, tzinfo=UTC)
    add(timeline, [start + timedelta(seconds=30 * number) for number in range(300)])
    for text, count in far.items():
        add(timeline, [datetime.fromisoformat(text)] * count)

    spread = timeline.spread()

    assert (spread.before.total(), spread.after.total()) == apart
    assert sum(counts.total() for _, counts in spread.bins) == 300 + sum(far.values()) - sum(apart)
    if any(apart):
        assert (spread.width, len(spread.bins)) == (timedelta(minutes=5), 30)


def test_a_count_of_endless_words_is_bounded_and_loses_nobody():
    """Each thousand comes once more often than the one before, and pushes it out; who does not say stays apart."""
    words = _tally.Words()
    for start in range(0, 50_000, 1_000):
        often = 1 + start // 1_000
        words.add({(f"land {number}", Decimal("0.1")): often for number in range(start, start + 1_000)} | {(None, None): 1})

    assert len(words.counts) <= _tally._MOST_WORDS + 2
    assert words.counts.total() == 1_000 * sum(range(1, 51)) + 50
    assert words.counts["(not told)"] == 50
    assert words.counts["land 49000"] == 50
    assert _tally.total_of(words.costs.values()) == Decimal("0.1") * 1_000 * sum(range(1, 51))


def test_what_is_left_of_the_costs_has_one_name_and_a_large_sum_is_rounded_beside_its_bar():
    tally, row = Tally(), dict.fromkeys(COLUMNS)
    tally.add(columns([row | {"country": f"land {number:02}", "price": Decimal(99 - number)} for number in range(30)]))
    tally.add(columns([row | {"country": "(others)", "price": Decimal("370370137.0370370123")}]))

    cost = next(figure for figure in figures_of(tally, None).figures if figure.key == "cost")

    assert [label for label, _ in cost.rows] == [*(f"land {number:02}" for number in range(20)), "(others)"]
    assert cost.rows[-1][1] == "370,370,882.0370370123"
    assert cost.marks[-1].text == "370,370,882.04"


def test_the_newest_failures_are_kept_and_the_rest_is_counted():
    tally, start = Tally(), datetime(2026, 3, 2, tzinfo=UTC)
    row = dict.fromkeys(COLUMNS) | {"status": "Busy"}
    rows = [row | {"message_id": str(number), "status_date": start + timedelta(seconds=number * 7 % 9_001)} for number in range(9_001)]
    for at in range(0, len(rows), 1_000):
        tally.add(columns([*rows[at : at + 1_000], row]))

    figures = figures_of(tally, None)

    assert [failure.moment for failure in figures.failures] == [start + timedelta(seconds=9_000 - place) for place in range(MOST_FAILURES)]
    assert (tally.failed, figures.unlisted) == (9_011, 8_011)
