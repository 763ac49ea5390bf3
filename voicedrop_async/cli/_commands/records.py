"""``voicedrop records``."""

from attrs import frozen
from cyclopts import Parameter

from voicedrop_async.cli import _walks
from voicedrop_async.cli._options import ACCOUNT, OUTPUT, PORTION, Account, Moment, Output, Portion
from voicedrop_async.cli._words import Range, span


@Parameter(name="*")
@frozen(kw_only=True)
class Drops:
    """Which records."""

    start: Moment
    """2026-03-02T09:00:00Z, today or yesterday (midnight of this machine's zone), -7d, -6h, -30m; included."""
    end: Moment = "now"
    """Likewise, or now; excluded."""
    team: int | None = None
    """Only this team's records."""
    slices: str = "1d"
    """Time covered by one request: 6h, 1d, 30m, or 6 for hours."""


async def records(*, drops: Drops, portion: Portion = PORTION, output: Output = OUTPUT, account: Account = ACCOUNT) -> int:
    """Show voicemail drop records, or write them into a file.

    On a terminal they are a table of the columns that fit, with moments in UTC;
    elsewhere lines of JSON. Their keys are the fields of VoicemailDropRecord;
    state is one of SENT, DELIVERED, FAILED and REJECTED, or the number of a
    newer one, as text.

    What was interrupted goes on where it was when the same command is run
    again, with the range that it was begun with:
      voicedrop records --start -7d --resume place >> records.jsonl
      voicedrop records --start -7d --out records.parquet
    """
    step = span("--slices", drops.slices)
    place = output.place(Range.read(drops.start, drops.end))
    async with account.spacivox(ahead=portion.prefetch) as spacivox:
        since, until = place.range.both()
        with place.explains():
            stream = spacivox.drop_records(
                since, until, team=drops.team, slices=step, max_items=portion.max_items, prefetch=portion.prefetch, resume=place.token
            )
        return await _walks.write(stream, "records", place, output, max_items=portion.max_items)
