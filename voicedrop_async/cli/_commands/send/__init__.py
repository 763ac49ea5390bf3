"""``voicedrop send``."""

import asyncio
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

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
from voicedrop_async.cli._commands.send import order as orders
from voicedrop_async.cli._commands.send import preview, recipients
from voicedrop_async.cli._commands.send.books import Books, how_to_look
from voicedrop_async.cli._commands.send.long_list import send_list
from voicedrop_async.cli._process import give_up_stdout, say, too_late
from voicedrop_async.cli._settings import Settings
from voicedrop_async.export import json_lines


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

    A number that stands there twice is called once. More than 1,000 go out as
    several campaigns, each with a receipt; that takes --journal and --ref, and
    after an interruption the same command sends only what was not sent.

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
    if to is not None and recipients.is_stdin(to) and not (yes or dry_run):
        raise ConfigError("--yes: needed where the recipients come from standard input, and so nobody can be asked; nothing was sent")
    if (journal is None) != (ref is None):
        raise ConfigError("--journal, --ref: each needs the other; the send is written down there, under that name")
    order = orders.read(file, to, column, ref)
    settings = Settings.load(profile)
    if dry_run:
        return _tried(settings, order)
    books = None if journal is None or ref is None else Books(journal, ref, SqliteJournal(journal))
    if order.count > 1 and books is None:
        raise ConfigError(
            f"--journal, --ref: both are needed to send to {len(order.campaign.to):,}, which takes {order.count:,} campaigns: "
            "after an interruption, only a journal knows who has been called; nothing was sent"
        )
    if books is None:  # whoever looks for it has to know
        order = evolve(order, campaign=evolve(order.campaign, name=order.campaign.name or unique_name()))
    session = settings.routee(journal=None if books is None else books.journal)
    if not yes and not _agreed(order, settings):
        say("nothing was sent")
        return 1
    return _send_one(session, books, order.campaign) if books is None or order.count == 1 else send_list(session, books, order)


def _send_one(session: RouteeSession, books: Books | None, campaign: VoiceCampaign) -> int:
    began = datetime.now(UTC)
    journal, ref = (None, None) if books is None else (books.file, books.ref)
    try:
        receipt = asyncio.run(_sent(session, books, campaign))
    except KeyboardInterrupt:
        say(f"interrupted: the campaign may have been sent all the same. {how_to_look(campaign.name, began, journal, ref)}")
        raise
    except OutcomeUnknown as error:
        intent = error.intent
        say(f"{error.summary}: the campaign may have been sent. {how_to_look(intent.campaign_name, intent.started_at, journal, ref)}")
        return 3
    return _told(receipt)


def _tried(settings: Settings, order: orders.Order) -> int:
    analysis = asyncio.run(_analysis(settings, order))
    if sys.stdout.isatty():
        table = preview.as_text([*preview.planned(order.campaign, settings, order.count), *preview.analyzed(analysis, order.places)])
        data = f"{table}Nothing was sent.\n".encode(sys.stdout.encoding, "backslashreplace")
    else:
        data = json_lines([analysis])
    sys.stdout.buffer.write(data)
    return 0


async def _analysis(settings: Settings, order: orders.Order) -> VoiceAnalysis:
    async with settings.routee() as session:
        return preview.added_up([await session.analyze_campaign(campaign) for campaign in order.campaigns()])


async def _sent(session: RouteeSession, books: Books | None, campaign: VoiceCampaign) -> CampaignReceipt:
    if books is None:
        async with session:
            receipt = await session.send_campaign(campaign)
            too_late()  # only the receipt is still to be written
            return receipt
    async with books.journal, session:
        await books.check_no_other(f"{books.ref}/1")
        receipt = await session.send_campaign(campaign, ref=books.ref)
        too_late()
        return receipt


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


def _agreed(order: orders.Order, settings: Settings) -> bool:
    if sys.stdin is None or not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise ConfigError("--yes: needed where nobody can be asked; nothing was sent")
    try:
        # On stderr, since stdout is for the receipt.
        plan = preview.as_text(preview.planned(order.campaign, settings, order.count))
        sys.stderr.write(f"{plan}Send it? It costs money and rings telephones. [y/N] ")
        sys.stderr.flush()
        answer = sys.stdin.buffer.readline()
    except KeyboardInterrupt:
        sys.stderr.write("\n")
        say("nothing was sent")
        raise
    if not answer.endswith(b"\n"):
        sys.stderr.write("\n")  # the input has ended in the line of the question
    return answer.strip().lower() in {b"y", b"yes"}
