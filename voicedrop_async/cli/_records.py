"""``voicedrop records``."""

from pathlib import Path

from voicedrop_async.cli import _walks
from voicedrop_async.cli._place import Place
from voicedrop_async.cli._settings import Settings
from voicedrop_async.cli._words import moment, span


async def records(
    *,
    start: str,
    end: str,
    team: int | None = None,
    slices: str = "1d",
    max_items: int | None = None,
    prefetch: int = 0,
    resume: Path | None = None,
    format: str | None = None,
    out: Path | None = None,
    profile: str | None = None,
) -> int:
    """Write voicemail drop records as lines of JSON, one a record, or into a file.

    The keys are the field names of VoicemailDropRecord; state is one of SENT,
    DELIVERED, FAILED and REJECTED, or the number of a newer one, as text.

    An export that was interrupted goes on where it was when the same command
    is run again: voicedrop records ... --resume place >> records.jsonl
    or, each record surely once, voicedrop records ... --out records.parquet

    Args:
        start: ISO 8601 moment with its zone, such as 2026-03-02T00:00:00Z; included.
        end: Likewise; excluded.
        team: Only this team's records.
        slices: Time covered by one request: 6h, 1d, 30m, or 6 for hours.
        max_items: Stop after so many; with --resume, so many a run.
        prefetch: Requests kept under way ahead of the output.
        resume: File that keeps the place, until the list has ended. A run that is killed can repeat the records of one request.
        format: jsonl, csv or parquet, which is for files only. By the name of the file if left out, and jsonl on stdout.
        out: File to write, which is there when it is whole; a run that was interrupted goes on by itself, and max-items counts all.
        profile: Of the settings file, in place of VOICEDROP_PROFILE.
    """
    into = _walks.output(format, out, resume)
    since, until, step = moment("--start", start), moment("--end", end), span("--slices", slices)
    place = Place(resume, start=since, end=until)
    async with Settings.load(profile).spacivox(ahead=prefetch) as spacivox:
        with place.explains():
            drops = spacivox.drop_records(since, until, team=team, slices=step, max_items=max_items, prefetch=prefetch, resume=place.token)
        return await _walks.write(drops, "records", place, into=into, max_items=max_items)
