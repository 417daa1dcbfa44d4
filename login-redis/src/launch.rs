//! Which settings of the server can lose ended logins.

const EVICTION: &str = "Redis may evict ended logins, and then logged-out users are logged in again: set \
                        `maxmemory-policy noeviction` in redis.conf";

const PERSISTENCE: &str = "Redis keeps no append-only file, so a restart of Redis loses ended logins that no server \
                           knows: set `appendonly yes` in redis.conf";

/// Returns what can go wrong, from the answer to `INFO`.
pub(crate) fn risks(info: &str) -> impl Iterator<Item = &'static str> {
    let value = |name| {
        let mut values = info.lines().filter_map(|line| line.trim().split_once(':'));
        values
            .find(|(found, _)| *found == name)
            .map(|(_, value)| value)
    };
    // The policies for volatile keys spare keys without an expiry, such as the table and the log.
    let evicts = value("maxmemory_policy").is_some_and(|policy| policy.starts_with("allkeys"));
    let forgets = value("aof_enabled") == Some("0");
    let risks = [evicts.then_some(EVICTION), forgets.then_some(PERSISTENCE)];
    risks.into_iter().flatten()
}
