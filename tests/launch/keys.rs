//! The secret key: missing, weak, published and repeated keys stop the launch, and no message shows them.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use data_encoding::{BASE64, HEXLOWER};
use rocket::Config;
use rocket::figment::Figment;

use crate::common::log::captured;
use crate::common::{KEY, quickstart};
use crate::{keyless, launch, mistake, release, site, users, with_file};

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
        // In another spelling.
        (quoted(own.trim_end_matches('=')), published),
        (quoted(&own.replace('+', "-")), published),
        (quoted(&format!(" {rockets}")), published),
        (quoted(&flasks.to_uppercase()), published),
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
            let [error] = with_file(keyless(&format!("[{table}]\n{line}"))).misconfigured();
            assert!(error.starts_with(&format!("`{name}`: ")), "{line}: {error}");
            assert!(error.contains(why), "{line}: {error}");
            assert!(error.contains("openssl rand -base64 32"), "no fix: {error}");
            let bare = key.trim_matches(['"', '[', ']']);
            assert!(
                bare.len() < 5 || !error.contains(bare),
                "the key is shown: {error}"
            );
        }
        // The same in the builder, whose keys are text.
        if let Some(key) = key.strip_prefix('"').and_then(|key| key.strip_suffix('"')) {
            let [error] = launch(|| site(keyless(""), users().secret_key(key))).misconfigured();
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
fn a_key_of_another_type_stops_the_launch_and_is_not_shown() {
    for key in MISSHAPEN {
        let [error] = with_file(keyless(&format!("[default]\nsecret_key = {key}"))).misconfigured();
        assert_misshapen("secret_key", &error);
        assert_misshapen(
            "login.secret_key",
            &mistake("login.secret_key", &format!("secret_key = {key}")),
        );
    }
}

#[test]
fn a_key_of_another_type_is_not_reported_as_missing() {
    for key in MISSHAPEN {
        let file = format!("[default.login]\nsecret_key = {key}");
        let [error] = with_file(keyless(&file)).misconfigured();
        assert_misshapen("login.secret_key", &error);
    }
}

#[test]
fn without_a_key_the_server_never_listens() {
    // R1: the launch ends before the port is bound. The port is taken, so binding would fail with another error.
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let (kind, _) = captured(|| {
        let rocket = site(keyless("").merge(("port", port)), users());
        rocket::execute(rocket.launch())
            .map(drop)
            .unwrap_err()
            .kind()
            .to_string()
    });
    assert_eq!(kind, "launch fairing(s) failed");
}

fn quickstart(port: u16, key: Option<&str>) -> Output {
    run(quickstart::command(), port, key, &[])
}

/// Runs the example in the release profile, with no environment variables but these.
pub(crate) fn run(
    mut process: Command,
    port: u16,
    key: Option<&str>,
    settings: &[(&str, &str)],
) -> Output {
    process.env_clear();
    process.env("ROCKET_PROFILE", "release");
    process.env("ROCKET_PORT", port.to_string());
    if let Some(key) = key {
        process.env("ROCKET_SECRET_KEY", format!("{key:?}"));
    }
    process.envs(settings.iter().copied());
    output(&mut process)
}

/// Runs a program that a test may have just copied.
fn output(process: &mut Command) -> Output {
    loop {
        match process.output() {
            // A process that another test starts at this moment has the copy open, until it runs its own program.
            Err(error) if error.kind() == ErrorKind::ExecutableFileBusy => {}
            output => return output.unwrap(),
        }
    }
}

#[test]
fn a_program_that_is_not_called_like_the_crate_of_its_user_type_is_asked_for_an_audience() {
    // R3: the port is taken, so the launch ends after its warnings.
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let folder = std::env::temp_dir().join(format!("rocket-login-{port}"));
    std::fs::create_dir(&folder).unwrap();
    let renamed = folder.join(format!("back-office{}", std::env::consts::EXE_SUFFIX));
    std::fs::copy(quickstart::command().get_program(), &renamed).unwrap();
    let printed = |process: Command, settings: &[(&str, &str)]| {
        let output = run(process, port, Some(KEY), settings);
        String::from_utf8([output.stdout, output.stderr].concat()).unwrap()
    };
    let warning = printed(Command::new(&renamed), &[]);
    for part in ["`login.audience`", "`quickstart`", "`back_office`"] {
        assert!(warning.contains(part), "{part}: {warning}");
    }
    let named = [("ROCKET_LOGIN", "{audience=\"back office\"}")];
    assert!(!printed(Command::new(&renamed), &named).contains("login.audience"));
    assert!(!printed(quickstart::command(), &[]).contains("login.audience"));
    std::fs::remove_dir_all(&folder).unwrap();
}

#[test]
fn the_example_without_a_good_key_ends_and_never_listens() {
    // R1, R2, T76: the port is taken, so an attempt to listen would print another error.
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
        let printed = [output.stdout, output.stderr].concat();
        let printed = String::from_utf8(printed).unwrap();
        assert!(!output.status.success(), "{printed}");
        assert!(printed.to_lowercase().contains(why), "{printed}");
        assert!(!printed.contains("launched"), "{printed}");
        // The control: with a good key, the example tries to bind its port.
        let named =
            printed.contains("`secret_key`: ") && printed.contains("openssl rand -base64 32");
        assert_eq!(named, why != "already in use", "{printed}");
        assert!(
            key.is_none_or(|key| key.is_empty() || !printed.contains(key)),
            "a key is shown"
        );
    }
}

#[test]
fn the_debug_profile_needs_no_key_but_warns() {
    // R1
    let debug = || Figment::from(Config::debug_default());
    let warning = with_file(debug()).warned();
    assert!(warning.contains("`secret_key` is not set"), "{warning}");
    assert!(warning.contains("openssl rand -base64 32"), "{warning}");
    with_file(debug().merge(("secret_key", KEY))).went_well();

    // An invalid key is a mistake in the debug profile too.
    let [error] = with_file(debug().merge(("secret_key", "short"))).misconfigured();
    assert!(
        error.starts_with("`secret_key`: the key has 5 bytes"),
        "{error}"
    );
}

#[test]
fn a_key_of_words_warns_and_is_not_shown() {
    // With its feature `secrets`, Rocket itself accepts only base64 and hexadecimal digits.
    let words = "correcthorsebatterystapleandadonkeyonthecow=";
    for (figment, name) in [
        (
            keyless(&format!("[default]\nsecret_key = {words:?}")),
            "secret_key",
        ),
        (
            release(&format!("[default.login]\nsecret_key = {words:?}")),
            "login.secret_key",
        ),
    ] {
        let warning = with_file(figment).warned();
        assert_eq!(
            warning,
            format!(
                "`{name}` is words or a pattern and not random, so it can be guessed, and then anybody can log in as \
                 anybody; create one with `openssl rand -base64 32`, and set it as `secret_key` in Rocket.toml or as \
                 ROCKET_SECRET_KEY in the environment"
            )
        );
    }
}

#[test]
fn a_key_in_the_code_that_hides_the_configured_one_warns() {
    let other = "q0Zf3mT8wB5vRkXyLh1uNc7sJd2gPaE9iOo4WtQxZ6Y=";
    let with = |key: &str| launch(|| site(release(""), users().secret_key(key)));
    let warning = with(other).warned();
    let signs = "signs no logins, because the method `secret_key` of `LoginManager` is called";
    assert!(
        warning.starts_with("`secret_key` (in ") && warning.contains(signs),
        "{warning}"
    );
    assert!(!warning.contains(other), "{warning}");
    with(KEY).went_well();
    // Not in the release profile, where Rocket's feature `secrets` requires a key of its own.
    let keyless = Figment::from(Config::debug_default());
    launch(|| site(keyless, users().secret_key(KEY))).went_well();
}

/// Copies the example into a folder of its own, under this name.
fn copied_to(folder: &Path, name: &str) -> PathBuf {
    let program = folder.join(format!("{name}{}", std::env::consts::EXE_SUFFIX));
    std::fs::copy(quickstart::command().get_program(), &program).unwrap();
    program
}

#[test]
fn the_debug_profile_keeps_a_key_in_the_target_directory_without_a_word() {
    let target = tempfile::tempdir().unwrap();
    std::fs::write(target.path().join("CACHEDIR.TAG"), "").unwrap();
    let shop = copied_to(target.path(), "shop");
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let printed = |program: &Path, profile: &str| {
        let mut process = Command::new(program);
        process
            .env_clear()
            .env("ROCKET_PROFILE", profile)
            .env("ROCKET_PORT", port.to_string());
        let output = output(&mut process);
        String::from_utf8([output.stdout, output.stderr].concat()).unwrap()
    };
    let kept = || std::fs::read_to_string(target.path().join("shop.login-key")).unwrap();

    // Not any mention: with its feature `secrets`, Rocket warns of its own key.
    let warning = "`secret_key` is not set";
    assert!(!printed(&shop, "debug").contains(warning));
    let key = kept();
    let again = printed(&shop, "debug");
    assert!(!again.contains(warning) && !again.contains(&key), "{again}");
    assert_eq!(kept(), key);
    // No other profile uses it.
    assert!(printed(&shop, "release").contains("`secret_key`: is not set"));
    assert_eq!(kept(), key);
    // Outside a target directory, the key ends with the process.
    let elsewhere = tempfile::tempdir().unwrap();
    let shop = copied_to(elsewhere.path(), "shop");
    assert!(printed(&shop, "debug").contains(warning));
    assert_eq!(std::fs::read_dir(elsewhere.path()).unwrap().count(), 1);
}

#[test]
fn a_fallback_key_is_checked_like_the_current_one() {
    // R2, R7
    let other = "q0Zf3mT8wB5vRkXyLh1uNc7sJd2gPaE9iOo4WtQxZ6Y=";
    let third = "Xr5Yp9Kd2Lm7Qw1Zt8Vn3Bc6Hj4Gf0SaUiEoPlMkNb8=";
    // The same key in another encoding.
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
