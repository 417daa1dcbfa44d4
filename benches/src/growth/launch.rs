//! Routes: the time that an application takes to launch.

use std::time::Instant;

use rocket::local::blocking::Client;

use super::Point;
use crate::application;
use crate::markdown::Table;
use crate::scene::Scene;
use crate::time::median;

const LAUNCHES: usize = 15;

/// Prints the launch of guarded routes beside that of plain ones without a manager.
pub(super) fn print(points: &[Point]) {
    let guarded = points.iter().filter(|point| point.scene == Scene::Guarded);
    let rows = guarded.map(|point| {
        let mut times = [Scene::Plain, Scene::Guarded].map(|scene| (scene, Vec::new()));
        for _ in 0..LAUNCHES {
            for (scene, times) in &mut times {
                let rocket = application::rocket(*scene, &point.size);
                let start = Instant::now();
                let client = Client::untracked(rocket).expect("the application launches");
                times.push(start.elapsed().as_secs_f64() * 1e3);
                drop(client);
            }
        }
        let [plain, guarded] = times.map(|(_, times)| median(times));
        vec![
            point.label.clone(),
            format!("{plain:.1}"),
            format!("{guarded:.1}"),
            format!("{:+.1}", guarded - plain),
        ]
    });
    let table = Table {
        head: vec![
            "routes",
            "milliseconds to launch them unguarded, without a manager",
            "guarded",
            "more",
        ],
        rows: rows.collect(),
    };
    table.print();
}
