//! A store of ended logins that cannot be used.

use std::thread::sleep;
use std::time::{Duration, Instant};

use rocket::figment::value::Value;
use rocket::get;
use rocket::routes;
use rocket_login::logins::MemoryRegistry;
use rocket_login::revocation::RevocationError;
use rocket_login::store::StoreHealth;
use rocket_login::testing::registry::Shared;
use rocket_login::testing::store::{Fault, MemoryLog};

use super::{Level, Stop, captured, launch};
use crate::common::{App, Running};

#[test]
fn a_store_that_cannot_be_read_stops_the_launch() {
    let log = MemoryLog::new();
    log.set_fault(Fault::Down);
    let launch = launch(|| {
        App::new()
            .with(|manager| manager.revocation_store(|_| Box::pin(async { Ok(log) })))
            .rocket()
    });
    assert_eq!(launch.stopped_by, Some(Stop::Ignition));
    assert_eq!(
        launch.ours(Level::Error),
        [
            "the store of ended logins cannot be used, and without it a logout would not hold: the store is down; its \
             settings are under `login.store`"
        ]
    );
}

#[test]
fn a_store_without_an_address_names_the_setting() {
    let launch = launch(|| {
        App::new()
            .with(|manager| {
                manager.revocation_store(|setup| {
                    Box::pin(async move {
                        let _url = setup.url()?;
                        Ok::<_, RevocationError>(MemoryLog::new())
                    })
                })
            })
            .rocket()
    });
    assert_eq!(launch.stopped_by, Some(Stop::Ignition));
    let errors = launch.ours(Level::Error).concat();
    assert!(
        errors.contains("its address is not known; set `login.store.url` in Rocket.toml"),
        "{errors}"
    );
}

#[test]
fn a_store_is_opened_with_its_address_and_what_earlier_fairings_manage() {
    struct Pool(MemoryLog);

    let log = MemoryLog::new();
    let launch = launch(|| {
        App::new()
            .set("login.store.url", "memory://here")
            .with(|manager| {
                manager.revocation_store(|setup| {
                    Box::pin(async move {
                        assert_eq!(setup.url()?, "memory://here");
                        let pool = setup.rocket().state::<Pool>();
                        let pool = pool.ok_or_else(|| RevocationError::new("no pool"))?;
                        Ok(pool.0.clone())
                    })
                })
            })
            .rocket()
            .manage(Pool(log))
    });
    assert_eq!(launch.stopped_by, None);
}

#[test]
fn settings_of_the_store_that_cannot_hold_stop_the_launch() {
    for (key, value, mistake) in [
        ("max_staleness", "100ms", "is less than half a second"),
        ("max_staleness", "2 minutes", "or more than a minute"),
        ("stale_wait", "1 minute", "is more than 10 seconds"),
        (
            "on_stale",
            "serve",
            "is not what can be done about an old copy",
        ),
        ("on_loss", "end", "`end` is not allowed"),
        ("key", "short", "at least 32 are required"),
    ] {
        let launch = launch(|| {
            App::new()
                .set(&format!("login.store.{key}"), value)
                .rocket()
        });
        assert_eq!(launch.stopped_by, Some(Stop::Ignition), "{key}");
        let errors = launch.ours(Level::Error).concat();
        assert!(errors.contains(&format!("`login.store.{key}`")), "{errors}");
        assert!(errors.contains(mistake), "{errors}");
    }
}

#[get("/store")]
fn health(store: StoreHealth) -> String {
    format!("{} {}", store.is_fresh(), store.losses())
}

#[test]
fn every_change_of_state_of_the_follower_is_logged_once() {
    let reaches = |server: &Running, health: &str| {
        let began = Instant::now();
        while server.browser().get("/store").body != health {
            assert!(began.elapsed() < Duration::from_secs(5), "never {health}");
            sleep(Duration::from_millis(10));
        }
    };
    let ((), lines) = captured(|| {
        let log = MemoryLog::new();
        let store = log.clone();
        let server = App::new()
            .with(|manager| manager.revocation_store(move |_| Box::pin(async { Ok(store) })))
            .routes(routes![health])
            .start();
        server.logged_in("alice").post("/logout", "");
        log.set_fault(Fault::Down);
        reaches(&server, "false 0");
        sleep(Duration::from_millis(1_200));
        log.set_fault(None);
        reaches(&server, "true 0");
        log.wipe();
        reaches(&server, "true 1");
        sleep(Duration::from_millis(300));
    });
    let ours = lines.iter().filter(|line| line.is_ours());
    let about_the_store: Vec<_> = ours
        .filter(|line| line.text.contains("the store"))
        .map(|line| (line.level, line.text.as_str()))
        .collect();
    assert_eq!(
        about_the_store,
        [
            (
                Level::Warn,
                "the store of ended logins cannot be read: the store is down"
            ),
            (
                Level::Error,
                "this server does not know which logins have ended since it last read the store: until the store \
                 answers, requests with a login get 503, or what `login.store.on_stale` says"
            ),
            (Level::Warn, "the store of ended logins can be read again"),
            (
                Level::Warn,
                "the log of the store of ended logins does not go on where it was, so the store has lost changes or \
                 was replaced; this server has read it anew and written back 1 entries"
            ),
        ]
    );
}

#[test]
fn a_setting_that_needs_a_registry_stops_a_launch_without_one() {
    for (setting, value) in [
        ("remember_cookie_theft_detection", Value::from(true)),
        ("max_logins_per_user", Value::from(5)),
    ] {
        let app = || App::new().set(&format!("login.{setting}"), value.clone());
        let launch = launch(|| app().rocket());
        assert_eq!(launch.stopped_by, Some(Stop::Ignition));
        assert_eq!(
            launch.ours(Level::Error),
            [format!(
                "`login.{setting}` requires a registry of logins: write `.login_registry(MemoryRegistry::new())` at the \
                 `LoginManager`, or remove the setting"
            )]
        );
        let with_registry = super::launch(|| {
            app()
                .with(|manager| manager.login_registry(MemoryRegistry::new()))
                .rocket()
        });
        assert_eq!(with_registry.stopped_by, None);
    }
}

#[test]
fn a_registry_that_outlives_the_list_of_ended_logins_is_warned_of() {
    let shared = || Shared::new(MemoryRegistry::new());
    let warning = launch(|| {
        App::new()
            .with(|manager| manager.login_registry(shared()))
            .rocket()
    })
    .warned();
    assert_eq!(
        warning,
        "the registry of logins can be shared and survive a restart, but the list of ended logins is only in this process: a login \
         that ends here goes on elsewhere and after a restart; add `.revocation_store(..)`, such as the one of the same crate"
    );
    for app in [
        App::new().with(|manager| manager.login_registry(MemoryRegistry::new())),
        App::new().with(|manager| {
            manager
                .login_registry(shared())
                .revocation_store(|_| Box::pin(async { Ok(MemoryLog::new()) }))
        }),
    ] {
        launch(|| app.rocket()).went_well();
    }
}
