"""``voicedrop summary``: campaigns in figures, one after another, and what became of those that failed."""

import asyncio
import csv
import io
import json
from decimal import Decimal

import pytest
from raw_server import answer, falls_silent

from voicedrop_async import ConfigError
from voicedrop_async.cli._commands.summary import summary

from .lists import behind, ctrl_c
from .processes import run, start


def page(*rows, counted=None):
    """A campaign's only page, which may count more than it has."""
    content = [{"messageId": f"m{number}"} | row for number, row in enumerate(rows)]
    totals = {"totalPages": 1, "totalElements": counted or len(rows), "last": True, "number": 0, "size": 100}
    return answer(body={"content": content, **totals})


BUSY = {"status": {"status": "Busy", "date": "2026-03-02T09:30:05Z"}, "country": "GR", "duration": 0}
DONE = {
    "status": {"status": "Completed", "date": "2026-03-02T09:31:00Z"},
    "country": "GR",
    "duration": 65,
    "price": 0.0102,
    "answeredBy": "HUMAN",
}


async def test_each_campaign_is_a_line_and_a_failed_one_is_told_of(sandbox, line, tmp_path):
    """By ids as arguments and from stdin, in the order in which they are done; the others are written all the same."""
    line.will(page(BUSY, DONE, DONE), answer(404, {"developerMessage": "Tracking not found"}), page())
    (tmp_path / "ids").write_text("gone-2\n\nempty-3\n")
    with (tmp_path / "ids").open() as ids:
        ended = await asyncio.to_thread(run, "summary", "--max-in-flight", "1", "spring-1", "-", env=behind(sandbox, line), stdin=ids)

    assert ended.code == 1
    assert ended.err.startswith("voicedrop: gone-2: GET /voice/tracking/campaign/")
    assert ended.err.count("\n") == 1
    spring, empty = (json.loads(row, parse_float=Decimal) for row in ended.out.splitlines())
    assert spring == {
        "tracking_id": "spring-1",
        "messages": 3,
        "statuses": {"Busy": 1, "Completed": 2},
        "answered_by": {"HUMAN": 2},
        "countries": {"GR": 3},
        "cost": Decimal("0.0204"),
        "duration": 130,
        "longest": 65,
        "first": "2026-03-02T09:30:05Z",
        "last": "2026-03-02T09:31:00Z",
        "collected_tones": {},
        "complete": True,
    }
    assert (empty["tracking_id"], empty["messages"], empty["complete"]) == ("empty-3", 0, True)


async def test_a_campaign_of_which_messages_are_missing_ends_with_4(sandbox, line):
    """In CSV: a header, the counts by word as JSON, and nothing that a spreadsheet would run."""
    line.will(page({"status": {"status": "=1+1"}, "price": -1.5, "country": '"EL"'}, counted=3))
    ended = await asyncio.to_thread(run, "summary", "spring-1", "--format", "csv", env=behind(sandbox, line))

    assert ended.code == 4
    assert ended.err == "voicedrop: not complete: 1 of 1 campaigns; each of them says so\n"
    (row,) = csv.DictReader(ended.out.splitlines())
    assert (row["tracking_id"], row["messages"], row["longest"], row["complete"]) == ("spring-1", "1", "", "false")
    assert (json.loads(row["statuses"]), json.loads(row["countries"])) == ({"=1+1": 1}, {'"EL"': 1})
    assert (row["cost"], row["first"]) == ("-1.5", "")


async def test_ctrl_c_says_how_far_it_came(sandbox, line):
    line.will(page(BUSY), falls_silent())
    ended = await ctrl_c(line, 2, "summary", "--max-in-flight", "1", "spring-1", "autumn-2", env=behind(sandbox, line))

    assert (ended.code, ended.err) == (130, "voicedrop: interrupted: campaigns written: 1 of 2\n")
    assert ended.out.count("\n") == 1


async def test_on_a_terminal_a_campaign_is_a_few_lines(sandbox, line, terminal):
    line.will(page(BUSY, DONE, DONE))
    child = start("summary", "spring-1", env=behind(sandbox, line), stdout=terminal.side, stderr=terminal.side)
    terminal.hand_over()
    await asyncio.to_thread(terminal.read_until)

    assert child.wait() == 0
    assert [" ".join(row.split()) for row in terminal.rows if row][:4] == [
        "campaign spring-1",
        "messages 3",
        "when 2026-03-02 09:30:05 to 2026-03-02 09:31:00 (UTC)",
        "status Completed 2 66.7%",
    ]
    assert "\x1b[32mCompleted" in terminal.seen


@pytest.mark.parametrize(("ids", "said"), [((), "ID: missing"), (("-",), "ID: missing"), (("c1", "--nope"), "--nope: no option")])
async def test_what_is_no_id_is_refused_before_anything_is_sent(monkeypatch, ids, said):
    monkeypatch.setattr("sys.stdin", io.StringIO("\n"))
    with pytest.raises(ConfigError, match=said):
        await summary(*ids)
