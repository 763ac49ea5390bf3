"""``voicedrop track``."""

from voicedrop_async.cli import _walks
from voicedrop_async.cli._options import ACCOUNT, OUTPUT, PORTION, SEARCH, SPREAD, Account, Output, Portion, Search, Spread
from voicedrop_async.cli._words import Range
from voicedrop_async.cli._workers import by_workers


async def track(
    *,
    search: Search = SEARCH,
    portion: Portion = PORTION,
    output: Output = OUTPUT,
    spread: Spread = SPREAD,
    account: Account = ACCOUNT,
) -> int:
    """Show tracked messages, or write them into a file.

    On a terminal they are a table of the columns that fit, with moments in UTC;
    elsewhere lines of JSON. Their keys are the columns of an export: the fields
    of VoiceMessage, and status_date, message_text and the like for what stands
    deeper in it.

    What was interrupted goes on where it was when the same command is run
    again, with the range that it was begun with:
      voicedrop track --start -7d --resume place >> messages.jsonl
      voicedrop track --start -7d --out messages.parquet
    A long list can be done by several processes:
      voicedrop track --start -365d --end now --out year.parquet --workers 4
    """
    if spread.workers is not None:
        return await by_workers(spread.workers, search, portion, output, account)
    place = output.place(Range.read(search.start, search.end))
    async with account.routee(ahead=portion.prefetch) as routee:
        with place.explains():
            messages = search.messages(routee, place.range, max_items=portion.max_items, prefetch=portion.prefetch, resume=place.token)
        uncut = search.uncut(routee, place.range)
        return await _walks.write(messages, "messages", place, output, max_items=portion.max_items, uncut=uncut)
