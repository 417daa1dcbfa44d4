//! A client that survives a server that does not.

use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

/// How long an answer may take. A server answers after about four seconds, even if its store does not.
const PATIENCE: Duration = Duration::from_secs(20);

/// How long a slow machine may take for anything that happens by itself.
pub const SLOW: Duration = Duration::from_secs(30);

const SESSION: &str = "login_session";

/// The name of the remember cookie.
pub const REMEMBER: &str = "remember_token";

/// The answer to a request.
#[derive(Debug)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The login cookie that it sets.
    pub cookie: Option<String>,
    /// The remember cookie that it sets.
    pub remember: Option<String>,
    /// The body.
    pub body: String,
    /// When the request was sent. The server has judged it later.
    pub sent: Instant,
}

/// A connection to one server, opened again after it broke.
#[derive(Debug)]
pub struct Client {
    address: SocketAddr,
    patience: Duration,
    stream: Option<BufReader<TcpStream>>,
    sent: Instant,
}

impl Client {
    /// Connects with the first request.
    pub fn new(address: SocketAddr) -> Self {
        Client {
            address,
            patience: PATIENCE,
            stream: None,
            sent: Instant::now(),
        }
    }

    /// Sets how long an answer may take.
    #[must_use]
    pub fn patience(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    /// Sends a request with a login cookie, or with one and others as `SESSION; NAME=VALUE`, and waits for the answer.
    ///
    /// # Errors
    ///
    /// If no answer comes.
    pub fn ask(&mut self, request: &str, cookie: &str) -> io::Result<Answer> {
        self.send(request, cookie)?;
        self.receive()
    }

    /// Repeats a request until the answer is 200: on a slow machine the copy of a healthy server can get too old.
    pub fn insist(&mut self, request: &str, cookie: &str) -> Answer {
        let start = Instant::now();
        loop {
            match self.ask(request, cookie) {
                Ok(answer) if answer.status == 200 => return answer,
                answer => assert!(start.elapsed() < SLOW, "{request}: {answer:?}"),
            }
            thread::sleep(Duration::from_millis(10));
        }
    }

    /// Returns the status of the answer to a request; 0 if no answer comes.
    pub fn status(&mut self, request: &str, cookie: &str) -> u16 {
        self.ask(request, cookie).map_or(0, |answer| answer.status)
    }

    /// Sends a request; [`receive`](Self::receive) waits for the answer.
    ///
    /// # Errors
    ///
    /// If it cannot be sent.
    pub fn send(&mut self, request: &str, cookie: &str) -> io::Result<()> {
        let stream = match &mut self.stream {
            Some(stream) => stream,
            none => none.insert(connect(self.address, self.patience)?),
        };
        let request = format!(
            "{request} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\
             Cookie: {SESSION}={cookie}\r\n\r\n"
        );
        self.sent = Instant::now();
        let sent = stream.get_mut().write_all(request.as_bytes());
        if sent.is_err() {
            self.stream = None;
        }
        sent
    }

    /// Waits for the answer.
    ///
    /// # Errors
    ///
    /// If no answer comes.
    pub fn receive(&mut self) -> io::Result<Answer> {
        let answer = self.read();
        if answer.is_err() {
            self.stream = None;
        }
        answer
    }

    fn read(&mut self) -> io::Result<Answer> {
        let stream = self.stream.as_mut().ok_or(io::ErrorKind::NotConnected)?;
        let mut line = String::new();
        stream.read_line(&mut line)?;
        let status = line.split(' ').nth(1).and_then(|word| word.parse().ok());
        let status = status.ok_or(io::ErrorKind::UnexpectedEof)?;
        let (mut length, mut cookie, mut remember) = (0, None, None);
        loop {
            line.clear();
            stream.read_line(&mut line)?;
            let Some((name, value)) = line.trim_end().split_once(": ") else {
                break;
            };
            if name.eq_ignore_ascii_case("content-length") {
                length = value.parse().unwrap_or(0);
            }
            if name.eq_ignore_ascii_case("set-cookie") {
                for (name, held) in [(SESSION, &mut cookie), (REMEMBER, &mut remember)] {
                    if let Some(value) = value.strip_prefix(name) {
                        let value = value.trim_start_matches('=').split(';').next();
                        *held = value.filter(|value| !value.is_empty()).map(str::to_owned);
                    }
                }
            }
        }
        let mut body = String::new();
        stream.take(length).read_to_string(&mut body)?;
        Ok(Answer {
            status,
            cookie,
            remember,
            body,
            sent: self.sent,
        })
    }
}

fn connect(address: SocketAddr, patience: Duration) -> io::Result<BufReader<TcpStream>> {
    let stream = TcpStream::connect_timeout(&address, patience)?;
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(patience))?;
    Ok(BufReader::new(stream))
}
