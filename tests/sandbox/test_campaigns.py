"""Sending, analysing and deleting campaigns."""

import re

import pytest

STATUSES = ["Queued", "Initiated", "Ringing", "InProgress", "Completed", "Busy", "NoAnswer", "Failed", "Unknown", "Unsent", "Terminated"]


@pytest.mark.documented("C04", "C07", "C08", "V03")
async def test_a_plain_campaign_is_answered_with_the_documented_keys_and_no_others(caller):
    status, receipt = await caller.send()
    assert status == 200
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", receipt.pop("createdAt"))
    assert receipt.pop("cost") > 0
    assert receipt == {
        "trackingId": caller.sandbox.campaigns[0].tracking_id,
        "type": "Voice",
        "state": "Queued",
        "campaignName": "Spring sale",
        "from": "302101234567",
        "to": ["+306912345678"],
        "contacts": [],
        "groups": [],
        "message": {"text": "Hello", "language": "en-GB"},
        "respectQuietHours": False,
        "collectDtmfDigits": False,
        "statuses": dict.fromkeys(STATUSES, 0) | {"Queued": 1},
        "voiceAnalysis": {
            "contacts": {},
            "dialPlanAnalysis": {"placeholder": ""},
            "numberOfRecipients": 1,
            "recipientCountries": {"+306912345678": "GR"},
            "recipientsPerCountry": {"GR": 1},
            "recipientsPerGroup": {},
            "totalInGroups": 0,
        },
    }


@pytest.mark.documented("C02", "C05", "C07")
async def test_what_is_supplied_is_given_back(caller):
    supplied = {
        "fileURL": "https://files.example.com/a.wav",
        "respectQuietHours": True,
        "scheduledDate": "2026-03-02T15:00:00+02:00",
        "hangupDelay": 12,
        "callback": {"strategy": "OnChange", "url": "http://127.0.0.1:1/a"},
        "campaignCallback": {"strategy": "OnCompletion", "url": "http://127.0.0.1:1/b"},
        "collectDtmfDigits": True,
        "collectDtmfAwaitSeconds": 2.5,
    }
    _, receipt = await caller.send(message=None, ignoreDnd=True, somethingNew=1, **supplied)
    assert {key: receipt[key] for key in supplied} == supplied
    assert receipt["state"] == "Scheduled"
    assert "message" not in receipt
    assert caller.sandbox.campaigns[0].body["somethingNew"] == 1


@pytest.mark.documented("C03", "C08")
async def test_contacts_and_groups_are_called_too_and_nobody_twice_through_groups(caller):
    _, first = await caller.send(to=None, contacts=["c1"], groups=["Athens shop", "customers"])
    analysis = first["voiceAnalysis"]
    members = [message["to"] for message in caller.sandbox.campaigns[0].messages if "groups" in message]
    assert analysis["contacts"]["c1"].keys() == {"recipient", "recipientCountry", "blacklisted"}
    assert analysis["totalInGroups"] == sum(analysis["recipientsPerGroup"].values()) == len(members)
    assert analysis["numberOfRecipients"] == 1 + len(members)

    _, second = await caller.send(to=members[:1], groups=["Athens shop", "customers"])
    assert second["voiceAnalysis"]["totalInGroups"] == len(members) - 1


@pytest.mark.documented("C52")
async def test_a_number_given_twice_is_called_twice(caller):
    await caller.send(to=["+306912345678", "+306912345678"])
    assert caller.sandbox.campaigns[0].recipients == ("+306912345678", "+306912345678")


async def test_a_country_not_known_is_left_out(caller):
    _, receipt = await caller.send(to=["+99912345678"])
    assert receipt["voiceAnalysis"]["recipientCountries"] == {}
    assert "country" not in caller.sandbox.campaigns[0].messages[0]


@pytest.mark.documented("C01", "C02", "C13", "V06", "E01", "E02")
@pytest.mark.parametrize(
    "changes",
    [
        {"from": None},
        {"from": ""},
        {"to": None},
        {"to": [], "contacts": [], "groups": []},
        {"to": "+306912345678"},
        {"to": ["+306912345678"] * 1001},
        {"contacts": ["c"] * 1001},
        {"groups": ["g"] * 1001},
        {"name": "x"},
        {"name": "x" * 31},
        {"name": "Spring_sale"},
        {"name": "Πώληση"},
        {"name": "Spring\n"},
        {"message": None},
        {"message": "Hello"},
        {"message": {"text": "x" * 1001}},
        {"message": {"language": "en-GB"}},
        {"message": {"text": "Hello", "gender": "robot"}},
        {"callback": {"strategy": "OnStep", "url": "http://127.0.0.1/"}},
        {"callback": {"strategy": "OnChange"}},
        {"scheduledDate": "2026-03-02T15:00:00.000Z"},
        {"scheduledDate": "2026-03-02T15:00Z"},
        {"scheduledDate": "2026-03-02T15:00:00"},
        {"scheduledDate": "2026-13-02T15:00:00Z"},
        {"hangupDelay": "12"},
        {"hangupDelay": -1},
    ],
)
async def test_a_body_against_the_rules_is_refused_and_nobody_is_called(caller, changes):
    status, body = await caller.send(**changes)
    assert status == 400
    assert re.fullmatch("400013[0-9]{3}", body["code"])
    assert body["developerMessage"]
    assert caller.sandbox.campaigns == ()


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"\xff", b"[" * 100_000])
async def test_a_body_that_is_no_object_is_refused(caller, body):
    status, error = await caller.call("POST", "/voice/campaign", data=body)
    assert (status, error["code"]) == (400, "400013001")


@pytest.mark.documented("C09", "C51")
async def test_invalid_numbers_are_listed_and_nobody_is_called(caller):
    status, body = await caller.send(to=["+306912345678", "6912345678", "+0", "+30691234567x"])
    assert (status, body["code"]) == (400, "400013004")
    assert [problem["property"] for problem in body["errors"]] == ["6912345678", "+0", "+30691234567x"]
    assert all(problem.keys() == {"code", "developerMessage", "property"} for problem in body["errors"])
    assert caller.sandbox.campaigns == ()


@pytest.mark.documented("C09", "C51")
async def test_with_partial_errors_the_valid_numbers_are_called(serve):
    caller = await serve(partial_errors=True)
    status, receipt = await caller.send(to=["+306912345678", "6912345678"])
    assert status == 200
    assert [problem["property"] for problem in receipt["errors"]] == ["6912345678"]
    assert caller.sandbox.campaigns[0].recipients == ("+306912345678",)
    assert (await caller.send(to=["6912345678"]))[0] == 400


@pytest.mark.documented("C11", "C50")
async def test_a_name_may_be_used_again_unless_names_are_unique(serve):
    easy, strict = await serve(), await serve(unique_names=True)
    assert [(await easy.send())[0] for _ in range(2)] == [200, 200]
    assert [(await strict.send())[0] for _ in range(2)] == [200, 409]
    assert [(await strict.send(name=None))[0] for _ in range(2)] == [200, 200]
    assert [campaign.name for campaign in strict.sandbox.campaigns] == ["Spring sale", None, None]


@pytest.mark.documented("C12")
async def test_an_analysis_calls_nobody(caller):
    body = {"from": "3021", "to": ["+306912345678", "12"], "message": {"text": "Hello"}}
    status, analysis = await caller.call("POST", "/voice/analysis", json=body)
    assert status == 200
    assert analysis["numberOfRecipients"] == 1
    assert [problem["property"] for problem in analysis["errors"]] == ["12"]
    assert caller.sandbox.campaigns == ()


@pytest.mark.documented("C53")
async def test_a_scheduled_campaign_can_be_deleted_until_it_begins(serve, clock):
    caller = await serve(clock=clock)
    _, early = await caller.send(scheduledDate="2026-03-02T12:30:00Z")
    _, late = await caller.send(scheduledDate="2026-03-02T12:30:00Z")
    assert await caller.call("DELETE", f"/voice/campaign/{early['trackingId']}") == (200, {})
    assert await caller.call("GET", f"/voice/tracking/campaign/{early['trackingId']}") == (
        404,
        {"code": "404013000", "developerMessage": "Tracking not found"},
    )
    clock.turn(1800)
    assert (await caller.call("DELETE", f"/voice/campaign/{late['trackingId']}"))[0] == 409
    assert [campaign.tracking_id for campaign in caller.sandbox.campaigns] == [late["trackingId"]]


async def test_deleting_what_is_unknown_says_so(caller):
    status, body = await caller.call("DELETE", "/voice/campaign/x")
    assert (status, body["code"]) == (404, "404013001")
