"""Models as lines of JSON: the Python names of the fields, all of them, and ``extra`` where there is some."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from enum import IntEnum
from typing import Any, Final, cast

import attrs
import msgspec

# Prices stay exact: a Decimal is written digit by digit.
_ENCODER: Final = msgspec.json.Encoder(decimal_format="number")


def lines(models: Iterable[object]) -> bytes:
    """Return one line for each model, each with its line end."""
    return _ENCODER.encode_lines([plain(model) for model in models])


def plain(value: object) -> object:
    """Return a model as what JSON knows; moments and prices are left to the encoder."""
    if isinstance(value, IntEnum):
        return value.name  # a number whose only word is its name
    if value is None or isinstance(value, str | int | Decimal | datetime):
        return value
    if isinstance(value, tuple | list):
        return [plain(part) for part in cast("Iterable[object]", value)]
    if isinstance(value, Mapping):
        return {str(key): plain(part) for key, part in cast("Mapping[object, object]", value).items()}
    kind: type[Any] = type(value)
    if not attrs.has(kind):
        return value
    shown = {field.name: plain(getattr(value, field.name)) for field in attrs.fields(kind)}
    return shown if shown.get("extra") else {name: part for name, part in shown.items() if name != "extra"}
