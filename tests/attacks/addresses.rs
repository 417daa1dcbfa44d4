//! Session protection over real connections: which address counts.

use std::net::Ipv4Addr;

use rocket::tokio;
use rocket::tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use rocket_login::config::SessionProtection;

use crate::common::App;
use crate::common::socket::{body, header, status};
use crate::{REMEMBER, SESSION, Site, line, removals};

const HOME: Ipv4Addr = Ipv4Addr::LOCALHOST;
/// The address of the thief: all of 127.0.0.0/8 is this machine.
const ELSEWHERE: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 2);

/// Sends a GET from the given address.
fn get_from(site: &Site, address: Ipv4Addr, path: &str, headers: &[&[u8]]) -> String {
    let mut request =
        format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n").into_bytes();
    request.extend([headers, &[b"\r\n"]].concat().join(&b"\r\n"[..]));
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let socket = tokio::net::TcpSocket::new_v4().unwrap();
        socket.bind((address, 0).into()).unwrap();
        let mut stream = socket.connect(site.server.address).await.unwrap();
        stream.write_all(&request).await.unwrap();
        let mut reply = Vec::new();
        stream.read_to_end(&mut reply).await.unwrap();
        String::from_utf8(reply).unwrap()
    })
}

fn protected(protection: SessionProtection) -> Site {
    Site::of(
        App::new()
            .release()
            .with(|manager| manager.session_protection(protection)),
    )
}

/// Headers in which a client can claim an address.
const CLAIMS: [&str; 10] = [
    "X-None: none",
    "X-Real-IP: 127.0.0.1",
    "X-Forwarded-For: 127.0.0.1",
    "X-Forwarded-For: 127.0.0.1, 127.0.0.1",
    "Forwarded: for=127.0.0.1",
    "True-Client-IP: 127.0.0.1",
    "CF-Connecting-IP: 127.0.0.1",
    "X-Client-IP: 127.0.0.1",
    "X-Cluster-Client-IP: 127.0.0.1",
    "X-Originating-IP: 127.0.0.1",
];

#[test]
fn under_strong_protection_a_thief_cannot_claim_the_victims_address() {
    // T54, R34, R35, D06, K7
    let site = protected(SessionProtection::Strong);
    for claim in CLAIMS {
        let mine = line(&[(SESSION, &site.session("alice"))]);
        assert_eq!(
            body(&get_from(&site, HOME, "/fresh", &[&mine])),
            "fresh alice",
            "{claim}"
        );

        let reply = get_from(&site, ELSEWHERE, "/me", &[&mine, claim.as_bytes()]);
        assert_eq!(
            (status(&reply), body(&reply)),
            (200, "anonymous"),
            "{claim}"
        );
        assert_eq!(removals(&reply), [SESSION, REMEMBER], "{claim}");
        // The stolen session has ended, for the thief and for its owner.
        site.assert_cleared(&[&mine], &[SESSION], claim);

        let mine = line(&[(REMEMBER, &site.remember("alice"))]);
        let reply = get_from(&site, ELSEWHERE, "/me", &[&mine, claim.as_bytes()]);
        assert_eq!(body(&reply), "anonymous", "{claim}");
        assert_eq!(removals(&reply), [SESSION, REMEMBER], "{claim}");
    }
}

#[test]
fn under_basic_protection_a_thief_is_not_fresh() {
    // T54, R34, R35
    let site = protected(SessionProtection::Basic);
    for claim in CLAIMS {
        let mine = line(&[(SESSION, &site.session("alice"))]);
        let headers: [&[u8]; 2] = [&mine, claim.as_bytes()];
        let reply = get_from(&site, ELSEWHERE, "/fresh", &headers);
        assert_eq!(status(&reply), 303, "{claim}");
        assert_eq!(
            header(&reply, "location"),
            ["/confirm?next=%2Ffresh"],
            "{claim}"
        );
        assert_eq!(
            body(&get_from(&site, ELSEWHERE, "/me", &headers)),
            "alice",
            "{claim}"
        );
        assert_eq!(
            body(&get_from(&site, HOME, "/fresh", &[&mine])),
            "fresh alice",
            "{claim}"
        );
    }
}

#[test]
fn headers_of_a_proxy_or_an_extension_end_no_login() {
    let site = protected(SessionProtection::Strong);
    let mine = line(&[(SESSION, &site.session("alice"))]);
    for claim in CLAIMS {
        let claim = claim.replace("127.0.0.1", "198.51.100.9");
        let reply = get_from(&site, HOME, "/fresh", &[&mine, claim.as_bytes()]);
        assert_eq!(body(&reply), "fresh alice", "{claim}");
    }
}

fn behind_a_proxy(prefix: bool) -> Site {
    let app = App::new()
        .release()
        .set("login.trusted_proxies", ["127.0.0.1"])
        .set("login.session_protection", "strong")
        .set(
            "login.session_protection_address",
            if prefix { "prefix" } else { "full" },
        );
    Site::of(app)
}

#[test]
fn only_the_header_of_a_trusted_proxy_counts() {
    // T54, R34
    const CLIENT: &str = "X-Forwarded-For: 203.0.113.9";
    let site = behind_a_proxy(false);
    for (what, peer, claims, stays) in [
        ("the same client", HOME, &[CLIENT][..], true),
        (
            "a longer chain",
            HOME,
            &["X-Forwarded-For: 198.51.100.1, 203.0.113.9"],
            true,
        ),
        (
            "a chain in two lines",
            HOME,
            &["X-Forwarded-For: 198.51.100.1", CLIENT],
            true,
        ),
        (
            "the proxy twice",
            HOME,
            &["X-Forwarded-For: 203.0.113.9, 127.0.0.1"],
            true,
        ),
        (
            "as IPv6",
            HOME,
            &["X-Forwarded-For: ::ffff:203.0.113.9"],
            true,
        ),
        (
            "with a port",
            HOME,
            &["X-Forwarded-For: 203.0.113.9:4711"],
            true,
        ),
        (
            "another header, too",
            HOME,
            &["X-Real-IP: 198.51.100.1", CLIENT],
            true,
        ),
        (
            "another client",
            HOME,
            &["X-Forwarded-For: 198.51.100.1"],
            false,
        ),
        (
            "another client's claim",
            HOME,
            &["X-Forwarded-For: 203.0.113.9, 198.51.100.1"],
            false,
        ),
        (
            "a claim in two lines",
            HOME,
            &[CLIENT, "X-Forwarded-For: 198.51.100.1"],
            false,
        ),
        (
            "a neighbour",
            HOME,
            &["X-Forwarded-For: 203.0.113.10"],
            false,
        ),
        ("no client", HOME, &[], false),
        (
            "another header alone",
            HOME,
            &["X-Real-IP: 203.0.113.9"],
            false,
        ),
        ("no proxy of ours", ELSEWHERE, &[CLIENT], false),
        ("junk", HOME, &["X-Forwarded-For: unknown"], false),
    ] {
        let login = site.login("alice", &[CLIENT.as_bytes()]);
        let session = crate::cookie(&login, SESSION).unwrap();
        let mine = line(&[(SESSION, &session)]);
        let mut headers: Vec<&[u8]> = claims.iter().map(|claim| claim.as_bytes()).collect();
        headers.push(&mine);
        let reply = get_from(&site, peer, "/me", &headers);
        assert_eq!(
            body(&reply),
            if stays { "alice" } else { "anonymous" },
            "{what}"
        );
        assert_eq!(removals(&reply).is_empty(), stays, "{what}");
    }
}

#[test]
fn a_client_may_move_within_its_prefix() {
    // T58, R34
    let site = behind_a_proxy(true);
    for (from, to, stays) in [
        ("203.0.113.9", "203.0.113.200", true),
        ("203.0.113.9", "::ffff:203.0.113.77", true),
        ("203.0.113.9", "203.0.114.9", false),
        ("2001:db8:1:2201::1", "2001:db8:1:22ff:9::", true),
        ("2001:db8:1:2201::1", "2001:db8:1:2301::1", false),
        ("2001:db8:1:2201::1", "203.0.113.9", false),
    ] {
        let claim = |address: &str| format!("X-Forwarded-For: {address}").into_bytes();
        let login = site.login("alice", &[&claim(from)]);
        let mine = line(&[(SESSION, &crate::cookie(&login, SESSION).unwrap())]);
        let me = site.me(&[&mine, &claim(to)]);
        assert_eq!(
            me,
            if stays { "alice" } else { "anonymous" },
            "{from} to {to}"
        );
    }
}

#[test]
fn under_strong_protection_another_user_agent_ends_the_login() {
    // T56, T57, R35: for a remember token, the request of the thief is the first one.
    let site = protected(SessionProtection::Strong);
    let long = format!("User-Agent: {}", "a".repeat(100_000));
    for (what, agents) in [
        ("another", &[b"User-Agent: Thief".as_slice()][..]),
        ("none", &[]),
        ("an empty one", &[b"User-Agent:"]),
        ("an endless one", &[long.as_bytes()]),
        ("one of bytes", &[b"User-Agent: Firefox\xff"]),
        (
            "another in front",
            &[b"User-Agent: Thief", b"User-Agent: Firefox"],
        ),
    ] {
        for name in [SESSION, REMEMBER] {
            let login = site.server.post(
                "/login",
                &[b"User-Agent: Firefox"],
                "user=alice&remember=on",
            );
            let mine = line(&[(name, &crate::cookie(&login, name).unwrap())]);
            if name == SESSION {
                assert_eq!(site.me(&[&mine, b"User-Agent: Firefox"]), "alice", "{what}");
            }
            let headers = [agents, &[&mine]].concat();
            let reply = site.server.get("/me", &headers);
            assert_eq!(
                (status(&reply), body(&reply)),
                (200, "anonymous"),
                "{what}: {name}"
            );
            assert_eq!(removals(&reply), [SESSION, REMEMBER], "{what}: {name}");
        }
    }
    let login = site.server.post(
        "/login",
        &[b"User-Agent: Firefox"],
        "user=alice&remember=on",
    );
    let mine = line(&[(REMEMBER, &crate::cookie(&login, REMEMBER).unwrap())]);
    assert_eq!(site.me(&[&mine, b"User-Agent: Firefox"]), "alice");
}
