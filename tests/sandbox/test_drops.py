"""Spacivox's voicemail drop records."""

import pytest

WEEK = {"start": "2026-02-23T12:00:00Z", "end": "2026-03-02T12:00:00Z"}


@pytest.mark.documented("X05", "X06", "X07", "X08")
async def test_a_range_is_one_bare_array_of_full_records(caller):
    status, records = await caller.drops(**WEEK)
    assert status == 200
    assert records == caller.sandbox.drops
    assert len(records) == 50
    keys = {"campaign", "id", "job", "number", "reference", "state", "team", "timestamp"}
    assert all(record.keys() == keys for record in records)
    assert {record["state"] for record in records} == {0, 1, 2, 3}
    assert all(record["timestamp"].endswith("Z") and len(record["timestamp"]) == 24 for record in records)
    assert len({(record["campaign"], record["reference"]) for record in records}) == 50


@pytest.mark.documented("X50")
async def test_both_ends_of_a_range_are_included(caller):
    first, *_, last = [record["timestamp"] for record in caller.sandbox.drops]
    assert (await caller.drops(start=first, end=last))[1] == caller.sandbox.drops
    assert (await caller.drops(start=first, end=first))[1] == caller.sandbox.drops[:1]


@pytest.mark.documented("X04")
async def test_a_team_sees_its_records_only(caller):
    _, records = await caller.drops(**WEEK, team=1)
    assert records == [record for record in caller.sandbox.drops if record["team"] == 1]
    assert 0 < len(records) < 50


@pytest.mark.documented("X03", "X51")
@pytest.mark.parametrize(
    "params",
    [{}, {"start": WEEK["start"]}, {"end": WEEK["end"]}, WEEK | {"start": "2026-02-23"}, WEEK | {"team": "a"}],
)
async def test_a_range_without_both_ends_is_refused_in_plain_text(caller, params):
    status, text = await caller.drops(**params)
    assert status == 400
    assert text.startswith("start and end are required")


@pytest.mark.documented("X01", "X02", "X51")
async def test_a_wrong_token_is_forbidden(caller):
    assert await caller.drops(token="0a1b2c3d4e5f", **WEEK) == (403, "Forbidden")
    routee_token = caller.bearer["Authorization"].removeprefix("Bearer ")
    assert (await caller.drops(token=routee_token, **WEEK))[0] == 403
