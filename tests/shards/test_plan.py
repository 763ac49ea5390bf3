"""A plan: what it covers, what it asks for, and what it refuses."""

from bisect import bisect_left, bisect_right
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from voicedrop_async import ClientCredentials, ConfigError, NotFound, RouteeSession, Shard, plan

START = datetime(2026, 3, 1, tzinfo=UTC)
DAYS = 4
SECOND = timedelta(seconds=1)


class Counting(RouteeSession):
    """A service that counts moments, both ends of a range included, and how often it is asked."""

    def __init__(self, moments):
        super().__init__(ClientCredentials("id", "secret"))
        self.moments, self.asked = sorted(moments), 0

    def track_messages(self, *, start, end, campaign_id):
        self.asked += 1
        counted = bisect_right(self.moments, end) - bisect_left(self.moments, start)

        class Stream:
            async def count(self):
                return counted

        return Stream()


bursts = st.lists(st.tuples(st.integers(0, DAYS * 86400 - 1), st.integers(1, 40), st.sampled_from([0, 1, 600])), max_size=12)


@settings(max_examples=60, deadline=None)
@given(bursts, st.integers(1, 50))
async def test_it_takes_fewer_than_two_requests_a_shard_whatever_the_list_looks_like(bursts, most):
    """Evenly, in bursts, or all in a second: nothing lies outside the shards, and none is too large that could be cut."""
    seconds = [min(at + place * apart, DAYS * 86400 - 1) for at, many, apart in bursts for place in range(many)]
    session = Counting([START + second * SECOND for second in seconds])

    shards = await plan(session, START, START + timedelta(days=DAYS), max_items=most)

    assert session.asked < 2 * len(shards)
    assert shards[0].start == START
    assert [shard.start for shard in shards[1:]] == [shard.end - SECOND for shard in shards[:-1]]
    assert all(shard.counted <= most or shard.end - shard.start <= 2 * SECOND for shard in shards)
    on_edges = sum(moment in {START + timedelta(days=day) for day in range(1, DAYS)} for moment in session.moments)
    assert sum(shard.counted for shard in shards) == len(session.moments) + on_edges


async def test_a_list_that_is_spread_evenly_takes_one_request_a_shard_and_they_are_alike():
    session = Counting([START + place * timedelta(seconds=3) for place in range(DAYS * 28800)])

    shards = await plan(session, START, START + timedelta(days=DAYS), max_items=2_000)

    assert session.asked == len(shards) == DAYS * 16
    assert {shard.counted // 10 for shard in shards} <= {179, 180}
    assert {shard.requests for shard in shards} <= {18, 19}


async def test_a_plan_is_the_same_each_time_and_whatever_was_counted():
    """Its shards go through JSON, and hold nothing but what is asked for."""
    first, second = [await plan(Counting([START + hour * SECOND]), START, START + timedelta(days=DAYS)) for hour in (5, 7)]
    elsewhere = first[1].from_json(first[1].to_json().replace("Z", "+00:00"))

    assert [shard.id for shard in first] == [shard.id for shard in second]
    assert len({shard.id for shard in first}) == DAYS
    assert tuple(Shard.from_json(shard.to_json()) for shard in first) == first
    assert elsewhere.id == first[1].id
    assert Shard(service="routee", campaign_id="a").id != Shard(service="routee", campaign_id="b").id


async def test_campaigns_are_shards_in_the_order_that_was_given(routee, sandbox):
    ids = sandbox.history_campaigns

    shards = await plan(routee, by=[*ids, ids[0]], page_size=50)
    cut = await plan(routee, sandbox.now - timedelta(days=7), sandbox.now, by=ids[:1], max_items=30)

    assert tuple(shard.campaign_id for shard in shards) == ids
    assert [shard.counted for shard in shards] == [await routee.track_campaign(one).count() for one in ids]
    assert sum(shard.counted for shard in cut) == shards[0].counted
    assert max(shard.counted for shard in cut) <= 30 < shards[0].counted


async def waiting():
    yield "a-campaign"


@pytest.mark.parametrize(
    ("options", "fault"),
    [
        ({}, "start and end: missing"),
        ({"start": START}, "give both"),
        ({"start": START.replace(tzinfo=None), "end": START}, "naive"),
        ({"start": START, "end": START + SECOND, "by": timedelta(0)}, "by: below one second"),
        ({"start": START, "end": START + SECOND, "max_items": 0}, "max_items: 0"),
        ({"start": START, "end": START + SECOND, "page_size": 0}, "page_size: 0"),
        ({"by": "a-campaign"}, "by: a single text"),
        ({"by": []}, "by: no tracking id"),
        ({"by": [["a-campaign"]]}, "by: "),
        ({"by": waiting()}, "by: cannot be gone through without waiting"),
    ],
)
async def test_what_cannot_be_planned_is_refused_before_anything_is_sent(routee, sandbox, options, fault):
    with pytest.raises(ConfigError, match=fault):
        await plan(routee, **options)

    assert sandbox.requests == ()


async def test_drop_records_are_cut_by_time_alone(spacivox, sandbox):
    shards = await plan(spacivox, START, START + timedelta(days=DAYS, hours=1))

    assert [(shard.start, shard.end) for shard in shards[-2:]] == [
        (START + timedelta(days=3), START + timedelta(days=4)),
        (START + timedelta(days=4), START + timedelta(days=4, hours=1)),
    ]
    assert sandbox.requests == ()
    for refused in ({"max_items": 5}, {"by": ["a-campaign"]}):
        with pytest.raises(ConfigError):
            await plan(spacivox, START, START + SECOND, **refused)


async def test_a_campaign_that_is_not_there_is_named(routee, sandbox):
    with pytest.raises(NotFound) as caught:
        await plan(routee, by=[*sandbox.history_campaigns, "no-such-campaign"])

    assert caught.value.__notes__ == ["when campaign no-such-campaign was counted"]


@pytest.mark.parametrize(
    "text", ["", "{}", '{"service": "routee", "page_size": 0}', '{"service": "other"}', '{"service": "routee", "start": "yesterday"}']
)
def test_what_is_no_shard_is_not_taken_for_one(text):
    with pytest.raises(ConfigError, match=r"no JSON of a Shard|page_size: 0"):
        Shard.from_json(text)
