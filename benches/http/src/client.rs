//! A client with little overhead: it prepares requests as bytes, and reads answers in place.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};

/// The headers that a browser sends with each request.
pub(crate) const BROWSER: &str = "Host: app.example\r\n\
    User-Agent: Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 \
    (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36\r\n\
    Accept: text/html,application/xhtml+xml,*/*;q=0.8\r\n\
    Accept-Language: en\r\n\
    Sec-Fetch-Site: same-origin\r\n\
    Sec-Fetch-Mode: navigate\r\n";

/// The bytes of a request, without a body.
pub(crate) fn request(method: &str, path: &str, cookies: &str) -> String {
    let cookies = match cookies {
        "" => String::new(),
        cookies => format!("Cookie: {cookies}\r\n"),
    };
    let length = match method {
        "POST" => "Content-Length: 0\r\n",
        _ => "",
    };
    format!("{method} {path} HTTP/1.1\r\n{BROWSER}{cookies}{length}\r\n")
}

/// A connection that stays open.
#[derive(Debug)]
pub(crate) struct Connection {
    stream: TcpStream,
    buffer: Box<[u8; 8192]>,
}

impl Connection {
    pub(crate) fn open(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).expect("the server accepts");
        stream.set_nodelay(true).expect("a socket's option");
        let buffer = Box::new([0; 8192]);
        Connection { stream, buffer }
    }

    pub(crate) fn send(&mut self, request: &str) {
        let sent = self.stream.write_all(request.as_bytes());
        sent.expect("the server reads");
    }

    pub(crate) fn receive(&mut self) -> Answer<'_> {
        let mut filled = 0;
        let head = loop {
            filled += self.read(filled);
            let mut heads = self.buffer[..filled].windows(4);
            if let Some(head) = heads.position(|end| end == b"\r\n\r\n") {
                break head;
            }
        };
        let body = head + 4;
        let end = body + content_length(text(&self.buffer[..head]));
        while filled < end {
            filled += self.read(filled);
        }
        assert_eq!(filled, end, "one answer at a time");
        Answer {
            head: text(&self.buffer[..head]),
            body: text(&self.buffer[body..end]),
        }
    }

    pub(crate) fn exchange(&mut self, request: &str) -> Answer<'_> {
        self.send(request);
        self.receive()
    }

    fn read(&mut self, filled: usize) -> usize {
        let read = self.stream.read(&mut self.buffer[filled..]);
        let read = read.expect("the server answers");
        assert_ne!(read, 0, "the server closed, or its answer is too long");
        read
    }
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).expect("an answer in text")
}

fn content_length(head: &str) -> usize {
    let mut fields = head.lines().filter_map(|line| line.split_once(": "));
    let length = fields.find(|(name, _)| name.eq_ignore_ascii_case("Content-Length"));
    let (_, length) = length.expect("an answer with its length");
    length.parse().expect("a length")
}

/// The answer of a server.
#[derive(Debug)]
pub(crate) struct Answer<'a> {
    head: &'a str,
    pub(crate) body: &'a str,
}

impl<'a> Answer<'a> {
    pub(crate) fn is_ok(&self) -> bool {
        self.head.starts_with("HTTP/1.1 200 ")
    }

    /// The cookies that it sets and does not remove, each as name and value for a `Cookie` header.
    pub(crate) fn cookies(&self) -> impl Iterator<Item = &'a str> {
        let fields = self.head.lines().filter_map(|line| line.split_once(": "));
        fields
            .filter(|(name, _)| name.eq_ignore_ascii_case("Set-Cookie"))
            .filter(|(_, cookie)| !cookie.contains("; Max-Age=0"))
            .filter_map(|(_, cookie)| cookie.split(';').next())
    }
}
