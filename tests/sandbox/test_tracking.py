"""Searching and paging the tracked list."""

from datetime import timedelta

import pytest

from voicedrop_async.sandbox import _tracking

from .conftest import NOW


def term(field, value, operator=None):
    return {"fieldName": field, "searchTerm": value} | ({"searchOperator": operator} if operator else {})


async def all_ids(caller, *filters, size=7, **params):
    ids, number = [], 0
    while True:
        page = await caller.search(*filters, page=number, size=size, **params)
        ids += [message["messageId"] for message in page["content"]]
        if page["last"]:
            return ids
        number += 1


@pytest.mark.documented("S01", "S04", "S05", "S11", "S54")
async def test_a_page_without_parameters_is_the_first_twenty_oldest_first(caller):
    page = await caller.search()
    content = page.pop("content")
    assert page == {
        "totalPages": 15,
        "last": False,
        "totalElements": 300,
        "first": True,
        "numberOfElements": 20,
        "number": 0,
        "size": 20,
    }
    assert content == caller.sandbox.messages[:20]


async def test_the_pages_together_are_the_list(caller):
    assert await all_ids(caller) == [message["messageId"] for message in caller.sandbox.messages]


@pytest.mark.documented("S55")
async def test_behind_the_end_there_is_nothing(caller):
    page = await caller.search(page=15)
    assert (page["content"], page["last"], page["first"], page["totalElements"], page["number"]) == ([], True, False, 300, 15)


async def test_an_empty_list_has_one_empty_page(serve):
    page = await (await serve(messages=0)).search()
    assert (page["content"], page["last"], page["first"], page["totalPages"]) == ([], True, True, 0)


READ = {
    "id": lambda message: message["messageId"],
    "recipient": lambda message: message["to"],
    "from": lambda message: message["from"],
    "collectedTones": lambda message: message.get("collectedTones"),
    "country": lambda message: message.get("country"),
    "status.status": lambda message: message["status"]["status"],
    "campaign": lambda message: message.get("campaign"),
}
HOLDS = {
    "is": lambda value, wanted: value == wanted,
    "is_not": lambda value, wanted: value != wanted,
    "contains": lambda value, wanted: value is not None and wanted in value,
    "starts_with": lambda value, wanted: value is not None and value.startswith(wanted),
    "ends_with": lambda value, wanted: value is not None and value.endswith(wanted),
}


@pytest.mark.documented("S08", "S09")
@pytest.mark.parametrize("operator", HOLDS)
async def test_every_operator_works_on_every_field(caller, operator):
    messages = caller.sandbox.messages
    for field, read in READ.items():
        whole = next(value for value in map(read, messages) if value and len(value) > 1)
        wanted = {"contains": whole[1:3], "starts_with": whole[:2], "ends_with": whole[-2:]}.get(operator, whole)
        expected = [message for message in messages if HOLDS[operator](read(message), wanted)]
        page = await caller.search(term(field, wanted, operator), size=1000)
        assert page["content"] == expected
        assert 0 < len(expected) < len(messages)


@pytest.mark.documented("S08", "S14")
async def test_a_group_is_found_among_the_groups(caller):
    expected = [message for message in caller.sandbox.messages if "Athens shop" in message.get("groups", ())]
    assert (await caller.search(term("groups", "Athens shop"), size=1000))["content"] == expected
    assert (await caller.search(term("groups", "Athens", "starts_with"), size=1000))["content"] == expected
    assert (await caller.search(term("groups", "Athens shop", "is_not")))["totalElements"] == 300 - len(expected)


@pytest.mark.documented("S09", "S52")
async def test_is_is_the_operator_if_none_is_named_and_filters_are_combined_with_and(caller):
    both = await caller.search(term("status.status", "Completed"), term("country", "GR"), size=1000)
    assert both["content"] == [
        message for message in caller.sandbox.messages if message["status"]["status"] == "Completed" and message["country"] == "GR"
    ]


@pytest.mark.documented("S51")
async def test_tagged_keeps_messages_whose_recipient_has_groups(caller):
    tagged = [message for message in caller.sandbox.messages if "groups" in message]
    assert (await caller.search(tagged="true", size=1000))["content"] == tagged
    assert (await caller.search(tagged="false"))["totalElements"] == 300


@pytest.mark.documented("S23", "S50")
async def test_ranges_cut_the_list_without_gap_or_overlap(caller):
    begin = NOW - timedelta(days=7)
    ids = []
    for day in range(7):
        start, end = begin + timedelta(days=day), begin + timedelta(days=day + 1, microseconds=-1)
        ids += await all_ids(caller, **{"from": start.isoformat(), "to": end.isoformat()})
    assert ids == [message["messageId"] for message in caller.sandbox.messages]


@pytest.mark.documented("E05")
async def test_a_moment_may_lack_its_seconds(caller):
    assert (await caller.search(**{"from": "2026-02-23T12:00Z", "to": "2026-03-02T12:00Z"}))["totalElements"] == 300


@pytest.mark.documented("S06", "S53")
@pytest.mark.parametrize("field", ["price", "status.date", "to", "answeredBy", "status.status"])
async def test_sorting_works_both_ways_and_rows_without_the_field_come_first(caller, field):
    def key(message):
        for part in field.split("."):
            message = message.get(part) if isinstance(message, dict) else message
        return message is not None, message if message is not None else 0

    expected = sorted(caller.sandbox.messages, key=key)
    for sort in (field, f"{field},asc"):
        assert (await caller.search(sort=sort, size=1000))["content"] == expected
    backwards = (await caller.search(sort=f"{field},desc", size=1000))["content"]
    assert [key(message) for message in backwards] == [key(message) for message in reversed(expected)]


async def test_sorting_also_sorts_calls_under_way(serve, clock):
    caller = await serve(clock=clock)
    await caller.send(to=["+300000000", "+399999999999"])
    content = (await caller.search(sort="to", size=1000))["content"]
    assert [message["to"] for message in content] == sorted(message["to"] for message in caller.sandbox.messages)


@pytest.mark.documented("E01", "E02")
@pytest.mark.parametrize(
    "params",
    [
        {"page": "-1"},
        {"page": "x"},
        {"size": "0"},
        {"size": "1.5"},
        {"from": "yesterday"},
        {"from": "2026-03-01T00:00:00"},
        {"to": "2026-03-01T00:00:00 02:00"},
        {"tagged": "perhaps"},
        {"sort": "nothing"},
        {"sort": "price,sideways"},
    ],
)
async def test_bad_parameters_are_refused(caller, params):
    status, body = await caller.call("POST", "/voice/tracking", json=[], params=params)
    assert (status, body.keys(), body["code"][:6]) == (400, {"code", "developerMessage"}, "400013")


@pytest.mark.documented("S10")
@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{}",
        b'{"fieldName": "to", "searchTerm": "x"}',
        b'[{"fieldName": "to", "searchTerm": "x"}]',
        b'[{"fieldName": "recipient"}]',
        b'[{"fieldName": "recipient", "searchTerm": 1}]',
        b'[{"fieldName": "recipient", "searchTerm": "x", "searchOperator": "IS"}]',
    ],
)
async def test_bad_filters_are_refused(caller, body):
    status, error = await caller.call("POST", "/voice/tracking", data=body)
    assert (status, error["code"][:6]) == (400, "400013")


@pytest.mark.documented("S07", "S23")
async def test_a_past_campaign_is_found_by_its_id_in_two_ways(caller):
    for tracking_id in caller.sandbox.history_campaigns:
        _, page = await caller.call("GET", f"/voice/tracking/campaign/{tracking_id}", params={"size": 1000, "sort": "to"})
        found = await caller.search(trackingId=tracking_id, size=1000, sort="to")
        assert page == found
        assert page["totalElements"] > 40
        assert len({message["campaign"] for message in page["content"]}) == 1


@pytest.mark.documented("S03")
async def test_a_conversation_has_legs_and_needs_no_parameters(caller):
    legs = [message for message in caller.sandbox.messages if "conversationTrackingId" in message]
    conversations = {leg["conversationTrackingId"] for leg in legs}
    assert len(conversations) < len(legs)
    for conversation in conversations:
        _, page = await caller.call("GET", f"/voice/tracking/conversation/{conversation}")
        assert page["content"] == [leg for leg in legs if leg["conversationTrackingId"] == conversation]
        assert page["last"]
        assert not any("campaign" in leg for leg in page["content"])


@pytest.mark.documented("S22")
@pytest.mark.parametrize("path", ["/voice/tracking/x", "/voice/tracking/campaign/x", "/voice/tracking/conversation/x"])
async def test_what_is_unknown_is_not_found(caller, path):
    assert await caller.call("GET", path) == (404, {"code": "404013000", "developerMessage": "Tracking not found"})


@pytest.mark.documented("S02")
async def test_one_message_is_found_by_its_id(caller):
    message = caller.sandbox.messages[42]
    assert await caller.call("GET", f"/voice/tracking/{message['messageId']}") == (200, message)


async def test_growing_makes_the_next_page_repeat_items(caller):
    first = await caller.search(page=0)
    grown = caller.sandbox.grow(3)
    second = await caller.search(page=1)
    assert len(set(grown)) == 3
    assert second["totalElements"] == 303
    assert second["content"][:3] == first["content"][-3:]
    assert [message["messageId"] for message in caller.sandbox.messages[:3]] == grown
    assert (await caller.call("GET", f"/voice/tracking/{grown[0]}"))[0] == 200


async def test_shrinking_makes_the_next_page_miss_items(caller):
    before = caller.sandbox.messages
    await caller.search(page=0)
    gone = caller.sandbox.shrink(2)
    second = await caller.search(page=1)
    assert gone == [message["messageId"] for message in before[:2]]
    assert second["totalElements"] == 298
    assert second["content"][0] == before[22]
    assert (await caller.call("GET", f"/voice/tracking/{gone[0]}"))[0] == 404


async def test_an_empty_list_can_grow_and_a_list_shrinks_to_nothing(serve):
    caller = await serve(messages=0)
    grown = caller.sandbox.grow(2)
    assert await all_ids(caller, trackingId=caller.sandbox.history_campaigns[0]) == grown
    assert caller.sandbox.shrink(5) == grown
    assert caller.sandbox.messages == []


@pytest.mark.documented("S56")
async def test_a_capped_page_size_is_told_by_its_echo_alone(caller):
    caller.sandbox.cap_page_size(10)
    capped = await caller.search(size=50)
    assert (capped["size"], capped["numberOfElements"], capped["totalPages"]) == (10, 10, 30)
    assert (await caller.search(size=5))["size"] == 5
    caller.sandbox.cap_page_size(None)
    assert (await caller.search(size=50))["size"] == 50


async def test_more_searches_than_are_kept_stay_right(caller, monkeypatch):
    monkeypatch.setattr(_tracking, "_KEPT_SEARCHES", 2)
    everybody = [message["to"] for message in caller.sandbox.messages]
    for digits in ("0", "11", "22", "0", "33"):
        page = await caller.search(term("recipient", digits, "contains"))
        assert page["totalElements"] == sum(digits in number for number in everybody)


@pytest.mark.documented("S19", "S57")
async def test_a_recording_is_a_wav_file(caller):
    recordings = [recording for message in caller.sandbox.messages for recording in message["recordings"]]
    keys = {"trackingId", "start", "end", "from", "to", "url", "voiceTrackingIds", "duration"}
    assert all(keys <= recording.keys() for recording in recordings)
    url = recordings[0]["url"]
    assert url == f"{caller.sandbox.routee_url}/recordings/my/downloads/{recordings[0]['trackingId']}"
    async with caller.http.get(url, headers=caller.bearer) as response:
        body = await response.read()
        assert (response.status, response.content_type, body[:4], body[8:12]) == (200, "audio/wav", b"RIFF", b"WAVE")
    async with caller.http.get(url) as response:
        assert response.status == 401
