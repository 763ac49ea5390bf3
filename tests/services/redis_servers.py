"""A Redis of our own: on a free port, with its files in a folder of the test, ended by its own process id."""

import signal
import socket
import subprocess
from pathlib import Path

DURABLE = ("--appendonly", "yes", "--appendfsync", "always")


class RedisServer:
    """A ``redis-server`` that can be killed and started again on the same port and files."""

    def __init__(self, folder: Path, *options: str) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self._folder = folder
        self._options = options
        self._process: subprocess.Popen[str] | None = None

    def start(self) -> None:
        """Start it, and wait until it accepts connections. Where there is no ``redis-server``, the test fails."""
        command = ["redis-server", "--port", str(self.port), "--bind", "127.0.0.1", "--dir", str(self._folder), "--save", ""]
        self._process = subprocess.Popen([*command, *self._options], stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        assert any("Ready to accept connections" in line for line in self._process.stdout), "redis-server did not start"

    def tell(self, number: int) -> None:
        assert self._process is not None
        self._process.send_signal(number)

    def end(self, number: int = signal.SIGTERM) -> None:
        """End it, or let it be ended; again: does nothing."""
        if self._process is not None:
            self.tell(number)
            self._process.communicate(timeout=20)
            self._process = None
