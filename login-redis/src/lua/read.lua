-- Returns the form, the epoch and the number of the list, the record at ARGV[1], those after it, and the newest one.
-- KEYS: table, log. ARGV: the id of a record, the largest number of records after it.
return {
    redis.call('HMGET', KEYS[1], '@form', '@epoch', '@number'),
    redis.call('XRANGE', KEYS[2], ARGV[1], ARGV[1]),
    redis.call('XRANGE', KEYS[2], '(' .. ARGV[1], '+', 'COUNT', ARGV[2]),
    redis.call('XREVRANGE', KEYS[2], '+', '-', 'COUNT', 1),
}
