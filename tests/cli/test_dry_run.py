"""``send --dry-run`` shows whom a campaign would reach: the service is asked, and nothing is sent."""

import asyncio
import json
import subprocess

from .processes import NUMBERS, environment_of, run, start

CAMPAIGN = {"sender": "302101234567", "name": "Spring sale", "message": {"text": "Hello", "language": "en-GB"}}
ANALYSIS = {
    "numberOfRecipients": 1001,
    "recipientsPerCountry": {"DE": 1, "GR": 1000},
    "recipientsPerGroup": {"old customers": 998},
    "contacts": {"c1": {"recipient": NUMBERS[1], "blacklisted": True}, "c2": {"blacklisted": False}},
    "errors": [{"code": "400013004", "developerMessage": f"Unwanted:\x1b {NUMBERS[2]}", "property": [NUMBERS[2], "+4915112345678"]}],
}
SEEN = """\
Campaign     Spring sale
Sender       3021*****67
Says         Hello (en-GB)
Recipients   3 numbers
Begins       now
Account      ROUTEE_APPLICATION_ID of the environment
Service      {url}
Reached      1,001
  GR         1,000
  DE         1
Group        old customers: 998
Blacklisted  1: c1
Refused      2: Unwanted:\\x1b +3069*****70 (line 4, +4915*****78)
Nothing was sent.
"""


async def test_a_dry_run_is_a_table_for_eyes_and_a_line_of_json_for_programs(sandbox, terminal, tmp_path):
    """With the whole command as it will be run: neither is a campaign posted, nor is the journal begun."""
    campaign, recipients = tmp_path / "spring.json", tmp_path / "list.txt"
    campaign.write_text(json.dumps(CAMPAIGN))
    recipients.write_text("# spring\n" + "".join(f"{number}\n" for number in (*NUMBERS, NUMBERS[0])))
    command = ("send", str(campaign), "--dry-run", "--yes", "--journal", str(tmp_path / "sends"), "--ref", "order-4711", "--to")
    env = environment_of(sandbox)
    with recipients.open("rb") as stdin:
        line = await asyncio.to_thread(run, *command, "-", env=env, stdin=stdin)
    sandbox.fail_next(body=json.dumps(ANALYSIS).encode(), content_type="application/json", path="/voice/analysis")
    with start(*command, str(recipients), env=env, stdout=terminal.side, stderr=subprocess.PIPE) as child:
        terminal.hand_over()
        await asyncio.to_thread(terminal.read_until)
        said = child.stderr.read().decode()

    assert (line.code, child.returncode) == (0, 0)
    assert json.loads(line.out)["recipients_per_country"] == {"GR": 3}
    assert line.err == "voicedrop: standard input: numbers that stand there again, and are called once: 1\n"
    assert terminal.seen.replace("\r\n", "\n") == SEEN.format(url=sandbox.routee_url)
    assert not any(number in terminal.seen + said for number in NUMBERS)
    assert {request.path for request in sandbox.requests} == {"/oauth/token", "/voice/analysis"}
    assert not (tmp_path / "sends").exists()


async def test_what_track_writes_can_be_called_again(sandbox, tmp_path):
    """In a pipe, where nobody can be asked: the tracked messages are the recipients."""
    campaign = tmp_path / "again.json"
    campaign.write_text(json.dumps(CAMPAIGN))
    tracked = await asyncio.to_thread(run, "track", "--max-items", "40", env=environment_of(sandbox))
    with (tmp_path / "missed.jsonl").open("w+b") as stdin:
        stdin.write(tracked.out.encode())
        stdin.seek(0)
        sent = await asyncio.to_thread(run, "send", str(campaign), "--to", "-", "--yes", env=environment_of(sandbox), stdin=stdin)

    assert sent.code == 0
    assert sandbox.campaigns[0].body["to"] == list(dict.fromkeys(message["to"] for message in sandbox.messages[:40]))
