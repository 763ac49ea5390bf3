"""What became of a long list: every recipient once."""

from collections.abc import Iterator, Mapping
from enum import StrEnum

from attrs import field, frozen

from voicedrop_async._masking import shown, shown_code
from voicedrop_async.errors import ApiError, VoiceDropError
from voicedrop_async.models import CampaignProblem, CampaignReceipt


class ChunkState(StrEnum):
    """What became of one chunk of a long list."""

    SENT = "sent"
    UNKNOWN = "unknown"
    """It may have been sent: ``reconcile`` its ref."""
    REFUSED = "refused"
    """It surely was not sent."""
    NOT_ATTEMPTED = "not_attempted"


@frozen(kw_only=True)
class Chunk:
    """One campaign of a long list: up to a thousand recipients, under a ref of its own."""

    ref: str
    """The ref of the list, a slash, and the number of the chunk from 1: for ``reconcile``."""
    recipients: tuple[str, ...] = field(repr=False)
    """In their order; each in this chunk only."""
    state: ChunkState
    """What became of it."""
    receipt: CampaignReceipt | None = field(default=None, repr=False)
    """Of a chunk that was sent. Its ``to`` are ``recipients``, and its ``voice_analysis``, as long again, is left out."""
    error: VoiceDropError | None = None
    """Why it is unknown or was refused."""

    @property
    def refused(self) -> Mapping[str, str]:
        """The refused recipients, and why: all of a refused chunk; of one that was sent, those whom the service named."""
        if self.state is ChunkState.REFUSED:
            named = _reasons(self.error.problems if isinstance(self.error, ApiError) else ())
            return {number: named.get(number.lstrip("+"), f"its chunk was refused: {self.error}") for number in self.recipients}
        named = _reasons(self.receipt.problems if self.receipt is not None else ())
        return {number: named[number.lstrip("+")] for number in self.recipients if number.lstrip("+") in named} if named else {}


@frozen(kw_only=True, repr=False)
class SendLedger:
    """What became of a long list. Each recipient is in exactly one of ``sent``, ``unknown``, ``refused``, ``not_attempted``."""

    ref: str
    """The ref of the list."""
    chunks: tuple[Chunk, ...]
    """In the order of the list, those not attempted included."""
    invalid: Mapping[str, str]
    """Entries of the list that are no phone numbers, and why; they are in no chunk.

    One that is no text is named by its place, from 1, as in ``entry 3``.
    """
    duplicates: tuple[str, ...]
    """Entries that repeat an earlier one, as they were given; sent once."""
    stopped_by: VoiceDropError | None
    """Why chunks were not attempted; None if all were."""

    @property
    def sent(self) -> tuple[str, ...]:
        """Recipients of the chunks that the service took, without those it refused."""
        return tuple(self._of(ChunkState.SENT))

    @property
    def unknown(self) -> tuple[str, ...]:
        """Recipients who may be called: ``reconcile`` the refs of their chunks."""
        return tuple(self._of(ChunkState.UNKNOWN))

    @property
    def refused(self) -> Mapping[str, str]:
        """Recipients who are surely not called, and why."""
        return {**self.invalid, **{number: why for chunk in self.chunks for number, why in chunk.refused.items()}}

    @property
    def not_attempted(self) -> tuple[str, ...]:
        """Recipients of the chunks behind the one that stopped the list."""
        return tuple(self._of(ChunkState.NOT_ATTEMPTED))

    def _of(self, state: ChunkState) -> Iterator[str]:
        for chunk in self.chunks:
            if chunk.state is state:
                refused = chunk.refused
                yield from (number for number in chunk.recipients if number not in refused)

    def __repr__(self) -> str:
        counts = {name: len(getattr(self, name)) for name in ("sent", "unknown", "refused", "not_attempted", "duplicates")}
        return f"SendLedger(ref={self.ref!r}, {', '.join(f'{name}={count}' for name, count in counts.items())})"


def _reasons(problems: tuple[CampaignProblem, ...]) -> dict[str, str]:
    """Why the service refused a number, by its digits."""
    return {number.lstrip("+"): _reason(problem) for problem in problems for number in problem.property or ()}


def _reason(problem: CampaignProblem) -> str:
    code = f"code {shown_code(problem.code)}" if problem.code else "refused by the service"
    return f"{code}: {shown(problem.developer_message)}" if problem.developer_message else code
