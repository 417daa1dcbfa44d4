//! A real server on a real socket, and a client that can send any bytes.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::mpsc;
use std::time::Duration;

use rocket::fairing::AdHoc;
use rocket::{Build, Rocket, Shutdown};

use super::connection::Connection;
use super::witness;

/// A server on its own port. Dropping the value stops the server.
pub struct Server {
    pub address: SocketAddr,
    shutdown: Shutdown,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Server {
    pub fn start(rocket: Rocket<Build>) -> Self {
        let (sender, receiver) = mpsc::channel();
        let figment = rocket
            .figment()
            .clone()
            .merge(("port", 0))
            .merge(("address", "127.0.0.1"))
            .merge(("shutdown.ctrlc", false))
            .merge(("shutdown.grace", 0))
            .merge(("shutdown.mercy", 0));
        let rocket =
            rocket
                .configure(figment)
                .attach(AdHoc::on_liftoff("Send the port", move |rocket| {
                    Box::pin(async move {
                        let config = rocket.config();
                        let address = SocketAddr::new(config.address, config.port);
                        let _ = sender.send((address, rocket.shutdown()));
                    })
                }));
        let thread = std::thread::spawn(move || {
            let launched = rocket::execute(async { rocket.launch().await.map(drop) });
            if let Err(error) = launched {
                eprintln!("{error}");
            }
        });
        let (address, shutdown) = receiver
            .recv_timeout(Duration::from_secs(30))
            .expect("the server starts");
        Server {
            address,
            shutdown,
            thread: Some(thread),
        }
    }

    /// Sends raw bytes on a new connection, and reads until the server closes it.
    pub fn raw(&self, request: &[u8]) -> String {
        let mut stream = TcpStream::connect(self.address).unwrap();
        stream
            .set_read_timeout(Some(Duration::from_secs(10)))
            .unwrap();
        // The server may answer and close before it has read a request that is too large.
        let _ = stream.write_all(request);
        let mut reply = Vec::new();
        let _ = stream.read_to_end(&mut reply);
        let reply = String::from_utf8_lossy(&reply).into_owned();
        witness::saw(&reply);
        reply
    }

    /// A connection that is kept alive.
    pub fn connect(&self) -> Connection {
        Connection::to(self.address)
    }

    /// Sends a GET with these header lines, as bytes, and returns the whole response.
    pub fn get(&self, path: &str, headers: &[&[u8]]) -> String {
        self.raw(&get(path, &[headers, &[CLOSE]].concat()))
    }

    /// Sends a POST of a form with these header lines.
    pub fn post(&self, path: &str, headers: &[&[u8]], form: &str) -> String {
        self.raw(&post(path, &[headers, &[CLOSE]].concat(), form))
    }
}

const CLOSE: &[u8] = b"Connection: close";

/// The bytes of a GET with these header lines.
pub fn get(path: &str, headers: &[&[u8]]) -> Vec<u8> {
    let start = format!("GET {path} HTTP/1.1\r\nHost: localhost");
    let lines = [&[start.as_bytes()], headers, &[b"\r\n"]].concat();
    lines.join(&b"\r\n"[..])
}

/// The bytes of a POST of a form with these header lines.
pub fn post(path: &str, headers: &[&[u8]], form: &str) -> Vec<u8> {
    let start = format!(
        "POST {path} HTTP/1.1\r\nHost: localhost\r\n\
         Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}",
        form.len()
    );
    let end = format!("\r\n{form}");
    let lines = [&[start.as_bytes()], headers, &[end.as_bytes()]].concat();
    lines.join(&b"\r\n"[..])
}

impl Drop for Server {
    fn drop(&mut self) {
        self.shutdown.clone().notify();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// The status of a raw answer.
pub fn status(reply: &str) -> u16 {
    reply
        .split(' ')
        .nth(1)
        .and_then(|code| code.parse().ok())
        .unwrap_or(0)
}

/// The values of a header in a raw answer.
pub fn header<'a>(reply: &'a str, name: &str) -> Vec<&'a str> {
    let head = reply.split("\r\n\r\n").next().unwrap_or_default();
    head.lines()
        .skip(1)
        .filter_map(|line| line.split_once(": "))
        .filter(|(known, _)| known.eq_ignore_ascii_case(name))
        .map(|(_, value)| value)
        .collect()
}

/// The body of a raw answer.
pub fn body(reply: &str) -> &str {
    reply.split_once("\r\n\r\n").map_or("", |(_, body)| body)
}

/// The value of a cookie that a raw answer sets.
pub fn cookie(reply: &str, name: &str) -> Option<String> {
    header(reply, "set-cookie").into_iter().find_map(|cookie| {
        let (known, rest) = cookie.split_once('=')?;
        (known == name).then(|| rest.split(';').next().unwrap_or_default().to_owned())
    })
}
