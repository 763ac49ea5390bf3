"""What one request costs above plain aiohttp, in CPU time of this process; the server is another one.

    python benchmarks/bench.py --only pipeline

Two questions, answered by medians of interleaved rounds, since the machine's speed drifts. What do token, slot, rate and
retry loop add to a request? For that the network is taken away: an attempt has its answer at once, and is made with and
without them. And what does the whole pipeline cost above aiohttp alone, each answer read to its last byte?
"""

import asyncio
import json
import statistics
import time
from collections.abc import Awaitable, Callable
from dataclasses import asdict

import aiohttp
from common import fresh, options, page_server
from figures import Results, Spread

from voicedrop_async import ClientCredentials, Kind, Limits, Reply, Retry, RouteeSession, StaticToken, Throttle, Timeouts
from voicedrop_async._transport import Transport, Wiring
from voicedrop_async._underway import Call, Policy
from voicedrop_async.calls import Request, TokenResponse

LIMITS = Limits(max_in_flight=8, rate=1e9)
"""A rate that is counted and holds nobody up."""
POLICY = Policy(Retry(), Timeouts(), None)
REQUEST = Request(method="GET", route="/voice/tracking/campaign/one", kind=Kind.READ, params={"page": "0", "size": "10"})
READY = Reply(status=200, headers={}, body=b"{}", attempts=1, elapsed=0.0)

Once = Callable[[], Awaitable[object]]


class Instant(Transport):
    """A transport whose attempts have their answer at once."""

    async def _exchange(self, *_: object) -> Reply:
        return READY

    async def _ask_for_token(self) -> TokenResponse:
        return TokenResponse(access_token="t", expires_in=3600)

    async def bare(self) -> Reply:
        """Make an attempt as the pipeline does, without token, slot, rate and retry loop."""
        self.check_home()
        return as_it_is(await self._once(Call(REQUEST, POLICY)))

    async def _once(self, call: Call) -> Reply:
        call.attempts += 1
        reply = await self._exchange(call, time.perf_counter())
        self._tell(call, "answered", reply.status, reply.elapsed)
        return reply

    async def whole(self) -> Reply:
        """Make one with them."""
        return await self.send(Call(REQUEST, POLICY), as_it_is)


def as_it_is(reply: Reply) -> Reply:
    return reply


async def cost(once: Once, requests: int) -> float:
    """Return the CPU microseconds of one of so many requests."""
    began = time.process_time()
    for _ in range(requests):
        await once()
    return (time.process_time() - began) / requests * 1e6


async def compare(title: str, plain: Once, ours: Once, *, rounds: int, requests: int) -> Spread:
    """Print the cost of both, and what ours adds; return that."""
    await cost(plain, requests)
    await cost(ours, requests)
    pairs = [(await cost(plain, requests), await cost(ours, requests)) for _ in range(rounds)]
    below, above = (statistics.median(side) for side in zip(*pairs, strict=True))
    added = sorted(more - less for less, more in pairs)
    print(
        f"{title}: {below:.2f} us without, {above:.2f} us with, ratio {above / below:.2f}; "
        f"adds {statistics.median(added):.2f} us ({added[rounds // 4]:.2f}-{added[-1 - rounds // 4]:.2f}, middle half)"
    )
    return Spread.of(added)


async def four(rounds: int, requests: int) -> Spread:
    """Measure token, slot, rate and retry loop."""
    transport = Instant(
        Wiring(
            base_url="http://127.0.0.1:9",
            auth_url="http://127.0.0.1:9",
            auth=ClientCredentials("bench", "secret"),  # a token that is looked at in each call: does it still live?
            policy=POLICY,
            throttle=Throttle(LIMITS),
            http=None,
            proxy=None,
            ssl_context=None,
            trace_configs=(),
            on_event=None,
        )
    )
    return await compare("token, slot, rate, loop", transport.bare, transport.whole, rounds=rounds, requests=requests)


async def everything(url: str, rounds: int, requests: int) -> Spread:
    """Measure the whole pipeline, over a connection that is kept alive on both sides."""
    async with (
        aiohttp.ClientSession(headers={"Authorization": "Bearer t"}) as http,
        RouteeSession(StaticToken("t"), base_url=url, limits=LIMITS) as routee,
    ):

        async def plain() -> bytes:
            async with http.get(f"{url}{REQUEST.route}", params=REQUEST.params) as response:
                return await response.read()

        async def ours() -> Reply:
            return await routee.call("GET", REQUEST.route, kind=Kind.READ, params=REQUEST.params)

        if await plain() != (await ours()).body:
            raise SystemExit("the two did not get the same answer")
        return await compare("the whole pipeline over aiohttp", plain, ours, rounds=rounds, requests=requests)


def measure(results: Results, rounds: int, *, short: bool) -> None:
    """Print both, measured in a process of its own."""
    print()
    told = fresh("pipeline.py", "--rounds", 1 if short else max(rounds, 21), "--requests", 100 if short else 500)
    for name, added in told.items():
        results.put(f"R1 {name}", Spread(**added))


def main() -> None:
    """Run it."""
    asked = options(__doc__, rounds=21, requests=500).parse_args()
    print(f"CPU a request, medians of {asked.rounds} interleaved rounds of {asked.requests}")
    parts = asyncio.run(four(asked.rounds, asked.requests * 10))
    with page_server(10, 10) as url:
        whole = asyncio.run(everything(url, asked.rounds, asked.requests))
    print(json.dumps({"parts": asdict(parts), "whole": asdict(whole)}))


if __name__ == "__main__":
    main()
