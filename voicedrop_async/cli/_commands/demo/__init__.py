"""``voicedrop demo``: the whole library once, against a sandbox."""

import asyncio
import random
import sys
from collections import Counter
from datetime import UTC, datetime, timedelta
from time import perf_counter
from typing import Final

from voicedrop_async import (
    CampaignReceipt,
    ClientCredentials,
    Gender,
    MessageStatus,
    RouteeSession,
    SpacivoxSession,
    SpokenMessage,
    StaticToken,
    VoiceCampaign,
    VoiceMessage,
)
from voicedrop_async.cli._commands.demo.findings import Findings
from voicedrop_async.cli._commands.demo.plain import PlainView, View

RECIPIENTS: Final = 1_000
SEED: Final = 7
_SPEED: Final = 12.0  # the last call of the campaign is over after some seventy seconds, or six of ours
_DAY: Final = timedelta(days=1)
_SLICES: Final = timedelta(hours=6)
_LOOK_AGAIN: Final = 0.15  # seconds
_PREFIXES: Final = ("+3069", "+4915", "+3368")


async def demo() -> None:
    """Show the library at work against a sandbox on this machine.

    Sends a campaign to a thousand people who do not exist, watches their
    telephones, and sums up what tracking and Spacivox say. No telephone rings.
    """
    from voicedrop_async.sandbox import Sandbox

    began, today = perf_counter(), datetime.now(UTC)
    view = _view()
    async with Sandbox(messages=RECIPIENTS, drops=7 * RECIPIENTS, seed=SEED, speed=_SPEED) as sandbox:
        view.note(f"A sandbox plays both services on this machine; {_SPEED:.0f} seconds pass there in one")
        auth = ClientCredentials(*sandbox.credentials)
        async with RouteeSession(auth, base_url=sandbox.routee_url, auth_url=sandbox.auth_url) as routee:
            receipt = await routee.send_campaign(_campaign())
            view.note(f"Sent campaign {receipt.campaign_name!r} to {RECIPIENTS:,} numbers; expected cost {receipt.cost}")
            await _watch(routee, receipt, view)
            walk_began = perf_counter()
            messages = await _tracked(routee, receipt)
            view.note(f"Walked its {len(messages):,} tracked messages in {perf_counter() - walk_began:.2f} s")
        async with SpacivoxSession(StaticToken(sandbox.spacivox_token), base_url=sandbox.spacivox_url) as spacivox:
            drops = await spacivox.drop_records(today - _DAY, today, slices=_SLICES).collect()
        view.note(f"Listed {len(drops):,} voicemail drop records of a day, in slices of six hours")
    view.sum_up(Findings(messages, drops), perf_counter() - began)


def _view() -> View:
    """Return the view that suits stdout."""
    if sys.stdout.isatty() and sys.stdout.encoding.lower().startswith("utf"):  # bars are no ASCII
        from voicedrop_async.cli._commands.demo.live import LiveView

        return LiveView()
    return PlainView()


def _campaign() -> VoiceCampaign:
    dice = random.Random(SEED)
    numbers = dice.sample(range(10**8), RECIPIENTS)
    return VoiceCampaign(
        "302101234567",
        to=[f"{dice.choice(_PREFIXES)}{number:08}" for number in numbers],
        name="Spring sale",
        message=SpokenMessage("Our spring sale begins on Monday.", language="en-GB", gender=Gender.FEMALE),
    )


async def _watch(routee: RouteeSession, receipt: CampaignReceipt, view: View) -> None:
    """Show the campaign's statuses until every call is over."""
    with view.campaign(RECIPIENTS) as show:
        while True:
            pages = routee.track_messages(campaign_id=receipt.tracking_id, page_size=RECIPIENTS).pages()
            statuses = Counter([_status(message) async for page in pages for message in page.items])
            show(statuses)
            if all(isinstance(status, MessageStatus) and status.is_final for status in statuses):
                return
            await asyncio.sleep(_LOOK_AGAIN)


def _status(message: VoiceMessage) -> MessageStatus | str:
    return MessageStatus.UNKNOWN if message.status is None or message.status.status is None else message.status.status


async def _tracked(routee: RouteeSession, receipt: CampaignReceipt) -> list[VoiceMessage]:
    return [message async for message in routee.track_messages(campaign_id=receipt.tracking_id)]
