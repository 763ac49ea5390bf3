"""Callbacks, posted to a real receiver on loopback."""

from collections import defaultdict
from itertools import pairwise

import pytest

FINAL = {"Completed", "Busy", "NoAnswer", "Failed"}
NUMBERS = [f"+3069{place:08}" for place in range(12)]


async def test_every_change_of_every_message_is_posted(serve, receive):
    caller, receiver = await serve(speed=1000), await receive(200)
    await caller.send(to=NUMBERS, callback={"strategy": "OnChange", "url": receiver.url})
    (campaign,) = caller.sandbox.campaigns
    count = sum(len(call.turns) - 1 for call in campaign.calls)
    ways = defaultdict(list)
    for body in await receiver.next(count):
        ways[body["messageId"]].append(body["status"]["name"])
    assert ways.keys() == {message["messageId"] for message in campaign.messages}
    assert all(way[0] == "Initiated" and way[-1] in FINAL for way in ways.values())


@pytest.mark.documented("B01", "B02")
async def test_on_completion_only_the_end_is_posted_with_the_documented_keys(serve, receive):
    caller, receiver = await serve(speed=1000), await receive(200)
    await caller.send(
        to=NUMBERS, groups=["customers"], hangupDelay=9, callback={"strategy": "OnCompletion", "url": receiver.url}, respectQuietHours=True
    )
    (campaign,) = caller.sandbox.campaigns
    bodies = await receiver.next(len(campaign.recipients))
    messages = {message["messageId"]: message for message in campaign.messages}
    for body in bodies:
        message = messages[body["messageId"]]
        assert body["status"] == {"name": message["status"]["status"], "updatedDate": message["status"]["date"]}
        assert body["audioMessage"] == {"text": "Hello", "language": "en-GB"}
        assert (body["campaignTrackingId"], body["campaignName"]) == (campaign.tracking_id, "Spring sale")
        assert (body["hangupDelay"], body["respectQuietHours"]) == (9, True)
        assert {key: body[key] for key in ("to", "from", "country", "price", "duration", "chargeInterval")}.items() <= message.items()
    assert sum("groups" in body for body in bodies) == len(campaign.recipients) - len(NUMBERS)


@pytest.mark.documented("B02", "B50", "V50")
async def test_the_states_of_a_campaign_are_posted_in_order(serve, receive):
    caller, receiver = await serve(speed=1000), await receive(200)
    await caller.send(to=NUMBERS, campaignCallback={"strategy": "OnChange", "url": receiver.url})
    bodies = await receiver.next(3)
    assert [body["state"] for body in bodies] == ["Running", "Sent", "Finished"]
    assert {body["trackingId"] for body in bodies} == {caller.sandbox.campaigns[0].tracking_id}
    assert {status for status, count in bodies[-1]["statuses"].items() if count} <= FINAL


async def test_at_completion_a_campaign_posts_its_last_state(serve, receive):
    caller, receiver = await serve(speed=1000), await receive(200)
    await caller.send(campaignCallback={"strategy": "OnCompletion", "url": receiver.url})
    (body,) = await receiver.next(1)
    assert (body["state"], sum(body["statuses"].values())) == ("Finished", 1)


@pytest.mark.documented("B03", "B04")
async def test_only_200_counts_and_the_rest_is_posted_again(serve, receive, until):
    caller, receiver = await serve(speed=10_000), await receive(204, 500, 200)
    await caller.send(callback={"strategy": "OnCompletion", "url": receiver.url})
    bodies = await receiver.next(3)
    await until(lambda: len(caller.sandbox.callbacks) == 3)
    posted = caller.sandbox.callbacks
    assert bodies[0] == bodies[1] == bodies[2] == posted[0].body
    assert [(attempt.attempt, attempt.status, attempt.url) for attempt in posted] == [
        (1, 204, receiver.url),
        (2, 500, receiver.url),
        (3, 200, receiver.url),
    ]
    waits = [(later.at - earlier.at).total_seconds() for earlier, later in pairwise(posted)]
    assert waits[0] >= 30
    assert waits[1] >= 60


@pytest.mark.documented("B04")
async def test_a_post_is_given_up_after_the_documented_repeats(serve, unused_tcp_port, until):
    caller = await serve(speed=10_000_000)
    url = f"http://127.0.0.1:{unused_tcp_port}/"
    await caller.send(callback={"strategy": "OnCompletion", "url": url})
    await until(lambda: len(caller.sandbox.callbacks) == 13)
    assert {(posted.status, posted.note) for posted in caller.sandbox.callbacks} == {(None, "ClientConnectorError")}


async def test_another_host_is_never_contacted(serve, until):
    caller = await serve(speed=1000)
    urls = ["https://example.com/", "http://127.0.0.1.example.com/", "http://127.0.0.1@example.com/", "nonsense"]
    for url in urls:
        await caller.send(callback={"strategy": "OnCompletion", "url": url})
    await until(lambda: len(caller.sandbox.callbacks) == len(urls))
    assert {(posted.status, posted.note, posted.attempt) for posted in caller.sandbox.callbacks} == {
        (None, "not on loopback: never contacted", 1)
    }


async def test_a_deleted_campaign_posts_nothing(serve, receive, clock):
    caller, receiver = await serve(clock=clock), await receive(200)
    callback = {"strategy": "OnChange", "url": receiver.url}
    _, receipt = await caller.send(scheduledDate="2026-03-02T13:00:00Z", callback=callback)
    await caller.call("DELETE", f"/voice/campaign/{receipt['trackingId']}")
    await caller.sandbox.aclose()
    assert caller.sandbox.callbacks == ()
    assert receiver.bodies.empty()
