"""What becomes of a campaign, watched with a clock turned by hand."""

from collections import Counter

import pytest

NUMBERS = [f"+3069{place:08}" for place in range(1000)]


@pytest.mark.documented("V04", "V50")
async def test_a_thousand_calls_are_over_within_a_minute_and_a_half(serve, clock):
    caller = await serve(clock=clock)
    await caller.send(to=NUMBERS)
    (campaign,) = caller.sandbox.campaigns
    states = [campaign.state]
    while campaign.state != "Finished" and clock.seconds < 100:
        clock.turn(0.25)
        states.append(campaign.state)
    assert list(dict.fromkeys(states)) == ["Queued", "Running", "Sent", "Finished"]
    assert 60 < clock.seconds < 90
    ends = Counter(message["status"]["status"] for message in campaign.messages)
    assert ends.keys() == {"Completed", "Busy", "NoAnswer", "Failed"}
    assert ends["Completed"] > 600


@pytest.mark.documented("V01", "V02")
async def test_every_call_goes_through_its_statuses_in_order(serve, clock):
    caller = await serve(clock=clock, messages=0)
    await caller.send(to=NUMBERS[:60])
    seen = {message["messageId"]: [] for message in caller.sandbox.messages}
    while clock.seconds < 60:
        for message in caller.sandbox.messages:
            seen[message["messageId"]].append(message["status"]["status"])
        clock.turn(0.25)
    ways = {tuple(dict.fromkeys(statuses)) for statuses in seen.values()}
    assert ways == {
        ("Queued", "Initiated", "Failed"),
        ("Queued", "Initiated", "Ringing", "Busy"),
        ("Queued", "Initiated", "Ringing", "NoAnswer"),
        ("Queued", "Initiated", "Ringing", "InProgress", "Completed"),
    }


@pytest.mark.documented("S13", "S16", "S18", "S20", "S21", "E06")
async def test_only_the_end_tells_duration_price_and_who_answered(serve, clock):
    caller = await serve(clock=clock, messages=0)
    await caller.send(to=NUMBERS[:100], collectDtmfDigits=True)
    early = (await caller.search(size=100))["content"]
    clock.turn(100)
    late = (await caller.search(size=100))["content"]
    ends = {"duration", "price", "answeredBy", "collectedTones"}
    assert all(not ends & message.keys() and message["recordings"] == [] for message in early)
    for message in late:
        answered = message["status"]["status"] == "Completed"
        assert (message["duration"] > 0, message["price"] > 0) == (answered, answered)
        assert ("answeredBy" in message, "collectedTones" in message) == (answered, answered)
        assert message["campaign"] == "Spring sale"
        assert "conversationTrackingId" not in message
        assert None not in message.values()
    assert {message["answeredBy"] for message in late if "answeredBy" in message} == {"HUMAN", "MACHINE", "UNKNOWN"}
    assert any(message["recordings"] for message in late)


async def test_the_campaign_its_messages_and_tracking_tell_the_same(serve, clock):
    caller = await serve(clock=clock)
    _, receipt = await caller.send(to=NUMBERS[:50])
    (campaign,) = caller.sandbox.campaigns
    for _ in range(30):
        clock.turn(1.5)
        _, page = await caller.call("GET", f"/voice/tracking/campaign/{receipt['trackingId']}", params={"size": 50})
        counts = Counter(message["status"]["status"] for message in page["content"])
        assert page["content"] == campaign.messages
        assert {status: count for status, count in campaign.statuses.items() if count} == counts
        one = page["content"][7]
        assert await caller.call("GET", f"/voice/tracking/{one['messageId']}") == (200, one)


@pytest.mark.documented("V04")
async def test_a_scheduled_campaign_begins_at_its_date(serve, clock):
    caller = await serve(clock=clock, speed=60, messages=0)
    _, receipt = await caller.send(scheduledDate="2026-03-02T13:00:00Z")
    (campaign,) = caller.sandbox.campaigns
    path = f"/voice/tracking/campaign/{receipt['trackingId']}"
    assert (campaign.state, campaign.messages, (await caller.call("GET", path))[1]["totalElements"]) == ("Scheduled", [], 0)
    clock.turn(60)
    assert (campaign.state, (await caller.call("GET", path))[1]["totalElements"]) == ("Queued", 1)


async def test_messages_keep_their_places_while_campaigns_end_in_another_order(serve, clock):
    caller = await serve(clock=clock, messages=3)
    await caller.send(to=NUMBERS)
    clock.turn(1)
    await caller.send(to=NUMBERS[:1])
    places = [message["messageId"] for message in caller.sandbox.messages]
    for _ in range(10):
        clock.turn(10)
        assert [message["messageId"] for message in caller.sandbox.messages] == places


@pytest.mark.documented("C54")
async def test_an_unanswered_call_rings_no_longer_than_the_hangup_delay(serve, clock):
    caller = await serve(clock=clock, messages=0)
    await caller.send(to=NUMBERS[:200], hangupDelay=2)
    await caller.send(to=NUMBERS[:200])
    short, long = caller.sandbox.campaigns
    clock.turn(20)
    unanswered = [campaign.statuses["NoAnswer"] for campaign in (short, long)]
    assert unanswered[0] > 0
    assert unanswered[1] == 0


async def test_the_same_seed_and_time_give_the_same_world(serve, clock):
    worlds = []
    for seed in (7, 7, 8):
        caller = await serve(clock=clock, seed=seed, messages=500)
        caller.sandbox.grow(3)
        await caller.send(to=NUMBERS[:20])
        clock.turn(100)
        messages = [{**message, "recordings": len(message["recordings"])} for message in caller.sandbox.messages]
        sandbox = caller.sandbox
        worlds.append((messages, sandbox.drops, sandbox.credentials, sandbox.spacivox_token, sandbox.history_campaigns, caller.bearer))
        clock.turn(-100)
    assert worlds[0] == worlds[1]
    assert all(left != right for left, right in zip(worlds[1], worlds[2], strict=True))


@pytest.mark.documented("S17", "V51")
async def test_the_past_holds_what_clients_meet_one_day(serve):
    caller = await serve(messages=5000)
    messages = caller.sandbox.messages
    share = Counter(message["status"]["status"] for message in messages)
    assert 20 < share["Deferred"] < 100
    assert 700 < sum(1 for message in messages if message["recordings"]) < 1300
    assert any("παραλαβή" in message.get("message", {}).get("text", "") for message in messages)
    assert {"conversationTrackingId", "groups", "collectedTones", "answeredBy", "fileURL", "message"} <= set().union(*messages)
    assert all(("fileURL" in message) != ("message" in message) for message in messages if "campaign" in message)
    assert len({message["messageId"] for message in messages}) == 5000
