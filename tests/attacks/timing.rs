//! Whether the response time reveals what is wrong with a cookie, measured like dudect: classes in
//! random order, and Welch's t between them. By hand, on a machine with nothing else to do:
//! `cargo test --release --test attacks -- --ignored --nocapture timing`.
//!
//! Only tags must take equal times. After the tag, the time shows how far the server got with a token
//! that it has signed itself: it does not look up an expired one in the list of ended sessions, and it runs
//! the user loader only for the rest. Running the loader for invalid tokens as well would hide
//! that, but would let everybody cause that work.

#![allow(
    clippy::cast_precision_loss,
    reason = "nanoseconds do not need more than 53 bits"
)]

use std::hint::black_box;
use std::time::Instant;

use rocket::http::Header;

use crate::common::connection::Connection;
use crate::common::socket::{Server, get};
use crate::common::{App, Running, START};
use crate::forge::{TAG, decode, encode};
use crate::{SESSION, line};

const PAIRS: [[&str; 2]; 6] = [
    ["tag wrong in byte 0", "tag wrong in byte 31"],
    ["tag wrong in byte 0", "another tag wrong in byte 0"],
    ["forged", "expired"],
    ["expired", "revoked"],
    ["expired", "unknown user"],
    ["revoked", "unknown user"],
];

/// Above this value, dudect calls two classes different.
const THRESHOLD: f64 = 5.0;

#[test]
#[ignore = "it takes minutes, and a machine of its own"]
fn the_position_of_a_wrong_byte_does_not_change_the_time() {
    // T79, R4, R50
    let app = App::new().release().start();
    let server = Server::start(App::new().release().rocket());
    let mut connection = server.connect();
    for names in PAIRS {
        let values = names.map(|name| value(&app, name));
        let in_process = samples(200_000, |class| by_local_client(&app, &values[class]));
        // The server shares the secret key and the clock's time, but not the list of ended sessions.
        let t = report("in process", names, &in_process);
        if names != ["expired", "revoked"] && names != ["revoked", "unknown user"] {
            let over_http = samples(20_000, |class| by_socket(&mut connection, &values[class]));
            report("over HTTP", names, &over_http);
        }
        if names[0].starts_with("tag wrong") {
            assert!(t < THRESHOLD, "{names:?}: |t| = {t:.1}");
        }
    }
}

/// The value of a session cookie that is refused for this reason.
fn value(app: &Running, reason: &str) -> String {
    let session = |user: &str| app.logged_in(user).cookies[SESSION].clone();
    app.clock.set(START);
    app.users.put("alice");
    let with_wrong = |byte: usize, bit: u8| {
        let mut token = decode(&session("alice"));
        let tag = token.len() - TAG;
        token[tag + byte] ^= bit;
        encode(&token)
    };
    match reason {
        "tag wrong in byte 0" => with_wrong(0, 1),
        "another tag wrong in byte 0" => with_wrong(0, 128),
        "tag wrong in byte 31" => with_wrong(31, 1),
        "forged" => with_wrong(16, 1),
        "expired" => {
            app.clock.set(START - 25 * 60 * 60);
            let value = session("alice");
            app.clock.set(START);
            value
        }
        "revoked" => {
            let mut browser = app.logged_in("alice");
            let value = browser.cookies[SESSION].clone();
            browser.post("/logout", "");
            value
        }
        "unknown user" => {
            app.users.put("carol");
            let value = session("carol");
            app.users.remove("carol");
            value
        }
        _ => panic!("{reason}"),
    }
}

fn by_local_client(app: &Running, value: &str) -> u64 {
    let cookie = Header::new("Cookie", format!("{SESSION}={value}"));
    let request = app.client.get("/me").header(cookie);
    let start = Instant::now();
    let response = black_box(request.dispatch());
    let taken = start.elapsed();
    assert_eq!(response.into_string().as_deref(), Some("anonymous"));
    u64::try_from(taken.as_nanos()).unwrap()
}

fn by_socket(connection: &mut Connection, value: &str) -> u64 {
    let request = get("/me", &[&line(&[(SESSION, value)])]);
    let start = Instant::now();
    let reply = black_box(connection.ask(&request));
    let taken = start.elapsed();
    assert!(reply.ends_with("anonymous"), "{reply}");
    u64::try_from(taken.as_nanos()).unwrap()
}

/// The times of both classes, measured in random order.
fn samples(count: usize, mut ask: impl FnMut(usize) -> u64) -> [Vec<u64>; 2] {
    let mut times = [Vec::new(), Vec::new()];
    let mut random = 0x9e37_79b9_7f4a_7c15_u64;
    for number in 0..count {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        let class = usize::from(random >> 63 == 1);
        let time = ask(class);
        // The first requests run with cold caches.
        if number >= count / 20 {
            times[class].push(time);
        }
    }
    times
}

/// Prints the figures, and returns the largest |t|: of all times, and without the slowest ones, which other work causes.
fn report(how: &str, names: [&str; 2], times: &[Vec<u64>; 2]) -> f64 {
    let mut all: Vec<u64> = times.concat();
    all.sort_unstable();
    let percentile = |percent: usize| all[(all.len() - 1) * percent / 100];
    let t = [100, 99, 90, 50].map(|percent| {
        let limit = percentile(percent);
        let [one, other] = times.each_ref().map(|times| {
            let kept = times.iter().copied().filter(|time| *time <= limit);
            moments(&kept.map(|time| time as f64).collect::<Vec<_>>())
        });
        (one.mean - other.mean) / (one.error + other.error).sqrt()
    });
    let medians = times.each_ref().map(|times| {
        let mut times = times.clone();
        times.sort_unstable();
        times[times.len() / 2]
    });
    println!(
        "{how}: {} / {}: medians {} / {} ns; t of all {:.1}, of 99 % {:.1}, of 90 % {:.1}, of 50 % {:.1}",
        names[0], names[1], medians[0], medians[1], t[0], t[1], t[2], t[3]
    );
    t.into_iter().map(f64::abs).fold(0.0, f64::max)
}

struct Moments {
    mean: f64,
    /// The square of the mean's standard error.
    error: f64,
}

fn moments(times: &[f64]) -> Moments {
    let count = times.len() as f64;
    let mean = times.iter().sum::<f64>() / count;
    let squares = times.iter().map(|time| (time - mean).powi(2)).sum::<f64>();
    Moments {
        mean,
        error: squares / (count - 1.0) / count,
    }
}

#[test]
fn welchs_t_test_detects_a_real_difference_and_no_other() {
    // The control of the measurement, with invented times.
    let times = |mean: u64| (0..10_000).map(|n| mean + n * 7_919 % 1_000).collect();
    let same = report("made up", ["a", "a"], &[times(5_000), times(5_000)]);
    assert!(same < 1e-6, "{same}");
    let slower = report("made up", ["a", "b"], &[times(5_000), times(5_050)]);
    assert!(slower > THRESHOLD, "{slower}");
}
