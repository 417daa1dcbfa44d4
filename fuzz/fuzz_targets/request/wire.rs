//! Reads a request from text as a server would, and sends it to the application.

use std::net::{IpAddr, SocketAddr};

use rocket::http::uri::{Host, Origin};
use rocket::http::{Cookie, Header, Method, Status};
use rocket::local::blocking::Client;

/// A request: `METHOD target`, header lines, an empty line, the body.
pub struct Asked<'a> {
    pub method: Method,
    pub target: &'a str,
    pub headers: Vec<(&'a str, &'a str)>,
    pub body: &'a str,
    /// The peer's address.
    pub from: IpAddr,
}

pub struct Reply {
    pub status: Status,
    headers: Vec<(String, String)>,
    pub body: String,
}

impl<'a> Asked<'a> {
    /// Returns `None` for a request that no server would pass to its application.
    pub fn read(text: &'a str) -> Option<Self> {
        let (head, body) = text.split_once("\n\n").unwrap_or((text, ""));
        let mut lines = head.split('\n');
        let (method, target) = lines.next()?.split_once(' ')?;
        let mut asked = Asked {
            method: method.parse().ok()?,
            target,
            headers: Vec::new(),
            body,
            from: IpAddr::from([127, 0, 0, 1]),
        };
        if !target.starts_with('/') || !target.bytes().all(is_of_a_target) {
            return None;
        }
        for line in lines {
            let (name, value) = line.split_once(':')?;
            let value = value.trim_matches([' ', '\t']);
            if name == "@from" {
                asked.from = value.parse().ok()?;
            } else if !name.is_empty()
                && name.bytes().all(is_of_a_name)
                && value.bytes().all(is_of_a_value)
            {
                asked.headers.push((name, value));
            } else {
                return None;
            }
        }
        Some(asked)
    }

    pub fn all(&self, name: &str) -> Vec<&'a str> {
        let named = self
            .headers
            .iter()
            .filter(|(known, _)| known.eq_ignore_ascii_case(name));
        named.map(|(_, value)| *value).collect()
    }

    /// Passes the request on as Rocket's server does: host and cookies are parsed, the target is unchanged.
    pub fn dispatch(&self, client: &Client) -> Reply {
        let mut request = client.req(self.method, "/").body(self.body);
        request.set_remote(SocketAddr::new(self.from, 4711));
        let inner = request.inner_mut();
        let (path, query) = match self.target.split_once('?') {
            Some((path, query)) => (path, Some(query)),
            None => (self.target, None),
        };
        inner.set_uri(Origin::new(path.to_owned(), query.map(str::to_owned)));
        if let Some(host) = self.all("Host").first()
            && let Ok(host) = Host::parse_owned((*host).to_owned())
        {
            inner.set_host(host);
        }
        for (name, value) in &self.headers {
            inner.add_header(Header::new((*name).to_owned(), (*value).to_owned()));
        }
        for line in self.all("Cookie") {
            for pair in line.split(';') {
                if let Ok(cookie) = Cookie::parse_encoded(pair.trim().to_owned()) {
                    request = request.cookie(cookie);
                }
            }
        }
        let response = request.dispatch();
        let headers = response.headers().iter();
        Reply {
            status: response.status(),
            headers: headers
                .map(|header| (header.name.to_string(), header.value.to_string()))
                .collect(),
            body: response.into_string().unwrap_or_default(),
        }
    }
}

/// Whether hyper accepts the byte in a target, except for `#`, which ends a target.
fn is_of_a_target(byte: u8) -> bool {
    byte.is_ascii_graphic() && !b"#<>`^".contains(&byte)
}

fn is_of_a_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

fn is_of_a_value(byte: u8) -> bool {
    byte == b'\t' || !byte.is_ascii_control()
}

impl Reply {
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        let named = move |(known, _): &&(String, String)| known.eq_ignore_ascii_case(name);
        self.headers
            .iter()
            .filter(named)
            .map(|(_, value)| value.as_str())
    }

    pub fn headers(&self) -> impl Iterator<Item = &str> {
        self.headers.iter().map(|(_, value)| value.as_str())
    }
}
