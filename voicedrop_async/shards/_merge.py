"""All shards put together: each item once, and an account of what is there and what is not."""

import asyncio
import os
import sqlite3
from collections.abc import Iterable
from functools import partial
from pathlib import Path

from attrs import frozen

from voicedrop_async._files import check_target
from voicedrop_async._masking import type_of
from voicedrop_async._tasks import to_its_end
from voicedrop_async.errors import ConfigError, FileError
from voicedrop_async.shards._files import whole_of
from voicedrop_async.shards._shard import Shard, ShardResult, ShardState


@frozen(kw_only=True)
class Merged:
    """What became of a plan. ``complete`` is the sum of it."""

    done: tuple[Shard, ...]
    """Those that are there whole."""
    partial: tuple[Shard, ...]
    """Those of which something is there; see ``ShardState``. Also those whose file holds fewer items than was told, or more."""
    failed: tuple[Shard, ...]
    """Those of which nothing is there; also those that nobody told anything of."""
    items: int
    """Items in the files of the shards, each once."""
    duplicates: int
    """Items that came again in another shard, as on an edge between two; they count once."""
    counted: int | None
    """The service's count when the plan was made; None of drop records, which it does not count."""
    unreadable: int
    """Rows or fields that could not be read, at least: those of the runs in which shards came to their end."""
    path: Path | None
    """The file with all of them."""

    @property
    def complete(self) -> bool:
        """Every shard is done, and there are no fewer items than the service counted when the plan was made.

        That each is done says more: it was held against the service's count when it was walked. Of the plan's count, what came
        again is taken off: an item on the edge between two stretches may have been counted in both.
        """
        return not self.partial and not self.failed and (self.counted is None or self.items + self.duplicates >= self.counted)


async def merge(shards: Iterable[Shard], results: Iterable[ShardResult], path: str | os.PathLike[str] | None = None) -> Merged:
    """Put the files of shards together, each item once by its id, and hold what is there against the plan.

    Memory holds one shard at a time: what tells items apart goes into a temporary database on the disk, some 30 bytes for each item.
    Of several results of one shard the best counts. Files are taken as they are, also if shards are missing: look at ``complete``.

    Args:
        shards: The plan.
        results: What became of its shards, in any order.
        path: The file to be made, of the format of the parts; its old content stands there until it is whole. Only its owner may
            read it. None to look only.

    Raises:
        ConfigError: A result is of no shard of the plan, or the parts are of different formats, or of another one than ``path``; or
            that is a folder, a link, a device or the like.
        FileError: A part is not where its result says, is broken, or has other columns than the others; or the disk failed, or is full.
    """
    planned = {shard.id: shard for shard in shards}
    best = _best(planned, results)
    parts = {name: Path(result.part) for name in planned if (result := best.get(name)) is not None and result.part is not None}
    whole = whole_of(parts.values(), None if path is None else Path(path))
    if whole.target is not None:
        await asyncio.to_thread(check_target, whole.target)
    states = {name: best[name].state if name in best else ShardState.FAILED for name in planned}
    items = duplicates = 0
    try:
        for name, part in parts.items():
            fresh, again = await to_its_end(partial(whole.take, part))
            items, duplicates = items + fresh, duplicates + again
            if fresh + again != best[name].items:
                states[name] = ShardState.PARTIAL
        await to_its_end(whole.finish)
    except OSError as error:
        why = error.strerror or type(error).__name__  # a part may be missing as well
        raise FileError(f"path: {error.filename or path}: {why}; mend that, then make the same call again") from None
    except sqlite3.Error as error:
        raise FileError(
            f"path: ids are kept in the folder for temporary files (SQLITE_TMPDIR, TMPDIR), and {error}; mend that, then call again"
        ) from None
    finally:
        await to_its_end(whole.close)
    of_state = {state: tuple(planned[name] for name, one in states.items() if one is state) for state in ShardState}
    counts = [shard.counted for shard in planned.values() if shard.counted is not None]
    return Merged(
        done=of_state[ShardState.DONE],
        partial=of_state[ShardState.PARTIAL],
        failed=of_state[ShardState.FAILED],
        items=items,
        duplicates=duplicates,
        counted=sum(counts) if counts else None,
        unreadable=sum(result.report.unreadable for result in best.values() if result.report is not None),
        path=None if path is None else Path(path),
    )


def _best(planned: dict[str, Shard], results: Iterable[ShardResult]) -> dict[str, ShardResult]:
    """Return one result for each shard that has any."""
    best: dict[str, ShardResult] = {}
    for place, result in enumerate(results):
        if not isinstance(result, ShardResult):
            raise ConfigError(f"results: {type_of(result)} at place {place} is no ShardResult")
        name = result.shard.id
        if name not in planned:
            raise ConfigError(f"results: one is of no shard of this plan: {name}")
        before = best.get(name)
        if before is None or _worth(result) > _worth(before):
            best[name] = result
    return best


def _worth(result: ShardResult) -> tuple[bool, bool]:
    return result.state is ShardState.DONE, result.part is not None
