"""``--journal`` and ``--ref``, and what to type where nobody knows whether a send happened."""

from datetime import datetime, timedelta
from pathlib import Path
from shlex import quote
from typing import Final

from attrs import frozen

from voicedrop_async import ConfigError, SqliteJournal

_MARGIN: Final = timedelta(minutes=5)
"""How far this machine's clock and the service's may be apart."""


@frozen
class Books:
    """Where sends are written down, and under which ref this one is; the two are given together."""

    file: Path
    ref: str
    journal: SqliteJournal

    async def check_no_other(self, ref: str) -> None:
        """Refuse a list that got another ref when it was shorter, or longer: some of it would be called again."""
        if await self.journal.find(ref) is not None:
            raise ConfigError(f"--ref: stands in {self.file} for a list of another length; give this one its own; nothing was sent")


def how_to_look(name: str | None, began: datetime, journal: Path | None, ref: str | None) -> str:
    """Return what to type, in which order."""
    start = (began - _MARGIN).strftime("%Y-%m-%dT%H:%M:%SZ")
    look = f"voicedrop track --start {start} --filter {quote(f'campaign={name}')}"
    sentence = "Before you send it again, look some minutes from now:"
    if journal is None or ref is None:
        return f"{sentence} {look}"
    told = f"voicedrop journal {quote(str(journal))}"
    return (
        f"{sentence} {look if name else f'{told} names the campaign for voicedrop track, if it is open'}; "
        f"then say what became of it: {told} --settle {quote(ref)} --sent, or --not-sent"
    )
