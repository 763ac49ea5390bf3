"""What the benchmarks share: the page server in a process of its own, fresh processes, and what one of them takes."""

import http.client
import json
import os
import resource
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent


@contextmanager
def page_server(messages: int, *sizes: int, script: str = "page_server.py") -> Iterator[str]:
    """Run the page server in another process, on another core where there is one; yield its URL."""
    command = [sys.executable, str(HERE / script), str(messages), *map(str, sizes)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        port = process.stdout.readline().strip()
        cores = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []
        if len(cores) > 1:
            os.sched_setaffinity(process.pid, {cores[1]})
            os.sched_setaffinity(0, {cores[0]})
        try:
            yield f"http://127.0.0.1:{port}"
        finally:
            process.stdin.close()
            if len(cores) > 1:
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
