"""``voicedrop send``."""

import asyncio
import sys
from pathlib import Path
from typing import Final

from voicedrop_async import CampaignReceipt, ConfigError, RouteeSession, VoiceCampaign
from voicedrop_async.cli import _campaign_file
from voicedrop_async.cli._jsonl import lines
from voicedrop_async.cli._say import give_up_stdout, say

_INTERRUPTED: Final = "interrupted: the campaign may have been sent all the same; track its messages before you send it again"


def send(file: Path, /, *, yes: bool = False) -> int:
    """Send the campaign of a file: this costs money and rings telephones.

    Asks first, on the terminal. Writes the receipt to stdout, as one line of
    JSON. It is sent at most once; exit code 3 says that nobody can tell
    whether it was.

    The file is TOML, with the names of VoiceCampaign: sender, to, name,
    scheduled_date and so on; message, callback and campaign_callback are
    tables.

    Args:
        file: The campaign, such as spring.toml.
        yes: Do not ask.
    """
    campaign = _campaign_file.read(file)
    session = RouteeSession.from_env()
    if not yes and not _agreed(campaign):
        say("nothing was sent")
        return 1
    try:
        receipt = asyncio.run(_sent(session, campaign))
    except KeyboardInterrupt:
        say(_INTERRUPTED)
        raise
    try:
        sys.stdout.buffer.write(lines([receipt]))
        sys.stdout.buffer.flush()
    except OSError as error:
        give_up_stdout()
        say(f"sent, with the tracking id {receipt.tracking_id}, but the receipt could not be written: {error.strerror}")
        return 3
    if receipt.problems:
        say(f"sent, but not to everybody: see problems in the receipt ({len(receipt.problems)})")
    return 0


async def _sent(session: RouteeSession, campaign: VoiceCampaign) -> CampaignReceipt:
    async with session:
        return await session.send_campaign(campaign)


def _agreed(campaign: VoiceCampaign) -> bool:
    if not sys.stdin.isatty():
        raise ConfigError("--yes: needed where nobody can be asked; nothing was sent")
    whom = [f"{len(given):,} {what}" for what, given in _recipients(campaign).items() if given]
    name = f" {campaign.name!r}" if campaign.name else ""
    when = f" at {campaign.scheduled_date.isoformat()}" if campaign.scheduled_date else " now"
    # On stderr, since stdout is for the receipt.
    sys.stderr.write(f"Send campaign{name} to {', '.join(whom) or 'nobody'}{when}? It costs money and rings telephones. [y/N] ")
    sys.stderr.flush()
    return sys.stdin.readline().strip().lower() in {"y", "yes"}


def _recipients(campaign: VoiceCampaign) -> dict[str, tuple[str, ...]]:
    return {"numbers": campaign.to, "contacts": campaign.contacts, "groups": campaign.groups}
