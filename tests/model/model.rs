//! What users may expect of their logins: browsers and one site, without the format of a cookie,
//! the bytes of a key or a request.
//!
//! The model follows README.md and SECURITY.md. Nobody can change the contents of a signed cookie, so a
//! browser holds cards, and a thief has a copy of a card. The site knows its users, its keys
//! and the logins that have ended, and nothing else.

use std::collections::{BTreeMap, BTreeSet};

use crate::history::{Browser, List, Place, Protection, Rules, Step, User, Which};

/// How often a session in use is renewed at most. The idle timeout starts at the last renewal.
const RENEWAL: u64 = 5 * 60;
/// How far ahead of the clock a login may be dated.
const SKEW: u64 = 60;
/// How long a restart takes that loses the list of ended logins. Sooner, the lost list could have
/// dated a login ahead of the clock, and so ahead of a later `logout_everywhere`.
pub(crate) const RESTART: u64 = SKEW;
const LONGEST_MEMORY: u64 = 400 * 24 * 60 * 60;
/// The current secret, and up to three retired ones.
const MAX_KEYS: usize = 4;

/// The signed contents of a session or remember cookie.
#[derive(Clone)]
struct Card {
    /// A session, its remember token and the sessions restored from it are one login.
    login: usize,
    user: User,
    /// The user's password when the card was signed.
    password: u8,
    key: u8,
    /// The client that it is bound to; `None` if a new key could not determine it.
    place: Option<Place>,
    began: u64,
    used: u64,
    expires: u64,
    idle: Option<u64>,
    /// When the user gave credentials.
    shown: Option<u64>,
    permanent: bool,
    forced: bool,
}

#[derive(Clone, Default)]
struct Jar {
    session: Option<Card>,
    remember: Option<Card>,
}

#[derive(Clone)]
struct Account {
    active: bool,
    password: u8,
}

enum Verdict {
    Holds,
    Refused,
    Stolen,
}

/// What a browser sees of the site, and which cookies it has afterwards.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct View {
    pub(crate) me: String,
    pub(crate) private: u16,
    pub(crate) fresh: u16,
    pub(crate) status: String,
    pub(crate) cookies: [bool; 2],
}

#[derive(Clone)]
pub(crate) struct Model {
    rules: Rules,
    now: u64,
    /// The newest first.
    keys: Vec<u8>,
    accounts: BTreeMap<User, Account>,
    jars: BTreeMap<Browser, Jar>,
    places: BTreeMap<Browser, Place>,
    /// The user of each login.
    logins: Vec<User>,
    ended: BTreeSet<usize>,
    /// The earliest date of a new login: after the second in which all logins of the user were ended.
    earliest: BTreeMap<User, u64>,
}

impl Model {
    pub(crate) fn new(rules: Rules, now: u64) -> Self {
        let account = Account {
            active: true,
            password: 0,
        };
        Model {
            rules,
            now,
            keys: vec![0],
            accounts: User::ALL.map(|user| (user, account.clone())).into(),
            jars: Browser::ALL.map(|browser| (browser, Jar::default())).into(),
            places: Browser::ALL.map(|browser| (browser, browser.home())).into(),
            logins: Vec::new(),
            ended: BTreeSet::new(),
            earliest: BTreeMap::new(),
        }
    }

    /// Performs one step, and returns the status of the response, if there is one.
    pub(crate) fn take(&mut self, step: &Step) -> u16 {
        match *step {
            Step::Look(browser) => {
                self.visit(browser);
            }
            Step::Wait(seconds) => self.now += seconds,
            Step::Login {
                browser,
                user,
                remember,
                permanent,
                stale,
                force,
            } => {
                return self.login(browser, user, remember, permanent, !stale, force);
            }
            Step::Logout(browser) => self.logout(browser),
            Step::LogoutEverywhere(browser) => {
                let shown = self.jars[&browser].clone();
                if let Some(session) = self.visit(browser) {
                    self.end_all(session.user);
                }
                self.jars.insert(browser, shown);
                self.logout(browser);
            }
            Step::EndAll(user) => {
                if self.accounts.contains_key(&user) {
                    self.end_all(user);
                }
            }
            Step::Confirm(browser, user) => return self.confirm(browser, user),
            Step::NewPassword(browser, password) => return self.new_password(browser, password),
            Step::Steal { from, to, which } => {
                let Jar { session, remember } = self.jars[&from].clone();
                let jar = self.jar(to);
                if which != Which::Remember {
                    jar.session = session;
                }
                if which != Which::Session {
                    jar.remember = remember;
                }
            }
            Step::Close(browser) => {
                let session = &mut self.jar(browser).session;
                *session = session.take().filter(|session| session.permanent);
            }
            Step::Move(browser, place) => {
                self.places.insert(browser, place);
            }
            Step::SetPassword(user, password) => {
                if let Some(account) = self.accounts.get_mut(&user) {
                    account.password = password;
                }
            }
            Step::SetActive(user, active) => {
                if let Some(account) = self.accounts.get_mut(&user) {
                    account.active = active;
                }
            }
            Step::Delete(user) => {
                self.accounts.remove(&user);
            }
            Step::Create(user, password) => {
                let active = true;
                self.accounts.insert(user, Account { active, password });
            }
            Step::NewKey(key) => {
                self.keys.retain(|known| *known != key);
                self.keys.insert(0, key);
                self.keys.truncate(MAX_KEYS);
                self.restart();
            }
            Step::DropOldKeys => {
                self.keys.truncate(1);
                self.restart();
            }
            Step::Restart => self.restart(),
        }
        200
    }

    /// What a browser sees. The request itself may renew, restore, remove or end a login.
    pub(crate) fn look(&mut self, browser: Browser) -> View {
        let session = self.visit(browser);
        let me = session.as_ref().map(|session| session.user);
        let active = me.is_some_and(|user| self.accounts[&user].active);
        let shown = session.as_ref().and_then(|session| session.shown);
        let window = self.rules.fresh;
        let fresh =
            active && shown.is_some_and(|at| window.is_none_or(|window| self.now < at + window));
        let jar = &self.jars[&browser];
        let remembered = session.is_some_and(|session| {
            let remember = jar.remember.as_ref();
            remember.is_some_and(|card| card.login == session.login && self.is_valid(card))
        });
        let open = |open| if open { 200 } else { 303 };
        View {
            me: match me {
                Some(user) if active => user.id().into(),
                Some(user) => format!("inactive {}", user.id()),
                None => "anonymous".into(),
            },
            private: open(active),
            fresh: open(fresh),
            status: format!("fresh={fresh} remembered={remembered}"),
            cookies: [jar.session.is_some(), jar.remember.is_some()],
        }
    }

    fn jar(&mut self, browser: Browser) -> &mut Jar {
        self.jars.entry(browser).or_default()
    }

    /// The session that decides the user of a request. The session cookie counts, then the remember
    /// cookie; an invalid one is removed.
    fn visit(&mut self, browser: Browser) -> Option<Card> {
        let place = self.places[&browser];
        let Jar { session, remember } = self.jars[&browser].clone();
        if let Some(card) = session {
            match self.judge(&card, place) {
                Verdict::Holds => return Some(self.keep(card, browser)),
                Verdict::Refused => self.jar(browser).session = None,
                Verdict::Stolen => return self.seize(card.login, browser),
            }
        }
        let card = remember?;
        match self.judge(&card, place) {
            Verdict::Holds => return Some(self.restore(card, browser)),
            Verdict::Refused => self.jar(browser).remember = None,
            Verdict::Stolen => return self.seize(card.login, browser),
        }
        None
    }

    fn judge(&self, card: &Card, place: Place) -> Verdict {
        let account = self.accounts.get(&card.user);
        let may_be = account.is_some_and(|account| account.active || card.forced);
        if !self.is_valid(card) || !self.is_current(card) || !may_be {
            Verdict::Refused
        } else if self.rules.protection == Protection::Strong
            && card.place != Some(place)
            && !card.permanent
        {
            Verdict::Stolen
        } else {
            Verdict::Holds
        }
    }

    /// Whether a card is signed by this site and has not expired.
    fn is_valid(&self, card: &Card) -> bool {
        let idle = card.idle.map(|idle| card.used + idle);
        self.is_ours(card)
            && card.began <= self.now + SKEW
            && self.now < card.expires
            && idle.is_none_or(|until| self.now < until)
    }

    fn is_ours(&self, card: &Card) -> bool {
        self.keys.contains(&card.key)
    }

    /// Whether neither a logout nor a new password has ended a card.
    fn is_current(&self, card: &Card) -> bool {
        let account = self.accounts.get(&card.user);
        !self.ended.contains(&card.login)
            && account.is_some_and(|account| account.password == card.password)
    }

    fn is_at_home(&self, card: &Card, place: Place) -> bool {
        self.rules.protection == Protection::None || card.place == Some(place)
    }

    /// A session in use: stale from another client, renewed from time to time, signed with the newest key.
    fn keep(&mut self, mut card: Card, browser: Browser) -> Card {
        let place = self.places[&browser];
        if !self.is_at_home(&card, place) {
            card.shown = None;
        }
        let renewal = card.idle.map(|idle| (idle / 12).clamp(1, RENEWAL));
        if renewal.is_some_and(|renewal| self.now >= card.used + renewal) {
            card.used = self.now;
        }
        let is_resigned = card.key != self.keys[0];
        self.sign_anew(&mut card, place);
        self.jar(browser).session = Some(card.clone());
        // The remember cookie is read only if it can change, and is changed the same way.
        if (is_resigned || self.rules.refresh)
            && let Some(mut remember) = self.jars[&browser].remember.clone()
            && remember.login == card.login
            && self.is_valid(&remember)
            && self.is_current(&remember)
        {
            self.refresh(&mut remember);
            self.sign_anew(&mut remember, place);
            self.jar(browser).remember = Some(remember);
        }
        card
    }

    /// A new session of a remembered login: not fresh, and bound to this client.
    fn restore(&mut self, mut remember: Card, browser: Browser) -> Card {
        let place = self.places[&browser];
        let began = self.now.max(remember.began);
        let session = Card {
            key: self.keys[0],
            place: Some(place),
            began,
            used: began,
            expires: began + self.rules.session,
            idle: self.rules.idle,
            shown: None,
            ..remember.clone()
        };
        self.refresh(&mut remember);
        self.sign_anew(&mut remember, place);
        *self.jar(browser) = Jar {
            session: Some(session.clone()),
            remember: Some(remember),
        };
        session
    }

    /// Extends a remember cookie by its own duration, up to 400 days, if the settings say so.
    fn refresh(&self, remember: &mut Card) {
        if self.rules.refresh && remember.used < self.now {
            let duration = remember.expires - remember.used;
            remember.used = self.now;
            remember.expires = (self.now + duration).min(remember.began + LONGEST_MEMORY);
        }
    }

    /// Replaces a retired key. A card from another client is not bound to that client.
    fn sign_anew(&self, card: &mut Card, place: Place) {
        if card.key != self.keys[0] {
            card.place = self.is_at_home(card, place).then_some(place);
            card.key = self.keys[0];
        }
    }

    /// Strong protection: a login that comes from another client ends, for its owner too.
    fn seize(&mut self, login: usize, browser: Browser) -> Option<Card> {
        self.ended.insert(login);
        *self.jar(browser) = Jar::default();
        None
    }

    fn end_all(&mut self, user: User) {
        let all = self.logins.iter().enumerate();
        let of_user = all.filter(|(_, owner)| **owner == user);
        self.ended.extend(of_user.map(|(login, _)| login));
        let earliest = self.earliest.entry(user).or_default();
        *earliest = self.now.max(*earliest) + 1;
    }

    /// Ends the logins of the cookies of a browser, as far as the site can read them.
    fn end_shown(&mut self, shown: &Jar) {
        for card in [&shown.session, &shown.remember].into_iter().flatten() {
            if self.is_ours(card) {
                self.ended.insert(card.login);
            }
        }
    }

    fn login(
        &mut self,
        browser: Browser,
        user: User,
        remember: Option<u64>,
        permanent: bool,
        fresh: bool,
        force: bool,
    ) -> u16 {
        let Some(account) = self.accounts.get(&user).cloned() else {
            return 401;
        };
        if !account.active && !force {
            return 403;
        }
        let shown = self.jars[&browser].clone();
        // As in Flask-Login, a remembered user stays remembered after a login without the checkbox.
        let kept = shown
            .remember
            .clone()
            .filter(|card| card.user == user && self.is_valid(card) && self.is_current(card));
        let began = self.now.max(self.earliest.get(&user).copied().unwrap_or(0));
        if began > self.now + SKEW {
            return 503;
        }
        self.end_shown(&shown);
        let session = Card {
            login: self.logins.len(),
            user,
            password: account.password,
            key: self.keys[0],
            place: Some(self.places[&browser]),
            began,
            used: began,
            expires: began
                + if permanent {
                    self.rules.permanent
                } else {
                    self.rules.session
                },
            idle: self.rules.idle.filter(|_| !permanent),
            shown: fresh.then_some(began),
            permanent,
            forced: !account.active,
        };
        self.logins.push(user);
        let memory = Card {
            idle: None,
            shown: None,
            permanent: false,
            ..session.clone()
        };
        let remember = match (remember, kept) {
            (Some(seconds), _) => Some(Card {
                expires: began + seconds,
                ..memory
            }),
            (None, Some(kept)) => Some(Card {
                began: kept.began,
                used: kept.used,
                expires: kept.expires,
                ..memory
            }),
            (None, None) => None,
        };
        *self.jar(browser) = Jar {
            session: Some(session),
            remember,
        };
        303
    }

    fn logout(&mut self, browser: Browser) {
        let shown = std::mem::take(self.jar(browser));
        self.end_shown(&shown);
    }

    fn confirm(&mut self, browser: Browser, user: User) -> u16 {
        if !self.accounts.contains_key(&user) {
            return 401;
        }
        let Some(session) = self.visit(browser) else {
            return 401;
        };
        if session.user != user || !self.accounts[&user].active {
            return 403;
        }
        self.confirmed(browser, session);
        200
    }

    /// Changes the password. Requires a fresh login, and keeps only this login.
    fn new_password(&mut self, browser: Browser, password: u8) -> u16 {
        let status = self.look(browser).fresh;
        if status == 200
            && let Some(session) = self.jars[&browser].session.clone()
        {
            self.take(&Step::SetPassword(session.user, password));
            self.confirmed(browser, session);
        }
        status
    }

    /// Makes the login fresh under a new id, which ends every copy of the old cookies.
    fn confirmed(&mut self, browser: Browser, session: Card) {
        self.ended.insert(session.login);
        let login = self.logins.len();
        self.logins.push(session.user);
        let password = self.accounts[&session.user].password;
        let (key, place) = (self.keys[0], self.places[&browser]);
        let renewed = |card: Card| Card {
            login,
            password,
            key,
            place: Some(place),
            ..card
        };
        let remember = self.jars[&browser].remember.clone();
        let remember = remember.map(|card| {
            if card.login == session.login && self.is_valid(&card) {
                renewed(card)
            } else {
                card
            }
        });
        let session = Card {
            used: self.now,
            shown: Some(self.now),
            ..renewed(session)
        };
        *self.jar(browser) = Jar {
            session: Some(session),
            remember,
        };
    }

    fn restart(&mut self) {
        if self.rules.list == List::InProcess {
            self.now += RESTART;
            self.ended.clear();
            self.earliest.clear();
        }
    }
}
