"""Many paid sends, many callers, many faults: is any of them sent twice, is any of them forgotten?

    python benchmarks/soak.py [--sends 10000] [--callers 64] [--faults 0.1] [--seed 7]

A sandbox acts as the service, a SQLite journal keeps the books. One send in ten meets a fault (the line is cut before or
after the service acted, the answer is cut, is no JSON, is a 500, 502, 503, 429, 400 or 401), one ref in ten is delivered
twice, as queues do, and one caller in fifty is cancelled. The server's count is the judge. Ends with 1 if a promise is broken.
"""

import argparse
import asyncio
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

from voicedrop_async import (
    ClientCredentials,
    JournalEntry,
    Limits,
    OutcomeUnknown,
    Reconciliation,
    RequestError,
    Retry,
    RouteeSession,
    SendState,
    SpokenMessage,
    SqliteJournal,
    VoiceCampaign,
)
from voicedrop_async.sandbox import Sandbox

CAMPAIGN: dict[str, Any] = {"path": "/voice/campaign"}
FAULTS: list[dict[str, Any]] = [
    {"drop": "before_acting"},
    {"drop": "after_acting"},
    {"cut": True},
    {"status": 500},
    {"status": 500, "act": True},
    {"status": 502, "body": b"<html>", "act": True},
    {"status": 504, "body": b"<html>"},
    {"body": b"<html>ok</html>", "act": True},
    {"status": 503, "retry_after": 0},
    {"status": 429, "retry_after": 0},
    {"status": 400},
    {"status": 401},
]


def deliveries(sends: int, dice: Random) -> list[str]:
    """Every ref once, one in ten twice, the second time soon after the first or at the same moment."""
    refs = [f"order-{number}" for number in range(sends)]
    at = [(float(place), ref) for place, ref in enumerate(refs)]
    at += [(place + dice.uniform(0, 200), refs[place]) for place in dice.sample(range(sends), sends // 10)]
    return [ref for _, ref in sorted(at)]


def campaign_of(ref: str) -> VoiceCampaign:
    """The campaign of a ref: its recipient tells it from every other one."""
    number = int(ref.removeprefix("order-"))
    return VoiceCampaign("306900000000", to=[f"+3069{number:08}"], message=SpokenMessage("Hello", language="en-GB"))


async def work(routee: RouteeSession, sandbox: Sandbox, refs: Iterator[str], faults: float, dice: Random, heard: Counter[str]) -> None:
    """One caller: takes the next ref, until there is none."""
    for ref in refs:
        if dice.random() < faults:
            sandbox.fail_next(**dice.choice(FAULTS), **CAMPAIGN)
        try:
            if dice.random() < 0.02:
                async with asyncio.timeout(dice.uniform(0, 0.1)):
                    await routee.send_campaign(campaign_of(ref), ref=ref)
            else:
                await routee.send_campaign(campaign_of(ref), ref=ref)
            heard["receipt"] += 1
        except OutcomeUnknown:
            heard["unknown"] += 1
        except RequestError as error:
            heard["refused"] += 1
            if error.may_have_happened:
                heard["BROKEN: refused, and yet it may have happened"] += 1
        except TimeoutError:
            heard["cancelled"] += 1


async def verdict(routee: RouteeSession, entries: dict[str, JournalEntry | None], accepted: Counter[str]) -> Counter[str]:
    """Hold the journal against the server's count, ref by ref; then look for each open send."""
    found: Counter[str] = Counter()
    for ref, entry in entries.items():
        (number,) = campaign_of(ref).to
        state = entry.state if entry is not None else None
        found["acknowledged" if state is SendState.SENT else "unknown" if state is SendState.OPEN else "not sent"] += 1
        found["duplicates"] += max(0, accepted[number] - 1)
        if state is SendState.SENT and not accepted[number]:
            found["BROKEN: acknowledged, and the server knows nothing"] += 1
        if state in {SendState.NOT_SENT, None} and accepted[number]:
            found["BROKEN: called not sent, and the server accepted it"] += 1
        if state is SendState.OPEN:
            seen = await routee.reconcile(ref)
            found[f"unknown, then {seen.value}"] += 1
            if (seen is Reconciliation.SENT) != bool(accepted[number]):
                found["BROKEN: reconcile and the server disagree"] += 1
    return found


async def soak(sends: int, callers: int, faults: float, seed: int, folder: Path) -> bool:
    """Run, print the sums, and return whether every promise was kept."""
    dice, heard = Random(seed), Counter[str]()
    plan = deliveries(sends, dice)
    async with Sandbox(messages=0, drops=0) as sandbox, SqliteJournal(folder / "soak.journal") as journal:
        auth = ClientCredentials(*sandbox.credentials)
        options: dict[str, Any] = {"limits": Limits(max_in_flight=callers), "retry": Retry(base=0.001, cap=0.002), "journal": journal}
        async with RouteeSession(auth, base_url=sandbox.routee_url, auth_url=sandbox.auth_url, **options) as routee:
            began, refs = time.perf_counter(), iter(plan)
            await asyncio.gather(*(work(routee, sandbox, refs, faults, dice, heard) for _ in range(callers)))
            seconds = time.perf_counter() - began
            accepted = Counter(campaign.recipients[0] for campaign in sandbox.campaigns)
            entries = {ref: await journal.find(ref) for ref in dict.fromkeys(plan)}
            found = await verdict(routee, entries, accepted)
    said = {name: found[name] for name in ("acknowledged", "unknown", "not sent")}
    adds_up = sum(said.values()) == sends and sum(heard.values()) == len(plan)
    rate = len(plan) / seconds
    print(f"{sends} sends, delivered {len(plan)} times, {callers} callers, {faults:.0%} faults, seed {seed}: {rate:.0f} a second")
    print(f"callers heard: {dict(sorted(heard.items()))}")
    print(f"journal: {' + '.join(f'{count} {name}' for name, count in said.items())} = {sum(said.values())}")
    looked_for = {name: count for name, count in sorted(found.items()) if name.startswith("unknown, ")}
    print(f"server: {accepted.total()} accepted; looked for: {looked_for}")
    print(f"duplicates: {found['duplicates']}; the sum {'adds up' if adds_up else 'DOES NOT ADD UP'}")
    broken = [name for name in [*heard, *found] if name.startswith("BROKEN")]
    print("\n".join(broken) if broken else "every promise was kept")
    return adds_up and not broken and not found["duplicates"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sends", type=int, default=10_000)
    parser.add_argument("--callers", type=int, default=64)
    parser.add_argument("--faults", type=float, default=0.1)
    parser.add_argument("--seed", type=int, default=7)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        kept = asyncio.run(soak(asked.sends, asked.callers, asked.faults, asked.seed, Path(folder)))
    sys.exit(not kept)


if __name__ == "__main__":
    main()
