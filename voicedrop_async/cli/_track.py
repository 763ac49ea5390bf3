"""``voicedrop track``."""

from functools import partial
from pathlib import Path

from voicedrop_async import ConfigError
from voicedrop_async.cli import _walks
from voicedrop_async.cli._place import Place
from voicedrop_async.cli._settings import Settings
from voicedrop_async.cli._words import condition, moment, span
from voicedrop_async.cli._workers import Whole, by_workers


async def track(
    *,
    start: str | None = None,
    end: str | None = None,
    campaign: str | None = None,
    filter: list[str] | None = None,
    page_size: int = 100,
    slices: str | None = None,
    max_items: int | None = None,
    prefetch: int = 0,
    resume: Path | None = None,
    format: str | None = None,
    out: Path | None = None,
    workers: int | None = None,
    profile: str | None = None,
) -> int:
    """Write tracked messages as lines of JSON, one a message, or into a file.

    The keys are the columns of an export: the field names of VoiceMessage, and
    status_date, message_text and the like for what stands deeper in it.

    An export that was interrupted goes on where it was when the same command
    is run again: voicedrop track --resume place >> messages.jsonl
    or, each message surely once, voicedrop track --out messages.parquet
    or with several processes: voicedrop track ... --workers 4 --out year.parquet

    Args:
        start: ISO 8601 moment with its zone, such as 2026-03-02T09:00:00Z. The service's own range if left out.
        end: Likewise.
        campaign: Only messages of the campaign with this tracking id.
        filter: FIELD=VALUE or FIELD:OPERATOR=VALUE, such as recipient:starts_with=+30. Repeatable: all must hold.
        page_size: Messages a request.
        slices: Cut the range into stretches of 6h, 1d, 30m, or 6 for hours, and walk one after another. Needs --start and --end.
        max_items: Stop after so many; with --resume, so many a run.
        prefetch: Requests kept under way ahead of the output.
        resume: File that keeps the place, until the list has ended. A run that is killed can repeat the messages of one request.
        format: jsonl, csv or parquet, which is for files only. By the name of the file if left out, and jsonl on stdout.
        out: File to write, which is there when it is whole; a run that was interrupted goes on by itself, and max-items counts all.
        workers: Processes that do the list together, in shards of at most --slices (1d) and 10,000 messages; they divide the rate
            among them. Needs --out, and --start and --end, or --campaign.
        profile: Of the settings file, in place of VOICEDROP_PROFILE.
    """
    into = _walks.output(format, out, resume)
    place = Place(
        resume,
        start=None if start is None else moment("--start", start),
        end=None if end is None else moment("--end", end),
    )
    conditions = [condition("--filter", text) for text in filter or ()]
    step = None if slices is None else span("--slices", slices)
    if workers is not None:
        for option, given in (("--filter", filter), ("--max-items", max_items is not None), ("--format", format), ("--resume", resume)):
            if given:
                raise ConfigError(f"{option}: not together with --workers")
        whole = Whole(start=place.start, end=place.end, campaign=campaign, page_size=page_size)
        return await by_workers(whole, step, out, workers=workers, prefetch=prefetch, profile=profile)
    async with Settings.load(profile).routee(ahead=prefetch) as routee:
        search = partial(routee.track_messages, start=place.start, end=place.end, campaign_id=campaign, filters=conditions)
        with place.explains():
            messages = search(page_size=page_size, slices=step, max_items=max_items, prefetch=prefetch, resume=place.token)
        uncut = None if step is None else search()
        return await _walks.write(messages, "messages", place, into=into, max_items=max_items, uncut=uncut)
