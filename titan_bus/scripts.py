"""The Lua scripts, for what must be atomic on the server.

A command may be sent twice (`connection`). So an outcome begins with XACK, which has no effect the second time.
"""

WORDS_MAX = 1_000
"""A script cannot pass more than some 8,000 words to one command (Lua 5.1, LUAI_MAXCSTACK)."""

SCHEDULE = """
-- KEYS stream, delayed; ARGV group, entry id, delay in ms, event. Time is the server's: one clock for all.
redis.call('ZRANGE', KEYS[2], 0, 0)  -- fails on a key of another type before the XACK, not after it
if redis.call('XACK', KEYS[1], ARGV[1], ARGV[2]) == 0 then return 0 end
local now = redis.call('TIME')
redis.call('ZADD', KEYS[2], now[1] * 1000 + math.floor(now[2] / 1000) + ARGV[3], ARGV[4])
return 1
"""

PUBLISH_LATER = """
-- KEYS later; ARGV delay in ms, event. Time is the server's. Sent twice, the event is there once, a little later.
local now = redis.call('TIME')
return redis.call('ZADD', KEYS[1], now[1] * 1000 + math.floor(now[2] / 1000) + ARGV[1], ARGV[2])
"""

REDELIVER_DUE = """
-- KEYS delayed, retries, or later, stream; ARGV field. Moves what is due; returns ms until the next is, or -1.
local now = redis.call('TIME')
now = now[1] * 1000 + math.floor(now[2] / 1000)
for _, event in ipairs(redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', now, 'LIMIT', 0, 100)) do
  redis.call('XADD', KEYS[2], '*', ARGV[1], event)
  redis.call('ZREM', KEYS[1], event)
end
local head = redis.call('ZRANGE', KEYS[1], 0, 0, 'WITHSCORES')
if #head == 0 then return -1 end
return math.max(0, head[2] - now)
"""

DEAD_LETTER = """
-- KEYS stream, dead letters; ARGV group, entry id, longest, then the dead letter's fields and values.
-- Returns how many of the oldest dead letters were removed for it.
redis.call('XLEN', KEYS[2])  -- fails on a key of another type before the XACK, not after it
if redis.call('XACK', KEYS[1], ARGV[1], ARGV[2]) == 0 then return 0 end
local before = redis.call('XLEN', KEYS[2])
redis.call('XADD', KEYS[2], 'MAXLEN', '~', ARGV[3], '*', unpack(ARGV, 4))
return before + 1 - redis.call('XLEN', KEYS[2])
"""

TRIM = """
-- KEYS stream; ARGV maxlen. Removes up to 99 of the oldest entries, only such as every group has
-- acknowledged; a stream without groups keeps about maxlen. Returns how many were removed, 1 when more should be,
-- and 1 when the surplus waits for a group.
-- (MAXLEN alone would remove unacknowledged ones; ACKED of Redis 8.2 to 8.6 is wrong, redis#14656.)
if redis.call('EXISTS', KEYS[1]) == 0 then return {0, 0, 0} end
local maxlen = tonumber(ARGV[1])
local over = redis.call('XLEN', KEYS[1]) - maxlen
if over <= 0 then return {0, 0, 0} end
local groups = redis.call('XINFO', 'GROUPS', KEYS[1])
if #groups == 0 then
  local gone = redis.call('XTRIM', KEYS[1], 'MAXLEN', '~', maxlen)
  return {gone, gone > 0 and 1 or 0, 0}
end
local function parts(id) local ms, seq = id:match('(%d+)-(%d+)') return tonumber(ms), tonumber(seq) end
local floor
for _, flat in ipairs(groups) do
  local group = {}
  for i = 1, #flat, 2 do group[flat[i]] = flat[i + 1] end
  local id = group['last-delivered-id']
  local pending = redis.call('XPENDING', KEYS[1], group['name'])
  if pending[1] > 0 then id = pending[2] end
  if floor then
    local ms, seq = parts(id)
    local floor_ms, floor_seq = parts(floor)
    if ms < floor_ms or (ms == floor_ms and seq < floor_seq) then floor = id end
  else
    floor = id
  end
end
if floor == '0-0' then return {0, 0, 1} end
local count = math.min(over + 1, 100)  -- XRANGE copies whole entries: 1,000 of 31 KB stop the server for 60 ms
local head = redis.call('XRANGE', KEYS[1], '-', floor, 'COUNT', count)
if #head < 2 then return {0, 0, 1} end
local gone = redis.call('XTRIM', KEYS[1], 'MINID', head[#head][1])
return {gone, #head == 100 and 1 or 0, over > gone and 1 or 0}
"""

REDRIVE = """
-- KEYS dead letters, stream; ARGV dead letter id, then the entry's fields and values. Written before it goes:
-- a script that fails half-way is not rolled back, and XADD may fail (no rights, another type, no memory).
if #redis.call('XRANGE', KEYS[1], ARGV[1], ARGV[1]) == 0 then return 0 end
redis.call('XADD', KEYS[2], '*', unpack(ARGV, 2))
return redis.call('XDEL', KEYS[1], ARGV[1])
"""

RESTORE = """
-- KEYS stream, mark; ARGV for each entry its id, how many fields and values it has, and these; 0 of them only
-- set the last id. The mark is the last id that a restore wrote here: with another one on the stream somebody
-- else published, what is older could not be put before that, and nothing is done: -1. Sent twice, entries are
-- passed over the second time. Returns how many were added.
local function parts(id) local ms, seq = id:match('(%d+)-(%d+)') return tonumber(ms), tonumber(seq) end
local last = '0-0'
if redis.call('EXISTS', KEYS[1]) == 1 then
  local info = redis.call('XINFO', 'STREAM', KEYS[1])
  for i = 1, #info, 2 do
    if info[i] == 'last-generated-id' then last = info[i + 1] end
  end
end
if redis.call('GET', KEYS[2]) ~= last then return -1 end
local last_ms, last_seq = parts(last)
local added, i = 0, 1
while i < #ARGV do
  local ms, seq = parts(ARGV[i])
  local count = tonumber(ARGV[i + 1])
  if ms > last_ms or (ms == last_ms and seq > last_seq) then
    if count == 0 then
      redis.call('XSETID', KEYS[1], ARGV[i])
    else
      redis.call('XADD', KEYS[1], ARGV[i], unpack(ARGV, i + 2, i + 1 + count))
      added = added + 1
    end
    last, last_ms, last_seq = ARGV[i], ms, seq
  end
  i = i + 2 + count
end
redis.call('SET', KEYS[2], last)
return added
"""

LEASE = """
-- KEYS lease; ARGV token, milliseconds, 0 to release it, the token of a holder that has died, or none. Acquires a
-- free lease, or that of the dead one, and renews a held one. Returns -1
-- when it is held, or released; 0 when it is marked as done; else the remaining milliseconds of another holder.
local holder = redis.call('GET', KEYS[1])
if holder == 'done' then return 0 end
if holder and holder ~= ARGV[1] and holder ~= ARGV[3] then return math.max(1, redis.call('PTTL', KEYS[1])) end
if ARGV[2] ~= '0' then
  redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
elseif holder then
  redis.call('DEL', KEYS[1])
end
return -1
"""

FORGET_CONSUMERS = """
-- KEYS stream, what the leases of its consumers' names begin with; ARGV group, idle milliseconds. Removes the
-- names of consumers that have been away for longer, have nothing in flight and no lease (Redis 7.0 counts one
-- that waits for an event as idle); returns how many. One step: what a consumer is given in between would be lost
-- with its name.
local gone = 0
for _, flat in ipairs(redis.call('XINFO', 'CONSUMERS', KEYS[1], ARGV[1])) do
  local row = {}
  for i = 1, #flat, 2 do row[flat[i]] = flat[i + 1] end
  if row['pending'] == 0 and row['idle'] > tonumber(ARGV[2])
    and not redis.call('GET', KEYS[2] .. row['name']) then
    redis.call('XGROUP', 'DELCONSUMER', KEYS[1], ARGV[1], row['name'])
    gone = gone + 1
  end
end
return gone
"""

ERASE = """
-- KEYS stream; ARGV entry ids. Removes the entries from the stream and from its groups' pending entries, as if
-- they had never been added: the counts behind a group's lag are lowered, since behind a deleted entry the server
-- knows no lag. Sent twice, it has no effect the second time.
if redis.call('EXISTS', KEYS[1]) == 0 then return 0 end
local function named(flat)
  local row = {}
  for i = 1, #flat, 2 do row[flat[i]] = flat[i + 1] end
  return row
end
local function parts(id) local ms, seq = id:match('(%d+)-(%d+)') return tonumber(ms), tonumber(seq) end
local groups, there = redis.call('XINFO', 'GROUPS', KEYS[1]), {}
for _, id in ipairs(ARGV) do
  if #redis.call('XRANGE', KEYS[1], id, id) > 0 then there[#there + 1] = id end
end
for _, flat in ipairs(groups) do redis.call('XACK', KEYS[1], named(flat)['name'], unpack(ARGV)) end
if #there == 0 then return 0 end
local before = named(redis.call('XINFO', 'STREAM', KEYS[1]))
redis.call('XDEL', KEYS[1], unpack(there))
local deleted = before['max-deleted-entry-id']
if deleted == '0-0' then deleted = '0-1' end  -- 0-0 would leave what XDEL has set
redis.call('XSETID', KEYS[1], before['last-generated-id'], 'ENTRIESADDED',
  math.max(redis.call('XLEN', KEYS[1]), before['entries-added'] - #there), 'MAXDELETEDID', deleted)
for _, flat in ipairs(groups) do
  local group = named(flat)
  if group['entries-read'] then
    local place_ms, place_seq = parts(group['last-delivered-id'])
    local read = group['entries-read']
    for _, id in ipairs(there) do
      local ms, seq = parts(id)
      if ms < place_ms or (ms == place_ms and seq <= place_seq) then read = read - 1 end
    end
    redis.call('XGROUP', 'SETID', KEYS[1], group['name'], group['last-delivered-id'],
      'ENTRIESREAD', math.max(0, read))
  end
end
return #there
"""

COMPACT = """
-- KEYS stream, its copy; ARGV entries of one step, ms until an unfinished copy expires. The server marks a
-- deleted entry and keeps its bytes, in memory and in its files, while others of its node live (t_stream.c,
-- streamIteratorRemoveEntry). So the stream is copied, some entries a step, and the last step replaces it by the
-- copy, with groups, positions, consumers and pending entries. 1: continue; 0: done; -1: entries were removed
-- meanwhile, start again. Sent twice, it continues.
local function named(flat)
  local row = {}
  for i = 1, #flat, 2 do row[flat[i]] = flat[i + 1] end
  return row
end
if redis.call('XLEN', KEYS[1]) == 0 then
  redis.call('DEL', KEYS[2])
  return 0
end
local last = redis.call('XREVRANGE', KEYS[2], '+', '-', 'COUNT', 1)
local after = #last > 0 and '(' .. last[1][1] or '-'
local page = redis.call('XRANGE', KEYS[1], after, '+', 'COUNT', ARGV[1])
for _, entry in ipairs(page) do redis.call('XADD', KEYS[2], entry[1], unpack(entry[2])) end
redis.call('PEXPIRE', KEYS[2], ARGV[2])
if #page == tonumber(ARGV[1]) then return 1 end
redis.call('XTRIM', KEYS[2], 'MINID', redis.call('XRANGE', KEYS[1], '-', '+', 'COUNT', 1)[1][1])
if redis.call('XLEN', KEYS[2]) ~= redis.call('XLEN', KEYS[1]) then
  redis.call('DEL', KEYS[2])
  return -1
end
for _, flat in ipairs(redis.call('XINFO', 'GROUPS', KEYS[1])) do
  local group = named(flat)
  local name = group['name']
  redis.call('XGROUP', 'CREATE', KEYS[2], name, group['last-delivered-id'],
    'ENTRIESREAD', group['entries-read'] or -1)
  for _, consumer in ipairs(redis.call('XINFO', 'CONSUMERS', KEYS[1], name)) do
    redis.call('XGROUP', 'CREATECONSUMER', KEYS[2], name, named(consumer)['name'])
  end
  if group['pending'] > 0 then
    for _, row in ipairs(redis.call('XPENDING', KEYS[1], name, '-', '+', group['pending'])) do
      redis.call('XCLAIM', KEYS[2], name, row[2], 0, row[1],
        'IDLE', row[3], 'RETRYCOUNT', row[4], 'FORCE', 'JUSTID')
    end
  end
end
local whole = named(redis.call('XINFO', 'STREAM', KEYS[1]))
local deleted = whole['max-deleted-entry-id']
if deleted == '0-1' then deleted = '0-0' end
redis.call('XSETID', KEYS[2], whole['last-generated-id'],
  'ENTRIESADDED', whole['entries-added'], 'MAXDELETEDID', deleted)
local lives = redis.call('PTTL', KEYS[1])
if lives > 0 then redis.call('PEXPIRE', KEYS[2], lives) else redis.call('PERSIST', KEYS[2]) end
redis.call('RENAME', KEYS[2], KEYS[1])
return 0
"""
