//! A server whose store cannot be used.

use std::path::Path;
use std::process::Command;

use login_engines::{Redis, free_port};
use login_processes::site::{Site, settings};
use login_processes::store::Store;

const TABLE: &str = "{rocket_login}:ended";
const LOG: &str = "{rocket_login}:log";

/// What a server prints that does not start.
fn refusal(url: &str) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_login-processes"))
        .envs(settings(([127, 0, 0, 1], free_port()).into(), url))
        .output()
        .unwrap();
    let [output, errors] = [output.stdout, output.stderr].map(String::from_utf8);
    let text = output.unwrap() + &errors.unwrap();
    assert!(
        text.contains("the store of ended logins cannot be used"),
        "{text}"
    );
    assert!(!text.contains("S3cret"), "{text}");
    text
}

#[test]
fn a_store_that_cannot_be_used_stops_the_launch_with_the_reason_and_without_the_password() {
    for (url, reason) in [
        (
            "redis://app:S3cret@127.0.0.1:1/",
            "Redis at 127.0.0.1:1 cannot be reached",
        ),
        (
            "redis://app:S3cret@127.0.0.1/club",
            "write it as `redis://user:password@host:6379/0`",
        ),
        (
            "postgres://app:S3cret@127.0.0.1:1/club",
            "PostgreSQL at 127.0.0.1:1 cannot be reached",
        ),
        (
            "postgres://app:S3cret@127.0.0.1:port/club",
            "write `postgres://user:password@host/database` or `sqlite://",
        ),
        (
            "mysql://app:S3cret@127.0.0.1/club",
            "is not an address of PostgreSQL or SQLite",
        ),
        (
            "sqlite:///nowhere/list.sqlite3",
            "SQLite in /nowhere/list.sqlite3 cannot be opened",
        ),
    ] {
        let text = refusal(url);
        assert!(text.contains(reason), "{text}");
    }
}

#[test]
fn a_redis_with_what_rocket_login_has_not_written_stops_the_launch() {
    let Some(redis) = Redis::start(&[]) else {
        return;
    };
    for command in [&["SET", TABLE, "x"][..], &["RPUSH", LOG, "x"]] {
        redis.ask(command);
        let text = refusal(&redis.url());
        assert!(text.contains("belongs to another program"), "{text}");
        redis.ask(&["FLUSHALL"]);
    }
    let epoch = "a".repeat(32);
    redis.ask(&[
        "HSET", TABLE, "@form", "1", "@epoch", &epoch, "@number", "0", "@time", "0",
    ]);
    redis.ask(&["HSET", TABLE, "login:nonsense", "1 nonsense"]);
    assert!(refusal(&redis.url()).contains("an entry that rocket-login has not written"));
    redis.ask(&["HSET", TABLE, "login:nonsense", "9 anything"]);
    assert!(refusal(&redis.url()).contains("run one version of rocket-login on all servers"));
    redis.ask(&["HSET", TABLE, "@form", "0"]);
    assert!(refusal(&redis.url()).contains("run one version of login-redis on all servers"));
}

#[test]
fn a_database_with_tables_that_login_sqlx_does_not_know_stops_the_launch() {
    for store in [Store::postgres(), Store::sqlite()].into_iter().flatten() {
        store.change("CREATE TABLE rocket_login_store (name TEXT)");
        let text = refusal(&store.url());
        assert!(text.contains("use another database for the list"), "{text}");
        store.change("DROP TABLE rocket_login_store");
        drop(start(&store));
        store.change("INSERT INTO rocket_login_schema (version) VALUES (99)");
        let text = refusal(&store.url());
        assert!(
            text.contains("the tables for ended logins have version 99"),
            "{text}"
        );
        assert!(
            text.contains("run one version of login-sqlx on all servers"),
            "{text}"
        );
    }
}

fn start(store: &Store) -> Site {
    let program = Path::new(env!("CARGO_BIN_EXE_login-processes"));
    Site::start(program, &[store.url()])
}

#[test]
fn a_second_launch_on_the_same_tables_has_nothing_to_report_about_them() {
    let Some(store) = Store::postgres() else {
        return;
    };
    let mut site = start(&store);
    site.servers[0].restart_in(vec![("ROCKET_LOG_LEVEL", "normal".to_owned())]);
    let log = site.log();
    assert!(log.contains("Rocket has launched from"), "{log}");
    assert!(!log.contains("already exists"), "{log}");
}
