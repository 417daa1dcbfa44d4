//! Measures what the calls of a registry of logins take while it grows.

use std::time::{Duration, Instant};

use login_engines::Recorder;
use login_redis::RedisRegistry;
use login_sqlx::{Database, SqlRegistry, migrate};
use rocket::futures::stream::{self, StreamExt as _};
use rocket::local::asynchronous::Client;
use rocket_login::logins::{Begin, Begun, LoginRegistry, MemoryRegistry, RegistryError};
use rocket_login::{GuardRoutes as _, LoginManager};

use crate::app;
use crate::store::Store;

/// How many logins each user has.
const LOGINS: usize = 5;

/// The size that the larger one is compared with.
const SMALL: usize = 1_000;

/// How often each call is measured.
const ROUNDS: usize = 400;

/// How many rows are inserted at once, to fill a registry.
const AT_ONCE: usize = 8;

/// Fills a registry, and prints what its calls take with a few rows and with so many rows of one realm. Returns whether
/// the store is there.
pub async fn measure(store: &str, rows: usize) -> bool {
    let engine = match store {
        "redis" => Store::redis(),
        "postgres" => Store::postgres(),
        "sqlite" => Store::sqlite(),
        _ => None,
    };
    let registry: Box<dyn LoginRegistry> = match (store, &engine) {
        ("memory", _) => Box::new(MemoryRegistry::new()),
        ("redis", Some(redis)) => Box::new(RedisRegistry::open(&redis.url()).unwrap()),
        (_, Some(sql)) => {
            let database = Database::from_url(&sql.url()).unwrap();
            migrate(database.clone()).await.unwrap();
            Box::new(SqlRegistry::new(database))
        }
        (_, None) => return false,
    };
    let people = people(rows / LOGINS).await;
    let small = SMALL / LOGINS;
    println!(
        "| store | rows | list | insert | renewal | end | insert below the limit | refused by the limit |"
    );
    println!("| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |");
    fill(&*registry, &people[..small]).await;
    print(store, SMALL, &calls(&*registry, &people[..small]).await);
    fill(&*registry, &people[small..]).await;
    print(store, rows, &calls(&*registry, &people).await);
    true
}

/// The logins of one user.
struct Person {
    logins: Vec<Begin>,
    /// One that comes and goes.
    more: Begin,
}

/// Logs people in, to get rows as the library makes them.
async fn people(count: usize) -> Vec<Person> {
    let recorder = Recorder::default();
    let figment = rocket::Config::figment()
        .merge(("log_level", "off"))
        .merge(("secret_key", "UtbQhEZs0fCdXkjOHk7GKl1C5s3u9nPnQxqkiF2xW9E="));
    let rocket = rocket::custom(figment)
        .attach(LoginManager::new(app::load_user).login_registry(recorder.clone()))
        .mount("/", routes![app::login].public());
    let client = Client::untracked(rocket).await.unwrap();
    let mut people = Vec::with_capacity(count);
    for id in 0..count {
        for _ in 0..=LOGINS {
            client.post(uri!(app::login(id as u64))).dispatch().await;
        }
        let mut logins = recorder.take();
        let more = logins.pop().unwrap();
        assert_eq!(logins.len(), LOGINS);
        people.push(Person { logins, more });
    }
    people
}

/// Waits for a call that must not fail.
async fn done<T>(call: impl Future<Output = Result<T, RegistryError>>) -> T {
    call.await.unwrap_or_else(|error| panic!("{error}"))
}

async fn fill(registry: &dyn LoginRegistry, people: &[Person]) {
    let logins = people.iter().flat_map(|person| &person.logins);
    let insert = |login| async move {
        assert!(matches!(
            done(registry.begin(login)).await,
            Begun::Inserted { .. }
        ));
    };
    stream::iter(logins)
        .for_each_concurrent(AT_ONCE, insert)
        .await;
}

/// What each call has taken, in the order of the columns.
async fn calls(registry: &dyn LoginRegistry, people: &[Person]) -> [Vec<Duration>; 6] {
    let mut times = [const { Vec::new() }; 6];
    // Spread over all of them, in no order.
    for person in (0..ROUNDS).map(|round| &people[round * 7919 % people.len()]) {
        let Begin {
            row, users, now, ..
        } = &person.more;
        let limited = |max| {
            let mut begin = person.more.clone();
            begin.max = Some(max);
            begin
        };
        let [below, full] = [LOGINS + 1, LOGINS].map(limited);
        let login = [row.login()];
        let mut start = Instant::now();
        let mut note = |call: usize| {
            times[call].push(start.elapsed());
            start = Instant::now();
        };
        assert_eq!(done(registry.rows(users, *now)).await.len(), LOGINS);
        note(0);
        let begun = done(registry.begin(&person.more)).await;
        note(1);
        assert!(matches!(begun, Begun::Inserted { others, .. } if others.len() == LOGINS));
        done(registry.renew(row, users)).await;
        note(2);
        done(registry.end(users, &login)).await;
        note(3);
        let begun = done(registry.begin(&below)).await;
        note(4);
        assert!(matches!(begun, Begun::Inserted { .. }));
        done(registry.end(users, &login)).await;
        note(3);
        let begun = done(registry.begin(&full)).await;
        note(5);
        assert!(matches!(begun, Begun::Full(rows) if rows.len() == LOGINS));
    }
    times
}

/// Prints medians and, in brackets, the times that one call in a hundred exceeds; in microseconds.
fn print(store: &str, rows: usize, times: &[Vec<Duration>; 6]) {
    let columns = times.each_ref().map(|times| {
        let mut times = times.clone();
        times.sort();
        let at = |percent: usize| times[times.len() * percent / 100].as_secs_f64() * 1e6;
        format!("{:.1} ({:.0})", at(50), at(99))
    });
    println!("| {store} | {rows} | {} |", columns.join(" | "));
}
