//! The settings: a mistake stops the launch, and its message names the fix.

use std::path::PathBuf;
use std::time::Duration;

use rocket::figment::value::Value;
use rocket::http::{Header, Status};
use rocket::local::blocking::Client;
use rocket::{Route, State, get, post, routes};
use rocket_login::{LoginError, LoginSession, login_required};

use crate::common::log::{Line, captured};
use crate::common::socket::{Server, status};
use crate::common::{KEY, User, Users};
use crate::{
    Launch, debug, keyless, launch, login_page, mistake, plain, release, site, two, users,
    with_file,
};

#[test]
fn a_valid_configuration_launches_without_warnings() {
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
fn insecure_cookies_can_be_allowed_explicitly() {
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

/// The setting, the lines of the file, and a part of the fix in the message.
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
fresh_grace_period | fresh_grace_period = '2 hours' | what filling in a form takes
session_cookie_secure | session_cookie_secure = false | login.insecure_cookies = true
remember_cookie_secure | remember_cookie_secure = false | login.insecure_cookies = true
remember_cookie_httponly | remember_cookie_httponly = false | login.insecure_cookies = true
session_cookie_samesite | session_cookie_samesite = 'loose' | `Strict`, `Lax` or `None`
session_cookie_samesite | insecure_cookies = true ; session_cookie_secure = false ; session_cookie_samesite = 'None' | serve over HTTPS
remember_cookie_samesite | insecure_cookies = true ; remember_cookie_secure = false ; remember_cookie_samesite = 'None' | serve over HTTPS
session_cookie_name | session_cookie_name = '__Host-sid' | added automatically
session_cookie_name | session_cookie_name = 'a b' | letters, digits
remember_cookie_name | remember_cookie_name = 'login_session' | choose another
session_cookie_name | session_cookie_name = 'login_next' | choose another
session_cookie_domain | session_cookie_domain = 'https://a.example' | example.com
session_cookie_domain | session_cookie_domain = 'com' | or leave it out
remember_cookie_domain | remember_cookie_domain = 'localhost' | or leave it out
partitioned_cookies | partitioned_cookies = true | `login.session_cookie_samesite`
partitioned_cookies | partitioned_cookies = true ; session_cookie_samesite = 'none' | `login.remember_cookie_samesite`
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
mount_login_views./admin | mount_login_views = { '/admin' = true } | `false` for none
mount_login_views./admin | mount_login_views = { '/admin' = 5 } | `false` for none
login_view | login_view = '//evil.com#form' | such as `/login`
mount_login_views.admin | mount_login_views = { 'admin' = '/login' } | such as `/admin`
force_host_for_redirects | force_host_for_redirects = 'https://a.example' | example.com:8443
trusted_proxies | trusted_proxies = ['10.0.0.0/33'] | such as `10.0.0.0/8`
trusted_proxies | trusted_proxies = ['proxy.example'] | such as `10.0.0.0/8`
trusted_proxies | trusted_proxies = '10.0.0.1' | write a list
proxy_header | proxy_header = 'X Forwarded' | X-Forwarded-For
trusted_origins | trusted_origins = ['app.example'] | https://example.com
trusted_origins | trusted_origins = ['https://app.example/'] | with no path
trusted_origins | trusted_origins = ['null'] | https://example.com
trusted_origins | trusted_origins = ['*'] | https://example.com
trusted_origins | trusted_origins = ['https://*.com'] | https://*.example.com
trusted_origins | trusted_origins = ['wss://app.example'] | https://example.com
trusted_origins | trusted_origins = ['tauri:localhost'] | tauri://localhost
cross_site_protection | cross_site_protection = 'maybe' | strict
exempt_methods.0 | exempt_methods = ['FETCH'] | HTTP method
audience | audience = '' | application's name
revocation_capacity | revocation_capacity = 0 | set 1 or more
revocation_capacity | revocation_capacity = -1 | whole number
login_view | login_view = 5 | text in quotes
mount_login_views | mount_login_views = '/login' | write a table
clear_site_data | clear_site_data = 'yes' | write `true` or `false`
session_lifetme | session_lifetme = 3600 | session_lifetime
SESSION_LIFETIME | SESSION_LIFETIME = 3600 | session_lifetime
remember_cookie_secret | remember_cookie_secret = 'x' | there is no such setting
";

#[test]
fn an_invalid_setting_stops_the_launch_and_names_the_fix() {
    // T76, R10, D27
    for row in SENSELESS.trim().lines() {
        let [setting, lines, fix] = row.split(" | ").collect::<Vec<_>>()[..] else {
            panic!("{row}");
        };
        let error = mistake(&format!("login.{setting}"), &lines.replace(" ; ", "\n"));
        assert!(error.contains(fix), "{row}: {error}");
    }
}

#[test]
fn a_setting_that_opens_everything_is_refused_or_warned_about() {
    // D25: no setting opens every protected page. K7: no client can choose its address.
    for line in [
        "exempt_methods = ['GET', 'HEAD', 'POST']",
        "exempt_methods = ['GET']",
        "trusted_proxies = ['0.0.0.0/0']",
        "trusted_proxies = ['::/0']",
    ] {
        let launched = with_file(release(&format!("[default.login]\n{line}")));
        let messages = [launched.errors(), launched.warnings()].concat().concat();
        let setting = line.split(' ').next().unwrap();
        assert!(messages.contains(setting), "{line}: {messages:?}");
    }
}

#[test]
fn settings_that_are_not_a_table_stop_the_launch() {
    for toml in [
        "[default]\nlogin = 5",
        "[default]\nlogin = 'on'",
        "[default]\nlogin = ['x']",
    ] {
        let [error] = with_file(release(toml)).misconfigured();
        assert!(error.starts_with("`login`: is not a table"), "{error}");
        assert!(error.contains("[default.login]"), "{error}");
    }
}

#[test]
fn settings_from_the_environment_are_checked_like_those_of_the_file() {
    // The way Rocket reads `ROCKET_LOGIN={..}`.
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
        let [error] = from(text).misconfigured();
        assert!(
            error.starts_with(&format!("`{setting}`: ")),
            "{text}: {error}"
        );
        assert!(!error.contains("12345678901234567890"), "{error}");
    }
}

#[test]
fn all_mistakes_are_reported_at_once() {
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
    .misconfigured();
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
fn the_builder_overrides_the_file() {
    let file = "[default.login]\nlogin_view = '//evil.com'\nremember_cookie_duration = '401 days'\nsecret_key = 'short'";
    launch(|| {
        let manager = users()
            .login_view("/login")
            .secret_key(KEY)
            .remember_cookie_duration(Duration::from_secs(60));
        site(release(file), manager).mount("/", routes![login_page])
    })
    .went_well();

    let sound = "[default.login]\nlogin_view = '/login'\nremember_cookie_duration = '1 day'";
    let [first, second] = launch(|| {
        let manager = users()
            .login_view("//evil.com")
            .remember_cookie_duration(Duration::from_secs(401 * 86_400));
        site(release(sound), manager)
    })
    .misconfigured();
    assert!(
        first.starts_with("`login.remember_cookie_duration`"),
        "{first}"
    );
    assert!(second.starts_with("`login.login_view`"), "{second}");
}

#[test]
fn a_log_level_that_shows_cookies_warns_outside_the_debug_profile() {
    // K15
    let warning = with_file(release("").merge(("log_level", "debug"))).warned();
    assert!(
        warning.contains("log_level") && warning.contains("set another level"),
        "{warning}"
    );

    with_file(release("").merge(("log_level", "normal"))).went_well();
    with_file(debug("").merge(("log_level", "debug"))).went_well();
}

#[test]
fn an_external_login_page_without_a_way_back_warns() {
    // D28
    let file = "[default.login]\nlogin_view = 'https://sso.example/login'";
    let warning = with_file(release(file)).warned();
    assert!(warning.contains("force_host_for_redirects"), "{warning}");
    with_file(release(&format!(
        "{file}\nforce_host_for_redirects = 'app.example'"
    )))
    .went_well();
}

#[test]
fn a_login_view_that_no_route_answers_warns() {
    let warning = sending_to("/plain", routes![plain]).warned();
    assert!(warning.contains("`/plain`"), "{warning}");
    assert!(warning.contains("uri!"), "{warning}");
    sending_to("/a/plain", routes![plain]).went_well();
    sending_to("/a/any/page", routes![any]).went_well();
}

/// A launch with this login view.
fn sending_to(view: &str, routes: Vec<Route>) -> Launch {
    launch(|| site(debug(""), users().login_view(view)).mount("/a", routes))
}

#[get("/<_path..>")]
fn any(_path: PathBuf) {}

#[test]
fn a_warning_about_several_managers_is_printed_once() {
    let warning = two("[default.login]\nexempt_methods = ['GET']", routes![]).warned();
    assert!(warning.contains("exempt_methods"), "{warning}");
}

#[test]
fn the_log_of_a_refused_request_names_the_setting_that_trusts_its_origin() {
    let ((), lines) = captured(|| {
        let client = Client::untracked(site(debug(""), users()).mount("/", routes![door])).unwrap();
        let origin = Header::new("Origin", "https://mine.example");
        let reply = client.post("/door").header(origin).dispatch();
        assert_eq!(reply.status(), Status::Forbidden);
    });
    let refused = |line: &Line| line.is_ours() && line.text.contains("`login.trusted_origins`");
    assert_eq!(lines.iter().filter(|line| refused(line)).count(), 1);
}

#[login_required]
#[post("/door")]
fn door() {}

#[post("/enter")]
async fn enter(session: LoginSession<'_, User>, users: &State<Users>) -> Result<(), LoginError> {
    session.login_user(&users.get("alice").unwrap()).await
}

#[test]
fn the_first_login_at_a_host_outside_the_cookies_domain_is_warned_of() {
    let domain = "[default.login]\nsession_cookie_domain = 'Example.com'\nremember_cookie_domain = '.example.com'";
    for (hosts, warned) in [
        (
            &["example.com", "EXAMPLE.com:8000", "a.b.example.com"][..],
            false,
        ),
        (&["evil-example.com"], true),
        (&["example.com.evil.com"], true),
        (&["example.com", "127.0.0.1:8000", "127.0.0.1:8000"], true),
    ] {
        let ((), lines) = captured(|| {
            let site = site(debug(domain), users()).mount("/", routes![enter]);
            let server = Server::start(site);
            for host in hosts {
                let lines = "Content-Length: 0\r\nConnection: close";
                let request = format!("POST /enter HTTP/1.1\r\nHost: {host}\r\n{lines}\r\n\r\n");
                assert_eq!(status(&server.raw(request.as_bytes())), 200);
            }
        });
        let warnings: Vec<_> = lines
            .iter()
            .filter(|line| line.is_ours() && line.text.contains("`login.session_cookie_domain`"))
            .collect();
        assert_eq!(
            warnings.len(),
            usize::from(warned),
            "{hosts:?}: {warnings:?}"
        );
    }
}
