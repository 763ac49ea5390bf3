"""``send`` asks before it spends money: on a terminal, or not at all."""

import asyncio
import json
import signal

import pytest
from attrs import evolve

from voicedrop_async import SpokenMessage, VoiceCampaign
from voicedrop_async.cli._commands.send.preview import planned
from voicedrop_async.cli._settings import Settings

from .processes import CAMPAIGN, NUMBERS, asked, environment_of, finish, run, start


def test_without_a_terminal_and_without_yes_nothing_is_sent(environment, campaign_file):
    ended = run("send", str(campaign_file), env=environment)
    assert (ended.code, ended.out) == (2, "")
    assert "--yes" in ended.err


async def test_yes_sends_and_only_the_receipt_is_on_stdout(terminal, sandbox, tmp_path):
    """The question shows what will happen, of numbers only how many, and on whose account."""
    settings, campaign, people = tmp_path / "config.toml", tmp_path / "spring.toml", tmp_path / "people.csv"
    campaign.write_text(CAMPAIGN.replace("to = ", "#").replace("[message]", "scheduled_date = 2030-03-02T09:00:00+02:00\n[message]"))
    people.write_text("name;to\n" + "".join(f"somebody;{number}\n" for number in (*NUMBERS, NUMBERS[0])))
    environment = environment_of(sandbox) | {"VOICEDROP_CONFIG": str(settings), "VOICEDROP_PROFILE": "north"}
    settings.touch(mode=0o600)
    settings.write_text(f"[north]\nroutee_application_id = {environment.pop('ROUTEE_APPLICATION_ID')!r}\n")

    code, out = await asyncio.to_thread(asked, terminal, environment, "y\n", campaign, "--to", people)

    assert code == 0
    assert json.loads(out)["campaign_name"] == "Spring sale"
    assert sandbox.campaigns[0].body["to"] == [*NUMBERS]
    assert [row for row in terminal.rows if row] == [
        f"voicedrop: {people}: numbers that stand there again, and are called once: 1",
        "Campaign    Spring sale",
        "Sender      3021*****67",
        "Says        Hello (en-GB, female)",
        "Recipients  3 numbers",
        "Begins      2030-03-02 09:00:00+02:00",
        f"Account     {settings}, profile 'north'",
        f"Service     {sandbox.routee_url}",
        "Send it? It costs money and rings telephones. [y/N] y",
    ]


def test_what_is_played_and_a_long_text_are_shown_as_far_as_they_may_be(monkeypatch, tmp_path):
    """A signature is a secret, a text can turn the line round, and a person who asks to be called back has a number."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    one = VoiceCampaign("302101234567", to=NUMBERS[:1])
    played = dict(planned(evolve(one, file_url="https://example.com/spring.wav?signature=secret"), Settings.load(None)))
    said = dict(planned(evolve(one, message=SpokenMessage(f"Call\n{NUMBERS[0]}\u202e! {'so ' * 99}")), Settings.load(None)))

    assert (played["Recipients"], played["Plays"]) == ("1 number", "https://example.com/spring.wav")
    assert said["Says"].startswith("Call +3069*****78\\x202e! so so ")
    assert said["Says"].endswith("...")


@pytest.mark.parametrize(
    ("answer", "ends_with"),
    [("\n", 1), ("n\n", 1), ("\xff\n", 1), ("\x04", 1), (signal.SIGINT, 130)],
    ids=["", "n", "odd", "Ctrl-D", "Ctrl-C"],
)
async def test_anything_else_sends_nothing(terminal, sandbox, campaign_file, answer, ends_with):
    """Also Ctrl-D, the end of the input, and Ctrl-C."""
    code, out = await asyncio.to_thread(asked, terminal, environment_of(sandbox), answer, campaign_file)

    assert (code, out) == (ends_with, "")
    assert [row for row in terminal.rows if row][-1] == "voicedrop: nothing was sent"
    assert not sandbox.requests


async def test_a_campaign_that_cannot_be_is_refused_before_anybody_is_asked(terminal, sandbox, campaign_file):
    campaign_file.write_text(campaign_file.read_text().replace("Spring sale", "Spring_sale"))
    child = start("send", str(campaign_file), env=environment_of(sandbox), stdin=terminal.side, stderr=terminal.side)
    terminal.hand_over()
    await asyncio.to_thread(terminal.read_until)

    assert (await asyncio.to_thread(finish, child)).code == 2
    assert [row for row in terminal.rows if row] == [
        f"voicedrop: {campaign_file}: name: must be 2 to 30 Latin letters, digits, spaces and hyphens"
    ]
    assert not sandbox.requests
