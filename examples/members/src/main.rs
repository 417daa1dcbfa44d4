//! Starts the members' club: `cargo run -p members`, then open <http://127.0.0.1:8000>.

#[macro_use]
extern crate rocket;

use std::env;

use mimalloc::MiMalloc;

/// Gives the memory of the password hashes back. The allocator of the GNU C library keeps it: 460 MB
/// after 200 logins at once.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

#[launch]
fn rocket() -> _ {
    // `cargo run -p members` starts in the folder of the workspace, but our files are in this one.
    if let Some(folder) = env::var_os("CARGO_MANIFEST_DIR") {
        env::set_current_dir(folder).expect("the folder of the package exists");
    }
    // Instead of a mail.
    let print = |to: &str, text: &str| println!("A mail to {to}:\n{text}");
    members::rocket(rocket::Config::figment(), print)
}
