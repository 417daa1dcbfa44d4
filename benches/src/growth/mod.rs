//! The cost of a request in larger and larger applications, relative to the smallest one of the same run.

mod ended;
mod launch;

use std::num::NonZero;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use crate::application::Size;
use crate::markdown::Table;
use crate::scene::Scene;
use crate::stage::Stage;
use crate::steps;
use crate::time;

/// The clients of every application: too many for the processor's caches.
const CLIENTS: usize = 1_000;

/// The number of counted requests for each point.
const REQUESTS: u32 = 8;

/// The number of timed rounds.
const ROUNDS: usize = 400;

/// The quantity that grows.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Axis {
    Users,
    Ended,
    Keys,
    Routes,
    Realms,
}

/// A request to an application of one size.
struct Point {
    /// The size of the quantity that grows.
    label: String,
    scene: Scene,
    size: Size,
}

impl Axis {
    pub(crate) const ALL: [Self; 5] = [
        Self::Ended,
        Self::Users,
        Self::Keys,
        Self::Routes,
        Self::Realms,
    ];

    fn name(self) -> &'static str {
        match self {
            Self::Users => "users",
            Self::Ended => "ended",
            Self::Keys => "keys",
            Self::Routes => "routes",
            Self::Realms => "realms",
        }
    }

    /// The axis of this name.
    #[must_use]
    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|axis| axis.name() == name)
    }

    fn what(self) -> &'static str {
        match self {
            Self::Users => "users",
            Self::Ended => "ended sessions",
            Self::Keys => "older keys",
            Self::Routes => "routes",
            Self::Realms => "realms",
        }
    }

    fn points(self) -> Vec<Point> {
        let size = Size {
            clients: CLIENTS,
            ..Size::default()
        };
        match self {
            Self::Ended => ended::points(size),
            Self::Users => {
                let scenes = [Scene::ByHand, Scene::Guarded];
                points([1_000, 100_000, 1_000_000], scenes, |users| Size {
                    users: i64::try_from(users).expect("a number of users"),
                    ..size
                })
            }
            Self::Keys => {
                let scenes = [Scene::Guarded, Scene::OldKey];
                let mut points = points([0, 1, 3], scenes, |old_keys| Size { old_keys, ..size });
                points.retain(|point| point.scene == Scene::Guarded || point.size.old_keys > 0);
                points
            }
            Self::Routes => {
                let scenes = [Scene::Plain, Scene::Guarded];
                points([1, 100, 2_000], scenes, |routes| Size { routes, ..size })
            }
            Self::Realms => {
                let scenes = [Scene::Attached, Scene::Guarded];
                points([1, 2, 4, 8], scenes, |realms| Size { realms, ..size })
            }
        }
    }
}

fn points<const N: usize, const M: usize>(
    amounts: [usize; N],
    scenes: [Scene; M],
    size: impl Fn(usize) -> Size,
) -> Vec<Point> {
    let point = |scene, amount| Point {
        label: grouped(amount),
        scene,
        size: size(amount),
    };
    let of_scene = |scene| amounts.map(|amount| point(scene, amount));
    scenes.into_iter().flat_map(of_scene).collect()
}

/// Prints the tables of one axis.
pub(crate) fn print(axis: Axis) {
    let points = axis.points();
    match axis {
        Axis::Ended => ended::print(&points),
        _ => {
            let stages = points
                .iter()
                .map(|point| Stage::new(point.scene, &point.size));
            costs(axis, &points, &stages.collect::<Vec<_>>()).print();
        }
    }
    if let Axis::Routes = axis {
        launch::print(&points);
    }
}

/// The cost of each point's request.
#[expect(
    clippy::cast_precision_loss,
    reason = "counts of instructions are small"
)]
fn costs(axis: Axis, points: &[Point], stages: &[Stage]) -> Table {
    let times = time::measure(stages, ROUNDS);
    let instructions = instructions(axis, points.len());
    let costs: Vec<_> = instructions
        .into_iter()
        .map(|instructions| instructions as f64)
        .zip(times)
        .collect();
    let rows = points
        .iter()
        .zip(&costs)
        .map(|(point, (instructions, time))| {
            let smallest = points.iter().position(|other| other.scene == point.scene);
            let (least, shortest) = smallest.map_or((0.0, 0.0), |n| costs[n]);
            vec![
                point.label.clone(),
                point.scene.name().to_owned(),
                format!("{instructions:.0}"),
                format!("{:+.0}", instructions - least),
                format!("{:.2}", instructions / least),
                format!("{:.2}", time / shortest),
            ]
        });
    Table {
        head: vec![
            axis.what(),
            "request",
            "instructions",
            "over the smallest",
            "of the smallest",
            "time of the smallest",
        ],
        rows: rows.collect(),
    }
}

/// Counts all points, one per processor at a time: more would only wait for each other.
fn instructions(axis: Axis, points: usize) -> Vec<u64> {
    let next = AtomicUsize::new(0);
    let counted = Mutex::new(vec![0; points]);
    let count = || {
        loop {
            let point = next.fetch_add(1, Ordering::Relaxed);
            if point >= points {
                return;
            }
            let args = ["stop", axis.name(), &point.to_string()];
            let instructions = steps::count(&args, REQUESTS).instructions;
            counted.lock().expect("no panic")[point] = instructions;
        }
    };
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(1, NonZero::get) {
            scope.spawn(count);
        }
    });
    counted.into_inner().expect("no panic")
}

/// Prints 1000000 as 1,000,000.
fn grouped(number: usize) -> String {
    let digits = number.to_string();
    let groups = digits.as_bytes().rchunks(3).rev();
    let groups = groups.map(|group| String::from_utf8_lossy(group));
    groups.collect::<Vec<_>>().join(",")
}

/// The process that is counted.
pub(crate) fn stop(axis: Axis, point: usize) {
    let Point { scene, size, .. } = axis.points().swap_remove(point);
    steps::stop(&Stage::new(scene, &size), REQUESTS);
}
