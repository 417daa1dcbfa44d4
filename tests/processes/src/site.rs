//! Server processes that share a store.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use std::{fs, thread};

use login_engines::{Folder, Process, free_port};

use crate::client::{Client, SLOW};

/// A key that no real application uses.
const KEY: &str = "UtbQhEZs0fCdXkjOHk7GKl1C5s3u9nPnQxqkiF2xW9E=";

/// How many requests a server works on at once.
pub const WORKERS: usize = 4;

/// The settings of a server.
pub fn settings(address: SocketAddr, store: &str) -> Vec<(&'static str, String)> {
    vec![
        // In the release profile a browser must use TLS.
        ("ROCKET_PROFILE", "debug".to_owned()),
        ("ROCKET_PORT", address.port().to_string()),
        ("ROCKET_WORKERS", WORKERS.to_string()),
        ("ROCKET_KEEP_ALIVE", "60".to_owned()),
        ("ROCKET_LOG_LEVEL", "critical".to_owned()),
        ("ROCKET_CLI_COLORS", "false".to_owned()),
        ("ROCKET_SECRET_KEY", KEY.to_owned()),
        ("ROCKET_LOGIN", format!("{{store={{url={store:?}}}}}")),
    ]
}

/// Several servers.
#[derive(Debug)]
pub struct Site {
    /// The servers.
    pub servers: Vec<Server>,
}

/// One server process. Dropping the value ends it, and prints what it has logged if the test fails.
#[derive(Debug)]
pub struct Server {
    /// Where it listens.
    pub address: SocketAddr,
    store: String,
    program: PathBuf,
    /// More variables of its environment.
    environment: Vec<(&'static str, String)>,
    folder: Folder,
    process: Option<Process>,
}

impl Site {
    /// Starts a server for each URL of the store, all at once, and waits until they listen.
    pub fn start(program: &Path, stores: &[String]) -> Self {
        let server = |store: &String| Server {
            address: ([127, 0, 0, 1], free_port()).into(),
            store: store.clone(),
            program: program.to_owned(),
            environment: Vec::new(),
            folder: Folder::new(),
            process: None,
        };
        let mut servers: Vec<_> = stores.iter().map(server).collect();
        servers.iter_mut().for_each(Server::spawn);
        servers.iter().for_each(Server::wait);
        Site { servers }
    }

    /// Returns where the servers listen.
    pub fn addresses(&self) -> Vec<SocketAddr> {
        self.servers.iter().map(|server| server.address).collect()
    }

    /// Connects to a server.
    pub fn client(&self, server: usize) -> Client {
        Client::new(self.servers[server].address)
    }

    /// Connects to each server.
    pub fn clients(&self) -> Vec<Client> {
        self.addresses().into_iter().map(Client::new).collect()
    }

    /// Logs a user in, and returns the cookie.
    pub fn login(&self, server: usize, user: u64) -> String {
        let answer = self
            .client(server)
            .insist(&format!("POST /login/{user}"), "");
        answer.cookie.expect("a cookie")
    }

    /// Waits until each server takes logins and is healthy, and returns how long that took.
    pub fn recover(&self) -> Duration {
        let start = Instant::now();
        for server in 0..self.servers.len() {
            self.login(server, 0);
            self.client(server).insist("GET /health", "");
        }
        start.elapsed()
    }

    /// Waits until a page has these statuses at the servers, and returns how long the last look took. Meanwhile no dead
    /// login may be served, and no living one refused.
    pub fn expect(&self, cookie: &str, statuses: &[u16]) -> Duration {
        let start = Instant::now();
        loop {
            let look = Instant::now();
            let found = self.pages(cookie);
            if found == statuses {
                return look.elapsed();
            }
            for pair in found.iter().zip(statuses) {
                let is_wrong = matches!(pair, (200, 401) | (401, 200));
                assert!(
                    !is_wrong && start.elapsed() < SLOW,
                    "{found:?}, not {statuses:?}"
                );
            }
            thread::sleep(Duration::from_millis(10));
        }
    }

    /// Asks all servers for a page at once.
    fn pages(&self, cookie: &str) -> Vec<u16> {
        thread::scope(|scope| {
            let clients = self.clients().into_iter();
            let ask = |mut client: Client| scope.spawn(move || client.status("GET /page", cookie));
            let threads: Vec<_> = clients.map(ask).collect();
            threads
                .into_iter()
                .map(|thread| thread.join().unwrap())
                .collect()
        })
    }

    /// Returns what the servers have logged.
    pub fn log(&self) -> String {
        self.servers.iter().map(Server::log).collect()
    }
}

impl Server {
    fn spawn(&mut self) {
        let settings = settings(self.address, &self.store);
        let variables = settings.iter().chain(&self.environment);
        let variables = variables.map(|(name, value)| format!("{name}={value}"));
        let program = self.program.display().to_string();
        let command = ["env".to_owned()]
            .into_iter()
            .chain(variables)
            .chain([program]);
        let command: Vec<_> = command.collect();
        self.process = Some(Process::start(&self.folder, "KILL", &command));
    }

    fn wait(&self) {
        let is_up = || Client::new(self.address).status("GET /health", "") == 200;
        login_engines::wait(&self.folder, is_up);
    }

    /// Ends the process at once, as `kill -9` does.
    pub fn kill(&mut self) {
        if let Some(process) = self.process.take() {
            process.signal("KILL");
        }
    }

    /// Starts the process again, at the same address.
    pub fn restart(&mut self) {
        self.kill();
        self.spawn();
        self.wait();
    }

    /// Starts the process again, with more variables of its environment.
    pub fn restart_in(&mut self, environment: Vec<(&'static str, String)>) {
        self.environment = environment;
        self.restart();
    }

    /// Stops the process without closing its sockets, as `kill -STOP` does.
    pub fn freeze(&self) {
        if let Some(process) = &self.process {
            process.signal("STOP");
        }
    }

    /// Lets the process continue.
    pub fn thaw(&self) {
        if let Some(process) = &self.process {
            process.signal("CONT");
        }
    }

    /// Returns what the process has logged, without what Rocket says of each request.
    pub fn log(&self) -> String {
        let log = fs::read_to_string(self.folder.path().join("output")).unwrap_or_default();
        let lines = log.lines().filter(|line| !line.starts_with("   >> "));
        lines.flat_map(|line| [line, "\n"]).collect()
    }

    /// Returns how much memory the process uses, in KiB.
    pub fn memory(&self) -> u64 {
        let id = self.process.as_ref().map_or("self", Process::id);
        let status = fs::read_to_string(format!("/proc/{id}/status")).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let number = line.and_then(|line| line.split_whitespace().next());
        number.and_then(|number| number.parse().ok()).unwrap_or(0)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if thread::panicking() {
            eprintln!("The log of the server at {}:\n{}", self.address, self.log());
        }
    }
}
