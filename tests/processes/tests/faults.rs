//! What three real servers do under traffic when one of them or their store fails: nobody is served with a dead cookie
//! later than the bound, nobody is logged out who did not log out, the log says what is wrong, and all recover by
//! themselves.
//!
//! Without Redis or PostgreSQL their tests print how to install them, and pass. If `LOGIN_STORES` is `required`, they
//! fail.

use std::path::Path;
use std::thread::{self, sleep};
use std::time::{Duration, Instant, SystemTime};

use login_engines::wrong_clock;

use login_processes::client::SLOW;
use login_processes::network::Network;
use login_processes::site::{Site, WORKERS};
use login_processes::store::Store;
use login_processes::traffic::{BOUND, Report, Traffic};

const USER: u64 = 1;

/// How long a request may wait if its server cannot know: the default of `login.store.stale_wait`, and a while for a slow
/// machine.
const STALE_WAIT: Duration = Duration::from_secs(4);

/// Servers under traffic.
struct Drill {
    site: Site,
    traffic: Traffic,
    /// The last one, so that it is there until the servers have ended.
    store: Store,
}

impl Drill {
    fn start(store: Store) -> Self {
        let urls = [(); 3].map(|()| store.url());
        Self::with(store, &urls)
    }

    /// Starts a server for each URL of the store.
    fn with(store: Store, urls: &[String]) -> Self {
        let program = Path::new(env!("CARGO_BIN_EXE_login-processes"));
        let site = Site::start(program, urls);
        let traffic = Traffic::start(site.addresses());
        traffic.wait_for_logouts(5);
        Drill {
            site,
            traffic,
            store,
        }
    }

    /// Ends the drill, and returns what the servers have logged.
    fn end(self) -> String {
        let name = self.store.name();
        let (report, log) = self.end_safely();
        assert_eq!(report.refused_living, 0, "{name}: {report:?}\n{log}");
        log
    }

    /// Ends a drill in which living logins may be refused.
    fn end_safely(self) -> (Report, String) {
        let name = self.store.name();
        let recovery = self.site.recover();
        self.traffic.wait_for_logouts(3);
        // So that each of the dead cookies is shown after the bound.
        sleep(BOUND + Duration::from_millis(300));
        let report = self.traffic.stop();
        println!("{name}: recovered after {recovery:.1?}, {report:?}");
        assert!(report.faults.is_empty(), "{name}: {report:?}");
        assert!(
            report.served > 0 && report.refused > 0,
            "{name}: {report:?}"
        );
        (report, self.site.log())
    }

    /// Stops a server. One that is stopped while it writes to SQLite keeps the lock of the file, and then nobody can log
    /// out; this one does not.
    fn freeze(&self, server: usize) {
        let cookie = self.site.login(0, USER);
        self.site.servers[server].freeze();
        while self.site.client(0).status("POST /logout", &cookie) != 200 {
            self.site.servers[server].thaw();
            sleep(Duration::from_millis(10));
            self.site.servers[server].freeze();
        }
    }

    /// Waits until a server has noticed that the store has lost something, and has written it back.
    fn wait_for_loss(&self, server: usize) {
        let mut client = self.site.client(server);
        let start = Instant::now();
        while client
            .ask("GET /health", "")
            .unwrap()
            .body
            .ends_with("losses=0")
        {
            assert!(start.elapsed() < SLOW, "it does not notice");
            sleep(Duration::from_millis(20));
        }
    }
}

#[track_caller]
fn says(log: &str, words: &str) {
    assert!(
        log.contains(words),
        "the log does not say {words:?}:\n{log}"
    );
}

#[test]
fn a_server_that_is_killed_comes_back_and_nobody_else_notices() {
    Store::each(|store| {
        let mut drill = Drill::start(store);
        let cookie = drill.site.login(0, USER);
        drill.site.servers[1].kill();
        drill.traffic.wait_for_logouts(3);
        drill.site.expect(&cookie, &[200, 0, 200]);
        drill.site.servers[1].restart();
        drill.site.expect(&cookie, &[200; 3]);
        drill.end();
    });
}

#[test]
fn a_server_that_was_stopped_serves_no_login_that_ended_meanwhile() {
    Store::each(|store| {
        let drill = Drill::start(store);
        let cookie = drill.site.login(0, USER);
        drill.freeze(1);
        drill.traffic.wait_for_logouts(3);
        drill.site.client(0).insist("POST /logout", &cookie);
        sleep(BOUND);
        drill.site.servers[1].thaw();
        drill.site.expect(&cookie, &[401; 3]);
        drill.end();
    });
}

#[test]
fn a_store_that_was_killed_makes_servers_refuse_and_loses_no_logout() {
    Store::each_server(|store| {
        let mut drill = Drill::start(store);
        let cookie = drill.site.login(0, USER);
        drill.store.kill();
        drill.site.expect(&cookie, &[503; 3]);
        drill.store.restart();
        let log = drill.end();
        says(&log, "the store of ended logins cannot be read: ");
        says(&log, "cannot be reached");
        says(&log, "until the store answers");
    });
}

#[test]
fn a_store_that_hangs_makes_servers_answer_503_in_time_until_it_goes_on() {
    Store::each_server(|store| {
        let drill = Drill::start(store);
        let name = drill.store.name();
        let cookie = drill.site.login(0, USER);
        drill.store.freeze();
        drill.site.expect(&cookie, &[503; 3]);
        // One vain wait is enough for all requests.
        let wait = drill.site.expect(&cookie, &[503; 3]);
        assert!(wait < STALE_WAIT, "{name}: {wait:?}");
        drill.store.thaw();
        says(&drill.end(), "until the store answers");
    });
}

#[test]
fn a_locked_sqlite_refuses_logouts_in_time_and_serves_pages() {
    let drill = Drill::start(Store::sqlite().unwrap());
    let cookie = drill.site.login(0, USER);
    drill.store.sql("BEGIN EXCLUSIVE", || {
        let start = Instant::now();
        assert_eq!(drill.site.client(0).status("POST /logout", &cookie), 503);
        assert!(start.elapsed() < 2 * STALE_WAIT, "{:?}", start.elapsed());
        drill.site.expect(&cookie, &[200; 3]);
    });
    says(&drill.end(), "has not answered for 2s");
}

#[test]
fn a_server_without_a_network_refuses_while_the_others_go_on() {
    Store::each_server(|store| {
        let network = Network::to(([127, 0, 0, 1], store.port()).into());
        let ports = [store.port(), network.address.port()].map(|port| format!(":{port}/"));
        let near = store.url();
        let far = near.replace(&ports[0], &ports[1]);
        let drill = Drill::with(store, &[near.clone(), far, near]);
        let cookie = drill.site.login(0, USER);
        network.cut(true);
        drill.site.expect(&cookie, &[200, 503, 200]);
        drill.site.client(0).insist("POST /logout", &cookie);
        sleep(BOUND);
        drill.site.expect(&cookie, &[401, 503, 401]);
        network.cut(false);
        drill.end();
    });
}

#[test]
fn a_store_that_was_wiped_is_filled_again_and_no_logout_is_forgotten() {
    Store::each(|store| {
        let mut drill = Drill::start(store);
        let cookie = drill.site.login(0, USER);
        drill.site.client(0).insist("POST /logout", &cookie);
        sleep(BOUND);
        drill.traffic.quietly(|| {
            drill.store.wipe();
            drill.wait_for_loss(0);
        });
        // It knows only what the store has.
        drill.site.servers[2].restart();
        drill.site.expect(&cookie, &[401; 3]);
        says(&drill.end(), "has read it anew and written back");
    });
}

#[test]
fn a_store_that_was_restored_from_a_backup_gets_the_later_logouts_again() {
    Store::each(|store| {
        let mut drill = Drill::start(store);
        let cookie = drill.site.login(0, USER);
        let backup = drill.store.backup();
        drill.site.recover();
        drill.site.client(0).insist("POST /logout", &cookie);
        drill.traffic.wait_for_logouts(5);
        let Drill { store, traffic, .. } = &mut drill;
        traffic.quietly(|| store.restore(&backup));
        drill.wait_for_loss(0);
        // It knows only what the store has.
        drill.site.servers[2].restart();
        drill.site.expect(&cookie, &[401; 3]);
        says(&drill.end(), "has read it anew and written back");
    });
}

#[test]
fn a_log_that_was_trimmed_past_a_reader_is_read_anew() {
    Store::each(|store| {
        let drill = Drill::start(store);
        let cookie = drill.site.login(0, USER);
        drill.freeze(1);
        drill.site.client(0).insist("POST /logout", &cookie);
        drill.traffic.wait_for_logouts(5);
        drill.store.trim();
        sleep(BOUND);
        drill.site.servers[1].thaw();
        drill.site.expect(&cookie, &[401; 3]);
        says(&drill.end(), "has read it anew and written back");
    });
}

/// Numbers that the database gives out before the commit would let a slow transaction appear behind a reader.
#[test]
fn a_transaction_that_commits_late_is_not_overlooked() {
    let Some(store) = Store::postgres() else {
        return;
    };
    let drill = Drill::start(store);
    drill.store.change(
        "CREATE FUNCTION dawdle() RETURNS trigger LANGUAGE plpgsql AS \
         'BEGIN PERFORM pg_sleep(random() * 0.4); RETURN NEW; END'; \
         CREATE TRIGGER slow AFTER INSERT ON rocket_login_log FOR EACH ROW EXECUTE FUNCTION dawdle()",
    );
    drill.traffic.wait_for_logouts(10);
    drill.store.change("DROP TRIGGER slow ON rocket_login_log");
    drill.end();
}

#[test]
fn a_full_store_refuses_logouts_and_serves_pages() {
    Store::each(|store| {
        let drill = Drill::start(store);
        let name = drill.store.name();
        let cookie = drill.site.login(0, USER);
        drill.store.set_full(true);
        assert_eq!(
            drill.site.client(0).status("POST /logout", &cookie),
            503,
            "{name}"
        );
        // The traffic has its own look at it.
        drill.site.expect(&cookie, &[200; 3]);
        drill.store.set_full(false);
        drill.site.client(1).insist("POST /logout", &cookie);
        sleep(BOUND);
        drill.site.expect(&cookie, &[401; 3]);
        drill.end();
    });
}

#[test]
fn a_server_whose_workers_are_all_blocked_still_follows_the_store() {
    Store::each(|store| {
        let drill = Drill::start(store);
        let cookie = drill.site.login(0, USER);
        let living = drill.site.login(0, USER);
        thread::scope(|scope| {
            for _ in 0..WORKERS * 2 {
                let mut client = drill.site.client(1);
                scope.spawn(move || assert_eq!(client.status("POST /block/1500", ""), 200));
            }
            sleep(Duration::from_millis(200));
            drill.site.client(0).insist("POST /logout", &cookie);
        });
        drill.site.expect(&living, &[200; 3]);
        drill.site.expect(&cookie, &[401; 3]);
        drill.end();
    });
}

/// The time of a login comes from the store. A server whose own clock is ahead finds logins expired that are not.
#[test]
fn a_server_whose_clock_is_an_hour_off_honors_logouts() {
    for offset in ["+1h", "-1h"] {
        let Some(environment) = wrong_clock(offset) else {
            return;
        };
        Store::each(|store| {
            let mut drill = Drill::start(store);
            drill.site.servers[1].restart_in(environment.clone());
            drill.traffic.wait_for_logouts(5);
            drill.end_safely();
        });
    }
}

/// The store gives out the largest time that it has ever had, so one jump ahead lasts.
#[test]
fn a_store_whose_clock_was_days_ahead_loses_no_logout() {
    Store::each(|store| {
        let drill = Drill::start(store);
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        drill
            .store
            .set_time(now.unwrap().as_secs() + 3 * 24 * 60 * 60);
        drill.traffic.wait_for_logouts(5);
        drill.end();
    });
}

#[test]
fn a_disk_that_is_full_refuses_logouts_with_the_reason_until_there_is_room() {
    Store::each_on_small_disk(|store| {
        let drill = Drill::start(store);
        let name = drill.store.name();
        let living = drill.site.login(0, USER);
        // More than what still fits into the files.
        let cookies: Vec<_> = (0..60).map(|_| drill.site.login(0, USER)).collect();
        drill.store.fill_disk();
        let mut client = drill.site.client(1);
        let mut refused = cookies
            .into_iter()
            .filter(|cookie| client.status("POST /logout", cookie) == 503);
        let cookie = refused.next().expect("a logout that does not fit");
        drill.site.expect(&living, &[200; 3]);
        drill.store.folder().make_room();
        client.insist("POST /logout", &cookie);
        sleep(BOUND);
        drill.site.expect(&cookie, &[401; 3]);
        drill.site.expect(&living, &[200; 3]);
        let log = drill.end();
        let words = ["free some of its disk", "give it more memory or disk"];
        assert!(
            words.iter().any(|words| log.contains(words)),
            "{name}: {log}"
        );
    });
}
