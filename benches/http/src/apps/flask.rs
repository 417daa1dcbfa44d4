//! Flask alone, and with Flask-Login 0.6 with its default settings, in waitress with one thread. Flask signs its session
//! cookie; it has no idle timeout, the server cannot end a login, and a new password changes nothing.

use std::env;
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::Command;

use crate::users::{ALICE, NAME, SECRET};

const PROGRAM: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/src/apps/python/server.py");
const REQUIREMENTS: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/src/apps/python/requirements.txt"
);

/// Installs Flask in a folder beside this program. Returns whether it is there.
pub(crate) fn install() -> bool {
    let run = |command: &mut Command| command.status().is_ok_and(|status| status.success());
    let environment = environment();
    run(Command::new("python3")
        .args(["-m", "venv"])
        .arg(&environment))
        && run(Command::new(environment.join("bin/pip")).args([
            "install",
            "--quiet",
            "--requirement",
            REQUIREMENTS,
        ]))
}

/// Becomes the server, so that its CPU time is that of this process.
pub(crate) fn serve(application: &str, port: u16) {
    let failed = Command::new(environment().join("bin/python"))
        .args([PROGRAM, application, &port.to_string()])
        .env("ALICE", ALICE.to_string())
        .env("NAME", NAME)
        .env("SECRET", SECRET)
        .exec();
    panic!("python does not start: {failed}");
}

fn environment() -> PathBuf {
    let program = env::current_exe().expect("this program");
    program.with_file_name("flask")
}
