"""What is counted stays small, and its parts are the whole: whatever the messages are."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from voicedrop_async.report import _tally, _timeline
from voicedrop_async.report._figures import figures_of
from voicedrop_async.report._tally import COLUMNS, MOST_FAILURES, Tally

WORDS = st.sampled_from([None, "", "Completed", "Busy", "NoAnswer", "Ringing", "(others)", "(not told)", "x" * 99, "+306912345678"])
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
    tally = Tally()
    for rows in batches:
        tally.add(columns(rows))

    figures = {figure.key: figure for figure in figures_of(tally, None).figures}

    count = f"{sum(map(len, batches)):,}"
    for key in ("time", "status", "answered", "duration", "keys", "country"):
        at = -1 if key == "time" else 1
        assert figures[key].total[at] == count
        assert f"{sum(int(row[at].replace(',', '')) for row in figures[key].rows):,}" == count
    assert len(tally.over_time.bins()) <= _timeline.MOST_BINS


def test_bins_are_as_narrow_as_they_can_be_and_nothing_is_lost():
    """A minute each at first; a year of days becomes a year of weeks, and all of time a few bins."""
    timeline, start = _timeline.Timeline(), datetime(2026, 3, 2, 9, 30, 20, tzinfo=UTC)
    timeline.add({(timeline.places([start])[0], "Busy"): 5})
    assert (timeline.bins()[0][0], timeline.width) == (start.replace(second=0), timedelta(minutes=1))

    for day in range(365):
        timeline.add({(timeline.places([start + timedelta(days=day)])[0], "Busy"): 1})
    assert timeline.width == timedelta(weeks=1)
    assert timeline.bins()[0][0] == datetime(2026, 3, 2, tzinfo=UTC)  # a Monday

    timeline.add({(place, "Busy"): 1 for place in timeline.places([datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)])})
    assert len(timeline.bins()) <= 12
    assert sum(counts["Busy"] for _, counts in timeline.bins()) == 372


def test_a_count_of_endless_words_is_bounded():
    tally = Tally()
    for start in range(0, 5_000, 500):
        row = dict.fromkeys(COLUMNS) | {"price": Decimal("0.1")}
        tally.add(columns([row | {"country": f"land {number}"} for number in range(start, start + 500)]))

    assert len(tally.countries.counts) <= _tally._MOST_WORDS
    assert tally.countries.counts.total() == 5_000
    assert tally.cost == 500


def test_the_newest_failures_are_kept_and_the_rest_is_counted():
    tally, start = Tally(), datetime(2026, 3, 2, tzinfo=UTC)
    row = dict.fromkeys(COLUMNS) | {"status": "Busy"}
    rows = [row | {"message_id": str(number), "status_date": start + timedelta(seconds=number * 7 % 9_001)} for number in range(9_001)]
    for at in range(0, len(rows), 1_000):
        tally.add(columns([*rows[at : at + 1_000], row]))

    figures = figures_of(tally, None)

    assert [failure.moment for failure in figures.failures] == [start + timedelta(seconds=9_000 - place) for place in range(MOST_FAILURES)]
    assert (tally.failed, figures.unlisted) == (9_011, 8_011)
