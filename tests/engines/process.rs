//! The process and the folder of an engine, neither of which outlives the test.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::fs::chown;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use std::{env, fs, process, thread};

/// A temporary folder. Dropping the value deletes it.
#[derive(Debug)]
pub struct Folder {
    path: PathBuf,
    /// Whether it is a disk of its own.
    is_disk: bool,
}

impl Folder {
    /// Creates an empty folder.
    ///
    /// # Panics
    ///
    /// If it cannot be created.
    #[must_use]
    pub fn new() -> Self {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let folder = env::temp_dir().join(format!("login-engine-{}-{number}", process::id()));
        fs::create_dir_all(&folder).unwrap();
        Folder {
            path: folder,
            is_disk: false,
        }
    }

    /// Creates a folder on a disk of its own, which [`fill`](Self::fill) fills; `None` after a note where this user may not
    /// mount one.
    #[must_use]
    pub fn on_small_disk(megabytes: usize) -> Option<Self> {
        let mut folder = Self::new();
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &format!("size={megabytes}m"), "tmpfs"])
            .arg(folder.path())
            .output();
        folder.is_disk = mounted.is_ok_and(|output| output.status.success());
        if !folder.is_disk {
            eprintln!("not tested, since this user may not mount a small disk");
        }
        folder.is_disk.then_some(folder)
    }

    /// Leaves no room on the disk.
    ///
    /// # Panics
    ///
    /// If nothing can be written.
    pub fn fill(&self) {
        let mut file = fs::File::create(self.ballast()).unwrap();
        while file.write_all(&[1; 4096]).is_ok() {}
    }

    /// Makes room again.
    ///
    /// # Panics
    ///
    /// If the disk is not full.
    pub fn make_room(&self) {
        fs::remove_file(self.ballast()).unwrap();
    }

    fn ballast(&self) -> PathBuf {
        self.path.join("ballast")
    }

    /// Returns the path of the folder.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }
}

/// Gives a file or a folder to a user of this machine.
pub(crate) fn give_to(path: &Path, user: u32) {
    chown(path, Some(user), None).unwrap();
}

impl Default for Folder {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if self.is_disk {
            let _ = Command::new("umount").arg("-l").arg(&self.path).status();
        }
        let _ = fs::remove_dir_all(&self.path);
    }
}

/// Runs the engine until its own input ends, or until a line comes. The input ends with the test's process, for whatever
/// reason: a `static` is never dropped, and a killed test drops nothing. After a line the folder stays for a restart.
const GUARD: &str = r#"
signal=$1 folder=$2; shift 2
"$@" >> "$folder/output" 2>&1 &
id=$!
echo $id
read -r keep
kill -CONT $id; kill -$signal $id
wait $id
[ "$keep" ] || rm -rf "$folder"
"#;

/// A running engine, or a server of the application. Dropping the value ends it.
#[derive(Debug)]
pub struct Process {
    guard: Child,
    id: String,
}

impl Process {
    /// Runs `command`, and appends its output to the file `output` in the folder. `signal` ends it without leaving a
    /// process behind.
    ///
    /// # Panics
    ///
    /// If there is no shell.
    #[must_use]
    pub fn start(folder: &Folder, signal: &str, command: &[String]) -> Self {
        let mut guard = Command::new("sh")
            .args(["-c", GUARD, "guard", signal])
            .arg(folder.path())
            .args(command)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut id = String::new();
        let output = guard.stdout.take().unwrap();
        BufReader::new(output).read_line(&mut id).unwrap();
        Process {
            guard,
            id: id.trim().to_owned(),
        }
    }

    /// Returns the id of the process.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Sends a signal to the process and to those that it has started.
    pub fn signal(&self, signal: &str) {
        let kill = |signal: &str| Command::new("kill").args([signal, &self.id]).status();
        let signal = format!("-{signal}");
        if signal == "-KILL" {
            // It could replace its children while they end, and leave the new ones behind.
            let _ = kill("-STOP");
        }
        let _ = Command::new("pkill")
            .args([&signal, "-P", &self.id])
            .status();
        let _ = kill(&signal);
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if let Some(mut input) = self.guard.stdin.take() {
            let _ = input.write_all(b"keep\n");
        }
        let _ = self.guard.wait();
    }
}

/// Returns a port that nobody listens on. It is below those that the system gives to clients: a client that tries again
/// and again to reach a server that is down could connect to itself, and then the server finds its port taken.
///
/// # Panics
///
/// If there is none.
#[must_use]
pub fn free_port() -> u16 {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let first = process::id().wrapping_mul(101);
    let mut ports = (0..FEW).map(|_| {
        let number = first.wrapping_add(COUNT.fetch_add(1, Ordering::Relaxed));
        10_000 + u16::try_from(number % 20_000).unwrap()
    });
    let is_free = |port: &u16| TcpListener::bind((Ipv4Addr::LOCALHOST, *port)).is_ok();
    ports.find(is_free).unwrap()
}

/// How many ports are tried.
const FEW: u32 = 1_000;

/// Waits until the process in this folder is ready.
///
/// # Panics
///
/// If it is not ready after a minute. The message has its output.
pub fn wait(folder: &Folder, mut is_ready: impl FnMut() -> bool) {
    let start = Instant::now();
    while !is_ready() {
        let output = || fs::read_to_string(folder.path().join("output")).unwrap_or_default();
        assert!(
            start.elapsed() < Duration::from_secs(60),
            "the process does not start: {}",
            output()
        );
        thread::sleep(Duration::from_millis(20));
    }
}
