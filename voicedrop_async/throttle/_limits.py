"""What may be asked of a service at once, as values."""

from attrs import frozen

from voicedrop_async._checks import check_amount, check_count


@frozen(kw_only=True)
class Limits:
    """What a session may ask of a service at once."""

    max_in_flight: int = 8
    """Requests in flight, from their first byte to the last byte of the answer."""
    rate: float | None = None
    """Requests started a second, evenly spread; never more within any one second. None for no limit. A 429 halves it, down to
    a tenth of what is set here at the lowest; each second then gives back a hundredth of it."""
    send_reserve: int = 1
    """Slots that reading may not take from sending; never more than ``max_in_flight - 1``."""

    def __attrs_post_init__(self) -> None:
        check_count("max_in_flight", self.max_in_flight, 1)
        check_count("send_reserve", self.send_reserve, 0)
        if self.rate is not None:
            check_amount("rate", self.rate)


@frozen(kw_only=True)
class ThrottleSnapshot:
    """A throttle at one moment."""

    in_flight: int
    """Requests that hold a slot."""
    waiting: int
    """Calls in line for one."""
    rate: float | None
    """Requests a second that may start now: below ``rate_limit`` for a while after a 429; None for no limit."""
    rate_limit: float | None
    """Requests a second as set in ``Limits``."""
    paused_for: float
    """Seconds until requests may start again; 0 if there is no pause."""
