//! The table: what each scene costs more than the same request without a login.

use crate::committed::{self, Figures};
use crate::markdown::Table;
use crate::scene::Scene;
use crate::stage::Stage;
use crate::{callgrind, steps, time};

/// The number of counted requests. One that verifies a signature takes 50 times as long as any other.
const fn requests(scene: Scene) -> u32 {
    match scene {
        Scene::Refresh => 1,
        _ => 15,
    }
}

/// The number of timed rounds: enough to include fast and slow phases of the machine.
const ROUNDS: usize = 4_000;

struct Row {
    scene: Scene,
    instructions: f64,
    allocations: f64,
    callgrind: Option<f64>,
    time: f64,
}

/// The counted process.
pub(crate) fn stop(scene: Scene) {
    steps::stop(&Stage::new(scene, &scene.size()), requests(scene));
}

/// Measures the scenes and the requests that they are compared with, and prints the table.
pub(crate) fn print(wanted: &[Scene]) {
    let is_compared = |scene: &Scene| {
        [Scene::Plain, Scene::ByHand].contains(scene)
            || wanted
                .iter()
                .any(|wanted| wanted == scene || wanted.floor() == *scene)
    };
    let mut scenes = Scene::ALL.to_vec();
    scenes.retain(is_compared);
    Rows::measure(&scenes).print();
}

/// Prints the executed instructions and the allocations of scenes, without comparing them.
pub(crate) fn count(scenes: &[Scene]) {
    for scene in scenes {
        let steps = steps::count(&["stop", scene.name()], requests(*scene));
        println!(
            "{}: {} instructions, {} allocations",
            scene.name(),
            steps.instructions,
            steps.allocations
        );
    }
}

/// Prints the table of all scenes, and writes the figures with which the next run is compared.
pub(crate) fn commit() {
    let rows = Rows::measure(&Scene::ALL);
    rows.print();
    committed::write(rows.0.iter().filter_map(|row| {
        let figures = Figures {
            callgrind: row.callgrind?,
            time_of_floor: row.time / rows.floor_of(row).time,
            allocations: row.allocations,
        };
        Some((row.scene, figures))
    }));
}

struct Rows(Vec<Row>);

impl Rows {
    #[expect(
        clippy::cast_precision_loss,
        reason = "counts of instructions are small"
    )]
    fn measure(scenes: &[Scene]) -> Self {
        let stages = scenes.iter().map(|scene| Stage::new(*scene, &scene.size()));
        let times = time::measure(&stages.collect::<Vec<_>>(), ROUNDS);
        let rows = scenes.iter().zip(times).map(|(scene, time)| {
            let steps = steps::count(&["stop", scene.name()], requests(*scene));
            Row {
                scene: *scene,
                instructions: steps.instructions as f64,
                allocations: steps.allocations as f64,
                callgrind: callgrind::count(*scene),
                time,
            }
        });
        Rows(rows.collect())
    }

    fn of(&self, scene: Scene) -> &Row {
        let mut rows = self.0.iter();
        let found = rows.find(|row| row.scene == scene);
        found.expect("a scene that was measured")
    }

    fn floor_of(&self, row: &Row) -> &Row {
        self.of(row.scene.floor())
    }

    fn print(&self) {
        let guard = self.of(Scene::ByHand);
        let over = |row: &Row, figure: fn(&Row) -> f64| figure(row) - figure(self.floor_of(row));
        let of_guard = |row, figure| over(row, figure) / over(guard, figure);
        let rows = self.0.iter().map(|row| {
            let floor = self.floor_of(row);
            let time_of_floor = row.time / floor.time;
            let committed = Figures::of(row.scene);
            let of_committed = |figure: fn(&Figures) -> f64, now: Option<f64>| {
                let then = committed.as_ref().map(figure);
                let ratio = now.zip(then).map(|(now, then)| now / then);
                ratio.map_or_else(|| "new".to_owned(), |ratio| format!("{ratio:.2}"))
            };
            vec![
                row.scene.name().to_owned(),
                format!("{:.0}", row.instructions),
                format!("{:.2}", row.instructions / floor.instructions),
                format!("{:+.0}", over(row, |row| row.instructions)),
                format!("{:.2}", of_guard(row, |row| row.instructions)),
                format!("{:+.0}", over(row, |row| row.allocations)),
                row.callgrind
                    .map_or_else(|| "-".to_owned(), |count| format!("{count:.0}")),
                of_committed(|then| then.callgrind, row.callgrind),
                format!("{time_of_floor:.2}"),
                of_committed(|then| then.time_of_floor, Some(time_of_floor)),
                format!("{:.2}", of_guard(row, |row| row.time)),
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
                "of the commit's",
                "time of its floor",
                "of the commit's",
                "time over it, of the guard by hand",
            ],
            rows: rows.collect(),
        };
        table.print();
    }
}
