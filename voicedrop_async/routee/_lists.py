"""Lists that are longer than a campaign: cut into chunks, each sent at most once, every recipient accounted for.

Source: Routee, "Send a voice campaign", ``to``: at most 1000.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import aclosing
from typing import Final

from attrs import evolve

from voicedrop_async._checks import MAX_REF, check_count, check_ref
from voicedrop_async._masking import type_of
from voicedrop_async.errors import BadRequest, ConfigError, OutcomeUnknown, VoiceDropError
from voicedrop_async.models import VoiceCampaign
from voicedrop_async.routee._ledger import Chunk, ChunkState, SendLedger
from voicedrop_async.routee._names import unique_name
from voicedrop_async.routee._recipients import Recipients, Sieve, check_recipients, reader, why_not
from voicedrop_async.routee._rules import MAX_RECIPIENTS, check_campaign
from voicedrop_async.routee._sending import Sending

_NUMBERED: Final = 12
"""Characters of a ref that are left for the number of a chunk."""


class LongLists(Sending):
    """What sends to more recipients than one campaign may have."""

    async def send_campaigns(
        self,
        campaign: VoiceCampaign,
        recipients: Recipients,
        *,
        ref: str,
        chunk: int = MAX_RECIPIENTS,
        stop_at_unknown: bool = True,
        region: str | None = None,
        on_chunk: Callable[[Chunk], object] | None = None,
    ) -> SendLedger:
        """Send a campaign to any number of recipients: this costs money and rings telephones. Each is called at most once.

        The list is cut into chunks, sent one after another, each as a campaign of its own: its ref is that of the list,
        a slash and its number from 1, its name one that can be found again. The same call again, in another process
        too, goes on where this one ended: chunks that were sent are not sent again, if the recipients come in the same
        order. A number that comes twice is called once; what is no number is called not at all.

        A chunk that may have been sent stops the list, and so does an error that the next chunk would meet as well;
        a chunk that the service refuses as such (400 or 422) does not. What lies behind is still read, to be named.

        Args:
            campaign: What to say; a template without recipients. With a name, the names of its chunks begin with it.
            recipients: E.164 numbers; any iterable, sync or async, pulled chunk by chunk. The numbers are kept in memory.
            ref: Your own key for the whole list. It is kept and shown in clear.
            chunk: Recipients of one campaign, at most 1000; the same each time for one ref.
            stop_at_unknown: Send no chunk behind one that may have been sent.
            region: Where numbers without a country code are at home, such as ``GR``. Then other notations are read as
                well, and told from each other as numbers; needs the extra ``phone``. The ledger names E.164 numbers.
            on_chunk: Called with each chunk that was attempted, as soon as it is known what became of it. What it raises
                ends the call: no chunk behind that one is sent.

        Returns:
            The ledger, which names each recipient once: sent, unknown, refused, or not attempted. What stopped the list
            is in it, and not raised.

        Raises:
            ConfigError: The campaign cannot be, or has recipients of its own; nothing was sent. Or a chunk differs from
                the one that was sent under its ref: nothing of it was sent, and the text says what was before it.
            SessionClosed: The session is closed.
            Exception: Whatever ``recipients`` raise while they are pulled, with a note on what was sent before. No chunk is
                sent that is not full by then; the same call with a mended source goes on.

        Source: Routee, "Send a voice campaign", ``POST /voice/campaign``.
        """
        _check_template(campaign)
        check_recipients(recipients)
        check_ref(ref)
        if len(ref) > MAX_REF - _NUMBERED:
            raise ConfigError(f"ref: longer than {MAX_REF - _NUMBERED} characters, which leaves no room for the numbers of its chunks")
        check_count("chunk", chunk, 1)
        if chunk > MAX_RECIPIENTS:
            raise ConfigError(f"chunk: {chunk} is above {MAX_RECIPIENTS}, the most of one campaign")
        if not isinstance(stop_at_unknown, bool):
            raise ConfigError(f"stop_at_unknown: {type_of(stop_at_unknown)} is neither True nor False")
        self._transport.check_home()
        sieve = Sieve(reader(region), why_not(region))
        done: list[Chunk] = []
        stopped_by: VoiceDropError | None = None
        async with aclosing(sieve.chunks(recipients, ref, chunk)) as planned:
            while (next_one := await _pulled(planned, done)) is not None:
                if stopped_by is None:
                    done.append(await self._send_chunk(campaign, next_one, done))
                    stopped_by = _stopper(done[-1], stop_at_unknown=stop_at_unknown)
                    if on_chunk is not None:
                        on_chunk(done[-1])
                else:
                    done.append(next_one)
                    await asyncio.sleep(0)  # a long list in memory must not hold up the loop
        return SendLedger(ref=ref, chunks=tuple(done), invalid=sieve.invalid, duplicates=tuple(sieve.duplicates), stopped_by=stopped_by)

    async def _send_chunk(self, template: VoiceCampaign, chunk: Chunk, done: list[Chunk]) -> Chunk:
        name = unique_name(template.name or "Campaign")
        try:
            receipt = await self._send_as(evolve(template, to=chunk.recipients), name, ref=chunk.ref, deadline=None)
        except ConfigError as fault:
            raise ConfigError(f"{fault}; this is chunk {len(done) + 1}, and {_so_far(done)}") from None
        except OutcomeUnknown as error:
            return evolve(chunk, state=ChunkState.UNKNOWN, error=_without_frames(error))
        except VoiceDropError as error:
            return evolve(chunk, state=ChunkState.REFUSED, error=_without_frames(error))
        # The numbers are in memory once; a million recipients would have as many again in the analyses alone.
        slim = evolve(receipt, to=chunk.recipients, voice_analysis=None)
        return evolve(chunk, state=ChunkState.SENT, receipt=slim)


async def _pulled(planned: AsyncIterator[Chunk], done: Sequence[Chunk]) -> Chunk | None:
    """Return the next chunk, None behind the last; what the source raises leaves with a note on what was done."""
    try:
        return await anext(planned, None)
    except Exception as fault:
        fault.add_note(f"send_campaigns: the recipients raised this before chunk {len(done) + 1}; {_so_far(done)}")
        raise


def _so_far(done: Sequence[Chunk]) -> str:
    return f"of the {len(done)} chunks before it {sum(chunk.state is ChunkState.SENT for chunk in done)} are sent"


def _without_frames(error: VoiceDropError) -> VoiceDropError:
    """Let go of the frames that an error and its causes hold, and with them of the body that was sent, a chunk's numbers."""
    links: list[BaseException | None] = [error]
    while links:
        link = links.pop()
        if link is not None:
            link.__traceback__ = None
            links += [link.__cause__, link.__context__]
    return error


def _stopper(chunk: Chunk, *, stop_at_unknown: bool) -> VoiceDropError | None:
    """Return the error that the chunks behind are not attempted for, if there is one."""
    if chunk.state is ChunkState.UNKNOWN:
        return chunk.error if stop_at_unknown else None
    # Of all refusals, only that of a request as such says nothing of the next one.
    return None if isinstance(chunk.error, BadRequest) else chunk.error


def _check_template(campaign: object) -> None:
    if isinstance(campaign, VoiceCampaign):
        for argument in ("to", "contacts", "groups"):
            if getattr(campaign, argument):
                raise ConfigError(f"campaign.{argument}: a template has no recipients, since each chunk would call them; give them apart")
        campaign = evolve(campaign, to=("+10000000",))
    check_campaign(campaign)
