//! The build time that rocket-login adds to a Rocket application.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use crate::markdown::Table;
use crate::time::median;

/// The number of changes after which an application is built again.
const CHANGES: usize = 5;

/// The directory of this workspace.
const WORKSPACE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

/// An application, in a directory of its own.
struct Application {
    name: &'static str,
    directory: PathBuf,
    source: &'static str,
    /// The number of changes of its source.
    changes: usize,
}

impl Application {
    /// Writes the application's files, with the locked versions of the workspace.
    fn write(name: &'static str, dependencies: &str, source: &'static str) -> Self {
        let directory = Path::new(WORKSPACE).join("target/benches-build").join(name);
        // Removes the build of an earlier run.
        let _ = fs::remove_dir_all(&directory);
        fs::create_dir_all(directory.join("src")).expect("a directory below `target`");
        let manifest = format!(
            "[package]\nname = \"application\"\nedition = \"2024\"\n\n\
             [dependencies]\n{dependencies}\n\n[workspace]\n"
        );
        fs::write(directory.join("Cargo.toml"), manifest).expect("a manifest");
        fs::copy(
            Path::new(WORKSPACE).join("Cargo.lock"),
            directory.join("Cargo.lock"),
        )
        .expect("the workspace's lock file");
        let application = Application {
            name,
            directory,
            source,
            changes: 0,
        };
        application.write_source();
        application
    }

    fn write_source(&self) {
        let (before, after) = self
            .source
            .split_once("BUILD: u32 = 0")
            .expect("its number");
        let source = format!("{before}BUILD: u32 = {}{after}", self.changes);
        fs::write(self.directory.join("src/main.rs"), source).expect("a source");
    }

    fn cargo(&self, args: &[&str]) -> Command {
        let mut cargo = Command::new("cargo");
        cargo
            .args(args)
            .current_dir(&self.directory)
            .env("CARGO_TARGET_DIR", self.directory.join("target"))
            .stderr(Stdio::null());
        cargo
    }

    /// The seconds that a cargo command takes.
    fn seconds(&self, command: &str) -> f64 {
        let start = Instant::now();
        let status = self.cargo(&[command]).status().expect("cargo");
        let seconds = start.elapsed().as_secs_f64();
        assert!(
            status.success(),
            "`cargo {command}` in {}",
            self.directory.display()
        );
        seconds
    }

    /// The seconds after a change of its source.
    fn seconds_after_change(&mut self, command: &str) -> f64 {
        self.changes += 1;
        self.write_source();
        self.seconds(command)
    }

    /// The crates that it depends on.
    fn crates(&self) -> usize {
        let tree = [
            "tree",
            "--edges=normal,build",
            "--prefix=none",
            "--format={p}",
        ];
        let output = self.cargo(&tree).output().expect("cargo");
        let text = String::from_utf8(output.stdout).expect("text");
        let crates = text.lines().filter_map(|line| line.split_once(" v"));
        let version = |rest: &str| rest.split(' ').next().map(str::to_owned);
        let mut crates: Vec<_> = crates
            .map(|(name, rest)| (name.to_owned(), version(rest)))
            .collect();
        crates.sort_unstable();
        crates.dedup();
        crates.len() - 1
    }
}

/// Builds the applications, and prints the time of each.
pub(crate) fn print() {
    let ours = format!("rocket = \"0.5\"\nrocket-login = {{ path = {WORKSPACE:?} }}");
    let mut applications = [
        Application::write(
            "plain",
            "rocket = \"0.5\"",
            include_str!("../apps/plain.rs"),
        ),
        Application::write(
            "by-hand",
            "rocket = { version = \"0.5\", features = [\"secrets\"] }",
            include_str!("../apps/by_hand.rs"),
        ),
        Application::write("login", &ours, include_str!("../apps/login.rs")),
    ];
    for application in &applications {
        application.seconds("fetch");
    }
    let clean = applications
        .each_ref()
        .map(|application| application.seconds("build"));
    // So that a later check finds the other crates already built.
    for application in &applications {
        application.seconds("check");
    }
    let mut builds = [(); 3].map(|()| Vec::new());
    let mut checks = builds.clone();
    for _ in 0..CHANGES {
        for ((application, builds), checks) in
            applications.iter_mut().zip(&mut builds).zip(&mut checks)
        {
            builds.push(application.seconds_after_change("build"));
            checks.push(application.seconds_after_change("check"));
        }
    }
    let (builds, checks) = (builds.map(median), checks.map(median));
    let rows = applications.iter().enumerate().map(|(n, application)| {
        let of_plain = |times: [f64; 3]| {
            [
                format!("{:.2}", times[n]),
                format!("{:.2}", times[n] / times[0]),
            ]
        };
        let cells = [clean, builds, checks].map(of_plain).concat();
        [
            vec![
                application.name.to_owned(),
                application.crates().to_string(),
            ],
            cells,
        ]
        .concat()
    });
    let table = Table {
        head: vec![
            "application",
            "crates",
            "seconds of a clean build",
            "of plain",
            "of a build after a change",
            "of plain",
            "of a check after a change",
            "of plain",
        ],
        rows: rows.collect(),
    };
    table.print();
}
