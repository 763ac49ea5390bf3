"""``voicedrop send``."""

import asyncio
import sys
from contextlib import nullcontext
from datetime import UTC, datetime, timedelta
from pathlib import Path
from shlex import quote
from typing import Final

from attrs import evolve

from voicedrop_async import CampaignReceipt, ConfigError, OutcomeUnknown, RouteeSession, SqliteJournal, VoiceCampaign, unique_name
from voicedrop_async.cli import _campaign_file
from voicedrop_async.cli._say import give_up_stdout, say
from voicedrop_async.cli._settings import Settings
from voicedrop_async.export import json_lines

_MARGIN: Final = timedelta(minutes=5)
"""How far this machine's clock and the service's may be apart."""


def send(file: Path, /, *, yes: bool = False, journal: Path | None = None, ref: str | None = None, profile: str | None = None) -> int:
    """Send the campaign of a file: this costs money and rings telephones.

    Asks first, on the terminal. Writes the receipt to stdout, as one line of
    JSON. It is sent at most once; exit code 3 says that nobody can tell
    whether it was. With --journal and --ref that holds across runs too: the
    same ref is never sent twice.

    The file is TOML, with the names of VoiceCampaign: sender, to, name,
    scheduled_date and so on; message, callback and campaign_callback are
    tables.

    Args:
        file: The campaign, such as spring.toml.
        yes: Do not ask.
        journal: A file where sends are written down; it is made if need be.
        ref: Your own key for this send, such as order-4711.
        profile: Of the settings file, in place of VOICEDROP_PROFILE.
    """
    campaign = _campaign_file.read(file)
    if (journal is None) != (ref is None):
        raise ConfigError("--journal: only together with --ref, which names the send in it")
    if ref is None:
        campaign = evolve(campaign, name=campaign.name or unique_name())  # whoever looks for it has to know
    books = None if journal is None else SqliteJournal(journal)
    session = Settings.load(profile).routee(journal=books)
    if not yes and not _agreed(campaign):
        say("nothing was sent")
        return 1
    began = datetime.now(UTC)
    try:
        receipt = asyncio.run(_sent(session, books, campaign, ref))
    except KeyboardInterrupt:
        say(f"interrupted: the campaign may have been sent all the same. {_how_to_look(campaign.name, began, journal, ref)}")
        raise
    except OutcomeUnknown as error:
        intent = error.intent
        say(f"{error.summary}: the campaign may have been sent. {_how_to_look(intent.campaign_name, intent.started_at, journal, ref)}")
        return 3
    try:
        sys.stdout.buffer.write(json_lines([receipt]))
        sys.stdout.buffer.flush()
    except OSError as error:
        give_up_stdout()
        say(f"sent, with the tracking id {receipt.tracking_id}, but the receipt could not be written: {error.strerror}")
        return 3
    if receipt.problems:
        say(f"sent, but not to everybody: see problems in the receipt ({len(receipt.problems)})")
    return 0


async def _sent(session: RouteeSession, books: SqliteJournal | None, campaign: VoiceCampaign, ref: str | None) -> CampaignReceipt:
    async with books or nullcontext(), session:
        return await session.send_campaign(campaign, ref=ref)


def _how_to_look(name: str | None, began: datetime, journal: Path | None, ref: str | None) -> str:
    start = (began - _MARGIN).strftime("%Y-%m-%dT%H:%M:%SZ")
    look = f"voicedrop track --start {start} --filter {quote(f'campaign={name}')}"
    sentence = "Before you send it again, look some minutes from now:"
    if journal is None or ref is None:
        return f"{sentence} {look}"
    told = f"voicedrop journal {quote(str(journal))}"
    return (
        f"{sentence} {look if name else f'{told} names the campaign for voicedrop track, if it is open'}; "
        f"then say what became of it: {told} --settle {quote(ref)} --sent, or --not-sent"
    )


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
