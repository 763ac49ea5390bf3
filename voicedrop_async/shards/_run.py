"""One shard, done: again and again it is the same, and what was broken off goes on."""

from datetime import timedelta
from typing import Any, Protocol

from attrs import define

from voicedrop_async._masking import type_of
from voicedrop_async.errors import ConfigError, RequestError, WalkError
from voicedrop_async.models import WalkReport
from voicedrop_async.pages import PageStream
from voicedrop_async.routee import RouteeSession
from voicedrop_async.shards._shard import Shard, ShardResult, ShardState
from voicedrop_async.spacivox import SpacivoxSession


@define
class Written:
    """How far a sink has come with a shard; it fills this in as it goes, and so it is known also of one that broke off."""

    items: int = 0
    """Items that are kept, of all runs together."""
    part: str | None = None
    """Path of the file with all of them; None until it is whole."""
    report: WalkReport | None = None
    """Of the walk."""


class ShardSink(Protocol):
    """Where the items of shards go, each shard's by itself; ``Parts`` is one."""

    async def find(self, shard: Shard) -> ShardResult | None:
        """Return what is known of a shard."""
        ...

    async def write(self, shard: Shard, stream: PageStream[Any], written: Written) -> None:
        """Write what is still missing of a shard, from where it was broken off: see ``PageStream.resumed``."""
        ...

    async def keep(self, result: ShardResult) -> None:
        """Remember what became of a shard, once its items are safe."""
        ...


async def run_shard(session: RouteeSession | SpacivoxSession, shard: Shard, sink: ShardSink, *, prefetch: int = 0) -> ShardResult:
    """Do a shard, or the rest of it. Call it as often as you like: what is done is not asked for again.

    Args:
        session: Of the service that the shard is of.
        shard: Of a plan.
        sink: Where its items go, such as ``Parts(folder)``.
        prefetch: Requests kept under way ahead.

    Returns:
        What became of it. A request that failed for good is told there, and the next call goes on behind what came before.

    Raises:
        ConfigError: The shard is of another service, or the sink refused; another worker may be writing it.
        FileError: The disk failed, or is full.
        SessionClosed: The session is closed.
    """
    stream = _stream(session, shard, prefetch)
    found = await sink.find(shard)
    if found is not None and found.state is ShardState.DONE:
        return found
    written, error = Written(items=found.items if found is not None else 0), None
    try:
        await sink.write(shard, stream, written)
    except (RequestError, WalkError) as failure:
        error = str(failure)
    result = ShardResult(shard=shard, state=_state(written), items=written.items, part=written.part, report=written.report, error=error)
    await sink.keep(result)
    return result


def _state(written: Written) -> ShardState:
    if written.part is None:
        return ShardState.PARTIAL if written.items else ShardState.FAILED
    return ShardState.DONE if written.report is not None and written.report.complete else ShardState.PARTIAL


def _stream(session: RouteeSession | SpacivoxSession, shard: Shard, prefetch: int) -> PageStream[Any]:
    if not isinstance(shard, Shard):
        raise ConfigError(f"shard: {type_of(shard)} is no Shard")
    if isinstance(session, SpacivoxSession) and shard.service == "spacivox" and shard.start and shard.end:
        # One request, which the walk cuts in two if its answer is too long.
        return session.drop_records(shard.start, shard.end, slices=max(shard.end - shard.start, timedelta(seconds=1)), prefetch=prefetch)
    if not isinstance(session, RouteeSession) or shard.service != "routee":
        raise ConfigError(f"session: {type_of(session)} does no shard of {shard.service}")
    if shard.campaign_id is not None and shard.start is None:
        return session.track_campaign(shard.campaign_id, page_size=shard.page_size, prefetch=prefetch)
    return session.track_messages(
        start=shard.start, end=shard.end, campaign_id=shard.campaign_id, page_size=shard.page_size, prefetch=prefetch
    )
