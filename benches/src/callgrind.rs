//! Instructions as valgrind's callgrind counts them: the same on every run, but
//! without the processor's SHA extensions, which valgrind hides.

use std::process::{Command, ExitCode, Stdio};
use std::{env, fs};

use crate::scene::Scene;

/// The requests whose mean is taken.
const REQUESTS: u64 = 100;

/// Counts a scene, in a process of its own.
pub(crate) fn count(scene: Scene) -> u64 {
    let binary = env::current_exe().expect("this program");
    let profile = binary.with_file_name(format!("callgrind.{}", scene.name()));
    let status = Command::new("valgrind")
        .args(["--tool=callgrind", "--toggle-collect=*Stage::serve*"])
        .arg(format!("--callgrind-out-file={}", profile.display()))
        .arg(&binary)
        .args(["serve", scene.name(), &REQUESTS.to_string()])
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
    total(&text).expect("callgrind's total") / REQUESTS
}

fn total(profile: &str) -> Option<u64> {
    let total = profile
        .lines()
        .find_map(|line| line.strip_prefix("totals: "))?;
    total.trim().parse().ok()
}

/// Where the figure stands that a change is compared with.
const COMMITTED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/guarded.callgrind");

/// Fails where the guarded route costs over 3 % more than the committed figure.
pub(crate) fn check() -> ExitCode {
    let committed = fs::read_to_string(COMMITTED).expect("the committed figure");
    let committed: u64 = committed.trim().parse().expect("a number of instructions");
    let now = count(Scene::Guarded);
    let limit = committed + committed * 3 / 100;
    println!(
        "the guarded route: {now} instructions under callgrind, committed {committed}, limit {limit}"
    );
    if now <= limit {
        return ExitCode::SUCCESS;
    }
    println!(
        "it has become dearer: find out why, or say why it is worth it and run `login-benches commit`"
    );
    ExitCode::FAILURE
}

/// Writes the figure anew.
pub(crate) fn commit() {
    let now = count(Scene::Guarded);
    fs::write(COMMITTED, format!("{now}\n")).expect("a figure that can be written");
    println!("{COMMITTED}: {now}");
}
