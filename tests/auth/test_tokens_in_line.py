"""A token that is renewed while calls stand in line: each goes out with the newest, and none is refused for having waited."""

import asyncio

from answers import MESSAGE, token
from campaigns import CAMPAIGN, QUICK, RECEIPT
from raw_server import RawServer, answer

from voicedrop_async import ClientCredentials, Limits, RouteeSession, Throttle


async def test_calls_in_line_when_a_token_ends_go_out_with_the_next_one(line: RawServer) -> None:
    """Twenty read, one at a time, and took their token before they got in line; a send passes them and finds that it has ended."""
    free, throttle = asyncio.Event(), Throttle(Limits(max_in_flight=2))

    async def held(writer: asyncio.StreamWriter) -> bool:
        await free.wait()
        return await MESSAGE(writer)

    line.will(held, answer(401), answer(200, RECEIPT), MESSAGE)
    async with RawServer([token("first"), token("second")]) as issuer:
        auth = ClientCredentials("application-1", "s3cret")
        async with RouteeSession(auth, base_url=line.url, auth_url=issuer.url, retry=QUICK, throttle=throttle) as routee:
            readers = asyncio.gather(*(routee.track_message("m") for _ in range(20)))
            await line.arrived.wait()
            assert throttle.snapshot().waiting == 19
            await routee.send_campaign(CAMPAIGN)
            free.set()
            await readers

    shown = [request.headers["authorization"].removeprefix("Bearer ") for request in line.received]
    assert shown == ["first", "first", *["second"] * 20]
