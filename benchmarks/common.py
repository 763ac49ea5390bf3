"""What the benchmarks share: the page server in a process of its own, and figures with their goals."""

import os
import resource
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def page_server(messages: int, *sizes: int) -> Iterator[str]:
    """Run the page server in another process, on another core where there is one; yield its URL."""
    command = [sys.executable, str(Path(__file__).with_name("page_server.py")), str(messages), *map(str, sizes)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        port = process.stdout.readline().strip()
        cores = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []
        if len(cores) > 1:
            os.sched_setaffinity(process.pid, {cores[1]})
            os.sched_setaffinity(0, {cores[0]})
        yield f"http://127.0.0.1:{port}"
        process.stdin.close()


def resident() -> int:
    """Return the bytes of this process that are in memory now."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize()


def beside(figure: float, goal: float) -> str:
    """Return a goal as it stands beside its figure, which must not be above it."""
    return f"goal {goal:g}: {'held' if figure <= goal else 'MISSED'}"
