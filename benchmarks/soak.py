"""Many paid sends, many callers, many faults: is any of them sent twice, is any of them forgotten?

    python benchmarks/soak.py [--sends 10000] [--callers 64] [--faults 0.1] [--seed 7]

A sandbox acts as the service, a SQLite journal keeps the books. One send in ten meets a fault (the line is cut before or
after the service acted, the answer is cut, is no JSON, is a 500, 502, 503, 429, 400 or 401), one ref in ten is delivered
twice, as queues do, and one caller in fifty is cancelled. The server's count is the judge, of the journal and of what each
caller was told. Ends with 1 if a promise is broken. The seed makes the plan: order, faults and cancellations; which request
meets which fault is then up to the loop, so two runs are alike and not the same.
"""

import asyncio
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any, TypeAlias

from common import options

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


@dataclass(frozen=True)
class Delivery:
    """A task as a queue hands it out."""

    ref: str
    fault: dict[str, Any] | None
    """What the service does to some request while this one is sent."""
    patience: float | None
    """Seconds until its caller is cancelled."""


def deliveries(sends: int, faults: float, dice: Random) -> list[Delivery]:
    """Every ref once, one in ten twice, the second time soon after the first or at the same moment."""
    refs = [f"order-{number}" for number in range(sends)]
    at = [(float(place), ref) for place, ref in enumerate(refs)]
    at += [(place + dice.uniform(0, 200), refs[place]) for place in dice.sample(range(sends), sends // 10)]
    return [
        Delivery(
            ref,
            fault=dice.choice(FAULTS) if dice.random() < faults else None,
            patience=dice.uniform(0, 0.1) if dice.random() < 0.02 else None,
        )
        for _, ref in sorted(at)
    ]


def campaign_of(ref: str) -> VoiceCampaign:
    """The campaign of a ref: its recipient tells it from every other one."""
    number = int(ref.removeprefix("order-"))
    return VoiceCampaign("306900000000", to=[f"+3069{number:08}"], message=SpokenMessage("Hello", language="en-GB"))


Heard: TypeAlias = defaultdict[str, Counter[str]]
"""What the callers of each ref were told, and how often."""


async def work(routee: RouteeSession, sandbox: Sandbox, plan: Iterator[Delivery], heard: Heard) -> None:
    """One caller: takes the next delivery, until there is none."""
    for delivery in plan:
        ref = delivery.ref
        if delivery.fault is not None:
            sandbox.fail_next(**delivery.fault, **CAMPAIGN)
        try:
            async with asyncio.timeout(delivery.patience):
                await routee.send_campaign(campaign_of(ref), ref=ref)
            heard[ref]["receipt"] += 1
        except OutcomeUnknown:
            heard[ref]["unknown"] += 1
        except RequestError:
            heard[ref]["refused"] += 1
        except TimeoutError:
            heard[ref]["cancelled"] += 1


def broken(state: SendState | None, told: Counter[str], accepted: int) -> Iterator[str]:
    """What was promised of one ref and not kept: its journal, its callers and the server do not agree."""
    if accepted > 1:
        yield "sent twice"
    if told["receipt"] and not accepted:
        yield "a receipt for what the server does not know"
    if accepted and not (told["receipt"] or told["unknown"] or told["cancelled"]):
        yield "all were refused, and the server accepted one"
    if told["receipt"] and state is not SendState.SENT:
        yield "a receipt that the journal does not know"
    if state is SendState.SENT and not accepted:
        yield "sent, says the journal, and the server knows nothing"
    if state in {SendState.NOT_SENT, None} and accepted:
        yield "not sent, says the journal, and the server accepted it"


async def verdict(
    routee: RouteeSession, entries: dict[str, JournalEntry | None], heard: Heard, accepted: Counter[str]
) -> tuple[Counter[str], Counter[str]]:
    """Hold journal and callers against the server's count, ref by ref; then look for each open send. Returns what broke apart."""
    found, faults = Counter[str](), Counter[str]()
    for ref, entry in entries.items():
        (number,) = campaign_of(ref).to
        state = entry.state if entry is not None else None
        found["acknowledged" if state is SendState.SENT else "unknown" if state is SendState.OPEN else "not sent"] += 1
        faults.update(broken(state, heard[ref], accepted[number]))
        if state is SendState.OPEN:
            seen = await routee.reconcile(ref)
            found[f"unknown, then {seen.value}"] += 1
            if (seen is Reconciliation.SENT) != bool(accepted[number]):
                faults["reconcile and the server disagree"] += 1
    return found, faults


async def soak(sends: int, callers: int, faults: float, seed: int, folder: Path) -> bool:
    """Run, print the sums, and return whether every promise was kept."""
    plan, heard = deliveries(sends, faults, Random(seed)), Heard(Counter)
    async with Sandbox(messages=0, drops=0) as sandbox, SqliteJournal(folder / "soak.journal") as journal:
        auth = ClientCredentials(*sandbox.credentials)
        options: dict[str, Any] = {"limits": Limits(max_in_flight=callers), "retry": Retry(base=0.001, cap=0.002), "journal": journal}
        async with RouteeSession(auth, base_url=sandbox.routee_url, auth_url=sandbox.auth_url, **options) as routee:
            began, queue = time.perf_counter(), iter(plan)
            await asyncio.gather(*(work(routee, sandbox, queue, heard) for _ in range(callers)))
            seconds = time.perf_counter() - began
            accepted = Counter(campaign.recipients[0] for campaign in sandbox.campaigns)
            entries = {delivery.ref: await journal.find(delivery.ref) for delivery in plan}
            found, promises = await verdict(routee, entries, heard, accepted)
    told = sum(heard.values(), Counter[str]())
    # Two counts that know nothing of each other: what the server took, and what the journal and the tracking say of it.
    known, looked_for = found["acknowledged"], found["unknown, then sent"]
    adds_up = accepted.total() == known + looked_for and told.total() == len(plan)
    rate = len(plan) / seconds
    print(f"{sends} sends, delivered {len(plan)} times, {callers} callers, {faults:.0%} faults, seed {seed}: {rate:.0f} a second")
    print(f"callers were told: {dict(sorted(told.items()))}")
    print(f"journal: {known} acknowledged, {found['unknown']} unknown, {found['not sent']} not sent")
    print(f"server: {accepted.total()} accepted; journal and tracking: {known} acknowledged + {looked_for} unknown and then found")
    print(f"duplicates: {promises['sent twice']}; the sum {'adds up' if adds_up else 'DOES NOT ADD UP'}")
    print("\n".join(f"BROKEN, {count} times: {promise}" for promise, count in promises.items()) or "every promise was kept")
    return adds_up and not promises


def main() -> None:
    asked = options(__doc__, sends=10_000, callers=64, faults=0.1, seed=7).parse_args()
    with tempfile.TemporaryDirectory() as folder:
        kept = asyncio.run(soak(asked.sends, asked.callers, asked.faults, asked.seed, Path(folder)))
    sys.exit(not kept)


if __name__ == "__main__":
    main()
