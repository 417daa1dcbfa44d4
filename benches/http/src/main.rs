//! Measures the cost of a login over HTTP, compared with other libraries, on Linux: `cargo run --release
//! --manifest-path benches/http/Cargo.toml`; see benches/NOTES.md.

mod apps;
mod browser;
#[path = "../../src/by_hand.rs"]
mod by_hand;
mod client;
mod in_process;
mod machine;
mod rounds;
mod server;
mod table;
#[path = "../../src/user.rs"]
mod user;
mod users;

use std::env;

use apps::Application;

const USAGE: &str =
    "usage: login-peers                    the tables, in four minutes of a quiet machine
       login-peers in-process         only that of Rocket's applications without a network
       login-peers serve NAME PORT    one of its applications";

fn main() {
    let args: Vec<_> = env::args().skip(1).collect();
    let args: Vec<_> = args.iter().map(String::as_str).collect();
    match args.as_slice() {
        [] => {
            println!("{}\n", machine::description());
            table::print(&rounds::measure(apps::flask::install()));
            in_process::print();
        }
        ["in-process"] => {
            println!("{}\n", machine::description());
            in_process::print();
        }
        ["serve", name, port] => {
            let app = Application::named(name).unwrap_or_else(|| panic!("no `{name}`\n{USAGE}"));
            server::serve(app, port.parse().expect("a port"));
        }
        _ => println!("{USAGE}"),
    }
}
