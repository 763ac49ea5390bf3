"""Ranges in words: no process, no server; the zone is Athens, where the clock is put forward on 29 March 2026."""

import time
from datetime import UTC, datetime, timedelta

import pytest

from voicedrop_async import ConfigError
from voicedrop_async.cli._place import begun, range_kept
from voicedrop_async.cli._words import Range, moment

MOMENT = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
NOW = datetime(2026, 3, 29, 22, 15, tzinfo=UTC)  # a quarter past one of the 30th in Athens, three hours ahead


@pytest.fixture(autouse=True)
def athens(monkeypatch):
    monkeypatch.setenv("TZ", "EET-2EEST,M3.5.0/3,M10.5.0/4")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.parametrize("text", ["2026-03-02T09:30:00Z", "2026-03-02T11:30+02:00", "20260302T093000Z"])
def test_a_moment_is_iso_8601_with_a_zone(text):
    assert moment("--start", text, NOW) == MOMENT


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("now", "2026-03-29T22:15:00Z"),
        ("today", "2026-03-30T00:00:00+03:00"),
        ("yesterday", "2026-03-29T00:00:00+02:00"),  # which had 23 hours
        ("-7d", "2026-03-22T22:15:00Z"),
        ("-6h", "2026-03-29T16:15:00Z"),
        ("-30m", "2026-03-29T21:45:00Z"),
    ],
)
def test_a_word_is_a_moment_of_this_machines_zone(text, expected):
    assert moment("--start", text, NOW) == datetime.fromisoformat(expected)


@pytest.mark.parametrize(
    "text", ["2026-03-02T09:30:00", "2026-03-02", "tomorrow", "", "1772443800", "7d", "-7", "--end", "-" + "9" * 9 + "d"]
)
def test_a_moment_without_a_zone_and_what_is_none_are_refused(text):
    with pytest.raises(ConfigError, match=r"^--start: "):
        moment("--start", text, NOW)


def range_of(start, end, now=NOW):
    """As ``Range.read`` makes it at ``now``."""
    words = [text if text is not None and not text[0].isdigit() else None for text in (start, end)]
    since, until = (None if text is None else moment("--start", text, now) for text in (start, end))
    return Range(start=since, end=until, start_word=words[0], end_word=words[1])


LATER = NOW + timedelta(days=2)


@pytest.mark.parametrize(
    ("first", "again"),
    [
        (("-7d", "now"), ("-7d", "now")),
        (("-7d", "now"), (None, None)),
        (("-7d", None), ("2026-03-22T22:15:00Z", None)),
        (("2026-03-22T22:15:00Z", None), ("2026-03-23T00:15:00+02:00", None)),
    ],
)
def test_the_same_range_said_again_is_the_one_of_then(tmp_path, first, again):
    began = range_of(*first)
    assert range_of(*again, now=LATER).gone_on_with(began, tmp_path, "anew") == began


@pytest.mark.parametrize("again", [("-8d", "now"), ("today", "now"), ("-7d", "2026-03-29T00:00:00Z"), ("2026-03-24T22:15:00Z", "now")])
def test_another_range_is_refused_with_the_one_of_then(tmp_path, again):
    with pytest.raises(ConfigError, match=r"another one than that of .*, which is (-7d|now), which was 2026-03-2.*; anew$"):
        range_of(*again, now=LATER).gone_on_with(range_of("-7d", "now"), tmp_path, "anew")


def test_a_range_in_words_is_kept_beside_a_file_for_as_long_as_a_part_of_it_is_there(tmp_path):
    """What was begun has its range, and what was not begun leaves nothing. A range in moments is told by the file's own place."""
    out, part = tmp_path / "m.csv", tmp_path / "m.csv.part"
    first, later = range_of("-7d", None), range_of("-7d", None, now=LATER)
    for moments in (range_of("2026-03-02T09:30:00Z", None), first):
        with range_kept(out, moments):
            assert len(list(tmp_path.iterdir())) == (moments is first)
        assert list(tmp_path.iterdir()) == []

    with range_kept(out, first):
        part.touch()
    assert begun(out, later) == first
    with range_kept(out, first):
        part.unlink()

    assert begun(out, later) == later
    assert list(tmp_path.iterdir()) == []


def test_a_part_that_was_removed_leaves_no_range_behind(tmp_path):
    """Its range still lies there; what is begun anew with fixed moments goes on with those."""
    out, part, fixed = tmp_path / "m.csv", tmp_path / "m.csv.part", range_of("2026-03-02T09:30:00Z", None)
    with range_kept(out, range_of("-7d", None)):
        part.touch()
    with pytest.raises(ConfigError, match=r"remove it, m\.csv\.part\.place and m\.csv\.part\.range$"):
        begun(out, range_of("-8d", None))
    part.unlink()

    with range_kept(out, begun(out, fixed)):
        part.touch()

    assert begun(out, fixed) == fixed


def test_a_range_that_cannot_be_kept_is_refused(tmp_path):
    with pytest.raises(ConfigError, match=r"^--out: "), range_kept(tmp_path / "none" / "m.csv", range_of("-7d", None)):
        pytest.fail("nothing is to be written")


def test_words_are_known_as_such():
    assert Range.read("-7d", "2026-03-02T09:30:00Z").start_word == "-7d"
    assert not Range.read("2026-03-02T09:30:00Z", None).has_words
