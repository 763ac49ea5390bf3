"""Items as a frame of polars, with exact types, the same ones for an empty list. polars is the extra ``export``."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Context, Decimal, InvalidOperation
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from voicedrop_async.errors import ConfigError
from voicedrop_async.export._rows import Column, Holds, RecordingRow, columns_of, inner_columns, rows_of
from voicedrop_async.export._text import ENCODER

if TYPE_CHECKING:
    import polars

_DIGITS, _PLACES = 38, 9
_EXACT: Final = Context(prec=_DIGITS, traps=[InvalidOperation])
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_LAST_PLACE: Final = Decimal(1).scaleb(-_PLACES)


def check_polars() -> None:
    """Refuse to begin what could not be ended without the extra."""
    try:
        import polars
    except ModuleNotFoundError:
        raise ConfigError('export: this needs polars; install it: python -m pip install "voicedrop-async[export]"') from None
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
    types[Holds.RECORDINGS] = pl.List(pl.Struct({column.name: types[column.holds] for column in inner_columns(RecordingRow)}))
    return pl.Schema({column.name: types[column.holds] for column in columns_of(model)})


def frame_of(model: object, items: Sequence[object]) -> "polars.DataFrame":
    """Return a frame of items, one a row."""
    import polars as pl

    rows, schema = rows_of(model, items), schema_of(model)
    return pl.DataFrame([_series(column, rows, schema[column.name]) for column in columns_of(model)])


def _series(column: Column, rows: Sequence[object], type: Any) -> "polars.Series":
    """Return a column of rows."""
    values = column.of(rows)
    return _SERIES.get(column.holds, _plain)(values, type).alias(column.name)


def _plain(values: list[Any], type: Any) -> "polars.Series":
    import polars as pl

    return pl.Series(values, dtype=type)


def _wholes(values: list[int | None], type: Any) -> "polars.Series":
    """Return whole numbers; none in place of one that 64 bits do not hold."""
    return _plain([value if value is None or -(2**63) <= value < 2**63 else None for value in values], type)


def _seconds(values: list[float | None], type: Any) -> "polars.Series":
    return _plain([value if value is None else float(value) for value in values], type)


def _moments(values: list[datetime | None], type: Any) -> "polars.Series":
    """Return moments, by way of spans since 1970: of datetimes they are slow to make."""
    import polars as pl

    since = _plain([None if value is None else value - _EPOCH for value in values], pl.Duration("us"))
    return since.cast(pl.Int64).cast(type)


def _prices(values: list[Decimal | None], type: Any) -> "polars.Series":
    """Return prices, which are slow to make, and so made once for all that are equal."""
    places: dict[Decimal | None, int] = {}
    index = [places.setdefault(value, len(places)) for value in values]
    return _at(index, _plain([None if price is None else _price(price) for price in places], type))


def _texts(values: list[tuple[str, ...] | None], type: Any) -> "polars.Series":
    return _lists(values, lambda texts: _plain(texts, type.inner), type)


def _at(places: list[int | None] | list[int], series: Any) -> "polars.Series":  # Any: polars' own types want numpy here
    """Return what stands in a series at these places, in one step: ``gather`` plans and runs a query for it."""
    import polars as pl

    found: pl.Series = series[pl.Series(places, dtype=pl.UInt32)]
    return found


def _lists(values: list[Any], made_of: "Callable[[list[Any]], polars.Series]", type: Any) -> "polars.Series":
    """Return lists, of one long series of all their members: a list of structs is very slow to make object by object."""
    import polars as pl

    full = [value for value in values if value]
    if not full and values.count(None) == len(values):
        return pl.Series([None], dtype=type).new_from_index(0, len(values))
    members = made_of([one for value in full for one in value])
    at = pl.Series("at", [place for place, value in enumerate(full) for _ in value], dtype=pl.Int64)
    spread: Any = pl.DataFrame([at.set_sorted(), members.alias("list")])
    grouped: pl.Series = spread.group_by("at", maintain_order=True).agg("list")["list"]
    # In one piece: from two, nested as they are, it takes a hundred times as long to gather.
    lists = pl.concat([grouped, _empty_list(type)], rechunk=True)
    places = iter(range(len(full)))
    return _at([None if value is None else next(places) if value else len(full) for value in values], lists)


@cache
def _empty_list(type: Any) -> "polars.Series":
    import polars as pl

    return pl.Series("list", [[]], type)


def _recordings(values: list[Sequence[RecordingRow] | None], type: Any) -> "polars.Series":
    import polars as pl

    kinds = {field.name: field.dtype for field in type.inner.fields}

    def structs(rows: list[RecordingRow]) -> pl.Series:
        return pl.DataFrame([_series(column, rows, kinds[column.name]) for column in inner_columns(RecordingRow)]).to_struct()

    return _lists(values, structs, type)


def _extras(values: list[Mapping[str, object] | None], type: Any) -> "polars.Series":
    return _lists([None if value is None else list(value.items()) for value in values], _pairs, type)


def _pairs(members: list[tuple[str, object]]) -> "polars.Series":
    """Return members of objects, each with its value as JSON: a table has no place for keys that nobody knows."""
    import polars as pl

    keys, values = [key for key, _ in members], [ENCODER.encode(value).decode() for _, value in members]
    return pl.DataFrame({"key": keys, "value": values}, schema={"key": pl.String, "value": pl.String}).to_struct()


def _price(price: Decimal) -> Decimal | None:
    """Return a price with nine places; None for one of more than 29 digits before its point, which the type cannot hold."""
    try:
        return price.quantize(_LAST_PLACE, context=_EXACT)
    except InvalidOperation:
        return None


_SERIES: Final[Mapping[Holds, Callable[[list[Any], Any], "polars.Series"]]] = {
    Holds.WHOLE: _wholes,
    Holds.SECONDS: _seconds,
    Holds.PRICE: _prices,
    Holds.MOMENT: _moments,
    Holds.TEXTS: _texts,
    Holds.RECORDINGS: _recordings,
    Holds.EXTRA: _extras,
}
"""What makes a column of values; of texts, polars itself."""
