//! Starts the members' club: `cargo run -p members`, then open <http://127.0.0.1:8000>.

#[macro_use]
extern crate rocket;

use std::env;

#[launch]
fn rocket() -> _ {
    // `cargo run -p` starts in the workspace's folder, and our files lie in this package's.
    if let Some(folder) = env::var_os("CARGO_MANIFEST_DIR") {
        env::set_current_dir(folder).expect("the package's folder is there");
    }
    members::rocket(rocket::Config::figment())
}
