//! Many users at once, who read, log in, confirm, close their browsers and log out.

use std::thread;
use std::time::Instant;

use rocket::routes;

use crate::common::connection::Connection;
use crate::dice::Dice;
use crate::memory::{KIB, MIB, assert_flat, resident};
use crate::person::{Act, Person};
use crate::site::{MINUTE, Site, me, name};
use crate::{alone, requests, seed};

const USERS: usize = 1000;
/// Each works on two of the 64 connections.
const WORKERS: usize = 32;

/// What has happened.
#[derive(Clone, Copy, Debug, Default)]
pub struct Tally {
    pub requests: usize,
    /// Answers that named the user.
    pub named: usize,
    pub renewals: usize,
    pub restorations: usize,
    pub lapsed: usize,
    pub logins: usize,
    pub confirmations: usize,
    /// Logins that were ended, by a logout or by what came after them.
    pub ended: usize,
    /// Changes that raced a request of the same login.
    pub races: usize,
    /// Cookies that such a request got.
    pub raced: usize,
    /// Cookies of ended logins that were sent again.
    pub replays: usize,
    pub survivors: usize,
}

impl Tally {
    fn add(self, other: Tally) -> Tally {
        Tally {
            requests: self.requests + other.requests,
            named: self.named + other.named,
            renewals: self.renewals + other.renewals,
            restorations: self.restorations + other.restorations,
            lapsed: self.lapsed + other.lapsed,
            logins: self.logins + other.logins,
            confirmations: self.confirmations + other.confirmations,
            ended: self.ended + other.ended,
            races: self.races + other.races,
            raced: self.raced + other.raced,
            replays: self.replays + other.replays,
            survivors: self.survivors + other.survivors,
        }
    }
}

/// Acts for some of the users, on two connections.
struct Worker {
    people: Vec<Person>,
    dice: Dice,
    lines: [Connection; 2],
    /// Some cookies of ended logins, to send again much later.
    buried: Vec<String>,
    tally: Tally,
}

impl Worker {
    fn new(n: usize, site: &Site) -> Self {
        let people = (n..USERS).step_by(WORKERS);
        Worker {
            people: people
                .map(|n| Person::new(site.users.put(&name(n)).id))
                .collect(),
            dice: Dice::new(seed(), n as u64),
            lines: [site.connect(), site.connect()],
            buried: Vec::new(),
            tally: Tally::default(),
        }
    }

    /// Some steps, at one time of the clock.
    fn play(&mut self, now: u64) {
        for _ in 0..25 {
            self.step(now);
        }
        for cookies in &self.buried {
            Self::replay(&mut self.lines[0], &mut self.tally, cookies);
        }
    }

    fn step(&mut self, now: u64) {
        let Worker {
            people,
            dice,
            lines,
            buried,
            tally,
        } = self;
        let person = dice.below(people.len());
        let person = &mut people[person];
        let which = dice.below(2);
        let act = match dice.below(100) {
            _ if !person.is_there(which, now) && dice.flip() => Act::Login {
                remember: dice.flip(),
            },
            0..70 => Act::Read(dice.pick(&["/me", "/private", "/fresh"])),
            70..76 => Act::Login {
                remember: dice.flip(),
            },
            76..82 => Act::Confirm,
            82..91 => Act::Logout,
            91..93 => Act::LogoutEverywhere,
            _ => Act::Restart,
        };
        let dead = person.act(which, act, now, lines, dice, tally);
        for cookies in dead {
            Self::replay(&mut lines[dice.below(2)], tally, &cookies);
            if buried.len() < 4 {
                buried.push(cookies);
            } else if dice.percent(5) {
                let place = dice.below(buried.len());
                buried[place] = cookies;
            }
        }
    }

    fn replay(line: &mut Connection, tally: &mut Tally, cookies: &str) {
        tally.requests += 1;
        tally.replays += 1;
        tally.survivors += usize::from(me(line, cookies) != "anonymous");
    }
}

#[test]
fn every_answer_belongs_to_its_user_and_no_cookie_survives_its_logout() {
    // T86, T84, R28
    let _alone = alone();
    let site = Site::start(routes![]);
    let mut workers: Vec<_> = (0..WORKERS).map(|n| Worker::new(n, &site)).collect();
    let sum = |workers: &[Worker]| {
        let tallies = workers.iter().map(|worker| worker.tally);
        tallies.fold(Tally::default(), Tally::add)
    };
    let goal = requests();
    let begun = Instant::now();
    let mut tally = Tally::default();
    // The memory at each tenth of the way, and how many logins had ended by then.
    let mut curve = Vec::new();
    while tally.requests < goal {
        let now = site.clock.now().as_secs();
        thread::scope(|scope| {
            for worker in &mut workers {
                scope.spawn(move || worker.play(now));
            }
        });
        // No multiple of it is an hour or a day, so that no step is at the very end of a lifetime.
        site.forward(17 * MINUTE);
        tally = sum(&workers);
        while curve.len() < tally.requests * 10 / goal {
            curve.push((resident(), tally.ended));
        }
    }
    let seconds = begun.elapsed().as_secs_f64();
    #[allow(clippy::cast_precision_loss, reason = "a readable line")]
    let rate = tally.requests as f64 / seconds;
    println!("{tally:#?}\n{seconds:.1} s, {rate:.0} requests/s");
    let kib = curve.iter().map(|(bytes, _)| bytes.unwrap_or(0) / KIB);
    println!("KiB at each tenth: {:?}", kib.collect::<Vec<_>>());

    assert_eq!(tally.survivors, 0);
    for (what, times) in [
        ("named", tally.named),
        ("renewals", tally.renewals),
        ("restorations", tally.restorations),
        ("lapsed", tally.lapsed),
        ("confirmations", tally.confirmations),
        ("raced", tally.raced),
        ("replays", tally.replays),
    ] {
        assert!(times > goal / 1000, "{what}: {times}");
    }
    let (warm, last) = (curve[4], curve[9]);
    assert_flat(warm.0, last.0, last.1 - warm.1, 4 * MIB);
}
