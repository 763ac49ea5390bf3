"""Spacivox's records, of each kind: all are listed alike."""

import pytest

from voicedrop_async.sandbox._records import DROPS, LISTS

WEEK = {"start": "2026-02-23T12:00:00Z", "end": "2026-03-02T12:00:00Z"}
EACH = {"campaign", "id", "job", "number", "reference", "state", "team", "timestamp"}

each_list = pytest.mark.parametrize("path", LISTS)


@pytest.mark.parametrize(
    ("path", "own", "asked_for"),
    [
        pytest.param(DROPS, set(), set(), marks=pytest.mark.documented("X05")),
        pytest.param("/j/text_records", {"portal"}, {"body"}, marks=pytest.mark.documented("X09")),
    ],
)
@pytest.mark.documented("X06", "X07", "X08")
async def test_a_range_is_one_bare_array_of_full_records(caller, path, own, asked_for):
    """A field that is asked for is there only then."""
    status, records = await caller.records(path, **WEEK)
    assert status == 200
    assert records == [{key: one[key] for key in EACH | own} for one in caller.sandbox.records[path]]
    assert (await caller.records(path, **WEEK, include=",".join(asked_for)))[1] == caller.sandbox.records[path]
    assert all(record.keys() == EACH | own | asked_for for record in caller.sandbox.records[path])
    assert len(records) == 50
    assert {record["state"] for record in records} == {0, 1, 2, 3}
    assert all(record["timestamp"].endswith("Z") and len(record["timestamp"]) == 24 for record in records)
    assert len({(record["campaign"], record["reference"]) for record in records}) == 50


async def test_drops_are_the_records_of_their_list(caller):
    assert caller.sandbox.drops == caller.sandbox.records[DROPS]


@pytest.mark.documented("X50")
@each_list
async def test_both_ends_of_a_range_are_included(caller, path):
    ids = [record["id"] for record in caller.sandbox.records[path]]
    first, *_, last = [record["timestamp"] for record in caller.sandbox.records[path]]
    assert [record["id"] for record in (await caller.records(path, start=first, end=last))[1]] == ids
    assert [record["id"] for record in (await caller.records(path, start=first, end=first))[1]] == ids[:1]


@pytest.mark.documented("X04")
@each_list
async def test_a_team_sees_its_records_only(caller, path):
    _, records = await caller.records(path, **WEEK, team=1)
    assert [record["id"] for record in records] == [one["id"] for one in caller.sandbox.records[path] if one["team"] == 1]
    assert 0 < len(records) < 50


@pytest.mark.documented("X03", "X51")
@pytest.mark.parametrize(
    "params",
    [{}, {"start": WEEK["start"]}, {"end": WEEK["end"]}, WEEK | {"start": "2026-02-23"}, WEEK | {"team": "a"}],
)
@each_list
async def test_a_range_without_both_ends_is_refused_in_plain_text(caller, path, params):
    status, text = await caller.records(path, **params)
    assert status == 400
    assert text.startswith("start and end are required")


@pytest.mark.documented("X01", "X02", "X51")
@each_list
async def test_a_wrong_token_is_forbidden(caller, path):
    assert await caller.records(path, token="0a1b2c3d4e5f", **WEEK) == (403, "Forbidden")
    routee_token = caller.bearer["Authorization"].removeprefix("Bearer ")
    assert (await caller.records(path, token=routee_token, **WEEK))[0] == 403
