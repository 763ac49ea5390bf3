"""``send``, ``track`` and ``records`` over real sockets, against the sandbox that ``voicedrop sandbox`` serves."""

import asyncio
import json
from decimal import Decimal
from pathlib import Path

import attrs
import pytest

from voicedrop_async import VoicemailDropRecord
from voicedrop_async.cli._app import COMMANDS

from .lists import past
from .processes import NUMBERS, PROGRAM, environment_of, run, start


def read(text):
    return [json.loads(line, parse_float=Decimal) for line in text.splitlines()]


def names(model):
    return [field.name for field in attrs.fields(model) if field.name != "extra"]


@pytest.mark.once
def test_each_command_does_its_work_as_a_process_from_the_beginning(own_environment, campaign_file, tmp_path):
    """With what it imports itself, and no more. ``sandbox`` and ``demo`` are started so elsewhere."""
    journal, listed, page = (str(tmp_path / name) for name in ("sends", "all.jsonl", "all.html"))

    def said(command, *arguments):
        ended = run(command, *arguments, env=own_environment, program=PROGRAM)
        assert ended.code == 0, (command, ended.err)
        return ended.out

    (receipt,) = read(said("send", str(campaign_file), "--yes", "--journal", journal, "--ref", "order-1"))
    commands = {
        "completion": ("bash",),
        "doctor": (),
        "journal": (journal,),
        "records": (*past(), "--max-items", "5"),
        "summary": (receipt["tracking_id"],),
        "track": ("--max-items", "5", "--out", listed),
        "report": (listed, "--out", page),
    }
    assert {"send", "sandbox", "demo", *commands} == COMMANDS.keys()
    for command, arguments in commands.items():
        said(command, *arguments)
    assert "</html>" in Path(page).read_text(encoding="utf-8")


def test_track_writes_every_message_once_with_the_names_of_columns(environment):
    ended = run("track", *past(), "--page-size", "70", env=environment)

    assert (ended.code, ended.err) == (0, "")
    messages = read(ended.out)
    assert len({message["message_id"] for message in messages}) == len(messages) == 300
    assert {"message_id", "status", "status_date", "message_text", "extra"} < set(messages[0])
    assert all(message["status_date"].endswith("Z") and message["to"].startswith("+") for message in messages)


async def test_track_tells_the_whole_truth(sandbox):
    """What is written is what the service holds: ids, words and numbers, prices to the last digit."""
    ended = await asyncio.to_thread(run, "track", env=environment_of(sandbox))

    assert ended.code == 0
    told = [(m["message_id"], m["to"], m["status"], m["price"] and float(m["price"]), m["answered_by"]) for m in read(ended.out)]
    held = [(m["messageId"], m["to"], m["status"]["status"], m["price"], m.get("answeredBy")) for m in sandbox.messages]
    assert told == held


def test_track_can_be_cut_and_filtered(environment):
    cut = run("track", "--max-items", "5", env=environment)
    busy = run("track", "--filter", "status=Busy", "--filter", "recipient:starts_with=+", env=environment)

    assert (cut.code, cut.err) == (0, "")
    assert len(read(cut.out)) == 5
    assert busy.code == 0
    assert {message["status"] for message in read(busy.out)} == {"Busy"}


def test_a_sent_campaign_can_be_tracked_by_the_id_of_its_receipt(own_environment, campaign_file):
    sent = run("send", str(campaign_file), "--yes", env=own_environment)

    assert (sent.code, sent.err) == (0, "")
    (receipt,) = read(sent.out)
    assert receipt["campaign_name"] == "Spring sale"
    assert receipt["statuses"]["Queued"] == 3
    tracked = run("track", "--campaign", receipt["tracking_id"], env=own_environment)
    assert sorted(message["to"] for message in read(tracked.out)) == sorted(NUMBERS)


async def test_send_tells_of_refused_recipients(sandbox, campaign_file):
    """The service can take a campaign and refuse some of its numbers: the receipt says which, stderr only that it does."""
    problem = {"code": "400013004", "developerMessage": "Invalid recipient", "property": [NUMBERS[0]]}
    answer = {"trackingId": "c1", "cost": 0.3, "errors": [problem]}
    sandbox.fail_next(body=json.dumps(answer).encode(), content_type="application/json", path="/voice/campaign")

    ended = await asyncio.to_thread(run, "send", str(campaign_file), "--yes", env=environment_of(sandbox))

    assert ended.code == 0
    assert read(ended.out)[0]["problems"][0]["property"] == [NUMBERS[0]]
    assert "see problems in the receipt (1)" in ended.err
    assert NUMBERS[0] not in ended.err


async def test_records_writes_every_drop_of_the_range_once(sandbox):
    """However the range is sliced."""
    by_day = await asyncio.to_thread(run, "records", *past(), env=environment_of(sandbox))
    by_hours = await asyncio.to_thread(run, "records", *past(), "--slices", "5h", env=environment_of(sandbox))

    assert (by_day.code, by_day.err) == (0, "")
    assert by_hours == by_day
    drops = read(by_day.out)
    assert [drop["id"] for drop in drops] == [drop["id"] for drop in sandbox.drops]
    assert all(list(drop) == names(VoicemailDropRecord) for drop in drops)
    assert {drop["state"] for drop in drops} == {"SENT", "DELIVERED", "FAILED", "REJECTED"}


def test_records_can_be_of_one_team_and_cut(environment):
    ended = run("records", *past(), "--team", "2", "--max-items", "3", env=environment)

    assert (ended.code, ended.err) == (0, "")
    assert [drop["team"] for drop in read(ended.out)] == [2, 2, 2]


def test_a_reader_who_has_enough_ends_the_command_quietly(environment):
    """As with ``voicedrop track | head -1``."""
    with start("track", "--page-size", "20", env=environment) as child:
        first = child.stdout.readline()
        child.stdout.close()
        err = child.stderr.read()

    assert json.loads(first)["message_id"]
    assert (child.returncode, err) == (0, b"")
