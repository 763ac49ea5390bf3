"""Workers on a queue: taskiq and a stream of Redis, so that no task is lost with its worker. Needs the extra ``taskiq``."""

from voicedrop_async.workers._broker import OpenSession, worker_broker

__all__ = ["OpenSession", "worker_broker"]
