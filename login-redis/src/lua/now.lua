-- Returns the time, which never goes back, and the entries under ARGV; nil if there is no list.
-- KEYS: table.
local last = redis.call('HGET', KEYS[1], '@time')
if not last then
    return false
end
local clock = tonumber(redis.call('TIME')[1])
if clock > tonumber(last) then
    last = clock
    redis.call('HSET', KEYS[1], '@time', clock)
end
return {tonumber(last), redis.call('HMGET', KEYS[1], '@epoch', unpack(ARGV))}
