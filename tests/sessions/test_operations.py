"""Each operation against the sandbox: what goes over the wire, and what comes back."""

import copy
import pickle
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import attrs
import pytest
from campaigns import CAMPAIGN, NUMBER
from raw_server import RawServer, answer

from voicedrop_async import (
    BadRequest,
    Callback,
    CallbackStrategy,
    CampaignState,
    Conflict,
    Direction,
    FilterField,
    FilterOperator,
    Forbidden,
    Gender,
    Kind,
    MessageStatus,
    NotFound,
    Reply,
    RouteeDialect,
    RouteeSession,
    SpacivoxSession,
    SpokenMessage,
    StaticToken,
    TrackingFilter,
    VoiceCampaign,
    VoicemailDropRecord,
    WireError,
)
from voicedrop_async.sandbox import Sandbox

PAGE = {"content": [], "totalPages": 0, "totalElements": 0, "last": True, "number": 0, "size": 100}
ATHENS = timezone(timedelta(hours=2))


async def test_every_field_of_a_campaign_goes_out_under_its_documented_name(sandbox: Sandbox, routee: RouteeSession) -> None:
    tomorrow = (sandbox.now + timedelta(days=1)).astimezone(ATHENS).replace(microsecond=5)
    campaign = VoiceCampaign(
        "306900000000",
        to=[NUMBER],
        contacts=["c-1"],
        groups=["G 1"],
        name="Spring sale-2",
        message=SpokenMessage("Καλημέρα", language="el-GR", gender=Gender.FEMALE),
        respect_quiet_hours=True,
        ignore_dnd=False,
        scheduled_date=tomorrow,
        hangup_delay=30,
        callback=Callback(CallbackStrategy.ON_CHANGE, url="http://127.0.0.1:9/m"),
        campaign_callback=Callback(CallbackStrategy.ON_COMPLETION, url="http://127.0.0.1:9/c"),
        collect_dtmf_digits=True,
        collect_dtmf_await_seconds=2.5,
    )

    receipt = await routee.send_campaign(campaign)

    assert sandbox.campaigns[0].body == {
        "from": "306900000000",
        "to": [NUMBER],
        "contacts": ["c-1"],
        "groups": ["G 1"],
        "name": "Spring sale-2",
        "message": {"text": "Καλημέρα", "language": "el-GR", "gender": "female"},
        "respectQuietHours": True,
        "ignoreDnd": False,
        "scheduledDate": tomorrow.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "hangupDelay": 30,
        "callback": {"strategy": "OnChange", "url": "http://127.0.0.1:9/m"},
        "campaignCallback": {"strategy": "OnCompletion", "url": "http://127.0.0.1:9/c"},
        "collectDtmfDigits": True,
        "collectDtmfAwaitSeconds": 2.5,
    }
    assert receipt.state is CampaignState.SCHEDULED
    assert receipt.scheduled_date == tomorrow.replace(microsecond=0)
    assert isinstance(receipt.cost, Decimal)


async def test_what_is_left_out_is_left_out_of_the_body(sandbox: Sandbox, routee: RouteeSession) -> None:
    await routee.send_campaign(VoiceCampaign("306900000000", to=[NUMBER], name="A sale", file_url="https://example.com/a.wav"))

    assert sandbox.campaigns[0].body == {"from": "306900000000", "to": [NUMBER], "name": "A sale", "fileURL": "https://example.com/a.wav"}


async def test_an_analysis_sends_only_what_its_page_lists(sandbox: Sandbox, routee: RouteeSession) -> None:
    campaign = attrs.evolve(CAMPAIGN, groups=["G 1"], hangup_delay=5, respect_quiet_hours=True)

    analysis = await routee.analyze_campaign(campaign)

    sent = next(request.json for request in sandbox.requests if request.path == "/voice/analysis")
    assert set(sent) == {"from", "to", "groups", "message"}
    assert analysis.recipients_per_country is not None
    assert analysis.recipients_per_country["GR"] >= 1
    assert analysis.recipient_countries is not None
    assert analysis.recipient_countries[NUMBER] == "GR"
    assert sandbox.campaigns == ()


async def test_a_scheduled_campaign_can_be_taken_back(sandbox: Sandbox, routee: RouteeSession) -> None:
    receipt = await routee.send_campaign(attrs.evolve(CAMPAIGN, scheduled_date=sandbox.now + timedelta(hours=1)))
    assert receipt.tracking_id is not None

    await routee.delete_campaign(receipt.tracking_id)

    with pytest.raises(NotFound):
        await routee.delete_campaign(receipt.tracking_id)


async def test_a_campaign_that_has_begun_cannot(routee: RouteeSession) -> None:
    receipt = await routee.send_campaign(CAMPAIGN)

    with pytest.raises(Conflict):
        await routee.delete_campaign(receipt.tracking_id or "")


async def test_a_refused_campaign_lists_what_is_wrong_with_it(sandbox: Sandbox, routee: RouteeSession) -> None:
    """Our own checks would have stopped it; the service's answer is read all the same."""
    sandbox.fail_next(
        status=400, body=b'{"code":"400013000","developerMessage":"bad","errors":[{"code":"1","property":["+30"]}]}', path="/voice"
    )

    with pytest.raises(BadRequest) as caught:
        await routee.send_campaign(CAMPAIGN)

    assert [(problem.code, problem.property) for problem in caught.value.problems] == [("1", ("+30",))]


async def test_a_search_says_its_range_filters_and_paging(line: RawServer, caller: RouteeSession) -> None:
    """Moments go out in UTC, as whole seconds outwards, so that no part of the range is lost."""
    line.will(answer(200, PAGE))
    start = datetime(2026, 1, 2, 2, 0, 0, 700_000, tzinfo=ATHENS)
    end = datetime(2026, 1, 3, 2, 0, 0, 1, tzinfo=ATHENS)
    filters = [
        TrackingFilter(FilterField.STATUS, "Completed"),
        TrackingFilter("newField", NUMBER, operator=FilterOperator.STARTS_WITH),
    ]

    await caller.track_messages(
        start=start, end=end, campaign_id="tid", filters=filters, sort="status.date", tagged=True, page_size=7
    ).collect()

    (request,) = line.received
    assert request.method == "POST"
    assert request.target == (
        "/voice/tracking?from=2026-01-02T00:00:00Z&to=2026-01-03T00:00:01Z&sort=status.date&trackingId=tid&tagged=true&page=0&size=7"
    )
    assert request.body == (
        b'[{"fieldName":"status.status","searchOperator":"is","searchTerm":"Completed"},'
        b'{"fieldName":"newField","searchOperator":"starts_with","searchTerm":"+306912345678"}]'
    )


async def test_a_search_without_conditions_sends_an_empty_list(line: RawServer, caller: RouteeSession) -> None:
    line.will(answer(200, PAGE))

    assert await caller.track_messages().collect() == []

    assert (line.received[0].target, line.received[0].body) == ("/voice/tracking?page=0&size=100", b"[]")


async def test_a_wrong_guess_about_a_wire_name_is_mended_by_the_dialect(line: RawServer) -> None:
    line.will(answer(200, PAGE))
    dialect = RouteeDialect(
        range_start="dateStart", range_end="dateEnd", campaign_id="campaign", filter_value="term", date_format="%Y-%m-%dT%H:%MZ"
    )
    day = datetime(2026, 1, 2, tzinfo=UTC)
    async with RouteeSession(StaticToken("t"), base_url=line.url, dialect=dialect) as session:
        await session.track_messages(
            start=day, end=day + timedelta(1), campaign_id="tid", filters=[TrackingFilter(FilterField.ID, "m")]
        ).collect()

    assert line.received[0].target == "/voice/tracking?dateStart=2026-01-02T00:00Z&dateEnd=2026-01-03T00:00Z&campaign=tid&page=0&size=100"
    assert b'"term":"m"' in line.received[0].body


async def test_all_messages_are_walked_each_once(sandbox: Sandbox, routee: RouteeSession) -> None:
    async with routee.track_messages(page_size=30).walk() as walk:
        ids = [message.message_id async for message in walk]

    assert ids == [message["messageId"] for message in sandbox.messages]
    assert walk.report.complete
    assert walk.report.pages == 17


async def test_the_messages_of_a_campaign_are_walked_by_either_way(sandbox: Sandbox, routee: RouteeSession) -> None:
    tracking_id = sandbox.history_campaigns[0]

    by_path = await routee.track_campaign(tracking_id, page_size=7).collect()
    by_search = await routee.track_messages(campaign_id=tracking_id).collect()

    assert by_path == by_search
    assert {message.campaign for message in by_path} == {by_path[0].campaign}


async def test_the_legs_of_a_conversation_are_asked_for_without_parameters(sandbox: Sandbox, routee: RouteeSession) -> None:
    tracking_id = next(message["conversationTrackingId"] for message in sandbox.messages if "conversationTrackingId" in message)

    legs = await routee.track_conversation(tracking_id).collect()

    assert {leg.conversation_tracking_id for leg in legs} == {tracking_id}
    assert sandbox.requests[-1].query == {}


async def test_a_conversation_of_several_pages_is_asked_for_by_number_from_the_second_on(line: RawServer, caller: RouteeSession) -> None:
    first = {"content": [{"messageId": "a"}], "last": False, "totalPages": 2, "number": 0, "size": 20, "totalElements": 2}
    second = {"content": [{"messageId": "b"}], "last": True, "totalPages": 2, "number": 1, "size": 20, "totalElements": 2}
    line.will(answer(200, first), answer(200, second))

    assert [leg.message_id for leg in await caller.track_conversation("cid").collect()] == ["a", "b"]

    assert [request.target.partition("?")[2] for request in line.received] == ["", "page=1"]


async def test_one_message_is_read_with_all_it_says(sandbox: Sandbox, routee: RouteeSession) -> None:
    wire = next(message for message in sandbox.messages if message.get("recordings") and "price" in message)

    message = await routee.track_message(wire["messageId"])

    assert message.to == wire["to"]
    assert message.direction is Direction.OUTBOUND
    assert message.price == Decimal(str(wire["price"]))
    assert message.status is not None
    assert isinstance(message.status.status, MessageStatus)
    assert message.status.date is not None
    assert message.status.date.tzinfo is UTC
    assert message.recordings is not None
    assert message.recordings[0].tracking_id == wire["recordings"][0]["trackingId"]
    assert message.extra == {}


async def test_a_message_that_does_not_exist_is_not_found(routee: RouteeSession) -> None:
    with pytest.raises(NotFound) as caught:
        await routee.track_message("nobody")

    assert caught.value.code is not None


@pytest.mark.parametrize("copied", [lambda reply: pickle.loads(pickle.dumps(reply)), copy.deepcopy], ids=["pickled", "copied"])
async def test_an_answer_can_be_handed_on_to_another_process(
    line: RawServer, caller: RouteeSession, copied: Callable[[Reply], Reply]
) -> None:
    """With its headers, whose names compare without regard to case there as well."""
    line.will(answer(200, b"[1]", headers={"X-Request-Id": "r-1"}))

    reply = copied(await caller.call("GET", "/x", kind=Kind.READ))

    assert (reply.status, reply.body, reply.attempts) == (200, b"[1]", 1)
    assert (reply.headers["x-request-id"], reply.headers["CONTENT-TYPE"]) == ("r-1", "application/json")


RECORDS = pytest.mark.parametrize(
    ("path", "kind", "more"),
    [
        ("/j/voicemail_drop_records", "drop_records", {}),
        ("/j/text_records", "text_records", {"body": True}),
    ],
)


@RECORDS
async def test_records_come_as_a_list_and_as_a_stream(
    sandbox: Sandbox, spacivox: SpacivoxSession, path: str, kind: str, more: dict[str, Any]
) -> None:
    """All that the service knows of each, some of it if asked for, and no number or text in a ``repr``."""
    start, end = sandbox.now - timedelta(days=3), sandbox.now
    expected = [one for one in sandbox.records[path] if start <= datetime.fromisoformat(one["timestamp"]) < end]

    listed = await getattr(spacivox, f"list_{kind}")(start, end, **more)
    stream = getattr(spacivox, kind)(start, end, slices=timedelta(hours=5), **more)
    plain = await getattr(spacivox, kind)(start, end).collect()

    assert [{key: getattr(record, key) for key in one} for record, one in zip(listed, expected, strict=True)] == [
        one | {"timestamp": datetime.fromisoformat(one["timestamp"])} for one in expected
    ]
    assert await stream.collect() == listed
    assert await stream.count() == len(listed)
    assert await stream.first() == listed[0]
    assert plain == [attrs.evolve(record, **dict.fromkeys(more)) for record in listed]
    assert [one for one in expected for text in (one["number"], one.get("body")) if text and text in repr(listed)] == []


@RECORDS
async def test_records_of_a_team(sandbox: Sandbox, spacivox: SpacivoxSession, path: str, kind: str, more: dict[str, Any]) -> None:
    records = await getattr(spacivox, f"list_{kind}")(sandbox.now - timedelta(days=8), sandbox.now, team=1, **more)

    assert {record.team for record in records} == {1}
    assert (sandbox.requests[-1].path, sandbox.requests[-1].query["team"]) == (path, "1")


def drop(number: int, timestamp: str | None) -> dict[str, object]:
    return {"id": number, "number": NUMBER, "state": 0, "timestamp": timestamp}


EDGES = [drop(1, "2026-01-02T00:00:00Z"), drop(2, "2026-01-02T12:00:00.000Z"), drop(3, "2026-01-03T00:00:00Z"), drop(4, "garbage")]


async def test_edges_of_a_range_are_half_open_whatever_the_service_includes(line: RawServer) -> None:
    """The server answers each slice with everything: each record comes once, the unreadable moment too.

    It may exclude the start, so a second more is asked for.
    """
    line.will(answer(200, EDGES))
    day = datetime(2026, 1, 2, tzinfo=UTC)
    async with SpacivoxSession(StaticToken("t"), base_url=line.url) as session:
        listed = await session.list_drop_records(day, day + timedelta(days=1))
        async with session.drop_records(day, day + timedelta(days=1), slices=timedelta(hours=12)).walk() as walk:
            streamed: list[VoicemailDropRecord] = [record async for record in walk]

    assert [record.id for record in listed] == [1, 2, 4]
    assert [record.id for record in streamed] == [1, 4, 2]
    assert walk.report.unreadable == 2
    assert [request.target.partition("?")[2] for request in line.received] == [
        "start=2026-01-01T23:59:59Z&end=2026-01-03T00:00:00Z",
        "start=2026-01-01T23:59:59Z&end=2026-01-02T12:00:00Z",
        "start=2026-01-02T11:59:59Z&end=2026-01-03T00:00:00Z",
    ]


async def test_j03_a_row_without_an_id_fails_a_list_and_is_counted_in_a_stream(line: RawServer) -> None:
    line.will(answer(200, [*EDGES, {"number": NUMBER}]))
    day = datetime(2026, 1, 2, tzinfo=UTC)
    async with SpacivoxSession(StaticToken("t"), base_url=line.url) as session:
        with pytest.raises(WireError) as caught:
            await session.list_drop_records(day, day + timedelta(days=1))
        async with session.drop_records(day, day + timedelta(days=1)).walk() as walk:
            records = [record async for record in walk]

    assert caught.value.path == "[4].id"
    assert len(records) == 3
    assert not walk.report.complete


async def test_a_list_too_long_for_one_answer_points_to_the_stream(line: RawServer) -> None:
    line.will(answer(200, b" " * (16 * 1024 * 1024 + 1)))
    day = datetime(2026, 1, 2, tzinfo=UTC)
    async with SpacivoxSession(StaticToken("t"), base_url=line.url) as session:
        with pytest.raises(WireError, match=r"drop_records\(\) lists the same range slice by slice"):
            await session.list_drop_records(day, day + timedelta(days=1))


async def test_a_bad_token_of_spacivox_is_forbidden(sandbox: Sandbox) -> None:
    async with SpacivoxSession(StaticToken("wrong"), base_url=sandbox.spacivox_url) as session:
        with pytest.raises(Forbidden):
            await session.list_drop_records(sandbox.now - timedelta(days=1), sandbox.now)

    assert len(sandbox.requests) == 1


async def test_j03_a_field_that_cannot_be_read_stops_no_walk_and_refuses_one_message(line: RawServer, caller: RouteeSession) -> None:
    """In a list it is None, its raw value kept and counted; of a message asked for by itself it is an error that says where."""
    odd = {"messageId": "m-1", "duration": "long", "status": {"status": "Busy", "date": "soon"}}
    line.will(answer(200, {"content": [odd, {"messageId": "m-2"}], "last": True}), answer(200, odd))
    async with caller.track_messages().walk() as walk:
        first, second = [message async for message in walk]
    with pytest.raises(WireError) as caught:
        await caller.track_message("m-1")

    assert (first.duration, first.extra) == (None, {"duration": "long"})
    assert first.status is not None
    assert (first.status.date, first.status.extra) == (None, {"date": "soon"})
    assert (second.message_id, second.duration, second.extra) == ("m-2", None, {})
    assert (walk.report.unreadable, walk.report.complete) == (2, True)
    assert caught.value.path == "duration"
