//! The list of ended logins in a real Redis: what it refuses, and what it survives.
//!
//! Without Redis these tests print how to install it, and pass. If `LOGIN_STORES` is `required`, they fail.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use login_engines::{Redis, site};
use login_redis::{RedisLog, RedisRegistry};
use rocket::http::Status;
use rocket::tokio::time::sleep;
use rocket_login::store::{Position, RevocationError, RevocationLog, Since, UnixTime};
use rocket_login::testing::{registry, store};

const TABLE: &str = "{rocket_login}:ended";
const LOG: &str = "{rocket_login}:log";
const PASSWORD: &str = "S3cret%20pass";
const ENTRY: &str = "1 realm:00112233445566aa 1800000000 - 0 1900000000";
const KEY: &str = "realm:00112233445566aa";
const OP: &str = "0123456789abcdef0123456789abcdef";

/// The rights that docs/OPERATING.md gives to a user, for all keys of tests.
fn few_rights() -> Vec<&'static str> {
    let page = include_str!("../../docs/OPERATING.md");
    let line = page.lines().find(|line| line.starts_with("ACL SETUSER "));
    let rights = line.unwrap().split(' ').map(|word| match word {
        "~{rocket_login}:*" => "~{test*}:*",
        ">PASSWORD" => ">S3cret",
        word => word,
    });
    rights.collect()
}

fn url_with_few_rights(redis: &Redis) -> String {
    assert_eq!(redis.ask(&few_rights()), "OK");
    format!("redis://logins:S3cret@127.0.0.1:{}/", redis.port())
}

#[rocket::async_test]
async fn it_does_what_every_store_must_for_a_user_with_few_rights() {
    let Some(redis) = Redis::start(&[]) else {
        return;
    };
    let url = url_with_few_rights(&redis);
    let count = AtomicUsize::new(0);
    Box::pin(store::conforms(async || {
        let prefix = format!("test{}", count.fetch_add(1, Ordering::Relaxed));
        [(); 2].map(|()| RedisLog::open(&url).unwrap().prefix(&prefix).unwrap())
    }))
    .await;
}

#[rocket::async_test]
async fn the_registry_does_what_every_registry_must_for_a_user_with_few_rights() {
    let Some(redis) = Redis::start(&[]) else {
        return;
    };
    let url = url_with_few_rights(&redis);
    let count = AtomicUsize::new(0);
    Box::pin(registry::conforms(async || {
        let prefix = format!("test{}", count.fetch_add(1, Ordering::Relaxed));
        [(); 2].map(|()| {
            let registry = RedisRegistry::open(&url).unwrap();
            registry.prefix(&prefix).unwrap()
        })
    }))
    .await;
}

fn log(redis: &Redis) -> RedisLog {
    RedisLog::open(&redis.url()).unwrap()
}

/// Reads the whole list.
async fn read(log: &RedisLog) -> Result<(Position, usize), RevocationError> {
    let mut count = 0;
    let position = log.snapshot(&mut |_| count += 1).await?;
    Ok((position, count))
}

async fn refusal(log: &RedisLog) -> String {
    let error = read(log).await.unwrap_err().to_string();
    assert!(!error.contains("S3cret"), "{error}");
    error
}

async fn since(log: &RedisLog, position: &Position) -> Result<Since, RevocationError> {
    log.since(position, Duration::from_millis(1)).await
}

fn no_records() -> Since {
    Since::Records {
        records: Vec::new(),
        is_head: true,
    }
}

/// Writes an entry by hand, as number `number`.
fn write(redis: &Redis, number: u64, entry: &str) {
    let id = format!("{number}-0");
    redis.ask(&["HSET", TABLE, KEY, entry, "@number", &number.to_string()]);
    redis.ask(&["XADD", LOG, &id, "op", OP, "entry", entry, "time", "1"]);
}

#[test]
fn a_wrong_url_says_how_to_write_one_and_keeps_its_password() {
    for url in [
        "",
        "nonsense S3cret",
        "http://user:S3cret@localhost",
        "redis://user:S3cret@localhost/db",
        "rediss://user:S3cret@localhost/#S3cret",
    ] {
        let error = RedisLog::open(url).unwrap_err().to_string();
        assert!(
            error.contains("redis://user:password@host:6379/0"),
            "{error}"
        );
        assert!(!error.contains("S3cret"), "{error}");
    }
    let log = RedisLog::open("redis://user:S3cret@localhost").unwrap();
    assert_eq!(
        format!("{log:?}"),
        "RedisLog { address: \"localhost:6379\", .. }"
    );
    for prefix in ["", "a{b"] {
        let log = RedisLog::open("redis://localhost").unwrap();
        let error = log.prefix(prefix).unwrap_err().to_string();
        assert!(error.contains("choose another one"), "{error}");
    }
}

#[rocket::async_test]
async fn a_server_that_does_not_run_is_named() {
    let log = RedisLog::open("redis://user:S3cret@127.0.0.1:1/").unwrap();
    let error = refusal(&log).await;
    assert!(
        error.contains("Redis at 127.0.0.1:1 cannot be reached"),
        "{error}"
    );
    assert!(error.contains("`login.store.url`"), "{error}");
    let log = RedisLog::open("redis://no-such-host.invalid/").unwrap();
    let error = refusal(&log).await;
    assert!(
        error.contains("no-such-host.invalid:6379 cannot be reached"),
        "{error}"
    );
}

#[rocket::async_test]
async fn a_wrong_password_is_named_and_not_shown() {
    let Some(redis) = Redis::start(&["--requirepass", "S3cret pass"]) else {
        return;
    };
    let port = redis.port();
    for user in ["", "nobody:S3cret@", ":S3cret@"] {
        let log = RedisLog::open(&format!("redis://{user}127.0.0.1:{port}/")).unwrap();
        let error = refusal(&log).await;
        assert!(
            error.contains("refuses the user or the password"),
            "{error}"
        );
    }
    let log = RedisLog::open(&format!("redis://:{PASSWORD}@127.0.0.1:{port}/")).unwrap();
    read(&log).await.unwrap();
}

#[rocket::async_test]
async fn a_user_without_a_right_is_told_which_commands_are_needed() {
    // The second one is used in a script.
    for right in ["role", "del"] {
        let Some(redis) = Redis::start(&[]) else {
            return;
        };
        let url = url_with_few_rights(&redis);
        redis.ask(&["ACL", "SETUSER", "logins", &format!("-{right}")]);
        let log = RedisLog::open(&url).unwrap().prefix("test").unwrap();
        let error = refusal(&log).await;
        assert!(
            error.contains("may not use a command") && error.contains(&right.to_uppercase()),
            "{error}"
        );
    }
}

#[rocket::async_test]
async fn a_replica_is_neither_read_nor_written() {
    let Some(primary) = Redis::start(&[]) else {
        return;
    };
    read(&log(&primary)).await.unwrap();
    let port = primary.port().to_string();
    let replica = Redis::start(&["--replicaof", "127.0.0.1", &port]).unwrap();
    let error = refusal(&log(&replica)).await;
    assert!(
        error.contains("is a replica: set `login.store.url`"),
        "{error}"
    );
    assert!(log(&replica).now(&[]).await.is_err());

    // The primary becomes a replica while a server reads from it.
    let log = log(&primary);
    let (position, _) = read(&log).await.unwrap();
    assert_eq!(since(&log, &position).await.unwrap(), no_records());
    redis_role(&replica, &primary);
    let error = since(&log, &position).await.unwrap_err().to_string();
    assert!(error.contains("is a replica"), "{error}");
    assert!(log.now(&[]).await.is_err());
}

fn redis_role(new_primary: &Redis, new_replica: &Redis) {
    new_primary.ask(&["REPLICAOF", "NO", "ONE"]);
    new_replica.ask(&["REPLICAOF", "127.0.0.1", &new_primary.port().to_string()]);
}

#[rocket::async_test]
async fn a_change_waits_for_the_replicas_that_must_confirm_it() {
    let Some(primary) = Redis::start(&["--repl-diskless-sync-delay", "0"]) else {
        return;
    };
    let timeout = Duration::from_millis(300);
    let log = |timeout| log(&primary).wait_for_replicas(1, timeout);
    let [patient, hasty] = [Duration::from_secs(30), timeout].map(log);
    let (position, _) = read(&hasty).await.unwrap();
    let [first, second, third] = [(); 3].map(|()| store::logout());
    let refusal = async |change| {
        let start = Instant::now();
        let error = hasty.append(&position.epoch, change).await.unwrap_err();
        assert!(start.elapsed() >= timeout);
        error.to_string()
    };
    let none = "only 0 of 1 replicas have confirmed the change in time: check the replicas, or lower the number";
    let error = refusal(&first).await;
    assert!(error.contains(none), "{error}");

    let port = primary.port().to_string();
    let replica = Redis::start(&["--replicaof", "127.0.0.1", &port]).unwrap();
    // A repeated change waits as well, and is made once.
    for (change, length) in [(&first, "1"), (&second, "2")] {
        patient.append(&position.epoch, change).await.unwrap();
        assert_eq!(replica.ask(&["XLEN", LOG]), length);
    }

    replica.freeze();
    let error = refusal(&third).await;
    assert!(error.contains(none), "{error}");
    replica.thaw();
    patient.append(&position.epoch, &third).await.unwrap();
    assert_eq!(replica.ask(&["XLEN", LOG]), "3");
}

#[rocket::async_test]
async fn a_full_server_fails_and_recovers() {
    let Some(redis) = Redis::start(&[]) else {
        return;
    };
    let log = log(&redis);
    let (position, _) = read(&log).await.unwrap();
    redis.ask(&["CONFIG", "SET", "maxmemory", "1"]);
    let error = log.now(&[]).await.unwrap_err().to_string();
    assert!(
        error.contains("is full") && error.contains("maxmemory"),
        "{error}"
    );
    assert_eq!(since(&log, &position).await.unwrap(), no_records());
    redis.ask(&["CONFIG", "SET", "maxmemory", "0"]);
    log.now(&[]).await.unwrap();
}

#[rocket::async_test]
async fn keys_of_another_program_are_not_touched() {
    for (command, key) in [
        (&["SET", TABLE, "x"][..], TABLE),
        (&["HSET", TABLE, "x", "y"], TABLE),
        (
            &["SET", "{rocket_login}:until", "x"],
            "{rocket_login}:until",
        ),
        (&["RPUSH", LOG, "x"], LOG),
    ] {
        let Some(redis) = Redis::start(&[]) else {
            return;
        };
        redis.ask(command);
        let error = refusal(&log(&redis)).await;
        let text = format!("the key `{key}` belongs to another program");
        assert!(error.contains(&text), "{error}");
        assert_eq!(redis.ask(&["DBSIZE"]), "1");
        let other = log(&redis).prefix("club").unwrap();
        read(&other).await.unwrap();
    }
}

#[rocket::async_test]
async fn another_form_of_the_list_is_refused() {
    let Some(redis) = Redis::start(&[]) else {
        return;
    };
    let log = log(&redis);
    let (position, _) = read(&log).await.unwrap();
    redis.ask(&["HSET", TABLE, "@form", "2"]);
    for error in [
        read(&log).await.unwrap_err(),
        since(&log, &position).await.unwrap_err(),
    ] {
        let error = error.to_string();
        assert!(
            error.contains("has form 2, and this server reads form 1"),
            "{error}"
        );
    }
}

#[rocket::async_test]
async fn an_entry_that_does_not_parse_is_an_error() {
    let Some(redis) = Redis::start(&[]) else {
        return;
    };
    for entry in [
        "",
        "nonsense",
        "1 realm:00 1 - 0 1",
        "2 anything",
        "\u{fffd}",
    ] {
        redis.ask(&["FLUSHALL"]);
        let log = log(&redis);
        let (position, _) = read(&log).await.unwrap();
        redis.ask(&["HSET", TABLE, KEY, entry]);
        assert!(read(&log).await.is_err(), "{entry}");
        write(&redis, 1, entry);
        assert!(since(&log, &position).await.is_err(), "{entry}");
    }
    // An entry under the key of another one.
    redis.ask(&["FLUSHALL"]);
    let log = log(&redis);
    read(&log).await.unwrap();
    redis.ask(&["HSET", TABLE, "realm:00112233445566bb", ENTRY]);
    assert!(read(&log).await.is_err());
}

#[rocket::async_test]
async fn a_part_that_is_removed_begins_a_new_epoch() {
    let Some(redis) = Redis::start(&[]) else {
        return;
    };
    for command in [&["FLUSHALL"][..], &["DEL", TABLE], &["DEL", LOG]] {
        redis.ask(&["FLUSHALL"]);
        let log = log(&redis);
        let (empty, _) = read(&log).await.unwrap();
        write(&redis, 1, ENTRY);
        let (full, count) = read(&log).await.unwrap();
        assert_eq!((full.epoch, full.number, count), (empty.epoch, 1, 1));
        redis.ask(command);
        for position in [&empty, &full] {
            let since = since(&log, position).await.unwrap();
            assert_eq!(since, Since::Changed, "{command:?}");
        }
        let (after, _) = read(&log).await.unwrap();
        assert_ne!(after.epoch, full.epoch, "{command:?}");
        assert_eq!(since(&log, &after).await.unwrap(), no_records());
    }
}

#[rocket::async_test]
async fn a_log_that_is_shorter_or_trimmed_or_other_is_noticed() {
    let Some(redis) = Redis::start(&[]) else {
        return;
    };
    let log = log(&redis);
    let (empty, _) = read(&log).await.unwrap();
    write(&redis, 1, ENTRY);
    let (first, _) = read(&log).await.unwrap();
    for number in 2..=5 {
        write(&redis, number, ENTRY);
    }
    let (fifth, _) = read(&log).await.unwrap();
    let numbers = |since| match since {
        Since::Records { records, is_head } => (
            records.iter().map(|record| record.number).collect(),
            is_head,
        ),
        Since::Changed => (Vec::new(), false),
    };
    let read = numbers(since(&log, &first).await.unwrap());
    assert_eq!(read, (vec![2, 3, 4, 5], true));

    // Trimmed past the reader.
    redis.ask(&["XTRIM", LOG, "MAXLEN", "2"]);
    assert_eq!(since(&log, &first).await.unwrap(), Since::Changed);
    assert_eq!(since(&log, &empty).await.unwrap(), Since::Changed);
    assert_eq!(since(&log, &fifth).await.unwrap(), no_records());

    // A gap.
    write(&redis, 7, ENTRY);
    assert_eq!(since(&log, &fifth).await.unwrap(), Since::Changed);

    // The same number, and another op id.
    redis.ask(&["DEL", LOG]);
    redis.ask(&["HSET", TABLE, "@number", "5"]);
    let other = "f".repeat(32);
    redis.ask(&[
        "XADD", LOG, "5-0", "op", &other, "entry", ENTRY, "time", "1",
    ]);
    assert_eq!(since(&log, &fifth).await.unwrap(), Since::Changed);

    // A number that is lower.
    redis.ask(&["DEL", LOG]);
    write(&redis, 4, ENTRY);
    assert_eq!(since(&log, &fifth).await.unwrap(), Since::Changed);
}

#[rocket::async_test]
async fn a_reader_wakes_up_for_a_record_and_not_before() {
    let Some(redis) = Redis::start(&[]) else {
        return;
    };
    let log = log(&redis);
    let (position, _) = read(&log).await.unwrap();
    let start = Instant::now();
    let wait = Duration::from_millis(300);
    assert_eq!(log.since(&position, wait).await.unwrap(), no_records());
    assert!(start.elapsed() >= wait);
    let start = Instant::now();
    let reading = log.since(&position, Duration::from_secs(20));
    let writing = async {
        sleep(Duration::from_millis(100)).await;
        write(&redis, 1, ENTRY);
    };
    let (since, ()) = rocket::tokio::join!(reading, writing);
    assert!(matches!(since.unwrap(), Since::Records { records, .. } if records.len() == 1));
    assert!(start.elapsed() < Duration::from_secs(10));
}

#[rocket::async_test]
async fn a_server_that_crashes_or_hangs_is_an_error_until_it_answers() {
    let Some(mut redis) = Redis::start(&[]) else {
        return;
    };
    let log = log(&redis);
    let (position, _) = read(&log).await.unwrap();
    redis.freeze();
    let start = Instant::now();
    let error = since(&log, &position).await.unwrap_err().to_string();
    assert!(error.contains("timed out"), "{error}");
    assert!(log.now(&[]).await.is_err());
    assert!(start.elapsed() < Duration::from_secs(10));
    redis.thaw();
    assert_eq!(since(&log, &position).await.unwrap(), no_records());
    log.now(&[]).await.unwrap();

    redis.kill();
    assert!(since(&log, &position).await.is_err());
    assert!(log.now(&[]).await.is_err());
    redis.restart();
    assert_eq!(since(&log, &position).await.unwrap(), no_records());
    log.now(&[]).await.unwrap();
}

#[rocket::async_test]
async fn the_first_login_after_a_restart_or_an_idle_timeout_of_the_server_begins() {
    let Some(mut redis) = Redis::start(&[]) else {
        return;
    };
    let registry = RedisRegistry::open(&redis.url()).unwrap();
    let client = site::with_registry(registry).await;
    let login = async || client.post("/login").dispatch().await.status();
    assert_eq!(login().await, Status::Ok);
    redis.kill();
    redis.restart();
    assert_eq!(login().await, Status::Ok);
    redis.ask(&["CLIENT", "KILL", "TYPE", "normal"]);
    assert_eq!(login().await, Status::Ok);
}

#[rocket::async_test]
async fn a_strict_list_refuses_a_server_that_may_forget() {
    for (option, value, text) in [
        (
            "--maxmemory-policy",
            "allkeys-lru",
            "set `maxmemory-policy noeviction`",
        ),
        ("--appendonly", "no", "set `appendonly yes`"),
    ] {
        let Some(redis) = Redis::start(&[option, value]) else {
            return;
        };
        read(&log(&redis)).await.unwrap();
        let error = refusal(&log(&redis).strict(true)).await;
        assert!(error.contains(text) && error.contains("strict"), "{error}");
    }
    let redis = Redis::start(&[]).unwrap();
    read(&log(&redis).strict(true)).await.unwrap();
}

#[rocket::async_test]
async fn the_time_never_goes_back() {
    let Some(redis) = Redis::start(&[]) else {
        return;
    };
    let log = log(&redis);
    let now = log.now(&[]).await.unwrap();
    let later = now.as_secs() + 1_000_000;
    redis.ask(&["HSET", TABLE, "@time", &later.to_string()]);
    assert_eq!(log.now(&[]).await.unwrap(), UnixTime::from_secs(later));
    let key = KEY.parse().unwrap();
    let at = later + 5;
    let entry = format!("1 {KEY} {at} - 0 {at}");
    redis.ask(&["HSET", TABLE, KEY, &entry]);
    assert_eq!(log.now(&[key]).await.unwrap(), UnixTime::from_secs(at));
    assert_eq!(log.now(&[]).await.unwrap(), UnixTime::from_secs(later));
}

#[rocket::async_test]
async fn only_what_both_clocks_call_expired_is_removed() {
    let Some(redis) = Redis::start(&[]) else {
        return;
    };
    let log = log(&redis);
    read(&log).await.unwrap();
    let now = log.now(&[]).await.unwrap().as_secs();
    let mut count = 0;
    let mut put = |until: u64| {
        let key = format!("realm:{count:016x}");
        count += 1;
        redis.ask(&["HSET", TABLE, &key, &format!("1 {key} 5 - 0 {until}")]);
        redis.ask(&["ZADD", "{rocket_login}:until", &until.to_string(), &key]);
    };
    for until in [10, now - 4_000, now - 3_000, now + 100] {
        put(until);
    }
    assert_eq!(log.purge(UnixTime::from_secs(10), 100).await.unwrap(), 0);
    assert_eq!(log.purge(UnixTime::from_secs(11), 100).await.unwrap(), 1);
    // The clock of a server that is three days ahead.
    let ahead = UnixTime::from_secs(now + 259_200);
    assert_eq!(log.purge(ahead, 100).await.unwrap(), 1);
    assert_eq!(read(&log).await.unwrap().1, 2);
    for _ in 0..5 {
        put(10);
    }
    assert_eq!(log.purge(ahead, 3).await.unwrap(), 3);
    assert_eq!(log.purge(ahead, 3).await.unwrap(), 2);
    assert_eq!(log.purge(ahead, 3).await.unwrap(), 0);
}

#[rocket::async_test]
async fn old_records_are_removed_and_never_the_newest() {
    let Some(redis) = Redis::start(&[]) else {
        return;
    };
    let log = log(&redis);
    read(&log).await.unwrap();
    for number in 1..=5 {
        write(&redis, number, ENTRY);
    }
    let (position, _) = read(&log).await.unwrap();
    for _ in 0..3 {
        log.purge(UnixTime::from_secs(1), 3).await.unwrap();
    }
    assert_eq!(redis.ask(&["XLEN", LOG]), "1");
    assert_eq!(since(&log, &position).await.unwrap(), no_records());
}
