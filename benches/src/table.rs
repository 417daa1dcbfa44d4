//! The table: what each scene costs over the same request without a login.

use crate::markdown::Table;
use crate::scene::Scene;
use crate::stage::Stage;
use crate::{callgrind, steps, time};

/// The requests of each scene that are counted.
const REQUESTS: u32 = 15;

struct Row {
    instructions: f64,
    allocations: f64,
    callgrind: f64,
    time: f64,
}

impl Row {
    fn over(&self, floor: &Row) -> Row {
        Row {
            instructions: self.instructions - floor.instructions,
            allocations: self.allocations - floor.allocations,
            callgrind: self.callgrind - floor.callgrind,
            time: self.time - floor.time,
        }
    }
}

/// The process that is counted.
pub(crate) fn stop(scene: Scene) {
    steps::stop(&Stage::new(scene, &scene.size()), REQUESTS);
}

/// Measures the scenes, and what they are compared with, and prints the table.
#[expect(
    clippy::cast_precision_loss,
    reason = "counts of instructions are small"
)]
pub(crate) fn print(wanted: &[Scene]) {
    let is_wanted = |scene: &Scene| {
        *scene == Scene::ByHand
            || wanted
                .iter()
                .any(|wanted| wanted == scene || wanted.floor() == *scene)
    };
    let mut scenes = Scene::ALL.to_vec();
    scenes.retain(|scene| *scene == Scene::Plain || is_wanted(scene));
    let stages = scenes.iter().map(|scene| Stage::new(*scene, &scene.size()));
    let times = time::measure(&stages.collect::<Vec<_>>());
    let rows: Vec<_> = scenes
        .iter()
        .zip(times)
        .map(|(scene, time)| {
            let steps = steps::count(&["stop", scene.name()], REQUESTS);
            Row {
                instructions: steps.instructions as f64,
                allocations: steps.allocations as f64,
                callgrind: callgrind::count(*scene) as f64,
                time,
            }
        })
        .collect();
    let row = |wanted: Scene| {
        let mut rows = scenes.iter().zip(&rows);
        let found = rows.find(|(scene, _)| **scene == wanted);
        found.expect("a scene that was measured").1
    };
    let guard = row(Scene::ByHand).over(row(Scene::Plain));
    let rows = scenes.iter().zip(&rows).map(|(scene, row_of_scene)| {
        let floor = row(scene.floor());
        let over = row_of_scene.over(floor);
        vec![
            scene.name().to_owned(),
            format!("{:.0}", row_of_scene.instructions),
            format!("{:.2}", row_of_scene.instructions / floor.instructions),
            format!("{:+.0}", over.instructions),
            format!("{:.2}", over.instructions / guard.instructions),
            format!("{:+.0}", over.allocations),
            format!("{:.0}", row_of_scene.callgrind),
            format!("{:.2}", row_of_scene.time / floor.time),
            format!("{:.2}", over.time / guard.time),
        ]
    });
    let table = Table {
        head: vec![
            "request",
            "instructions",
            "of its floor",
            "over its floor",
            "of the guard by hand",
            "allocations over its floor",
            "callgrind",
            "time of its floor",
            "time over it, of the guard by hand",
        ],
        rows: rows.collect(),
    };
    table.print();
}
