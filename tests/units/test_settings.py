"""What a session can be set to: each setting is named where it is refused, and good up to its very edge."""

from collections.abc import Callable

import pytest

from voicedrop_async import ConfigError, Limits, Retry, Timeouts

SETTINGS: list[tuple[Callable[..., object], str, object, object]] = [
    (Timeouts, "connect", 0.001, 0),
    (Timeouts, "read", 0.001, 0),
    (Retry, "attempts", 1, 0),
    (Retry, "budget", 0, -1),
    (Retry, "base", 0, -0.001),
    (Retry, "cap", 0, -0.001),
    (Retry, "retry_after_cap", 0, -0.001),
    (Limits, "max_in_flight", 1, 0),
    (Limits, "send_reserve", 0, -1),
    (Limits, "rate", 0.001, 0),
]
"""The least that each may be, and what is less."""


@pytest.mark.parametrize(("kind", "name", "least", "less"), SETTINGS)
def test_a_setting_is_good_down_to_its_least_value_and_refused_by_its_name_below(
    kind: Callable[..., object], name: str, least: object, less: object
) -> None:
    assert getattr(kind(**{name: least}), name) == least
    with pytest.raises(ConfigError, match=rf"^{name}: {less} is (below|not above) "):
        kind(**{name: less})


@pytest.mark.parametrize(("kind", "name"), [(kind, name) for kind, name, _, _ in SETTINGS])
@pytest.mark.parametrize("odd", ["8", True, float("nan"), [1]])
def test_what_is_no_number_is_refused_by_the_name_of_its_setting(kind: Callable[..., object], name: str, odd: object) -> None:
    with pytest.raises(ConfigError, match=rf"^{name}: "):
        kind(**{name: odd})
