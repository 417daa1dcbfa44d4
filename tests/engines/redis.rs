//! A Redis server.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use crate::process::{self, Folder, Process, free_port};
use crate::program;

/// A Redis server of its own. Dropping the value stops it.
#[derive(Debug)]
pub struct Redis {
    process: Option<Process>,
    folder: Folder,
    port: u16,
    server: PathBuf,
    options: Vec<String>,
}

impl Redis {
    /// Starts a server that keeps every entry it has confirmed; `options` are arguments of `redis-server` and win.
    ///
    /// # Panics
    ///
    /// If the server does not start.
    #[must_use]
    pub fn start(options: &[&str]) -> Option<Self> {
        Self::start_in(Folder::new(), options)
    }

    /// Starts a server with its files in a folder.
    ///
    /// # Panics
    ///
    /// If the server does not start.
    #[must_use]
    pub fn start_in(folder: Folder, options: &[&str]) -> Option<Self> {
        let mut redis = Redis {
            process: None,
            server: program("redis-server", "redis-server", &[])?,
            folder,
            port: free_port(),
            options: options.iter().map(ToString::to_string).collect(),
        };
        redis.restart();
        Some(redis)
    }

    /// Returns the URL of the server.
    #[must_use]
    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}/", self.port)
    }

    /// Returns the port of the server.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Returns what `redis-cli` prints for a command.
    ///
    /// # Panics
    ///
    /// If `redis-cli` cannot be run.
    #[allow(
        clippy::must_use_candidate,
        reason = "many commands have nothing to say"
    )]
    pub fn ask(&self, command: &[&str]) -> String {
        let output = Command::new("redis-cli")
            .args(["-p", &self.port.to_string()])
            .args(command)
            .stderr(Stdio::null())
            .output()
            .unwrap();
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    /// Ends the server at once, as `kill -9` does.
    pub fn kill(&mut self) {
        if let Some(process) = self.process.take() {
            process.signal("KILL");
        }
    }

    /// Starts the server again, with what is in its folder.
    ///
    /// # Panics
    ///
    /// If it does not start.
    pub fn restart(&mut self) {
        self.kill();
        let text = |text: &str| text.to_owned();
        let mut command = vec![
            self.server.display().to_string(),
            text("--port"),
            self.port.to_string(),
            text("--bind"),
            text("127.0.0.1"),
            text("--dir"),
            self.folder.path().display().to_string(),
        ];
        let durable = "--save '' --appendonly yes --appendfsync always";
        command.extend(durable.split(' ').map(|part| part.replace('\'', "")));
        command.extend(self.options.iter().cloned());
        let process = Process::start(&self.folder, "KILL", &command);
        process::wait(&self.folder, || {
            matches!(
                self.ask(&["ping"]).as_str(),
                "PONG" | "NOAUTH Authentication required."
            )
        });
        self.process = Some(process);
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

    /// Returns the folder of the server, for a test that damages its files.
    #[must_use]
    pub fn folder(&self) -> &Folder {
        &self.folder
    }
}
