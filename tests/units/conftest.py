"""aioresponses for small questions: it answers in place of the network, so no bytes, time or redirects can be seen."""

from collections.abc import Generator
from functools import partialmethod
from typing import Any
from unittest.mock import Mock

import pytest
from aiohttp import ClientResponse
from aioresponses import aioresponses


class ResponseOfToday(ClientResponse):
    """aiohttp 3.14 wants to know the writer of the request; aioresponses 0.7.9 does not hand one over."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, stream_writer=Mock(), **kwargs)


class Answers(aioresponses):
    add = partialmethod(aioresponses.add, response_class=ResponseOfToday)


@pytest.fixture
def answers() -> Generator[aioresponses]:
    with Answers() as mocked:
        yield mocked
