//! The table: what each scene costs over the same request without a login.

use crate::scene::Scene;
use crate::{callgrind, steps, time};

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
    let times = time::measure(&scenes);
    let rows: Vec<_> = scenes
        .iter()
        .zip(times)
        .map(|(scene, time)| {
            let steps = steps::count(*scene);
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
    println!(
        "| request | instructions | of its floor | over its floor | of the guard by hand \
         | allocations over its floor | callgrind | time of its floor | time over it, of the guard by hand |"
    );
    println!("| --- |{}", " ---: |".repeat(8));
    for (scene, row_of_scene) in scenes.iter().zip(&rows) {
        let floor = row(scene.floor());
        let over = row_of_scene.over(floor);
        println!(
            "| {} | {:.0} | {:.2} | {:+.0} | {:.2} | {:+.0} | {:.0} | {:.2} | {:.2} |",
            scene.name(),
            row_of_scene.instructions,
            row_of_scene.instructions / floor.instructions,
            over.instructions,
            over.instructions / guard.instructions,
            over.allocations,
            row_of_scene.callgrind,
            row_of_scene.time / floor.time,
            over.time / guard.time,
        );
    }
}
