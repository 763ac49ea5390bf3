"""How many requests may be in flight, how fast they may start, and what follows a 429: a pause, and a lower rate."""

from typing import TYPE_CHECKING

from voicedrop_async.throttle._limits import Limits, ThrottleSnapshot
from voicedrop_async.throttle._throttle import Throttle

if TYPE_CHECKING:  # loaded by whoever shares a rate
    from voicedrop_async.throttle._shared import RedisThrottle
else:
    from voicedrop_async._lazily import lazily

    __getattr__, __dir__ = lazily(__name__, {"_shared": ("RedisThrottle",)})

__all__ = ["Limits", "RedisThrottle", "Throttle", "ThrottleSnapshot"]
