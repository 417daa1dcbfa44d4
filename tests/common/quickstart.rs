//! `examples/quickstart.rs` as a process.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::sync::mpsc::{self, Receiver};
use std::time::{Duration, SystemTime};
use std::{env, fs};

/// The running example. Dropping the value stops it.
pub struct Quickstart {
    pub port: u16,
    process: Child,
    printed: Mutex<Receiver<String>>,
}

impl Quickstart {
    /// Starts the example in the debug profile on a free port, always with the same secret.
    pub fn start() -> Self {
        let mut process = command()
            .env("ROCKET_PORT", "0")
            .env("ROCKET_CLI_COLORS", "false")
            .env(
                "ROCKET_SECRET_KEY",
                "UtbQhEZs0fCdXkjOHk7GKl1C5s3u9nPnQxqkiF2xW9E=",
            )
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let port = lines.by_ref().map_while(Result::ok).find_map(|line| {
            let (_, port) = line.split_once("launched from http://127.0.0.1:")?;
            port.parse().ok()
        });
        // Without a reader, the example would stop once the pipe is full.
        let (sender, printed) = mpsc::channel();
        std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                let _ = sender.send(line);
            }
        });
        Quickstart {
            port: port.expect("the example launches"),
            process,
            printed: Mutex::new(printed),
        }
    }

    /// Waits for the next line that the example prints after Rocket's last line of the launch.
    #[allow(dead_code, reason = "not every test target reads them")]
    pub fn next_line(&self) -> String {
        let printed = self.printed.lock().unwrap();
        let line = printed.recv_timeout(Duration::from_secs(10));
        line.expect("the example prints another line")
    }

    /// Sends a request with these header lines, each of which ends with `\r\n`.
    pub fn send(&self, method: &str, path: &str, headers: &str, body: &str) -> String {
        let request = format!(
            "{method} {path} HTTP/1.1\r\nHost: 127.0.0.1:{}\r\nConnection: close\r\n{headers}\
             Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{body}",
            self.port,
            body.len()
        );
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        let mut response = String::new();
        stream.read_to_string(&mut response).unwrap();
        response
    }
}

impl Drop for Quickstart {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The command that runs the example with no environment variables.
pub fn command() -> Command {
    let mut beside = env::current_exe().unwrap();
    beside.pop();
    let program = beside
        .with_file_name("examples")
        .join(format!("quickstart{}", env::consts::EXE_SUFFIX));
    let source = source();
    // `cargo test --workspace` builds the example; a run of one test target does not.
    if changed(&program) < changed(&source) {
        let built_into = beside.parent().unwrap();
        let profile = match built_into.file_name().and_then(|name| name.to_str()) {
            Some("debug") | None => "dev",
            Some(profile) => profile,
        };
        let built = Command::new(env!("CARGO"))
            .args(["build", "--quiet", "--package", "rocket-login"])
            .args(["--example", "quickstart", "--profile", profile])
            .arg("--target-dir")
            .arg(built_into.parent().unwrap())
            .current_dir(source.parent().unwrap())
            .status();
        assert!(built.unwrap().success());
    }
    let mut command = Command::new(program);
    // Away from the `Rocket.toml` of other packages.
    command.env_clear().current_dir(source.parent().unwrap());
    command
}

/// The source of the example, which another package's tests find as well.
fn source() -> PathBuf {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut folders = package.ancestors();
    let found = folders.find_map(|folder| {
        let file = folder.join("examples/quickstart.rs");
        file.exists().then_some(file)
    });
    found.expect("examples/quickstart.rs exists")
}

/// When a file was changed last; `None`, which is before all times, if there is no such file.
fn changed(file: &Path) -> Option<SystemTime> {
    fs::metadata(file).ok()?.modified().ok()
}
