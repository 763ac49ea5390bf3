"""Files read back with what people read them with: polars, pandas, pyarrow, DuckDB. Each tells the values that the service sent."""

from datetime import UTC, datetime
from decimal import Decimal

import duckdb
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.csv
import pyarrow.json
import pyarrow.parquet
import pytest
from tracked import page

from voicedrop_async import export_to, to_polars
from voicedrop_async.export import disarmed

ROWS = [
    {
        "messageId": "00123",
        "to": "+306912345678",
        "from": "0030210",
        "status": {"status": "NoAnswer", "date": "2026-03-02T09:30:00.123456Z"},
        "duration": 12.5,
        "price": 0.1,
        "message": {"text": 'say "hi", and\ngo ☎'},
        "groups": ["a", "Κατάστημα"],
        "recordings": [{"trackingId": "r1", "start": "2026-03-02T09:30:00Z", "voiceTrackingIds": ["00123"], "odd": True}],
        "collectedTones": "0042",
        "newKey": {"deep": [1]},
    },
    {
        "messageId": "1e5",
        "to": "=HYPERLINK(1)",
        "from": "306900000000",
        "status": {"status": "Deferred", "date": "2026-03-02T11:30:00+02:00"},
        "duration": 3,
        "price": 1234567.25,
        "message": {"text": "-1"},
        "groups": [],
        "recordings": [],
    },
    {"messageId": "m3"},
]
NAMES = ["message_id", "to", "sender", "status", "status_date", "duration", "price", "message_text", "collected_tones"]
MOMENTS = [datetime(2026, 3, 2, 9, 30, 0, 123456, tzinfo=UTC), datetime(2026, 3, 2, 9, 30, tzinfo=UTC), None]
VALUES = [
    ["00123", "+306912345678", "0030210", "NoAnswer", MOMENTS[0], 12.5, Decimal("0.1"), 'say "hi", and\ngo ☎', "0042"],
    ["1e5", "=HYPERLINK(1)", "306900000000", "Deferred", MOMENTS[1], 3.0, Decimal("1234567.25"), "-1", None],
    ["m3"] + [None] * 8,
]
TEXTS = [name for name in NAMES if name not in {"status_date", "duration", "price"}]
ARROW = pa.schema(
    [
        *[(name, pa.string()) for name in TEXTS],
        ("status_date", pa.timestamp("us", "UTC")),
        ("price", pa.decimal128(38, 9)),
        ("duration", pa.float64()),
    ]
)
POLARS = dict.fromkeys(TEXTS, pl.String) | {"status_date": pl.Datetime("us", "UTC"), "price": pl.Decimal(38, 9), "duration": pl.Float64}
DUCKDB = str(dict.fromkeys(TEXTS, "VARCHAR") | {"status_date": "TIMESTAMPTZ", "price": "DECIMAL(38,9)", "duration": "DOUBLE"})


def in_csv(values):
    """The same as they stand in a CSV."""
    return [[disarmed(value) if isinstance(value, str) else value for value in row] for row in values]


def of_pandas(frame):
    """Values of a frame, what is missing as None."""
    return exactly(frame[NAMES].astype(object).where(frame[NAMES].notna(), None).to_numpy().tolist())


def of_arrow(table):
    return exactly([[row[name] for name in NAMES] for row in table.to_pylist()])


def exactly(rows):
    """Prices as decimals where a reader has none for such a file: up to 15 digits, a float's digits are those that stood there."""
    price = NAMES.index("price")
    return [[Decimal(str(value)) if place == price and value is not None else value for place, value in enumerate(row)] for row in rows]


def of_duckdb(source):
    def read(path):
        with duckdb.connect() as connection:
            return of_arrow(connection.sql(f"SELECT * FROM {source.replace('?', repr(str(path)))}").to_arrow_table())

    return read


READERS = {
    ("polars", "parquet"): lambda path: of_arrow(pl.read_parquet(path).to_arrow()),
    ("polars", "csv"): lambda path: of_arrow(pl.read_csv(path, schema_overrides=POLARS).to_arrow()),
    ("polars", "jsonl"): lambda path: of_arrow(
        pl.read_ndjson(path, infer_schema_length=None)
        .with_columns(pl.col("status_date").str.to_datetime(time_unit="us", time_zone="UTC"))
        .to_arrow()
    ),
    ("pandas", "parquet"): lambda path: of_pandas(pd.read_parquet(path)),
    ("pandas", "csv"): lambda path: of_pandas(
        pd.read_csv(path, dtype=dict.fromkeys([*TEXTS, "price"], "str"), parse_dates=["status_date"])
    ),
    ("pandas", "jsonl"): lambda path: of_pandas(
        pd.read_json(path, lines=True, dtype=dict.fromkeys(TEXTS, "str")).assign(
            status_date=lambda frame: pd.to_datetime(frame["status_date"], format="ISO8601")
        )
    ),
    ("pyarrow", "parquet"): lambda path: of_arrow(pyarrow.parquet.read_table(path)),
    ("pyarrow", "csv"): lambda path: of_arrow(
        pyarrow.csv.read_csv(
            path,
            parse_options=pyarrow.csv.ParseOptions(newlines_in_values=True),
            convert_options=pyarrow.csv.ConvertOptions(
                column_types=ARROW.append(pa.field("price", pa.decimal128(38, 9))),
                strings_can_be_null=True,
                quoted_strings_can_be_null=False,
            ),
        )
    ),
    ("pyarrow", "jsonl"): lambda path: of_arrow(
        pyarrow.json.read_json(path, parse_options=pyarrow.json.ParseOptions(explicit_schema=ARROW))
    ),
    ("duckdb", "parquet"): of_duckdb("read_parquet(?)"),
    ("duckdb", "csv"): of_duckdb(f"read_csv(?, types = {DUCKDB})"),
    ("duckdb", "jsonl"): of_duckdb(f"read_json(?, columns = {DUCKDB})"),
}


@pytest.fixture
async def stream(caller, line):
    """A list of messages that are easily harmed."""
    line.will(page(ROWS))
    return caller.track_messages()


@pytest.mark.parametrize(("reader", "format"), READERS, ids=map("-".join, READERS))
async def test_each_reader_tells_the_values_that_were_sent(stream, tmp_path, reader, format):
    """Leading zeros, pluses, an id that looks like a number, line breaks, microseconds, another zone, what is absent."""
    path = tmp_path / f"messages.{format}"
    await export_to(stream, path)

    assert READERS[reader, format](path) == (in_csv(VALUES) if format == "csv" else VALUES)


async def test_lists_and_objects_are_lists_and_structs(stream, tmp_path):
    """Absent and empty are told apart; of keys that nobody knows, each value is JSON."""
    path = tmp_path / "messages.parquet"
    await export_to(stream, path)

    frame = pl.read_parquet(path)

    assert frame["groups"].to_list() == [["a", "Κατάστημα"], [], None]
    assert frame["extra"].to_list() == [[{"key": "newKey", "value": '{"deep":[1]}'}], None, None]
    (recording,), empty, absent = frame["recordings"].to_list()
    assert (empty, absent) == ([], None)
    assert recording["start"] == MOMENTS[1]
    assert (recording["tracking_id"], recording["voice_tracking_ids"], recording["duration"]) == ("r1", ["00123"], None)
    assert recording["extra"] == [{"key": "odd", "value": "true"}]


async def test_a_frame_is_what_the_file_is(stream, line, tmp_path):
    """Also of an empty list: the same columns and types."""
    await export_to(stream, tmp_path / "messages.parquet")
    written = pl.read_parquet(tmp_path / "messages.parquet")
    line.will(page(ROWS), page([]), page([]))

    assert (await to_polars(stream)).equals(written)
    assert (await to_polars(stream)).schema == written.schema
    await export_to(stream, tmp_path / "none.parquet")
    assert pl.read_parquet_schema(tmp_path / "none.parquet") == written.schema
    assert (written.schema["status_date"], written.schema["price"]) == (pl.Datetime("us", "UTC"), pl.Decimal(38, 9))
