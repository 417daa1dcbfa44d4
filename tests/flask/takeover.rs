//! Users of the real Flask-Login come across: this application takes its place, on the same host and port.
//!
//! Flask is installed from `PyPI` in the target directory. Where that fails the tests pass with a note; with
//! `FLASK_LOGIN=required` in the environment they fail.

use std::collections::BTreeMap;
use std::io::{ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::thread::sleep;
use std::time::{Duration, Instant, SystemTime};

use rocket::{Build, Rocket};
use rocket_login::flask::FlaskCookies;
use rocket_login::testing::Clock;

use crate::common::App;
use crate::common::socket::{self, body, header, status};
use crate::signed::{OLDER, SECRET};
use crate::{REMEMBER, SESSION};

/// Ids that Werkzeug writes in quotes or with escapes, or that look like parts of the cookie.
const ODD_IDS: [&str; 8] = ["7", "a|b", "a b", "a,b;c", "q\"u\\o", "ünï", "😀", "%31"];

/// Returns the Python of a new environment with Flask-Login; `None` with a note if there can be none.
fn python() -> Option<&'static Path> {
    static PYTHON: OnceLock<Option<PathBuf>> = OnceLock::new();
    PYTHON.get_or_init(install).as_deref()
}

fn install() -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("flask-login-0.6.3");
    let python = folder.join("bin/python");
    let requirements = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/flask/requirements.txt");
    let works = |command: &mut Command| {
        let output = command.stdin(Stdio::null()).output();
        output.is_ok_and(|output| output.status.success())
    };
    let is_there = || works(Command::new(&python).args(["-c", "import flask_login"]));
    let install = || {
        works(Command::new("python3").args(["-m", "venv"]).arg(&folder))
            && works(Command::new(&python).args([
                "-m",
                "pip",
                "install",
                "--quiet",
                "--requirement",
                requirements,
            ]))
    };
    if is_there() || install() && is_there() {
        return Some(python);
    }
    let required = std::env::var_os("FLASK_LOGIN").is_some_and(|value| value == "required");
    assert!(
        !required,
        "Flask-Login cannot be installed: Python 3 with venv, and PyPI, are required"
    );
    eprintln!(
        "not run: Flask-Login cannot be installed, because Python 3 with venv or PyPI is missing"
    );
    None
}

/// One test at a time: they share no port, but a port that one has left could become another's.
fn alone() -> impl Drop {
    static ONE: Mutex<()> = Mutex::new(());
    ONE.lock().unwrap_or_else(PoisonError::into_inner)
}

fn free_port() -> u16 {
    TcpListener::bind(("127.0.0.1", 0))
        .unwrap()
        .local_addr()
        .unwrap()
        .port()
}

/// A running server, of either kind.
enum Server {
    Flask(Child),
    Rocket(rocket::Shutdown, Option<std::thread::JoinHandle<()>>),
}

impl Server {
    fn flask(python: &Path, port: u16, keys: &[&str]) -> Self {
        let program = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/flask/server.py");
        let child = Command::new(python)
            .args([program, &port.to_string()])
            .args(keys)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        wait_for(port);
        Self::Flask(child)
    }

    fn rocket(port: u16, rocket: Rocket<Build>) -> Self {
        let figment = rocket
            .figment()
            .clone()
            .merge(("port", port))
            .merge(("address", "127.0.0.1"))
            .merge(("shutdown.ctrlc", false))
            .merge(("shutdown.grace", 0))
            .merge(("shutdown.mercy", 0));
        let (sender, receiver) = std::sync::mpsc::channel();
        let thread = std::thread::spawn(move || {
            rocket::execute(async move {
                let rocket = rocket.configure(figment).ignite().await.unwrap();
                sender.send(rocket.shutdown()).unwrap();
                rocket.launch().await.unwrap();
            });
        });
        let shutdown = receiver.recv_timeout(Duration::from_secs(30)).unwrap();
        wait_for(port);
        Self::Rocket(shutdown, Some(thread))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        match self {
            Self::Flask(child) => {
                let _ = child.kill();
                let _ = child.wait();
            }
            Self::Rocket(shutdown, thread) => {
                shutdown.clone().notify();
                let _ = thread.take().map(std::thread::JoinHandle::join);
            }
        }
    }
}

fn wait_for(port: u16) {
    let begun = Instant::now();
    while TcpStream::connect(("127.0.0.1", port)).is_err() {
        assert!(
            begun.elapsed() < Duration::from_secs(30),
            "no server on port {port}"
        );
        sleep(Duration::from_millis(20));
    }
}

/// A browser. As in a real one, cookies belong to the host, whatever its port.
#[derive(Clone, Default)]
struct Browser {
    cookies: BTreeMap<String, String>,
}

impl Browser {
    fn send(&mut self, port: u16, path: &str, form: Option<&str>) -> String {
        let pairs: Vec<_> = self
            .cookies
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        let cookies = format!("Cookie: {}", pairs.join("; "));
        let mut headers: Vec<&[u8]> = vec![b"Connection: close", b"User-Agent: Firefox"];
        if !pairs.is_empty() {
            headers.push(cookies.as_bytes());
        }
        let request = match form {
            Some(form) => socket::post(path, &headers, form),
            None => socket::get(path, &headers),
        };
        let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
        stream.write_all(&request).unwrap();
        let mut reply = Vec::new();
        match stream.read_to_end(&mut reply) {
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::ConnectionReset => {}
            Err(error) => panic!("{error}"),
        }
        let reply = String::from_utf8(reply).unwrap();
        for line in header(&reply, "set-cookie") {
            let (name, rest) = line.split_once('=').unwrap();
            let value = rest.split(';').next().unwrap();
            if rest.contains("Max-Age=0") {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.into(), value.into());
            }
        }
        reply
    }

    fn get(&mut self, port: u16, path: &str) -> String {
        body(&self.send(port, path, None)).to_owned()
    }

    fn post(&mut self, port: u16, path: &str, form: &str) -> u16 {
        status(&self.send(port, path, Some(form)))
    }

    /// Logs in at Flask.
    fn login(port: u16, user: &str, form: &str) -> Self {
        let mut browser = Self::default();
        let user: String = rocket::http::RawStr::new(user).percent_encode().to_string();
        assert_eq!(
            browser.post(port, "/login", &format!("user={user}{form}")),
            200
        );
        browser
    }
}

/// This application, for all users of Flask, at the real time.
fn successor(keys: &[&str], change: impl FnOnce(FlaskCookies) -> FlaskCookies) -> App {
    let next_month =
        humantime::format_rfc3339_seconds(SystemTime::now() + Duration::from_secs(30 * 86_400));
    let day = next_month.to_string()[..10].to_owned();
    let cookies = FlaskCookies::new(keys[0])
        .secret_key_fallbacks(keys[1..].iter().copied())
        .until(day);
    let app = App::new()
        .with(|manager| manager.clock(Clock::system()).accept_flask(change(cookies)))
        .set("login.remember_cookie_name", "our_remember_token");
    for id in ODD_IDS {
        app.users.put(id);
    }
    app
}

#[test]
fn nobody_has_to_log_in_again() {
    let Some(python) = python() else { return };
    let _alone = alone();
    let port = free_port();

    // Under a key that Flask then retires.
    let flask = Server::flask(python, port, &[OLDER]);
    let mut early = Browser::login(port, "alice", "");
    let mut forgotten = Browser::login(port, "bob", "&remember=on");
    drop(flask);

    let flask = Server::flask(python, port, &[SECRET, OLDER]);
    let mut crowd = Vec::new();
    for id in ODD_IDS {
        for form in [
            "",
            "&remember=on",
            "&permanent=on",
            "&permanent=on&remember=on",
        ] {
            let mut browser = Browser::login(port, id, form);
            assert_eq!(browser.get(port, "/me"), id);
            assert_eq!(browser.get(port, "/status"), "fresh=True");
            crowd.push((id, form, browser.clone()));
            if form.contains("remember") {
                // After a restart of the browser, only the remember cookie is left.
                browser.cookies.remove(SESSION);
                crowd.push((id, form, browser));
            }
        }
    }
    assert_eq!(early.get(port, "/me"), "alice");
    forgotten.cookies.remove(SESSION);
    assert_eq!(forgotten.get(port, "/me"), "anonymous");
    drop(flask);

    let rocket = Server::rocket(
        port,
        successor(&[SECRET, OLDER], |cookies| cookies).rocket(),
    );
    assert_eq!(early.get(port, "/me"), "alice");
    assert_eq!(forgotten.get(port, "/me"), "anonymous");
    for (id, form, browser) in &mut crowd {
        let copied = browser.clone();
        assert_eq!(browser.get(port, "/me"), *id, "{form}");
        let is_remembered = form.contains("remember");
        let state = format!("fresh=false remembered={is_remembered}");
        assert_eq!(browser.get(port, "/status"), state, "{id} {form}");
        assert!(!browser.cookies.contains_key(SESSION) && !browser.cookies.contains_key(REMEMBER));
        // One character of each cookie is changed.
        for name in copied.cookies.keys() {
            let mut forged = copied.clone();
            forged.cookies.retain(|other, _| other == name);
            let value = forged.cookies.get_mut(name).unwrap();
            let at = value.trim_end_matches('"').len() - 5;
            let other = if &value[at..=at] == "0" { "1" } else { "0" };
            value.replace_range(at..=at, other);
            assert_eq!(forged.get(port, "/me"), "anonymous", "{id} {form} {name}");
        }
    }
    for (id, form, browser) in &mut crowd {
        let mut copied = browser.clone();
        assert_eq!(browser.post(port, "/logout", ""), 200);
        assert_eq!(browser.get(port, "/me"), "anonymous", "{id} {form}");
        assert_eq!(copied.get(port, "/me"), "anonymous", "{id} {form}");
    }
    drop(rocket);
}

#[test]
fn a_copy_of_flasks_cookies_ends_with_a_logout_here() {
    let Some(python) = python() else { return };
    let _alone = alone();
    let port = free_port();
    let flask = Server::flask(python, port, &[SECRET]);
    let mut browser = Browser::login(port, "alice", "&remember=on");
    let copied = browser.clone();
    drop(flask);

    let _rocket = Server::rocket(port, successor(&[SECRET], |cookies| cookies).rocket());
    assert_eq!(browser.get(port, "/me"), "alice");
    assert_eq!(browser.post(port, "/logout", ""), 200);
    for name in [SESSION, REMEMBER] {
        let mut thief = copied.clone();
        thief.cookies.retain(|other, _| other == name);
        assert_eq!(thief.get(port, "/me"), "anonymous", "{name}");
    }
}

#[test]
fn side_by_side_one_login_serves_both_and_one_logout_ends_both() {
    let Some(python) = python() else { return };
    let _alone = alone();
    let [at_flask, here] = [free_port(), free_port()];
    let _flask = Server::flask(python, at_flask, &[SECRET]);
    let app = successor(&[SECRET], FlaskCookies::side_by_side);
    let _rocket = Server::rocket(here, app.rocket());

    let mut browser = Browser::login(at_flask, "alice", "&remember=on");
    assert_eq!(
        [browser.get(here, "/me"), browser.get(at_flask, "/me")],
        ["alice", "alice"]
    );
    assert_eq!(browser.post(here, "/logout", ""), 200);
    assert_eq!(
        [browser.get(here, "/me"), browser.get(at_flask, "/me")],
        ["anonymous", "anonymous"]
    );
}

#[test]
fn strong_protection_knows_the_client_of_a_session_from_flask() {
    let Some(python) = python() else { return };
    let _alone = alone();
    let port = free_port();
    let flask = Server::flask(python, port, &[SECRET]);
    let mut browser = Browser::login(port, "alice", "");
    drop(flask);
    let app = successor(&[SECRET], |cookies| cookies).set("login.session_protection", "strong");
    let _rocket = Server::rocket(port, app.rocket());
    let mut thief = browser.clone();
    let reply = {
        let cookies = format!("Cookie: {SESSION}={}", thief.cookies[SESSION]);
        let request = socket::get(
            "/me",
            &[
                b"Connection: close",
                b"User-Agent: Chrome",
                cookies.as_bytes(),
            ],
        );
        let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
        stream.write_all(&request).unwrap();
        let mut reply = String::new();
        stream.read_to_string(&mut reply).unwrap();
        reply
    };
    assert_eq!(body(&reply), "anonymous");
    assert_eq!(thief.get(port, "/me"), "alice");
    assert_eq!(browser.get(port, "/me"), "alice");
}
