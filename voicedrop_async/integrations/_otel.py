"""Events as spans and durations of OpenTelemetry. Needs the extra ``otel``.

Source: OpenTelemetry's semantic conventions, "HTTP client span" and "Metric: http.client.request.duration".
"""

import time
from collections.abc import Callable
from importlib.metadata import version
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from voicedrop_async.calls import Event
from voicedrop_async.errors import ConfigError

if TYPE_CHECKING:
    from opentelemetry.metrics import MeterProvider
    from opentelemetry.trace import TracerProvider

Attributes = dict[str, str | int]

_SCHEMA: Final = "https://opentelemetry.io/schemas/1.37.0"
_BOUNDARIES: Final = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0)
"""Seconds; those that the convention advises."""
_PORTS: Final = {"http": 80, "https": 443}


def otel_events(tracer_provider: "TracerProvider | None" = None, meter_provider: "MeterProvider | None" = None) -> Callable[[Event], None]:
    """Return an ``on_event`` that tells OpenTelemetry of each attempt, by its conventions for HTTP clients.

    An attempt is a span of the kind ``CLIENT`` below the one that is current where the call was made, and a duration in the
    histogram ``http.client.request.duration``. ``url.full`` is ``Event.url``: names in place of ids, and no query; of
    ``call(...)`` the path as it was given, which is no ``url.template``, and not in the name of the span. An ``error.type``
    that is no status is the class of an error of ours, or ``CancelledError``. A pause is the time between two spans.

    A span is made when its attempt has ended, with the times of then: it is not current while the attempt runs. No trace
    context is sent along, since the services are somebody else's.

    Args:
        tracer_provider: The global one if left out, also if it is set later.
        meter_provider: Likewise.

    Raises:
        ConfigError: The extra ``otel`` is not installed.
    """
    try:
        from opentelemetry import metrics, trace
    except ImportError:
        raise ConfigError('otel: this needs opentelemetry-api; install it: python -m pip install "voicedrop-async[otel]"') from None
    scope = "voicedrop_async", version("voicedrop-async")
    tracer = trace.get_tracer(*scope, tracer_provider, _SCHEMA)
    durations = metrics.get_meter(*scope, meter_provider, _SCHEMA).create_histogram(
        "http.client.request.duration", "s", "Duration of HTTP client requests.", explicit_bucket_boundaries_advisory=_BOUNDARIES
    )

    def on_event(event: Event) -> None:
        if event.name == "pausing":
            return
        now, facts = time.time_ns(), _facts(event)
        method, template = event.route.partition(" ")[0], "" if event.is_own_path else urlsplit(event.url).path
        span = tracer.start_span(
            f"{method} {template}" if template else method,
            kind=trace.SpanKind.CLIENT,
            attributes=facts | _more_facts(event, template),
            start_time=now - round(event.seconds * 1e9),
        )
        if "error.type" in facts:
            span.set_status(trace.StatusCode.ERROR)
        span.end(now)
        durations.record(event.seconds, facts, trace.set_span_in_context(span))

    return on_event


def _facts(event: Event) -> Attributes:
    """Return what spans and durations have in common: few values each, also if a path of ``call(...)`` holds an id."""
    url = urlsplit(event.url)
    facts: Attributes = {
        "http.request.method": event.route.partition(" ")[0],
        "server.address": url.hostname or "",
        "server.port": url.port or _PORTS[url.scheme],
    }
    if event.status is not None:
        facts["http.response.status_code"] = event.status
    if event.error is not None or (event.status or 0) >= 400:
        facts["error.type"] = event.error or str(event.status)
    return facts


def _more_facts(event: Event, template: str) -> Attributes:
    """Return what a span has beyond that."""
    facts: Attributes = {"url.full": event.url}
    if template:
        facts["url.template"] = template
    if event.attempt > 1:
        facts["http.request.resend_count"] = event.attempt - 1
    return facts
