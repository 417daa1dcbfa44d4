//! Three server processes on one store.

use std::fs::{self, File};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use login_engines::Folder;

use crate::client::Client;

/// A key that no real application uses.
const KEY: &str = "UtbQhEZs0fCdXkjOHk7GKl1C5s3u9nPnQxqkiF2xW9E=";

/// The program of a server.
pub(crate) const SERVER: &str = env!("CARGO_BIN_EXE_login-process");

/// Its settings.
pub(crate) fn settings(address: SocketAddr, store: &str) -> [(&'static str, String); 5] {
    [
        ("ROCKET_PORT", address.port().to_string()),
        ("ROCKET_WORKERS", "2".to_owned()),
        ("ROCKET_LOG_LEVEL", "critical".to_owned()),
        ("ROCKET_SECRET_KEY", KEY.to_owned()),
        ("ROCKET_LOGIN", format!("{{store={{url={store:?}}}}}")),
    ]
}

/// One server process. Dropping the value kills it.
#[derive(Debug)]
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    store: String,
    log: PathBuf,
    /// More variables of its environment.
    environment: Vec<(&'static str, String)>,
    process: Child,
}

/// Servers that share a store.
#[derive(Debug)]
pub(crate) struct Site {
    pub(crate) servers: Vec<Server>,
    folder: Folder,
}

impl Site {
    /// Starts a server for each URL of the store, one after another as a deployment does.
    pub(crate) fn start(stores: &[String]) -> Self {
        let folder = Folder::new();
        let start = |(number, store): (usize, &String)| {
            let log = folder.path().join(format!("server{number}.log"));
            Server::start(free_address(), store.clone(), log, Vec::new())
        };
        let servers = stores.iter().enumerate().map(start).collect();
        Site { servers, folder }
    }

    pub(crate) fn addresses(&self) -> Vec<SocketAddr> {
        self.servers.iter().map(|server| server.address).collect()
    }

    /// What the servers have logged about their store.
    pub(crate) fn log(&self) -> String {
        let logs = self.servers.iter().map(|server| &server.log);
        let logs = logs.map(|log| fs::read_to_string(log).unwrap());
        let about_store = |log: String| {
            let lines = log.lines().filter(|line| line.contains("store"));
            lines.collect::<Vec<_>>().join("\n")
        };
        logs.map(about_store).collect()
    }

    pub(crate) fn folder(&self) -> &Folder {
        &self.folder
    }
}

impl Server {
    fn start(
        address: SocketAddr,
        store: String,
        log: PathBuf,
        environment: Vec<(&'static str, String)>,
    ) -> Self {
        let output = File::options()
            .create(true)
            .append(true)
            .open(&log)
            .unwrap();
        let process = Command::new(SERVER)
            .envs(settings(address, &store))
            .envs(environment.clone())
            .stdout(output.try_clone().unwrap())
            .stderr(output)
            .stdin(Stdio::null())
            .spawn()
            .unwrap();
        let mut server = Server {
            address,
            store,
            log,
            environment,
            process,
        };
        while TcpStream::connect(address).is_err() {
            let ended = server.process.try_wait().unwrap();
            let log = || fs::read_to_string(&server.log).unwrap();
            assert!(ended.is_none(), "a server does not start: {}", log());
            thread::sleep(Duration::from_millis(20));
        }
        server
    }

    /// Kills the process, and starts another one at the same address.
    pub(crate) fn restart(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
        let (store, log) = (self.store.clone(), self.log.clone());
        *self = Self::start(self.address, store, log, self.environment.clone());
    }

    /// Starts the process again, with a wrong clock.
    pub(crate) fn restart_in(&mut self, environment: Vec<(&'static str, String)>) {
        self.environment = environment;
        self.restart();
    }

    pub(crate) fn signal(&self, signal: &str) {
        let id = self.process.id().to_string();
        let _ = Command::new("kill").args([signal, &id]).status();
    }

    /// Waits until somebody can log in here.
    pub(crate) fn wait_for_logins(&self) {
        let start = Instant::now();
        let mut client = Client::new(self.address);
        loop {
            if let Ok(answer) = client.ask("POST /login?user=visitor", "")
                && answer.status == 200
            {
                return;
            }
            assert!(
                start.elapsed() < Duration::from_secs(30),
                "a server does not recover"
            );
            thread::sleep(Duration::from_millis(50));
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

pub(crate) fn free_address() -> SocketAddr {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    listener.local_addr().unwrap()
}
