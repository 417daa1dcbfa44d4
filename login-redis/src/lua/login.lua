-- Inserts a login, unless its user has too many.
-- KEYS: the hash for the row, then the user's other hashes of rows, then as many hashes of clients.
-- ARGV: now, how many logins the user may have or '-', login, content, until, then the logins that this one replaces.
local now, max = tonumber(ARGV[1]), tonumber(ARGV[2])
local replaced, rows, count, clients = {}, {}, 0, {}
for argument = 6, #ARGV do
    replaced[ARGV[argument]] = true
end
for number = 1, #KEYS / 2 do
    local key = KEYS[number]
    local fields = redis.call('HGETALL', key)
    for field = 1, #fields, 2 do
        local login, content = fields[field], fields[field + 1]
        local expiry = tonumber(string.match(content, '^(%d+) '))
        if expiry and expiry <= now then
            redis.call('HDEL', key, login)
        else
            rows[#rows + 1] = {number - 1, content}
            if not replaced[login] then
                count = count + 1
            end
        end
    end
end
if max and count >= max then
    return {'full', rows, clients}
end
for number = #KEYS / 2 + 1, #KEYS do
    local fields = redis.call('HGETALL', KEYS[number])
    for field = 1, #fields, 2 do
        local expiry = tonumber(fields[field + 1])
        if expiry <= now then
            redis.call('HDEL', KEYS[number], fields[field])
        else
            clients[#clients + 1] = {fields[field], expiry}
        end
    end
end
redis.call('HSET', KEYS[1], ARGV[3], ARGV[4])
if redis.call('EXPIRETIME', KEYS[1]) < tonumber(ARGV[5]) then
    redis.call('EXPIREAT', KEYS[1], ARGV[5])
end
return {'inserted', rows, clients}
