//! Counts instructions with valgrind's callgrind: the same on every run, but without the processor's SHA extensions,
//! which valgrind hides.

use std::process::{Command, Stdio};
use std::{env, fs};

use crate::scene::Scene;
use crate::tunables;

/// The number of requests for the mean.
const REQUESTS: u32 = 100;

/// Counts a scene, in a process of its own; `None` for one that reads rustix's clock, which crashes under valgrind.
pub(crate) fn count(scene: Scene) -> Option<f64> {
    if scene == Scene::Store {
        return None;
    }
    let binary = env::current_exe().expect("this program");
    let profile = binary.with_file_name(format!("callgrind.{}", scene.name()));
    let status = Command::new("valgrind")
        .args(["--tool=callgrind", "--toggle-collect=*Stage::serve*"])
        .arg(format!("--callgrind-out-file={}", profile.display()))
        .arg(&binary)
        .args(["serve", scene.name(), &REQUESTS.to_string()])
        .env(tunables::NAME, tunables::VALUE)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .expect("valgrind, as in `apt-get install valgrind`");
    assert!(
        status.success(),
        "{} under callgrind: {status}",
        scene.name()
    );
    let text = fs::read_to_string(&profile).expect("callgrind's profile");
    let total = total(&text).expect("callgrind's total");
    Some(total / f64::from(REQUESTS))
}

fn total(profile: &str) -> Option<f64> {
    let total = profile
        .lines()
        .find_map(|line| line.strip_prefix("totals: "))?;
    total.trim().parse().ok()
}
