"""The real addresses, with answers put in their place."""

import pytest
from aioresponses import aioresponses

from voicedrop_async import ClientCredentials, NotFound, RouteeSession, StaticToken

TRACKING = "https://connect.routee.net/voice/tracking"


async def test_the_token_host_and_the_api_host_are_two(answers: aioresponses) -> None:
    answers.post("https://auth.routee.net/oauth/token", payload={"access_token": "t", "token_type": "bearer", "expires_in": 1999})
    answers.get(f"{TRACKING}/m-1", payload={"messageId": "m-1", "status": {"status": "Ringing"}})
    async with RouteeSession(ClientCredentials("id", "secret")) as session:
        message = await session.track_message("m-1")

    assert message.message_id == "m-1"
    assert [(method, str(url)) for method, url in answers.requests] == [
        ("POST", "https://auth.routee.net/oauth/token"),
        ("GET", f"{TRACKING}/m-1"),
    ]


async def test_a_walk_asks_for_page_after_page(answers: aioresponses) -> None:
    for number in range(3):
        page = {
            "content": [{"messageId": str(number)}],
            "number": number,
            "totalPages": 3,
            "totalElements": 3,
            "last": number == 2,
            "size": 1,
        }
        answers.post(f"{TRACKING}?page={number}&size=1", payload=page)
    async with RouteeSession(StaticToken("t")) as session:
        ids = [message.message_id async for message in session.track_messages(page_size=1)]

    assert ids == ["0", "1", "2"]


async def test_a_missing_conversation_is_not_found(answers: aioresponses) -> None:
    answers.get(f"{TRACKING}/conversation/c-1", status=404, payload={"code": "404013000", "developerMessage": "not found"})
    async with RouteeSession(StaticToken("t")) as session:
        with pytest.raises(NotFound) as caught:
            await session.track_conversation("c-1").first()

    assert caught.value.code == "404013000"
