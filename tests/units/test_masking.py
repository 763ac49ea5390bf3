"""What is shown of a text: phone numbers are masked, and figures of ours are not taken for any."""

import pickle

import pytest

from voicedrop_async import ConnectFailed
from voicedrop_async._masking import shown, spoken


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (30.0, "30"),
        (0.1, "0.1"),
        (0.30000000000000004, "0.3"),
        (0.1234567, "0.123"),
        (1e-9, "0.001"),
        (86400.0, "86400"),
        (12345678.9, "1.23457e+07"),
    ],
)
def test_a_waiting_time_is_never_taken_for_a_phone_number(seconds: float, text: str) -> None:
    error = ConnectFailed(summary=f"no connection within {spoken(seconds)} s")

    assert spoken(seconds) == text
    assert f"within {text} s" in str(pickle.loads(pickle.dumps(error)))


@pytest.mark.parametrize("text", ["on 2026-03-02 at noon", "2026-03-02 10:00:00"])
def test_a_date_is_never_taken_for_a_phone_number(text: str) -> None:
    assert shown(text) == text


@pytest.mark.parametrize("text", ["+2026-03-02 55", "2026-03-02 5551234", "12026-03-02"])
def test_what_only_looks_like_a_date_is_masked(text: str) -> None:
    assert "*****" in shown(text)


def test_seven_digits_are_masked() -> None:
    assert shown("call 1234567") == "call *****67"
