"""Settings come from the environment, and what is not set there from a profile of a TOML file."""

import asyncio
import json
import os
import pickle
from pathlib import Path

import pytest

from voicedrop_async import ConfigError
from voicedrop_async.cli._options import Account
from voicedrop_async.cli._settings import KEYS, Settings

from .processes import NAMES, clean, environment_of, run

RANGE = ("--start", "2026-03-01T00:00:00Z", "--end", "2026-03-02T00:00:00Z")
CANARY = "cAnArY"
ROUTEE = '[default]\nroutee_application_id = "id"\nroutee_application_secret = "secret"\n'
SPACIVOX = f'[default]\nspacivox_base_url = "https://drops.example.com"\nspacivox_access_token = "{CANARY}"\n'


@pytest.fixture(autouse=True)
def nothing_is_set(monkeypatch, tmp_path):
    """But the folder of the settings file, which is empty."""
    for name in {"VOICEDROP_CONFIG", "VOICEDROP_PROFILE", *(key.upper() for key in KEYS)}:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))


@pytest.fixture
def settings_file(tmp_path):
    """The place of the settings file, readable by its owner alone once it is written."""
    file = tmp_path / "voicedrop" / "config.toml"
    file.parent.mkdir()
    file.touch(mode=0o600)
    return file


def profile_of(sandbox, **more):
    """A table with all that a sandbox prints, and ``more``."""
    printed = environment_of(sandbox)
    table = {name.lower(): printed[name] for name in NAMES} | more
    return "".join(f"{key} = {json.dumps(value)}\n" for key, value in table.items())


async def test_a_command_works_with_a_profile_alone(sandbox, settings_file):
    """The one called default if none is named; by option or variable another one, and the option wins."""
    settings_file.write_text(f'[default]\n{profile_of(sandbox)}[other]\nspacivox_base_url = "http://127.0.0.1:9"\n')
    env = clean(XDG_CONFIG_HOME=str(settings_file.parents[1]))

    usual = await asyncio.to_thread(run, "track", "--max-items", "3", env=env)
    named = await asyncio.to_thread(run, "records", *RANGE, "--profile", "other", env=env)
    by_variable = await asyncio.to_thread(run, "records", *RANGE, env=env | {"VOICEDROP_PROFILE": "other"})
    both = await asyncio.to_thread(run, "track", "--profile", "default", "--max-items", "3", env=env | {"VOICEDROP_PROFILE": "other"})

    assert (usual.code, usual.err, len(usual.out.splitlines())) == (0, "", 3)
    assert both == usual
    assert named.code == 2
    assert "no spacivox_access_token in " in named.err
    assert by_variable == named


async def test_a_campaign_is_sent_with_a_profile_of_a_file_of_any_name(sandbox, campaign_file, tmp_path):
    file = tmp_path / "accounts.toml"
    file.touch(mode=0o600)
    file.write_text(f"[north]\n{profile_of(sandbox)}")

    env = clean(VOICEDROP_CONFIG=str(file), VOICEDROP_PROFILE="north")
    ended = await asyncio.to_thread(run, "send", str(campaign_file), "--yes", env=env)

    assert (ended.code, ended.err) == (0, "")
    assert len(sandbox.campaigns) == 1


def test_the_environment_wins_key_by_key(settings_file, monkeypatch):
    settings_file.write_text('[default]\nroutee_base_url = "https://file.example.com"\nroutee_auth_url = "https://file.example.com"\n')
    monkeypatch.setenv("ROUTEE_BASE_URL", "https://environment.example.com")
    monkeypatch.setenv("ROUTEE_AUTH_URL", "")

    settings = Settings.load()

    assert [*settings.urls("routee").values()] == ["https://environment.example.com", "https://file.example.com"]
    assert [settings.origin(key) for key in settings.urls("routee")] == ["ROUTEE_BASE_URL", "routee_auth_url"]


def limits_of(session):
    return session._transport._wiring.throttle._limits


def test_limits_are_those_of_the_profile_and_a_look_ahead_does_not_pass_them(settings_file, monkeypatch):
    """Without any, who looks far ahead gets the slots for it."""
    settings_file.write_text(ROUTEE + "routee_rate = 2.5\nroutee_max_in_flight = 3\n")

    held = limits_of(Settings.load().routee(ahead=20))
    monkeypatch.setenv("ROUTEE_RATE", "10")
    by_environment = limits_of(Settings.load().routee())
    settings_file.write_text(ROUTEE)
    free = limits_of(Settings.load().routee(ahead=20))
    said = limits_of(Account(rate=1.5, max_in_flight=2).routee(ahead=20))

    assert (held.rate, held.max_in_flight) == (2.5, 3)
    assert by_environment.rate == 10
    assert free.max_in_flight == 21
    assert (said.rate, said.max_in_flight) == (1.5, 2)
    with pytest.raises(ConfigError, match="rate: 0 is not above zero"):
        Account(rate=0).routee()


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620])
def test_a_file_that_others_can_read_is_refused_until_the_command_it_names_was_run(settings_file, mode):
    settings_file.write_text(ROUTEE)
    settings_file.chmod(mode)

    with pytest.raises(ConfigError, match="others can read or change it") as refused:
        Settings.load()
    assert os.system(str(refused.value).rpartition("mend that: ")[2]) == 0

    assert Settings.load().lacking("routee") == []


@pytest.mark.parametrize(
    ("text", "named"),
    [
        (f'routee_rat = "{CANARY}"', "profile 'default': unknown: 'routee_rat'; known are routee_application_id"),
        (f'routee_rate = "{CANARY}"', "profile 'default': routee_rate: must be a number above zero"),
        ("routee_rate = 0", "routee_rate: must be"),
        ("routee_rate = inf", "routee_rate: must be"),
        ("routee_rate = true", "routee_rate: must be"),
        ("routee_max_in_flight = 2.5", "routee_max_in_flight: must be a whole number above zero"),
        (f'routee_base_url = ["{CANARY}"]', "routee_base_url: must be a text"),
        ('routee_base_url = ""', "routee_base_url: is empty"),
        (f'routee_base_url = {{ keyring = "{CANARY}/x" }}', "routee_base_url: must be a text"),
        (f'routee_application_secret = {{ keyring = "{CANARY}" }}', "must be a text, or { keyring ="),
        (f'routee_application_secret = {{ keyring = "a/b", x = "{CANARY}" }}', "must be a text, or { keyring ="),
        (f'routee_application_secret = "{CANARY}', "not TOML in UTF-8 (at line 2"),
    ],
)
def test_what_cannot_be_is_refused_by_file_profile_and_key_and_never_by_its_value(settings_file, text, named):
    settings_file.write_text(f"[default]\n{text}\n")

    with pytest.raises(ConfigError) as refused:
        Settings.load()

    assert str(refused.value).startswith(str(settings_file))
    assert named in str(refused.value)
    assert CANARY not in str(refused.value)


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ('routee_application_id = "a:b"', "routee_application_id: holds a colon"),
        ('routee_application_secret = "\\u0007"', "routee_application_secret: empty, or with characters"),
        ('routee_base_url = "http://cAnArY.example.com"', "routee_base_url: plain http"),
        ('routee_auth_url = "cAnArY"', "routee_auth_url: must be a URL such as https://example"),
    ],
)
def test_what_a_session_refuses_is_named_by_file_profile_and_key(settings_file, text, named):
    key = text.partition(" ")[0]
    settings_file.write_text("\n".join([line for line in ROUTEE.splitlines() if not line.startswith(key)] + [text]))

    with pytest.raises(ConfigError) as refused:
        Settings.load().routee()

    assert str(refused.value).startswith(f"{settings_file}, profile 'default': {named}")
    assert CANARY not in str(refused.value)


@pytest.mark.parametrize(
    ("name", "value", "rule"),
    [
        ("SPACIVOX_RATE", "often", "must be a number above zero"),
        ("SPACIVOX_MAX_IN_FLIGHT", "2.5", "must be a whole number above zero"),
        ("SPACIVOX_ACCESS_TOKEN", "two words", "empty, or with characters"),
    ],
)
def test_what_the_environment_says_wrong_is_named_by_its_variable(settings_file, monkeypatch, name, value, rule):
    settings_file.write_text(SPACIVOX)
    monkeypatch.setenv(name, value)

    with pytest.raises(ConfigError, match=f"^{name}: {rule}") as refused:
        Settings.load().spacivox()

    assert value not in str(refused.value)


def test_a_key_outside_of_any_profile_is_named(settings_file):
    settings_file.write_text(f'routee_application_secret = "{CANARY}"\n{ROUTEE}')

    with pytest.raises(ConfigError, match="in no profile: 'routee_application_secret'") as refused:
        Settings.load()

    assert CANARY not in str(refused.value)


@pytest.mark.parametrize("named", [{"VOICEDROP_PROFILE": "north"}, {"VOICEDROP_CONFIG": "/nowhere/config.toml"}])
def test_a_file_that_was_named_has_to_be_there_and_so_has_its_profile(named, monkeypatch, settings_file):
    """Without a name nothing has to be: the environment may be enough."""
    settings_file.write_text("[south]\n")
    assert "'south'" in Settings.load().why_empty

    for name, value in named.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(ConfigError, match=r"no such profile; there are: 'south'|No such file"):
        Settings.load()


def test_whoever_has_no_home_has_no_file(monkeypatch):
    monkeypatch.setenv("XDG_CONFIG_HOME", "relative, and so not to be used")
    monkeypatch.setattr(Path, "expanduser", lambda _path: (_ for _ in ()).throw(RuntimeError("no home")))

    assert Settings.load().why_empty == "No such file or directory"


def test_settings_show_no_value_and_stay_in_their_process(settings_file):
    settings_file.write_text(SPACIVOX)

    assert CANARY not in repr(Settings.load())
    with pytest.raises(ConfigError, match="not pickled"):
        pickle.dumps(Settings.load())


RING = {"PYTHON_KEYRING_BACKEND": "cli.ring_of_tests.Ring"}
"""The environment of a process with a keyring; it has to find ours."""
FINDS_IT = f"import sys; sys.path.append({str(Path(__file__).parents[1])!r})"


async def test_a_secret_can_be_in_the_keyring_of_the_system(sandbox, settings_file):
    """The service may have slashes in its name; what the file does not need is not asked for."""
    table = profile_of(sandbox).replace(json.dumps(sandbox.spacivox_token), '{ keyring = "drops/of/eva" }')
    settings_file.write_text(f"[default]\n{table}")
    env = clean(XDG_CONFIG_HOME=str(settings_file.parents[1]))
    held = RING | {"RING_OF_TESTS": json.dumps({"drops/of eva": sandbox.spacivox_token})}

    ended = await asyncio.to_thread(run, "records", *RANGE, env=env | held, before=FINDS_IT)
    not_asked = await asyncio.to_thread(run, "track", "--max-items", "1", env=env)

    assert (ended.code, ended.err) == (0, "")
    assert not_asked.code == 0


@pytest.mark.parametrize(("kept", "words"), [({}, "KeyringLocked"), ({"RING_OF_TESTS": "{}"}, "keyring set SERVICE USER")])
def test_a_keyring_that_does_not_give_it_is_named(settings_file, kept, words):
    settings_file.write_text(SPACIVOX.replace(f'"{CANARY}"', f'{{ keyring = "{CANARY}/eva" }}'))

    ended = run("records", *RANGE, env=clean(XDG_CONFIG_HOME=str(settings_file.parents[1])) | RING | kept, before=FINDS_IT)

    assert ended.code == 2
    assert "profile 'default': spacivox_access_token: the system's keyring" in ended.err
    assert words in ended.err
    assert CANARY not in ended.err
    assert "words of the keyring" not in ended.err


def test_without_the_extra_a_sentence_says_how_to_install_it(settings_file):
    settings_file.write_text(SPACIVOX.replace(f'"{CANARY}"', '{ keyring = "drops/eva" }'))
    missing = "import sys; sys.modules['keyring'] = None"

    ended = run("records", *RANGE, env=clean(XDG_CONFIG_HOME=str(settings_file.parents[1])), before=missing)

    assert ended.code == 2
    assert 'python -m pip install "voicedrop-async[keyring]"' in ended.err
