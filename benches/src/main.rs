//! Measures the cost of a login: `cargo run --profile bench -p login-benches`; see NOTES.md.

mod application;
mod bare;
mod build;
mod by_hand;
mod callgrind;
mod committed;
mod crowd;
mod device;
mod growth;
mod markdown;
mod memory;
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
mod pin;
mod scene;
mod size;
mod stage;
#[cfg_attr(
    not(all(target_os = "linux", target_arch = "x86_64")),
    path = "no_steps.rs"
)]
mod steps;
mod table;
mod time;
mod tunables;
mod user;

use std::env;
use std::process::ExitCode;

use application::Size;
use growth::Axis;
use scene::Scene;
use stage::Stage;

const USAGE: &str = "usage: login-benches [SCENE]...   the table, of these scenes or of all
       login-benches growth [OF]...
                                  ever larger applications: of ended sessions, users, keys,
                                  routes and realms, or of these
       login-benches build        what a login adds to the build of an application
       login-benches count SCENE...
                                  only the instructions and allocations of these, in seconds
       login-benches check        compares the guarded route, a login and a denial with the committed figures
       login-benches commit       the table, whose figures the next ones are compared with";

fn main() -> ExitCode {
    let args: Vec<_> = env::args().skip(1).collect();
    let args: Vec<_> = args.iter().map(String::as_str).collect();
    match args.as_slice() {
        ["count", scenes @ ..] => {
            table::count(&scenes.iter().map(|name| named(name)).collect::<Vec<_>>());
        }
        ["check"] => return committed::check(),
        ["commit"] => table::commit(),
        ["help" | "--help"] => println!("{USAGE}"),
        // These processes are counted by another process.
        ["serve", scene, requests] => {
            // With all ended sessions, callgrind would take minutes.
            let scene = named(scene);
            let size = Size {
                ended: 1_000,
                ..scene.size()
            };
            let stage = Stage::new(scene, &size);
            for _ in 0..requests.parse().expect("a number of requests") {
                stage.serve(stage.request());
            }
        }
        ["stop", scene] => table::stop(named(scene)),
        ["stop", axis, point] => growth::stop(axis_named(axis), point.parse().expect("a point")),
        ["build"] => build::print(),
        ["growth"] => Axis::ALL.into_iter().for_each(growth::print),
        ["growth", axes @ ..] => axes
            .iter()
            .map(|name| axis_named(name))
            .for_each(growth::print),
        [] => {
            table::print(&Scene::ALL);
            size::print();
        }
        scenes => table::print(&scenes.iter().map(|name| named(name)).collect::<Vec<_>>()),
    }
    ExitCode::SUCCESS
}

fn named(name: &str) -> Scene {
    Scene::named(name).unwrap_or_else(|| panic!("no scene `{name}`\n{USAGE}"))
}

fn axis_named(name: &str) -> Axis {
    Axis::named(name).unwrap_or_else(|| panic!("nothing that grows is called `{name}`\n{USAGE}"))
}
