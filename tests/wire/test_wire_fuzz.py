"""Whatever comes from outside is read, or is an error of ours that tells nothing of it: pages, tokens, waiting times, moments.

The readings are those of ``fuzz/readings.py``; ``nox -s fuzz`` tries a million inputs on them.
"""

import random
import tracemalloc

import pytest
from fuzz import readings, run
from fuzz.mutations import ODD, changed, written
from fuzz.readings import READINGS, TOKEN_TEXT, WIRE_TEXT, Slow, Told, Torn, timed, told_only
from fuzz.seeds import SEEDS
from hypothesis import given, settings
from hypothesis import strategies as st
from wire_payloads import PATIENT, json_values

from voicedrop_async._wire import _fast
from voicedrop_async.errors import Unauthorized, WireError

LENGTH = 30_000
MOST_FOR_EACH_BYTE = 200
"""Bytes of memory: the shortest row, ``{},``, becomes a whole message."""
SOME = 1_000_000


@pytest.fixture(autouse=True, scope="module")
def unlearned():
    """What these pages show is known to nobody else; the readings forget it themselves, for each list."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_fast, "_news", {})
        yield


all_readings = pytest.mark.parametrize("name", READINGS)


@settings(PATIENT, max_examples=150)
@given(body=st.binary(max_size=200))
@all_readings
def test_any_bytes_are_read_or_an_error_of_ours(name, body):
    timed(READINGS[name], body)


@settings(PATIENT, max_examples=150)
@given(text=st.text() | st.from_regex(r"[0-9]{1,12}([-:. TZ+eE,][0-9]{0,9}){0,8}", fullmatch=True))
@all_readings
def test_any_text_is_read_or_an_error_of_ours(name, text):
    timed(READINGS[name], text.encode())


@settings(PATIENT, max_examples=150)
@given(value=json_values | st.sampled_from(ODD))
@all_readings
def test_any_json_is_read_or_an_error_of_ours(name, value):
    timed(READINGS[name], written(value))


@settings(PATIENT, max_examples=400)
@given(data=st.data(), seed=st.integers(0, 2**32), changes=st.integers(1, 4))
@pytest.mark.parametrize("name", ["page", "token"])
def test_a_documented_answer_with_some_things_changed_is_read_or_an_error_of_ours(name, data, seed, changes):
    body, dice = data.draw(st.sampled_from(SEEDS[name])), random.Random(seed)
    for _ in range(changes):
        body = changed(body, dice)
    timed(READINGS[name], body)


@settings(PATIENT, max_examples=150)
@given(data=st.data(), place=st.integers(0), byte=st.integers(0, 255))
@all_readings
def test_a_documented_answer_with_a_byte_changed_is_read_or_an_error_of_ours(name, data, place, byte):
    body = bytearray(data.draw(st.sampled_from(SEEDS[name])))
    body[place % len(body)] = byte
    timed(READINGS[name], bytes(body))


@all_readings
def test_each_seed_is_read(name):
    """A reading that refused everything would hold every promise above."""
    read = {"page": 2, "token": 1, "wait": 5, "moment": 8}
    assert len(SEEDS[name]) == read[name]
    for body in SEEDS[name]:
        READINGS[name](body)


def rows(row):
    """Return a page of ``LENGTH`` bytes, with the same row again and again."""
    return b'{"content":[' + b",".join([row] * (LENGTH // (len(row) + 1))) + b"]}"


NAMES = b",".join(b'"k%d":%d' % (number, number) for number in range(LENGTH // 12))
ODD_ROW = b'{"messageId":"m","duration":"x","price":[],"status":{"date":"z"},"recordings":[{"start":1e400}]}'
HOSTILE = {
    "open brackets": (readings.page_once, b"[" * LENGTH),
    "empty rows": (readings.page_once, rows(b"{}")),
    "rows that are none": (readings.page_once, rows(b"0")),
    "rows with every field odd": (readings.page_once, rows(ODD_ROW)),
    "deep rows": (readings.page_once, rows(b'{"messageId":"m","odd":' + b"[" * 300 + b"]" * 300 + b"}")),
    "many keys": (readings.page_once, b'{"content":[{"messageId":"m",' + NAMES + b"}]}"),
    "a key again and again": (readings.page_once, b'{"content":[{' + b",".join([b'"messageId":"m"'] * (LENGTH // 16)) + b"}]}"),
    "long numbers": (readings.page_once, rows(b'{"messageId":"m","price":%b,"duration":%b}' % (b"9" * 4000, b"9" * 4000))),
    "long fractions": (readings.page_once, rows(b'{"messageId":"m","price":0.%b}' % (b"9" * 10_000))),
    "vast exponents": (
        readings.page_once,
        rows(b'{"messageId":"m","price":1e999999999,"duration":1e999999999,"chargeInterval":1e-999999999}'),
    ),
    "a long moment": (readings.page_once, rows(b'{"messageId":"m","status":{"date":"2015-01-06T%b"}}' % (b"9" * 10_000))),
    "drop records with ids as text": (readings.page_once, b"[" + b",".join([b'{"id":"1"}'] * (LENGTH // 11)) + b"]"),
    "a long token": (readings.token, b'{"access_token":"' + b"=" * LENGTH + b'!","expires_in":1}'),
    "a long life": (readings.token, b'{"access_token":"t","expires_in":' + b"9" * 4000 + b"}"),
    "a long wait": (readings.wait, b"9" * LENGTH),
    "a date of commas": (readings.wait, b"Fri, " * (LENGTH // 5)),
    "a time of colons": (readings.wait, b"2 Jan 2026 " + b":" * LENGTH),
    "a long zone": (readings.wait, b"2 Jan 2026 12:00:00 +" + b"9" * 4000),
    "a year without end": (readings.wait, b"2 Jan " + b"9" * 4000 + b" 12:00:00 GMT"),
    "a moment of digits": (readings.moment, b"9" * LENGTH),
    "a moment with a long fraction": (readings.moment, b"1" * 9 + b"." + b"1" * LENGTH),
}


@pytest.mark.parametrize("shape", HOSTILE)
def test_what_is_made_to_be_dear_takes_no_more_time_and_memory_than_its_length_allows(shape):
    read, body = HOSTILE[shape]
    timed(read, body)

    tracemalloc.start()
    try:
        read(body)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()

    assert peak < MOST_FOR_EACH_BYTE * len(body) + SOME


# --- that all this can fail ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("error", "allowed"),
    [
        (WireError(summary="the answer cannot be read, text expected", status=200, length=9, path="content[0].canary"), WIRE_TEXT),
        (WireError(summary="the answer cannot be read, canary expected", status=200, length=9), WIRE_TEXT),
        (WireError(summary="the answer cannot be read, JSON expected", status=200, length=9, content_type="canary"), WIRE_TEXT),
        (Unauthorized(summary="the token cannot be used: canary", request="POST /oauth/token", status=200), TOKEN_TEXT),
    ],
)
def test_an_error_that_tells_what_stood_in_the_answer_is_found(error, allowed):
    with pytest.raises(Told):
        told_only(error, allowed)


def test_an_error_that_brings_along_its_cause_is_found():
    error = WireError(summary="the answer cannot be read, JSON expected", status=200, length=9)
    told_only(error, WIRE_TEXT)
    error.__cause__ = ValueError("canary")

    with pytest.raises(Told):
        told_only(error, WIRE_TEXT)


PAGES = [b'{"content":[{"messageId":"m","newer":1}]}', b'[{"id":1,"state":77}]']


@pytest.mark.parametrize("body", PAGES)
@pytest.mark.parametrize("road", ["decode_envelope", "decode_array"])
def test_a_road_that_reads_otherwise_is_found(monkeypatch, body, road):
    """What the first page has shown is news; the second is read by the short road, which here passes over its rows."""
    decode = getattr(_fast, road)

    def astray(body, model, *pool):
        read = decode(body, model, *pool)
        return read and (_fast.EnvelopeMirror(content=()) if road == "decode_envelope" else ())

    READINGS["page"](body)
    monkeypatch.setattr(_fast, road, astray)

    if (road == "decode_envelope") == (body is PAGES[0]):
        with pytest.raises(Torn):
            READINGS["page"](body)
    else:
        READINGS["page"](body)


def test_each_page_is_read_as_the_first_of_its_kind_and_as_the_second(monkeypatch):
    """However often it comes: what breaks in a long run breaks alone."""
    decode, short = _fast.decode_envelope, []

    def watched(body, model, pool):
        short.append((read := decode(body, model, pool)) is not None)
        return read

    monkeypatch.setattr(_fast, "decode_envelope", watched)
    for _ in range(2):
        READINGS["page"](PAGES[0])

    assert short == [False, True] * 2


def test_what_was_made_for_what_was_shown_is_forgotten_as_well(monkeypatch):
    monkeypatch.setattr(readings, "FORGOTTEN_EVERY", 1)
    READINGS["page"](PAGES[1])

    assert _fast._tools.cache_info().currsize == len(["nothing shown", "the word of the row"])


def test_a_slow_reading_is_found(monkeypatch):
    monkeypatch.setattr(readings, "MOST_SECONDS", -1.0)

    with pytest.raises(Slow):
        timed(READINGS["wait"], b"1")


def outcome(name="wait", tried=10, peak_mb=50.0, exit_code=0):
    return run.Outcome(name, tried, 1.0, peak_mb, exit_code)


@pytest.mark.parametrize(
    ("outcomes", "said"),
    [
        ([], "not tried at all"),
        ([outcome(tried=9)], "9 inputs of 10"),
        ([outcome(exit_code=77)], "ended with 77"),
        ([outcome(peak_mb=1000.0)], "1000 MB"),
        ([outcome(name="page")], "wait: not tried"),
    ],
)
def test_a_run_that_tried_too_little_or_broke_is_no_run(outcomes, said):
    assert run.faults({"wait": 10}, [outcome()]) == []
    assert any(said in fault for fault in run.faults({"wait": 10}, outcomes))


def test_a_million_inputs_are_a_million():
    assert sum(run.shares(1_000_000).values()) >= 1_000_000
    assert set(run.shares(7)) == set(READINGS) == set(SEEDS)
