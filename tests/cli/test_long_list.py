"""``send --to`` with more recipients than one campaign takes: whatever comes between, each is called once, counted at the sandbox."""

import asyncio
import json
import re
import shlex
import signal
from collections import Counter

import pytest

from .processes import CAMPAIGN, asked, environment_of, finish, run, start

PEOPLE = [f"+30691{number:07}" for number in range(2_500)]
ONCE = Counter(PEOPLE)


@pytest.fixture
def sending(tmp_path):
    """The words of the command, over files that are there."""
    (tmp_path / "spring.toml").write_text(CAMPAIGN.replace("to = ", "#"))
    (tmp_path / "big.csv").write_text("to\n" + "\n".join(PEOPLE))
    files = (str(tmp_path / "spring.toml"), "--to", str(tmp_path / "big.csv"))
    return ("send", *files, "--journal", str(tmp_path / "sends"), "--ref", "order-4711")


def called(sandbox):
    return Counter(number for campaign in sandbox.campaigns for number in campaign.recipients)


def receipts(ended):
    return [json.loads(line)["tracking_id"] for line in ended.out.splitlines()]


def settling(said):
    """What stderr says to type, by somebody who has seen the messages."""
    (command,) = re.findall(r"voicedrop (journal \S+ --settle \S+ --sent), or --not-sent", said)
    return shlex.split(command)


async def test_a_list_that_is_stopped_twice_calls_everybody_once(terminal, sandbox, sending):
    """Asked and answered; then the answer to the first campaign is lost, and Ctrl-C comes while the second is on its way."""
    env = environment_of(sandbox)
    sandbox.fail_next(drop="after_acting", path="/voice/campaign")
    lost, out = await asyncio.to_thread(asked, terminal, env, "y\n", *sending[1:])
    assert (lost, out) == (3, "")
    assert "Recipients  2,500 numbers, in 3 campaigns" in terminal.rows
    assert "campaign 1 of 3 may have been sent" in terminal.seen
    assert (await asyncio.to_thread(run, *settling(terminal.seen), env=env)).code == 0

    sandbox.delay(60, path="/voice/campaign")
    child = start(*sending, "--yes", env=env, bufsize=0)
    first = await asyncio.to_thread(child.stdout.readline)
    async with asyncio.timeout(30):
        while True:
            if len(sandbox.campaigns) == 2:
                break
            await asyncio.sleep(0)
    child.send_signal(signal.SIGINT)
    interrupted = await asyncio.to_thread(finish, child)
    assert (interrupted.code, json.loads(first)["campaign_name"][:12]) == (130, "Spring sale ")
    assert "interrupted: campaign 2 of 3 may have been sent all the same" in interrupted.err
    assert (await asyncio.to_thread(run, *settling(interrupted.err), env=env)).code == 0

    sandbox.clear_faults()
    last = await asyncio.to_thread(run, *sending, "--yes", env=env)
    again = await asyncio.to_thread(run, *sending, "--yes", env=env)

    assert (last.code, last.err, len(receipts(last))) == (0, "", 3)
    assert again.out == last.out
    assert called(sandbox) == ONCE


async def test_a_campaign_that_is_refused_does_not_stop_the_list_and_is_sent_by_the_next_run(terminal, sandbox, sending):
    """Which shows on a terminal how far it is."""
    sandbox.fail_next(status=400, path="/voice/campaign")
    refused = await asyncio.to_thread(run, *sending, "--yes", env=environment_of(sandbox))
    child = start(*sending, "--yes", env=environment_of(sandbox), stderr=terminal.side)
    terminal.hand_over()
    await asyncio.to_thread(terminal.read_until)
    ended = await asyncio.to_thread(finish, child)

    assert (refused.code, len(receipts(refused))) == (1, 2)
    assert "order-4711/1 was not sent: " in refused.err
    assert refused.err.endswith("campaigns sent: 2 of 3; the same command sends the others\n")
    assert (ended.code, receipts(ended)[1:]) == (0, receipts(refused))
    assert "recipients: 2,500 of 2,500, " in terminal.seen
    assert terminal.left == []
    assert called(sandbox) == ONCE


async def test_a_receipt_that_cannot_be_written_stops_the_list_and_is_written_by_the_next_run(sandbox, sending, full_disk):
    stopped = await asyncio.to_thread(run, *sending, "--yes", env=environment_of(sandbox), stdout=full_disk)
    assert (stopped.code, len(sandbox.campaigns)) == (3, 1)
    assert "order-4711/1 is sent, but its receipt could not be written: No space left" in stopped.err

    ended = await asyncio.to_thread(run, *sending, "--yes", env=environment_of(sandbox))

    assert (ended.code, receipts(ended)) == (0, [campaign.tracking_id for campaign in sandbox.campaigns])
    assert called(sandbox) == ONCE


async def test_a_list_that_grew_or_shrank_beyond_a_campaign_needs_another_ref(sandbox, sending, tmp_path):
    """A thousand go out under the ref itself, and more under the ref and a number: those were other sends."""
    (tmp_path / "few.csv").write_text("to\n" + "\n".join(PEOPLE[:7]))
    few = [word.replace("big.csv", "few.csv") for word in sending]
    for first, other in ((few, sending), (sending, few)):
        named = (*first[:-1], f"order-{len(first[3])}-{first is few}")
        sent = await asyncio.to_thread(run, *named, "--yes", env=environment_of(sandbox))
        count = len(sandbox.campaigns)
        refused = await asyncio.to_thread(run, *other[:-1], named[-1], "--yes", env=environment_of(sandbox))

        assert (sent.code, refused.code, refused.out) == (0, 2, "")
        assert "--ref: stands in " in refused.err
        assert len(sandbox.campaigns) == count


async def test_a_dry_run_adds_up_what_the_service_says_of_each_campaign(sandbox, sending):
    ended = await asyncio.to_thread(run, *sending[:-4], "--dry-run", env=environment_of(sandbox))

    assert ended.code == 0
    told = json.loads(ended.out)
    assert (told["number_of_recipients"], told["recipients_per_country"]) == (2_500, {"GR": 2_500})
    assert told["recipient_countries"] == dict.fromkeys(PEOPLE, "GR")
    assert not sandbox.campaigns
