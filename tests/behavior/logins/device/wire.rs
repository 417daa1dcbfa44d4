//! A thief's copy of the cookies, over a real socket.

use std::time::Duration;

use crate::common::device::{COPY, DEVICE, Key, REFRESH, REGISTER, SESSION, app};
use crate::common::socket::{Server, body, cookie, header, status};

/// A client that sends what is in its jar, whatever the browser would do.
#[derive(Clone)]
struct Client<'a> {
    server: &'a Server,
    jar: Vec<(&'static str, String)>,
    key: Key,
    id: String,
}

impl Client<'_> {
    fn me(&mut self) -> String {
        let cookies = self.cookies();
        let reply = self.server.get("/me", &[cookies.as_bytes()]);
        self.keep(&reply);
        body(&reply).to_owned()
    }

    fn post(&mut self, path: &str, headers: &[String], form: &str) -> String {
        let cookies = self.cookies();
        let mut lines = vec![cookies.as_bytes()];
        lines.extend(headers.iter().map(String::as_bytes));
        let reply = self.server.post(path, &lines, form);
        self.keep(&reply);
        reply
    }

    fn refresh(&mut self) -> String {
        let id = format!("Sec-Secure-Session-Id: {}", self.id);
        let reply = self.post(REFRESH, std::slice::from_ref(&id), "");
        assert_eq!(status(&reply), 403, "{reply}");
        let challenge = quoted(header(&reply, "Secure-Session-Challenge")[0], 0);
        let proof = self.key.proof(None, challenge);
        self.post(
            REFRESH,
            &[id, format!("Secure-Session-Response: {proof}")],
            "",
        )
    }

    fn cookies(&self) -> String {
        let pairs: Vec<_> = self
            .jar
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        format!("Cookie: {}", pairs.join("; "))
    }

    fn keep(&mut self, reply: &str) {
        for name in [SESSION, DEVICE, COPY] {
            if let Some(value) = cookie(reply, name) {
                self.jar.retain(|(known, _)| *known != name);
                self.jar.push((name, value));
            }
        }
    }
}

/// The text between quotes, after as many other ones.
fn quoted(text: &str, skip: usize) -> &str {
    text.split('"').nth(2 * skip + 1).unwrap()
}

#[test]
fn over_a_socket_a_copy_of_the_cookies_dies_while_its_owner_goes_on() {
    let app = app();
    let clock = app.clock.clone();
    let server = Server::start(app.rocket());
    let mut owner = Client {
        server: &server,
        jar: Vec::new(),
        key: Key::new(1),
        id: String::new(),
    };
    let reply = owner.post("/login", &[], "user=alice");
    let challenge = quoted(header(&reply, "Secure-Session-Registration")[0], 1);
    let proof = owner.key.proof(Some(owner.key.jwk()), challenge);
    let reply = owner.post(REGISTER, &[format!("Secure-Session-Response: {proof}")], "");
    assert_eq!(status(&reply), 200, "{reply}");
    quoted(body(&reply), 1).clone_into(&mut owner.id);
    assert_eq!(owner.me(), "alice");

    let mut thief = Client {
        key: Key::new(99),
        ..owner.clone()
    };
    let forward = |minutes: u64| clock.advance(Duration::from_secs(60 * minutes));
    for _ in 0..2 {
        forward(5);
        assert_eq!(thief.me(), "alice");
        assert_eq!(status(&owner.refresh()), 200);
    }
    // The life of ten minutes, and one for clocks.
    forward(1);
    assert_eq!(thief.me(), "anonymous");
    assert_eq!(status(&thief.refresh()), 401);
    assert_eq!(thief.me(), "anonymous");
    for _ in 0..3 {
        assert_eq!(owner.me(), "alice");
        forward(8);
        assert_eq!(status(&owner.refresh()), 200);
    }
    assert_eq!(owner.me(), "alice");
}
