//! The list of ended sessions: how it grows, and what happens at its cap.
//!
//! Memory that other tests of this process have freed hides growth: for figures, run each test alone (`--exact`).

use rocket::routes;

use crate::common::App;
use crate::common::connection::Jar;
use crate::memory::{MIB, assert_flat, resident};
use crate::site::{REMEMBER, SESSION, Site, log_in, log_out, me, name};
use crate::{alone, requests};

#[test]
fn the_list_grows_by_one_small_entry_per_logout() {
    let _alone = alone();
    let site = Site::start(routes![]);
    let mut line = site.connect();
    let mut log_in_and_out = |times| {
        for _ in 0..times {
            let jar = log_in(&mut line, "alice");
            log_out(&mut line, &jar);
        }
    };
    log_in_and_out(200);
    let before = resident();
    let ended = requests() / 20;
    log_in_and_out(ended);
    assert_flat(before, resident(), ended, MIB);
}

/// Every cookie of a jar, alone and with the others.
fn lines(jar: &Jar) -> [String; 3] {
    [
        jar.line(),
        jar.only(SESSION).line(),
        jar.only(REMEMBER).line(),
    ]
}

#[test]
fn a_full_list_loses_no_logout_and_ends_no_login_of_another_user() {
    // T87, R24
    let _alone = alone();
    let app = App::new().release().set("login.revocation_capacity", 64);
    let site = Site::of(app, |rocket| rocket);
    let mut line = site.connect();
    let names: Vec<_> = (0..40).map(|n| site.users.put(&name(n)).id).collect();
    let (leaving, staying) = names.split_at(30);
    let others: Vec<_> = names.iter().map(|user| log_in(&mut line, user)).collect();

    let mut ended = Vec::new();
    for _ in 0..10 {
        for user in leaving {
            let jar = log_in(&mut line, user);
            // A login is valid until its own logout, even if the list is full.
            assert_eq!(me(&mut line, &jar.line()), *user);
            log_out(&mut line, &jar);
            ended.push(jar);
        }
        site.forward(1);
    }
    for cookies in ended.iter().flat_map(lines) {
        assert_eq!(me(&mut line, &cookies), "anonymous");
    }
    // A user who logged out when the list was full has lost the other login as well; no other user has.
    let (theirs, untouched) = others.split_at(leaving.len());
    for (user, cookies) in staying
        .iter()
        .flat_map(|user| [user; 3])
        .zip(untouched.iter().flat_map(lines))
    {
        assert_eq!(me(&mut line, &cookies), *user);
    }
    let lost = theirs
        .iter()
        .filter(|jar| me(&mut line, &jar.line()) == "anonymous");
    assert_eq!(lost.count(), leaving.len());

    // The list is full: from now on it must not grow.
    let before = resident();
    let more = requests() / 20;
    for n in 0..more {
        let jar = log_in(&mut line, &leaving[n % leaving.len()]);
        log_out(&mut line, &jar);
        assert_eq!(me(&mut line, &jar.line()), "anonymous");
        if n % leaving.len() == 0 {
            site.forward(1);
        }
    }
    assert_flat(before, resident(), 0, MIB);
}
