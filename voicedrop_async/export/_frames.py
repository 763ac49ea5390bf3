"""Items as a frame of polars, with exact types, the same ones for an empty list. polars is the extra ``export``."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Context, Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any, Final

import msgspec

from voicedrop_async.errors import ConfigError
from voicedrop_async.export._columns import Holds, columns_of

if TYPE_CHECKING:
    import polars

_ENCODER: Final = msgspec.json.Encoder(decimal_format="number", enc_hook=dict)
_DIGITS, _PLACES = 38, 9
_EXACT: Final = Context(prec=_DIGITS, traps=[InvalidOperation])
_LAST_PLACE: Final = Decimal(1).scaleb(-_PLACES)


def check_polars() -> None:
    """Refuse to begin what could not be ended without the extra."""
    try:
        import polars
    except ModuleNotFoundError:
        raise ConfigError("export: this needs polars; install it: python -m pip install voicedrop_async[export]") from None
    del polars


def schema_of(model: object) -> "polars.Schema":
    """Return the columns and their types."""
    import polars as pl

    moment, texts = pl.Datetime("us", "UTC"), pl.List(pl.String)
    extra = pl.List(pl.Struct({"key": pl.String, "value": pl.String}))
    recording = pl.Struct(
        {
            "tracking_id": pl.String,
            "start": moment,
            "end": moment,
            "sender": pl.String,
            "to": pl.String,
            "url": pl.String,
            "voice_tracking_ids": texts,
            "conversation_tracking_id": pl.String,
            "duration": pl.Float64,
            "extra": extra,
        }
    )
    types: Mapping[Holds, Any] = {
        Holds.TEXT: pl.String,
        Holds.WHOLE: pl.Int64,
        Holds.SECONDS: pl.Float64,
        Holds.PRICE: pl.Decimal(_DIGITS, _PLACES),
        Holds.MOMENT: moment,
        Holds.TEXTS: texts,
        Holds.RECORDINGS: pl.List(recording),
        Holds.EXTRA: extra,
    }
    return pl.Schema({column.name: types[column.holds] for column in columns_of(model)})


def frame_of(model: object, items: Sequence[object]) -> "polars.DataFrame":
    """Return a frame of items, one a row."""
    import polars as pl

    schema = schema_of(model)
    return pl.DataFrame(
        [pl.Series(column.name, _fitted(column.holds, column.of(items)), schema[column.name]) for column in columns_of(model)]
    )


def _fitted(holds: Holds, values: list[Any]) -> list[Any]:
    fit = _FITS.get(holds)
    return values if fit is None else [None if value is None else fit(value) for value in values]


def _price(price: Decimal) -> Decimal | None:
    """Return a price with nine places; None for one of more than 29 digits before its point, which the type cannot hold."""
    try:
        return price.quantize(_LAST_PLACE, context=_EXACT)
    except InvalidOperation:
        return None


def _whole(number: int) -> int | None:
    """Return a whole number; None for one that 64 bits do not hold."""
    return number if -(2**63) <= number < 2**63 else None


def _pairs(extra: Mapping[str, object]) -> list[dict[str, str]]:
    """Return an object as a list of keys, each with its value as JSON: a table has no place for keys that nobody knows."""
    return [{"key": key, "value": _ENCODER.encode(value).decode()} for key, value in extra.items()]


def _recordings(recordings: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    return [
        one
        | {
            "voice_tracking_ids": None if one["voice_tracking_ids"] is None else list(one["voice_tracking_ids"]),
            "duration": None if one["duration"] is None else float(one["duration"]),
            "extra": None if one["extra"] is None else _pairs(one["extra"]),
        }
        for one in recordings
    ]


_FITS: Final[Mapping[Holds, Callable[[Any], Any]]] = {
    Holds.WHOLE: _whole,
    Holds.SECONDS: float,
    Holds.PRICE: _price,
    Holds.TEXTS: list,
    Holds.RECORDINGS: _recordings,
    Holds.EXTRA: _pairs,
}
