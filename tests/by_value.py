"""What two values have to agree in: more than ``==`` asks of them."""

from datetime import UTC, datetime
from decimal import Decimal
from enum import Enum

import attrs


def told(value):
    """Return a value with everything that ``==`` passes over: types of numbers, digits of amounts, the zone of moments, extras."""
    if attrs.has(type(value)):
        return type(value), {field.name: told(getattr(value, field.name)) for field in attrs.fields(type(value))}
    if isinstance(value, tuple | list):
        return type(value), [told(part) for part in value]
    if isinstance(value, datetime):
        return value.replace(tzinfo=None), value.tzinfo is UTC
    if isinstance(value, Decimal):
        return value.as_tuple()
    if isinstance(value, str | bool | int | float | Enum | None):
        return type(value), value
    return {told(key): told(part) for key, part in value.items()}
