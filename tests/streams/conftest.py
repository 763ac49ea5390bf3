"""No walk of these tests leaves a word of the loop behind: a task destroyed at work, an exception nobody retrieved."""

import gc
import logging

import pytest


@pytest.fixture(autouse=True)
def _nothing_left_to_complain_about(caplog):
    yield
    gc.collect(1)  # what a test made is young; all of it takes long
    told = [*caplog.get_records("call"), *caplog.records]
    assert [record.getMessage() for record in told if record.name == "asyncio" and record.levelno >= logging.ERROR] == []
