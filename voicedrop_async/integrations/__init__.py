"""What other tools of a program get to know of its calls: hooks for ``on_event``, of which the sessions know nothing.

log_events     a record of ``logging`` for each event                    _logs
otel_events    a span and a duration of OpenTelemetry for each attempt   _otel
"""

from voicedrop_async.integrations._logs import log_events
from voicedrop_async.integrations._otel import otel_events

__all__ = ["log_events", "otel_events"]
