//! A client that keeps its connection and survives a server that does not.

use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(8);

/// The answer to a request.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// The login cookie that it sets.
    pub(crate) cookie: Option<String>,
}

/// A connection to one server, opened again after it broke.
#[derive(Debug)]
pub(crate) struct Client {
    address: SocketAddr,
    stream: Option<BufReader<TcpStream>>,
}

impl Client {
    pub(crate) fn new(address: SocketAddr) -> Self {
        Client {
            address,
            stream: None,
        }
    }

    /// Sends a request with a login cookie, and waits for the answer.
    pub(crate) fn ask(&mut self, request: &str, cookie: &str) -> io::Result<Answer> {
        self.send(request, cookie)?;
        self.receive()
    }

    /// Sends a request; [`receive`](Self::receive) waits for the answer.
    pub(crate) fn send(&mut self, request: &str, cookie: &str) -> io::Result<()> {
        let stream = match &mut self.stream {
            Some(stream) => stream,
            none => none.insert(connect(self.address)?),
        };
        let request = format!(
            "{request} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\
             Cookie: login_session={cookie}\r\n\r\n"
        );
        let sent = stream.get_mut().write_all(request.as_bytes());
        if sent.is_err() {
            self.stream = None;
        }
        sent
    }

    pub(crate) fn receive(&mut self) -> io::Result<Answer> {
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
        let status = line
            .split(' ')
            .nth(1)
            .and_then(|status| status.parse().ok());
        let status = status.ok_or(io::ErrorKind::UnexpectedEof)?;
        let (mut length, mut set) = (0, None);
        loop {
            line.clear();
            stream.read_line(&mut line)?;
            let header = line.trim_end();
            if header.is_empty() {
                break;
            }
            let (name, value) = header.split_once(": ").unwrap_or_default();
            if name.eq_ignore_ascii_case("content-length") {
                length = value.parse().unwrap_or(0);
            }
            let login = value.strip_prefix("login_session=");
            if name.eq_ignore_ascii_case("set-cookie") && login.is_some() {
                set = login
                    .and_then(|cookie| cookie.split(';').next())
                    .map(str::to_owned);
            }
        }
        io::copy(&mut stream.take(length), &mut io::sink())?;
        Ok(Answer {
            status,
            cookie: set.filter(|cookie| !cookie.is_empty()),
        })
    }
}

fn connect(address: SocketAddr) -> io::Result<BufReader<TcpStream>> {
    let stream = TcpStream::connect_timeout(&address, PATIENCE)?;
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    Ok(BufReader::new(stream))
}
