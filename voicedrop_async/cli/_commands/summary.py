"""``voicedrop summary``."""

import csv
import io
import re
import sys
from asyncio import CancelledError
from collections.abc import Callable, Iterator
from contextlib import aclosing
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any, Final, assert_never

from cyclopts import Parameter

from voicedrop_async import CampaignSummary, ConfigError
from voicedrop_async._masking import masked
from voicedrop_async.cli._options import ACCOUNT, Account, Printed
from voicedrop_async.cli._process import put, say, too_late
from voicedrop_async.cli._progress import Progress
from voicedrop_async.export import disarmed, json_lines

_AT_ONCE: Final = 8
"""Campaigns that are added up at once, where --max-in-flight does not say otherwise."""
_FIGURES: Final = ("messages", "statuses", "answered_by", "countries", "cost", "duration", "longest", "first", "last", "collected_tones")
"""What is written of a ``CampaignSummary``."""
_COLUMNS: Final = ("tracking_id", *_FIGURES, "complete")
_ID: Final = re.compile(r"(?=.*[A-Za-z])[\w.-]+", re.ASCII)


async def summary(
    *ids: Annotated[str, Parameter(allow_leading_hyphen=True)], format: Printed | None = None, account: Account = ACCOUNT
) -> int:
    """Add up the messages of campaigns: how they ended, who answered, what they cost.

    Each campaign is written as soon as it is added up: as a few lines on a
    terminal, else as a line of JSON, whose keys are tracking_id, the fields of
    CampaignSummary, and complete, which is true if all messages were seen.

    Of a campaign that failed, stderr tells why; the others are written all the
    same, and the command ends with 1.

    Args:
        ids: Tracking ids of campaigns, as in their receipts; - stands for those on stdin, one a line.
        format: A table on a terminal, and else jsonl, if left out.
        account: Of Routee.
    """
    wanted = list(_wanted(ids))
    if not wanted:
        raise ConfigError("ID: missing; the tracking id of a campaign is in its receipt")
    return await _write(wanted, format or ("table" if sys.stdout.isatty() else "jsonl"), account)


def _wanted(ids: tuple[str, ...]) -> Iterator[str]:
    for one in ids:
        if one == "-":
            yield from filter(None, map(str.strip, sys.stdin))
        elif one.startswith("-"):
            raise ConfigError(f"{masked(one)}: no option of this command, and no id")
        else:
            yield one


async def _write(ids: list[str], shape: Printed, account: Account) -> int:
    done = failed = partial = 0
    head, encoded = _encoder(shape)
    try:
        with Progress("campaigns", before=0, most=None) as progress:
            async with account.routee() as routee:
                put(head)
                async with aclosing(routee.summarize_campaigns(ids, concurrency=account.max_in_flight or _AT_ONCE)) as outcomes:
                    async for outcome in outcomes:
                        done += 1
                        if outcome.error is None:
                            put(encoded(outcome.key, outcome.value))
                            partial += not _is_complete(outcome.value)
                        else:
                            failed += 1
                            progress.say(f"{_shown(outcome.key)}: {outcome.error}")
                        if done == len(ids):
                            too_late()
                        progress.count(done, len(ids))
    except CancelledError:
        say(f"interrupted: campaigns written: {done - failed:,} of {len(ids):,}")
        raise
    if partial:
        say(f"not complete: {partial:,} of {done:,} campaigns; each of them says so")
    return 1 if failed else 4 if partial else 0


def _encoder(shape: Printed) -> tuple[bytes, Callable[[str, CampaignSummary], bytes]]:
    """Return what stands first, and what makes bytes of a campaign's id and its summary."""
    match shape:
        case "table":
            from voicedrop_async.cli._screen import card

            return b"", card
        case "jsonl":
            return b"", lambda one, summed: json_lines([_row(one, summed)])
        case "csv":
            return f"{','.join(_COLUMNS)}\n".encode(), lambda one, summed: _csv(_row(one, summed))
    assert_never(shape)


def _row(one: str, summed: CampaignSummary) -> dict[str, Any]:
    return {"tracking_id": one} | {name: getattr(summed, name) for name in _FIGURES} | {"complete": _is_complete(summed)}


def _csv(row: dict[str, Any]) -> bytes:
    """Return a line of the same values: counts by word as JSON, nothing that a spreadsheet would run."""
    line = io.StringIO()
    csv.writer(line, lineterminator="\n").writerow(map(_cell, row.values()))
    return line.getvalue().encode()


def _cell(value: object) -> str | None:
    if value is None:
        return None
    if isinstance(value, str):
        return disarmed(value)
    if isinstance(value, Decimal):
        return f"{value:f}"
    written = json_lines([value]).decode().strip()
    return written.strip('"') if isinstance(value, datetime) else written


def _is_complete(summed: CampaignSummary) -> bool:
    return summed.report is not None and summed.report.complete


def _shown(one: str) -> str:
    # An id may have as many digits as a phone number, and has letters beside them.
    return one if _ID.fullmatch(one) else masked(repr(one))
