-- Writes a row, if what was there before is still there.
-- KEYS: the hash. ARGV: login, what was there or '', content, until.
if (redis.call('HGET', KEYS[1], ARGV[1]) or '') ~= ARGV[2] then
    return 0
end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[3])
if redis.call('EXPIRETIME', KEYS[1]) < tonumber(ARGV[4]) then
    redis.call('EXPIREAT', KEYS[1], ARGV[4])
end
return 1
