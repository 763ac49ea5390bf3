"""What stands in an exported file, read with polars."""

from functools import partial

import polars as pl

READERS = {"jsonl": partial(pl.read_ndjson, infer_schema_length=None), "csv": pl.read_csv, "parquet": pl.read_parquet}
"""By the format of the file."""


def ids(path, format="jsonl", key="message_id"):
    """The ids of its rows, in their order."""
    return READERS[format](path)[key].to_list()
