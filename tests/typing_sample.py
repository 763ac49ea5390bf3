"""A user's program that touches every public name, for the type checkers; it is read by them, not run."""

import asyncio
import logging
import ssl
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import aclosing, asynccontextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import assert_type

import aiohttp
import aiohttp.web

import voicedrop_async as vd
from voicedrop_async.sandbox import AcceptedCampaign, PostedCallback, ReceivedRequest, Recorder, Sandbox, in_thread

END = datetime.now(UTC)
START = END - timedelta(days=1)

CAMPAIGN = vd.VoiceCampaign(
    sender="306900000000",
    to=["+306912345678"],
    contacts=(),
    groups={"a group"},
    name="Spring sale",
    message=vd.SpokenMessage("Hello", language="en-GB", gender=vd.Gender.FEMALE),
    respect_quiet_hours=True,
    ignore_dnd=False,
    scheduled_date=END,
    hangup_delay=30,
    callback=vd.Callback(strategy=vd.CallbackStrategy.ON_CHANGE, url="https://example.com/secret"),
    campaign_callback=vd.Callback("OnAnythingNew", url="https://example.com/secret"),
    collect_dtmf_digits=True,
    collect_dtmf_await_seconds=2.5,
)


async def some_numbers() -> AsyncIterator[str]:
    yield "+306912345678"


def observe(event: vd.Event) -> None:
    print(event.name, event.kind, event.route, event.url, event.status, event.error, event.attempt, event.seconds)


async def send(routee: vd.RouteeSession) -> vd.CampaignReceipt | vd.Intent | None:
    try:
        analysis = assert_type(await routee.analyze_campaign(CAMPAIGN), vd.VoiceAnalysis)
        print(analysis.number_of_recipients, analysis.problems)
        receipt = assert_type(await routee.send_campaign(CAMPAIGN, ref="order-7", deadline=20.0), vd.CampaignReceipt)
        state = assert_type(receipt.state, vd.CampaignState | str | None)
        if isinstance(state, vd.CampaignState) and not state.is_final and receipt.tracking_id is not None:
            assert_type(await routee.delete_campaign(receipt.tracking_id), None)
        assert_type(receipt.cost, Decimal | None)
        assert_type(receipt.problems, tuple[vd.CampaignProblem, ...])
    except vd.OutcomeUnknown as unknown:
        return assert_type(unknown.intent, vd.Intent)
    except (vd.ConfigError, vd.SessionClosed) as error:
        print(error)
        return None
    return receipt


async def send_to_many(routee: vd.RouteeSession, numbers: AsyncIterator[str]) -> vd.SendLedger:
    template = vd.VoiceCampaign("306900000000", name=vd.unique_name("Spring sale"), message=vd.SpokenMessage("Hello", language="en-GB"))
    await routee.send_campaigns(template, (number for number in ["+306912345678"]), ref="spring", chunk=500, on_chunk=print)
    ledger = assert_type(await routee.send_campaigns(template, numbers, ref="spring", stop_at_unknown=False, region="GR"), vd.SendLedger)
    chunk: vd.Chunk
    for chunk in ledger.chunks:
        if chunk.state is vd.ChunkState.UNKNOWN:
            assert assert_type(await routee.reconcile(chunk.ref), vd.Reconciliation) is not vd.Reconciliation.DUPLICATE_SUSPECTED
        error: vd.VoiceDropError | None = chunk.error
        print(chunk.ref, chunk.recipients, chunk.receipt, error)
    refused: Mapping[str, str] = ledger.refused
    everybody: tuple[str, ...] = ledger.sent + ledger.unknown + ledger.not_attempted + tuple(refused)
    print(everybody, ledger.duplicates, ledger.stopped_by, ledger.invalid)
    return ledger


async def track(routee: vd.RouteeSession) -> list[vd.VoiceMessage]:
    filters = [
        vd.TrackingFilter(vd.FilterField.STATUS, "Completed"),
        vd.TrackingFilter("newField", "x", operator=vd.FilterOperator.CONTAINS),
    ]
    stream = routee.track_messages(
        start=START, end=END, campaign_id=None, filters=filters, sort="to", tagged=True, page_size=50, max_items=9
    )
    assert_type(stream, vd.PageStream[vd.VoiceMessage])
    walk: vd.Walk[vd.VoiceMessage]
    async with stream.walk() as walk:
        async for message in walk:
            status: vd.DeliveryStatus | None = message.status
            word = status.status if status is not None else None
            if isinstance(word, vd.MessageStatus):
                print(word.is_final)
            answered = assert_type(message.answered_by, vd.AnsweredBy | str | None)
            direction = assert_type(message.direction, vd.Direction | str | None)
            recordings: tuple[vd.Recording, ...] = message.recordings or ()
            for recording in recordings:
                assert_type(await routee.download_recording(recording, "recordings"), Path)
            print(answered, direction, recordings, message.extra.get("newKey"))
        report: vd.WalkReport = walk.report
        token: vd.ResumeToken = walk.token
    options: vd.WalkOptions = {"prefetch": 4, "max_items": 10, "on_drift": "repair", "max_passes": 3, "resume": str(token)}
    try:
        print(await routee.track_campaign("id", **options).collect())
    except vd.DriftDetected as drift:
        place: vd.ResumeToken | None = drift.resume
        print(place)
    except vd.ResumeTokenError:
        print("begin anew")
    print(report.complete, report.suspected_missing)
    page: vd.Page[vd.VoiceMessage]
    async for page in routee.track_campaign("tid", page_size=10).pages():
        print(page.items, page.number, page.size, page.total_pages, page.total_items, page.is_last)
    items: AsyncIterator[vd.VoiceMessage] = aiter(routee.track_conversation("cid"))
    await anext(items)
    assert_type(await stream.first(), vd.VoiceMessage | None)
    assert_type(await stream.count(), int)
    assert_type(await routee.track_message("mid"), vd.VoiceMessage)
    return await stream.collect(max_items=5)


async def ids() -> AsyncIterator[str]:
    yield "tid"


async def many(routee: vd.RouteeSession, ids: AsyncIterator[str]) -> None:
    async with aclosing(routee.track_campaigns(["a", "b"], concurrency=4, page_size=50)) as lists:
        async for outcome in lists:
            assert_type(outcome, vd.Outcome[str, list[vd.VoiceMessage]])
            if outcome.ok:
                print(outcome.key, assert_type(outcome.value, list[vd.VoiceMessage]))
            else:
                print(assert_type(outcome.error, vd.VoiceDropError | None))
    async for summarized in routee.summarize_campaigns(ids):
        summary: vd.CampaignSummary = summarized.value
        counted = assert_type(summary.statuses, Mapping[vd.MessageStatus | str, int])
        print(counted[vd.MessageStatus.BUSY], summary.answered_by, summary.countries, summary.collected_tones)
        print(summary.messages, summary.cost, summary.duration, summary.longest, summary.first, summary.last, summary.report)
    print(vd.CampaignSummary.of(await routee.track_messages().collect()))


async def drops(spacivox: vd.SpacivoxSession) -> None:
    records = assert_type(await spacivox.list_drop_records(START, END, team=1), list[vd.VoicemailDropRecord])
    async for record in spacivox.drop_records(START, END, slices=timedelta(hours=1), max_items=5):
        state = assert_type(record.state, vd.DropState | int | None)
        print(assert_type(await spacivox.text_records(START, END, body=True).collect(), list[vd.TextRecord]))
        print(state is vd.DropState.DELIVERED, record.number, record.timestamp, len(records))


async def files(routee: vd.RouteeSession, spacivox: vd.SpacivoxSession) -> None:
    done = assert_type(await vd.export_to(routee.track_messages(), "messages.csv"), vd.Exported)
    print(done.path, done.items, done.report.complete)

    def show(page: vd.Page[vd.VoicemailDropRecord], so_far: vd.Exported) -> None:
        print(page.number, so_far.items)

    records = spacivox.drop_records(START, END)
    await vd.export_to(records, Path("records"), format="parquet", on_page=show)
    drawn = assert_type(await vd.report_to(routee.track_messages(), "spring.html", png=Path("spring.png"), title="Spring"), vd.Reported)
    print(drawn.path, drawn.png, drawn.messages, drawn.report, await vd.report_to("messages.csv", None, png="spring.png"))

    def progress(messages: int, part: float) -> None:
        print(f"{messages:,} messages, {part:.0%}")

    await vd.report_to("messages.csv", "spring.html", on_batch=progress)
    print((await vd.to_polars(records)).height, records.resumed("token", handed_out=3).model)


async def a_year(routee: vd.RouteeSession, spacivox: vd.SpacivoxSession) -> vd.Merged:
    shards = assert_type(await vd.plan(routee, START, END, by=timedelta(hours=6), max_items=5_000, page_size=200), tuple[vd.Shard, ...])
    await vd.plan(routee, by=["tid"])
    await vd.plan(spacivox, START, END)
    parts = vd.Parts("year.parts", format="parquet")
    sink: vd.ShardSink = parts
    results: list[vd.ShardResult] = []
    for shard in map(vd.Shard.from_json, [shard.to_json() for shard in shards]):
        result = assert_type(await vd.run_shard(routee, shard, sink, prefetch=4), vd.ShardResult)
        if result.state is not vd.ShardState.DONE:
            print(shard.id, shard.requests, shard.counted, result.items, result.part, result.report, result.error)
        results.append(vd.ShardResult.from_json(result.to_json()))
    await sink.write(shards[0], routee.track_messages(), vd.Written())
    merged = assert_type(await vd.merge(shards, results, "year.parquet"), vd.Merged)
    print(merged.complete, merged.done, merged.partial, merged.failed, merged.items, merged.duplicates, merged.counted, merged.path)
    return merged


async def look_into(journal: vd.Journal) -> None:
    assert_type(await journal.key(), bytes)
    entry = assert_type(await journal.find("order-7"), vd.JournalEntry | None)
    if entry is not None and entry.state is vd.SendState.OPEN:
        print(entry.intent.ref, entry.result, entry.settled_at, entry.settled_by)
        await journal.settle("order-7", sent=True, by=vd.SettledBy.PERSON, of=entry.intent)
    assert_type(await journal.open_entries(), list[vd.JournalEntry])
    assert_type(await journal.prune(timedelta(days=90)), int)


async def receive(event: vd.CallbackEvent) -> None:
    match event:
        case vd.MessageEvent() | vd.ConversationEvent():
            print(event.message_id, assert_type(event.status, vd.DeliveryStatus | None))
        case vd.CampaignEvent():
            print(assert_type(event.state, vd.CampaignState | str | None))
        case vd.DtmfEvent():
            print(event.collected_tones)


async def watch(routee: vd.RouteeSession, receiver: vd.CallbackReceiver) -> bool:
    following: vd.Following = vd.follow(routee, "tid", deadline=60, callbacks=receiver, interval=2.5, expected=1000)
    update: vd.MessageUpdate
    async for update in following:
        print(update.message_id, update.status.status, assert_type(update.origin, vd.VoiceMessage | vd.MessageEvent))
    return following.is_final


async def callbacks(body: bytes) -> None:
    async with vd.CallbackReceiver(receive, secret=["x" * 32, "y" * 32], path="callbacks.db", capacity=10, remember=10) as receiver:
        print(receiver.url("https://example.com/voice", vd.CallbackKind.MESSAGE), receiver.waiting)
        aiohttp.web.Application().add_routes(receiver.aiohttp_routes("/voice"))
        with receiver.watched_by(print):
            await receiver.aclose()
    try:
        assert_type(vd.parse_message_event(body), vd.MessageEvent)
        assert_type(vd.parse_campaign_event(body), vd.CampaignEvent)
        assert_type(vd.parse_conversation_event(body), vd.ConversationEvent)
        assert_type(vd.parse_dtmf_event(body), vd.DtmfEvent)
    except vd.WebhookRejected as rejected:
        print(rejected)


def explain(error: vd.VoiceDropError) -> str:
    match error:
        case vd.RateLimited() | vd.ServerFailed():
            return f"{error.status} {error.retry_after}"
        case vd.BadRequest() | vd.Unauthorized() | vd.Forbidden() | vd.NotFound() | vd.Conflict():
            return f"{error.code} {error.developer_message} {error.problems}"
        case vd.ApiError():
            return str(error.status)
        case vd.WireError():
            return f"{error.path} {error.status} {error.content_type} {error.length}"
        case vd.ConnectFailed() | vd.ThrottleFailed() | vd.ConnectionLost() | vd.TimedOut() | vd.DeadlineExceeded():
            return f"{error.request} {error.attempts} {error.may_have_happened} {error.may_pass}"
        case vd.RequestError():
            return f"{error.summary} {error.budget_exhausted}"
        case vd.JournalError():
            return f"nothing was sent: {error}"
        case vd.FileError():
            return f"half of a file: {error}"
        case vd.PageLoop() | vd.WalkError():
            return f"{error.report.items}"
        case _:
            return str(error)


@asynccontextmanager
async def a_session() -> AsyncGenerator[vd.RouteeSession]:
    async with vd.RouteeSession.from_env() as routee:
        yield routee


async def spread(shards: tuple[vd.Shard, ...]) -> None:
    broker = vd.worker_broker("redis://localhost:6379/0", a_session, queue="tasks", idle=10.0)
    queue = vd.ShardQueue(broker, vd.Parts("parts"), attempts=2, prefetch=1)
    assert_type(await queue.put(shards), int)
    seen: vd.ShardProgress = await queue.progress(shards)
    print(seen.done, seen.partial, seen.failed, seen.under_way, seen.waiting, seen.items)
    assert_type(await queue.results(shards), list[vd.ShardResult])


async def main() -> None:
    await look_into(vd.MemoryJournal())
    async with vd.RouteeSession.from_env() as routee:
        await look_into(routee.journal)
    async with vd.SqliteJournal("sends.journal") as journal:
        await look_into(journal)
    async with vd.RedisJournal("redis://localhost:6379/0", prefix="sends") as shared:
        await shared.set_up()
        await look_into(shared)
    throttle = vd.Throttle(vd.Limits(max_in_flight=4, rate=50, send_reserve=1))
    async with vd.RedisThrottle("redis://localhost:6379/0", vd.Limits(rate=50), local_rate=5, prefix="rate") as one_for_all:
        throttle = one_for_all
    retry, timeouts = vd.Retry(attempts=2, base=0.1, budget=None), vd.Timeouts(connect=2, read=10)
    async with aiohttp.ClientSession() as borrowed, Sandbox(messages=100, seed=7) as sandbox:
        auth = vd.ClientCredentials(*sandbox.credentials)
        async with vd.RouteeSession(
            auth,
            base_url=sandbox.routee_url,
            auth_url=sandbox.auth_url,
            dialect=vd.RouteeDialect(range_start="dateStart"),
            recording_hosts=["files.example.com"],
            throttle=throttle,
            retry=retry,
            timeouts=timeouts,
            deadline=30.0,
            http=borrowed,
            proxy=None,
            ssl_context=ssl.create_default_context(),
            trace_configs=(),
            on_event=observe,
        ) as routee:
            patient: vd.RouteeSession = routee.with_options(retry=vd.Retry(attempts=9), deadline=None)
            snapshot: vd.ThrottleSnapshot = throttle.snapshot()
            print(snapshot.in_flight, snapshot.waiting, snapshot.rate, snapshot.rate_limit, snapshot.paused_for)
            await send(patient)
            await send_to_many(patient, aiter(some_numbers()))
            await track(routee)
            await many(routee, ids())
            reply: vd.Reply = await routee.call("GET", "/accounts/me/balance", kind=vd.Kind.READ, params={"page": 0})
            headers: Mapping[str, str] = reply.headers
            print(reply.status, headers, reply.body, reply.attempts, reply.elapsed)
        async with vd.SpacivoxSession(vd.StaticToken(sandbox.spacivox_token), base_url=sandbox.spacivox_url) as spacivox:
            await drops(spacivox)
            await files(patient, spacivox)
            await a_year(patient, spacivox)
        requests: tuple[ReceivedRequest, ...] = sandbox.requests
        campaigns: tuple[AcceptedCampaign, ...] = sandbox.campaigns
        callbacks: tuple[PostedCallback, ...] = sandbox.callbacks
        print(len(requests), len(campaigns), len(callbacks))
    with in_thread(Sandbox()) as served:
        once: AcceptedCampaign = served.assert_sent_once("Spring sale")
        print(once.name)
        async with Recorder("spring.jsonl", to=served.routee_url) as recorder:
            url: str = recorder.url
            print(url)
        served.replay("spring.jsonl")
    options: vd.SessionOptions = {"limits": vd.Limits(), "on_event": vd.log_events(logging.getLogger("north"))}
    await vd.RouteeSession.from_env(**options).aclose()
    await vd.SpacivoxSession.from_env(deadline=5, on_event=vd.otel_events()).aclose()


if __name__ == "__main__":
    asyncio.run(main())
