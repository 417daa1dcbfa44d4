//! Users who log in, look at pages, log out, and show copies of their cookies afterwards, at all servers at once.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crate::client::{Answer, Client, SLOW};

/// From when on a logout must be honored everywhere.
pub const BOUND: Duration = Duration::from_secs(1);

/// How long each user waits between two requests.
const PAUSE: Duration = Duration::from_millis(10);

/// How long each user waits for an answer. Who gets none goes to another server.
const PATIENCE: Duration = Duration::from_millis(1_500);

const LOGOUT: &str = "POST /logout";

/// The traffic. It runs until [`stop`](Self::stop).
#[derive(Debug)]
pub struct Traffic {
    shared: Arc<Shared>,
    threads: Vec<JoinHandle<()>>,
}

/// What the users have seen.
#[derive(Debug, Default)]
pub struct Report {
    /// How often a page was served.
    pub served: u64,
    /// How often an answer was 503.
    pub unavailable: u64,
    /// How often no answer came.
    pub unanswered: u64,
    /// How many logouts were confirmed.
    pub logouts: u64,
    /// How often a copy of a dead cookie was refused.
    pub refused: u64,
    /// How late after its confirmation a logout was not yet honored.
    pub latest: Duration,
    /// How often a login was refused that nobody had ended.
    pub refused_living: u64,
    /// What must not happen.
    pub faults: Vec<String>,
}

#[derive(Debug)]
struct Shared {
    servers: Vec<SocketAddr>,
    is_over: AtomicBool,
    is_quiet: AtomicBool,
    users: AtomicU64,
    turn: AtomicUsize,
    dead: Mutex<Vec<Dead>>,
    report: Mutex<Report>,
}

/// A cookie whose logout was confirmed.
#[derive(Clone, Debug)]
struct Dead {
    cookie: String,
    at: Instant,
}

impl Traffic {
    /// Lets users use these servers: at each one there is a user who stays, one who comes and goes, and one who has only
    /// copies of dead cookies.
    pub fn start(servers: Vec<SocketAddr>) -> Self {
        let shared = Arc::new(Shared {
            servers,
            is_over: AtomicBool::new(false),
            is_quiet: AtomicBool::new(false),
            users: AtomicU64::new(1_000),
            turn: AtomicUsize::new(0),
            dead: Mutex::default(),
            report: Mutex::default(),
        });
        let roles = [Shared::stay, Shared::come_and_go, Shared::replay];
        let spawn = |(server, role): (SocketAddr, fn(&Shared, Client))| {
            let shared = Arc::clone(&shared);
            thread::spawn(move || role(&shared, Client::new(server).patience(PATIENCE)))
        };
        let pairs = shared
            .servers
            .iter()
            .flat_map(|server| roles.map(|role| (*server, role)));
        let threads = pairs.map(spawn).collect();
        Traffic { shared, threads }
    }

    /// Waits until so many more logouts were confirmed.
    pub fn wait_for_logouts(&self, count: u64) {
        let start = Instant::now();
        let wanted = self.shared.report().logouts + count;
        while self.shared.report().logouts < wanted {
            assert!(start.elapsed() < SLOW, "nobody can log out");
            thread::sleep(PAUSE);
        }
    }

    /// Lets nobody log out while a store loses something, and before until every server knows of all logouts. What a store
    /// loses that one server alone knows holds elsewhere only when that server has written it back.
    pub fn quietly<T>(&self, loss: impl FnOnce() -> T) -> T {
        self.shared.is_quiet.store(true, Ordering::SeqCst);
        // A logout may be on its way.
        thread::sleep(PATIENCE + BOUND);
        let done = loss();
        self.shared.is_quiet.store(false, Ordering::SeqCst);
        done
    }

    /// Stops the users, and returns what they have seen.
    pub fn stop(self) -> Report {
        self.shared.is_over.store(true, Ordering::Relaxed);
        for thread in self.threads {
            thread.join().unwrap();
        }
        std::mem::take(&mut self.shared.report())
    }
}

impl Shared {
    fn report(&self) -> MutexGuard<'_, Report> {
        self.report.lock().unwrap()
    }

    fn is_over(&self) -> bool {
        self.is_over.load(Ordering::Relaxed)
    }

    /// Stays logged in. Nobody may end that.
    fn stay(&self, mut client: Client) {
        let Some(cookie) = self.log_in() else {
            return;
        };
        while !self.is_over() {
            self.look(&mut client, &cookie);
        }
    }

    /// Logs in at one server, looks at a page here, and logs out at another one.
    fn come_and_go(&self, mut client: Client) {
        while let Some(cookie) = self.log_in() {
            for _ in 0..3 {
                self.look(&mut client, &cookie);
            }
            // After a failure nobody knows whether the login has ended, so it shows up nowhere until it has.
            let logout = self.insist(LOGOUT, &cookie);
            if logout.is_some() {
                let at = Instant::now();
                self.report().logouts += 1;
                self.dead.lock().unwrap().push(Dead { cookie, at });
            }
        }
    }

    /// Shows dead cookies here.
    fn replay(&self, mut client: Client) {
        let mut turn = 0;
        while !self.is_over() {
            turn += 1;
            let dead = {
                let dead = self.dead.lock().unwrap();
                // The newest ones, and any older one.
                let back = if turn % 2 == 0 {
                    turn / 2 % 5
                } else {
                    turn / 2
                };
                let count = dead.len().max(1);
                dead.iter().rev().nth(back % count).cloned()
            };
            if let Some(dead) = dead {
                self.show(&mut client, &dead);
            }
            thread::sleep(PAUSE);
        }
    }

    fn show(&self, client: &mut Client, dead: &Dead) {
        let Some(Answer { status, sent, .. }) = self.ask(client, "GET /page", &dead.cookie) else {
            return;
        };
        let mut report = self.report();
        let late = sent.saturating_duration_since(dead.at);
        match status {
            200 => {
                report.latest = report.latest.max(late);
                if late > BOUND {
                    report
                        .faults
                        .push(format!("served a dead login after {late:?}"));
                }
            }
            401 => report.refused += 1,
            _ => {}
        }
    }

    fn look(&self, client: &mut Client, cookie: &str) {
        if let Some(answer) = self.ask(client, "GET /page", cookie) {
            match answer.status {
                200 => self.report().served += 1,
                401 => self.report().refused_living += 1,
                _ => {}
            }
        }
        thread::sleep(PAUSE);
    }

    fn log_in(&self) -> Option<String> {
        let user = self.users.fetch_add(1, Ordering::Relaxed);
        self.insist(&format!("POST /login/{user}"), "")?.cookie
    }

    /// Asks one server after the other until one consents; `None` at the end of the traffic.
    fn insist(&self, request: &str, cookie: &str) -> Option<Answer> {
        while !self.is_over() {
            if self.is_quiet.load(Ordering::SeqCst) && request == LOGOUT {
                thread::sleep(PAUSE);
                continue;
            }
            let turn = self.turn.fetch_add(1, Ordering::Relaxed);
            let mut client =
                Client::new(self.servers[turn % self.servers.len()]).patience(PATIENCE);
            let answer = self.ask(&mut client, request, cookie);
            if let Some(answer) = answer.filter(|answer| answer.status == 200) {
                return Some(answer);
            }
            thread::sleep(PAUSE);
        }
        None
    }

    fn ask(&self, client: &mut Client, request: &str, cookie: &str) -> Option<Answer> {
        let answer = client.ask(request, cookie);
        let mut report = self.report();
        match &answer {
            Err(_) => report.unanswered += 1,
            Ok(answer) => match answer.status {
                503 => report.unavailable += 1,
                200 | 401 => {}
                status => report.faults.push(format!("{request} answered {status}")),
            },
        }
        answer.ok()
    }
}
