//! A PostgreSQL server.

use std::fs;
use std::net::TcpStream;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::process::{self, Folder, Process, free_port, give_to};
use crate::program;

/// The user that runs the server where the test runs as root, since PostgreSQL refuses to.
const USER: &str = "nobody";

/// A PostgreSQL server of its own. Dropping the value stops it.
#[derive(Debug)]
pub struct Postgres {
    process: Option<Process>,
    folder: Folder,
    port: u16,
    programs: PathBuf,
    options: Vec<String>,
}

impl Postgres {
    /// Starts a server; `options` are settings such as `max_connections=10`.
    ///
    /// # Panics
    ///
    /// If the server does not start.
    #[must_use]
    pub fn start(options: &[&str]) -> Option<Self> {
        Self::start_in(Folder::new(), options)
    }

    /// Starts a server with its data in a folder.
    ///
    /// # Panics
    ///
    /// If the server does not start.
    #[must_use]
    pub fn start_in(folder: Folder, options: &[&str]) -> Option<Self> {
        let mut postgres = Self::prepare(folder, options)?;
        let data = postgres.data();
        let arguments = [
            "--pgdata",
            &data,
            "--username",
            "postgres",
            "--auth",
            "trust",
        ];
        // Small files, for a small disk.
        let more = ["--no-sync", "--wal-segsize=1"];
        postgres.run_program("initdb", &[&arguments[..], &more].concat());
        postgres.restart();
        Some(postgres)
    }

    /// Starts a replica of this server.
    ///
    /// # Panics
    ///
    /// If it does not start.
    #[must_use]
    pub fn replica(&self) -> Option<Self> {
        let mut replica = Self::prepare(Folder::new(), &[])?;
        let (data, port) = (replica.data(), self.port.to_string());
        let from = [
            "-h",
            "127.0.0.1",
            "-p",
            &port,
            "-U",
            "postgres",
            "-D",
            &data,
        ];
        replica.run_program(
            "pg_basebackup",
            &[&from[..], &["-R", "-c", "fast"]].concat(),
        );
        replica.restart();
        Some(replica)
    }

    fn prepare(folder: Folder, options: &[&str]) -> Option<Self> {
        let initdb = program("initdb", "postgresql", &debian_folders())?;
        // A link to it can stand anywhere, without the other programs.
        let initdb = fs::canonicalize(initdb).unwrap();
        if is_root() {
            give_to(folder.path(), user_id());
        }
        Some(Postgres {
            process: None,
            folder,
            port: free_port(),
            programs: initdb.parent()?.to_owned(),
            options: options.iter().map(ToString::to_string).collect(),
        })
    }

    fn run_program(&self, program: &str, arguments: &[&str]) {
        let command = self.command(program, arguments);
        let output = Command::new(&command[0])
            .args(&command[1..])
            .output()
            .unwrap();
        assert!(output.status.success(), "{program}: {output:?}");
    }

    /// Creates an empty database, and returns its URL.
    ///
    /// # Panics
    ///
    /// If it cannot be created.
    #[must_use]
    pub fn database(&self) -> String {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("test_{number}");
        self.run("postgres", &format!("CREATE DATABASE {name}"));
        format!("postgres://postgres@127.0.0.1:{}/{name}", self.port)
    }

    /// Returns what `psql` prints for a statement.
    ///
    /// # Panics
    ///
    /// If the statement fails.
    #[allow(
        clippy::must_use_candidate,
        reason = "many statements have nothing to say"
    )]
    pub fn run(&self, database: &str, sql: &str) -> String {
        let output = Command::new(self.programs.join("psql"))
            .args(["-XqAt", "-h", "127.0.0.1", "-p", &self.port.to_string()])
            .args([
                "-U",
                "postgres",
                "-v",
                "ON_ERROR_STOP=1",
                "-c",
                sql,
                database,
            ])
            .stderr(Stdio::inherit())
            .output()
            .unwrap();
        assert!(output.status.success(), "{sql}");
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    /// Returns the port of the server.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Requires this password of a new user `app`, and returns the host and port.
    ///
    /// # Panics
    ///
    /// If the user exists.
    #[must_use]
    pub fn user_with_password(&self, password: &str) -> String {
        self.run(
            "postgres",
            &format!("CREATE USER app PASSWORD '{password}'"),
        );
        let file = Path::new(&self.data()).join("pg_hba.conf");
        let rules = fs::read_to_string(&file).unwrap();
        fs::write(
            &file,
            format!("host all app 127.0.0.1/32 scram-sha-256\n{rules}"),
        )
        .unwrap();
        self.run("postgres", "SELECT pg_reload_conf()");
        format!("127.0.0.1:{}", self.port)
    }

    /// Ends the server at once, as a crash does.
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
        let (data, port) = (self.data(), self.port.to_string());
        // The lock of a server that was killed.
        let _ = fs::remove_file(Path::new(&data).join("postmaster.pid"));
        let mut settings = vec!["listen_addresses=127.0.0.1", "unix_socket_directories="];
        settings.extend(self.options.iter().map(String::as_str));
        let mut arguments = vec!["-D", &data, "-p", &port];
        arguments.extend(settings.into_iter().flat_map(|setting| ["-c", setting]));
        let command = self.command("postgres", &arguments);
        let process = Process::start(&self.folder, "QUIT", &command);
        process::wait(&self.folder, || self.is_ready());
        self.process = Some(process);
    }

    /// Stops all processes of the server without closing their sockets, as `kill -STOP` does.
    pub fn freeze(&self) {
        if let Some(process) = &self.process {
            process.signal("STOP");
        }
    }

    /// Lets the processes continue.
    pub fn thaw(&self) {
        if let Some(process) = &self.process {
            process.signal("CONT");
        }
    }

    /// Returns the folder of the server, which has its data in `data`.
    #[must_use]
    pub fn folder(&self) -> &Folder {
        &self.folder
    }

    fn data(&self) -> String {
        self.folder.path().join("data").display().to_string()
    }

    fn is_ready(&self) -> bool {
        let port = self.port.to_string();
        TcpStream::connect(("127.0.0.1", self.port)).is_ok()
            && Command::new(self.programs.join("pg_isready"))
                .args(["-q", "-h", "127.0.0.1", "-p", &port])
                .status()
                .is_ok_and(|status| status.success())
    }

    /// The command line of one of the server's programs, for a user that is not root.
    fn command(&self, program: &str, arguments: &[&str]) -> Vec<String> {
        let program = self.programs.join(program).display().to_string();
        let as_user = ["setpriv", "--reuid", USER, "--clear-groups"];
        let prefix = if is_root() { &as_user[..] } else { &[] };
        [prefix, &[&program], arguments]
            .concat()
            .into_iter()
            .map(str::to_owned)
            .collect()
    }
}

/// Debian keeps the programs of the server outside of `PATH`; the newest come first.
fn debian_folders() -> Vec<PathBuf> {
    let versions = fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten();
    let mut folders: Vec<_> = versions.map(|version| version.path().join("bin")).collect();
    folders.sort();
    folders.reverse();
    folders
}

pub(crate) fn is_root() -> bool {
    fs::metadata("/proc/self").is_ok_and(|own| own.uid() == 0)
}

pub(crate) fn user_id() -> u32 {
    let output = Command::new("id").args(["-u", USER]).output().unwrap();
    String::from_utf8(output.stdout)
        .unwrap()
        .trim()
        .parse()
        .unwrap()
}
