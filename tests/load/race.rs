//! A logout, and at the same time a slow request of the same login that renews it.

use std::thread;

use rocket::tokio::task::yield_now;
use rocket::{get, routes};

use crate::common::User;
use crate::common::connection::{Connection, Jar, Request};
use crate::common::socket::{body, status};
use crate::dice::Dice;
use crate::site::{MINUTE, REMEMBER, SESSION, Site, issued, log_in, me, name};
use crate::{alone, requests, seed};

const RUNNERS: usize = 16;

/// Waits between loading its user and its response.
#[get("/slow?<turns>")]
async fn slow(user: &User, turns: usize) -> String {
    for _ in 0..turns {
        yield_now().await;
    }
    user.id.clone()
}

/// One racing user, with two connections.
struct Runner {
    user: String,
    dice: Dice,
    lines: [Connection; 2],
    tally: Tally,
}

#[derive(Clone, Copy, Default)]
struct Tally {
    pairs: usize,
    /// Slow requests that were answered with a cookie for the login that had been logged out.
    late: usize,
    survivors: usize,
}

impl Runner {
    fn race(&mut self, jar: &Jar) {
        let dice = &mut self.dice;
        let [first, second] = &mut self.lines;
        let shown = match dice.below(3) {
            0 => jar.only(SESSION),
            1 => jar.only(REMEMBER),
            _ => jar.clone(),
        };
        let path = format!("/slow?turns={}", dice.below(30));
        let slow = Request::get(&path, &[&shown.line(), "Accept: application/json"]);
        let logout = Request::post("/logout", &[&jar.line()], "");
        if dice.flip() {
            first.send(&slow);
            second.send(&logout);
        } else {
            second.send(&logout);
            first.send(&slow);
        }
        let out = second.receive();
        assert_eq!((status(&out), body(&out)), (200, "logged out"), "{out}");
        let late = first.receive();
        match status(&late) {
            200 => assert_eq!(body(&late), self.user, "{late}"),
            code => assert_eq!(code, 401, "{late}"),
        }
        let renewed: Vec<_> = issued(&late).collect();
        self.tally.pairs += 1;
        self.tally.late += renewed.len();
        let originals = [jar.only(SESSION).line(), jar.only(REMEMBER).line()];
        for cookies in renewed.iter().chain(&originals) {
            self.tally.survivors += usize::from(me(second, cookies) != "anonymous");
        }
    }
}

#[test]
fn no_cookie_outlives_a_logout_that_raced_a_renewal() {
    // T84, R28
    let _alone = alone();
    let site = Site::start(routes![slow]);
    let mut runners: Vec<_> = (0..RUNNERS)
        .map(|n| Runner {
            user: site.users.put(&name(n)).id,
            dice: Dice::new(seed(), n as u64),
            lines: [site.connect(), site.connect()],
            tally: Tally::default(),
        })
        .collect();
    let pairs = requests() / 10;
    let begun = std::time::Instant::now();
    let sum = |runners: &[Runner]| {
        let tallies = runners.iter().map(|runner| runner.tally);
        tallies.fold(Tally::default(), |sum, tally| Tally {
            pairs: sum.pairs + tally.pairs,
            late: sum.late + tally.late,
            survivors: sum.survivors + tally.survivors,
        })
    };
    while sum(&runners).pairs < pairs {
        let logins: Vec<Vec<_>> = runners
            .iter_mut()
            .map(|Runner { user, lines, .. }| {
                (0..25).map(|_| log_in(&mut lines[0], user)).collect()
            })
            .collect();
        site.forward(10 * MINUTE);
        thread::scope(|scope| {
            for (runner, jars) in runners.iter_mut().zip(&logins) {
                scope.spawn(move || jars.iter().for_each(|jar| runner.race(jar)));
            }
        });
    }
    let sum = sum(&runners);
    println!(
        "{} pairs in {:.1} s; {} late cookies; {} survivors",
        sum.pairs,
        begun.elapsed().as_secs_f64(),
        sum.late,
        sum.survivors
    );
    assert_eq!(sum.survivors, 0);
    assert!(sum.late > pairs / 10, "they did not race");
}
