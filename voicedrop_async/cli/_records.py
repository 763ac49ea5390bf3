"""``voicedrop records``."""

from voicedrop_async import SpacivoxSession
from voicedrop_async.cli import _walks
from voicedrop_async.cli._words import moment, span


async def records(*, start: str, end: str, team: int | None = None, slices: str = "1d", max_items: int | None = None) -> int:
    """Write voicemail drop records as lines of JSON, one a record.

    The keys are the field names of VoicemailDropRecord; state is one of SENT,
    DELIVERED, FAILED and REJECTED, or the bare number of a newer one.

    Args:
        start: ISO 8601 moment with its zone, such as 2026-03-02T00:00:00Z; included.
        end: Likewise; excluded.
        team: Only this team's records.
        slices: Time covered by one request: 6h, 1d, 30m, or 6 for hours.
        max_items: Stop after so many.
    """
    since, until, step = moment("--start", start), moment("--end", end), span("--slices", slices)
    async with SpacivoxSession.from_env() as spacivox:
        drops = spacivox.drop_records(since, until, team=team, slices=step, max_items=max_items)
        return await _walks.write(drops, "records", max_items=max_items)
