//! A logout at one of three real servers holds at the others.
//!
//! Without Redis or PostgreSQL their tests print how to install them, and pass. If `LOGIN_STORES` is `required`, they
//! fail.

use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use login_processes::client::{Answer, Client};
use login_processes::late::Lateness;
use login_processes::nginx::Nginx;
use login_processes::site::{Server, Site};
use login_processes::store::Store;
use login_processes::traffic::BOUND;

const USER: u64 = 1;

fn start(store: &Store) -> Site {
    let program = Path::new(env!("CARGO_BIN_EXE_login-processes"));
    Site::start(program, &[(); 3].map(|()| store.url()))
}

fn sleep_until(time: Instant) {
    thread::sleep(time.saturating_duration_since(Instant::now()));
}

#[test]
fn a_logout_at_one_server_is_honored_at_the_others_within_a_second() {
    Store::each(|store| {
        let site = start(&store);
        let lateness = Lateness::of(&site, 80);
        println!("{}", store.name());
        lateness.print();
        assert!(lateness.holds(), "{}: {lateness:?}", store.name());
    });
}

#[test]
fn behind_a_proxy_no_request_with_a_dead_cookie_is_served_after_a_second() {
    let Some(store) = Store::sqlite() else {
        return;
    };
    let site = start(&store);
    let Some(proxy) = Nginx::start(&site.addresses()) else {
        return;
    };
    let mut client = Client::new(proxy.address);
    for user in 0..5 {
        let login = client.insist(&format!("POST /login/{user}"), "");
        let cookie = login.cookie.expect("a cookie");
        for _ in 0..6 {
            client.insist("GET /page", &cookie);
        }
        client.insist("POST /logout", &cookie);
        let bound = Instant::now() + BOUND;
        while Instant::now() < bound + Duration::from_millis(100) {
            let Answer { status, sent, .. } = client.ask("GET /page", &cookie).unwrap();
            assert!([401, 503].contains(&status) || sent < bound, "{status}");
            thread::sleep(Duration::from_millis(2));
        }
    }
}

/// In which order the store takes them is open, but neither may leave a login behind that the logout has not ended.
#[test]
fn a_confirmation_and_a_logout_in_flight_at_two_servers_leave_no_login() {
    Store::each(|store| {
        let site = start(&store);
        let mut outcomes = [0; 2];
        let mut cookies = Vec::new();
        for round in 0..30 {
            let cookie = site.login(round % 3, USER);
            let (mut confirmer, mut leaver) =
                (site.client(round % 3), site.client((round + 1) % 3));
            let answer = thread::scope(|scope| {
                let request = scope.spawn(|| {
                    thread::sleep(Duration::from_micros(200 * (round as u64 % 5)));
                    let path = format!("POST /confirm/{USER}");
                    confirmer.ask(&path, &cookie).unwrap()
                });
                leaver.insist("POST /logout", &cookie);
                request.join().unwrap()
            });
            outcomes[usize::from(answer.status == 200)] += 1;
            cookies.extend([Some(cookie), answer.cookie].into_iter().flatten());
        }
        thread::sleep(BOUND);
        for cookie in cookies {
            site.expect(&cookie, &[401; 3]);
        }
        println!(
            "{}: {} logouts came first, {} confirmations",
            store.name(),
            outcomes[0],
            outcomes[1]
        );
    });
}

#[test]
fn a_confirmation_at_one_server_is_fresh_at_all_and_ends_the_old_cookie() {
    Store::each(|store| {
        let site = start(&store);
        let old = site.login(0, USER);
        let answer = site
            .client(1)
            .ask(&format!("POST /confirm/{USER}"), &old)
            .unwrap();
        let bound = Instant::now() + BOUND;
        let new = answer.cookie.expect("a cookie");
        assert_eq!(answer.status, 200);
        site.client(2).insist("GET /fresh", &new);
        sleep_until(bound);
        site.expect(&new, &[200; 3]);
        site.expect(&old, &[401; 3]);
    });
}

#[test]
fn logout_everywhere_ends_all_logins_of_the_user_at_all_servers_and_no_others() {
    Store::each(|store| {
        let site = start(&store);
        let own: Vec<_> = (0..9).map(|number| site.login(number % 3, USER)).collect();
        let other = site.login(0, USER + 1);
        site.client(1).insist("POST /everywhere", &own[0]);
        let bound = Instant::now() + BOUND;
        // At any server, however its clock differs from the store's.
        let next: Vec<_> = (0..3).map(|server| site.login(server, USER)).collect();
        sleep_until(bound);
        for cookie in own {
            site.expect(&cookie, &[401; 3]);
        }
        for cookie in next.iter().chain([&other]) {
            site.expect(cookie, &[200; 3]);
        }
    });
}

#[test]
fn a_server_that_starts_later_knows_every_logout() {
    Store::each(|store| {
        let mut site = start(&store);
        let cookie = site.login(0, USER);
        site.servers[2].kill();
        site.client(0).insist("POST /logout", &cookie);
        // Not after a second: it must not answer before it knows.
        site.servers[2].restart();
        let status = site.client(2).status("GET /page", &cookie);
        assert!([401, 503].contains(&status), "{status}");
        site.servers.iter_mut().for_each(Server::restart);
        site.expect(&cookie, &[401; 3]);
    });
}
