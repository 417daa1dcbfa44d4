//! The table of routes and their guards that the launch prints.

use rocket::routes;
use rocket_login::{GuardRoutes, RouteGuard};

use crate::common::User;
use crate::common::log::Level;
use crate::{about, active, login_door, one, plain, sign_in, two, vault};

#[test]
fn the_table_at_launch_has_the_style_of_rocket() {
    let routes = [
        routes![plain, about, active, vault, sign_in],
        routes![login_door].guarded(RouteGuard::login().user::<User>()),
    ]
    .concat();
    // Its attribute names no user type, which two managers need.
    let routes = routes
        .into_iter()
        .filter(|route| route.name.as_deref() != Some("login_door"))
        .collect();
    let launched = two("", routes);
    assert!(launched.stopped_by.is_none(), "{launched:?}");
    let start = launched
        .lines
        .iter()
        .position(|line| line.text.contains("Logins"))
        .expect("there is a table");
    let head = &launched.lines[start];
    assert_eq!((head.level, &*head.target), (Level::Info, "rocket::launch"));
    assert_eq!(head.text, "Logins:");
    let table: Vec<_> = launched.lines[start + 1..]
        .iter()
        .take_while(|line| line.target == "rocket::launch::_")
        .collect();
    let rows: Vec<_> = table.iter().map(|line| &*line.text).collect();
    assert_eq!(
        rows,
        [
            "(home) GET /: public",
            "(about) GET /a/about: public",
            "(active) GET /a/active/<_id>?<_page>: login of User, if its condition holds",
            "(plain) GET /a/plain: unguarded <- check this: the other routes below `/a` are guarded",
            "(sign_in) GET /a/sign-in: anonymous only",
            "(vault) POST /a/vault: fresh login of Staff",
        ]
    );
    for line in table {
        assert_eq!(line.level, Level::Info);
        // Readable in a log without colors.
        assert!(!line.text.contains('\x1b'), "{line:?}");
    }
}

#[test]
fn the_table_is_printed_once_for_any_number_of_managers() {
    for launched in [one("", routes![about]), two("", routes![about])] {
        let heads = launched.lines.iter().filter(|line| line.text == "Logins:");
        assert_eq!(heads.count(), 1);
    }
}

#[test]
fn the_table_uses_the_log_targets_of_rockets_routes() {
    // The same targets as Rocket's own lines, so that one filter shows and hides both.
    let launched = one("", routes![about]);
    let routes = launched
        .lines
        .iter()
        .position(|line| line.text.contains("Routes"))
        .expect("Rocket prints its routes");
    let logins = launched
        .lines
        .iter()
        .position(|line| line.text == "Logins:")
        .unwrap();
    for (ours, rockets) in [(logins, routes), (logins + 1, routes + 1)] {
        let (ours, rockets) = (&launched.lines[ours], &launched.lines[rockets]);
        assert_eq!(
            (&ours.target, ours.level),
            (&rockets.target, rockets.level),
            "{ours:?} {rockets:?}"
        );
    }
}
