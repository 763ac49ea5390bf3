"""Streams as files and as frames: JSON lines and CSV, and with the extra ``export`` Parquet and polars.

A stream is walked page by page on the loop, a thread beside it writes, and the two hold a few thousand items between them:

    export_to, to_polars      the walk, and when what is kept            _exporting
      Lines, Frames           the file until it is whole, and its place  _parts
        to_jsonl, to_csv      items as lines                             _text
        frame_of              items as a frame                           _frames
          rows_of             the columns of both models, filled in      _rows
"""

from voicedrop_async.export._exporting import Exported, Format, export_to, format_of, to_polars
from voicedrop_async.export._parts import Busy
from voicedrop_async.export._text import csv_header, disarmed, json_lines, rearmed, to_csv, to_jsonl

__all__ = [
    "Busy",
    "Exported",
    "Format",
    "csv_header",
    "disarmed",
    "export_to",
    "format_of",
    "json_lines",
    "rearmed",
    "to_csv",
    "to_jsonl",
    "to_polars",
]
