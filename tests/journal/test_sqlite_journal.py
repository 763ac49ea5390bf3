"""The life of a journal in a file: made once, shared by processes, given back at the end."""

import asyncio
import gc
import os
import stat
import subprocess
import sys
import threading
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import attrs
import pytest
from blockbuster import blockbuster_ctx
from journal_contract import intent, standing

from voicedrop_async import ConfigError, JournalError, SendState, SqliteJournal
from voicedrop_async.journal import _rules

CLAIMS = """
import asyncio, sys
from journal_contract import intent
from voicedrop_async import SqliteJournal

async def main():
    async with SqliteJournal(sys.argv[1]) as journal:
        print((await journal.key()).hex(), flush=True)
        while ref := sys.stdin.readline().strip():
            print("won" if await journal.claim(intent(ref)) is None else "lost", flush=True)

asyncio.run(main())
"""


def program(source: str, *words: str, **streams: int) -> "subprocess.Popen[str]":
    """A process of its own, which may import what the tests import; any warning ends it."""
    folder = str(Path(__file__).parents[1])
    environment = os.environ | {"PYTHONPATH": folder}
    return subprocess.Popen([sys.executable, "-W", "error", "-c", source, *words], env=environment, text=True, **streams)


def ends_in_peace(source: str, path: Path) -> None:
    """Run a program on a journal to its end; see that it fails at nothing and warns of nothing."""
    ended = program(source, str(path), stderr=subprocess.PIPE)

    assert ended.communicate(timeout=30) == (None, "")
    assert ended.returncode == 0


@asynccontextmanager
async def held_up(journal: SqliteJournal) -> AsyncGenerator[list[str]]:
    """Hold up the journal's thread at its next write while the block runs; what SQLite is told from then on."""
    assert journal._worker is not None
    connection = journal._worker._file._connection
    assert connection is not None
    loop, arrived, go_on, said = asyncio.get_running_loop(), asyncio.Event(), threading.Event(), list[str]()

    def hear(statement: str) -> None:
        said.append(statement.strip())
        if statement.startswith("BEGIN"):
            loop.call_soon_threadsafe(arrived.set)
            go_on.wait(20)

    connection.set_trace_callback(hear)
    first = asyncio.create_task(journal.claim(intent("first")))
    await arrived.wait()
    try:
        yield said
    finally:
        go_on.set()
    await asyncio.wait([first])


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "sends.journal"


async def test_the_file_is_made_by_the_first_call_and_only_its_owner_reads_it(path: Path) -> None:
    async with SqliteJournal(path) as journal:
        assert list(path.parent.iterdir()) == []
        await journal.claim(intent())
        modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in path.parent.iterdir()}

    assert modes == dict.fromkeys(["sends.journal", "sends.journal-shm", "sends.journal-wal", "sends.journal.key"], 0o600)
    assert sorted(file.name for file in path.parent.iterdir()) == ["sends.journal", "sends.journal.key"]


async def test_entries_outlive_their_journal(path: Path) -> None:
    async with SqliteJournal(path) as journal:
        await journal.claim(intent())
        key = await journal.key()

    async with SqliteJournal(str(path)) as later:
        assert (await standing(later)).state is SendState.OPEN
        assert await later.key() == key


def test_it_can_be_used_in_several_loops_and_after_it_was_closed(path: Path) -> None:
    journal = SqliteJournal(path)
    assert asyncio.run(journal.claim(intent())) is None
    assert asyncio.run(standing(journal)).state is SendState.OPEN
    asyncio.run(journal.aclose())
    asyncio.run(journal.aclose())
    assert asyncio.run(standing(journal)).state is SendState.OPEN
    asyncio.run(journal.aclose())


async def test_what_is_under_way_when_it_closes_is_done(path: Path) -> None:
    journal = SqliteJournal(path)
    claim = asyncio.create_task(journal.claim(intent()))
    await asyncio.sleep(0)  # the claim is on its way to the thread

    await journal.aclose()

    assert await claim is None
    async with journal:
        assert (await standing(journal)).state is SendState.OPEN


async def test_a_relative_path_stays_where_it_was(
    path: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A program that goes to another folder would find no entries there, and send again."""
    monkeypatch.chdir(path.parent)
    async with SqliteJournal(path.name) as journal:
        await journal.claim(intent())
        monkeypatch.chdir(tmp_path_factory.mktemp("elsewhere"))
        await journal.aclose()
        assert (await standing(journal)).state is SendState.OPEN


async def test_a_journal_that_nobody_holds_gives_its_thread_back(path: Path) -> None:
    before = set(threading.enumerate())
    journal = SqliteJournal(path)
    await journal.claim(intent())
    (thread,) = set(threading.enumerate()) - before
    assert thread.name.startswith("voicedrop-journal")  # so that whoever lists threads knows whose it is

    del journal
    gc.collect()
    await asyncio.to_thread(thread.join, 10)

    assert not thread.is_alive()
    assert not path.with_name("sends.journal-wal").exists()


def test_the_garbage_collector_may_come_upon_it_while_work_is_handed_to_a_pool(path: Path) -> None:
    """Pools share a lock, and whoever waits for it there, in the thread that holds it, waits for ever."""
    source = """
import asyncio, concurrent.futures, gc, sys
from journal_contract import intent
from voicedrop_async import SqliteJournal
gc.disable()
garbage = [SqliteJournal(sys.argv[1])]
asyncio.run(garbage[0].claim(intent()))
garbage.append(garbage)
made = concurrent.futures.Future.__init__

def collecting(future):  # made by a pool that holds its locks
    gc.collect()
    made(future)

concurrent.futures.Future.__init__ = collecting
del garbage
print(concurrent.futures.ThreadPoolExecutor(1).submit(int).result())
"""
    ended = program(source, str(path), stdout=subprocess.PIPE)

    assert ended.communicate(timeout=30) == ("0\n", None)
    assert not path.with_name("sends.journal-wal").exists()


def test_a_program_that_never_closes_it_ends_in_peace(path: Path) -> None:
    """No thread holds it up, no warning, and the file is closed."""
    source = """
import asyncio, sys
from journal_contract import intent
from voicedrop_async import SqliteJournal
journal = SqliteJournal(sys.argv[1])
asyncio.run(journal.claim(intent()))
"""
    ends_in_peace(source, path)

    assert sorted(file.name for file in path.parent.iterdir()) == ["sends.journal", "sends.journal.key"]


FORK = """
import asyncio, os, sys, warnings
from pathlib import Path
from journal_contract import intent
from voicedrop_async import ConfigError, JournalError, SqliteJournal
warnings.simplefilter("ignore")  # newer Pythons warn of any fork beside a thread

def refused(call, error, words="forked"):
    try:
        asyncio.run(call)
    except error as fault:
        assert words in str(fault)
    else:
        sys.exit(1)

journal = SqliteJournal(sys.argv[1])
asyncio.run(journal.claim(intent("parent")))
"""


def test_no_journal_of_a_forked_process_uses_a_file_that_was_open(path: Path) -> None:
    """SQLite would take the locks of the parent for its own: when that closes, what the child claims is lost. Closing gives up."""
    source = """
if child := os.fork():
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
    assert asyncio.run(journal.claim(intent("parent again"))) is None
else:
    refused(journal.claim(intent("child")), ConfigError)
    asyncio.run(journal.aclose())
    refused(journal.claim(intent("child")), JournalError)
    refused(SqliteJournal(sys.argv[1]).claim(intent("child")), JournalError)
    assert asyncio.run(SqliteJournal(sys.argv[1] + "2").claim(intent("child"))) is None
    sys.exit(7)
"""
    ends_in_peace(FORK + source, path)


def test_a_file_that_could_not_be_opened_is_not_taken_for_open_after_a_fork(path: Path) -> None:
    """Its key was gone for a while: nothing of the parent's is open, and the child is refused nothing."""
    source = """
asyncio.run(journal.aclose())
key = Path(sys.argv[1] + ".key")
away = key.rename(key.with_suffix(".away"))
refused(journal.claim(intent("parent without a key")), JournalError, "put it back")
away.rename(key)
if child := os.fork():
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
else:
    assert asyncio.run(SqliteJournal(sys.argv[1]).claim(intent("child"))) is None
    sys.exit(7)
"""
    ends_in_peace(FORK + source, path)


def test_after_a_fork_each_opens_what_was_closed_before(path: Path) -> None:
    """The parent closes while the child has the file open: no claim is lost."""
    source = """
asyncio.run(journal.aclose())
opened, written = os.pipe()
if child := os.fork():
    asyncio.run(journal.claim(intent("parent again")))
    os.read(opened, 1)
    asyncio.run(journal.aclose())
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
    print([entry.intent.ref for entry in asyncio.run(journal.open_entries())])
else:
    asyncio.run(journal.claim(intent("child")))
    os.write(written, b"x")
    asyncio.run(journal.claim(intent("child again")))
    sys.exit(7)
"""
    ended = program(FORK + source, str(path), stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    said, warned = ended.communicate(timeout=30)

    assert (ended.returncode, warned) == (0, "")
    assert all(repr(ref) in said for ref in ("parent", "parent again", "child", "child again"))


@pytest.mark.once
def test_of_two_processes_with_one_ref_one_wins_each_time(path: Path) -> None:
    """Both are told each ref at the same moment, 200 times, on a file that both make; they agree on its key."""
    workers = [program(CLAIMS, str(path), stdin=subprocess.PIPE, stdout=subprocess.PIPE) for _ in range(2)]
    says = [(worker.stdin, worker.stdout) for worker in workers if worker.stdin and worker.stdout]
    keys = {out.readline() for _, out in says}
    rounds: list[list[str]] = []
    for number in range(200):
        for into, _ in says:
            into.write(f"order-{number}\n")
            into.flush()
        rounds.append(sorted(out.readline().strip() for _, out in says))
    for worker in workers:
        worker.communicate(timeout=30)

    print(f"claims of one ref by two processes at one moment: {len(rounds)}, with one winner: {rounds.count(['lost', 'won'])}")
    assert rounds == [["lost", "won"]] * 200
    assert len(keys) == 1


async def test_journals_that_make_the_file_at_one_moment_agree_on_it(path: Path) -> None:
    for attempt in range(10):
        journals = [SqliteJournal(path.with_name(f"{attempt}.journal")) for _ in range(8)]
        outcomes = await asyncio.gather(*(journal.claim(intent()) for journal in journals))
        keys = {await journal.key() for journal in journals}
        await asyncio.gather(*(journal.aclose() for journal in journals))

        assert (outcomes.count(None), len(keys)) == (1, 1)
    assert [file.name for file in path.parent.iterdir() if file.suffix == ".new"] == []  # no draft stays behind


async def test_a_claim_cancelled_before_its_turn_is_not_written(path: Path) -> None:
    async with SqliteJournal(path) as journal:
        await journal.key()
        async with held_up(journal):
            waiting = asyncio.create_task(journal.claim(intent("waiting")))
            await asyncio.sleep(0)
            waiting.cancel()
            await asyncio.wait([waiting])

        assert [entry.intent.ref for entry in await journal.open_entries()] == ["first"]


async def test_a_claim_cancelled_while_it_is_written_is_written(path: Path) -> None:
    """So whoever cancels waits for it, and settles it."""
    async with SqliteJournal(path) as journal:
        await journal.key()
        tasks = asyncio.all_tasks()
        async with held_up(journal):
            (writing,) = asyncio.all_tasks() - tasks
            writing.cancel()
            await asyncio.wait([writing])

        assert writing.cancelled()
        assert [entry.intent.ref for entry in await journal.open_entries()] == ["first"]


async def test_what_waits_together_is_committed_together(path: Path) -> None:
    async with SqliteJournal(path) as journal:
        await journal.key()
        async with held_up(journal) as said:
            others = [asyncio.create_task(journal.claim(intent(str(number)))) for number in range(50)]
            await asyncio.sleep(0)
        await asyncio.gather(*others)

    assert said.count("COMMIT") == 2
    assert len([words for words in said if words.startswith("INSERT")]) == 51


async def test_what_cannot_be_written_or_read_fails_alone(path: Path) -> None:
    """Half a character in a name, and an entry that no journal wrote: who waits together with them gets through."""
    async with SqliteJournal(path) as journal:
        await journal.claim(intent("odd"))
        assert journal._worker is not None
        connection = journal._worker._file._connection
        assert connection is not None
        connection.execute("UPDATE sends SET started_at = 'soon'")
        async with held_up(journal):
            half = attrs.evolve(intent("half"), campaign_name="half \ud800")
            calls = [journal.claim(half), journal.find("odd"), journal.settle("odd", sent=True), journal.claim(intent("good"))]
            waiting = [asyncio.create_task(call) for call in calls]
            await asyncio.sleep(0)
        outcomes = await asyncio.gather(*waiting, return_exceptions=True)

        assert [type(outcome) for outcome in outcomes] == [JournalError, JournalError, JournalError, type(None)]
        assert "cannot be written down (UnicodeEncodeError)" in str(outcomes[0])
        assert "ref 'odd': the entry there is broken" in str(outcomes[1])
        assert (await standing(journal, "good")).state is SendState.OPEN
        with pytest.raises(JournalError, match="ref 'odd': the entry there is broken"):
            await journal.open_entries()


async def test_of_what_fails_together_nothing_is_told_as_done(path: Path) -> None:
    """Even after a fault that nobody thought of, here a moment that is none: each hears that his was not written."""
    async with SqliteJournal(path) as journal:
        await journal.key()
        async with held_up(journal):
            good = asyncio.create_task(journal.claim(intent("good")))
            odd = asyncio.create_task(journal.claim(attrs.evolve(intent("odd"), started_at=None)))
            await asyncio.sleep(0)
        outcomes = await asyncio.gather(good, odd, return_exceptions=True)

        assert [type(outcome) for outcome in outcomes] == [JournalError, JournalError]
        assert {str(outcome) for outcome in outcomes} == {"the journal could not go on"}
        assert [entry.intent.ref for entry in await journal.open_entries()] == ["first"]


async def test_a_cancelled_close_closes(path: Path) -> None:
    journal = SqliteJournal(path)
    before = set(threading.enumerate())
    await journal.key()
    (thread,) = set(threading.enumerate()) - before
    async with held_up(journal):
        closing = asyncio.create_task(journal.aclose())
        await asyncio.sleep(0)
        closing.cancel()
        await asyncio.wait([closing])
    await asyncio.to_thread(thread.join, 10)

    assert sorted(file.name for file in path.parent.iterdir()) == ["sends.journal", "sends.journal.key"]


async def test_a_claim_is_on_the_disk_and_what_became_of_it_may_follow_later(path: Path) -> None:
    """What SQLite is told: in a power cut a lost result leaves an open entry, a lost claim would leave nothing."""
    async with SqliteJournal(path) as journal:
        await journal.key()
        async with held_up(journal) as said:
            pass
        await journal.settle("first", sent=True)
        await journal.prune(timedelta(0))

    orders = [words.partition(" ")[0] if not words.startswith("PRAGMA") else words for words in said]
    claimed = ["PRAGMA synchronous = FULL", "BEGIN", "SELECT", "INSERT", "COMMIT"]
    settled = ["PRAGMA synchronous = NORMAL", "BEGIN", "SELECT", "UPDATE", "COMMIT"]
    assert orders == [*claimed, *settled, "PRAGMA synchronous = NORMAL", "BEGIN", "DELETE", "COMMIT"]


async def test_no_call_blocks_the_loop(path: Path) -> None:
    with blockbuster_ctx("voicedrop_async"):
        async with SqliteJournal(path) as journal:
            await journal.claim(intent())
            await journal.settle("order-7", sent=True)
            await journal.find("order-7")
            await journal.prune(timedelta(0))
            await journal.open_entries()


NO_FILE = "path: no name of a file; a journal in memory is a MemoryJournal"


@pytest.mark.parametrize(
    ("path_or_not", "words"),
    [
        (None, "path: None is no path of a file"),
        (7, "path: an int is no path of a file"),
        (b"sends.journal", "path: a bytes is no path of a file"),
        ("", "path: must not be empty"),
        ("  ", "path: must not be empty"),
        ("sends\0journal", NO_FILE),
        (":memory:", NO_FILE),
    ],
)
def test_a_path_must_be_one(path_or_not: str, words: str) -> None:
    with pytest.raises(ConfigError) as refused:
        SqliteJournal(path_or_not)
    assert str(refused.value) == words


def test_a_journal_shows_where_it_is_and_nothing_else(path: Path) -> None:
    assert repr(SqliteJournal(path)) == f"SqliteJournal({str(path)!r})"


@pytest.mark.parametrize("jump", [timedelta(days=-3650), timedelta(days=3650)])
async def test_a_clock_that_jumps_opens_nothing_and_forgets_nothing_open(
    path: Path, monkeypatch: pytest.MonkeyPatch, jump: timedelta
) -> None:
    class Jumped(datetime):
        @classmethod
        def now(cls, tz: object = None) -> datetime:
            return datetime.now(UTC) + jump

    async with SqliteJournal(path) as journal:
        for ref in ("open", "sent"):
            await journal.claim(intent(ref))
        await journal.settle("sent", sent=True)
        monkeypatch.setattr(_rules, "datetime", Jumped)

        assert await journal.prune(timedelta(days=90)) == (1 if jump > timedelta(0) else 0)
        assert await journal.claim(intent("open")) == await standing(journal, "open")
        assert [entry.intent.ref for entry in await journal.open_entries()] == ["open"]
