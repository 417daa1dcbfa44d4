//! The Rocket applications without a network: from the request to the last byte of the response, through Rocket's local
//! client. The other frameworks have other clients, so that their figures would mean something else.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Instant;

use rocket::http::{Cookie, Header, Status};
use rocket::local::asynchronous::{Client, LocalRequest};
use rocket::time::Duration;
use tokio::runtime::{Builder, Runtime};

use crate::apps::rocket::{Extend, by_hand, flex_session, login, plain, rocket};
use crate::client::BROWSER;

const ROUNDS: usize = 4_000;

/// The number of requests in an application's turn.
const REQUESTS: usize = 50;

const ALL: [(&str, Extend); 4] = [
    ("rocket-plain", plain),
    ("rocket-by-hand", by_hand::application),
    ("rocket-login", login::application),
    ("rocket-flex-session", flex_session::application),
];

/// Measures, and prints the table: all applications take turns, and the best tenth of each counts.
pub(crate) fn print() {
    let servers = ALL.map(|(_, extend)| Server::launch(extend));
    // As over the network: every request contains the cookies of all applications.
    let cookies: Vec<_> = servers.iter().flat_map(Server::log_in).collect();
    let mut times = ALL.map(|_| Vec::new());
    for _ in 0..ROUNDS {
        for (server, times) in servers.iter().zip(&mut times) {
            times.push(server.time(&cookies));
        }
    }
    let times = times.map(|mut times| {
        times.sort_by(f64::total_cmp);
        times[times.len() / 10]
    });
    let [plain, _, ours, _] = times;
    println!("\n| in process | µs a request | of plain | over plain, µs | of rocket-login's |");
    println!("| --- |{}", " ---: |".repeat(4));
    for ((name, _), time) in ALL.iter().zip(times) {
        let over = time - plain;
        println!(
            "| {name} | {time:.2} | {:.2} | {over:+.2} | {:.2} |",
            time / plain,
            over / (ours - plain),
        );
    }
}

struct Server {
    runtime: Runtime,
    client: Client,
}

impl Server {
    fn launch(extend: Extend) -> Self {
        let runtime = Builder::new_current_thread().enable_all().build();
        let runtime = runtime.expect("a runtime");
        let client = Client::untracked(rocket(0, extend));
        let client = runtime.block_on(client).expect("Rocket launches");
        Server { runtime, client }
    }

    fn log_in(&self) -> Vec<Cookie<'static>> {
        let request = with_headers(self.client.post("/login"), &[]);
        let response = self.runtime.block_on(request.dispatch());
        let cookies = response.cookies().iter();
        let kept = cookies.filter(|cookie| cookie.max_age() != Some(Duration::ZERO));
        kept.cloned().collect()
    }

    /// The microseconds of a request in one turn.
    #[expect(clippy::cast_precision_loss, reason = "few requests")]
    fn time(&self, cookies: &[Cookie<'static>]) -> f64 {
        let requests: Vec<_> = (0..REQUESTS)
            .map(|_| with_headers(self.client.get("/page"), cookies))
            .collect();
        let start = Instant::now();
        for request in requests {
            self.runtime.block_on(async {
                let response = request.dispatch().await;
                assert_eq!(response.status(), Status::Ok);
                response.into_bytes().await;
            });
        }
        start.elapsed().as_secs_f64() * 1e6 / REQUESTS as f64
    }
}

fn with_headers<'c>(
    mut request: LocalRequest<'c>,
    cookies: &[Cookie<'static>],
) -> LocalRequest<'c> {
    request = request.remote(SocketAddr::from((Ipv4Addr::LOCALHOST, 49_152)));
    for (name, value) in BROWSER.lines().filter_map(|line| line.split_once(": ")) {
        request.add_header(Header::new(name, value));
    }
    let pairs: Vec<_> = cookies
        .iter()
        .map(|cookie| cookie.stripped().to_string())
        .collect();
    // In the header, and parsed by Rocket into its jar.
    request.add_header(Header::new("Cookie", pairs.join("; ")));
    request.cookies(cookies.iter().cloned())
}
