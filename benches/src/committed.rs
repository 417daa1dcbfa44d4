//! The committed figures, with which a change is compared.

use std::process::ExitCode;
use std::{fmt, fs};

use crate::scene::Scene;
use crate::{callgrind, steps};

/// The file with the figures, one scene per line.
const PATH: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/committed");

/// The scenes that [`check`] counts again.
const CHECKED: [Scene; 3] = [Scene::Guarded, Scene::Login, Scene::Denial];

/// The figures that can be compared between runs: two counts that repeat, and a ratio.
pub(crate) struct Figures {
    pub(crate) callgrind: f64,
    pub(crate) time_of_floor: f64,
    pub(crate) allocations: f64,
}

impl Figures {
    /// The committed figures of a scene; `None` for a new scene.
    pub(crate) fn of(scene: Scene) -> Option<Self> {
        let text = fs::read_to_string(PATH).expect("the committed figures");
        let mut words = text
            .lines()
            .map(|line| line.split(' ').collect::<Vec<_>>())
            .find(|words| words.first() == Some(&scene.name()))?
            .into_iter()
            .skip(1)
            .map(|word| word.parse().expect("a committed figure"));
        Some(Figures {
            callgrind: words.next()?,
            time_of_floor: words.next()?,
            allocations: words.next()?,
        })
    }
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{:.0} {:.2} {:.0}",
            self.callgrind, self.time_of_floor, self.allocations
        )
    }
}

/// Replaces the committed figures.
pub(crate) fn write(figures: impl Iterator<Item = (Scene, Figures)>) {
    let lines = figures.map(|(scene, figures)| format!("{} {figures}\n", scene.name()));
    fs::write(PATH, lines.collect::<String>()).expect("figures that can be written");
}

/// Fails if a checked scene costs over 3 % more instructions than the committed figure, or a single allocation more.
pub(crate) fn check() -> ExitCode {
    let dearer: Vec<_> = CHECKED
        .into_iter()
        .filter(|scene| is_dearer(*scene))
        .map(Scene::name)
        .collect();
    if dearer.is_empty() {
        return ExitCode::SUCCESS;
    }
    println!(
        "{} costs more: find out why, or say why it is worth it and run `login-benches commit`",
        dearer.join(", ")
    );
    ExitCode::FAILURE
}

#[expect(
    clippy::cast_precision_loss,
    reason = "counts of allocations are small"
)]
fn is_dearer(scene: Scene) -> bool {
    let committed = Figures::of(scene).expect("a committed figure");
    let instructions = callgrind::count(scene).expect("a scene that valgrind can run");
    let allocations = steps::count(&["stop", scene.name()], 15).allocations;
    let limit = committed.callgrind * 1.03;
    println!(
        "{}: {instructions:.0} instructions under callgrind, committed {:.0}, limit {limit:.0}; {allocations} \
         allocations, limit {:.0}",
        scene.name(),
        committed.callgrind,
        committed.allocations,
    );
    instructions > limit || allocations as f64 > committed.allocations
}
