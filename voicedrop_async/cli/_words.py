"""Words of the command line that stand for values: spans and filters; ranges, in moments or in words such as ``today`` and ``-7d``.

What cannot be read is a ``ConfigError``, before anything is sent.
"""

import re
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import Final, Self

from attrs import frozen

from voicedrop_async import ConfigError, FilterField, FilterOperator, TrackingFilter

_SPAN: Final = re.compile(r"(\d+)([dhms]?)", re.ASCII)
_BEFORE_NOW: Final = re.compile(r"-(\d{1,9})([dhms])", re.ASCII)
_DAYS_AGO: Final = {"today": 0, "yesterday": 1}
_UNITS: Final = {"d": timedelta(days=1), "h": timedelta(hours=1), "m": timedelta(minutes=1), "s": timedelta(seconds=1)}

# The service's own words, and the names of ours: status for status.status, collected_tones for collectedTones.
_FIELDS: Final = {member.name.lower(): member for member in FilterField} | {member.value: member for member in FilterField}


def span(option: str, text: str) -> timedelta:
    """Read a span of time: hours, or a number with ``d``, ``h``, ``m`` or ``s`` after it."""
    read = _SPAN.fullmatch(text)
    try:
        if read is not None:
            return int(read[1]) * _UNITS[read[2] or "h"]
    except (OverflowError, ValueError):
        pass
    raise ConfigError(f"{option}: not a span of time, such as 6h, 1d, 30m, or 6 for hours")


def condition(option: str, text: str) -> TrackingFilter:
    """Read ``FIELD=VALUE`` or ``FIELD:OPERATOR=VALUE``.

    A field that is not known is refused here: the service might pass over it, and answer with everything.
    """
    said, equals, value = text.partition("=")
    name, _, operator = said.partition(":")
    if not equals or not value:
        raise ConfigError(f"{option}: must be FIELD=VALUE, or FIELD:OPERATOR=VALUE")
    if name not in _FIELDS:
        raise ConfigError(f"{option}: unknown field; known are {', '.join(FilterField)}")
    if operator and operator not in set(FilterOperator):
        raise ConfigError(f"{option}: unknown operator; known are {', '.join(FilterOperator)}")
    return TrackingFilter(_FIELDS[name], value, operator=FilterOperator(operator or FilterOperator.IS))


@frozen(kw_only=True)
class Range:
    """A range as it was asked for. A list that is gone on with keeps the one it was begun with, whatever its words mean by then."""

    start: datetime | None = None
    end: datetime | None = None
    start_word: str | None = None
    """What ``start`` was called, if that was no moment."""
    end_word: str | None = None

    @classmethod
    def read(cls, start: str | None, end: str | None) -> Self:
        """Read ``--start`` and ``--end``, both at the same moment.

        Raises:
            ConfigError: One of them is neither a moment nor a word.
        """
        now = datetime.now(UTC).replace(microsecond=0)
        (since, start_word), (until, end_word) = _read("--start", start, now), _read("--end", end, now)
        return cls(start=since, end=until, start_word=start_word, end_word=end_word)

    @property
    def has_words(self) -> bool:
        """Whether it will mean something else later."""
        return bool(self.start_word or self.end_word)

    def both(self) -> tuple[datetime, datetime]:
        """Return both ends.

        Raises:
            ConfigError: One is open.
        """
        if self.start is None or self.end is None:
            raise ConfigError("--start: missing; this list needs a range, with both ends")
        return self.start, self.end

    def gone_on_with(self, begun: Self, file: Path, anew: str) -> Self:
        """Return ``begun``, which was kept for ``file``, unless this is another one: what is left out is not, nor is the same word.

        Raises:
            ConfigError: It is another one; the text ends with ``anew``.
        """
        for option, given, word, held, held_word in (
            ("--start", self.start, self.start_word, begun.start, begun.start_word),
            ("--end", self.end, self.end_word, begun.end, begun.end_word),
        ):
            if given is None or given == held or (word and word == held_word):
                continue
            meant = "none" if held is None else held.isoformat() if held_word is None else f"{held_word}, which was {held.isoformat()}"
            raise ConfigError(f"{option}: another one than that of {file}, which is {meant}: give the same to go on; {anew}")
        return begun


def moment(option: str, text: str, now: datetime) -> datetime:
    """Read an ISO 8601 moment that names its zone, or a word for one that is, or was, at ``now`` or before.

    Days begin at the midnight of this machine's zone; ``-7d`` is seven times 24 hours before now.
    """
    try:
        if text in _DAYS_AGO:
            day = now.astimezone().date() - timedelta(days=_DAYS_AGO[text])
            return datetime.combine(day, time()).astimezone()  # by the date, since not every day has 24 hours
        if before := _BEFORE_NOW.fullmatch(text):
            return now - int(before[1]) * _UNITS[before[2]]
        read = now if text == "now" else datetime.fromisoformat(text)
    except (ValueError, OverflowError):
        raise ConfigError(f"{option}: no moment such as 2026-03-02T09:00:00Z, nor now, today, yesterday, -7d, -6h, -30m") from None
    if read.utcoffset() is None:
        raise ConfigError(f"{option}: names no zone, and so could mean any moment of a day; end it with Z, or with +02:00")
    return read


def _read(option: str, text: str | None, now: datetime) -> tuple[datetime | None, str | None]:
    """Return what was meant, and the word for it if it is one."""
    is_word = text is not None and (text in _DAYS_AGO or text == "now" or text.startswith("-"))
    return None if text is None else moment(option, text, now), text if is_word else None
