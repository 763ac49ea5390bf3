"""More recipients than one campaign takes: sent as several, each told of as soon as it is over."""

import asyncio
from datetime import UTC, datetime
from typing import Final

from attrs import evolve

from voicedrop_async import Chunk, ChunkState, ConfigError, OutcomeUnknown, RouteeSession, SendLedger
from voicedrop_async.cli._commands.send.books import Books, how_to_look
from voicedrop_async.cli._commands.send.order import Order
from voicedrop_async.cli._process import give_up_stdout, put, say, too_late
from voicedrop_async.cli._progress import Progress
from voicedrop_async.export import json_lines

_AGAIN: Final = "the same command goes on from there"


def send_list(session: RouteeSession, books: Books, order: Order) -> int:
    """Send what the journal does not know as sent, write the receipt of each campaign to stdout, and return the exit code."""
    began, done = datetime.now(UTC), list[Chunk]()
    try:
        ledger = asyncio.run(_sent(session, books, order, done))
    except KeyboardInterrupt:
        if len(done) < order.count:
            here = len(done) + 1
            look = how_to_look(None, began, books.file, f"{books.ref}/{here}")
            say(f"interrupted: campaign {here:,} of {order.count:,} may have been sent all the same. {look}; {_AGAIN}")
        raise
    except ConfigError as error:
        if not done:
            raise
        say(str(error))  # which tells what was sent before
        return 1
    except OSError as error:
        if not done:
            raise
        give_up_stdout()
        say(f"{done[-1].ref} is sent, but its receipt could not be written: {error.strerror}; {_AGAIN}, and writes all receipts")
        return 3
    return _told(ledger, books)


async def _sent(session: RouteeSession, books: Books, order: Order, done: list[Chunk]) -> SendLedger:
    template, numbers = evolve(order.campaign, to=()), order.campaign.to
    with Progress("recipients", before=0, most=None) as progress:

        def show(chunk: Chunk) -> None:
            done.append(chunk)
            if len(done) == order.count:
                too_late()  # only its receipt is still to be written
            if chunk.receipt is not None:
                put(json_lines([chunk.receipt]))
            elif chunk.state is ChunkState.REFUSED:
                progress.say(f"{chunk.ref} was not sent: {chunk.error}")
            progress.count(sum(len(chunk.recipients) for chunk in done), len(numbers))

        async with books.journal, session:
            await books.check_no_other(books.ref)
            return await session.send_campaigns(template, numbers, ref=books.ref, on_chunk=show)


def _told(ledger: SendLedger, books: Books) -> int:
    """Return the exit code, and say what is to be done."""
    count, sent = len(ledger.chunks), sum(chunk.state is ChunkState.SENT for chunk in ledger.chunks)
    for place, chunk in enumerate(ledger.chunks, start=1):
        if isinstance(chunk.error, OutcomeUnknown):
            intent = chunk.error.intent
            look = how_to_look(intent.campaign_name, intent.started_at, books.file, chunk.ref)
            say(f"{chunk.error.summary}: campaign {place:,} of {count:,} may have been sent. {look}; {_AGAIN}")
            return 3
    if sent < count:
        say(f"campaigns sent: {sent:,} of {count:,}; the same command sends the others")
        return 1
    if refused := len(ledger.refused):
        say(f"sent, but not to everybody: see problems in the receipts ({refused:,})")
    return 0
