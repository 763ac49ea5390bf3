"""What Redis runs for a journal, each as one step that nothing comes between.

The journal is one hash: ``key``, the bytes under which recipients are hashed; ``place``, a count that tells which entry
began first; and ``ref:...``, one entry each, as JSON. The words after the name of the hash are the key as the caller knows
it, the field of the entry, and JSON. A journal without that key is not the caller's: ``gone``. An entry that is no JSON
of ours is ``broken``.

``writer`` names one call. A client that did not hear an answer asks again, and is told what it was told before. What a
settlement is ``of`` is the claim that is meant: where another stands since, there is nothing to settle.
"""

from typing import Final

CLAIM: Final = """
if redis.call('HGET', KEYS[1], 'key') ~= ARGV[1] then return 'gone' end
local standing = redis.call('HGET', KEYS[1], ARGV[2])
local wanted = cjson.decode(ARGV[3])
if standing then
  local read, entry = pcall(cjson.decode, standing)
  if not read or type(entry) ~= 'table' then return 'broken' end
  if entry.writer == wanted.writer then return 'done' end
  local same = entry.campaign_digest == wanted.campaign_digest and entry.recipients_digest == wanted.recipients_digest
  if entry.state ~= 'not_sent' or not same then return standing end
end
wanted.place = redis.call('HINCRBY', KEYS[1], 'place', 1)
redis.call('HSET', KEYS[1], ARGV[2], cjson.encode(wanted))
return 'done'
"""

SETTLE: Final = """
if redis.call('HGET', KEYS[1], 'key') ~= ARGV[1] then return 'gone' end
local standing = redis.call('HGET', KEYS[1], ARGV[2])
if not standing then return 'none' end
local read, entry = pcall(cjson.decode, standing)
if not read or type(entry) ~= 'table' then return 'broken' end
local change = cjson.decode(ARGV[3])
if entry.writer == change.writer then return 'done' end
for name, value in pairs(change.of) do
  if entry[name] ~= value then return 'none' end
end
local answers = change.settled_by == 'answer' and entry.settled_by ~= 'answer'
local after_all = change.state == 'sent' and (entry.state == 'not_sent' or answers)
if entry.state ~= 'open' and not after_all then return 'none' end
change.of = nil
for name, value in pairs(change) do entry[name] = value end
redis.call('HSET', KEYS[1], ARGV[2], cjson.encode(entry))
return 'done'
"""

FORGET: Final = """
local forgotten = 0
for word = 1, #ARGV, 2 do
  if redis.call('HGET', KEYS[1], ARGV[word]) == ARGV[word + 1] then
    forgotten = forgotten + redis.call('HDEL', KEYS[1], ARGV[word])
  end
end
return forgotten
"""
