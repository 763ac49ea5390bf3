"""``voicedrop report``."""

from asyncio import CancelledError
from collections.abc import Generator, Iterable
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from voicedrop_async import ConfigError, report_to
from voicedrop_async.cli._options import ACCOUNT, PORTION, SEARCH, Account, Portion, Search
from voicedrop_async.cli._process import done, say
from voicedrop_async.cli._progress import Progress
from voicedrop_async.cli._walks import ask_total, judged
from voicedrop_async.cli._words import Range


async def report(
    file: Annotated[Path | None, Parameter(name="FILE")] = None,
    /,
    *,
    out: Path | None = None,
    png: Path | None = None,
    title: str = "Voice messages",
    search: Search = SEARCH,
    portion: Portion = PORTION,
    account: Account = ACCOUNT,
) -> int:
    """Draw what became of messages: a page, a picture, or both.

    From a file that track has written, or from the service itself:
      voicedrop report messages.parquet --out spring.html
      voicedrop report --start -7d --out spring.html --png spring.png

    The page is one file that needs no network. No number is in it whole. If
    the list was not complete, it says so, and the command ends with 4.

    Args:
        file: Of messages: .jsonl, .csv or .parquet. From the service if left out.
        out: The page, HTML.
        png: The same figures as a picture.
        title: Stands on top.
        search: Of the service.
        portion: Of those.
        account: Of Routee.
    """
    if out is None and png is None:
        raise ConfigError("--out: missing; name a page, or a picture with --png")
    if file is not None:
        if (search, portion, account) != (SEARCH, PORTION, ACCOUNT):
            raise ConfigError("FILE: is drawn whole; options such as --start are for messages from the service")
        with _says_if_nothing_was_written(out, png), Progress("messages", before=0, most=None, to_stdout=False) as progress:
            await report_to(file, out, png=png, title=title, on_batch=progress.read)
            await done()
        return 0
    span = Range.read(search.start, search.end)
    async with account.routee(ahead=portion.prefetch) as routee:
        messages = search.messages(routee, span, max_items=portion.max_items, prefetch=portion.prefetch)
        with (
            _says_if_nothing_was_written(out, png),
            Progress("messages", before=0, most=portion.max_items, to_stdout=False) as progress,
        ):
            await ask_total(progress, search.uncut(routee, span))
            drawn = await report_to(messages, out, png=png, title=title, on_page=progress.show)
            await done()
    return 0 if drawn.report is None else judged(drawn.report, drawn.messages, "messages", portion.max_items)


@contextmanager
def _says_if_nothing_was_written(*places: Path | None) -> Generator[None]:
    """Tell whoever ends it with Ctrl-C; in the last moment, the files may be there all the same."""
    before = _files_at(places)
    try:
        yield
    except CancelledError:
        if _files_at(places) == before:
            say("nothing was written")
        raise


def _files_at(places: Iterable[Path | None]) -> list[int]:
    found: list[int] = []
    for place in filter(None, places):
        with suppress(OSError):
            found.append(place.stat().st_ino)
    return found
