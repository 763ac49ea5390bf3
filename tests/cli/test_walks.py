"""A list that is written out: what a terminal shows meanwhile, and how an export that was interrupted goes on."""

import asyncio
import json
import re
import signal
from datetime import datetime

import pytest
from raw_server import answer, falls_silent
from tracked import numbered

from .lists import WEEK, behind, ctrl_c, ids, past, until
from .processes import LITTLE_ROOM, NUMBERS, environment_of, finish, run, start

PAGES = 40


async def stopped(*arguments, env, number):
    """Run a command until its first line is there, and stop it then, wherever it is."""
    child = start(*arguments, env=env, bufsize=0)  # what is read ahead here would be lost to those who read the rest
    first = await asyncio.to_thread(child.stdout.readline)
    child.send_signal(number)
    ended = await asyncio.to_thread(finish, child)
    return ended._replace(out=first.decode() + ended.out)


@pytest.fixture
def place(tmp_path):
    """Where the place is kept: the only file in its folder."""
    return tmp_path / "place"


async def test_progress_is_for_eyes_only(sandbox, terminal, tmp_path):
    """Count, total, rate and time left, on a terminal's stderr while the data goes to a file; gone at the end."""
    sandbox.delay(0.15, path="/voice/tracking")
    with (tmp_path / "messages.jsonl").open("wb") as out:
        child = start("track", env=environment_of(sandbox), stdout=out, stderr=terminal.side)
    terminal.hand_over()
    seen = await asyncio.to_thread(terminal.read_until)

    assert child.wait() == 0
    assert any(re.match(r"messages: 300 of 500, \d+/s .* 0:00:0\d left", row) for row in terminal.rows)
    assert max(map(len, terminal.rows)) <= 80
    assert seen.endswith("\x1b[2K"), "the line is taken away"
    assert len((tmp_path / "messages.jsonl").read_text().splitlines()) == 500


async def test_progress_of_slices_knows_the_total_of_all_of_them(sandbox, terminal, tmp_path):
    sandbox.delay(0.12, path="/voice/tracking")
    with (tmp_path / "messages.jsonl").open("wb") as out:
        child = start("track", *past(), "--slices", "4d", env=environment_of(sandbox), stdout=out, stderr=terminal.side)
    terminal.hand_over()
    await asyncio.to_thread(terminal.read_until)

    assert child.wait() == 0
    assert "messages: 100 of 500, " in terminal.seen


async def test_progress_of_a_list_without_a_total_counts(sandbox, terminal, tmp_path):
    """Spacivox does not count its records: how much is left is told by the slices."""
    sandbox.delay(0.12)
    with (tmp_path / "records.jsonl").open("wb") as out:
        child = start("records", *past(), "--slices", "2d", env=environment_of(sandbox), stdout=out, stderr=terminal.side)
    terminal.hand_over()
    await asyncio.to_thread(terminal.read_until)

    assert child.wait() == 0
    assert any(re.match(r"records: \d+, \d+/s .* 0:00:0\d left", row) for row in terminal.rows)


def test_where_the_data_is_seen_there_is_no_progress(environment, terminal):
    child = start("track", "--max-items", "3", "--format", "jsonl", env=environment, stdout=terminal.side, stderr=terminal.side)
    terminal.hand_over()
    terminal.read_until()

    assert child.wait() == 0
    assert len(ids(terminal.seen)) == 3


async def test_an_export_goes_on_where_ctrl_c_ended_it(sandbox, line, place):
    """Two pages are written, the third is on its way: none comes twice, and none is left out."""
    command = ("track", "--page-size", "2", "--resume", str(place))
    line.will(numbered(0), numbered(1), falls_silent())
    interrupted = await ctrl_c(line, 3, *command, env=behind(sandbox, line))

    assert (interrupted.code, ids(interrupted.out)) == (130, ["m0", "m1", "m2", "m3"])
    assert interrupted.err == f"voicedrop: {place} keeps the place: the same command goes on from there\n"
    assert place.exists()

    line.will(numbered(2))
    ended = await asyncio.to_thread(run, *command, env=behind(sandbox, line))

    assert (ended.code, ended.err, ids(ended.out)) == (0, "", ["m4", "m5"])
    assert "page=2&" in line.received[-1].target
    assert list(place.parent.iterdir()) == []


@pytest.mark.parametrize("options", [(), ("--prefetch", "6"), ("--slices", "1d", "--prefetch", "6")])
async def test_wherever_ctrl_c_strikes_each_message_is_written_once(sandbox, place, options):
    sandbox.delay(0.03)
    command = ("track", *past(), "--page-size", "20", "--resume", str(place), *options)
    written, codes = [], []
    for _ in range(3):
        ended = await stopped(*command, env=environment_of(sandbox), number=signal.SIGINT)
        written += ids(ended.out)
        codes.append(ended.code)
    ended = await asyncio.to_thread(run, *command, env=environment_of(sandbox))

    assert (codes, ended.code) == ([130] * 3, 0)
    assert written + ids(ended.out) == [message["messageId"] for message in sandbox.messages]
    assert not place.exists()


async def test_two_runs_with_one_place_are_held_apart(sandbox, line, place):
    """The second one would write everything a second time; when the first one is gone, however it went, the next goes on."""
    command = ("track", "--page-size", "2", "--resume", str(place))
    line.will(numbered(0), falls_silent())
    child = start(*command, env=behind(sandbox, line))
    await until(line, 2)
    refused = await asyncio.to_thread(run, *command, env=behind(sandbox, line))
    child.kill()
    await asyncio.to_thread(finish, child)
    line.will(numbered(1), numbered(2))
    ended = await asyncio.to_thread(run, *command, env=behind(sandbox, line))

    assert (refused.code, refused.out, refused.err) == (
        2,
        "",
        f"voicedrop: --resume: {place}: another run is using it; let that one end, or name another file\n",
    )
    assert (ended.code, ids(ended.out)) == (0, ["m2", "m3", "m4", "m5"])
    assert list(place.parent.iterdir()) == []


async def test_a_run_that_is_killed_repeats_a_page_at_most_and_loses_nothing(sandbox, place):
    """No chance to tidy up: what is written may be a page ahead of what the file says, never behind it."""
    sandbox.delay(0.03)
    command = ("track", "--page-size", "20", "--resume", str(place))
    written = []
    for _ in range(2):
        written += ids((await stopped(*command, env=environment_of(sandbox), number=signal.SIGKILL)).out)
    ended = await asyncio.to_thread(run, *command, env=environment_of(sandbox))

    assert ended.code == 0
    written += ids(ended.out)
    assert list(dict.fromkeys(written)) == [message["messageId"] for message in sandbox.messages]
    assert len(written) <= 500 + 2 * 20


async def test_records_go_on_as_well(sandbox, place):
    sandbox.delay(0.03)
    command = ("records", *past(), "--slices", "8h", "--prefetch", "3", "--resume", str(place))
    interrupted = await stopped(*command, env=environment_of(sandbox), number=signal.SIGINT)
    ended = await asyncio.to_thread(run, *command, env=environment_of(sandbox))

    assert (interrupted.code, ended.code, ended.err) == (130, 0, "")
    assert ids(interrupted.out, "id") + ids(ended.out, "id") == [drop["id"] for drop in sandbox.drops]


async def test_a_page_that_fails_keeps_the_place(sandbox, line, place):
    """The last line on stderr says what failed, the one before that the same command goes on."""
    command = ("track", "--page-size", "2", "--resume", str(place))
    line.will(numbered(0), answer(400, {"developerMessage": "No more"}))
    failed = await asyncio.to_thread(run, *command, env=behind(sandbox, line))
    line.will(numbered(1), numbered(2))
    ended = await asyncio.to_thread(run, *command, env=behind(sandbox, line))

    assert (failed.code, ids(failed.out)) == (1, ["m0", "m1"])
    how, why = failed.err.splitlines()
    assert how.startswith(f"voicedrop: {place} keeps the place")
    assert "No more" in why
    assert (ended.code, ids(ended.out)) == (0, ["m2", "m3", "m4", "m5"])


async def test_a_failure_before_the_first_page_keeps_nothing(sandbox, line, place):
    """There is no place yet, and the next run may ask for something else."""
    line.will(answer(400, {"developerMessage": "No range like that"}))
    failed = await asyncio.to_thread(run, "track", "--resume", str(place), env=behind(sandbox, line))

    assert (failed.code, failed.err.count("\n")) == (1, 1)
    assert list(place.parent.iterdir()) == []


async def test_a_page_that_does_not_fit_on_the_disk_is_not_left_there_by_half(sandbox, place, tmp_path):
    """With room made, the same command goes on, and finds no half line to write behind."""
    command = ("track", "--resume", str(place))
    with (tmp_path / "messages.jsonl").open("ab") as out:
        options = {"env": environment_of(sandbox), "stdout": out}
        full = await asyncio.to_thread(run, *command, before=LITTLE_ROOM, **options)
        ended = await asyncio.to_thread(run, *command, **options)

    assert (full.code, ended.code) == (1, 0)
    assert "File too large" in full.err
    assert ids((tmp_path / "messages.jsonl").read_text()) == [message["messageId"] for message in sandbox.messages]


async def test_max_items_counts_for_each_run(sandbox, place):
    """So a list can be taken in portions; the file goes with the last one."""
    command = ("track", "--max-items", "180", "--resume", str(place))
    written, portions = [], []
    for _ in range(3):
        ended = await asyncio.to_thread(run, *command, env=environment_of(sandbox))
        assert (ended.code, ended.err) == (0, "")
        written += ids(ended.out)
        portions.append((len(written), place.exists()))

    assert portions == [(180, True), (360, True), (500, False)]
    assert written == [message["messageId"] for message in sandbox.messages]


async def test_a_list_that_is_not_complete_has_ended_all_the_same(sandbox, line, place):
    """Exit code 4, and the next run begins anew: to go on from the end would find nothing."""
    line.will(answer(body={"content": [{"messageId": "m0"}], "number": 0, "totalPages": 1, "totalElements": 3, "last": True}))
    ended = await asyncio.to_thread(run, "track", "--resume", str(place), env=behind(sandbox, line))

    assert (ended.code, ids(ended.out), place.exists()) == (4, ["m0"], False)


async def test_the_file_is_its_owners_alone_and_knows_no_number(sandbox, place):
    """Filters are not in it, nor anything secret: a token tells another query by itself."""
    filters = ("--filter", f"recipient:is_not={NUMBERS[0]}")
    cut = await asyncio.to_thread(run, "track", *past(), *filters, "--max-items", "5", "--resume", str(place), env=environment_of(sandbox))

    assert (cut.code, len(ids(cut.out))) == (0, 5)
    assert place.stat().st_mode & 0o777 == 0o600
    kept = place.read_text()
    assert set(json.loads(kept)) == {"range", "written", "token"}
    assert not any(hidden in kept for hidden in (NUMBERS[0][1:], *sandbox.credentials))
    assert list(place.parent.iterdir()) == [place]


async def test_another_query_is_refused_and_the_file_stays(sandbox, place):
    """Exit code 2, nothing sent, nothing written; without the range, the one it was begun with holds."""
    env = environment_of(sandbox)
    since, until = past()[1], past()[3]
    whole = ("--start", since, "--end", until)
    command = ("track", "--max-items", "5", "--resume", str(place))
    cut = await asyncio.to_thread(run, *command, *whole, env=env)
    kept, asked = place.read_bytes(), len(sandbox.requests)
    odd = {
        "end": (*command, "--start", since, "--end", (datetime.fromisoformat(until) + WEEK).isoformat()),
        "another query": (*command, *whole, "--campaign", "c1"),
        "pages of 100": (*command, *whole, "--page-size", "50"),
        "without slices": (*command, *whole, "--slices", "1d"),
    }
    for named, others in odd.items():
        refused = await asyncio.to_thread(run, *others, env=env)
        assert (refused.code, refused.out) == (2, "")
        assert named in refused.err
        assert str(place) in refused.err
        assert "remove the file" in refused.err
    assert (place.read_bytes(), len(sandbox.requests)) == (kept, asked)

    rest = await asyncio.to_thread(run, "track", "--resume", str(place), env=env)
    assert ids(cut.out) + ids(rest.out) == [message["messageId"] for message in sandbox.messages]


@pytest.mark.parametrize("content", [b"", b'{"message_id":"m0"}\n', b"\xff\xfe", b"[]"])
def test_a_file_that_is_no_place_is_left_as_it_is(environment, place, content):
    """It may be the export itself."""
    place.write_bytes(content)
    refused = run("track", "--resume", str(place), env=environment)

    assert (refused.code, refused.out) == (2, "")
    assert f"{place}: no place of a walk" in refused.err
    assert place.read_bytes() == content


def test_a_place_that_could_not_be_kept_is_refused_before_anything_is_sent(environment, tmp_path):
    nowhere = run("track", "--resume", str(tmp_path / "none" / "place"), env=environment)
    folder = run("track", "--resume", str(tmp_path), env=environment)

    assert (nowhere.code, nowhere.out, folder.code, folder.out) == (2, "", 2, "")
    assert "no folder that can be written to" in nowhere.err
    assert "is a folder" in folder.err


async def test_as_many_requests_are_under_way_as_prefetch_says(sandbox, line, place):
    """Also more than a session allows by itself: who asks for them on a command line means it."""
    line.will(numbered(0, pages=PAGES), falls_silent())
    ended = await ctrl_c(line, 1 + 12, "track", "--page-size", "2", "--prefetch", "12", env=behind(sandbox, line))

    assert (ended.code, ids(ended.out)) == (130, ["m0", "m1"])
    assert ended.err == "voicedrop: nothing keeps the place; with --resume FILE, the same command would go on from there\n"
    assert len(line.received) == 1 + 12
