"""Events as records of ``logging``."""

from collections.abc import Callable
from logging import DEBUG, INFO, Logger, getLogger

import attrs

from voicedrop_async.calls import Event


def log_events(logger: Logger | None = None) -> Callable[[Event], None]:
    """Return an ``on_event`` that logs each step of a call: one record, a short text, and the facts as fields of the record.

    An attempt that was answered within 2xx is logged at ``DEBUG``, every other step at ``INFO``: what is repeated may end
    well, and what does not is raised. So nothing is seen at the usual level, which is ``WARNING``.

    The fields are those of ``Event``, but that its ``name`` is the field ``step``: a record has a ``name`` of its own. There
    is no secret, no phone number, no body, and no id in them, unless you put one into a path of ``call(...)``.

    Args:
        logger: ``voicedrop_async.events`` if left out. One for each session tells them apart.
    """
    log = getLogger("voicedrop_async.events") if logger is None else logger

    def on_event(event: Event) -> None:
        level = DEBUG if event.error is None and 200 <= (event.status or 0) < 300 else INFO
        if not log.isEnabledFor(level):
            return
        fields = attrs.asdict(event)
        fields["step"] = fields.pop("name")
        how = " ".join(str(word) for word in (event.name, event.status, event.error) if word is not None)
        log.log(level, "%s: %s, %.3f s, attempt %d", event.route, how, event.seconds, event.attempt, extra=fields)

    return on_event
