//! A connection to a server that is kept alive, and a jar for the cookies that come over it.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use super::socket::header;

pub struct Connection(BufReader<TcpStream>);

impl Connection {
    pub fn to(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).unwrap();
        stream.set_nodelay(true).unwrap();
        stream
            .set_read_timeout(Some(Duration::from_secs(60)))
            .unwrap();
        Connection(BufReader::new(stream))
    }

    /// Sends a request, and waits for its answer.
    pub fn ask(&mut self, request: &Request) -> String {
        self.send(request);
        self.receive()
    }

    /// Sends a request; the answer is for [`receive`](Self::receive).
    pub fn send(&mut self, request: &Request) {
        self.0.get_mut().write_all(request.0.as_bytes()).unwrap();
    }

    /// Reads one whole answer, for the functions of [`socket`](super::socket) to take apart.
    pub fn receive(&mut self) -> String {
        let mut reply = String::new();
        while !reply.ends_with("\r\n\r\n") {
            let read = self.0.read_line(&mut reply).unwrap();
            assert_ne!(read, 0, "closed after {reply:?}");
        }
        let length = header(&reply, "content-length");
        let length: u64 = length.first().expect("a sized body").parse().unwrap();
        (&mut self.0)
            .take(length)
            .read_to_string(&mut reply)
            .unwrap();
        reply
    }
}

/// A request, as it goes over the wire.
pub struct Request(String);

impl Request {
    pub fn get(path: &str, headers: &[&str]) -> Self {
        Self::new("GET", path, headers, None)
    }

    pub fn post(path: &str, headers: &[&str], form: &str) -> Self {
        Self::new("POST", path, headers, Some(form))
    }

    fn new(method: &str, path: &str, headers: &[&str], form: Option<&str>) -> Self {
        let mut request = format!("{method} {path} HTTP/1.1\r\nHost: localhost\r\n");
        let kind = "Content-Type: application/x-www-form-urlencoded";
        let length = form.map(|form| format!("Content-Length: {}", form.len()));
        let sent = length.iter().flat_map(|length| [kind, length]);
        for header in headers.iter().copied().chain(sent) {
            request += header;
            request += "\r\n";
        }
        request += "\r\n";
        request += form.unwrap_or_default();
        Request(request)
    }
}

/// The cookies of a browser, by name.
#[derive(Clone, Debug, Default)]
pub struct Jar(pub BTreeMap<String, String>);

impl Jar {
    /// The header line that sends them.
    pub fn line(&self) -> String {
        let pairs: Vec<_> = self
            .0
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        // A line with a name of no meaning, so that the header is never empty.
        format!("Cookie: seen=1; {}", pairs.join("; "))
    }

    /// Keeps what an answer sets, and drops what it removes.
    pub fn keep(&mut self, reply: &str) {
        for (name, value) in set_cookies(reply) {
            match value {
                "" => self.0.remove(name),
                value => self.0.insert(name.to_owned(), value.to_owned()),
            };
        }
    }

    /// A jar with one of the cookies only.
    pub fn only(&self, name: &str) -> Self {
        let mut jar = self.clone();
        jar.0.retain(|known, _| known == name);
        assert_eq!(jar.0.len(), 1, "there is no {name}");
        jar
    }
}

/// The cookies that an answer sets, and those that it removes, as empty ones.
pub fn set_cookies(reply: &str) -> impl Iterator<Item = (&str, &str)> {
    header(reply, "set-cookie").into_iter().map(|cookie| {
        let (name, rest) = cookie.split_once('=').unwrap();
        let value = rest.split(';').next().unwrap_or_default();
        let is_removed = rest.contains("; Max-Age=0");
        assert_eq!(is_removed, value.is_empty(), "{cookie}");
        (name, value)
    })
}
