import { createHash } from "node:crypto";

/** A script that Redis runs as one step. */
export type RedisScript = { readonly text: string; readonly sha: string };

/**
 * A scope is a hash: `inflight`, `reserved`, what was spent in which period, and what was used in which second (`q` requests,
 * `t` tokens). Numbers are whole and written in full. Time is Redis' own, in milliseconds, where none is given.
 */
const COMMON = `
local DAY, MINUTE, KEPT_MS = 86400000, 60, 3600000
local function clock(given)
  if given ~= '' then return tonumber(given) end
  local time = redis.call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
end
local function text(number) return string.format('%.0f', number) end
local function read(key)
  local flat = redis.call('HGETALL', key)
  if #flat == 0 then return nil end
  local fields = {}
  for i = 1, #flat, 2 do fields[flat[i]] = tonumber(flat[i + 1]) end
  return fields
end
local function add(fields, changed, name, amount)
  fields[name], changed[name] = (fields[name] or 0) + amount, true
end
-- Takes out what has left the minute before 'now', and begins periods that are over again; notes in 'changed' what to write.
-- Gives what was used in the minute.
local function advance(key, fields, now, changed)
  local oldest, requests, tokens = math.floor(now / 1000) - MINUTE, 0, 0
  for name, value in pairs(fields) do
    local second = tonumber(string.sub(name, 2))
    if second and second <= oldest then
      redis.call('HDEL', key, name)
      fields[name] = nil
    elseif second and string.byte(name) == 113 then
      requests = requests + value
    elseif second then
      tokens = tokens + value
    end
  end
  for name, start in pairs(PERIODS(now)) do
    if start > fields[name] then
      fields[name], changed[name] = start, true
      fields[name .. '_nano'], changed[name .. '_nano'] = 0, true
    end
  end
  return requests, tokens
end
local function write(key, fields, changed)
  local flat = {}
  for name in pairs(changed) do
    flat[#flat + 1] = name
    flat[#flat + 1] = text(fields[name])
  end
  redis.call('HSET', key, unpack(flat))
  redis.call('PEXPIRE', key, KEPT_MS)
end
`;

/** Where the UTC day, the week from Monday and the month begin; the day of the month by Hinnant's `civil_from_days`. */
const PERIODS = `
local function PERIODS(now)
  local days = math.floor(now / 86400000)
  local z = days + 719468
  local doe = z % 146097
  local yoe = math.floor((doe - math.floor(doe / 1460) + math.floor(doe / 36524) - math.floor(doe / 146096)) / 365)
  local doy = doe - (365 * yoe + math.floor(yoe / 4) - math.floor(yoe / 100))
  local dom = doy - math.floor((153 * math.floor((5 * doy + 2) / 153) + 2) / 5)
  return { day = days * 86400000, week = (days - (days + 3) % 7) * 86400000, month = (days - dom) * 86400000 }
end
`;

/**
 * KEYS: scopes. ARGV: the time or nothing, money and tokens to reserve, then for each scope its limits: parallel calls, requests,
 * tokens, money and the name of its period, each empty where there is none. Gives `unknown` and the numbers of the scopes that
 * are not counted here yet; `reached`, the time, the number of the scope and its fields; or `reserved` and the time.
 */
export const RESERVE = script(`
local now, nano, tokens = clock(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local scopes, changes, unknown = {}, {}, { 'unknown' }
for i, key in ipairs(KEYS) do
  scopes[i] = read(key)
  if not scopes[i] then unknown[#unknown + 1] = i end
end
if #unknown > 1 then return unknown end
for i, fields in ipairs(scopes) do
  changes[i] = {}
  local calls, used = advance(KEYS[i], fields, now, changes[i])
  local at = 3 + (i - 1) * 5
  local parallel, requests, most, money = tonumber(ARGV[at + 1]), tonumber(ARGV[at + 2]), tonumber(ARGV[at + 3]), tonumber(ARGV[at + 4])
  if (parallel and fields.inflight + 1 > parallel)
    or (requests and calls + 1 > requests)
    or (most and used + tokens > most)
    or (money and fields[ARGV[at + 5] .. '_nano'] + fields.reserved + nano > money) then
    local reached = { 'reached', text(now), i }
    for name, value in pairs(fields) do
      reached[#reached + 1] = name
      reached[#reached + 1] = text(value)
    end
    return reached
  end
end
local second = text(math.floor(now / 1000))
for i, fields in ipairs(scopes) do
  local changed = changes[i]
  add(fields, changed, 'inflight', 1)
  add(fields, changed, 'reserved', nano)
  add(fields, changed, 'q' .. second, 1)
  add(fields, changed, 't' .. second, tokens)
  write(KEYS[i], fields, changed)
end
return { 'reserved', text(now) }
`);

/** KEYS: scopes. ARGV: money that is reserved in them too. Scopes that are not counted here stay so. */
export const HOLD = script(`
for _, key in ipairs(KEYS) do
  if redis.call('EXISTS', key) == 1 then redis.call('HINCRBY', key, 'reserved', ARGV[1]) end
end
return 'held'
`);

/**
 * KEYS: scopes. ARGV: the time or nothing, when the call began, what it had reserved in money and tokens, what it used of them,
 * and how many requests it was in the end: none when it was not let through. Scopes that are not counted here stay so.
 */
export const SETTLE = script(`
local now, at = clock(ARGV[1]), tonumber(ARGV[2])
local reserved, held, spent, used, requests = tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6]), tonumber(ARGV[7])
local second = math.floor(at / 1000)
local recent = second > math.floor(now / 1000) - MINUTE
for _, key in ipairs(KEYS) do
  local fields = read(key)
  if fields then
    local changed = {}
    advance(key, fields, now, changed)
    add(fields, changed, 'inflight', -1)
    add(fields, changed, 'reserved', -reserved)
    if recent then
      add(fields, changed, 't' .. text(second), used - held)
      add(fields, changed, 'q' .. text(second), requests - 1)
    end
    for name, start in pairs(PERIODS(at)) do
      if start == fields[name] then add(fields, changed, name .. '_nano', spent) end
    end
    add(fields, changed, 'total_nano', spent)
    write(key, fields, changed)
  end
end
return 'settled'
`);

/** KEYS: one scope. ARGV: its fields. What is counted here already stays. */
export const SEED = script(`
if redis.call('EXISTS', KEYS[1]) == 0 then
  redis.call('HSET', KEYS[1], unpack(ARGV))
  redis.call('PEXPIRE', KEYS[1], KEPT_MS)
end
return 'seeded'
`);

function script(own: string): RedisScript {
  const whole = PERIODS + COMMON + own;
  return { text: whole, sha: createHash("sha1").update(whole).digest("hex") };
}
