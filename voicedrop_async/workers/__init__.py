"""Workers on a queue: taskiq and a stream of Redis, so that no task is lost with its worker. Needs the extra ``taskiq``."""

from voicedrop_async.workers._broker import worker_broker
from voicedrop_async.workers._shards import ShardProgress, ShardQueue

__all__ = ["ShardProgress", "ShardQueue", "worker_broker"]
