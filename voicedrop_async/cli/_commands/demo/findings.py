"""What the demo found out, in figures."""

from collections import Counter
from collections.abc import Iterator, Sequence
from decimal import Decimal
from statistics import mean, median
from typing import Final

from attrs import frozen

from voicedrop_async import DropState, VoicemailDropRecord, VoiceMessage
from voicedrop_async._masking import masked

_SAMPLES: Final = 3


@frozen
class Findings:
    """Figures about a campaign's messages and a day's voicemail drops."""

    messages: Sequence[VoiceMessage]
    drops: Sequence[VoicemailDropRecord]

    def counts(self) -> dict[str, Counter[str]]:
        """Three tables: what is counted, and how often each of its words came."""
        return {
            "Messages": Counter(_status(message) for message in self.messages),
            "Answered by": Counter(str(message.answered_by) for message in self.messages if message.answered_by is not None),
            "Voicemail drops": Counter(_state(drop) for drop in self.drops),
        }

    def sentences(self) -> Iterator[tuple[str, str]]:
        """What is summed up in a line: its title, and the line."""
        cost = sum((message.price for message in self.messages if message.price is not None), Decimal())
        yield "Cost", f"{cost:.4f} in all, {cost / max(1, len(self.messages)):.4f} a message"
        answered = [message.duration for message in self.messages if message.duration]
        if answered:
            spread = f"{min(answered):.0f} to {max(answered):.0f} s, mean {mean(answered):.1f} s, median {median(answered):.0f} s"
            yield "Durations", f"{len(answered):,} calls of {spread}; {sum(answered) / 3600:.1f} h in all"

    def samples(self) -> Iterator[tuple[str, ...]]:
        """The first messages, as cells of a table; nobody's number in full."""
        for message in self.messages[:_SAMPLES]:
            spoken = f"{message.duration or 0:.0f} s"
            yield (
                masked(message.to or ""),
                message.country or "",
                _status(message),
                str(message.answered_by or ""),
                spoken,
                f"{message.price or 0:.4f}",
            )


def _status(message: VoiceMessage) -> str:
    return str(message.status.status) if message.status is not None else "Unknown"


def _state(drop: VoicemailDropRecord) -> str:
    return drop.state.name if isinstance(drop.state, DropState) else str(drop.state)
