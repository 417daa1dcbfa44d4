//! Users who log in, look at pages, log out, and show old cookies again, at all servers at once.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crate::client::Client;

/// From when on a logout must be honored everywhere.
const BOUND: Duration = Duration::from_secs(1);

/// The load. It runs until [`stop`](Self::stop).
#[derive(Debug)]
pub(crate) struct Load {
    shared: Arc<Shared>,
    threads: Vec<JoinHandle<()>>,
}

#[derive(Debug)]
struct Shared {
    servers: Vec<SocketAddr>,
    is_over: AtomicBool,
    report: Mutex<Report>,
    users: AtomicU64,
}

/// What the users have seen.
#[derive(Debug, Default)]
pub(crate) struct Report {
    /// How often each status came; 0 is no answer.
    pub(crate) statuses: BTreeMap<u16, u64>,
    pub(crate) logouts: u64,
    /// Requests with a dead cookie that were served later than the bound.
    pub(crate) served_dead: Vec<Duration>,
    /// Logins that nobody has ended, and that were refused as ended.
    pub(crate) lost: u64,
}

impl Load {
    pub(crate) fn start(servers: Vec<SocketAddr>, users: usize) -> Self {
        let shared = Arc::new(Shared {
            servers,
            is_over: AtomicBool::new(false),
            report: Mutex::default(),
            users: AtomicU64::new(0),
        });
        let threads = (0..users).map(|_| {
            let shared = Arc::clone(&shared);
            thread::spawn(move || shared.behave())
        });
        Load {
            threads: threads.collect(),
            shared,
        }
    }

    pub(crate) fn stop(self) -> Report {
        self.shared.is_over.store(true, Ordering::Relaxed);
        for thread in self.threads {
            thread.join().unwrap();
        }
        std::mem::take(&mut self.shared.report.lock().unwrap())
    }
}

/// A cookie whose logout was confirmed.
struct Dead {
    cookie: String,
    at: Instant,
}

impl Shared {
    fn behave(&self) {
        let clients = self.servers.iter().map(|address| Client::new(*address));
        let mut clients: Vec<_> = clients.collect();
        let mut dead: Vec<Dead> = Vec::new();
        let mut living: Vec<String> = Vec::new();
        let mut step: usize = 0;
        while !self.is_over.load(Ordering::Relaxed) {
            step += 1;
            let count = clients.len();
            let client = &mut clients[step % count];
            match step % 8 {
                0 if living.len() < 5 => {
                    let user = self.users.fetch_add(1, Ordering::Relaxed);
                    let answer = self.ask(client, &format!("POST /login?user=u{user}"), "");
                    living.extend(answer.and_then(|(_, cookie)| cookie));
                }
                0 => {
                    // After a failure nobody knows whether it has ended, so it is never shown again.
                    let cookie = living.remove(0);
                    if let Some((200, _)) = self.ask(client, "POST /logout", &cookie) {
                        let at = Instant::now();
                        self.report.lock().unwrap().logouts += 1;
                        dead.push(Dead { cookie, at });
                    }
                }
                1..4 if !living.is_empty() => {
                    let cookie = &living[step / 8 % living.len()];
                    if let Some((303 | 401, _)) = self.ask(client, "GET /page", cookie) {
                        self.report.lock().unwrap().lost += 1;
                        let cookie = cookie.clone();
                        living.retain(|living| *living != cookie);
                    }
                }
                _ if !dead.is_empty() => {
                    // The newest ones, and any older one.
                    let back = if step % 8 == 4 {
                        step / 8 % dead.len()
                    } else {
                        step % 3
                    };
                    let Some(Dead { cookie, at }) = dead.iter().rev().nth(back) else {
                        continue;
                    };
                    let start = Instant::now();
                    let answer = self.ask(client, "GET /page", cookie);
                    if let Some((200, _)) = answer
                        && start > *at + BOUND
                    {
                        self.report.lock().unwrap().served_dead.push(start - *at);
                    }
                }
                _ => {}
            }
        }
    }

    fn ask(
        &self,
        client: &mut Client,
        request: &str,
        cookie: &str,
    ) -> Option<(u16, Option<String>)> {
        let answer = client.ask(request, cookie);
        let status = answer.as_ref().map_or(0, |answer| answer.status);
        *self
            .report
            .lock()
            .unwrap()
            .statuses
            .entry(status)
            .or_default() += 1;
        if status == 0 || status == 503 {
            thread::sleep(Duration::from_millis(10));
        }
        answer.ok().map(|answer| (answer.status, answer.cookie))
    }
}
