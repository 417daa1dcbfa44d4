//! The load: in each round, each application in turn.

use std::time::{Duration, Instant};

use crate::apps::{self, Application};
use crate::browser;
use crate::client::Connection;
use crate::machine;
use crate::server::Server;
use crate::users::NAME;

/// The number of rounds: with these, the ratios to a plain application repeat within 10 %.
const ROUNDS: usize = 500;

/// The same for Python, whose requests take ten times as long.
const PYTHON_ROUNDS: usize = 50;

/// The number of connections of a turn, each with one request at a time.
const CONNECTIONS: usize = 16;

/// The number of requests of a turn on each connection.
const REQUESTS: usize = 40;

/// The number of unmeasured requests before them, because the previous turn has filled the caches.
const WARMING: usize = 10;

/// The time of a request in one turn of an application, in microseconds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sample {
    pub(crate) wall: f64,
    pub(crate) cpu: f64,
}

/// An application with its samples, one for each round.
#[derive(Debug)]
pub(crate) struct Measured {
    pub(crate) app: &'static Application,
    pub(crate) samples: Vec<Sample>,
}

/// Measures all applications, in the order of the table: those in Python only if it is installed.
pub(crate) fn measure(with_python: bool) -> Vec<Measured> {
    let start = |apps: &'static [Application]| apps.iter().map(Server::start).collect::<Vec<_>>();
    let rust = start(&apps::RUST);
    let python = start(if with_python { &apps::PYTHON } else { &[] });
    // Not earlier, because the servers would inherit the setting.
    machine::pin(machine::LOAD);
    let mut measured = measure_together(&rust, ROUNDS);
    measured.extend(measure_together(&python, PYTHON_ROUNDS));
    measured
}

fn measure_together(servers: &[Server], rounds: usize) -> Vec<Measured> {
    servers.iter().for_each(browser::prepare);
    let mut samples = vec![Vec::new(); servers.len()];
    for round in 0..rounds {
        // A new login each time, because rocket-login renews a login after five minutes.
        let requests = browser::requests(servers);
        for turn in 0..servers.len() {
            let turn = (round + turn) % servers.len();
            samples[turn].push(sample(&servers[turn], &requests[turn]));
        }
    }
    let measured = servers.iter().zip(samples);
    measured
        .map(|(server, samples)| Measured {
            app: server.app,
            samples,
        })
        .collect()
}

#[expect(clippy::cast_precision_loss, reason = "few requests")]
fn sample(server: &Server, request: &str) -> Sample {
    let mut connections: Vec<_> = (0..CONNECTIONS)
        .map(|_| Connection::open(server.address))
        .collect();
    ask(&mut connections, request, WARMING);
    let cpu = server.cpu_time();
    let start = Instant::now();
    ask(&mut connections, request, REQUESTS);
    let wall = start.elapsed();
    let cpu = server.cpu_time().saturating_sub(cpu);
    let of_one = |time: Duration| time.as_secs_f64() * 1e6 / (CONNECTIONS * REQUESTS) as f64;
    Sample {
        wall: of_one(wall),
        cpu: of_one(cpu),
    }
}

fn ask(connections: &mut [Connection], request: &str, times: usize) {
    for _ in 0..times {
        for connection in &mut *connections {
            connection.send(request);
        }
        for connection in &mut *connections {
            let answer = connection.receive();
            assert!(answer.is_ok() && answer.body == NAME, "{answer:?}");
        }
    }
}
