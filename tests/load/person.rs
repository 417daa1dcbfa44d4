//! One user with two browsers, who knows the right response to every request.

use crate::common::connection::{Connection, Jar, Request};
use crate::common::socket::{body, header, status};
use crate::dice::Dice;
use crate::site::{DAY, HOUR, REMEMBER, SESSION, issued};
use crate::traffic::Tally;

pub struct Person {
    name: String,
    browsers: [Browser; 2],
}

#[derive(Default)]
struct Browser {
    jar: Jar,
    login: Option<Login>,
}

/// What a browser knows about its login.
struct Login {
    /// Every cookie issued for it, each as a header line.
    issued: Vec<String>,
    began: u64,
    renewed: u64,
    fresh: bool,
}

#[derive(Clone, Copy)]
pub enum Act {
    Read(&'static str),
    Login {
        remember: bool,
    },
    Confirm,
    Logout,
    LogoutEverywhere,
    /// The browser is closed: its session cookie is gone.
    Restart,
}

/// The state of the login of a browser at some time.
#[derive(Clone, Copy, PartialEq)]
enum Standing {
    Nobody,
    Session {
        fresh: bool,
    },
    /// The remember cookie will bring the user back.
    Remembered,
}

impl Browser {
    fn standing(&self, now: u64) -> Standing {
        let Some(login) = &self.login else {
            return Standing::Nobody;
        };
        let holds = now < login.began + DAY && now < login.renewed + HOUR;
        if holds && self.jar.0.contains_key(SESSION) {
            Standing::Session { fresh: login.fresh }
        } else if self.jar.0.contains_key(REMEMBER) {
            Standing::Remembered
        } else {
            Standing::Nobody
        }
    }

    /// Applies what the response to a read sets and removes.
    fn visited(&mut self, before: Standing, reply: &str, now: u64, tally: &mut Tally) {
        let renewed: Vec<_> = issued(reply).collect();
        let had = self.jar.0.len();
        self.jar.keep(reply);
        match before {
            Standing::Nobody => {
                assert!(renewed.is_empty(), "{reply}");
                tally.lapsed += usize::from(self.login.take().is_some() && had > 0);
            }
            Standing::Session { .. } => tally.renewals += renewed.len(),
            Standing::Remembered => {
                assert_eq!(renewed.len(), 1, "{reply}");
                tally.restorations += 1;
            }
        }
        if let Some(login) = &mut self.login
            && !renewed.is_empty()
        {
            login.renewed = now;
            if before == Standing::Remembered {
                login.began = now;
                login.fresh = false;
            }
            login.issued.extend(renewed);
        }
    }
}

impl Person {
    pub fn new(name: String) -> Self {
        Person {
            name,
            browsers: <[Browser; 2]>::default(),
        }
    }

    pub fn is_there(&self, which: usize, now: u64) -> bool {
        self.browsers[which].standing(now) != Standing::Nobody
    }

    /// Performs one action with one of the browsers, and checks the response.
    ///
    /// Returns the cookies that must be invalid from now on: all cookies of the logins
    /// that the action ended, including those of late responses.
    pub fn act(
        &mut self,
        which: usize,
        act: Act,
        now: u64,
        lines: &mut [Connection; 2],
        dice: &mut Dice,
        tally: &mut Tally,
    ) -> Vec<String> {
        let browser = &mut self.browsers[which];
        let before = browser.standing(now);
        let cookies = browser.jar.line();
        let (path, form) = match act {
            Act::Restart => {
                browser.jar.0.remove(SESSION);
                return Vec::new();
            }
            Act::Read(path) => {
                tally.requests += 1;
                let reply = lines[which].ask(Request::get(path, &[&cookies]));
                self.check_page(path, before, &reply, tally);
                self.browsers[which].visited(before, &reply, now, tally);
                return Vec::new();
            }
            Act::Login { remember } => {
                let remember = if remember { "&remember=on" } else { "" };
                ("/login", format!("user={}{remember}", self.name))
            }
            Act::Confirm => ("/confirm", self.name.clone()),
            Act::Logout => ("/logout", String::new()),
            Act::LogoutEverywhere => ("/logout-everywhere", String::new()),
        };
        let change = Request::post(path, &[&cookies], &form);
        let (reply, late) = if dice.flip() {
            tally.requests += 1;
            (lines[which].ask(&change), Vec::new())
        } else {
            self.race(&change, &cookies, lines, dice, tally)
        };
        self.changed(which, act, before, now, &reply, late, tally)
    }

    /// Sends a change and a read of the same login at once. Returns the response to the change, and
    /// the cookies that the read got.
    fn race(
        &self,
        change: &Request,
        cookies: &str,
        lines: &mut [Connection; 2],
        dice: &mut Dice,
        tally: &mut Tally,
    ) -> (String, Vec<String>) {
        tally.requests += 2;
        tally.races += 1;
        let read = Request::get("/me", &[cookies]);
        let [first, second] = lines;
        if dice.flip() {
            first.send(change);
            second.send(&read);
        } else {
            second.send(&read);
            first.send(change);
        }
        let changed = first.receive();
        let late = second.receive();
        assert_eq!(status(&late), 200, "{late}");
        assert!(
            [&self.name, "anonymous"].contains(&body(&late)),
            "not {}: {late}",
            self.name
        );
        let late: Vec<_> = issued(&late).collect();
        tally.raced += late.len();
        (changed, late)
    }

    /// Checks that a page belongs to this user, or is anonymous if nobody is logged in.
    fn check_page(&self, path: &str, standing: Standing, reply: &str, tally: &mut Tally) {
        let name = &self.name;
        let is_fresh = standing == Standing::Session { fresh: true };
        let is_there = standing != Standing::Nobody;
        let expected = match path {
            "/me" if is_there => Ok(name.clone()),
            "/me" => Ok("anonymous".into()),
            "/private" if is_there => Ok(format!("private of {name}")),
            "/fresh" if is_fresh => Ok(format!("fresh {name}")),
            "/fresh" if is_there => Err("/confirm?next=%2Ffresh".to_owned()),
            path => Err(format!("/login?next={}", path.replace('/', "%2F"))),
        };
        match expected {
            Ok(text) => assert_eq!((status(reply), body(reply)), (200, &*text), "{reply}"),
            Err(to) => assert_eq!(
                (status(reply), header(reply, "location")),
                (303, vec![&*to]),
                "not {name}: {reply}"
            ),
        }
        tally.named += usize::from(is_there && status(reply) == 200);
    }

    /// Applies the response to a change, and returns the cookies that it has ended.
    #[allow(clippy::too_many_arguments, reason = "one complete response")]
    fn changed(
        &mut self,
        which: usize,
        act: Act,
        before: Standing,
        now: u64,
        reply: &str,
        late: Vec<String>,
        tally: &mut Tally,
    ) -> Vec<String> {
        let expected = match (act, before) {
            (Act::Login { .. }, _) => 303,
            (Act::Confirm | Act::LogoutEverywhere, Standing::Nobody) => 401,
            _ => 200,
        };
        assert_eq!(status(reply), expected, "{}: {reply}", self.name);
        let [here, there] = self.browsers.get_disjoint_mut([which, 1 - which]).unwrap();
        let was_shown = !here.jar.0.is_empty();
        here.jar.keep(reply);
        let new: Vec<_> = issued(reply).collect();
        let mut ended = late;
        let mut end = |browser: &mut Browser| {
            if let Some(login) = browser.login.take() {
                ended.extend(login.issued);
                tally.ended += 1;
            }
        };
        match act {
            Act::Confirm | Act::LogoutEverywhere if before == Standing::Nobody => {
                here.login = None;
                return Vec::new();
            }
            Act::Confirm => {
                let began = match (&here.login, before) {
                    (Some(login), Standing::Session { .. }) => login.began,
                    _ => now,
                };
                end(here);
                tally.confirmations += 1;
                here.login = Some(Login {
                    issued: new,
                    began,
                    renewed: now,
                    fresh: true,
                });
            }
            Act::Login { .. } => {
                // Without its cookie in the request, the server does not know the old login of this browser.
                if was_shown {
                    end(here);
                }
                tally.logins += 1;
                here.login = Some(Login {
                    issued: new,
                    began: now,
                    renewed: now,
                    fresh: true,
                });
            }
            Act::LogoutEverywhere => {
                end(here);
                end(there);
            }
            _ if was_shown => end(here),
            _ => here.login = None,
        }
        ended
    }
}
