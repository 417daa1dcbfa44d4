//! Ended sessions: the cost of their list for a request, in memory and at a logout, and what happens when it is full.

use std::time::Instant;

use super::{Axis, Point, costs, grouped};
use crate::application::Size;
use crate::memory::{self, Ended};
use crate::scene::Scene;
use crate::stage::Stage;
use crate::time::best_decile;

const ROUNDS: usize = 40;
const LOGOUTS: usize = 25;

/// Lists with free space, and a full one with the default capacity.
pub(super) fn points(size: Size) -> Vec<Point> {
    let spacious = [0, 1_000, 100_000, 1_000_000, 10_000_000].map(|ended| Size {
        ended,
        room: Some(2 * ended + 100_000),
        ..size
    });
    let full = Size {
        ended: 1_100_000,
        room: None,
        ..size
    };
    let sizes = spacious.into_iter().chain([full]);
    sizes
        .map(|size| Point {
            label: match size.room {
                Some(_) => grouped(size.ended),
                None => format!("{}, room for 1,000,000", grouped(size.ended)),
            },
            scene: Scene::Guarded,
            size,
        })
        .collect()
}

pub(super) fn print(points: &[Point]) {
    let (stages, ended): (Vec<_>, Vec<_>) = points.iter().map(end).unzip();
    let mut table = costs(Axis::Ended, points, &stages);
    table.head.extend([
        "megabytes",
        "bytes each",
        "seconds to end them",
        "microseconds of a logout",
        "logins that a logout ends, of three",
    ]);
    let rows = table.rows.iter_mut().zip(points).zip(&ended);
    for (((row, point), ended), mut logouts) in rows.zip(log_out(points, &stages)) {
        row.extend([
            format!("{}", ended.bytes / 1_000_000),
            ended
                .bytes
                .checked_div(point.size.ended)
                .map_or(String::new(), |bytes| bytes.to_string()),
            format!("{:.1}", ended.seconds),
            format!("{:.1}", best_decile(&mut logouts)),
        ]);
    }
    // Last, because it may end the login of a client.
    for (row, stage) in table.rows.iter_mut().zip(&stages) {
        row.push(stage.ended_by_one_logout().to_string());
    }
    table.print();
}

/// The stage of a point, and the cost of ending its sessions.
fn end(point: &Point) -> (Stage, Ended) {
    let empty = Size {
        ended: 0,
        ..point.size
    };
    let stage = Stage::new(point.scene, &empty);
    let ended = memory::end(&stage, point.size.ended);
    (stage, ended)
}

/// Measures logouts of one session each, in microseconds, for all stages in turn.
fn log_out(points: &[Point], stages: &[Stage]) -> Vec<Vec<f64>> {
    let mut times = vec![Vec::new(); stages.len()];
    for round in 0..ROUNDS {
        for ((stage, point), times) in stages.iter().zip(points).zip(&mut times) {
            let first = point.size.ended + round * LOGOUTS;
            let requests: Vec<_> = (first..first + LOGOUTS).map(|n| stage.logout(n)).collect();
            for request in requests {
                let start = Instant::now();
                stage.serve(request);
                times.push(start.elapsed().as_secs_f64() * 1e6);
            }
        }
    }
    times
}
