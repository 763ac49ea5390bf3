"""A cable to pull. Where a machine has no namespaces, or cannot lose or hold up packets, its tests are skipped and say why."""

import os
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import ExitStack
from typing import TypeVar

import pytest
from network.two_machines import CannotHere, TwoMachines, two_machines
from raw_server import RawServer

T = TypeVar("T")

MUST_RUN = "VOICEDROP_MUST_RUN"
"""In the environment of ``nox -s network``: what cannot run here has failed."""


def possibly(make: Callable[[], T]) -> T:
    try:
        return make()
    except CannotHere as reason:
        (pytest.fail if MUST_RUN in os.environ else pytest.skip)(f"cannot run here: {reason}")


@pytest.fixture
def machines() -> Iterator[TwoMachines]:
    """Two machines and their cable; the test is on the client's."""
    with ExitStack() as stack:
        yield possibly(lambda: stack.enter_context(two_machines()))


@pytest.fixture
async def far(machines: TwoMachines) -> AsyncGenerator[RawServer]:
    """The server, on the other machine."""
    async with RawServer(listening=machines.listen()) as server:
        yield server


@pytest.fixture
def lossy(machines: TwoMachines) -> TwoMachines:
    """Of twenty packets, one is lost."""
    possibly(lambda: machines.lose(0.05))
    return machines


@pytest.fixture
def narrow(machines: TwoMachines) -> TwoMachines:
    """A million bits a second go through."""
    possibly(lambda: machines.slow_down("1mbit"))
    return machines
