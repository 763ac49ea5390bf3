"""What Redis runs for those who share a rate, as one step that nothing comes between.

The rate is one hash: ``turn``, when the next turn may be; ``resume``, when a pause is over; ``lowered``, how often the
rate was cut, ``low``, to what, and ``since`` when it recovers; ``asked``, the latest question. All moments are
microseconds of the clock of Redis, so that those of the machines that ask do not count; one that was set back takes
the others along. The script is ours because the known limiters let a whole second's requests start together, and go by
the clocks of those who ask.
"""

from typing import Final

from voicedrop_async.throttle._gate import CUT, LEAST, RECOVERY

FURTHEST: Final = 1.0
"""Seconds from now to the last turn that is given; who finds all of them taken comes again."""

ASK: Final = (
    f"local CUT, LEAST, RECOVERY, FURTHEST = {CUT}, {LEAST}, {RECOVERY}, {FURTHEST * 1e6:.0f}"
    """
local limit, wanted, ahead, pause = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local seen, knows = tonumber(ARGV[5]), ARGV[6] == '1'
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]

local kept = redis.call('HMGET', KEYS[1], 'asked', 'turn', 'resume', 'since', 'low', 'lowered')
local function moment(at)
  return kept[at] and tonumber(kept[at]) - math.max(0, tonumber(kept[1]) - now)
end
local turn, resume, since = moment(2) or 0, moment(3) or 0, moment(4) or 0
local low, lowered = tonumber(kept[5] or limit), tonumber(kept[6] or 0)
if not kept[1] and knows then turn = now + FURTHEST end

resume = math.max(resume, now + pause)
local rate = limit
if lowered > 0 then rate = math.min(limit, low + math.max(0, now - since) / 1000000 * limit * RECOVERY) end
if seen >= lowered then
  lowered = seen + 1
  rate = math.max(rate * CUT, limit * LEAST)
  low, since = rate, math.max(now, resume)
end

local first, apart, given = math.max(turn, now), 1000000 / rate, 0
if resume <= now and wanted > 0 and first - now <= FURTHEST then
  given = math.min(wanted, 1 + math.max(0, math.floor((now + ahead - first) / apart)))
  turn = first + given * apart
end

local function digits(number) return string.format('%.0f', number) end
redis.call('HSET', KEYS[1], 'asked', digits(now), 'turn', digits(turn), 'resume', digits(resume), 'since', digits(since),
  'low', string.format('%.9g', low), 'lowered', digits(lowered))
return {given, digits(first - now), digits(apart), digits(math.max(0, resume - now)), digits(lowered), string.format('%.9g', rate)}
"""
)
"""Give turns. The key, then: requests a second; turns wanted; microseconds ahead in which several may be given at once;
microseconds of a pause that the caller knows of; how often the rate had been lowered when a request was refused that is
now to lower it, or -1; 1 if the caller had an answer before: then a rate that is not there was lost, and begins when all
turns of old are over.

Returned are: turns given; microseconds until the first, and between two; until the pause is over; how often the rate was
lowered; requests a second. Without turns and without a pause, the first is when to come again.
"""
