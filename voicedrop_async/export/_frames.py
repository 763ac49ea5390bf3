"""Items as a frame of polars, with exact types, the same ones for an empty list. polars is the extra ``export``."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Context, Decimal, InvalidOperation
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import msgspec

from voicedrop_async.errors import ConfigError
from voicedrop_async.export._columns import Holds, columns_of
from voicedrop_async.models import Recording

if TYPE_CHECKING:
    import polars

_ENCODER: Final = msgspec.json.Encoder(decimal_format="number", enc_hook=dict)
_DIGITS, _PLACES = 38, 9
_EXACT: Final = Context(prec=_DIGITS, traps=[InvalidOperation])
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
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

    types: dict[Holds, Any] = {
        Holds.TEXT: pl.String,
        Holds.WHOLE: pl.Int64,
        Holds.SECONDS: pl.Float64,
        Holds.PRICE: pl.Decimal(_DIGITS, _PLACES),
        Holds.MOMENT: pl.Datetime("us", "UTC"),
        Holds.TEXTS: pl.List(pl.String),
        Holds.EXTRA: pl.List(pl.Struct({"key": pl.String, "value": pl.String})),
    }
    types[Holds.RECORDINGS] = pl.List(pl.Struct({name: types[holds] for name, holds in _INNER.items()}))
    return pl.Schema({column.name: types[column.holds] for column in columns_of(model)})


def frame_of(model: object, items: Sequence[object]) -> "polars.DataFrame":
    """Return a frame of items, one a row."""
    import polars as pl

    schema = schema_of(model)
    return pl.DataFrame([_series(column.holds, column.of(items), schema[column.name]).alias(column.name) for column in columns_of(model)])


def _series(holds: Holds, values: list[Any], type: Any) -> "polars.Series":
    import polars as pl

    match holds:
        case Holds.MOMENT:
            return _moments(values, type)
        case Holds.TEXTS:
            return _lists(values, lambda texts: pl.Series(texts, dtype=pl.String), type)
        case Holds.EXTRA:
            return _lists([list(value.items()) if value else None for value in values], _pairs, type)
        case Holds.RECORDINGS:
            return _lists(values, partial(_recordings, type.inner), type)
        case Holds.PRICE:  # slow to make, and so made once for each
            places: dict[Any, int] = {}
            index = [places.setdefault(value, len(places)) for value in values]
            unlike: Any = pl.Series(_fitted(holds, list(places)), dtype=type)  # Any: polars' own types want numpy here
            prices: pl.Series = unlike.gather(index)
            return prices
        case _:
            return pl.Series(_fitted(holds, values), dtype=type)


def _moments(values: list[datetime | None], type: Any) -> "polars.Series":
    """Return moments, by way of spans since 1970: of datetimes they are slow to make."""
    import polars as pl

    since = pl.Series([None if value is None else value - _EPOCH for value in values], dtype=pl.Duration("us"))
    return since.cast(pl.Int64).cast(type)


def _lists(values: Sequence[Sequence[Any] | None], made_of: "Callable[[list[Any]], polars.Series]", type: Any) -> "polars.Series":
    """Return lists, of one long series of all their members: a list of structs is very slow to make object by object."""
    import polars as pl

    members = made_of([one for value in values for one in value or ()]).alias("list")
    at = pl.Series("at", [place for place, value in enumerate(values) for _ in value or ()], dtype=pl.Int64)
    empty = pl.Series("at", [place for place, value in enumerate(values) if value is not None and not value], dtype=pl.Int64)
    none_in_it = pl.Series("list", [[]], type).new_from_index(0, len(empty))
    spread: Any = pl.DataFrame([at, members])
    full: pl.DataFrame = spread.group_by("at").agg("list").cast({"list": type})
    # In one piece: of two, nested as they are, the join is ten times as slow.
    lists = pl.concat([full, pl.DataFrame([empty, none_in_it])], rechunk=True)
    rows = pl.DataFrame({"at": pl.Series(range(len(values)), dtype=pl.Int64)})
    return rows.join(lists, on="at", how="left", maintain_order="left")["list"]


def _recordings(type: Any, ones: list[Recording]) -> "polars.Series":
    import polars as pl

    kinds = {field.name: field.dtype for field in type.fields}
    fields = [_series(holds, [getattr(one, name) for one in ones], kinds[name]).alias(name) for name, holds in _INNER.items()]
    return pl.DataFrame(fields).to_struct()


def _pairs(members: list[tuple[str, object]]) -> "polars.Series":
    """Return members of objects, each with its value as JSON: a table has no place for keys that nobody knows."""
    import polars as pl

    keys, values = [key for key, _ in members], [_ENCODER.encode(value).decode() for _, value in members]
    return pl.DataFrame({"key": keys, "value": values}, schema={"key": pl.String, "value": pl.String}).to_struct()


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


_FITS: Final[Mapping[Holds, Callable[[Any], Any]]] = {
    Holds.WHOLE: _whole,
    Holds.SECONDS: float,
    Holds.PRICE: _price,
}

_INNER: Final[Mapping[str, Holds]] = {
    "tracking_id": Holds.TEXT,
    "start": Holds.MOMENT,
    "end": Holds.MOMENT,
    "sender": Holds.TEXT,
    "to": Holds.TEXT,
    "url": Holds.TEXT,
    "voice_tracking_ids": Holds.TEXTS,
    "conversation_tracking_id": Holds.TEXT,
    "duration": Holds.SECONDS,
    "extra": Holds.EXTRA,
}
"""What the fields of a recording hold, in the order of their columns."""
