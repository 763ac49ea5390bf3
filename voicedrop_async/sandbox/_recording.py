"""A recording: a file of what was asked and answered, one exchange a line, as JSON."""

import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct


class Exchange(Struct, frozen=True, kw_only=True):
    """One line: what was asked and answered, without secrets and numbers."""

    method: str
    path: str
    query: dict[str, str]
    request: Any
    """The body as JSON; None if it was none."""
    status: int
    retry_after: str | None
    answer: Any
    """As of the request."""


def write(file: Path, exchanges: Iterable[Exchange]) -> None:
    """Write a recording; one that stands there is replaced."""
    file.write_bytes(b"".join(msgspec.json.encode(exchange) + b"\n" for exchange in exchanges))


def read(file: str | os.PathLike[str]) -> Iterator[Exchange]:
    """The exchanges of a recording.

    Raises:
        OSError: It cannot be read.
        ValueError: It is no recording; names the line.
    """
    for number, line in enumerate(Path(file).read_bytes().splitlines(), 1):
        try:
            yield msgspec.json.decode(line, type=Exchange)
        except ValueError:
            raise ValueError(f"{file}: line {number} is no exchange") from None


def json_of(body: bytes) -> Any:
    """What is JSON; None for everything else."""
    try:
        return msgspec.json.decode(body)
    except (ValueError, RecursionError):
        return None
