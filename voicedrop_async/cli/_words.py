"""Words of the command line that stand for values. What cannot be read is a ``ConfigError``, before anything is sent."""

import re
from datetime import timedelta
from typing import Final

from voicedrop_async import ConfigError, FilterField, FilterOperator, TrackingFilter

_SPAN: Final = re.compile(r"(\d+)([dhms]?)", re.ASCII)
_UNITS: Final = {
    "d": timedelta(days=1),
    "h": timedelta(hours=1),
    "": timedelta(hours=1),
    "m": timedelta(minutes=1),
    "s": timedelta(seconds=1),
}

# The service's own words, and the names of ours: status for status.status, collected_tones for collectedTones.
_FIELDS: Final = {member.name.lower(): member for member in FilterField} | {member.value: member for member in FilterField}


def span(option: str, text: str) -> timedelta:
    """Read a span of time: hours, or a number with ``d``, ``h``, ``m`` or ``s`` after it."""
    read = _SPAN.fullmatch(text)
    try:
        if read is not None:
            return int(read[1]) * _UNITS[read[2]]
    except (OverflowError, ValueError):
        pass
    raise ConfigError(f"{option}: not a span of time, such as 6h, 1d, 30m, or 6 for hours")


def condition(option: str, text: str) -> TrackingFilter:
    """Read ``FIELD=VALUE`` or ``FIELD:OPERATOR=VALUE``.

    A field that is not known is refused here: the service might pass over it, and answer with everything.
    """
    said, equals, value = text.partition("=")
    name, _, operator = said.partition(":")
    if not equals or not value:
        raise ConfigError(f"{option}: must be FIELD=VALUE, or FIELD:OPERATOR=VALUE")
    if name not in _FIELDS:
        raise ConfigError(f"{option}: unknown field; known are {', '.join(FilterField)}")
    if operator and operator not in set(FilterOperator):
        raise ConfigError(f"{option}: unknown operator; known are {', '.join(FilterOperator)}")
    return TrackingFilter(_FIELDS[name], value, operator=FilterOperator(operator or FilterOperator.IS))
