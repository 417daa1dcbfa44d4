//! Three real server processes on one real store: how late a logout is honored, and what faults do under load.
//!
//! Without Redis or PostgreSQL their tests print how to install them, and pass. If `LOGIN_STORES` is `required`, they
//! fail. `PROCESSES_LOGOUTS` is how many logouts are measured for each store; 200 by default.

mod client;
mod launch;
mod load;
mod nginx;
mod proxy;
mod site;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime};
use std::{env, fs, thread};

use login_engines::{Folder, Postgres, Redis, wrong_clock};

use client::Client;
use load::{Load, Report};
use nginx::Nginx;
use proxy::Network;
use site::Site;

const TABLE: &str = "{rocket_login}:ended";
const LOG: &str = "{rocket_login}:log";

/// One test at a time: each one keeps the machine busy.
fn alone() -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::new(());
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}

fn three(url: &str) -> Vec<String> {
    vec![url.to_owned(); 3]
}

fn sqlite(folder: &Folder) -> String {
    format!("sqlite://{}/list.sqlite3?mode=rwc", folder.path().display())
}

/// Lets a fault happen under load. Nobody with a dead cookie may be served, and nobody logged out who did not log out.
fn survive(stores: &[String], fault: impl FnOnce(&mut Site)) -> String {
    let (lost, log) = stay_safe(stores, fault);
    assert_eq!(lost, 0, "living logins were refused\n{log}");
    log
}

/// Lets a fault happen under load. Nobody with a dead cookie may be served. Returns how many living logins were refused,
/// and what the servers have logged.
fn stay_safe(stores: &[String], fault: impl FnOnce(&mut Site)) -> (u64, String) {
    let mut site = Site::start(stores);
    let load = Load::start(site.addresses(), 4);
    thread::sleep(Duration::from_secs(1));
    fault(&mut site);
    for server in &site.servers {
        server.wait_for_logins();
    }
    thread::sleep(Duration::from_secs(2));
    let report = load.stop();
    println!("{report:?}");
    let log = site.log();
    let Report {
        statuses,
        logouts,
        served_dead,
        lost,
    } = report;
    assert!(
        served_dead.is_empty(),
        "served dead logins after {served_dead:?}\n{log}"
    );
    assert!(logouts > 10, "{logouts} logouts");
    let known = [0, 200, 401, 503];
    assert!(
        statuses.keys().all(|status| known.contains(status)),
        "{statuses:?}"
    );
    (lost, log)
}

/// How late each of so many logouts was honored by each server. Logins and logouts come through nginx.
fn lateness(site: &Site, logouts: usize) -> Vec<Duration> {
    const USERS: usize = 8;
    let servers = site.addresses();
    let proxy = Nginx::start(&servers, site.folder());
    let front = proxy.as_ref().map_or(servers[0], |proxy| proxy.address);
    thread::scope(|scope| {
        let users = (0..USERS).map(|_| {
            let servers = &servers;
            scope.spawn(move || {
                let mut front = Client::new(front);
                let clients = servers.iter().map(|address| Client::new(*address));
                let mut clients: Vec<_> = clients.collect();
                let each = (0..logouts / USERS).map(|_| one_logout(&mut front, &mut clients));
                each.flatten().flatten().collect::<Vec<_>>()
            })
        });
        let users: Vec<_> = users.collect();
        users
            .into_iter()
            .flat_map(|user| user.join().unwrap())
            .collect()
    })
}

/// `None` if a server was too busy to know what has ended, and answered 503.
fn one_logout(front: &mut Client, servers: &mut [Client]) -> Option<Vec<Duration>> {
    let cookie = front.ask("POST /login?user=visitor", "").unwrap().cookie?;
    for server in servers.iter_mut() {
        let answer = server.ask("GET /page", &cookie).unwrap();
        assert_ne!(answer.status, 401, "a living login is refused");
    }
    let logout = front.ask("POST /logout", &cookie).unwrap();
    let confirmed = Instant::now();
    if logout.status != 200 {
        return None;
    }
    let mut late = vec![Duration::ZERO; servers.len()];
    let mut open: Vec<_> = (0..servers.len()).collect();
    while !open.is_empty() {
        for server in &open {
            servers[*server].send("GET /page", &cookie).unwrap();
        }
        open.retain(|server| match servers[*server].receive().unwrap().status {
            200 => {
                late[*server] = confirmed.elapsed();
                true
            }
            status => status != 401,
        });
    }
    Some(late)
}

fn measure(name: &str, url: &str) {
    let logouts = env::var("PROCESSES_LOGOUTS").map_or(200, |count| count.parse().unwrap());
    let site = Site::start(&three(url));
    let start = Instant::now();
    let mut late = lateness(&site, logouts);
    let time = start.elapsed();
    late.sort();
    let count = late.len();
    let logouts = count / 3;
    let at = |per_mille| late[(count - 1) * per_mille / 1_000];
    let at_once = late.iter().filter(|late| late.is_zero()).count();
    println!(
        "{name}: {logouts} logouts, each at 3 servers, in {time:.1?}: {at_once} of {count} honored at once, \
         50 % within {:.1?}, 90 % {:.1?}, 99 % {:.1?}, 99.9 % {:.1?}, all {:.1?}",
        at(500),
        at(900),
        at(990),
        at(999),
        at(1_000)
    );
    let bounds = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000];
    for bound in bounds {
        let within = late
            .iter()
            .filter(|late| **late <= Duration::from_millis(bound));
        println!("{name}: {:>7} within {bound} ms", within.count());
    }
    assert!(
        at(1_000) < Duration::from_secs(1),
        "a logout was honored after {:?}",
        at(1_000)
    );
}

#[test]
fn a_logout_is_honored_everywhere_within_a_second_on_redis() {
    let _alone = alone();
    let Some(redis) = Redis::start(&[]) else {
        return;
    };
    measure("Redis", &redis.url());
}

#[test]
fn a_logout_is_honored_everywhere_within_a_second_on_postgres() {
    let _alone = alone();
    let Some(postgres) = Postgres::start(&[]) else {
        return;
    };
    measure("PostgreSQL", &postgres.database());
}

#[test]
fn a_logout_is_honored_everywhere_within_a_second_on_sqlite() {
    let _alone = alone();
    let folder = Folder::new();
    measure("SQLite", &sqlite(&folder));
}

/// On each store that this machine has.
fn everywhere(fault: impl Fn(&mut Site)) {
    let _alone = alone();
    let folder = Folder::new();
    survive(&three(&sqlite(&folder)), &fault);
    if let Some(redis) = Redis::start(&[]) {
        survive(&three(&redis.url()), &fault);
    }
    if let Some(postgres) = Postgres::start(&[]) {
        survive(&three(&postgres.database()), &fault);
    }
}

#[test]
fn a_server_that_is_killed_comes_back_with_the_list() {
    everywhere(|site| site.servers[1].restart());
}

#[test]
fn a_server_that_is_stopped_and_continued_knows_what_has_ended() {
    everywhere(|site| {
        site.servers[1].signal("-STOP");
        thread::sleep(Duration::from_secs(4));
        site.servers[1].signal("-CONT");
    });
}

#[test]
fn workers_that_are_blocked_do_not_keep_the_list_from_being_read() {
    everywhere(|site| {
        let address = site.servers[1].address;
        let blocking = (0..4)
            .map(|_| thread::spawn(move || drop(Client::new(address).ask("POST /block", ""))));
        for thread in blocking.collect::<Vec<_>>() {
            thread.join().unwrap();
        }
    });
}

#[test]
fn a_store_that_is_killed_and_comes_back_loses_no_logout() {
    let _alone = alone();
    if let Some(mut redis) = Redis::start(&[]) {
        let log = survive(&three(&redis.url()), |_| {
            redis.kill();
            thread::sleep(Duration::from_secs(4));
            redis.restart();
        });
        assert!(log.contains("cannot be reached"), "{log}");
    }
    if let Some(mut postgres) = Postgres::start(&[]) {
        let log = survive(&three(&postgres.database()), |_| {
            postgres.kill();
            thread::sleep(Duration::from_secs(4));
            postgres.restart();
        });
        assert!(log.contains("cannot be reached"), "{log}");
    }
}

#[test]
fn a_store_that_hangs_makes_servers_refuse_until_it_answers() {
    let _alone = alone();
    if let Some(redis) = Redis::start(&[]) {
        survive(&three(&redis.url()), |_| {
            redis.freeze();
            thread::sleep(Duration::from_secs(4));
            redis.thaw();
        });
    }
    if let Some(postgres) = Postgres::start(&[]) {
        survive(&three(&postgres.database()), |_| {
            postgres.freeze();
            thread::sleep(Duration::from_secs(4));
            postgres.thaw();
        });
    }
}

#[test]
fn a_server_without_a_network_refuses_and_comes_back() {
    let _alone = alone();
    let cut = |network: &Network| {
        network.cut(true);
        thread::sleep(Duration::from_secs(4));
        network.cut(false);
    };
    if let Some(redis) = Redis::start(&[]) {
        let network = Network::to(SocketAddr::from(([127, 0, 0, 1], redis.port())));
        let far = format!("redis://{}/", network.address);
        survive(&[redis.url(), far, redis.url()], |_| cut(&network));
    }
    if let Some(postgres) = Postgres::start(&[]) {
        let near = postgres.database();
        let network = Network::to(SocketAddr::from(([127, 0, 0, 1], postgres.port())));
        let port = format!(":{}/", postgres.port());
        let far = near.replace(&port, &format!(":{}/", network.address.port()));
        survive(&[near.clone(), far, near], |_| cut(&network));
    }
}

#[test]
fn a_store_that_is_wiped_is_filled_again() {
    let _alone = alone();
    if let Some(redis) = Redis::start(&[]) {
        for command in [&["FLUSHALL"][..], &["DEL", TABLE], &["DEL", LOG]] {
            let log = survive(&three(&redis.url()), |_| drop(redis.ask(command)));
            assert!(log.contains("has read it anew"), "{log}");
        }
    }
    if let Some(postgres) = Postgres::start(&[]) {
        let url = postgres.database();
        let name = url.rsplit('/').next().unwrap();
        let wipe = "DELETE FROM rocket_login_store; DELETE FROM rocket_login_entries;
                    DELETE FROM rocket_login_log";
        survive(&three(&url), |_| drop(postgres.run(name, wipe)));
    }
}

#[test]
fn a_log_that_is_trimmed_past_a_reader_is_read_anew() {
    let _alone = alone();
    let Some(redis) = Redis::start(&[]) else {
        return;
    };
    let log = survive(&three(&redis.url()), |site| {
        site.servers[1].signal("-STOP");
        thread::sleep(Duration::from_secs(2));
        redis.ask(&["XTRIM", LOG, "MAXLEN", "1"]);
        site.servers[1].signal("-CONT");
    });
    assert!(log.contains("has read it anew"), "{log}");
}

#[test]
fn a_store_that_has_lost_its_last_changes_gets_them_again() {
    let _alone = alone();
    let Some(mut redis) = Redis::start(&["--appendfsync", "everysec"]) else {
        return;
    };
    let log = survive(&three(&redis.url()), |_| {
        redis.kill();
        shorten(redis.folder().path());
        redis.restart();
    });
    assert!(log.contains("has read it anew"), "{log}");
}

/// Cuts the end off the append-only file, as a crash of the machine does.
fn shorten(folder: &Path) {
    let files = fs::read_dir(folder.join("appendonlydir")).unwrap();
    let is_log = |path: &PathBuf| path.extension().is_some_and(|ending| ending == "aof");
    let mut logs = files.map(|file| file.unwrap().path()).filter(is_log);
    let path = logs
        .find(|path| path.to_string_lossy().contains(".incr."))
        .unwrap();
    let file = fs::File::options().write(true).open(path).unwrap();
    let length = file.metadata().unwrap().len();
    file.set_len(length - 5_000).unwrap();
}

#[test]
fn a_full_store_refuses_logouts_and_no_page() {
    let _alone = alone();
    let Some(redis) = Redis::start(&[]) else {
        return;
    };
    survive(&three(&redis.url()), |site| {
        let mut client = Client::new(site.servers[0].address);
        let cookie = client
            .ask("POST /login?user=u", "")
            .unwrap()
            .cookie
            .unwrap();
        redis.ask(&["CONFIG", "SET", "maxmemory", "1"]);
        assert_eq!(client.ask("POST /logout", &cookie).unwrap().status, 503);
        thread::sleep(Duration::from_secs(2));
        assert_eq!(client.ask("GET /page", &cookie).unwrap().status, 200);
        redis.ask(&["CONFIG", "SET", "maxmemory", "0"]);
    });
}

/// Its tokens come from the future, or from the past, so the others refuse them; but not one dead cookie is served.
#[test]
fn a_server_whose_clock_is_an_hour_off_honors_logouts() {
    let _alone = alone();
    for offset in ["+1h", "-1h"] {
        let Some(environment) = wrong_clock(offset) else {
            return;
        };
        let Some(redis) = Redis::start(&[]) else {
            return;
        };
        stay_safe(&three(&redis.url()), |site| {
            site.servers[1].restart_in(environment);
        });
    }
}

/// The store gives out the largest time that it has ever had, so one jump ahead lasts.
#[test]
fn a_store_whose_clock_was_days_ahead_loses_no_logout() {
    let _alone = alone();
    let now = SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap();
    let ahead = now.as_secs() + 3 * 24 * 60 * 60;
    if let Some(redis) = Redis::start(&[]) {
        survive(&three(&redis.url()), |_| {
            redis.ask(&["HSET", TABLE, "@time", &ahead.to_string()]);
            thread::sleep(Duration::from_secs(3));
        });
    }
    if let Some(postgres) = Postgres::start(&[]) {
        let url = postgres.database();
        let name = url.rsplit('/').next().unwrap();
        let jump = format!("UPDATE rocket_login_store SET time = {ahead}");
        survive(&three(&url), |_| {
            postgres.run(name, &jump);
            thread::sleep(Duration::from_secs(3));
        });
    }
}
