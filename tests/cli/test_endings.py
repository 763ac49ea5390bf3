"""Exit codes, and the one line on stderr that goes with each."""

import asyncio
import json
import re
import shlex
import sys
from pathlib import Path

import pytest
from raw_server import answer, falls_silent

from voicedrop_async.cli._app import COMMANDS

from .lists import behind, ctrl_c
from .processes import LITTLE_ROOM, NAMES, NUMBERS, PROGRAM, clean, environment_of, run

RANGE = ("--start", "2026-03-01T00:00:00Z", "--end", "2026-03-02T00:00:00Z")


def only_line(ended):
    """What was said on stderr: one line, from us, no traceback."""
    assert ended.err.startswith("voicedrop: ")
    assert ended.err.count("\n") == 1
    return ended.err


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (("nope",), "nope"),
        (("track", "--page-size", "many"), "--page-size"),
        (("track", "--start", "2026-03-02T09:00:00"), "--start"),
        (("track", "--filter", "contry=GR"), "--filter"),
        (("track", "--page-size", "0"), "--page-size: "),
        (("track", "--rate", "0"), "--rate: "),
        (("records", "--end", "2026-03-02T09:00:00Z"), "--start"),
        (("records", *RANGE, "--slices", "often"), "--slices"),
        (("records", "--start", RANGE[3], "--end", RANGE[1]), "end"),
        (("send",), "FILE"),
        (("send", "none.toml"), "none.toml"),
        (("send", "FILE", "--yes", "--ref", "order-7"), "--journal"),
        (("send", "FILE", "--yes", "--journal", "sends"), "--ref"),
        (("sandbox", "--port", "70000"), "--port"),
    ],
)
def test_wrong_usage_ends_with_2_and_names_what_is_wrong(arguments, named, campaign_file):
    credentials = dict(zip(NAMES, ["https://127.0.0.1:9"] * 2 + ["id", "secret", "https://127.0.0.1:9", "token"], strict=True))
    credentials["ROUTEE_RATE"] = "5"  # which is not to blame

    ended = run(*(str(campaign_file) if word == "FILE" else word for word in arguments), env=clean(**credentials))

    assert ended.code == 2
    assert named in only_line(ended)
    assert ended.out == ""


@pytest.mark.parametrize(
    ("arguments", "variable"),
    [
        (("track",), "ROUTEE_APPLICATION_ID"),
        (("records", *RANGE), "SPACIVOX_ACCESS_TOKEN"),
        (("send", "FILE", "--yes"), "ROUTEE_APPLICATION_ID"),
    ],
)
def test_missing_credentials_end_with_2_and_name_the_variable(arguments, variable, campaign_file):
    ended = run(*(str(campaign_file) if word == "FILE" else word for word in arguments), env=clean())
    assert ended.code == 2
    assert variable in only_line(ended)


def test_without_the_extra_a_sentence_says_how_to_install_it():
    """As if cyclopts were not installed: its name leads nowhere."""
    program = "import sys; sys.modules['cyclopts'] = None; from voicedrop_async.__main__ import main; sys.exit(main())"
    ended = run(env=clean(), program=(sys.executable, "-c", program))
    assert ended.code == 2
    assert 'python -m pip install "voicedrop-async[cli]"' in only_line(ended)
    assert '".[cli]"' in ended.err


def test_another_module_that_is_missing_is_not_blamed_on_the_extra():
    """A broken installation shows itself as it is."""
    program = "import sys; sys.modules['tomllib'] = None; from voicedrop_async.__main__ import main; sys.exit(main())"
    ended = run("doctor", env=clean(), program=(sys.executable, "-c", program))
    assert ended.code == 1
    assert "tomllib" in ended.err
    assert "pip install" not in ended.err


async def test_credentials_that_are_refused_end_with_1_and_are_not_echoed(sandbox):
    environment = environment_of(sandbox) | {"ROUTEE_APPLICATION_SECRET": "canary-of-a-secret"}

    ended = await asyncio.to_thread(run, "track", env=environment)

    assert ended.code == 1
    assert "POST /oauth/token" in only_line(ended)
    assert "canary" not in ended.err + ended.out


async def test_what_the_service_says_of_a_number_is_masked(sandbox, campaign_file):
    """A refusal quotes the recipient; stderr ends up in logs."""
    refusal = {"code": "400005004", "developerMessage": f"Invalid recipient {NUMBERS[0]}"}
    sandbox.fail_next(status=400, body=json.dumps(refusal).encode(), content_type="application/json", path="/voice/campaign")

    ended = await asyncio.to_thread(run, "send", str(campaign_file), "--yes", env=environment_of(sandbox))

    assert (ended.code, ended.out) == (1, "")
    assert "Invalid recipient +3069*****78" in only_line(ended)


def test_a_number_typed_in_the_wrong_place_is_masked():
    ended = run("track", NUMBERS[0], env=clean())
    assert ended.code == 2
    assert NUMBERS[0] not in only_line(ended)


async def test_a_send_that_may_have_happened_ends_with_3(sandbox, campaign_file):
    """The service acts and the line is cut: one campaign, no receipt, and a warning."""
    sandbox.fail_next(drop="after_acting", path="/voice/campaign")

    ended = await asyncio.to_thread(run, "send", str(campaign_file), "--yes", env=environment_of(sandbox))

    assert (ended.code, ended.out) == (3, "")
    assert "Before you send it again, look some minutes from now: voicedrop track --start" in only_line(ended)
    assert "--filter 'campaign=Spring sale'" in ended.err
    assert "reconcile" not in ended.err
    assert len(sandbox.campaigns) == 1


async def test_with_a_journal_what_is_said_of_an_unknown_can_be_done(sandbox, campaign_file, tmp_path):
    """Look, settle, and send the same ref again: word for word as it was printed."""
    sandbox.fail_next(drop="after_acting", path="/voice/campaign")
    sending = ("send", str(campaign_file), "--yes", "--journal", str(tmp_path / "sends"), "--ref", "order-4711")
    environment = environment_of(sandbox)

    lost = await asyncio.to_thread(run, *sending, env=environment)
    again = await asyncio.to_thread(run, *sending, env=environment)
    look, settle = (shlex.split(words)[1:] for words in re.findall(r"voicedrop (?:track|journal) [^;,]*", lost.err))
    looked = await asyncio.to_thread(run, *look, env=environment)
    settled = await asyncio.to_thread(run, *settle, env=environment)
    last = await asyncio.to_thread(run, *sending, env=environment)

    assert (lost.code, again.code, settled.code, last.code) == (3, 3, 0, 0)
    assert {json.loads(line)["campaign"] for line in looked.out.splitlines()} == {"Spring sale"}
    assert json.loads(last.out)["campaign_name"] == "Spring sale"
    assert len(sandbox.campaigns) == 1


async def test_a_receipt_that_cannot_be_written_does_not_look_like_a_send_that_failed(sandbox, campaign_file, full_disk):
    """The disk is full, the telephones ring: sending once more would be paid once more."""
    ended = await asyncio.to_thread(run, "send", str(campaign_file), "--yes", env=environment_of(sandbox), stdout=full_disk)

    assert ended.code == 3
    assert sandbox.campaigns[0].tracking_id in only_line(ended)


async def test_a_list_that_cannot_be_written_ends_with_1(sandbox, full_disk):
    ended = await asyncio.to_thread(run, "track", env=environment_of(sandbox), stdout=full_disk)

    assert ended.code == 1
    assert only_line(ended) == "voicedrop: standard output: No space left on device\n"


def test_a_file_that_does_not_fit_on_the_disk_is_named_and_can_be_gone_on_with(environment, tmp_path):
    out = tmp_path / "messages.jsonl"

    ended = run("track", "--page-size", "20", "--out", str(out), env=environment, before=LITTLE_ROOM)

    assert ended.code == 1
    assert ended.err.startswith(f"voicedrop: path: {out}.part: cannot be written to: File too large")


async def test_a_list_with_a_row_that_cannot_be_read_ends_with_4(sandbox):
    """What can be read is written; the exit code and stderr say that it is not all."""
    rows = [{"id": 1, "timestamp": "2026-03-01T12:00:00Z"}, "no record"]
    sandbox.fail_next(body=json.dumps(rows).encode(), content_type="application/json", path="/j/voicemail_drop_records")

    ended = await asyncio.to_thread(run, "records", *RANGE, env=environment_of(sandbox))

    assert ended.code == 4
    assert [json.loads(line)["id"] for line in ended.out.splitlines()] == [1]
    assert "not complete (records written: 1; rows or fields that cannot be read: 1)" in only_line(ended)


async def test_a_list_with_messages_missing_ends_with_4_unless_it_was_cut(sandbox):
    page = {"content": [{"messageId": "m1"}], "number": 0, "totalPages": 1, "totalElements": 3, "last": True}
    for _ in range(2):
        sandbox.fail_next(body=json.dumps(page).encode(), content_type="application/json", path="/voice/tracking")

    ended = await asyncio.to_thread(run, "track", env=environment_of(sandbox))
    cut = await asyncio.to_thread(run, "track", "--max-items", "1", env=environment_of(sandbox))

    assert ended.code == 4
    assert "counted by the service: 3; missing, at least: 2" in only_line(ended)
    assert (cut.code, cut.err) == (0, "")


async def test_ctrl_c_ends_a_walk_with_130_and_without_a_word(sandbox, line):
    line.will(falls_silent())
    assert await ctrl_c(line, 1, "track", env=behind(sandbox, line)) == (130, "", "")


async def test_ctrl_c_while_a_campaign_is_sent_warns_that_it_may_have_been(sandbox, line, campaign_file):
    line.will(falls_silent())
    ended = await ctrl_c(line, 1, "send", str(campaign_file), "--yes", env=behind(sandbox, line))

    assert (ended.code, ended.out) == (130, "")
    assert "may have been sent" in only_line(ended)
    assert "--filter 'campaign=Spring sale'" in ended.err


async def test_a_campaign_without_a_name_gets_one_that_is_told(sandbox, line, campaign_file):
    """With a random name that nobody was told, nobody could look for it."""
    campaign_file.write_text(campaign_file.read_text().replace('name = "Spring sale"', ""))
    line.will(falls_silent())
    ended = await ctrl_c(line, 1, "send", str(campaign_file), "--yes", env=behind(sandbox, line))

    assert f"--filter 'campaign={json.loads(line.received[-1].body)['name']}'" in only_line(ended)


async def test_ctrl_c_with_a_journal_says_where_it_is_written_down(sandbox, line, campaign_file, tmp_path):
    campaign_file.write_text(campaign_file.read_text().replace('name = "Spring sale"', ""))
    line.will(falls_silent())
    sending = ("send", str(campaign_file), "--yes", "--journal", str(tmp_path / "sends"), "--ref", "order-4711")
    ended = await ctrl_c(line, 1, *sending, env=behind(sandbox, line))
    opened = await asyncio.to_thread(run, "journal", str(tmp_path / "sends"), env=clean())

    assert f"voicedrop journal {tmp_path / 'sends'} names the campaign" in only_line(ended)
    assert json.loads(opened.out)["campaign_name"] == json.loads(line.received[-1].body)["name"]


async def test_ctrl_c_comes_too_late_once_the_work_is_done(sandbox, campaign_file, tmp_path):
    """Pressed while the loop is closed: whoever is told 130 does it all once more, and ``>>`` would hold everything twice."""
    late = (
        "import asyncio, os, signal; close = asyncio.Runner.close;"
        "asyncio.Runner.close = lambda runner: (os.kill(os.getpid(), signal.SIGINT), close(runner))"
    )
    place, out, page = tmp_path / "place", tmp_path / "messages.jsonl", tmp_path / "page.html"
    lines = []
    for arguments in (
        ("track", "--max-items", "600", "--resume", str(place)),
        ("track", "--max-items", "2", "--out", str(out)),
        ("send", str(campaign_file), "--yes"),
        ("send", str(campaign_file), "--yes", "--journal", str(tmp_path / "sends"), "--ref", "order-4711"),
        ("summary", "CAMPAIGN"),
        ("report", str(out), "--out", str(page)),
    ):
        words = (sandbox.campaigns[0].tracking_id if word == "CAMPAIGN" else word for word in arguments)
        ended = await asyncio.to_thread(run, *words, env=environment_of(sandbox), before=late)
        assert (ended.code, ended.err) == (0, ""), arguments
        lines.append(ended.out.count("\n"))

    assert lines == [500, 0, 1, 1, 1, 0]
    assert {file.name for file in tmp_path.iterdir()} >= {"messages.jsonl", "page.html"}
    assert not place.exists()


async def test_a_server_that_speaks_no_json_ends_with_1(sandbox, line):
    line.will(answer(body=b"<html>", content_type="text/html"))
    ended = await asyncio.to_thread(run, "track", env=behind(sandbox, line))
    assert ended.code == 1
    assert "text/html" in only_line(ended)


@pytest.mark.parametrize("arguments", [(), ("--help",), *((name, "--help") for name in COMMANDS)])
def test_help_fits_a_terminal_and_tells_the_exit_codes(arguments):
    ended = run(*arguments, env=clean())
    assert (ended.code, ended.err) == (0, "")
    assert max(len(row) for row in ended.out.splitlines()) <= 80
    for code in ("0 ", "1 ", "2 ", "3 ", "4 ", "130 "):
        assert f"\n  {code}" in ended.out


def test_nothing_is_sent_where_its_receipt_could_not_be_written(own_environment, campaign_file):
    """Standard output is closed, as with ``>&-``: a script would take the failure for a campaign that was not sent."""
    closed = "import os, sys; os.close(1); os.execv(sys.executable, [sys.executable, '-m', 'voicedrop_async', *sys.argv[1:]])"

    ended = run("send", str(campaign_file), "--yes", env=own_environment, program=(sys.executable, "-c", closed))

    assert ended.code == 2
    assert "standard output is closed" in ended.err
    assert run("track", "--filter", "campaign=Spring sale", env=own_environment).out == ""


def test_the_console_script_and_the_module_are_the_same_program():
    versions = [
        run("--version", env=clean(), program=program) for program in (PROGRAM, (str(Path(sys.executable).with_name("voicedrop")),))
    ]
    assert versions[0] == versions[1]
    assert versions[0].code == 0
