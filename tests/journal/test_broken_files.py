"""Whatever happens to the files of a journal: nothing is sent, and the error says what to do."""

import asyncio
import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Generator
from contextlib import closing
from pathlib import Path

import attrs
import pytest
from campaigns import CAMPAIGN, QUICK
from journal_contract import intent, standing
from raw_server import RawServer, answer, hangs_up

from voicedrop_async import BadRequest, JournalError, OutcomeUnknown, RouteeSession, SendState, SqliteJournal, StaticToken
from voicedrop_async.journal import _file

NUMBER = "+306999888777"


@pytest.fixture
async def path(tmp_path: Path) -> Path:
    """A journal with three entries, closed."""
    made = tmp_path / "sends.journal"
    async with SqliteJournal(made) as journal:
        for ref in ("open", "sent", "not sent"):
            await journal.claim(intent(ref))
        await journal.settle("sent", sent=True)
        await journal.settle("not sent", sent=False)
    return made


async def send(line: RawServer, journal: SqliteJournal, ref: str = "order-7") -> None:
    async with RouteeSession(StaticToken("t"), base_url=line.url, retry=QUICK, journal=journal) as session:
        await session.send_campaign(CAMPAIGN, ref=ref)


def change(path: Path, statement: str) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute(statement)


def replaced(path: Path, content: bytes) -> None:
    path.write_bytes(content)


def another_database(path: Path) -> None:
    path.unlink()
    change(path, "CREATE TABLE sends (ref TEXT)")


def taken_away(path: Path) -> Path:
    return path.rename(path.with_name("away"))


def content_of(folder: Path) -> bytes:
    return b"".join(file.read_bytes() for file in folder.iterdir())


def key_of(path: Path) -> Path:
    return path.with_name(f"{path.name}.key")


DAMAGES: dict[str, tuple[Callable[[Path], object], str]] = {
    "garbage": (lambda path: replaced(path, b"garbage " * 4096), "put back a copy"),
    "empty": (lambda path: replaced(path, b""), "is no journal"),
    "a text": (lambda path: replaced(path, b"short"), "is no journal|put back a copy"),
    "cut short": (lambda path: replaced(path, path.read_bytes()[:5000]), "put back a copy"),
    "zeros in the middle": (lambda path: replaced(path, path.read_bytes()[:4096] + bytes(4 * 4096)), "put back a copy"),
    "another database": (another_database, "name another file"),
    "of a newer version": (lambda path: change(path, "PRAGMA user_version = 2"), "update the library"),
    "a word nobody knows": (
        lambda path: change(path, "UPDATE sends SET state = 'lost', ref = 'order-7'  WHERE ref = 'open'"),
        "put back a copy",
    ),
    "without its table": (lambda path: change(path, "DROP TABLE sends"), "SQLite cannot go on"),
    "a folder": (lambda path: (path.unlink(), path.mkdir()), "needs the rights on it"),
    "gone": (lambda path: path.unlink(), "is gone, but its key is there"),
    "without its key": (lambda path: key_of(path).unlink(), "put it back"),
    "with the key of another": (lambda path: replaced(key_of(path), bytes(32)), "is the key of another journal"),
    "with half a key": (lambda path: replaced(key_of(path), b"short"), "broken one; put back a copy"),
    "with a folder for a key": (lambda path: (key_of(path).unlink(), key_of(path).mkdir()), "look at the file, its key"),
    "without its folder": (lambda path: shutil.rmtree(path.parent), "look at the file, its key and its folder"),
}


@pytest.mark.parametrize("damage", DAMAGES)
async def test_a_damaged_journal_sends_nothing_and_says_what_to_do(path: Path, line: RawServer, damage: str) -> None:
    do, words = DAMAGES[damage]
    do(path)

    async with SqliteJournal(path) as journal:
        with pytest.raises(JournalError, match=words) as refused:
            await send(line, journal)

    assert str(path) in str(refused.value)
    assert line.received == []


@pytest.mark.parametrize("happens", ["moved", "replaced"])
async def test_a_journal_that_is_taken_away_while_it_is_open_sends_nothing(path: Path, line: RawServer, happens: str) -> None:
    """It could still be written, and nobody would ever find it again. Put back, it goes on."""
    async with SqliteJournal(path) as journal:
        await journal.key()
        away = taken_away(path)
        if happens == "replaced":
            shutil.copy(away, path)
        with pytest.raises(JournalError, match="put it back"):
            await send(line, journal)
        shutil.move(away, path)

        line.will(answer(200, {"trackingId": "t-1"}))
        await send(line, journal)

    assert len(line.received) == 1


async def test_a_locked_journal_sends_nothing_and_does_not_wait_for_ever(
    path: Path, line: RawServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What can be read is read all the same."""
    monkeypatch.setattr(_file, "LOCK_WAIT", 0.1)
    async with SqliteJournal(path) as journal:
        with closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            with pytest.raises(JournalError, match="kept it locked"):
                await send(line, journal)
            assert (await standing(journal, "open")).state is SendState.OPEN
        line.will(answer(200, {"trackingId": "t-1"}))
        await send(line, journal)

    assert len(line.received) == 1


def run(source: str, path: Path) -> None:
    """A process of its own, for limits and rights that hold for a whole process."""
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[1])}
    subprocess.run([sys.executable, "-W", "error", "-c", source, str(path)], env=environment, check=True, timeout=40)


def test_a_full_disk_claims_nothing_until_there_is_room(path: Path) -> None:
    """Every claim either failed or is in the file afterwards; none is both, and none is neither."""
    run(
        """
import asyncio, resource, sys
from journal_contract import intent
from voicedrop_async import JournalError, SqliteJournal

async def main():
    async with SqliteJournal(sys.argv[1]) as journal:
        claimed, failed = ["open"], []
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, resource.RLIM_INFINITY))
        while len(failed) < 5:
            ref = f"order-{len(claimed)}-{len(failed)}"
            try:
                assert await journal.claim(intent(ref)) is None
                claimed.append(ref)
            except JournalError as error:
                assert "full" in str(error), error
                failed.append(ref)
        resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        assert len(claimed) > 1
        assert await journal.claim(intent(failed[0])) is None
    async with SqliteJournal(sys.argv[1]) as journal:
        assert [entry.intent.ref for entry in await journal.open_entries()] == [*claimed, failed[0]]

asyncio.run(main())
""",
        path,
    )


async def test_a_full_journal_claims_nothing_until_there_is_room(path: Path, line: RawServer) -> None:
    """SQLite's own word for it: here a limit on its pages, which ends when the file is opened again."""
    async with SqliteJournal(path) as journal:
        await journal.key()
        assert journal._worker is not None
        connection = journal._worker._file._connection
        assert connection is not None
        connection.execute("PRAGMA max_page_count = 1")  # of which as many are left as there are
        claims = [journal.claim(intent(f"order-{number}")) for number in range(200)]
        outcomes = await asyncio.gather(*claims, return_exceptions=True)
        claimed = [f"order-{number}" for number, outcome in enumerate(outcomes) if outcome is None]
        failed = {str(outcome) for outcome in outcomes if outcome is not None}

        assert failed == {f"{path}: the disk is full; make room"}
        assert [entry.intent.ref for entry in await journal.open_entries()] == ["open", *claimed]
        line.will(answer(200, {"trackingId": "t-1"}))
        await send(line, journal, ref="when there is room")
        assert (await standing(journal, "when there is room")).state is SendState.SENT


@pytest.fixture
def read_only(path: Path) -> Generator[Path]:
    """The journal in a folder where nothing may be written."""
    for place in (path, path.parent):
        place.chmod(0o555)
    yield path
    path.parent.chmod(0o755)


def test_a_file_without_the_right_to_write_claims_nothing(read_only: Path) -> None:
    """As root everything may be written, so root becomes somebody else first."""
    run(
        """
import asyncio, encodings.idna, os, sqlite3, sys
from journal_contract import intent
from voicedrop_async import JournalError, SqliteJournal

async def main():
    async with SqliteJournal("sends.journal") as journal:
        try:
            await journal.claim(intent())
        except JournalError as error:
            assert "right" in str(error), error
        else:
            sys.exit("claimed")

os.chdir(os.path.dirname(sys.argv[1]))
if os.geteuid() == 0:
    for file in os.listdir("."):
        os.chown(file, 65534, 65534)
    os.seteuid(65534)
asyncio.run(main())
""",
        read_only,
    )


async def test_no_phone_number_is_in_the_files(tmp_path: Path, line: RawServer) -> None:
    """Sent, refused and lost, with the number in every answer: no byte of any file shows it, while it is open or after."""
    words = {"trackingId": "t-1", "to": [NUMBER], "errors": [{"code": "1", "developerMessage": f"bad {NUMBER}", "property": [NUMBER]}]}
    line.will(answer(200, words), answer(400, words | {"code": "400", "developerMessage": NUMBER}), hangs_up())
    campaign = attrs.evolve(CAMPAIGN, to=[NUMBER])
    async with SqliteJournal(tmp_path / "sends.journal") as journal:
        async with RouteeSession(StaticToken("t"), base_url=line.url, retry=QUICK, journal=journal) as session:
            await session.send_campaign(campaign, ref="sent")
            with pytest.raises(BadRequest):
                await session.send_campaign(campaign, ref="refused")
            with pytest.raises(OutcomeUnknown):
                await session.send_campaign(campaign, ref="lost")
        states = {ref: (await standing(journal, ref)).state for ref in ("sent", "refused", "lost")}
        while_open = content_of(tmp_path)
    seen = while_open + content_of(tmp_path)

    assert states == {"sent": SendState.SENT, "refused": SendState.NOT_SENT, "lost": SendState.OPEN}
    assert b"t-1" in while_open
    assert [part for part in (NUMBER[1:], NUMBER[-9:]) if part.encode() in seen] == []
