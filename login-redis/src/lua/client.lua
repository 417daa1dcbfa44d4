-- Remembers a client of a user.
-- KEYS: the hash. ARGV: the client, until.
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
if redis.call('EXPIRETIME', KEYS[1]) < tonumber(ARGV[2]) then
    redis.call('EXPIREAT', KEYS[1], ARGV[2])
end
