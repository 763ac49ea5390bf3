"""``voicedrop journal``."""

import asyncio
import sys
from datetime import timedelta
from pathlib import Path

from voicedrop_async import ConfigError, JournalEntry, SqliteJournal
from voicedrop_async.cli._process import say
from voicedrop_async.cli._words import span
from voicedrop_async.export import json_lines


def journal(file: Path, /, *, settle: str | None = None, sent: bool = False, not_sent: bool = False, prune: str | None = None) -> int:
    """Show the paid sends of a journal whose outcome nobody knows; settle one.

    Writes one line of JSON for each, the oldest first: its ref, the campaign's
    name, when it began, and to how many recipients. Whether it happened is told
    by tracking that campaign name some minutes later.

    Args:
        file: A journal of SqliteJournal.
        settle: The ref of an open send that you know about; needs --sent or --not-sent.
        sent: It happened: the same ref is never sent again.
        not_sent: It did not happen: the same ref can be sent again.
        prune: Forget what was settled so long ago, such as 90d; those refs can be sent again.
    """
    if sent + not_sent != (settle is not None):
        raise ConfigError("--settle: takes a ref and one of --sent and --not-sent")
    if settle is not None and prune is not None:
        raise ConfigError("--prune: not together with --settle; do one after the other")
    age = None if prune is None else span("--prune", prune)
    if file.is_dir():
        raise ConfigError(f"{file}: is a folder; name the file of a journal in it")
    if not file.is_file():
        raise ConfigError(f"{file}: no such file; a journal is made by the first send, not here")
    if settle is not None:
        asyncio.run(_settle(file, settle, sent=sent))
        say(f"settled as {'sent' if sent else 'not sent'}")
    elif age is not None:
        say(f"entries forgotten: {asyncio.run(_forget(file, age))}")
    else:
        sys.stdout.buffer.write(json_lines([_shown(entry) for entry in asyncio.run(_open(file))]))
        sys.stdout.buffer.flush()
    return 0


async def _open(file: Path) -> list[JournalEntry]:
    async with SqliteJournal(file) as opened:
        return await opened.open_entries()


async def _settle(file: Path, ref: str, *, sent: bool) -> None:
    async with SqliteJournal(file) as opened:
        try:
            await opened.settle(ref, sent=sent)
        except ConfigError as error:
            raise ConfigError(f"--settle: {str(error).partition(': ')[2]}") from None


async def _forget(file: Path, age: timedelta) -> int:
    async with SqliteJournal(file) as opened:
        return await opened.prune(age)


def _shown(entry: JournalEntry) -> dict[str, object]:
    began = entry.intent
    return {"ref": began.ref, "campaign_name": began.campaign_name, "started_at": began.started_at, "recipients": began.recipients}
