"""The list that most reports are of."""

import pytest
from report.reported import ROWS, messages_of


@pytest.fixture
def messages(caller, line):
    line.will(*[messages_of(ROWS)] * 5)
    return caller.track_messages()
