"""The two machines themselves: they are two, and nothing of them is left behind."""

import errno
import os
import socket
from pathlib import Path

import pytest
from network.conftest import MUST_RUN, possibly
from network.two_machines import CLIENT, CannotHere, TwoMachines, two_machines


def network() -> str:
    """The name of the network that this thread is in."""
    return str(Path("/proc/thread-self/ns/net").readlink())


def open_files() -> set[str]:
    return {entry.name for entry in Path("/proc/self/fd").iterdir()}


def test_where_everything_must_run_what_cannot_has_failed(monkeypatch: pytest.MonkeyPatch) -> None:
    def cannot() -> None:
        raise CannotHere("no rights")

    monkeypatch.setenv(MUST_RUN, "1")
    with pytest.raises(pytest.fail.Exception, match="cannot run here: no rights"):
        possibly(cannot)


def test_they_are_two_and_the_test_is_on_the_client_s(machines: TwoMachines) -> None:
    with machines.listen() as server:
        server.listen()
        here = network()
        with machines.at_the_server():
            there = network()
        with socket.create_connection(server.getsockname(), 5) as connection:
            assert connection.getsockname()[0] == CLIENT

    assert network() == here != there


def test_after_a_failure_we_are_home_and_hold_nothing(machines: TwoMachines) -> None:
    """Two within the two: a network that nobody holds is taken away by the kernel, with its end of the cable."""

    def fail() -> None:
        with two_machines():
            assert network() != before
            raise ZeroDivisionError

    before, held = network(), open_files()
    with pytest.raises(ZeroDivisionError):
        fail()

    assert (network(), open_files()) == (before, held)


def test_who_left_home_and_got_no_farther_comes_back(machines: TwoMachines, monkeypatch: pytest.MonkeyPatch) -> None:
    """The new network is there, and no file can be opened to hold it."""
    before, opened = network(), os.open

    def no_more(path: Path, flags: int) -> int:
        if network() != before:
            raise OSError(errno.EMFILE, "too many open files")
        return opened(path, flags)

    with monkeypatch.context() as full:
        full.setattr(os, "open", no_more)
        with pytest.raises(CannotHere, match="too many open files"), two_machines():
            pass

    assert network() == before


def test_what_is_not_there_is_named_and_the_test_skipped(machines: TwoMachines, monkeypatch: pytest.MonkeyPatch) -> None:
    before = network()
    monkeypatch.setenv("PATH", "")
    monkeypatch.delenv(MUST_RUN, raising=False)

    with pytest.raises(CannotHere, match="there is no 'ip'"), two_machines():
        pass
    with pytest.raises(pytest.skip.Exception, match="cannot run here: there is no 'iptables'"):
        possibly(lambda: machines.lose(0.05))

    assert network() == before
