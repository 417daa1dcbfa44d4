//! The example on real sockets. The streams end, and so do the reads of these tests.

#![allow(clippy::unwrap_used, reason = "a test")]

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::sync::mpsc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use rocket::fairing::AdHoc;
use rocket_login::testing::store::{Fault, MemoryLog};

use super::*;

/// A server on its own port. Dropping the value stops the server.
struct Server {
    address: SocketAddr,
    shutdown: Shutdown,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    fn start(manager: LoginManager<User>) -> Self {
        let (sender, receiver) = mpsc::channel();
        let figment = rocket::Config::figment()
            .merge(("port", 0))
            .merge(("log_level", "off"))
            .merge(("shutdown.ctrlc", false))
            .merge(("shutdown.grace", 0))
            .merge(("shutdown.mercy", 0))
            .merge((
                "login.secret_key",
                "UtbQhEZs0fCdXkjOHk7GKl1C5s3u9nPnQxqkiF2xW9E=",
            ))
            .merge(("login.store.stale_wait", "200ms"));
        let report = AdHoc::on_liftoff("Report the port", move |rocket| {
            let address = SocketAddr::new(rocket.config().address, rocket.config().port);
            let _ = sender.send((address, rocket.shutdown()));
            Box::pin(async {})
        });
        let rocket = build(manager).configure(figment).attach(report);
        let thread = thread::spawn(move || {
            rocket::execute(rocket.launch()).unwrap();
        });
        let (address, shutdown) = receiver.recv_timeout(Duration::from_secs(30)).unwrap();
        Self {
            address,
            shutdown,
            thread: Some(thread),
        }
    }

    fn alone() -> Self {
        Self::start(LoginManager::new(load_user))
    }

    fn on(log: &MemoryLog) -> Self {
        let log = log.clone();
        let open = LoginManager::new(load_user).revocation_store(|_| Box::pin(async { Ok(log) }));
        Self::start(open)
    }

    /// Sends a request on a connection of its own, and leaves the response to the caller.
    fn open(&self, request: &str, headers: &[&str], body: &str) -> TcpStream {
        let mut stream = TcpStream::connect(self.address).unwrap();
        stream
            .set_read_timeout(Some(Duration::from_secs(20)))
            .unwrap();
        let start = format!("{request} HTTP/1.1");
        let length = format!("Content-Length: {}", body.len());
        let form = "Content-Type: application/x-www-form-urlencoded";
        let lines = [
            &[&*start, "Host: localhost", form, &length],
            headers,
            &["", body],
        ]
        .concat();
        stream.write_all(lines.join("\r\n").as_bytes()).unwrap();
        stream
    }

    fn ask(&self, request: &str, headers: &[&str], body: &str) -> String {
        let mut stream = self.open(request, &[headers, &["Connection: close"]].concat(), body);
        read(&mut stream, |reply| reply.contains("\r\n\r\n"))
    }

    /// Logs in, and returns the header line of the cookie.
    fn log_in(&self) -> String {
        let reply = self.ask("POST /login", &[], "name=alice");
        let (_, cookie) = reply.split_once("login_session=").unwrap();
        let (value, _) = cookie.split_once(';').unwrap();
        format!("Cookie: login_session={value}")
    }

    fn log_out(&self, cookie: &str) {
        let reply = self.ask("POST /logout", &[cookie], "");
        assert!(reply.starts_with("HTTP/1.1 303"), "{reply}");
    }

    fn events(&self, cookie: &str) -> TcpStream {
        let mut stream = self.open("GET /events", &[cookie], "");
        // Up to the first heartbeat; the next one comes 30 seconds later.
        let reply = read(&mut stream, |reply| reply.ends_with("2\r\n:\n\r\n"));
        assert!(reply.starts_with("HTTP/1.1 200"), "{reply}");
        stream
    }

    fn shake(&self, headers: &[&str]) -> (TcpStream, String) {
        let mut stream = self.open("GET /socket", &[&HANDSHAKE, headers].concat(), "");
        let reply = read(&mut stream, |reply| reply.contains("\r\n\r\n"));
        (stream, reply)
    }

    fn socket(&self, cookie: &str) -> TcpStream {
        let (stream, reply) = self.shake(&[cookie, "Sec-Fetch-Site: same-origin"]);
        assert!(reply.starts_with("HTTP/1.1 101"), "{reply}");
        stream
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.shutdown.clone().notify();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

const HANDSHAKE: [&str; 4] = [
    "Upgrade: websocket",
    "Connection: Upgrade",
    "Sec-WebSocket-Version: 13",
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
];

/// A close frame with the code 1008 and this reason.
const LOGGED_OUT: &str = "\u{3}\u{fffd}logged out";

/// Reads until there is enough, or until the server closes the connection.
fn read(stream: &mut TcpStream, is_enough: impl Fn(&str) -> bool) -> String {
    let (mut bytes, mut buffer) = (Vec::new(), [0; 1024]);
    loop {
        let text = String::from_utf8_lossy(&bytes);
        if is_enough(&text) {
            return text.into_owned();
        }
        match stream.read(&mut buffer).expect("an end within 20 seconds") {
            0 => return String::from_utf8_lossy(&bytes).into_owned(),
            count => bytes.extend(&buffer[..count]),
        }
    }
}

/// Reads to the end of a chunked response or of a WebSocket, which must come within a second, and returns what came.
fn end_of(stream: &mut TcpStream) -> String {
    let began = Instant::now();
    let rest = read(stream, |text| {
        text.ends_with("0\r\n\r\n") || text.ends_with(LOGGED_OUT)
    });
    assert!(
        began.elapsed() < Duration::from_secs(1),
        "{:?}",
        began.elapsed()
    );
    rest
}

/// Reads for longer than the staleness bound, during which nothing may come.
fn assert_goes_on(stream: &mut TcpStream) {
    stream
        .set_read_timeout(Some(Duration::from_millis(1_500)))
        .unwrap();
    let mut buffer = [0; 1024];
    if let Ok(count) = stream.read(&mut buffer) {
        panic!("it ended: {:?}", String::from_utf8_lossy(&buffer[..count]));
    }
    stream
        .set_read_timeout(Some(Duration::from_secs(20)))
        .unwrap();
}

/// A text frame, masked as a client's must be, by a mask of zeros.
fn text_frame(text: &str) -> Vec<u8> {
    let length = u8::try_from(text.len()).unwrap();
    [&[0x81, 0x80 | length, 0, 0, 0, 0], text.as_bytes()].concat()
}

#[test]
fn what_is_said_on_a_socket_is_heard_as_an_event() {
    let server = Server::alone();
    let cookie = server.log_in();
    let (mut events, mut socket) = (server.events(&cookie), server.socket(&cookie));
    socket.write_all(&text_frame("hello")).unwrap();
    let heard = read(&mut events, |text| text.contains("hello"));
    assert!(heard.contains("data:alice: hello"), "{heard}");
}

#[test]
fn events_and_sockets_end_with_the_logout_on_another_connection() {
    let server = Server::alone();
    let (mine, other) = (server.log_in(), server.log_in());
    let (mut events, mut socket) = (server.events(&mine), server.socket(&mine));
    let mut others = server.events(&other);
    server.log_out(&mine);
    assert!(end_of(&mut events).ends_with("0\r\n\r\n"));
    assert!(end_of(&mut socket).ends_with(LOGGED_OUT));
    assert_goes_on(&mut others);
    let again = server.ask("GET /events", &[&mine, "Accept: text/event-stream"], "");
    assert!(again.starts_with("HTTP/1.1 401"), "{again}");
}

#[test]
fn events_and_sockets_end_with_the_logout_on_another_server() {
    let log = MemoryLog::new();
    let [one, two] = [&log, &log].map(Server::on);
    let cookie = one.log_in();
    let (mut events, mut socket) = (one.events(&cookie), one.socket(&cookie));
    two.log_out(&cookie);
    assert!(end_of(&mut events).ends_with("0\r\n\r\n"));
    assert!(end_of(&mut socket).ends_with(LOGGED_OUT));
}

#[test]
fn events_and_sockets_end_when_nobody_can_know_who_has_logged_out() {
    let log = MemoryLog::new();
    let server = Server::on(&log);
    let cookie = server.log_in();
    let (mut events, mut socket) = (server.events(&cookie), server.socket(&cookie));
    assert_goes_on(&mut events);
    log.set_fault(Fault::Down);
    read(&mut events, |text| text.ends_with("0\r\n\r\n"));
    assert!(end_of(&mut socket).ends_with(LOGGED_OUT));
}

#[test]
fn a_page_of_another_site_opens_no_socket() {
    let server = Server::alone();
    let cookie = server.log_in();
    for foreign in [
        &["Sec-Fetch-Site: cross-site", "Origin: https://evil.example"][..],
        &[
            "Sec-Fetch-Site: same-site",
            "Origin: https://sibling.localhost",
        ],
        &["Origin: https://evil.example"],
        &["Origin: null"],
    ] {
        let (_, reply) = server.shake(&[&[cookie.as_str()], foreign].concat());
        assert!(reply.starts_with("HTTP/1.1 403"), "{foreign:?}: {reply}");
    }
    server.socket(&cookie);
}
