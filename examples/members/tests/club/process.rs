//! The club as a process of its own, as `cargo run -p members` starts it.

use std::fmt::Write as _;
use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

/// A key that no real application uses.
const KEY: &str = "UtbQhEZs0fCdXkjOHk7GKl1C5s3u9nPnQxqkiF2xW9E=";

/// Dropping the value kills the process.
pub(crate) struct Process {
    child: Child,
    address: SocketAddr,
}

impl Process {
    /// Starts the club with its database in a folder, and its logins at a URL.
    pub(crate) fn start(folder: &Path, logins: &str) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = listener.local_addr().unwrap();
        drop(listener);
        let database = folder.join("members.sqlite3");
        let child = Command::new(env!("CARGO_BIN_EXE_members"))
            .env("ROCKET_PORT", address.port().to_string())
            .env("ROCKET_LOG_LEVEL", "critical")
            .env("ROCKET_SECRET_KEY", KEY)
            .env(
                "ROCKET_MEMBERS",
                format!("{{database=\"{}\"}}", database.display()),
            )
            .env("ROCKET_LOGIN", format!("{{store={{url=\"{logins}\"}}}}"))
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let mut process = Process { child, address };
        while TcpStream::connect(address).is_err() {
            assert_eq!(
                process.child.try_wait().unwrap(),
                None,
                "the club does not start"
            );
            thread::sleep(Duration::from_millis(20));
        }
        process
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Sends a request with a cookie, and returns the answer.
    pub(crate) fn ask(&self, request: &str, cookie: &str, form: &str) -> String {
        let mut text = format!("{request} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n");
        let length = form.len();
        write!(
            text,
            "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {length}\r\n\
             Cookie: {cookie}\r\n\r\n{form}"
        )
        .unwrap();
        let mut stream = TcpStream::connect(self.address).unwrap();
        stream.write_all(text.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }

    /// Registers a member, and returns the cookie of the login.
    pub(crate) fn register(&self, email: &str) -> String {
        let form = format!("name=Mia&email={email}&password=correct+horse");
        let answer = self.ask("POST /register", "", &form);
        let cookies = answer
            .lines()
            .filter_map(|line| line.strip_prefix("set-cookie: "));
        let mut logins = cookies.filter(|cookie| cookie.starts_with("login_session="));
        let cookie = logins.next().unwrap_or_else(|| panic!("{answer}"));
        cookie.split(';').next().unwrap().to_owned()
    }

    pub(crate) fn is_logged_in(&self, cookie: &str) -> bool {
        let answer = self.ask("GET /dashboard", cookie, "");
        let is_page = answer.starts_with("HTTP/1.1 200");
        assert!(is_page || answer.starts_with("HTTP/1.1 303"), "{answer}");
        is_page
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
