//! An application in a separate process.

use std::env;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::process::Command;
use std::thread;
use std::time::Duration;

use nix::sys::prctl::set_pdeathsig;
use nix::sys::signal::Signal;
use nix::time::{ClockId, clock_getcpuclockid};
use nix::unistd::Pid;

use crate::apps::Application;
use crate::machine;

/// A running application.
#[derive(Debug)]
pub(crate) struct Server {
    pub(crate) app: &'static Application,
    pub(crate) address: SocketAddr,
    clock: ClockId,
}

impl Server {
    /// Starts the application, and waits until it accepts connections.
    #[expect(
        clippy::zombie_processes,
        reason = "it ends with this process: see `serve`"
    )]
    pub(crate) fn start(app: &'static Application) -> Self {
        let address = free_address();
        let mut process = Command::new(env::current_exe().expect("this program"))
            .args(["serve", app.name, &address.port().to_string()])
            .spawn()
            .expect("a process of its own");
        while TcpStream::connect(address).is_err() {
            let status = process.try_wait().expect("the process's status");
            assert_eq!(status, None, "{} has ended", app.name);
            thread::sleep(Duration::from_millis(10));
        }
        let pid = Pid::from_raw(process.id().try_into().expect("a process id"));
        Server {
            app,
            address,
            clock: clock_getcpuclockid(pid).expect("the process's clock"),
        }
    }

    /// The CPU time of all threads of the server, including the time in the kernel.
    pub(crate) fn cpu_time(&self) -> Duration {
        self.clock.now().expect("the process's clock").into()
    }
}

fn free_address() -> SocketAddr {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
    listener.local_addr().expect("its address")
}

/// The process of the server, which ends with the measuring process.
pub(crate) fn serve(app: &Application, port: u16) {
    set_pdeathsig(Signal::SIGKILL).expect("a signal at the parent's death");
    machine::pin(machine::SERVER);
    (app.serve)(port);
}
