//! What a request costs, in process: `cargo run --profile bench -p login-benches`; see PERFORMANCE.md.

mod callgrind;
mod scene;
mod size;
#[cfg_attr(
    not(all(target_os = "linux", target_arch = "x86_64")),
    path = "no_steps.rs"
)]
mod steps;
mod table;
mod time;

use std::env;
use std::process::ExitCode;

use scene::{Scene, Stage};

const USAGE: &str = "usage: login-benches [SCENE]...   the table, of these scenes or of all
       login-benches check        compares the guarded route with the committed figure
       login-benches commit       writes that figure anew";

fn main() -> ExitCode {
    let args: Vec<_> = env::args().skip(1).collect();
    let args: Vec<_> = args.iter().map(String::as_str).collect();
    match args.as_slice() {
        ["check"] => return callgrind::check(),
        ["commit"] => callgrind::commit(),
        ["help" | "--help"] => println!("{USAGE}"),
        // The processes that are counted from outside.
        ["serve", scene, requests] => {
            // Under callgrind all the ended sessions would take minutes.
            let stage = Stage::new(named(scene), 1_000);
            for _ in 0..requests.parse().expect("a number of requests") {
                stage.serve(stage.request());
            }
        }
        ["stop", scene] => steps::stop(named(scene)),
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
