"""``voicedrop journal``: what is open, and a person's word on it."""

import asyncio
import json

import pytest
from journal_contract import intent

from voicedrop_async import SendState, SqliteJournal

from .processes import clean, run


@pytest.fixture
def file(tmp_path):
    """A journal with two open sends and a settled one, in use by nobody."""
    path = tmp_path / "sends.journal"

    async def fill():
        async with SqliteJournal(path) as journal:
            for ref in ("order-7", "order-8", "order-9"):
                await journal.claim(intent(ref))
            await journal.settle("order-8", sent=True)

    asyncio.run(fill())
    return path


def found(path, ref):
    async def find():
        async with SqliteJournal(path) as journal:
            return await journal.find(ref)

    return asyncio.run(find())


def test_it_lists_what_is_open(file):
    ended = run("journal", str(file), env=clean())

    assert (ended.code, ended.err) == (0, "")
    row = {"campaign_name": "Spring sale é-1", "started_at": "2026-03-01T12:30:15.123456Z", "recipients": 1000}
    assert [json.loads(line) for line in ended.out.splitlines()] == [{"ref": "order-7"} | row, {"ref": "order-9"} | row]


@pytest.mark.parametrize(("word", "state"), [("--sent", SendState.SENT), ("--not-sent", SendState.NOT_SENT)])
def test_a_person_settles_one(file, word, state):
    ended = run("journal", str(file), "--settle", "order-7", word, env=clean())

    assert (ended.code, ended.out) == (0, "")
    assert "settled as" in ended.err
    assert (found(file, "order-7").state, found(file, "order-7").settled_by) == (state, "person")
    assert found(file, "order-9").state is SendState.OPEN


def test_what_was_settled_long_ago_is_forgotten(file):
    kept = run("journal", str(file), "--prune", "90d", env=clean())
    forgotten = run("journal", str(file), "--prune", "0d", env=clean())

    assert [(ended.code, ended.out) for ended in (kept, forgotten)] == [(0, "")] * 2
    assert ("entries forgotten: 0" in kept.err, "entries forgotten: 1" in forgotten.err) == (True, True)
    assert found(file, "order-8") is None
    assert found(file, "order-7").state is SendState.OPEN


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (("--settle", "order-7"), "--settle"),
        (("--settle", "order-7", "--sent", "--not-sent"), "--settle"),
        (("--sent",), "--settle"),
        (("--sent", "--not-sent"), "--settle"),
        (("--settle", "order-7", "--sent", "--prune", "90d"), "--prune"),
        (("--prune", "often"), "--prune"),
        (("--settle", "order-8", "--not-sent"), "order-8"),
        (("--settle", "nothing", "--sent"), "nothing"),
    ],
)
def test_wrong_words_end_with_2_and_change_nothing(file, words, named):
    ended = run("journal", str(file), *words, env=clean())

    assert (ended.code, ended.out) == (2, "")
    assert named in ended.err
    assert [found(file, ref).state for ref in ("order-7", "order-8")] == [SendState.OPEN, SendState.SENT]


def test_a_file_that_is_not_there_is_not_made(tmp_path):
    ended = run("journal", str(tmp_path / "none.journal"), env=clean())

    assert (ended.code, ended.out) == (2, "")
    assert "none.journal" in ended.err
    assert list(tmp_path.iterdir()) == []


def test_a_folder_is_no_journal(tmp_path):
    ended = run("journal", str(tmp_path), env=clean())

    assert (ended.code, ended.out) == (2, "")
    assert "is a folder" in ended.err


def test_a_file_that_is_no_journal_ends_with_1_and_stays_as_it_is(campaign_file):
    before = campaign_file.read_bytes()

    ended = run("journal", str(campaign_file), env=clean())

    assert (ended.code, ended.out) == (1, "")
    assert "no journal" in ended.err
    assert campaign_file.read_bytes() == before
