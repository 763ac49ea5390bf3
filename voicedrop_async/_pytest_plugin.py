"""The plugin of pytest: one fixture. It is loaded into every run of pytest beside this package, and loads nothing until it is used."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from voicedrop_async.sandbox import Sandbox


@pytest.fixture
def voicedrop_sandbox() -> "Iterator[Sandbox]":
    """A ``voicedrop_async.sandbox.Sandbox`` for this test, served from a thread of its own: for tests with any loop, or none."""
    from voicedrop_async.sandbox import Sandbox, in_thread

    with in_thread(Sandbox()) as sandbox:
        yield sandbox
