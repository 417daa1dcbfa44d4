//! The real site, and browsers with its real cookies.

mod binding;

use std::collections::BTreeMap;
use std::time::Duration;

use rocket::http::Cookie;
use rocket::{State, get, post, routes};
use rocket_login::{LoginError, LoginSession, fresh_login_required, testing::Clock};

use self::binding::Notes;
use crate::common::device::find_challenge;
use crate::common::revocations::Revocations;
use crate::common::{self, App, Reply, Running, START, Users};
use crate::history::{Act, Browser, List, Place, Protection, Rules, Step, User, Which};
use crate::model::{RESTART, View, binding::AGAIN};

const SESSION: &str = "__Host-login_session";
const REMEMBER: &str = "__Host-remember_token";
const DEVICE: &str = "__Secure-login_device";
const COPY: &str = "__Secure-login_device_session";

const KEYS: [&str; 5] = [
    "UtbQhEZs0fCdXkjOHk7GKl1C5s3u9nPnQxqkiF2xW9E=",
    "I4qyrj2MLWceERuvTviZIXcVtHmP2hIqMMSTnT2ltgY=",
    "1gQLtHQacOZ7kakGUPq6Wl4RssGTHN1z/ggQ6MXwAUI=",
    "m0n8Q3sQ5cYkUu1dWm9jO2x7rR4tZbV6yHfLpKaEwTg=",
    "Zk3vX9bLq1NfRj7hWc5aPd8sTg2yMu6eIo4nVxBz0Kw=",
];

#[post("/end/<id>")]
async fn end(
    id: &str,
    session: LoginSession<'_, common::User>,
    users: &State<Users>,
) -> Result<(), LoginError> {
    if let Some(user) = users.get(id) {
        session.logout_everywhere_for(&user).await?;
    }
    Ok(())
}

#[get("/bound")]
async fn bound(session: LoginSession<'_, common::User>) -> Result<String, LoginError> {
    Ok(session.device_bound().await?.to_string())
}

/// The README's way to change a password.
#[fresh_login_required]
#[post("/password", data = "<password>")]
async fn change_password(
    user: &common::User,
    password: String,
    session: LoginSession<'_, common::User>,
    users: &State<Users>,
) -> Result<(), LoginError> {
    let user = users.change(&user.id, |user| user.password = password);
    session.confirm_login(&user).await
}

#[derive(Clone)]
struct Jar {
    cookies: BTreeMap<String, String>,
    /// Until when each is kept that came with a `Max-Age`, and so outlives the browser.
    lasting: BTreeMap<String, u64>,
    place: Place,
}

pub(crate) struct Site {
    rules: Rules,
    keys: Vec<u8>,
    ended: Revocations,
    users: Users,
    clock: Clock,
    app: Running,
    jars: BTreeMap<Browser, Jar>,
    notes: BTreeMap<Browser, Notes>,
    /// What the last response did to the cookies.
    changes: Vec<Cookie<'static>>,
}

impl Site {
    pub(crate) fn start(rules: &Rules) -> Self {
        let (users, clock) = (Users::default(), Clock::manual(START));
        for user in User::ALL {
            create(&users, user, 0);
        }
        let (ended, keys) = (Revocations::new(), vec![0]);
        Site {
            app: launch(rules, &keys, &ended, &users, &clock),
            rules: rules.clone(),
            keys,
            ended,
            users,
            clock,
            changes: Vec::new(),
            notes: Browser::ALL
                .map(|browser| (browser, Notes::default()))
                .into(),
            jars: Browser::ALL
                .map(|browser| {
                    let jar = Jar {
                        cookies: BTreeMap::new(),
                        lasting: BTreeMap::new(),
                        place: browser.home(),
                    };
                    (browser, jar)
                })
                .into(),
        }
    }

    /// Performs one step, and returns the status of the response, if there is one.
    pub(crate) fn take(&mut self, step: &Step) -> u16 {
        match *step {
            Step::Look(browser) => return self.get(browser, "/me").status.code,
            Step::Wait(seconds) => self.clock.advance(Duration::from_secs(seconds)),
            Step::Login {
                browser,
                user,
                remember,
                permanent,
                stale,
                force,
            } => {
                let remember = remember.map_or(String::new(), |seconds| {
                    format!("&remember=on&duration={seconds}")
                });
                let form = format!(
                    "user={}{remember}&permanent={permanent}&stale={stale}&force={force}",
                    user.id()
                );
                return self.post(browser, "/login", &form);
            }
            Step::Logout(browser) => return self.post(browser, "/logout", ""),
            Step::LogoutEverywhere(browser) => {
                return self.post(browser, "/logout-everywhere", "");
            }
            Step::EndAll(user) => {
                let reply = self.app.browser().post(&format!("/end/{}", user.id()), "");
                return reply.status.code;
            }
            Step::Confirm(browser, user) => return self.post(browser, "/confirm", user.id()),
            Step::NewPassword(browser, password) => {
                return self.post(browser, "/password", &secret(password));
            }
            Step::Steal { from, to, which } => {
                let stolen = self.jars[&from].clone();
                let names: &[_] = match which {
                    Which::Both => &[SESSION, COPY, REMEMBER, DEVICE],
                    Which::Session => &[SESSION, COPY],
                    Which::Remember => &[REMEMBER, DEVICE],
                };
                let jar = self.jar(to);
                for name in names {
                    jar.remove(name);
                    if let Some(value) = stolen.cookies.get(*name) {
                        jar.keep(name, value, stolen.lasting.get(*name).copied());
                    }
                }
                if which == Which::Both {
                    self.notes.insert(to, self.notes[&from].clone());
                }
            }
            Step::Close(browser) => {
                let Jar {
                    cookies, lasting, ..
                } = self.jar(browser);
                cookies.retain(|name, _| lasting.contains_key(name));
            }
            Step::Bind(browser, bind) => return self.bind(browser, bind),
            Step::Drop(browser) => self.jar(browser).remove(SESSION),
            Step::Link(browser) => {
                let reply = self.send(browser, |browser| {
                    let headers = [
                        ("Site", "cross-site"),
                        ("Mode", "navigate"),
                        ("Dest", "document"),
                    ];
                    for (name, value) in headers {
                        let name = format!("Sec-Fetch-{name}");
                        browser.headers.push((name, value.into()));
                    }
                    browser.get("/private")
                });
                let is_again = reply.body.contains(r#"content="0;url=/private""#);
                return if is_again { AGAIN } else { reply.status.code };
            }
            Step::Move(browser, place) => self.jar(browser).place = place,
            Step::SetPassword(user, password) => {
                self.change(user, |user| user.password = secret(password));
            }
            Step::SetActive(user, active) => self.change(user, |user| user.active = active),
            Step::Delete(user) => self.users.remove(user.id()),
            Step::Create(user, password) => create(&self.users, user, password),
            Step::NewKey(key) => {
                self.keys.retain(|known| *known != key);
                self.keys.insert(0, key);
                self.keys.truncate(4);
                self.restart();
            }
            Step::DropOldKeys => {
                self.keys.truncate(1);
                self.restart();
            }
            Step::Restart => self.restart(),
            Step::AtOnce {
                browser,
                ref acts,
                backwards,
            } => return self.at_once(browser, acts, backwards),
        }
        200
    }

    /// What a browser sees, without a lasting effect.
    pub(crate) fn look(&mut self, browser: Browser) -> View {
        let before = self.jars[&browser].clone();
        let may_bind = self.rules.device;
        self.ended.freeze(true);
        let mut get = |path| {
            self.jars.insert(browser, before.clone());
            self.get(browser, path)
        };
        let [private, fresh, status] = ["/private", "/fresh", "/status"].map(&mut get);
        let bound = may_bind && get("/bound").body == "true";
        let me = get("/me");
        let Jar {
            cookies, lasting, ..
        } = &self.jars[&browser];
        let lasts = |name: &str| {
            let lasting = lasting.get(name).copied().unwrap_or(0);
            cookies.contains_key(name).then_some(lasting)
        };
        let view = View {
            me: me.body,
            private: private.status.code,
            fresh: fresh.status.code,
            status: status.body,
            bound,
            cookies: [SESSION, REMEMBER, DEVICE, COPY].map(lasts),
        };
        self.ended.freeze(false);
        self.jars.insert(browser, before);
        view
    }

    fn jar(&mut self, browser: Browser) -> &mut Jar {
        self.jars.get_mut(&browser).unwrap()
    }

    fn get(&mut self, browser: Browser, path: &str) -> Reply {
        self.send(browser, |browser| browser.get(path))
    }

    fn post(&mut self, browser: Browser, path: &str, form: &str) -> u16 {
        self.send(browser, |browser| browser.post(path, form))
            .status
            .code
    }

    /// Sends a request as a browser does: the cookies of a device go to its two routes only.
    fn send(
        &mut self,
        browser: Browser,
        send: impl FnOnce(&mut common::Browser<'_>) -> Reply,
    ) -> Reply {
        self.send_with(browser, &[SESSION, REMEMBER], send)
    }

    fn send_with(
        &mut self,
        browser: Browser,
        names: &[&str],
        send: impl FnOnce(&mut common::Browser<'_>) -> Reply,
    ) -> Reply {
        let now = self.clock.now().as_secs();
        let jar = self.jars.get_mut(&browser).unwrap();
        let (address, user_agent) = jar.place.client();
        let mut client = self
            .app
            .browser()
            .from(address)
            .header("User-Agent", user_agent);
        client.cookies.clone_from(&jar.cookies);
        client.cookies.retain(|name, _| names.contains(&&**name));
        let reply = send(&mut client);
        self.changes = reply.set_cookies();
        for cookie in &self.changes {
            jar.take(cookie, now);
        }
        if reply.header("Secure-Session-Registration").is_some() {
            self.notes.get_mut(&browser).unwrap().offer = find_challenge(&reply);
        }
        reply
    }

    /// Sends each request with the cookies from before, and then takes the responses in this order or the other.
    fn at_once(&mut self, browser: Browser, acts: &[Act], backwards: bool) -> u16 {
        let before = self.jars[&browser].clone();
        let (mut responses, mut statuses) = (Vec::new(), 0_u16);
        for act in acts {
            self.jars.insert(browser, before.clone());
            self.changes.clear();
            let status = self.take(&act.step(browser));
            statuses = statuses.wrapping_mul(31).wrapping_add(status);
            responses.push(std::mem::take(&mut self.changes));
        }
        if backwards {
            responses.reverse();
        }
        let mut jar = before;
        for cookie in responses.iter().flatten() {
            jar.take(cookie, self.clock.now().as_secs());
        }
        self.jars.insert(browser, jar);
        statuses
    }

    fn change(&self, user: User, change: impl FnOnce(&mut common::User)) {
        if self.users.get(user.id()).is_some() {
            self.users.change(user.id(), change);
        }
    }

    fn restart(&mut self) {
        if self.rules.list == List::InProcess {
            self.clock.advance(Duration::from_secs(RESTART));
            self.ended = Revocations::new();
        }
        self.app = launch(
            &self.rules,
            &self.keys,
            &self.ended,
            &self.users,
            &self.clock,
        );
    }
}

impl Jar {
    fn take(&mut self, cookie: &Cookie<'_>, now: u64) {
        let max_age = cookie.max_age();
        let max_age = max_age.map(|age| u64::try_from(age.whole_seconds()).unwrap());
        if max_age == Some(0) {
            self.remove(cookie.name());
        } else {
            self.keep(cookie.name(), cookie.value(), max_age.map(|age| now + age));
        }
    }

    fn keep(&mut self, name: &str, value: &str, lasts: Option<u64>) {
        self.remove(name);
        self.cookies.insert(name.into(), value.into());
        if let Some(until) = lasts {
            self.lasting.insert(name.into(), until);
        }
    }

    fn remove(&mut self, name: &str) {
        self.cookies.remove(name);
        self.lasting.remove(name);
    }
}

fn secret(password: u8) -> String {
    format!("password {password}")
}

fn create(users: &Users, user: User, password: u8) {
    users.put(user.id());
    users.change(user.id(), |user| user.password = secret(password));
}

fn launch(
    rules: &Rules,
    keys: &[u8],
    ended: &Revocations,
    users: &Users,
    clock: &Clock,
) -> Running {
    let keys: Vec<_> = keys.iter().map(|key| KEYS[usize::from(*key)]).collect();
    let protection = match rules.protection {
        Protection::Basic => "basic",
        Protection::Strong => "strong",
        Protection::None => "none",
    };
    let mut app = App::new()
        .routes(routes![bound, end, change_password])
        .set("secret_key", keys[0])
        .set("login.secret_key_fallbacks", &keys[1..])
        .set("login.session_protection", protection)
        .set("login.session_cookie_secure", true)
        .set("login.remember_cookie_secure", true)
        .set("login.session_lifetime", rules.session)
        .set("login.permanent_session_lifetime", rules.permanent)
        .set("login.remember_cookie_refresh_each_request", rules.refresh)
        .with(|manager| manager.clock(clock.clone()));
    app = match rules.idle {
        Some(seconds) => app.set("login.session_idle_timeout", format!("{seconds} seconds")),
        None => app.set("login.session_idle_timeout", false),
    };
    if let Some(seconds) = rules.fresh {
        app = app.set("login.fresh_lifetime", seconds);
    }
    if rules.device {
        app = app.set("login.device_binding", "offer");
    }
    // With strong protection even a request can end a login, and a bound session ends the one before. So a test needs a
    // list that it can freeze.
    let ends_logins = rules.protection == Protection::Strong || rules.device;
    if rules.list != List::InProcess || ends_logins {
        app = app.with(|manager| manager.revocation_list(ended.clone()));
    }
    app.users = users.clone();
    app.clock = clock.clone();
    app.start()
}
