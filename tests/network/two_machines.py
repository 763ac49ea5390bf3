"""Two machines in one: network namespaces with a cable between them, whose packets can be lost, held up and cut off.

The namespaces have no names. They live as long as this process holds them, and end with it however it ends: nothing is left
behind, and runs side by side know nothing of each other. The test's own thread moves over to the client's machine, where a
session then makes its sockets; a socket stays on the machine it was made on, and so does the server's.
"""

import ctypes
import json
import os
import socket
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

T = TypeVar("T")

CLIENT, SERVER, NOBODY = "10.0.0.1", "10.0.0.2", "10.0.0.3"
"""The addresses; the last one is no machine's."""
_LIBC = ctypes.CDLL(None, use_errno=True)
_NETWORK = 0x40000000  # CLONE_NEWNET; ``os`` has these calls from Python 3.12 on
_HERE = Path("/proc/thread-self/ns/net")


class CannotHere(Exception):
    """This machine has not what it takes; the text says what."""


def _system(call: str, *arguments: int) -> None:
    if getattr(_LIBC, call)(*arguments) != 0:
        raise OSError(ctypes.get_errno(), f"{call}: {os.strerror(ctypes.get_errno())}")


def tool(*command: str) -> str:
    """Run a command on the machine we are on, and return what it printed."""
    try:
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout
    except FileNotFoundError:
        raise CannotHere(f"there is no {command[0]!r}") from None
    except subprocess.CalledProcessError as fault:
        raise CannotHere(f"{command[0]!r} says: {fault.stderr.strip()}") from None


@dataclass(frozen=True)
class TwoMachines:
    """The two ends of the cable, as open files that hold their namespaces."""

    client: int
    server: int

    @contextmanager
    def at_the_server(self) -> Iterator[None]:
        """Run the block on the server's machine. There must be no ``await`` in it."""
        _system("setns", self.server, _NETWORK)
        try:
            yield
        finally:
            _system("setns", self.client, _NETWORK)

    def lay_cable(self) -> None:
        # Of ends with the same number, the kernel takes up to a second to notice that they are up.
        near, there = ["name", "cable", "index", "10"], ["name", "cable", "index", "20", "netns", f"/proc/{os.getpid()}/fd/{self.server}"]
        tool("ip", "link", "add", *near, "type", "veth", "peer", *there)
        _connect(CLIENT)
        self._there(partial(_connect, SERVER))
        self._wait_until_packets_pass()

    def listen(self) -> socket.socket:
        """A socket on the server's machine, for a server to listen on."""
        listening = self._there(socket.socket)
        listening.bind((SERVER, 0))
        return listening

    def pull(self, end: int) -> None:
        """Take the link down, at the client's or at the server's end."""
        self._switch(end, "down")

    def plug(self, end: int) -> None:
        """Take it up again, and return when packets pass."""
        self._switch(end, "up")
        self._wait_until_packets_pass()

    def _switch(self, end: int, state: str) -> None:
        switch = partial(tool, "ip", "link", "set", "cable", state)
        switch() if end == self.client else self._there(switch)

    def _wait_until_packets_pass(self) -> None:
        """Send something both ways until it arrives: an end that is up takes a moment to carry anything."""
        with _datagrams(CLIENT) as here, self._there(partial(_datagrams, SERVER)) as there:
            for sender, receiver in ((here, there), (there, here)):
                arrived = False
                while not arrived:
                    sender.sendto(b"!", receiver.getsockname())
                    with suppress(TimeoutError):
                        arrived = bool(receiver.recv(1))

    def lose(self, share: float) -> None:
        """Lose this share of the packets that arrive, by chance, at either end."""
        self._at_both_ends("iptables", "-A", "INPUT", "-m", "statistic", "--mode", "random", "--probability", str(share), "-j", "DROP")

    def slow_down(self, rate: str) -> None:
        """Let no more than ``rate`` out, as in "1mbit", at either end."""
        self._at_both_ends("tc", "qdisc", "add", "dev", "cable", "root", "tbf", "rate", rate, "burst", "4kb", "latency", "1s")

    def _at_both_ends(self, *command: str) -> None:
        tool(*command)
        self._there(partial(tool, *command))

    def packets_sent(self) -> int:
        """How many the client has put on the cable."""
        return _link()["stats64"]["tx"]["packets"]

    def sent_again(self) -> int:
        """Segments that TCP had to send again, at both ends."""
        return _retransmissions() + self._there(_retransmissions)

    def _there(self, look: Callable[[], T]) -> T:
        with self.at_the_server():
            return look()


def _connect(address: str) -> None:
    # Both ends have the same hardware address and take it for everybody's: nobody is asked for it, which takes a second where it is lost.
    tool("ip", "link", "set", "cable", "address", "02:00:00:00:00:01", "arp", "off")
    tool("ip", "address", "add", f"{address}/24", "dev", "cable")
    tool("ip", "link", "set", "cable", "up")


def _link() -> dict[str, Any]:
    (cable,) = json.loads(tool("ip", "-json", "-statistics", "link", "show", "cable"))
    return cable


def _datagrams(address: str) -> socket.socket:
    made = socket.socket(type=socket.SOCK_DGRAM)
    made.bind((address, 0))
    made.settimeout(0.01)
    return made


def _retransmissions() -> int:
    names, values = (line.split() for line in Path("/proc/thread-self/net/snmp").read_text().splitlines() if line.startswith("Tcp:"))
    return int(dict(zip(names, values, strict=True))["RetransSegs"])


@contextmanager
def two_machines() -> Iterator[TwoMachines]:
    """Two machines with a cable; the block runs on the client's.

    Raises:
        CannotHere: No namespaces, no rights to make them, or no ``ip``.
    """
    held: list[int] = []
    away = False
    try:
        with _or_cannot():
            held.append(os.open(_HERE, os.O_RDONLY))
            for _ in range(2):
                _system("unshare", _NETWORK)
                away = True
                held.append(os.open(_HERE, os.O_RDONLY))
            machines = TwoMachines(client=held[2], server=held[1])
            machines.lay_cable()
        yield machines
    finally:
        if away:
            _system("setns", held[0], _NETWORK)
        for network in held:
            os.close(network)


@contextmanager
def _or_cannot() -> Iterator[None]:
    try:
        yield
    except (OSError, AttributeError) as fault:  # no /proc, no such call, no rights
        raise CannotHere(f"no networks of its own: {fault}") from None
