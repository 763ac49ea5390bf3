"""Shards done one by one, broken off, done again, and put together."""

import asyncio
import json
from datetime import timedelta

import polars as pl
import pytest
from attrs import evolve
from raw_server import answer

from voicedrop_async import (
    ClientCredentials,
    ConfigError,
    FileError,
    Parts,
    RouteeSession,
    Shard,
    ShardResult,
    ShardState,
    StaticToken,
    export_to,
    merge,
    plan,
    run_shard,
)

WEEK = timedelta(days=7)


@pytest.fixture
async def shards(routee, sandbox):
    return await plan(routee, sandbox.now - WEEK, sandbox.now, max_items=60, page_size=20)


async def done(session, shards, parts):
    """What became of each, by way of JSON."""
    return [ShardResult.from_json((await run_shard(session, shard, parts)).to_json()) for shard in shards]


def rows(path):
    return pl.read_parquet(path).rows() if path.suffix == ".parquet" else path.read_bytes()


def searches(sandbox):
    return sum(request.path == "/voice/tracking" for request in sandbox.requests)


@pytest.mark.parametrize("format", ["jsonl", "csv", "parquet"])
async def test_all_shards_together_are_the_whole_list(routee, sandbox, shards, tmp_path, format):
    """The very file that one walk makes, and readable by its owner alone; done again, nothing is asked for."""
    parts, path = Parts(tmp_path / "parts", format), tmp_path / f"all.{format}"
    results = await done(routee, shards, parts)
    asked = searches(sandbox)
    merged = await merge(shards, reversed(results), path)
    plain = await export_to(routee.track_messages(start=sandbox.now - WEEK, end=sandbox.now), tmp_path / f"plain.{format}")

    assert merged.complete
    assert (merged.items, merged.counted, merged.done) == (500, 500, shards)
    assert rows(path) == rows(plain.path)
    assert path.stat().st_mode & 0o777 == 0o600
    assert sorted(file.name for file in tmp_path.iterdir()) == sorted(["parts", path.name, plain.path.name])
    assert await done(routee, shards, parts) == results
    assert searches(sandbox) - asked == 5


async def test_a_shard_that_broke_off_goes_on_where_it_was(sandbox, tmp_path):
    """A page is refused in the middle: what came before it is not asked for again."""
    shard, parts = Shard(service="routee", start=sandbox.now - WEEK, end=sandbox.now, page_size=20), Parts(tmp_path)

    def refuse(event):
        if searches(sandbox) == 7 and not event.attempt > 1:
            sandbox.fail_next(status=400, path="/voice/tracking")

    auth, urls = ClientCredentials(*sandbox.credentials), {"base_url": sandbox.routee_url, "auth_url": sandbox.auth_url}
    async with RouteeSession(auth, **urls, on_event=refuse) as unlucky:
        failed = await run_shard(unlucky, shard, parts)
    unfinished = await merge([shard], [failed])
    async with RouteeSession(auth, **urls) as routee:
        whole = await run_shard(routee, shard, parts)

    assert failed.state is ShardState.PARTIAL
    assert 0 < failed.items < 500
    assert failed.part is None
    assert "400" in failed.error
    assert (unfinished.partial, unfinished.items, unfinished.complete) == ((shard,), 0, False)
    assert (whole.state, whole.items, whole.error) == (ShardState.DONE, 500, None)
    assert searches(sandbox) == 25 + 1
    assert len({json.loads(line)["message_id"] for line in parts.path(shard).read_bytes().splitlines()}) == 500


async def test_what_comes_in_two_shards_counts_once(routee, sandbox, tmp_path):
    """As a message on an edge does, or one that the service moved meanwhile."""
    middle = sandbox.now - WEEK / 2
    halves = [
        Shard(service="routee", start=sandbox.now - WEEK, end=middle + timedelta(hours=5), counted=260),
        Shard(service="routee", start=middle - timedelta(hours=5), end=sandbox.now, counted=240),
    ]
    for kind in ("jsonl", "csv", "parquet"):
        results = await done(routee, halves, Parts(tmp_path, kind))
        merged = await merge(halves, results, tmp_path / f"all.{kind}")

        assert merged.items == 500
        assert merged.duplicates == sum(result.items for result in results) - 500 > 10
        assert merged.complete
    assert pl.read_parquet(tmp_path / "all.parquet")["message_id"].to_list() == [message["messageId"] for message in sandbox.messages]


async def test_what_is_not_there_is_told(routee, shards, tmp_path):
    """One was done by nobody; of one the best result counts; and fewer items than were counted are not all."""
    parts = Parts(tmp_path)
    results = await done(routee, shards[1:], parts)
    worse = ShardResult(shard=shards[1], state=ShardState.FAILED, error="the queue")

    merged = await merge(shards, [*results, worse])
    short = await merge([shards[1], Shard(service="routee", campaign_id="gone", counted=7)], results[:1])

    assert (merged.failed, merged.done, merged.path) == (shards[:1], shards[1:], None)
    assert not merged.complete
    assert (short.counted, short.complete) == (shards[1].counted + 7, False)
    with pytest.raises(ConfigError, match="of no shard of this plan"):
        await merge(shards[1:2], results)
    with pytest.raises(ConfigError, match="results: a CancelledError at place 1 is no ShardResult"):
        await merge(shards, [results[0], asyncio.CancelledError()])
    with pytest.raises(ConfigError, match="of one format"):
        await merge(shards, results, tmp_path / "all.parquet")
    (tmp_path / "link.jsonl").symlink_to(tmp_path / "old.jsonl")
    with pytest.raises(ConfigError, match="is a link"):
        await merge(shards, results, tmp_path / "link.jsonl")
    parts.path(shards[1]).unlink()
    with pytest.raises(FileError, match="No such file"):
        await merge(shards, results, tmp_path / "all.jsonl")
    assert not (tmp_path / "all.jsonl.new").exists()
    assert (await run_shard(routee, shards[1], parts)).state is ShardState.DONE


async def test_a_file_that_is_cut_or_broken_is_told(routee, shards, tmp_path):
    """Of lines some are gone, others no JSON: what overlaps elsewhere does not make up for it."""
    parts = Parts(tmp_path)
    results = await done(routee, shards, parts)
    path = parts.path(shards[2])
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(lines[:-3]))
    cut = await merge(shards, results)
    path.write_bytes(lines[0][:40])

    assert (cut.partial, cut.complete) == ((shards[2],), False)
    with pytest.raises(FileError, match=r"is broken; remove it and \w+\.json"):
        await merge(shards, results)
    pl.DataFrame({"message_id": ["m-1"]}).write_parquet(tmp_path / "torn.parquet")
    (tmp_path / "torn.parquet").write_bytes((tmp_path / "torn.parquet").read_bytes()[:-9])
    torn = ShardResult(shard=shards[0], state=ShardState.DONE, items=1, part=str(tmp_path / "torn.parquet"))
    with pytest.raises(FileError, match="is broken"):
        await merge(shards[:1], [torn])


@pytest.mark.parametrize("format", ["csv", "parquet"])
async def test_shards_with_other_columns_are_not_put_together(shards, tmp_path, format):
    """As two versions leave them, of which one knows a column more. Lines of JSON name their columns each for itself."""
    results = []
    for number, columns in enumerate(({"message_id": "m-1"}, {"message_id": "m-2", "price": "1"})):
        part = tmp_path / f"{number}.{format}"
        frame = pl.DataFrame(columns)
        frame.write_csv(part) if format == "csv" else frame.write_parquet(part)
        results.append(ShardResult(shard=shards[number], state=ShardState.DONE, items=1, part=str(part)))

    with pytest.raises(FileError, match=r"1\.\w+: has other columns than the parts before it; remove it and 1\.json"):
        await merge(shards[:2], results, tmp_path / f"all.{format}")

    assert sorted(file.name for file in tmp_path.iterdir()) == [f"0.{format}", f"1.{format}"]


async def test_a_merge_that_is_cancelled_leaves_when_its_threads_have(tmp_path):
    """At any moment, and with nothing left behind: a database that is closed under a thread would end the process."""
    parts, results = Parts(tmp_path / "parts"), []
    parts.folder.mkdir()
    for name in ("a", "b"):
        shard = Shard(service="routee", campaign_id=name)
        parts.path(shard).write_bytes(b"".join(b'{"message_id":"%b-%d"}\n' % (name.encode(), number) for number in range(5_000)))
        results.append(ShardResult(shard=shard, state=ShardState.DONE, items=5_000, part=str(parts.path(shard))))
    for turns in range(1, 10):
        merging = asyncio.create_task(merge([result.shard for result in results], results, tmp_path / "all.jsonl"))
        for _ in range(turns):
            await asyncio.sleep(0)
        merging.cancel()
        with pytest.raises(asyncio.CancelledError):
            await merging
        assert list(tmp_path.iterdir()) == [parts.folder]


async def test_a_folder_may_have_another_path_elsewhere(routee, shards, tmp_path):
    (result,) = await done(routee, shards[:1], Parts(tmp_path / "here"))
    (tmp_path / "here").rename(tmp_path / "there")
    found = await Parts(tmp_path / "there").find(shards[0])

    assert found == evolve(result, part=str(tmp_path / "there" / f"{shards[0].id}.jsonl"))
    assert (await merge(shards[:1], [found])).complete
    (tmp_path / "file").touch()
    with pytest.raises(FileError, match="cannot be read: Not a directory"):
        await Parts(tmp_path / "file").find(shards[0])


async def test_drop_records_and_campaigns_are_done_alike(routee, spacivox, sandbox, tmp_path):
    for session, shards in (
        (spacivox, await plan(spacivox, sandbox.now - WEEK, sandbox.now)),
        (routee, await plan(routee, by=sandbox.history_campaigns)),
    ):
        for kind in ("jsonl", "csv"):
            merged = await merge(shards, await done(session, shards, Parts(tmp_path, kind)))
            assert merged.complete
            assert merged.items == (200 if session is spacivox else merged.counted) > 100
    with pytest.raises(ConfigError, match="does no shard of routee"):
        await run_shard(spacivox, shards[0], Parts(tmp_path))


async def test_items_without_an_id_are_told_by_their_content(line, tmp_path):
    """In each format; and a line break in a text ends no row."""
    texts = [{"to": f"+30691234567{place}", "message": {"text": 'Line "one"\nline two'}} for place in (0, 1)]
    page = {"content": [*texts, {"messageId": "m-1"}], "totalPages": 1, "last": True, "totalElements": 3, "number": 0, "size": 100}
    shards = [Shard(service="routee", campaign_id=name) for name in ("a", "b")]
    line.will(answer(body=page))
    async with RouteeSession(StaticToken("token"), base_url=line.url) as routee:
        for kind in ("jsonl", "csv", "parquet"):
            merged = await merge(shards, await done(routee, shards, Parts(tmp_path / kind, kind)), tmp_path / f"all.{kind}")

            assert (merged.items, merged.duplicates) == (3, 3)


async def test_a_plan_is_kept_beside_its_parts(shards, tmp_path):
    parts = Parts(tmp_path / "parts")
    assert await parts.plan() is None
    await parts.keep_plan(shards)

    assert await Parts(str(tmp_path / "parts")).plan() == shards
    assert [(path.name, path.stat().st_mode & 0o777) for path in parts.folder.iterdir()] == [("plan.jsonl", 0o600)]
    with pytest.raises(ConfigError, match="folder: "):
        await Parts(parts.folder / "plan.jsonl" / "below").keep_plan(shards)
