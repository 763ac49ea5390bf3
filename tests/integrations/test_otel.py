"""What OpenTelemetry hears of calls to a real server, by its own exporters that keep it in memory."""

import asyncio
import sys
from collections.abc import AsyncGenerator, Callable

import attrs
import pytest
from campaigns import CAMPAIGN, QUICK
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import HistogramDataPoint, InMemoryMetricReader
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode
from raw_server import RawServer, falls_silent

from voicedrop_async import (
    ClientCredentials,
    ConfigError,
    ConnectFailed,
    DeadlineExceeded,
    Event,
    Kind,
    NotFound,
    OutcomeUnknown,
    RouteeSession,
    StaticToken,
    otel_events,
)
from voicedrop_async.sandbox import Sandbox


@attrs.frozen
class Heard:
    """Both signals, and the session that they tell of."""

    routee: RouteeSession
    on_event: Callable[[Event], None]
    tracers: TracerProvider
    _spans: InMemorySpanExporter
    _durations: InMemoryMetricReader

    def spans(self, *, tokens: bool = False) -> list[ReadableSpan]:
        """In the order in which they ended; those of the token endpoint on demand."""
        return [span for span in self._spans.get_finished_spans() if tokens or span.name != "POST /oauth/token"]

    def durations(self) -> list[HistogramDataPoint]:
        data = self._durations.get_metrics_data()
        (metric,) = [metric for resource in data.resource_metrics for scope in resource.scope_metrics for metric in scope.metrics]
        assert (metric.name, metric.unit) == ("http.client.request.duration", "s")
        return list(metric.data.data_points)


@pytest.fixture
async def heard(sandbox: Sandbox) -> AsyncGenerator[Heard]:
    tracers, reader, exporter = TracerProvider(shutdown_on_exit=False), InMemoryMetricReader(), InMemorySpanExporter()
    tracers.add_span_processor(SimpleSpanProcessor(exporter))
    hears = otel_events(tracers, MeterProvider([reader], shutdown_on_exit=False))
    auth = ClientCredentials(*sandbox.credentials)
    async with RouteeSession(auth, base_url=sandbox.routee_url, auth_url=sandbox.auth_url, retry=QUICK, on_event=hears) as routee:
        yield Heard(routee, hears, tracers, exporter, reader)


def facts(span: ReadableSpan, *names: str) -> tuple[object, ...]:
    return tuple((span.attributes or {}).get(name) for name in names)


async def test_each_attempt_is_a_span_below_the_one_of_its_caller(sandbox: Sandbox, heard: Heard) -> None:
    """An attempt is turned away, the next one fails, the third is answered; the token came first."""
    (wanted,) = await heard.routee.track_messages(max_items=1).collect()
    before = len(heard.spans(tokens=True))
    sandbox.expire_tokens()
    sandbox.fail_next(status=429, retry_after=0, path="/voice/tracking")
    sandbox.fail_next(drop="before_acting", path="/voice/tracking")
    with heard.tracers.get_tracer("test").start_as_current_span("ours") as ours:
        await heard.routee.track_message(str(wanted.message_id))
        under = ours.get_span_context()

    attempts = [span for span in heard.spans(tokens=True)[before:] if span.name != "ours"]
    told = [
        (*facts(span, "http.request.resend_count", "http.response.status_code", "error.type"), span.status.status_code) for span in attempts
    ]
    assert told == [
        (None, 429, "429", StatusCode.ERROR),
        (1, None, "ConnectionLost", StatusCode.ERROR),
        (2, 401, "401", StatusCode.ERROR),
        (None, 200, None, StatusCode.UNSET),
        (3, 200, None, StatusCode.UNSET),
    ]
    assert {span.name for span in attempts} == {"GET /voice/tracking/{message_id}", "POST /oauth/token"}
    assert {span.kind for span in attempts} == {SpanKind.CLIENT}
    assert {(span.parent.span_id, span.context.trace_id) for span in attempts if span.parent} == {(under.span_id, under.trace_id)}
    assert all(span.parent and (span.end_time or 0) > (span.start_time or 0) for span in attempts)
    assert not any("traceparent" in request.headers for request in sandbox.requests)


async def test_addresses_are_told_without_ids_and_queries(sandbox: Sandbox, heard: Heard) -> None:
    """A path of the caller's own may hold anything: it names nothing, and a phone number in it is masked."""
    (message,) = await heard.routee.track_messages(page_size=1, max_items=1).collect()
    await heard.routee.track_message(str(message.message_id))
    with pytest.raises(NotFound):
        await heard.routee.call("GET", "/numbers/+306912345678", kind=Kind.READ, params={"q": "306912345678"})

    assert heard.spans()[1].attributes == {
        "http.request.method": "GET",
        "http.response.status_code": 200,
        "server.address": "127.0.0.1",
        "server.port": int(sandbox.routee_url.rpartition(":")[2]),
        "url.full": f"{sandbox.routee_url}/voice/tracking/{{message_id}}",
        "url.template": "/voice/tracking/{message_id}",
    }
    assert heard.spans()[-1].name == "GET"
    assert facts(heard.spans()[-1], "url.template") == (None,)
    assert "6912345678" not in "".join(span.to_json() for span in heard.spans(tokens=True))


async def test_a_paid_send_whose_answer_is_lost_is_one_span(sandbox: Sandbox, heard: Heard) -> None:
    sandbox.fail_next(drop="after_acting", path="/voice/campaign")
    with pytest.raises(OutcomeUnknown):
        await heard.routee.send_campaign(CAMPAIGN)

    (span,) = heard.spans()
    assert (span.name, *facts(span, "error.type", "http.response.status_code")) == ("POST /voice/campaign", "ConnectionLost", None)
    assert len(sandbox.campaigns) == 1


async def test_what_is_cancelled_or_late_is_told_as_well(line: RawServer, heard: Heard) -> None:
    """By the caller, and by the deadline of the call."""
    line.will(falls_silent())
    async with RouteeSession(StaticToken("t"), base_url=line.url, on_event=heard.on_event) as session:
        asking = asyncio.create_task(session.track_message("m-1"))
        await line.arrived.wait()
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
        with pytest.raises(DeadlineExceeded):
            await session.with_options(deadline=0.05).track_message("m-1")

    assert [facts(span, "error.type", "http.response.status_code") for span in heard.spans()] == [("CancelledError", None)] * 2


async def test_durations_are_told_apart_by_few_words(sandbox: Sandbox, heard: Heard, unused_tcp_port: int) -> None:
    """Each attempt is measured once, in the steps that the convention advises; ids and paths are not among the words."""
    for message in await heard.routee.track_messages(max_items=3).collect():
        await heard.routee.track_message(str(message.message_id))
    async with RouteeSession(
        StaticToken("t"), base_url=f"http://127.0.0.1:{unused_tcp_port}", retry=QUICK, on_event=heard.on_event
    ) as nobody:
        with pytest.raises(ConnectFailed):
            await nobody.track_messages().count()

    api, endpoint = (int(url.rpartition(":")[2]) for url in (sandbox.routee_url, sandbox.auth_url))
    told = {tuple(sorted((point.attributes or {}).items())): point.count for point in heard.durations()}
    assert told == {
        words("GET", api, {"http.response.status_code": 200}): 3,
        words("POST", api, {"http.response.status_code": 200}): 1,
        words("POST", endpoint, {"http.response.status_code": 200}): 1,
        words("POST", unused_tcp_port, {"error.type": "ConnectFailed"}): 4,
    }
    assert {tuple(point.explicit_bounds)[:3] for point in heard.durations()} == {(0.005, 0.01, 0.025)}


def words(method: str, port: int, more: dict[str, str | int]) -> tuple[tuple[str, str | int], ...]:
    return tuple(sorted({"http.request.method": method, "server.address": "127.0.0.1", "server.port": port, **more}.items()))


async def test_a_file_at_another_host_is_told_by_its_host(heard: Heard) -> None:
    """Its path is the service's own, and may be a secret."""
    facts_of = {"kind": Kind.READ, "route": "GET /recordings/my/downloads/{tracking_id}", "status": 200, "attempt": 1, "seconds": 0.2}
    heard.on_event(Event(name="answered", url="https://files.example.com", **facts_of))

    (span,) = heard.spans()
    assert (span.name, *facts(span, "server.port", "url.full", "url.template")) == ("GET", 443, "https://files.example.com", None)


def test_without_opentelemetry_one_is_told_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "opentelemetry", None)

    with pytest.raises(ConfigError, match=r'pip install "voicedrop-async\[otel\]"'):
        otel_events()
