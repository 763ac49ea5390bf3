"""This library."""

from voicedrop_async import Limits, PageStream, RouteeSession, StaticToken, VoiceMessage


def session(url: str) -> RouteeSession:
    """Return a session whose limits leave the number of requests to the walk."""
    return RouteeSession(StaticToken("t"), base_url=url, limits=Limits(max_in_flight=40))


def stream(routee: RouteeSession, size: int, at_once: int) -> PageStream[VoiceMessage]:
    """Return the list; one request at once is a walk that reads nothing ahead."""
    return routee.track_messages(page_size=size, prefetch=0 if at_once == 1 else at_once)


async def pages(url: str, size: int, at_once: int) -> int:
    """Walk a page at a time."""
    seen = 0
    async with session(url) as routee:
        async for page in stream(routee, size, at_once).pages():
            for _message in page.items:
                seen += 1
    return seen


async def items(url: str, size: int, at_once: int) -> int:
    """Walk message by message."""
    seen = 0
    async with session(url) as routee:
        async for _message in stream(routee, size, at_once):
            seen += 1
    return seen


async def collect(url: str, size: int, at_once: int) -> list[VoiceMessage]:
    """Keep every message."""
    async with session(url) as routee:
        return await stream(routee, size, at_once).collect()
