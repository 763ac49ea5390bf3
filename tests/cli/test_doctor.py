"""``voicedrop doctor``: a line for each thing it looked at, and what to mend; nothing paid, and no secret."""

import asyncio
import json
import ssl
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
import trustme
from raw_server import RawServer, answer, hangs_up

from voicedrop_async.cli._commands.doctor import _why_not, seconds_ahead

from .processes import NAMES, PROGRAM, clean, environment_of, run

PAGE = {"content": [], "number": 0, "totalPages": 0, "totalElements": 0, "last": True}
NOBODY = "http://127.0.0.1:9"
NO_HOST = f"https://{'a' * 64}.example"
"""Longer than a name may be, and so refused by this machine alone: nobody is asked."""


async def doctor(env, *arguments, **options):
    """How it ended, and what it wrote: a mark and a sentence for each thing it looked at."""
    ended = await asyncio.to_thread(run, "doctor", *arguments, env=env, **options)
    assert ended.err == ""
    assert [name for name in NAMES if name.endswith(("_SECRET", "_TOKEN")) and name in env and env[name] in ended.out] == []
    return ended.code, dict(_row(line) for line in ended.out.splitlines())


def _row(line):
    what, _, words = line[6:].partition(": ")
    return what, (line[:6].strip(), words)


def marks(found):
    return {what: mark for what, (mark, _) in found.items()}


ROUTEE = ("credentials", "host", "connection", "token", "reading", "clock")
SPACIVOX = ("credentials", "host", "connection", "reading", "clock")


async def test_where_all_is_well_every_line_says_ok_and_nothing_is_paid(sandbox):
    code, found = await doctor(environment_of(sandbox))

    assert code == 0
    looked_at = [f"routee {what}" for what in ROUTEE] + [f"spacivox {what}" for what in SPACIVOX]
    assert marks(found) == {"settings": "-"} | dict.fromkeys(looked_at, "ok")
    assert found["routee credentials"][1] == "from ROUTEE_APPLICATION_ID, ROUTEE_APPLICATION_SECRET"
    assert {(request.method, request.path) for request in sandbox.requests} == {
        ("POST", "/oauth/token"),
        ("POST", "/voice/tracking"),
        ("GET", "/j/voicemail_drop_records"),
    }
    assert sandbox.campaigns == ()


async def test_it_says_from_where_each_credential_came(sandbox, tmp_path):
    """Small letters for the profile, capitals for the environment above it."""
    printed = environment_of(sandbox)
    file = tmp_path / "accounts.toml"
    file.touch(mode=0o600)
    file.write_text("[north]\n" + "".join(f"{name.lower()} = {json.dumps(printed[name])}\n" for name in NAMES))

    env = clean(VOICEDROP_CONFIG=str(file), SPACIVOX_ACCESS_TOKEN=printed["SPACIVOX_ACCESS_TOKEN"])
    code, found = await doctor(env, "--profile", "north")

    assert (code, set(marks(found).values())) == (0, {"ok"})
    assert not any(printed[name] in words for name in NAMES if name.endswith(("_ID", "_SECRET", "_TOKEN")) for _, words in found.values())
    assert found["settings"][1] == f"{file}, profile 'north', below the environment"
    assert found["routee credentials"][1] == "from routee_application_id, routee_application_secret"
    assert found["spacivox credentials"][1] == "from SPACIVOX_ACCESS_TOKEN, spacivox_base_url"


async def test_a_service_that_is_not_set_up_is_passed_over_and_one_set_up_by_half_is_not(sandbox):
    printed = environment_of(sandbox)
    alone = {name: value for name, value in printed.items() if not name.startswith("SPACIVOX")}
    half = {name: value for name, value in alone.items() if name != "ROUTEE_APPLICATION_SECRET"}

    code, found = await doctor(alone)
    code_of_half, found_of_half = await doctor(half)

    assert (code, found["spacivox"][0]) == (0, "-")
    assert "SPACIVOX_ACCESS_TOKEN and SPACIVOX_BASE_URL" in found["spacivox"][1]
    assert code_of_half == 2
    mark, words = found_of_half["routee credentials"]
    assert mark == "mend"
    assert words.startswith("ROUTEE_APPLICATION_SECRET: not set in the environment, and no routee_application_secret in /nowhere/")


async def test_where_nothing_is_set_up_everything_is_to_be_mended():
    code, found = await doctor(clean())

    assert (code, marks(found)) == (2, {"settings": "-", "routee credentials": "mend", "spacivox credentials": "mend"})


@pytest.mark.parametrize(
    ("wrong", "what", "words"),
    [
        ({"ROUTEE_BASE_URL": "http://example.com"}, "routee settings", "ROUTEE_BASE_URL: plain http"),
        ({"SPACIVOX_RATE": "0"}, "spacivox settings", "SPACIVOX_RATE: must be a number above zero"),
        ({"VOICEDROP_CONFIG": "/nowhere/config.toml"}, "settings", "/nowhere/config.toml, profile 'default': No such file"),
    ],
)
async def test_settings_that_cannot_be_end_with_2(sandbox, wrong, what, words):
    code, found = await doctor(environment_of(sandbox) | wrong)

    assert code == 2
    assert found[what][0] == "mend"
    assert found[what][1].startswith(words)


@pytest.mark.parametrize(
    ("wrong", "what", "words"),
    [
        ({"ROUTEE_AUTH_URL": NO_HOST}, "routee host", f"no address is known for {'a' * 64}.example; check ROUTEE_AUTH_URL"),
        ({"SPACIVOX_BASE_URL": NOBODY}, "spacivox connection", "127.0.0.1, port 9: no connection (Connection refused); check SPACIVOX"),
        ({"ROUTEE_APPLICATION_SECRET": "another-secret"}, "routee token", "POST /oauth/token"),
        ({"SPACIVOX_ACCESS_TOKEN": "another-token"}, "spacivox reading", "GET /j/voicemail_drop_records"),
    ],
)
async def test_what_fails_is_named_and_the_other_service_is_looked_at_all_the_same(sandbox, wrong, what, words):
    """Nothing is asked of a host that cannot be reached."""
    code, found = await doctor(environment_of(sandbox) | wrong)

    assert code == 1
    assert [name for name, mark in marks(found).items() if mark == "mend"] == [what]
    assert found[what][1].startswith(words)
    other = "spacivox" if what.startswith("routee") else "routee"
    assert found[f"{other} reading"][0] == "ok"
    assert (what.endswith(("host", "connection"))) == (f"{what.split()[0]} clock" not in found)


async def test_refused_credentials_are_said_to_be_checked(sandbox):
    _, found = await doctor(environment_of(sandbox) | {"ROUTEE_APPLICATION_SECRET": "another-secret"})

    assert found["routee token"][1].endswith("; check the application id and secret, or the token, and the URL they are sent to")


@pytest.mark.parametrize(
    ("step", "hint"),
    [
        (answer(404, {"code": "404000000"}), "check the id, and the service's URL"),
        (answer(200, b"<html>", content_type="text/html"), "check the service's URL and what stands between you and it"),
        (answer(429, {"code": "429000000"}, headers={"Retry-After": "3600"}), "try again after 3600 s, and set a lower rate"),
        (answer(500, b"<html>", content_type="text/html"), "try again later"),
        (hangs_up(), "look at the network and its proxies if it stays"),
        (answer(302, b"", headers={"Location": "https://example.com/"}), "check the service's URL, and what stands between you and it"),
    ],
)
async def test_what_the_service_says_comes_with_what_to_do(sandbox, line, step, hint):
    line.will(step)
    shortest = "import random; random.random = lambda: 0.0"  # between its tries

    code, found = await doctor(environment_of(sandbox) | {"ROUTEE_BASE_URL": line.url}, before=shortest)

    assert (code, found["routee token"][0], found["routee reading"][0]) == (1, "ok", "mend")
    assert found["routee reading"][1].endswith(hint)


@pytest.mark.parametrize(("hours", "words"), [(-2, "s ahead of the service's"), (2, "s behind the service's")])
async def test_a_clock_that_is_wrong_is_told_by_the_seconds(sandbox, line, hours, words):
    date = format_datetime(datetime.now(UTC) + timedelta(hours=hours), usegmt=True)
    line.will(answer(200, PAGE, headers={"Date": date}))

    code, found = await doctor(environment_of(sandbox) | {"ROUTEE_BASE_URL": line.url})

    mark, said = found["routee clock"]
    assert (code, mark) == (1, "mend")
    assert words in said
    seconds = int(said.removeprefix("this machine's is ").partition(" ")[0])
    assert 7100 < seconds < 7300


@pytest.mark.parametrize("headers", [{}, {"Date": "the day before yesterday"}, {"Date": "Mon, 02 Mar 2026 09:30:00 +999999999999"}])
async def test_a_service_that_does_not_tell_the_time_is_no_reason_to_mend_a_clock(sandbox, line, headers):
    line.will(answer(200, [], headers=headers))

    code, found = await doctor(environment_of(sandbox) | {"SPACIVOX_BASE_URL": line.url})

    assert (code, found["spacivox clock"][0]) == (0, "-")


@pytest.mark.parametrize(("date", "ahead"), [(100, 0), (99.5, 0), (102, 0), (99, 0), (98, 1), (40, 59), (103, -1), (162, -60)])
def test_a_clock_may_be_right_if_the_date_was_written_between_question_and_answer(date, ahead):
    """It is cut to the second, and the question left at 100 and came back at 102."""
    assert seconds_ahead(date, 100.0, 102.0) == ahead


async def test_a_certificate_is_looked_at(sandbox, tmp_path):
    """One of an authority that the machine does not know, and the same when it does."""
    authority, context = trustme.CA(), ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    authority.cert_pem.write_to_path(tmp_path / "authorities.pem")
    async with RawServer(tls=context) as server:
        server.will(answer(200, []))
        printed = environment_of(sandbox) | {"SPACIVOX_BASE_URL": server.url}

        code, found = await doctor(printed)
        received = [*server.received]
        known = printed | {"SSL_CERT_FILE": str(tmp_path / "authorities.pem")}
        code_if_known, found_if_known = await doctor(known, program=PROGRAM)  # authorities are read when it begins

    assert (code, received) == (1, [])
    assert found["spacivox connection"][0] == "mend"
    assert "its certificate is not trusted (" in found["spacivox connection"][1]
    assert code_if_known == 0
    assert found_if_known["spacivox connection"][1].endswith("with a certificate that is trusted")


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (TimeoutError(), "no connection within 5 s; look at the network and its firewalls"),
        (
            OSError("Multiple exceptions: 10.0.0.1, 10.0.0.2"),
            "no connection (OSError); check ROUTEE_BASE_URL, the network and its firewalls",
        ),
    ],
)
def test_what_hinders_a_connection_is_said_without_its_addresses(error, words):
    """A firewall that swallows everything, and a host of several addresses, all of them shut."""
    assert _why_not(error, "ROUTEE_BASE_URL") == words


async def test_plain_http_where_https_was_expected_is_no_tls(sandbox):
    code, found = await doctor(environment_of(sandbox) | {"SPACIVOX_BASE_URL": sandbox.spacivox_url.replace("http:", "https:")})

    assert (code, found["spacivox connection"][0]) == (1, "mend")
    assert "no TLS (" in found["spacivox connection"][1]
