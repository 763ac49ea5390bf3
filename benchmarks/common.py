"""What the benchmarks share: servers and fresh processes, each on its core, and what one of them takes."""

import argparse
import asyncio
import http.client
import json
import os
import resource
import subprocess
import sys
from collections.abc import Callable, Coroutine, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent


@contextmanager
def page_server(messages: int, *sizes: int, script: str = "page_server.py") -> Iterator[str]:
    """Run the page server in another process, on another core where there is one; yield its URL."""
    command = [sys.executable, str(HERE / script), str(messages), *map(str, sizes)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        port = process.stdout.readline().strip()
        with on_another_core(process.pid):
            yield f"http://127.0.0.1:{port}"


@contextmanager
def on_another_core(pid: int) -> Iterator[None]:
    """Keep a process, with all its threads, away from the core of this one, where there are two."""
    cores = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []
    if len(cores) < 2:
        yield
        return
    for thread in Path(f"/proc/{pid}/task").iterdir():
        os.sched_setaffinity(int(thread.name), {cores[1]})
    os.sched_setaffinity(0, {cores[0]})
    try:
        yield
    finally:
        os.sched_setaffinity(0, cores)


def seen(url: str) -> dict[str, float]:
    """Return how many requests the page server has seen, and the seconds of processor time it took for them."""
    connection = http.client.HTTPConnection(url.split("/")[2])
    try:
        connection.request("GET", "/seen")
        told: dict[str, float] = json.loads(connection.getresponse().read())
    finally:
        connection.close()
    return told


def fresh(script: str, *arguments: object) -> dict[str, Any]:
    """Run a script of this folder in a process of its own; print what it prints, and return the JSON in its last line."""
    command = [sys.executable, str(HERE / script), *map(str, arguments)]
    process = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    if process.returncode:
        raise SystemExit(f"{' '.join(command[1:])} ended with {process.returncode}")
    *lines, last = process.stdout.splitlines()
    print("\n".join(lines), end="\n" if lines else "", flush=True)
    told: dict[str, Any] = json.loads(last)
    return told


Once = Callable[[str, str, int, Path], Coroutine[Any, Any, dict[str, float]]]


def run_here(once: Once, names: Sequence[str]) -> None:
    """Do once what the command line asks for, NAME URL MESSAGES FOLDER, and print what it took: the other end of ``fresh``."""
    parser = argparse.ArgumentParser()
    parser.add_argument("name", choices=names)
    parser.add_argument("url", help="of the page server, with latency and length of the list as its path")
    parser.add_argument("messages", type=int, help="of the list")
    parser.add_argument("folder", type=Path)
    asked = parser.parse_args()
    print(json.dumps(asyncio.run(once(asked.name, asked.url, asked.messages, asked.folder))))


def options(doc: str | None, **numbers: float) -> argparse.ArgumentParser:
    """Return a command line with an option for each of these numbers, whose default it is."""
    parser = argparse.ArgumentParser(description=doc, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, number in numbers.items():
        parser.add_argument(f"--{name}", type=type(number), default=number, help=f"{number:,}")
    return parser


def resident() -> int:
    """Return the bytes of this process that are in memory now."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize()


def peak() -> int:
    """Return the most bytes of this process that were in memory at once."""
    status = Path("/proc/self/status")
    if status.exists():  # what the system says of a child may count its parent in
        return next(int(line.split()[1]) for line in status.read_text().splitlines() if line.startswith("VmHWM")) * 1024
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most if sys.platform == "darwin" else most * 1024
