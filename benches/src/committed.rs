//! The committed figures, with which a change is compared.

use std::process::ExitCode;
use std::{fmt, fs};

use crate::callgrind;
use crate::scene::Scene;

/// The file with the figures, one scene per line.
const PATH: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/committed");

/// The figures that can be compared between runs: a count that repeats, and a ratio.
pub(crate) struct Figures {
    pub(crate) callgrind: f64,
    pub(crate) time_of_floor: f64,
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
        })
    }
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.0} {:.2}", self.callgrind, self.time_of_floor)
    }
}

/// Replaces the committed figures.
pub(crate) fn write(figures: impl Iterator<Item = (Scene, Figures)>) {
    let lines = figures.map(|(scene, figures)| format!("{} {figures}\n", scene.name()));
    fs::write(PATH, lines.collect::<String>()).expect("figures that can be written");
}

/// Fails if the guarded route costs over 3 % more than the committed figure.
pub(crate) fn check() -> ExitCode {
    let committed = Figures::of(Scene::Guarded).expect("a committed figure");
    let now = callgrind::count(Scene::Guarded);
    let limit = committed.callgrind * 1.03;
    println!(
        "the guarded route: {now:.0} instructions under callgrind, committed {:.0}, limit {limit:.0}",
        committed.callgrind
    );
    if now <= limit {
        return ExitCode::SUCCESS;
    }
    println!(
        "it has become dearer: find out why, or say why it is worth it and run `login-benches commit`"
    );
    ExitCode::FAILURE
}
