"""How a broker for workers is made."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

from voicedrop_async._checks import check_amount, check_text
from voicedrop_async._masking import type_of
from voicedrop_async.errors import ConfigError
from voicedrop_async.routee import RouteeSession
from voicedrop_async.spacivox import SpacivoxSession

if TYPE_CHECKING:
    from voicedrop_async.workers._stream import StreamBroker

OpenSession = Callable[[], AbstractAsyncContextManager[RouteeSession | SpacivoxSession]]


def worker_broker(redis: str, open_session: OpenSession, *, queue: str = "voicedrop:tasks", idle: float = 30.0) -> "StreamBroker":
    """Return a broker of taskiq on a stream of Redis: ``taskiq worker module:broker`` starts workers, as many as you like.

    Each worker process has one session, ``broker.session`` in a task. A task is acknowledged when it was executed, however it
    ended, and is then gone from the stream. That of a worker that died is done by another, so each can be done twice: what is paid
    for needs a ref, and a journal that all of them share. A task may take as long as it likes.

    Args:
        redis: URL of a database, as in ``redis://localhost:6379/0``; it is to keep its writes, or tasks are lost with it.
        open_session: Called once in each worker; makes a session, or opens a throttle and a journal around one.
        queue: The key of the stream; one for each kind of worker.
        idle: Seconds of silence after which a worker is taken for dead.

    Raises:
        ConfigError: The extra ``taskiq`` is not installed, or ``redis`` is no URL.
    """
    if not callable(open_session):
        raise ConfigError(f"open_session: {type_of(open_session)} cannot be called")
    check_text("queue", queue)
    check_amount("idle", idle)
    try:
        made: Any = import_module("voicedrop_async.workers._stream")
    except ModuleNotFoundError:
        raise ConfigError(_WANTED) from None
    try:
        broker: StreamBroker = made.StreamBroker(check_text("redis", redis), open_session, queue, idle)
    except ValueError:  # its text may show the password
        raise ConfigError("redis: must be a URL such as redis://localhost:6379/0") from None
    return broker


_WANTED: Final = 'taskiq: needs the extra: python -m pip install "voicedrop-async[taskiq]"'
