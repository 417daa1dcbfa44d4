//! Counts the instructions that the processor really executes, by single-stepping a process.

use std::env;
use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};

use nix::libc;
use nix::sys::ptrace;
use nix::sys::signal::{Signal, raise};
use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::Pid;
use rocket::http::Cookie;

use crate::pin;
use crate::stage::Stage;
use crate::tunables;

/// The addresses that the process reports first: where the functions of the C library's allocator begin.
const ALLOCATORS: usize = 3;

/// The cost of one request.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Counted {
    pub(crate) instructions: u64,
    pub(crate) allocations: u64,
}

/// Counts the requests of a stage in a separate process, which calls [`stop`]: this program, with these arguments.
/// Returns the mean of several processes, because Rocket's hash maps have a new seed in each.
pub(crate) fn count(args: &[&str], requests: u32) -> Counted {
    let mut child = Command::new(env::current_exe().expect("this program"))
        .args(args)
        .env(tunables::NAME, tunables::VALUE)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("a process of its own");
    let pid = Pid::from_raw(child.id().try_into().expect("a process id"));
    let stdout = child.stdout.take().expect("its output");
    let allocators: Vec<u64> = BufReader::new(stdout)
        .lines()
        .filter_map(|line| line.expect("a line").strip_prefix("at ")?.parse().ok())
        .take(ALLOCATORS)
        .collect();
    let _pinned = pin::beside(pid);
    let (mut answers, mut parsing) = (Counted::default(), Counted::default());
    for sum in [&mut answers, &mut parsing] {
        for _ in 0..requests {
            run_to_stop(pid);
            let counted = steps_to_stop(pid, &allocators);
            sum.instructions += counted.instructions;
            sum.allocations += counted.allocations;
        }
    }
    child.wait().expect("the request's process ends");
    Counted {
        instructions: (answers.instructions - parsing.instructions) / u64::from(requests),
        allocations: (answers.allocations - parsing.allocations) / u64::from(requests),
    }
}

fn run_to_stop(pid: Pid) {
    loop {
        match waitpid(pid, None).expect("the request's process") {
            WaitStatus::Stopped(_, Signal::SIGSTOP) => return,
            WaitStatus::Stopped(_, signal) => ptrace::cont(pid, signal).expect("it goes on"),
            status => panic!("the request's process has ended: {status:?}"),
        }
    }
}

fn steps_to_stop(pid: Pid, allocators: &[u64]) -> Counted {
    let mut counted = Counted::default();
    loop {
        ptrace::step(pid, None).expect("a step");
        match waitpid(pid, None).expect("the request's process") {
            WaitStatus::Stopped(_, Signal::SIGTRAP) => {
                let at = ptrace::getregs(pid).expect("its registers").rip;
                counted.instructions += 1;
                counted.allocations += u64::from(allocators.contains(&at));
            }
            WaitStatus::Stopped(_, Signal::SIGSTOP) => break,
            status => panic!("the request's process has ended: {status:?}"),
        }
    }
    ptrace::cont(pid, None).expect("the request's process goes on");
    counted
}

/// The counted process: each request runs between two stops. Between two more stops runs the work that only Rocket's
/// test client does: it parses the cookies of the answer.
pub(crate) fn stop(stage: &Stage, requests: u32) {
    for _ in 0..100 {
        stage.serve(stage.request());
    }
    for allocator in [
        libc::malloc as *const (),
        libc::calloc as *const (),
        libc::realloc as *const (),
    ] {
        println!("at {}", allocator.addr());
    }
    ptrace::traceme().expect("a parent that traces");
    for _ in 0..requests {
        let request = stage.request();
        raise(Signal::SIGSTOP).expect("a stop");
        stage.serve(request);
        raise(Signal::SIGSTOP).expect("a stop");
    }
    let set_cookies = stage.set_cookies();
    for _ in 0..requests {
        raise(Signal::SIGSTOP).expect("a stop");
        for cookie in &set_cookies {
            drop(Cookie::parse_encoded(cookie.as_str()).map(Cookie::into_owned));
        }
        raise(Signal::SIGSTOP).expect("a stop");
    }
}
