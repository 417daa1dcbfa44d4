-- Writes what a change has decided, if everything that it has read is still so.
-- KEYS: table, untils, log, op id.
-- ARGV: epoch, time, op id, whether the login had ended, how many entries were read; for each of them its key and its text, or '' if there
-- was none; for each one to write its key, text and expiry.
local epoch, time, op, had_ended, reads = ARGV[1], ARGV[2], ARGV[3], ARGV[4], tonumber(ARGV[5])
local meta = redis.call('HMGET', KEYS[1], '@epoch', '@time', '@number')
if meta[1] ~= epoch then
    return {'changed', 0}
end
local clock = tonumber(redis.call('TIME')[1])
if redis.call('EXISTS', KEYS[4]) == 1 or math.max(clock, tonumber(meta[2])) ~= tonumber(time) then
    return {'again', 0}
end
local argument = 6
for _ = 1, reads do
    if (redis.call('HGET', KEYS[1], ARGV[argument]) or '') ~= ARGV[argument + 1] then
        return {'again', 0}
    end
    argument = argument + 2
end
local before = tonumber(meta[3])
local number, answer = before, string.format('%d %s', before, had_ended)
while argument <= #ARGV do
    local key, entry, expiry = ARGV[argument], ARGV[argument + 1], ARGV[argument + 2]
    number = number + 1
    -- In this order a command that fails leaves nothing behind that counts.
    redis.call('ZADD', KEYS[2], expiry, key)
    redis.call('XADD', KEYS[3], string.format('%d-0', number), 'op', op, 'entry', entry, 'time', clock)
    redis.call('HSET', KEYS[1], key, entry, '@number', string.format('%d', number), '@time', time)
    answer = answer .. '\n' .. entry
    argument = argument + 3
end
redis.call('SET', KEYS[4], answer, 'EX', 7200)
return {'written', before}
