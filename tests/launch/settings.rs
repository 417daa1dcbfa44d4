//! The settings: a mistake stops the launch, and its message names the fix.

use std::time::Duration;

use rocket::figment::value::Value;
use rocket::http::{Header, Status};
use rocket::local::blocking::Client;
use rocket::{State, post, routes};
use rocket_login::{LoginError, LoginSession, login_required};

use crate::common::log::{Line, captured};
use crate::common::socket::{Server, cookie, header, status};
use crate::common::{KEY, User, Users, quickstart};
use crate::keys::run;
use crate::{
    debug, keyless, launch, login_door, login_page, mistake, release, site, two, users, with_file,
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

#[test]
fn device_binding_without_secure_cookies_warns_that_it_does_nothing() {
    let warning = with_file(debug("[default.login]\ndevice_binding = 'offer'")).warned();
    assert!(warning.contains("`login.device_binding` has no effect"));
    with_file(release("[default.login]\ndevice_binding = 'offer'")).went_well();
}

/// The setting, the lines of the file, and a part of the fix in the message.
const SENSELESS: &str = r"
remember_cookie_duration | remember_cookie_duration = '401 days' | set 400 days or less
remember_cookie_duration | remember_cookie_duration = 34560001 | set 400 days or less
remember_cookie_duration | remember_cookie_duration = 0 | nothing would last
permanent_session_lifetime | permanent_session_lifetime = '2 years' | set 400 days or less
session_idle_timeout | session_idle_timeout = '25h' | set 1 day or less
session_idle_timeout | session_idle_timeout = 0 | write `false`
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
session_cookie_domain | session_cookie_domain = 'co.uk' | or leave it out
remember_cookie_domain | remember_cookie_domain = '.github.io' | or leave it out
remember_cookie_domain | remember_cookie_domain = 'localhost' | or leave it out
partitioned_cookies | partitioned_cookies = true | `login.session_cookie_samesite`
partitioned_cookies | partitioned_cookies = true ; session_cookie_samesite = 'none' | `login.remember_cookie_samesite`
remember_cookie_path | remember_cookie_path = 'account' | starts with `/`
session_protection | session_protection = 'paranoid' | strong
device_binding | device_binding = 'on' | `off`, `offer`
device_binding | device_binding = 'offer' ; session_cookie_domain = 'shop.example.com' | for this host only
device_binding_lifetime | device_binding_lifetime = '4 minutes' | between 5 minutes and an hour
device_binding_lifetime | device_binding_lifetime = '61 minutes' | between 5 minutes and an hour
device_binding_path | device_binding_path = '/' | such as `/login-device`
device_binding_path | device_binding_path = '/<path>' | such as `/login-device`
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
proxy_header | proxy_header = 'forwarded' | X-Forwarded-For
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
REFRESH_MESSAGE | REFRESH_MESSAGE = 'x' | did you mean `needs_refresh_message`?
login_disabled | login_disabled = true | `rocket_login::testing`
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
    for (line, start) in [
        (
            "exempt_methods = ['GET', 'HEAD', 'POST']",
            "`login.exempt_methods` has GET, HEAD, POST,",
        ),
        (
            "exempt_methods = ['OPTIONS', 'GET']",
            "`login.exempt_methods` has GET,",
        ),
        (
            "trusted_proxies = ['0.0.0.0/0']",
            "`login.trusted_proxies` trusts `0.0.0.0/0`,",
        ),
        (
            "trusted_proxies = ['::/0']",
            "`login.trusted_proxies` trusts `::/0`,",
        ),
        (
            "trusted_proxies = ['0.0.0.0/1', '128.0.0.0/1']",
            "`login.trusted_proxies` trusts `0.0.0.0/1`,",
        ),
        (
            "trusted_proxies = ['2000::/3']",
            "`login.trusted_proxies` trusts `2000::/3`,",
        ),
    ] {
        let warning = with_file(release(&format!("[default.login]\n{line}"))).warned();
        assert!(warning.starts_with(start), "{line}: {warning}");
    }
    with_file(release(
        "[default.login]\ntrusted_proxies = ['10.0.0.0/8', 'fc00::/7']",
    ))
    .went_well();
}

/// The file, the key that the message names first, and a part of the fix.
const MISPLACED: [(&str, &str, &str); 18] = [
    (
        "[login]\nsession_lifetime = '1h'",
        "login",
        "write `[default.login]`",
    ),
    (
        "[logins]\nlogin_view = '/login'",
        "logins",
        "write `[default.login]`",
    ),
    (
        "[login.realms.staff]\nlogin_view = '/login'",
        "login",
        "write `[default.login]`",
    ),
    (
        "[default.logins]\nlogin_view = '/login'",
        "logins",
        "write `[default.login]`",
    ),
    (
        "[release.rocket-login]\nlogin_view = '/login'",
        "rocket-login",
        "write `[release.login]`",
    ),
    (
        "[staging.Login]\nlogin_view = '/login'",
        "Login",
        "write `[staging.login]`",
    ),
    (
        "[default]\nREMEMBER_COOKIE_DURATION = 9",
        "REMEMBER_COOKIE_DURATION",
        "write `remember_cookie_duration` under",
    ),
    (
        "[default]\nSESSION_PROTECTION = 'strong'",
        "SESSION_PROTECTION",
        "write `session_protection` under",
    ),
    (
        "[default]\nREFRESH_MESSAGE = 'x'",
        "REFRESH_MESSAGE",
        "write `needs_refresh_message` under",
    ),
    (
        "[default]\nLOGIN_DISABLED = true",
        "LOGIN_DISABLED",
        "no setting opens all routes",
    ),
    (
        "[default]\nSECRET_KEY = 'x'",
        "SECRET_KEY",
        "write `secret_key`, in lower case",
    ),
    (
        "[default]\nlogin_session_lifetime = 9",
        "login_session_lifetime",
        "ROCKET_LOGIN='{session_lifetime=..}'",
    ),
    (
        "[default]\nlogin__login_view = '/login'",
        "login__login_view",
        "ROCKET_LOGIN='{login_view=..}'",
    ),
    (
        "[global]\nlogin_secret_key = 'x'",
        "login_secret_key",
        "ROCKET_LOGIN='{secret_key=..}'",
    ),
    (
        "[login]\nsesion_lifetime = '1h'",
        "login",
        "write `[default.login]`",
    ),
    (
        "[global.logins]\nlogin_vew = '/login'",
        "logins",
        "write `[default.login]`",
    ),
    (
        "[default.login_realms.staff]\nlogin_view = '/login'",
        "login_realms",
        "ROCKET_LOGIN='{realms=..}'",
    ),
    (
        "[default.MOUNT_LOGIN_VIEWS]\n'/api' = false",
        "MOUNT_LOGIN_VIEWS",
        "write `mount_login_views` under",
    ),
];

#[test]
fn a_setting_in_the_wrong_place_stops_the_launch_and_names_the_right_one() {
    for (toml, key, fix) in MISPLACED {
        let [error] = with_file(release(toml)).misconfigured();
        assert!(
            error.starts_with(&format!("`{key}`: is ")),
            "{toml}: {error}"
        );
        assert!(error.contains(fix), "{toml}: {error}");
        assert!(
            error.ends_with("(in TOML source string)"),
            "{toml}: {error}"
        );
    }
}

#[test]
fn a_setting_as_an_environment_variable_of_its_own_stops_the_launch() {
    // The port is taken, so a launch with a good environment ends as well.
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let printed = |settings: &[(&str, &str)]| {
        let output = run(quickstart::command(), port, Some(KEY), settings);
        String::from_utf8([output.stdout, output.stderr].concat()).unwrap()
    };
    let mistake = "ROCKET_LOGIN='{session_lifetime=..}'";
    let wrong = printed(&[("ROCKET_LOGIN_SESSION_LIFETIME", "3600")]);
    assert!(
        wrong.contains("`login_session_lifetime`: ") && wrong.contains(mistake),
        "{wrong}"
    );
    let right = printed(&[("ROCKET_LOGIN", "{session_lifetime=3600}")]);
    assert!(
        right.contains("already in use") && !right.contains("session_lifetime"),
        "{right}"
    );
    let wrong = printed(&[("ROCKET_SESSION_LIFETIME", "3600")]);
    assert!(
        wrong.contains("is not read there") && !wrong.contains("already in use"),
        "{wrong}"
    );
}

#[test]
fn a_setting_directly_under_a_profile_stops_the_launch_unless_ours_is_set_as_well() {
    for line in ["session_lifetime = 3600", "unguarded_routes = 'deny'"] {
        let (name, _) = line.split_once(' ').unwrap();
        let mistake = format!(
            "`{name}`: is not read there; write `{name}` under `[default.login]` in Rocket.toml, or in \
             ROCKET_LOGIN='{{{name}=..}}' in the environment; if it is a setting of your own, set ours there too (in TOML source string)"
        );
        let stopped = with_file(release(&format!("[default]\n{line}"))).stopped();
        assert_eq!(stopped, [mistake]);
    }
    let both = "[default]\nsession_lifetime = 3600\n[default.login]\nsession_lifetime = '1h'";
    with_file(release(both)).went_well();
}

#[test]
fn settings_of_other_crates_and_profiles_pass() {
    with_file(release(
        r"
        [default]
        login_attempts = 5
        logins = 3
        template_dir = 'templates'
        [default.databases.members]
        url = 'members.sqlite'
        [default.logging]
        format = 'json'
        [default.limits]
        json = '1MiB'
        [staging]
        port = 80
        [staging.login]
        session_lifetime = '1h'
        [login]
        port = 8001
        log_level = 'critical'
        ",
    ))
    .went_well();
    // A profile of this name that is in use.
    let figment = release("[login.login]\nsession_lifetime = '1h'").select("login");
    with_file(figment).went_well();
}

#[test]
fn a_number_that_looks_like_another_unit_warns_with_the_time_in_words() {
    for (line, number, means, probable) in [
        ("session_lifetime = 30", "30", "30 seconds", "30 minutes"),
        (
            "permanent_session_lifetime = 31",
            "31",
            "31 seconds",
            "31 days",
        ),
        (
            "remember_cookie_duration = 365",
            "365",
            "365 seconds",
            "365 days",
        ),
        (
            "session_idle_timeout = 15",
            "15",
            "15 seconds",
            "15 minutes",
        ),
        ("fresh_lifetime = 10", "10", "10 seconds", "10 minutes"),
        (
            "session_lifetime = 28800000",
            "28800000",
            "8000 hours",
            "8 hours",
        ),
    ] {
        let launched = with_file(release(&format!("[default.login]\n{line}")));
        assert_eq!(launched.stopped_by, None, "{launched:?}");
        let (setting, _) = line.split_once(' ').unwrap();
        assert_eq!(
            launched.warnings(),
            [format!(
                "`login.{setting}` (in TOML source string) is the number {number}, which means {means}; write the unit, \
                 such as `\"{probable}\"`, or `\"{means}\"` if that is right"
            )]
        );
    }
    with_file(release("[default.login]\nsession_lifetime = '30 seconds'")).went_well();
}

#[test]
fn a_cookie_path_that_does_not_cover_a_page_of_the_login_warns() {
    let guarded = |path: &str| {
        launch(|| {
            let toml = format!("[default.login]\n{path}");
            site(debug(&toml), users().login_view("/app/login"))
                .mount("/app", routes![login_page])
                .mount("/app/deep", routes![login_door])
        })
    };
    for (path, missed) in [
        ("session_cookie_path = '/ap'", "`/app/login` and 1 more"),
        ("remember_cookie_path = '/app/deep'", "`/app/login`,"),
    ] {
        let warning = guarded(path).warned();
        let (setting, value) = path.split_once(" = ").unwrap();
        let value = value.trim_matches('\'');
        let start = format!("`login.{setting}` is `{value}`, which does not cover {missed}");
        assert!(warning.starts_with(&start), "{warning}");
    }
    guarded("session_cookie_path = '/app'").went_well();
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
    .hidden(["login_view", "remember_cookie_duration", "secret_key"]);

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
fn a_warning_about_several_managers_is_printed_once() {
    let warning = two("[default.login]\nexempt_methods = ['GET']", routes![]).warned();
    assert!(warning.contains("exempt_methods"), "{warning}");
}

/// Serves plain HTTP in the release profile, and returns the response to a login and what the log says.
fn login_over_plain_http(toml: &str, headers: &str) -> (String, Vec<String>) {
    let (reply, lines) = captured(|| {
        let server = Server::start(site(release(toml), users()).mount("/", routes![enter]));
        let lines =
            format!("Host: shop.lan:8000\r\n{headers}Content-Length: 0\r\nConnection: close");
        server.raw(format!("POST /enter HTTP/1.1\r\n{lines}\r\n\r\n").as_bytes())
    });
    let ours = lines
        .into_iter()
        .filter(Line::is_ours)
        .map(|line| line.text);
    (reply, ours.collect())
}

const PLAIN_ORIGIN: &str = "Origin: http://shop.lan:8000\r\n";

#[test]
fn plain_http_outside_the_debug_profile_is_recognized_and_one_setting_allows_it() {
    let (reply, lines) = login_over_plain_http("", PLAIN_ORIGIN);
    assert_eq!(status(&reply), 403);
    assert_eq!(
        lines,
        [
            "a request to change a login was refused: this site is visited over plain HTTP, but its login cookies are \
          `Secure`, so browsers would drop them; serve the site over HTTPS, or set `login.insecure_cookies = true` if \
          you trust its network"
        ]
    );
    let allowed = "[default.login]\ninsecure_cookies = true";
    let (reply, lines) = login_over_plain_http(allowed, PLAIN_ORIGIN);
    assert_eq!((status(&reply), lines), (200, vec![]));
    assert!(cookie(&reply, "login_session").is_some(), "{reply}");
    assert!(
        !header(&reply, "set-cookie").concat().contains("Secure"),
        "{reply}"
    );
}

#[test]
fn a_login_over_plain_http_that_a_setting_lets_pass_is_warned_of_because_browsers_drop_it() {
    for line in [
        "cross_site_protection = 'off'",
        "trusted_origins = ['http://shop.lan:8000']",
        // A proxy that does not pass the host on.
        "trusted_origins = ['http://shop.example']",
    ] {
        let toml = format!("[default.login]\n{line}");
        let origin = if line.contains("example") {
            "Origin: http://shop.example\r\n"
        } else {
            PLAIN_ORIGIN
        };
        let (reply, lines) = login_over_plain_http(&toml, origin);
        assert_eq!(status(&reply), 200);
        let [line] = lines.as_slice() else {
            panic!("{lines:?}");
        };
        assert!(
            line.starts_with("a user logs in, but browsers drop the cookies: "),
            "{line}"
        );
        assert!(line.contains("`login.insecure_cookies = true`"), "{line}");
    }
}

#[test]
fn an_unknown_source_is_refused_with_what_the_client_must_send() {
    let strict = "[default.login]\ncross_site_protection = 'strict'";
    for (toml, headers, fix) in [
        (strict, "", "must send `Origin`"),
        ("", "Origin: null\r\n", "`Referrer-Policy: no-referrer`"),
        (
            "",
            "Origin: http://a.lan\r\nOrigin: http://b.lan\r\n",
            "send each of them once",
        ),
        ("", "Origin: http://a.lan\r\n", "`login.trusted_origins`"),
    ] {
        let (reply, lines) = login_over_plain_http(toml, headers);
        assert_eq!(status(&reply), 403);
        let [line] = lines.as_slice() else {
            panic!("{lines:?}");
        };
        assert!(line.contains(fix), "{line}");
        assert_eq!(
            line.contains("trusted_origins"),
            fix.contains("trusted_origins"),
            "{line}"
        );
    }
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
