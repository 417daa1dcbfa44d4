//! What an operator can choose for the time when a store is silent or has lost its list, with three real servers.
//!
//! Without Redis or PostgreSQL their tests print how to install them, and pass. If `LOGIN_STORES` is `required`, they
//! fail.

use std::path::Path;
use std::thread::sleep;
use std::time::{Duration, Instant};

use login_processes::client::{REMEMBER, SLOW};
use login_processes::site::{Server, Site};
use login_processes::store::Store;
use login_processes::traffic::BOUND;

const USER: u64 = 1;

/// Starts three servers with more settings of the store.
fn start(store: &Store, settings: &str) -> Site {
    let program = Path::new(env!("CARGO_BIN_EXE_login-processes"));
    let mut site = Site::start(program, &[(); 3].map(|()| store.url()));
    let login = format!("{{store={{url={:?},{settings}}}}}", store.url());
    for server in &mut site.servers {
        server.restart_in(vec![("ROCKET_LOGIN", login.clone())]);
    }
    site
}

/// Waits until the health checks of all servers answer as wanted.
fn wait_for_health(site: &Site, is_so: impl Fn(u16, &str) -> bool) {
    let start = Instant::now();
    for mut client in site.clients() {
        loop {
            let answer = client.ask("GET /health", "").unwrap();
            if is_so(answer.status, &answer.body) {
                break;
            }
            assert!(start.elapsed() < SLOW, "{answer:?}");
            sleep(Duration::from_millis(20));
        }
    }
}

#[test]
fn an_old_copy_serves_reads_and_begins_and_ends_nothing() {
    Store::each_server(|store| {
        let name = store.name();
        let site = start(&store, r#"on_stale="serve for 1m""#);
        let living = site.login(0, USER);
        let dead = site.login(0, USER);
        site.client(1).insist("POST /logout", &dead);
        let remembered = site.client(0).insist("POST /remember/2", "").remember;
        let remembered = format!("; {REMEMBER}={}", remembered.expect("a remember cookie"));
        sleep(BOUND);
        site.expect(&living, &[200; 3]);
        site.expect(&dead, &[401; 3]);

        store.freeze();
        wait_for_health(&site, |status, _| status == 503);
        site.expect(&living, &[200; 3]);
        site.expect(&dead, &[401; 3]);
        for mut client in site.clients() {
            for (request, cookie) in [
                ("GET /fresh", &living),
                ("POST /logout", &living),
                ("POST /everywhere", &living),
                ("POST /confirm/1", &living),
                ("POST /login/3", &String::new()),
                ("GET /page", &remembered),
            ] {
                let answer = client.ask(request, cookie).unwrap();
                assert_eq!(answer.status, 503, "{name}: {request}");
                assert_eq!((answer.cookie, answer.remember), (None, None), "{request}");
            }
        }

        store.thaw();
        site.recover();
        for mut client in site.clients() {
            client.insist("GET /fresh", &living);
            client.insist("GET /page", &remembered);
        }
        for log in site.servers.iter().map(Server::log) {
            for words in [
                "get 503, or what `login.store.on_stale` says",
                "the store of ended logins can be read again",
            ] {
                assert!(log.contains(words), "{name}: {words}:\n{log}");
            }
        }
    });
}

#[test]
fn the_loss_of_the_list_ends_everybody_once_if_that_is_wanted() {
    Store::each(|store| {
        let name = store.name();
        let mut site = start(&store, r#"on_loss="end everybody""#);
        let old: Vec<_> = (0..3).map(|server| site.login(server, USER)).collect();
        for cookie in &old {
            site.expect(cookie, &[200; 3]);
        }
        store.wipe();
        wait_for_health(&site, |status, body| {
            status == 200 && !body.ends_with("losses=0")
        });
        sleep(BOUND);
        for cookie in &old {
            site.expect(cookie, &[401; 3]);
        }
        let new: Vec<_> = (0..3).map(|server| site.login(server, USER)).collect();
        let stay = |site: &Site| {
            for cookie in &new {
                site.expect(cookie, &[200; 3]);
            }
        };
        stay(&site);
        // Nothing is lost by a restart, of one server or of all.
        site.servers[0].restart();
        stay(&site);
        site.servers.iter_mut().for_each(Server::kill);
        site.servers.iter_mut().for_each(Server::restart);
        sleep(BOUND);
        stay(&site);
        for cookie in &old {
            site.expect(cookie, &[401; 3]);
        }
        let log = site.log();
        let words = "all logins from before have ended, as `login.store.on_loss` says";
        assert!(log.contains(words), "{name}:\n{log}");
    });
}
