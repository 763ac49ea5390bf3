"""A file of messages is drawn as its stream is, whatever its format; what holds none is refused by the line."""

import json

import attrs
import polars as pl
import pytest
from report.reported import read

from voicedrop_async import ConfigError, export_to, report_to
from voicedrop_async.export._frames import schema_of
from voicedrop_async.models import VoiceMessage
from voicedrop_async.report import _batches, _reporting, _tally

HEADER = ",".join(_tally.COLUMNS).encode() + b"\n"


async def test_a_file_tells_the_same_as_its_stream(messages, tmp_path, monkeypatch):
    """All three formats, in more than one batch: what a spreadsheet was kept from running is shown as it was."""
    for name, size in (("_ROWS", 3), ("_PARQUET_ROWS", 3), ("_BYTES", 700)):
        monkeypatch.setattr(_batches, name, size)
    drawn = []
    monkeypatch.setattr(_reporting, "page_of", lambda title, figures: drawn.append((title, figures)) or b"")
    await report_to(messages, tmp_path / "stream.html")
    for name in ("messages.jsonl", "messages.csv", "messages.parquet"):
        await export_to(messages, tmp_path / name)
        steps = []
        from_file = await report_to(tmp_path / name, tmp_path / f"{name}.html", on_batch=lambda *step, steps=steps: steps.append(step))

        assert (from_file.messages, from_file.report, steps[-1]) == (7, None, (7, 1.0))
        assert len(steps) > 1
        assert sorted(steps) == steps
        (title, figures), (first_title, first) = drawn[-1], drawn[0]
        assert figures.standing == "Made from a file, which does not tell whether its list was complete."
        assert (title, attrs.evolve(figures, standing=first.standing)) == (first_title, first)


@pytest.mark.parametrize(
    ("name", "content", "fault"),
    [
        ("a.txt", b"", "its name tells no format"),
        ("none.jsonl", None, "No such file"),
        ("cut.jsonl", b'{"message_id":"m1"}\n{"message_id":"m2","status":"Comp', "line 2 cannot be read"),
        ("drops.jsonl", b'{"id":1,"state":"SENT"}\n', "line 1 cannot be read"),
        ("drops.csv", b"id,state\n1,SENT\n", "no export of voice messages"),
        ("odd.csv", HEADER + b"m1,,,,,,,,,\nm2,,,,2026-03-02T09:00:00,,,,,\nm3,,,,,,,,,\n", "line 3 cannot be read"),
        ("short.csv", HEADER + b"m1,,,,,,,,,\nm2\nm3,,,,,,,,,\n", "line 3 cannot be read"),
        ("latin.csv", HEADER + b'm1,,,,,,,,,\n"m\n2",,\xe9,,,,,,,\nm3,,,,,,,,,\n', "line 4 cannot be read"),
        ("quoted.csv", HEADER + b'm1,,,,,,,,,\n"m2"x,,,,,,,,,\nm3,,,,,,,,,\n', "line 3 cannot be read"),
        ("no.parquet", b"PAR1", "cannot be read as Parquet"),
    ],
)
async def test_what_holds_no_messages_is_refused(tmp_path, name, content, fault):
    if content is not None:
        (tmp_path / name).write_bytes(content)

    with pytest.raises(ConfigError, match=fault):
        await report_to(tmp_path / name, tmp_path / "a.html")

    assert not (tmp_path / "a.html").exists()


async def test_a_parquet_file_whose_json_is_none_is_refused(tmp_path):
    row = {"message_id": "m1", "extra": [{"key": "status", "value": "{"}]}
    pl.DataFrame([row], schema=schema_of(VoiceMessage)).write_parquet(tmp_path / "odd.parquet")

    with pytest.raises(ConfigError, match="cannot be read as Parquet"):
        await report_to(tmp_path / "odd.parquet", tmp_path / "a.html")


async def test_a_cell_may_be_as_long_as_an_answer(tmp_path):
    """Longer than Python's ``csv`` takes; the rest of the process keeps its own limit."""
    reason, limit = "x" * 200_000, _batches.csv.field_size_limit()
    row = json.dumps({"status": {"reason": reason}}).replace('"', '""')
    (tmp_path / "long.csv").write_bytes(HEADER + f'm1,,,Busy,,,,,,"{row}"\n'.encode())

    await report_to(tmp_path / "long.csv", tmp_path / "a.html")

    assert read(tmp_path / "a.html").tables["failures"][1][4] == f"The line was busy. {reason[:200]}"
    assert _batches.csv.field_size_limit() == limit
