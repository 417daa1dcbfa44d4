//! Measures how late a logout is honored.

use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use crate::client::{Answer, Client};
use crate::nginx::Nginx;
use crate::site::{Server, Site};
use crate::store::Store;
use crate::traffic::BOUND;

/// How many users log out at once.
const USERS: usize = 8;

const SERVERS: usize = 3;

/// How late logouts were honored, each one at each server.
#[derive(Debug, Default)]
pub struct Lateness {
    /// When the answer to the last request arrived that was still served; 0 if none was.
    answered: Vec<Duration>,
    /// When the last request was sent that was still served.
    sent: Duration,
    /// How many copies were refused once more after the bound.
    refused: usize,
    /// Copies that were served after the bound.
    served: usize,
    /// How often a server could not know and answered 503.
    unavailable: usize,
}

/// Logs so many users out, and prints how late that was honored. Returns whether every logout held in time.
pub fn measure(program: &Path, store: &str, logouts: usize) -> bool {
    let store = match store {
        "redis" => Store::redis(),
        "postgres" => Store::postgres(),
        "sqlite" => Store::sqlite(),
        url => return run(program, url, logouts, None),
    };
    store.is_some_and(|store| run(program, &store.url(), logouts, Some(&store)))
}

fn run(program: &Path, url: &str, logouts: usize, store: Option<&Store>) -> bool {
    let site = Site::start(program, &[url; SERVERS].map(str::to_owned));
    let memory = || site.servers.iter().map(Server::memory).max().unwrap_or(0);
    let bytes = || store.map_or(0, Store::size);
    let (bytes_before, memory_before) = (bytes(), memory());
    let start = Instant::now();
    let lateness = Lateness::of(&site, logouts);
    println!(
        "{logouts} logouts, copies shown at {SERVERS} servers, in {:.0?}",
        start.elapsed()
    );
    let each = |sum: u64| sum / logouts.max(1) as u64;
    if store.is_some() {
        println!(
            "{} bytes of the store for each",
            each(bytes().saturating_sub(bytes_before))
        );
    }
    let memory = memory().saturating_sub(memory_before) * 1024;
    println!("{} bytes of a server's memory for each", each(memory));
    lateness.print();
    lateness.holds()
}

impl Lateness {
    /// Logs so many users out. Logins and logouts come through nginx, where there is one.
    pub fn of(site: &Site, logouts: usize) -> Self {
        let servers = site.addresses();
        let proxy = Nginx::start(&servers);
        let fronts: Vec<_> = match &proxy {
            Some(proxy) => vec![proxy.address],
            None => servers,
        };
        let users = thread::scope(|scope| {
            let users = (0..USERS).map(|number| {
                let mut user = User {
                    front: Client::new(fronts[number % fronts.len()]),
                    servers: site.clients(),
                    number: number as u64,
                    dead: Vec::new(),
                    lateness: Lateness::default(),
                };
                let logouts = logouts / USERS + usize::from(number < logouts % USERS);
                scope.spawn(move || {
                    (0..logouts).for_each(|_| user.log_out());
                    thread::sleep(BOUND);
                    user.show_again();
                    user.lateness
                })
            });
            let users: Vec<_> = users.collect();
            users
                .into_iter()
                .map(|user| user.join().unwrap())
                .collect::<Vec<_>>()
        });
        users.into_iter().fold(Self::default(), Self::and)
    }

    fn and(mut self, other: Self) -> Self {
        self.answered.extend(other.answered);
        Lateness {
            answered: self.answered,
            sent: self.sent.max(other.sent),
            refused: self.refused + other.refused,
            served: self.served + other.served,
            unavailable: self.unavailable + other.unavailable,
        }
    }

    /// Returns whether no request was served that was sent later than the bound. Its answer may have arrived later.
    pub fn holds(&self) -> bool {
        self.sent <= BOUND && self.served == 0 && self.refused == self.answered.len()
    }

    /// Prints the distribution.
    #[allow(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a share of a count that fits"
    )]
    pub fn print(&self) {
        let mut all = self.answered.clone();
        all.sort();
        let at = |share: f64| all[((all.len() - 1) as f64 * share) as usize].as_secs_f64() * 1e3;
        let at_once = all.iter().filter(|late| late.is_zero()).count();
        println!(
            "honored with the first request at {at_once} of {} servers",
            all.len()
        );
        let (p50, p99, p999, max) = (at(0.5), at(0.99), at(0.999), at(1.0));
        println!("p50 {p50:.1} ms, p99 {p99:.1} ms, p99.9 {p999:.1} ms, max {max:.1} ms");
        for bound in [0, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000] {
            let within = all
                .iter()
                .filter(|late| **late <= Duration::from_millis(bound));
            println!("{:>9} within {bound} ms", within.count());
        }
        println!(
            "the last request that was served was sent {:.1?} after a logout",
            self.sent
        );
        println!("{} answers were 503", self.unavailable);
        println!(
            "shown again after {BOUND:?}: {} refused, {} served",
            self.refused, self.served
        );
    }
}

struct User {
    front: Client,
    servers: Vec<Client>,
    number: u64,
    dead: Vec<(String, Instant)>,
    lateness: Lateness,
}

impl User {
    fn log_out(&mut self) {
        let login = format!("POST /login/{}", self.number);
        let cookie = self.insist(&login, "").cookie.expect("a cookie");
        for server in &mut self.servers {
            let status = server.status("GET /page", &cookie);
            assert!([200, 503].contains(&status), "a server answered {status}");
        }
        self.insist("POST /logout", &cookie);
        let confirmed = Instant::now();
        let mut late = [Duration::ZERO; SERVERS];
        let mut open: Vec<_> = (0..self.servers.len()).collect();
        while !open.is_empty() {
            for server in &open {
                self.servers[*server].send("GET /page", &cookie).unwrap();
            }
            open.retain(|server| {
                let answer = self.servers[*server].receive().unwrap();
                match answer.status {
                    200 => {
                        late[*server] = confirmed.elapsed();
                        let sent = answer.sent.saturating_duration_since(confirmed);
                        self.lateness.sent = self.lateness.sent.max(sent);
                    }
                    503 => self.lateness.unavailable += 1,
                    401 => return false,
                    other => panic!("a server answered {other}"),
                }
                true
            });
        }
        self.lateness.answered.extend(late);
        self.dead.push((cookie, confirmed));
        self.show_again();
    }

    /// Shows the cookies once more whose logout is older than the bound.
    fn show_again(&mut self) {
        let young = self.dead.iter().position(|(_, at)| at.elapsed() <= BOUND);
        let old: Vec<_> = self
            .dead
            .drain(..young.unwrap_or(self.dead.len()))
            .collect();
        for (cookie, _) in old {
            for server in &mut self.servers {
                let mut status = 503;
                while status == 503 {
                    status = server.status("GET /page", &cookie);
                }
                match status {
                    401 => self.lateness.refused += 1,
                    200 => self.lateness.served += 1,
                    other => panic!("a server answered {other}"),
                }
            }
        }
    }

    /// Repeats a request until it is not answered with 503.
    fn insist(&mut self, request: &str, cookie: &str) -> Answer {
        loop {
            let answer = self.front.ask(request, cookie).unwrap();
            match answer.status {
                200 => return answer,
                503 => self.lateness.unavailable += 1,
                other => panic!("{request} answered {other}"),
            }
        }
    }
}
