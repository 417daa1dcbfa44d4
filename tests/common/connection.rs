//! A connection to a server that is kept alive, and a jar for the cookies that come over it.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use super::socket::{self, header};
use super::witness;

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

    /// Sends a request, and waits for its response. Not for HEAD, whose response has no body.
    pub fn ask(&mut self, request: impl AsRef<[u8]>) -> String {
        self.send(request);
        self.receive()
    }

    pub fn get(&mut self, path: &str, headers: &[&[u8]]) -> String {
        self.ask(socket::get(path, headers))
    }

    pub fn post(&mut self, path: &str, headers: &[&[u8]], form: &str) -> String {
        self.ask(socket::post(path, headers, form))
    }

    /// Sends a request; [`receive`](Self::receive) reads the response.
    pub fn send(&mut self, request: impl AsRef<[u8]>) {
        self.0.get_mut().write_all(request.as_ref()).unwrap();
    }

    /// Reads one whole response, which the functions of [`socket`] can parse.
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
        witness::saw(&reply);
        reply
    }
}

/// A request of plain text, as it goes over the wire.
pub struct Request(Vec<u8>);

impl Request {
    pub fn get(path: &str, headers: &[&str]) -> Self {
        Request(socket::get(path, &bytes(headers)))
    }

    pub fn post(path: &str, headers: &[&str], form: &str) -> Self {
        Request(socket::post(path, &bytes(headers), form))
    }
}

impl AsRef<[u8]> for Request {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

fn bytes<'a>(headers: &[&'a str]) -> Vec<&'a [u8]> {
    headers.iter().map(|header| header.as_bytes()).collect()
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
        // One more cookie, so that the header is never empty.
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
