"""A campaign file is TOML or JSON with the names of ``VoiceCampaign``."""

import json
import tomllib
from datetime import UTC, datetime

import pytest

from voicedrop_async import Callback, CallbackStrategy, ConfigError, Gender, SpokenMessage, VoiceCampaign
from voicedrop_async.cli._commands.send.campaign_file import read

EVERYTHING = """
sender = "302101234567"
to = ["+306912345678"]
contacts = ["c1"]
groups = "customers"
name = "Spring sale"
respect_quiet_hours = true
ignore_dnd = false
scheduled_date = 2026-03-02T11:30:00+02:00
hangup_delay = 20
collect_dtmf_digits = true
collect_dtmf_await_seconds = 2.5

[message]
text = "Hello"
language = "en-GB"
gender = "female"

[callback]
strategy = "OnChange"
url = "https://example.com/calls"

[campaign_callback]
strategy = "OnCompletion"
url = "https://example.com/campaign"
"""


def test_every_field_of_a_campaign_can_stand_in_a_file(tmp_path):
    file = tmp_path / "all.toml"
    file.write_text(EVERYTHING, encoding="utf-8")
    same = tmp_path / "all.JSON"
    same.write_text(json.dumps(tomllib.loads(EVERYTHING), default=datetime.isoformat), encoding="utf-8-sig")

    assert (
        read(file)
        == read(same)
        == VoiceCampaign(
            "302101234567",
            to=["+306912345678"],
            contacts=["c1"],
            groups="customers",
            name="Spring sale",
            message=SpokenMessage("Hello", language="en-GB", gender=Gender.FEMALE),
            respect_quiet_hours=True,
            ignore_dnd=False,
            scheduled_date=datetime(2026, 3, 2, 9, 30, tzinfo=UTC),
            hangup_delay=20,
            callback=Callback(CallbackStrategy.ON_CHANGE, url="https://example.com/calls"),
            campaign_callback=Callback(CallbackStrategy.ON_COMPLETION, url="https://example.com/campaign"),
            collect_dtmf_digits=True,
            collect_dtmf_await_seconds=2.5,
        )
    )


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ('sender = "1"\nrecipients = []', "recipients"),
        ('sender = "1"\nextra = {}', "extra"),
        ('sender = "1"\n[message]\ntext = "Hi"\nvoice = "female"', "message.voice"),
        ('sender = "1"\n[callback]\nURL = "https://example.com"', "callback.URL"),
        ('to = ["+306912345678"]', "sender"),
        ("sender = 306912345678", "$.sender"),
        ('sender = "1"\nto = [306912345678]', "$.to[0]"),
        ('sender = "1"\nmessage = "Hello"', "$.message"),
        ('sender = "1"\nscheduled_date = 2026-03-02', "$.scheduled_date"),
        ('sender = "1"\nto = ["+306912345678"', "not TOML"),
        ('sender = "1"\nto = +306912345678x', "line 2"),
    ],
)
def test_a_file_that_is_no_campaign_is_refused_by_the_name_of_what_is_wrong(tmp_path, text, named):
    """The text names the key, and shows no value: it could be a number."""
    file = tmp_path / "odd.toml"
    file.write_text(text, encoding="utf-8")

    with pytest.raises(ConfigError, match=r"odd\.toml: ") as refused:
        read(file)

    assert named in str(refused.value)
    assert "3069" not in str(refused.value)


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ('{"sender": "1",\n "to": +306912345678}', "not JSON (line 2"),
        ('{"sender": "1", "to": ["+306912345678"], "to": []}', "a key stands twice"),
        ('["+306912345678"]', "no object"),
        ('{"sender": "1", "+306912345678": "Anna"}', "unknown: +3069*****78"),
        ('{"sender": "1", "to": [306912345678]}', "$.to[0]"),
        ('{"sender": "Ελλάς"}'.encode("iso-8859-7"), "not JSON in UTF-8"),
    ],
)
def test_json_that_is_no_campaign_is_refused_as_well(tmp_path, text, named):
    file = tmp_path / "odd.json"
    file.write_bytes(text if isinstance(text, bytes) else text.encode())

    with pytest.raises(ConfigError, match=r"odd\.json: ") as refused:
        read(file)

    assert named in str(refused.value)
    assert "306912345678" not in str(refused.value)


def test_a_file_in_another_encoding_is_refused(tmp_path):
    file = tmp_path / "old.toml"
    file.write_bytes('sender = "Ελλάς"'.encode("iso-8859-7"))
    with pytest.raises(ConfigError, match="not TOML in UTF-8"):
        read(file)


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(ConfigError, match=r"none\.toml: No such file"):
        read(tmp_path / "none.toml")
