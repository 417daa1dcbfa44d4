-- Removes entries that have expired by both clocks, and old records; never the newest record.
-- KEYS: table, untils, log. ARGV: the caller's time, the largest number to remove.
local hour_ago = tonumber(redis.call('TIME')[1]) - 3600
local before = math.min(tonumber(ARGV[1]), hour_ago)
local expired = redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', '(' .. before, 'LIMIT', 0, ARGV[2])
if #expired > 0 then
    redis.call('HDEL', KEYS[1], unpack(expired))
    redis.call('ZREM', KEYS[2], unpack(expired))
end
local newest = (redis.call('HGET', KEYS[1], '@number') or '0') .. '-0'
local keep
for _, record in ipairs(redis.call('XRANGE', KEYS[3], '-', '+', 'COUNT', ARGV[2])) do
    keep = record[1]
    if keep == newest or tonumber(record[2][6]) >= hour_ago then
        break
    end
end
if keep then
    redis.call('XTRIM', KEYS[3], 'MINID', '=', keep)
end
return #expired
