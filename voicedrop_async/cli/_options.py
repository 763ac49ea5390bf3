"""Options that several commands share, each written once."""

import sys
from pathlib import Path
from typing import Annotated, Any, Final, Literal, TypeAlias, Unpack, assert_never

from attrs import frozen
from cyclopts import Parameter

from voicedrop_async import ConfigError, Limits, PageStream, RouteeSession, SpacivoxSession, VoiceMessage, WalkOptions
from voicedrop_async.cli._place import Place, begun
from voicedrop_async.cli._settings import Settings
from voicedrop_async.cli._words import Range, condition, span
from voicedrop_async.export import Format

Moment: TypeAlias = Annotated[str, Parameter(allow_leading_hyphen=True)]
"""A moment, or a word such as ``-7d``, which is no option."""
Shape: TypeAlias = Literal["table", Format]
"""What data can look like."""
Printed: TypeAlias = Literal["table", "jsonl", "csv"]
"""What it can look like on stdout."""


@Parameter(name="*")
@frozen(kw_only=True)
class Account:
    """Which account, and how hard its service is asked."""

    profile: str | None = None
    """Of the settings file, in place of VOICEDROP_PROFILE."""
    rate: float | None = None
    """Requests a second, at most; in place of what is set."""
    max_in_flight: int | None = None
    """Requests under way at once, at most; likewise."""

    def __attrs_post_init__(self) -> None:
        Limits(rate=self.rate)  # or a bad one would be blamed on what is set
        if self.max_in_flight is not None:
            Limits(max_in_flight=self.max_in_flight)

    def routee(self, *, ahead: int = 0) -> RouteeSession:
        """Return a session for Routee; see ``Settings.routee``."""
        return Settings.load(self.profile).routee(ahead=ahead, rate=self.rate, max_in_flight=self.max_in_flight)

    def spacivox(self, *, ahead: int = 0) -> SpacivoxSession:
        """Return a session for Spacivox; likewise."""
        return Settings.load(self.profile).spacivox(ahead=ahead, rate=self.rate, max_in_flight=self.max_in_flight)


@Parameter(name="*")
@frozen(kw_only=True)
class Search:
    """Which messages."""

    start: Moment | None = None
    """2026-03-02T09:00:00Z, today or yesterday (midnight of this machine's zone), -7d, -6h, -30m. The service's own range if left out."""
    end: Moment | None = None
    """Likewise, or now."""
    campaign: str | None = None
    """Only messages of the campaign with this tracking id."""
    filter: list[str] | None = None
    """FIELD=VALUE or FIELD:OPERATOR=VALUE, such as recipient:starts_with=+30. Repeatable: all must hold."""
    page_size: int = 100
    """Messages a request."""
    slices: str | None = None
    """Cut the range into stretches of 6h, 1d, 30m, or 6 for hours, and walk one after another. Needs --start and --end."""

    def messages(self, routee: RouteeSession, range: Range, **options: Unpack[WalkOptions]) -> PageStream[VoiceMessage]:
        """Return a stream of them, from ``start`` to ``end`` of ``range``."""
        step = None if self.slices is None else span("--slices", self.slices)
        return self._stream(routee, range, page_size=self.page_size, slices=step, **options)

    def uncut(self, routee: RouteeSession, range: Range) -> PageStream[VoiceMessage] | None:
        """Return the same list without slices, which knows its total; None if it has none."""
        return None if self.slices is None else self._stream(routee, range)

    def _stream(self, routee: RouteeSession, range: Range, **options: Any) -> PageStream[VoiceMessage]:
        conditions = [condition("--filter", text) for text in self.filter or ()]
        return routee.track_messages(start=range.start, end=range.end, campaign_id=self.campaign, filters=conditions, **options)


@Parameter(name="*")
@frozen(kw_only=True)
class Portion:
    """How much of a list, and how far ahead."""

    max_items: int | None = None
    """Stop after so many."""
    prefetch: int = 0
    """Requests kept under way ahead of the output."""


@Parameter(name="*")
@frozen(kw_only=True)
class Spread:
    """Over how many processes."""

    workers: int | None = None
    """Processes that do the list together, in shards of at most --slices (1d if left out) and 10,000 messages. They divide rate and
    requests under way. Needs --out, and --start and --end, or --campaign."""


@Parameter(name="*")
@frozen(kw_only=True)
class Output:
    """Where a list goes, and as what."""

    format: Shape | None = None
    """By the name of the file if left out; on stdout a table if that is a terminal, and else jsonl. Parquet is for files only."""
    out: Path | None = None
    """File to write, which is there when it is whole; a run that was interrupted goes on by itself, and max-items counts all."""
    resume: Path | None = None
    """File that keeps the place, until the list has ended; max-items counts those of a run. One that is killed can repeat a page."""

    def __attrs_post_init__(self) -> None:
        if self.out is not None and self.format == "table":
            raise ConfigError("--format: a table is for the screen; a file can be jsonl, csv or parquet")
        if self.out is not None and self.out.is_dir():
            raise ConfigError(f"--out: {self.out}: is a folder; name a file in it")
        if self.out is not None and self.resume is not None:
            raise ConfigError(
                "--resume: is for stdout; with --out the place is kept beside the file, and the same command goes on from there"
            )
        if self.out is None and self.format is not None:
            self.on_stdout()  # which refuses what is no text

    def place(self, range: Range) -> Place:
        """Return where the list begins, with the range that it was begun with."""
        return Place(self.resume, range if self.out is None else begun(self.out, range))

    def on_stdout(self) -> Printed:
        """Return what data on stdout looks like.

        Raises:
            ConfigError: It would be no text.
        """
        match self.format:
            case None:
                return "table" if sys.stdout.isatty() else "jsonl"
            case "table" | "jsonl" | "csv":
                return self.format
            case "parquet":
                raise ConfigError("--format: parquet is no text for stdout; name a file with --out")
        assert_never(self.format)


ACCOUNT: Final = Account()
SEARCH: Final = Search()
PORTION: Final = Portion()
OUTPUT: Final = Output()
SPREAD: Final = Spread()
"""Nothing said."""
