-- Begins a new epoch, unless another server has done so meanwhile.
-- KEYS: table, untils, log. ARGV: the epoch before, or ''; the new epoch.
if (redis.call('HGET', KEYS[1], '@epoch') or '') == ARGV[1] then
    redis.call('DEL', KEYS[3])
    redis.call('HSET', KEYS[1], '@form', 1, '@epoch', ARGV[2], '@number', 0)
    redis.call('HSETNX', KEYS[1], '@time', 0)
end
