//! A logout holds after a restart: the club as a process, as `cargo run -p members` starts it.

mod club;

use std::fmt::Write as _;
use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

/// A key that no real application uses.
const KEY: &str = "UtbQhEZs0fCdXkjOHk7GKl1C5s3u9nPnQxqkiF2xW9E=";

/// The club in a process of its own. Dropping the value kills it.
struct Process {
    child: Child,
    address: SocketAddr,
}

impl Process {
    fn start(folder: &Path) -> Self {
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

    /// Sends a request with a cookie, and returns the answer.
    fn ask(&self, request: &str, cookie: &str, form: &str) -> String {
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
    fn register(&self, email: &str) -> String {
        let form = format!("name=Mia&email={email}&password=correct+horse");
        let answer = self.ask("POST /register", "", &form);
        let cookies = answer
            .lines()
            .filter_map(|line| line.strip_prefix("set-cookie: "));
        let mut logins = cookies.filter(|cookie| cookie.starts_with("login_session="));
        let cookie = logins.next().unwrap_or_else(|| panic!("{answer}"));
        cookie.split(';').next().unwrap().to_owned()
    }

    fn is_logged_in(&self, cookie: &str) -> bool {
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

#[test]
fn a_logout_holds_after_a_restart() {
    let folder = club::folder();
    let club = Process::start(&folder);
    let [gone, kept] = ["gone@example.org", "kept@example.org"].map(|mail| club.register(mail));
    assert!(club.is_logged_in(&gone) && club.is_logged_in(&kept));
    let answer = club.ask("POST /logout", &gone, "");
    assert!(answer.starts_with("HTTP/1.1 303"), "{answer}");
    for _ in 0..2 {
        assert!(!club.is_logged_in(&gone) && club.is_logged_in(&kept));
    }
    drop(club);

    let club = Process::start(&folder);
    assert!(!club.is_logged_in(&gone) && club.is_logged_in(&kept));
}
