"""``voicedrop send``."""

import asyncio
import sys
from contextlib import nullcontext
from datetime import UTC, datetime, timedelta
from pathlib import Path
from shlex import quote
from typing import Annotated, Final

from attrs import evolve
from cyclopts import Parameter

from voicedrop_async import (
    CampaignReceipt,
    ConfigError,
    OutcomeUnknown,
    RouteeSession,
    SqliteJournal,
    VoiceAnalysis,
    VoiceCampaign,
    unique_name,
)
from voicedrop_async.cli import _order, _preview, _recipients
from voicedrop_async.cli._say import give_up_stdout, say
from voicedrop_async.cli._settings import Settings
from voicedrop_async.export import json_lines

_MARGIN: Final = timedelta(minutes=5)
"""How far this machine's clock and the service's may be apart."""


def send(
    file: Path,
    /,
    *,
    to: Annotated[Path | None, Parameter(allow_leading_hyphen=True)] = None,
    column: str | None = None,
    dry_run: bool = False,
    yes: bool = False,
    journal: Path | None = None,
    ref: str | None = None,
    profile: str | None = None,
) -> int:
    """Send the campaign of a file: this costs money and rings telephones.

    Checks it, shows what is to be sent, and asks on the terminal. Writes the
    receipt to stdout, as one line of JSON. It is sent at most once; exit code
    3 says that nobody can tell whether it was. With --journal and --ref that
    holds across runs too: the same ref is never sent twice.

    The file is TOML, or JSON if its name ends in .json, with the names of
    VoiceCampaign: sender, to, name, scheduled_date and so on; message, callback
    and campaign_callback are tables.

    Recipients stand in it, or in a file of their own, never in both. That is a
    list with a number a line (# begins a comment), a table if its name ends in
    .csv, or what voicedrop track writes:

        voicedrop track --filter status=NoAnswer > missed.jsonl
        voicedrop send again.toml --to missed.jsonl --dry-run

    A number that stands there twice is called once.

    Args:
        file: The campaign, such as spring.toml.
        to: File of recipients in E.164, such as +306912345678; - is stdin, and then needs --yes or --dry-run.
        column: Where a table or lines of JSON hold the numbers; to or number if left out.
        dry_run: Send nothing: check, and ask the service whom it would reach, which is free. A table on a terminal, else JSON.
        yes: Do not ask.
        journal: A file where sends are written down; it is made if need be.
        ref: Your own key for this send, such as order-4711.
        profile: Of the settings file, in place of VOICEDROP_PROFILE.
    """
    if to is not None and _recipients.is_stdin(to) and not (yes or dry_run):
        raise ConfigError("--yes: needed where the recipients come from standard input, and so nobody can be asked; nothing was sent")
    if (journal is None) != (ref is None):
        raise ConfigError("--journal: only together with --ref, which names the send in it")
    order = _order.read(file, to, column, ref)
    settings = Settings.load(profile)
    if dry_run:
        return _tried(settings, order)
    campaign = order.campaign
    if ref is None:
        campaign = evolve(campaign, name=campaign.name or unique_name())  # whoever looks for it has to know
    books = None if journal is None else SqliteJournal(journal)
    session = settings.routee(journal=books)
    if not yes and not _agreed(campaign, settings):
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
    return _told(receipt)


def _tried(settings: Settings, order: _order.Order) -> int:
    analysis = asyncio.run(_analysis(settings, order.campaign))
    if sys.stdout.isatty():
        table = _preview.as_text([*_preview.planned(order.campaign, settings), *_preview.analyzed(analysis, order.places)])
        data = f"{table}Nothing was sent.\n".encode(sys.stdout.encoding, "backslashreplace")
    else:
        data = json_lines([analysis])
    sys.stdout.buffer.write(data)
    return 0


async def _analysis(settings: Settings, campaign: VoiceCampaign) -> VoiceAnalysis:
    async with settings.routee() as session:
        return await session.analyze_campaign(campaign)


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


def _told(receipt: CampaignReceipt) -> int:
    """Write the receipt, and return the exit code."""
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


def _agreed(campaign: VoiceCampaign, settings: Settings) -> bool:
    if sys.stdin is None or not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise ConfigError("--yes: needed where nobody can be asked; nothing was sent")
    try:
        # On stderr, since stdout is for the receipt.
        sys.stderr.write(f"{_preview.as_text(_preview.planned(campaign, settings))}Send it? It costs money and rings telephones. [y/N] ")
        sys.stderr.flush()
        answer = sys.stdin.buffer.readline()
    except KeyboardInterrupt:
        sys.stderr.write("\n")
        say("nothing was sent")
        raise
    if not answer.endswith(b"\n"):
        sys.stderr.write("\n")  # the input has ended in the line of the question
    return answer.strip().lower() in {b"y", b"yes"}
