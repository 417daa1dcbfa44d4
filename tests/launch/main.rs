//! What stops a launch, what only warns, and what no log line ever shows.

#![allow(
    clippy::needless_pass_by_value,
    reason = "Rocket's handlers take what they are given"
)]
#![allow(clippy::unnecessary_wraps, reason = "a loader's type is fixed")]

#[path = "../common/mod.rs"]
mod common;

mod guards;

use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use data_encoding::{BASE64, HEXLOWER};
use rocket::error::ErrorKind;
use rocket::fairing::AdHoc;
use rocket::figment::Figment;
use rocket::figment::providers::{Format as _, Toml};
use rocket::figment::value::Value;
use rocket::http::Status;
use rocket::{Build, Config, Rocket, Route, State, get, post, routes};
use rocket_login::{
    CurrentUser, Fresh, LoginError, LoginEvent, LoginManager, LoginSession, MemoryRevocations,
    Signer, UserMixin, event_listener, login_required, user_loader,
};

use common::log::{Level, captured};
use common::revocations::Revocations;
use common::{App, KEY, Running, User, Users, load_user};

/// How a launch went.
#[derive(Debug)]
struct Launch {
    /// What stopped it: the fairings or the sentinels, or nothing.
    stopped_by: Option<&'static str>,
    errors: Vec<String>,
    warnings: Vec<String>,
}

fn launch(rocket: impl FnOnce() -> Rocket<Build>) -> Launch {
    let (stopped_by, lines) = captured(|| {
        let ignited = rocket::execute(rocket().ignite());
        ignited.err().map(|error| match error.kind() {
            ErrorKind::FailedFairings(_) => "fairings",
            ErrorKind::SentinelAborts(_) => "sentinels",
            other => panic!("{other}"),
        })
    });
    for line in &lines {
        assert!(!line.text.contains(KEY), "a key is shown: {line:?}");
    }
    let of = |level| {
        let ours = lines
            .iter()
            .filter(|line| line.is_ours() && line.level == level);
        ours.map(|line| line.text.clone()).collect()
    };
    Launch {
        stopped_by,
        errors: of(Level::Error),
        warnings: of(Level::Warn),
    }
}

impl Launch {
    /// It was stopped by a manager, with exactly these many reasons.
    fn stopped<const N: usize>(self) -> [String; N] {
        assert_eq!(self.stopped_by, Some("fairings"), "{self:?}");
        let errors = self.errors;
        errors
            .try_into()
            .unwrap_or_else(|errors| panic!("{N} mistakes expected: {errors:#?}"))
    }

    fn went_well(self) {
        assert_eq!(self.stopped_by, None, "{self:?}");
        assert_eq!((self.errors, self.warnings), (vec![], vec![]));
    }
}

/// The release profile with no key but what is added.
fn keyless(toml: &str) -> Figment {
    Figment::from(Config::release_default())
        .select("release")
        .merge(Toml::string(toml).nested())
}

fn release(toml: &str) -> Figment {
    keyless(toml).merge(("secret_key", KEY))
}

fn manager() -> LoginManager<User> {
    LoginManager::new(load_user)
}

/// A site of one manager.
fn site(figment: Figment, manager: LoginManager<User>) -> Rocket<Build> {
    rocket::custom(figment)
        .manage(Users::alice_and_bob())
        .attach(manager)
}

fn with_file(figment: Figment) -> Launch {
    launch(|| site(figment, manager()))
}

/// The one mistake of `[default.login]` with this line, which must name `setting` first.
fn mistake(setting: &str, line: &str) -> String {
    let [error] = with_file(release(&format!("[default.login]\n{line}"))).stopped();
    assert!(
        error.starts_with(&format!("`{setting}`: ")),
        "{line}: {error}"
    );
    error
}

#[test]
fn a_sound_configuration_launches_without_a_word() {
    with_file(release("")).went_well();
    with_file(release(
        r#"
        [default.login]
        session_lifetime = "12h"
        session_idle_timeout = "12h"
        remember_cookie_duration = "400 days"
        session_protection = "strong"
        trusted_proxies = ["10.0.0.0/8", "::1"]
        trusted_origins = ["https://app.example"]
        login_view = "/login"
        "#,
    ))
    .went_well();
}

#[test]
fn insecure_cookies_take_their_switch() {
    // R10
    with_file(release(
        r"
        [default.login]
        insecure_cookies = true
        session_cookie_secure = false
        remember_cookie_secure = false
        remember_cookie_httponly = false
        ",
    ))
    .went_well();
}

#[test]
fn a_missing_weak_or_published_key_stops_the_launch() {
    // T76, R1, R2
    let own = "6dRxltRW8zfQ22+RDOaZru8F56V4oe+ZGx4U0WOPT80=";
    let rockets = "hPRYyVRiMyxpw5sBB1XeCMN1kFsDCqKvBi2QJxBVHQk=";
    let flasks = "192b9bdd22ab9ed4d12e236c78afcb9a393ec15f71bbf5dc987d54727823bcbf";
    let (short, zeros) = ("Vm3kQ8sLz1XyC5nB7wR9tE2uP4aD6fH", "0".repeat(64));
    let quoted = |key: &str| format!("{key:?}");
    let published = "is printed in public documentation";
    for (key, why) in [
        (String::new(), "is not set"),
        (quoted(""), "has 0 bytes"),
        (quoted(short), "has 31 bytes"),
        (quoted(&zeros), "is not random"),
        (quoted(&"ab".repeat(40)), "is not random"),
        (format!("{:?}", [7; 32]), "is not random"),
        (quoted(own), published),
        (quoted(rockets), published),
        (quoted(flasks), published),
    ] {
        let (line, names) = match key.as_str() {
            "" => (String::new(), ["secret_key"; 3]),
            key => (
                format!("secret_key = {key}"),
                ["secret_key", "secret_key", "login.secret_key"],
            ),
        };
        for (table, name) in ["default", "release", "default.login"]
            .into_iter()
            .zip(names)
        {
            let [error] = with_file(keyless(&format!("[{table}]\n{line}"))).stopped();
            assert!(error.starts_with(&format!("`{name}`: ")), "{line}: {error}");
            assert!(error.contains(why), "{line}: {error}");
            assert!(
                error.contains("openssl rand -base64 32"),
                "no mend: {error}"
            );
            let bare = key.trim_matches(['"', '[', ']']);
            assert!(
                bare.len() < 5 || !error.contains(bare),
                "the key is shown: {error}"
            );
        }
        // The same in the builder, where a key is text.
        if let Some(key) = key.strip_prefix('"').and_then(|key| key.strip_suffix('"')) {
            let [error] = launch(|| site(keyless(""), manager().secret_key(key))).stopped();
            assert!(error.starts_with("`login.secret_key`: "), "{error}");
            assert!(error.contains(why), "{error}");
        }
    }
}

const MISSHAPEN: [&str; 4] = ["8675309123", "86753.09", "true", "[8675309123]"];

fn assert_misshapen(setting: &str, error: &str) {
    assert!(
        error.starts_with(&format!("`{setting}`: a key is text in quotes")),
        "{error}"
    );
    assert!(!error.contains("86753"), "the key is shown: {error}");
}

#[test]
fn a_key_of_another_type_stops_the_launch_unseen() {
    for key in MISSHAPEN {
        let [error] = with_file(keyless(&format!("[default]\nsecret_key = {key}"))).stopped();
        assert_misshapen("secret_key", &error);
        assert_misshapen(
            "login.secret_key",
            &mistake("login.secret_key", &format!("secret_key = {key}")),
        );
    }
}

#[test]
fn a_key_of_another_type_is_not_called_missing() {
    for key in MISSHAPEN {
        let file = format!("[default.login]\nsecret_key = {key}");
        let [error] = with_file(keyless(&file)).stopped();
        assert_misshapen("login.secret_key", &error);
    }
}

#[test]
fn without_a_key_nothing_listens() {
    // R1: the launch ends before the port is bound; it is taken, so that binding would fail as such.
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let (kind, _) = captured(|| {
        let rocket = site(keyless("").merge(("port", port)), manager());
        rocket::execute(rocket.launch())
            .map(drop)
            .unwrap_err()
            .kind()
            .to_string()
    });
    assert_eq!(kind, "launch fairing(s) failed");
}

/// The example as a process, in the release profile, with nothing in its environment but what is given.
fn quickstart(port: u16, key: Option<&str>) -> std::process::Output {
    let mut beside = std::env::current_exe().unwrap();
    beside.pop();
    let program = beside
        .with_file_name("examples")
        .join(format!("quickstart{}", std::env::consts::EXE_SUFFIX));
    // `cargo test` has built it; a run of this file alone may not have.
    if !program.exists() {
        let built_into = beside.parent().unwrap();
        let profile = match built_into.file_name().and_then(|name| name.to_str()) {
            Some("debug") | None => "dev",
            Some(profile) => profile,
        };
        let built = Command::new(env!("CARGO"))
            .args(["build", "--quiet", "--example", "quickstart"])
            .args(["--profile", profile])
            .arg("--target-dir")
            .arg(built_into.parent().unwrap())
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .status();
        assert!(built.unwrap().success());
    }
    let mut process = Command::new(program);
    process.env_clear();
    process.env("ROCKET_PROFILE", "release");
    process.env("ROCKET_PORT", port.to_string());
    if let Some(key) = key {
        process.env("ROCKET_SECRET_KEY", format!("{key:?}"));
    }
    process.output().unwrap()
}

#[test]
fn the_example_without_a_good_key_ends_and_never_listens() {
    // R1, R2, T76: its port is taken, so that an attempt to listen would be told as such.
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    for (key, why) in [
        (None, "is not set"),
        (Some(""), "has 0 bytes"),
        (Some("Vm3kQ8sLz1XyC5nB7wR9tE2uP4aD6fH"), "has 31 bytes"),
        (Some(&*"0".repeat(64)), "is not random"),
        (
            Some("hPRYyVRiMyxpw5sBB1XeCMN1kFsDCqKvBi2QJxBVHQk="),
            "is printed in public",
        ),
        (Some(KEY), "already in use"),
    ] {
        let output = quickstart(port, key);
        let told = [output.stdout, output.stderr].concat();
        let told = String::from_utf8(told).unwrap();
        assert!(!output.status.success(), "{told}");
        assert!(told.to_lowercase().contains(why), "{told}");
        assert!(!told.contains("launched"), "{told}");
        // With a good key, the control, it gets as far as to its port.
        let named = told.contains("`secret_key`: ") && told.contains("openssl rand -base64 32");
        assert_eq!(named, why != "already in use", "{told}");
        assert!(
            key.is_none_or(|key| key.is_empty() || !told.contains(key)),
            "a key is shown"
        );
    }
}

#[test]
fn the_debug_profile_does_without_a_key_and_says_so() {
    // R1
    let debug = || Figment::from(Config::debug_default());
    let launched = with_file(debug());
    assert_eq!(launched.stopped_by, None, "{launched:?}");
    let [warning] = &launched.warnings[..] else {
        panic!("{launched:?}")
    };
    assert!(warning.contains("`secret_key` is not set"), "{warning}");
    assert!(warning.contains("openssl rand -base64 32"), "{warning}");
    with_file(debug().merge(("secret_key", KEY))).went_well();

    // A wrong key is a mistake there, too.
    let [error] = with_file(debug().merge(("secret_key", "short"))).stopped();
    assert!(
        error.starts_with("`secret_key`: the key has 5 bytes"),
        "{error}"
    );
}

#[test]
fn a_fallback_key_is_judged_like_the_current_one() {
    // R2, R7
    let other = "q0Zf3mT8wB5vRkXyLh1uNc7sJd2gPaE9iOo4WtQxZ6Y=";
    let third = "Xr5Yp9Kd2Lm7Qw1Zt8Vn3Bc6Hj4Gf0SaUiEoPlMkNb8=";
    // The same key, written otherwise.
    let hex = HEXLOWER.encode(&BASE64.decode(KEY.as_bytes()).unwrap());
    with_file(release(&format!(
        "[default.login]\nsecret_key_fallbacks = [{other:?}]"
    )))
    .went_well();
    for (keys, setting, why) in [
        (vec![KEY], "login.secret_key_fallbacks.0", "is the same as"),
        (
            vec![&*hex],
            "login.secret_key_fallbacks.0",
            "is the same as",
        ),
        (
            vec![other, other],
            "login.secret_key_fallbacks.1",
            "is the same as",
        ),
        (vec!["short"], "login.secret_key_fallbacks.0", "5 bytes"),
        (vec![third, ""], "login.secret_key_fallbacks.1", "0 bytes"),
    ] {
        let line = format!("secret_key_fallbacks = {keys:?}");
        let error = mistake(setting, &line);
        assert!(error.contains(why), "{line}: {error}");
        for key in keys.iter().filter(|key| key.len() > 6) {
            assert!(!error.contains(key), "a key is shown: {error}");
        }
    }
    let fallbacks = [
        other,
        third,
        "Vm3kQ8sLz1XyC5nB7wR9tE2uP4aD6fHj",
        "aPq8Zw2Xs4Ed6Rf1Tg9Yh3Uj5Ik7Ol0M",
    ];
    let error = mistake(
        "login.secret_key_fallbacks",
        &format!("secret_key_fallbacks = {fallbacks:?}"),
    );
    assert!(error.contains("remove the oldest"), "{error}");
}

/// What is wrong, the lines of the file, and a part of the mend.
const SENSELESS: &str = r"
remember_cookie_duration | remember_cookie_duration = '401 days' | set 400 days or less
remember_cookie_duration | remember_cookie_duration = 34560001 | set 400 days or less
remember_cookie_duration | remember_cookie_duration = 0 | nothing would last
permanent_session_lifetime | permanent_session_lifetime = '2 years' | set 400 days or less
session_idle_timeout | session_idle_timeout = '25h' | set 1 day or less
session_idle_timeout | session_lifetime = '10m' ; session_idle_timeout = '11m' | set 10 minutes or less
fresh_lifetime | fresh_lifetime = '2 days' | set 1 day or less
loader_timeout | loader_timeout = 0 | 5 seconds
session_lifetime | session_lifetime = 'soon' | 30 days
session_lifetime | session_lifetime = -1 | write whole seconds
session_lifetime | session_lifetime = 1.5 | write whole seconds
session_lifetime | session_lifetime = true | write whole seconds
session_lifetime | session_lifetime = '3600' | write whole seconds
session_lifetime | session_lifetime = 99999999999999999 | set 400 days or less
session_idle_timeout | session_idle_timeout = true | `false` for no timeout
session_cookie_secure | session_cookie_secure = false | login.insecure_cookies = true
remember_cookie_secure | remember_cookie_secure = false | login.insecure_cookies = true
remember_cookie_httponly | remember_cookie_httponly = false | login.insecure_cookies = true
session_cookie_samesite | session_cookie_samesite = 'loose' | `Strict`, `Lax` or `None`
session_cookie_samesite | insecure_cookies = true ; session_cookie_secure = false ; session_cookie_samesite = 'None' | serve over HTTPS
remember_cookie_samesite | insecure_cookies = true ; remember_cookie_secure = false ; remember_cookie_samesite = 'None' | serve over HTTPS
session_cookie_name | session_cookie_name = '__Host-sid' | added by itself
session_cookie_name | session_cookie_name = 'a b' | letters, digits
remember_cookie_name | remember_cookie_name = 'login_session' | choose a third
session_cookie_name | session_cookie_name = 'login_next' | choose a third
session_cookie_domain | session_cookie_domain = 'https://a.example' | example.com
remember_cookie_path | remember_cookie_path = 'account' | starts with `/`
session_protection | session_protection = 'paranoid' | strong
session_protection | session_protection = false | session_protection
login_view | login_view = '//evil.com' | such as `/login`
login_view | login_view = 'javascript:alert(1)' | such as `/login`
login_view | login_view = 'login' | such as `/login`
login_view | login_view = '' | such as `/login`
refresh_view | refresh_view = '/\evil.com' | such as `/login`
refresh_view | refresh_view = 'https:evil.com' | http(s) URL
mount_login_views./admin | mount_login_views = { '/admin' = '//evil.com' } | such as `/login`
mount_login_views.admin | mount_login_views = { 'admin' = '/login' } | such as `/admin`
force_host_for_redirects | force_host_for_redirects = 'https://a.example' | example.com:8443
trusted_proxies | trusted_proxies = ['10.0.0.0/33'] | such as `10.0.0.0/8`
trusted_proxies | trusted_proxies = ['proxy.example'] | such as `10.0.0.0/8`
trusted_proxies | trusted_proxies = '10.0.0.1' | sequence
proxy_header | proxy_header = 'X Forwarded' | X-Forwarded-For
trusted_origins | trusted_origins = ['app.example'] | https://example.com
trusted_origins | trusted_origins = ['https://app.example/'] | with no path
trusted_origins | trusted_origins = ['null'] | https://example.com
trusted_origins | trusted_origins = ['*'] | https://example.com
cross_site_protection | cross_site_protection = 'maybe' | strict
exempt_methods.0 | exempt_methods = ['FETCH'] | method
audience | audience = '' | application's name
revocation_capacity | revocation_capacity = 0 | set 1 or more
clear_site_data | clear_site_data = 'yes' | bool
session_lifetme | session_lifetme = 3600 | session_lifetime
SESSION_LIFETIME | SESSION_LIFETIME = 3600 | session_lifetime
remember_cookie_secret | remember_cookie_secret = 'x' | there is no such setting
";

#[test]
fn a_senseless_setting_stops_the_launch_and_names_the_mend() {
    // T76, R10, D27
    for row in SENSELESS.trim().lines() {
        let [setting, lines, mend] = row.split(" | ").collect::<Vec<_>>()[..] else {
            panic!("{row}");
        };
        let error = mistake(&format!("login.{setting}"), &lines.replace(" ; ", "\n"));
        assert!(error.contains(mend), "{row}: {error}");
    }
}

#[test]
fn a_setting_that_opens_everything_is_not_taken_in_silence() {
    // D25: no switch that opens every protected page. K7: nobody's word for an address.
    for line in [
        "exempt_methods = ['GET', 'HEAD', 'POST']",
        "exempt_methods = ['GET']",
        "trusted_proxies = ['0.0.0.0/0']",
        "trusted_proxies = ['::/0']",
    ] {
        let launched = with_file(release(&format!("[default.login]\n{line}")));
        let told = [launched.errors, launched.warnings].concat().concat();
        let setting = line.split(' ').next().unwrap();
        assert!(told.contains(setting), "{line}: {told:?}");
    }
}

#[test]
fn what_is_no_table_stops_the_launch() {
    for toml in [
        "[default]\nlogin = 5",
        "[default]\nlogin = 'on'",
        "[default]\nlogin = ['x']",
    ] {
        let [error] = with_file(release(toml)).stopped();
        assert!(error.starts_with("`login`: is not a table"), "{error}");
        assert!(error.contains("[default.login]"), "{error}");
    }
}

#[test]
fn the_environments_form_is_checked_like_the_files() {
    // As Rocket reads `ROCKET_LOGIN={..}`.
    let from = |text: &str| {
        let value: Value = text.parse().unwrap();
        with_file(release("[default.login]\nsession_lifetime = '1 day'").merge(("login", value)))
    };
    from("{session_lifetime=3600, login_view=/login, session_protection=strong}").went_well();
    for (text, setting) in [
        ("{session_lifetme=3600}", "login.session_lifetme"),
        ("{session_lifetime=soon}", "login.session_lifetime"),
        ("{login_view=//evil.com}", "login.login_view"),
        (
            "{session_cookie_secure=false}",
            "login.session_cookie_secure",
        ),
        ("{session_cookie_secure=no}", "login.session_cookie_secure"),
        ("{secret_key=12345678901234567890}", "login.secret_key"),
        ("{trusted_proxies=[nonsense]}", "login.trusted_proxies"),
        ("session_lifetime=3600", "login"),
    ] {
        let [error] = from(text).stopped();
        assert!(
            error.starts_with(&format!("`{setting}`: ")),
            "{text}: {error}"
        );
        assert!(!error.contains("12345678901234567890"), "{error}");
    }
}

#[test]
fn all_mistakes_are_told_at_once() {
    let errors: [String; 7] = with_file(keyless(
        r#"
        [default.login]
        secret_key = "hunter2"
        sekret_key = "hunter2"
        secret_key_fallbacks = ["hunter2", 8675309]
        session_lifetime = "soon"
        remember_cookie_duration = "401 days"
        session_cookie_secure = false
        login_view = "//evil.com"
        "#,
    ))
    .stopped();
    for setting in [
        "secret_key",
        "sekret_key",
        "secret_key_fallbacks",
        "session_lifetime",
        "remember_cookie_duration",
        "session_cookie_secure",
        "login_view",
    ] {
        let named = |error: &&String| {
            let start = format!("`login.{setting}");
            error
                .strip_prefix(&start)
                .is_some_and(|rest| rest.starts_with(['`', '.']))
        };
        assert_eq!(
            errors.iter().filter(named).count(),
            1,
            "{setting}: {errors:#?}"
        );
    }
    let all = errors.concat();
    assert!(
        !all.contains("hunter2") && !all.contains("8675309"),
        "{all}"
    );
}

#[test]
fn the_builder_beats_the_file() {
    let file = "[default.login]\nlogin_view = '//evil.com'\nremember_cookie_duration = '401 days'\nsecret_key = 'short'";
    launch(|| {
        let manager = manager()
            .login_view("/login")
            .secret_key(KEY)
            .remember_cookie_duration(Duration::from_secs(60));
        site(release(file), manager)
    })
    .went_well();

    let sound = "[default.login]\nlogin_view = '/login'\nremember_cookie_duration = '1 day'";
    let [first, second] = launch(|| {
        let manager = manager()
            .login_view("//evil.com")
            .remember_cookie_duration(Duration::from_secs(401 * 86_400));
        site(release(sound), manager)
    })
    .stopped();
    assert!(
        first.starts_with("`login.remember_cookie_duration`"),
        "{first}"
    );
    assert!(second.starts_with("`login.login_view`"), "{second}");
}

#[test]
fn cookies_in_the_log_are_warned_of_outside_the_debug_profile() {
    // K15
    let launched = with_file(release("").merge(("log_level", "debug")));
    assert_eq!(launched.stopped_by, None);
    assert_eq!(launched.warnings.len(), 1, "{launched:?}");
    let warning = &launched.warnings[0];
    assert!(
        warning.contains("log_level") && warning.contains("set another level"),
        "{warning}"
    );

    with_file(release("").merge(("log_level", "normal"))).went_well();
    let debug = Figment::from(Config::debug_default()).merge(("secret_key", KEY));
    with_file(debug.merge(("log_level", "debug"))).went_well();
}

#[test]
fn a_login_page_elsewhere_without_a_way_back_is_warned_of() {
    // D28
    let file = "[default.login]\nlogin_view = 'https://sso.example/login'";
    let launched = with_file(release(file));
    assert_eq!(launched.stopped_by, None);
    assert!(
        launched
            .warnings
            .concat()
            .contains("force_host_for_redirects"),
        "{launched:?}"
    );
    with_file(release(&format!(
        "{file}\nforce_host_for_redirects = 'app.example'"
    )))
    .went_well();
}

#[derive(UserMixin)]
struct Admin {
    id: u32,
}

#[user_loader]
fn load_admin(id: u32) -> Option<Admin> {
    Some(Admin { id })
}

#[login_required]
#[get("/required")]
fn required() {}

#[login_required(User)]
#[get("/required-of-a-user")]
fn required_of_a_user() {}

#[get("/user")]
fn of_user(user: &User) -> String {
    user.id.clone()
}

#[get("/fresh")]
fn of_fresh(user: Fresh<'_, User>) -> String {
    user.id.clone()
}

#[get("/current")]
fn of_current(user: CurrentUser<'_, User>) -> String {
    format!("{user:?}")
}

#[get("/session")]
fn of_session(session: LoginSession<'_, User>) -> String {
    format!("{session:?}")
}

#[get("/signer")]
fn of_signer(signer: Signer) -> String {
    format!("{signer:?}")
}

#[test]
fn a_route_whose_manager_is_missing_stops_the_launch() {
    // R37, T62, D26
    let rows: [(Vec<Route>, &str, bool); 7] = [
        (
            routes![required],
            "`required` (tests/launch/main.rs:",
            false,
        ),
        (routes![required_of_a_user], "`launch::common::User`", true),
        (routes![of_user], "`launch::common::User`", true),
        (routes![of_fresh], "`launch::common::User`", true),
        (routes![of_current], "`launch::common::User`", true),
        (routes![of_session], "`launch::common::User`", true),
        (routes![of_signer], "`Signer`", false),
    ];
    for (routes, named, of_users) in rows {
        let bare = || rocket::custom(release("")).mount("/", routes.clone());
        let others = || bare().attach(LoginManager::new(load_admin));
        let own = || bare().attach(manager()).manage(Users::default());
        let stopped = |launched: Launch| {
            assert_eq!(
                launched.stopped_by,
                Some("sentinels"),
                "{named}: {launched:?}"
            );
            let [error] = &launched.errors[..] else {
                panic!("{launched:?}");
            };
            assert!(error.contains(named), "{error}");
            assert!(
                error.contains(".attach(LoginManager::new("),
                "no mend: {error}"
            );
        };
        stopped(launch(bare));
        if of_users {
            // A manager for somebody else's logins does not count.
            stopped(launch(others));
        } else {
            launch(others).went_well();
        }
        launch(own).went_well();
    }
}

#[test]
fn a_route_that_does_not_say_whose_login_stops_the_launch_of_two_managers() {
    let two = |routes: Vec<Route>| {
        launch(|| {
            site(release(""), manager())
                .attach(
                    LoginManager::new(load_admin)
                        .session_cookie_name("admin_session")
                        .remember_cookie_name("admin_token"),
                )
                .mount("/", routes)
        })
    };
    two(routes![
        required_of_a_user,
        of_user,
        of_current,
        of_session,
        of_signer
    ])
    .went_well();
    let launched = two(routes![required]);
    assert_eq!(launched.stopped_by, Some("sentinels"));
    let error = launched.errors.concat();
    assert!(
        error.contains("`required` (tests/launch/main.rs:"),
        "{error}"
    );
    assert!(error.contains("`#[login_required(User)]`"), "{error}");
}

#[test]
fn two_managers_that_clash_stop_the_launch() {
    let admins = || LoginManager::new(load_admin);
    let [error] = launch(|| site(release(""), manager()).attach(manager())).stopped();
    assert!(
        error.contains("two `LoginManager`s for `launch::common::User`"),
        "{error}"
    );
    assert!(error.contains("attach one"), "{error}");

    let [session, remember] = launch(|| site(release(""), manager()).attach(admins())).stopped();
    for (error, setting, name) in [
        (session, "session_cookie_name", "`__Host-login_session`"),
        (remember, "remember_cookie_name", "`__Host-remember_token`"),
    ] {
        assert!(
            error.contains(&format!(
                "give one of them another name with `.{setting}(..)`"
            )),
            "{error}"
        );
        assert!(
            error.contains(name) && error.contains("launch::Admin"),
            "{error}"
        );
    }
    let renamed = admins().session_cookie_name("a").remember_cookie_name("b");
    launch(|| site(release(""), manager()).attach(renamed)).went_well();
}

#[test]
fn the_session_cookie_of_one_manager_cannot_be_the_remember_cookie_of_another() {
    let crossed = LoginManager::new(load_admin)
        .session_cookie_name("remember_token")
        .remember_cookie_name("login_session");
    let errors: [String; 2] = launch(|| site(release(""), manager()).attach(crossed)).stopped();
    assert!(
        errors.concat().contains("__Host-remember_token"),
        "{errors:?}"
    );
}

#[event_listener]
fn tell(event: &LoginEvent<'_, User>, told: &State<Told>) {
    told.0.lock().unwrap().push(format!("{event:?}"));
}

/// What a listener wrote down.
#[derive(Default)]
struct Told(Mutex<Vec<String>>);

/// Everything that can be printed of a login, as a careless developer would.
#[post("/debug")]
async fn debug(
    session: LoginSession<'_, User>,
    current: CurrentUser<'_, User>,
    signer: Signer,
    users: &State<Users>,
) -> Result<String, LoginError> {
    let alice = users.get("alice-the-user").unwrap();
    let mut printed = vec![
        format!("{session:?} {current:?} {signer:?}"),
        format!(
            "{:?} {:?}",
            session.logout_user(),
            session.confirm_login(&alice)
        ),
        format!("{:?}", session.login_user(&alice)),
        format!("{:?} {:?}", session.unauthorized(), session.needs_refresh()),
    ];
    session.login_user(&alice).remember(true).await?;
    printed.push(format!("{session:?}"));
    Ok(printed.join("\n"))
}

#[user_loader]
fn failing_with_the_id(id: &str) -> Result<Option<User>, Unescaped> {
    Err(Unescaped(id.to_owned()))
}

/// An error whose `Debug` is as raw as that of `anyhow`.
struct Unescaped(String);

impl std::fmt::Debug for Unescaped {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "no such user: {}", self.0)
    }
}

/// Everything that can happen to logins, on an application that remembers each cookie it issues;
/// gives those, and what was printed of the library's types.
fn live(app: App) -> (Vec<String>, String) {
    app.users.put("alice-the-user");
    app.users.put("bob-the-user");
    let issued = Arc::new(Mutex::new(Vec::new()));
    let keep = issued.clone();
    let keeper = AdHoc::on_response("Issued cookies", move |_, response| {
        let cookies = response.headers().get("Set-Cookie");
        let values = cookies.filter_map(|cookie| cookie.split(['=', ';']).nth(1));
        let tokens = values.filter(|value| value.len() > 40).map(String::from);
        keep.lock().unwrap().extend(tokens);
        Box::pin(async {})
    });
    let app = app
        .with(|manager| manager.event_listener(tell))
        .routes(routes![debug])
        .start_with(|rocket| rocket.manage(Told::default()).attach(keeper));
    let debugged = alice_comes_and_goes(&app);
    bob_grows_old(&app);

    let told = app.client.rocket().state::<Told>().unwrap();
    let told = told.0.lock().unwrap().join("\n");
    for event in [
        "LoggedIn",
        "Revoked",
        "Forged",
        "Outdated",
        "Expired",
        "log_id: Some",
    ] {
        assert!(told.contains(event), "{event}: {told}");
    }
    let built = format!(
        "{:?} {:?}",
        manager().secret_key(KEY),
        MemoryRevocations::new(9)
    );
    let issued = issued.lock().unwrap().clone();
    (issued, [debugged, told, built].join("\n"))
}

fn alice_comes_and_goes(app: &Running) -> String {
    let mut browser = app.remembered("alice-the-user");
    let stolen = browser.clone();
    assert_eq!(browser.get("/fresh").body, "fresh alice-the-user");
    assert_eq!(
        browser.post("/confirm", "bob-the-user").status,
        Status::Forbidden
    );
    assert_eq!(browser.post("/confirm", "alice-the-user").body, "confirmed");
    let debugged = browser.post("/debug", "").body;
    assert_eq!(debugged.lines().count(), 5, "{debugged}");
    for printed in [
        "LoginSession CurrentUser { is_authenticated: true, .. } Signer([redacted])",
        "LoginUser",
    ] {
        assert!(debugged.contains(printed), "{printed}: {debugged}");
    }
    browser.restart();
    assert_eq!(browser.me(), "alice-the-user");

    assert_eq!(stolen.clone().me(), "anonymous");
    let session = format!("login_session={}", stolen.cookies["login_session"]);
    let twice = format!("{session}; {session}");
    assert_eq!(app.browser().header("Cookie", &twice).me(), "anonymous");
    for value in ["x", "alice-the-user", &KEY.repeat(3)] {
        let forged = format!("login_session={value}");
        assert_eq!(app.browser().header("Cookie", &forged).me(), "anonymous");
    }
    let mut elsewhere = browser.clone().header("Sec-Fetch-Site", "cross-site");
    assert_eq!(elsewhere.post("/logout", "").status, Status::Forbidden);
    app.users.fail(true);
    assert_eq!(browser.get("/private").status, Status::ServiceUnavailable);
    app.users.fail(false);
    let mut moved = browser
        .clone()
        .from("203.0.113.9")
        .header("User-Agent", "Thief");
    assert_eq!(moved.get("/fresh").status, Status::SeeOther);

    let mut browser = app.remembered("alice-the-user");
    let change = |user: &mut User| user.password = "a new password".into();
    app.users.change("alice-the-user", change);
    assert_eq!(browser.me(), "anonymous");
    debugged
}

fn bob_grows_old(app: &Running) {
    let mut bob = app.remembered("bob-the-user");
    app.clock.advance(Duration::from_secs(800 * 86_400));
    assert_eq!(bob.me(), "anonymous");
    let forever = bob.post("/login", "user=bob-the-user&remember=on&duration=0");
    assert_eq!(forever.status, Status::InternalServerError);
    assert_eq!(bob.login("bob-the-user").status, Status::SeeOther);
    assert_eq!(
        bob.post("/logout-everywhere", "").body,
        "logged out everywhere"
    );
    assert_eq!(bob.get("/private").status, Status::SeeOther);
}

fn assert_no_secret(text: &str, secrets: &[String]) {
    let constant = [
        KEY,
        "alice-the-user",
        "bob-the-user",
        "password of",
        "a new password",
    ];
    for secret in constant
        .into_iter()
        .chain(secrets.iter().map(String::as_str))
    {
        assert!(!text.contains(secret), "{secret} is shown: {text}");
    }
}

#[test]
fn no_line_of_ours_and_no_debug_output_shows_a_secret_or_a_user() {
    // T78, R47
    let ((secrets, printed), lines) = captured(|| {
        let basic = live(App::new());
        let strong = App::new()
            .set("login.session_protection", "strong")
            .set("login.remember_cookie_refresh_each_request", true);
        let strong = live(strong);
        ([basic.0, strong.0].concat(), basic.1 + &strong.1)
    });
    assert!(secrets.len() > 20, "{}", secrets.len());
    assert_no_secret(&printed, &secrets);
    for line in lines.iter().filter(|line| line.is_ours()) {
        assert_no_secret(&line.text, &secrets);
    }
    // The capture does see the requests, in Rocket's own lines.
    assert!(
        lines
            .iter()
            .any(|line| !line.is_ours() && line.text.contains("/logout-everywhere"))
    );
    let ours = |level| {
        lines
            .iter()
            .filter(|line| line.is_ours() && line.level == level)
            .count()
    };
    assert!(
        ours(Level::Error) >= 2 && ours(Level::Warn) >= 2 && ours(Level::Debug) >= 2,
        "{lines:#?}"
    );
}

#[test]
fn what_a_revocation_list_is_told_prints_no_user() {
    // R47, T78
    let list = Revocations::new();
    captured(|| {
        let app = list.app().start();
        app.users.put("alice-the-user");
        assert_eq!(
            app.logged_in("alice-the-user").post("/logout", "").status,
            Status::Ok
        );
    });
    let told = list.ended();
    assert!(told.contains("redacted"), "{told}");
    assert_no_secret(&told, &[]);
}

#[test]
fn a_loaders_error_cannot_write_lines_of_its_own_into_the_log() {
    // R47, T78: an error whose text holds a user id as it came, with control characters.
    let ((), lines) = captured(|| {
        let mut app = App::new();
        app.users.put("evil\x1b[2J\nError: all is lost");
        app.manager = LoginManager::new(failing_with_the_id);
        let app = app.start();
        let mut browser = app.browser();
        let form = "user=evil%1b%5b2J%0aError:%20all%20is%20lost";
        assert_eq!(browser.post("/login", form).status, Status::SeeOther);
        assert_eq!(browser.get("/me").status, Status::ServiceUnavailable);
    });
    let ours: Vec<_> = lines.iter().filter(|line| line.is_ours()).collect();
    assert!(
        ours.iter().any(|line| line.text.contains("no such user")),
        "{ours:?}"
    );
    for line in ours {
        assert!(!line.text.contains(char::is_control), "{line:?}");
    }
}
