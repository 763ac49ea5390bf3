"""A long list as parts of like size, for several processes or machines: a plan, which is data; one part done; and all put together.

Nothing here knows who spreads the work. A part that is done twice is the same file, one that was broken off goes on where it was, and
in the end each item stands there once, or it is told what is not there.
"""

from voicedrop_async.shards._merge import Merged, merge
from voicedrop_async.shards._parts import Parts
from voicedrop_async.shards._plan import plan
from voicedrop_async.shards._run import ShardSink, Written, run_shard
from voicedrop_async.shards._shard import Shard, ShardResult, ShardState

__all__ = ["Merged", "Parts", "Shard", "ShardResult", "ShardSink", "ShardState", "Written", "merge", "plan", "run_shard"]
