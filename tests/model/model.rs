//! What users may expect of their logins: browsers and one site, without the format of a cookie,
//! the bytes of a key or a request.
//!
//! The model follows README.md and SECURITY.md. Nobody can change the contents of a signed cookie, so a
//! browser holds cards, and a thief has a copy of a card. The site knows its users, its keys
//! and the logins that have ended, and nothing else.

use std::collections::{BTreeMap, BTreeSet};

use crate::history::{Act, Browser, List, Place, Protection, Rules, Step, User, Which};

/// How often a session in use is renewed at most. The idle timeout starts at the last renewal.
const RENEWAL: u64 = 5 * 60;
/// How far ahead of the clock a login may be dated.
const SKEW: u64 = 60;
/// How long a restart takes that loses the list of ended logins. Sooner, the lost list could have
/// dated a login ahead of the clock, and so ahead of a later `logout_everywhere`.
pub(crate) const RESTART: u64 = SKEW;
/// How long the cookies of a replaced session are refused and not removed.
const LATE: u64 = 60;
/// How many logins that replaced one another are followed.
const LONGEST_CHAIN: usize = 16;
const LONGEST_MEMORY: u64 = 400 * 24 * 60 * 60;
/// The current secret, and up to three retired ones.
const MAX_KEYS: usize = 4;

/// The signed contents of a session or remember cookie.
#[derive(Clone, PartialEq)]
struct Card {
    /// A session, its remember token, the sessions restored from it and their confirmations are one login.
    login: usize,
    /// Only one session of a login counts; a confirmation begins a new one.
    session: usize,
    /// Whether a remember cookie of this login was given out.
    remembered: bool,
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

/// What a response does to the cookies.
#[derive(Clone, Default)]
struct Changes {
    session: Change,
    remember: Change,
}

#[derive(Clone, Default)]
enum Change {
    #[default]
    None,
    Set(Card),
    Remove,
}

impl Change {
    fn to(card: Option<&Card>) -> Self {
        card.map_or(Change::Remove, |card| Change::Set(card.clone()))
    }

    fn apply(self, card: &mut Option<Card>) {
        match self {
            Change::None => {}
            Change::Set(new) => *card = Some(new),
            Change::Remove => *card = None,
        }
    }
}

/// What the site knows about a login or a session.
#[derive(Clone, Copy, PartialEq)]
enum Fate {
    Open,
    /// Since this time another session or login has taken its place.
    Replaced(u64),
    Ended,
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
    /// Replaced a moment ago: refused, and no cookie is touched.
    Late,
    /// Signed by no key of the site: it may be another application's.
    Foreign,
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
    /// The logins that ended with all others of their user.
    ended_with_user: BTreeSet<usize>,
    /// The login that has taken another one's place, and since when.
    replaced: BTreeMap<usize, (usize, u64)>,
    /// The only session of a login that counts, the one before, and since when.
    confirmed: BTreeMap<usize, (usize, usize, u64)>,
    sessions: usize,
    /// What the response to the present request does.
    changes: Changes,
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
            ended_with_user: BTreeSet::new(),
            replaced: BTreeMap::new(),
            confirmed: BTreeMap::new(),
            sessions: 0,
            changes: Changes::default(),
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
            Step::LogoutEverywhere(browser) => return self.logout_everywhere(browser),
            Step::AtOnce {
                browser,
                ref acts,
                backwards,
            } => return self.at_once(browser, acts, backwards),
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
            remember.is_some_and(|card| self.goes_with(card, &session))
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

    /// Requests that are under way at the same time: all carry the cookies from before, the site takes one after
    /// another, and the browser gets the responses in this order or the other.
    fn at_once(&mut self, browser: Browser, acts: &[Act], backwards: bool) -> u16 {
        let before = self.jars[&browser].clone();
        let mut responses = Vec::new();
        let mut statuses = 0_u16;
        for act in acts {
            self.jars.insert(browser, before.clone());
            self.changes = Changes::default();
            let status = self.take(&act.step(browser));
            statuses = statuses.wrapping_mul(31).wrapping_add(status);
            responses.push(std::mem::take(&mut self.changes));
        }
        if backwards {
            responses.reverse();
        }
        let mut jar = before;
        for response in responses {
            response.session.apply(&mut jar.session);
            response.remember.apply(&mut jar.remember);
        }
        self.jars.insert(browser, jar);
        statuses
    }

    fn set_session(&mut self, browser: Browser, card: Option<Card>) {
        self.changes.session = Change::to(card.as_ref());
        self.jar(browser).session = card;
    }

    fn set_remember(&mut self, browser: Browser, card: Option<Card>) {
        self.changes.remember = Change::to(card.as_ref());
        self.jar(browser).remember = card;
    }

    /// The session that decides the user of a request. The session cookie counts, then the remember
    /// cookie; an invalid one is removed.
    fn visit(&mut self, browser: Browser) -> Option<Card> {
        let place = self.places[&browser];
        let Jar { session, remember } = self.jars[&browser].clone();
        let [mut bad_session, mut bad_remember] = [false; 2];
        if let Some(card) = session {
            match self.judge(&card, place) {
                Verdict::Holds => return Some(self.keep(card, browser)),
                Verdict::Refused => bad_session = true,
                Verdict::Stolen => return self.seize(card.login, browser),
                Verdict::Late => return None,
                Verdict::Foreign => {}
            }
        }
        if let Some(card) = remember {
            match self.judge(&card, place) {
                Verdict::Holds => return Some(self.restore(card, browser)),
                Verdict::Refused => bad_remember = true,
                Verdict::Stolen => return self.seize(card.login, browser),
                Verdict::Late => return None,
                Verdict::Foreign => {}
            }
        }
        if bad_session {
            self.set_session(browser, None);
        }
        if bad_remember {
            self.set_remember(browser, None);
        }
        None
    }

    fn judge(&self, card: &Card, place: Place) -> Verdict {
        let account = self.accounts.get(&card.user);
        let may_be = account.is_some_and(|account| account.active || card.forced);
        let fate = self.fate(card);
        if !self.is_ours(card) {
            Verdict::Foreign
        } else if self.is_late(fate) {
            Verdict::Late
        } else if fate != Fate::Open || !self.is_valid(card) || !self.is_current(card) || !may_be {
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

    fn fate(&self, card: &Card) -> Fate {
        if self.ended_with_user.contains(&card.login) || self.ended.contains(&card.login) {
            return Fate::Ended;
        }
        if let Some((next, at)) = self.replaced.get(&card.login) {
            return if self.goes_on(*next) {
                Fate::Replaced(*at)
            } else {
                Fate::Ended
            };
        }
        match self.confirmed.get(&card.login) {
            Some((current, ..)) if *current == card.session => Fate::Open,
            Some((_, previous, at)) if *previous == card.session => Fate::Replaced(*at),
            Some(_) => Fate::Ended,
            None => Fate::Open,
        }
    }

    /// Whether a login, or the one that has replaced it, was not logged out.
    fn goes_on(&self, mut login: usize) -> bool {
        for _ in 0..LONGEST_CHAIN {
            match self.replaced.get(&login) {
                Some((next, _)) => login = *next,
                None => return !self.ended.contains(&login),
            }
        }
        false
    }

    fn is_late(&self, fate: Fate) -> bool {
        matches!(fate, Fate::Replaced(at) if self.now < at + LATE)
    }

    /// Whether a card is signed by this site and has not expired.
    fn is_valid(&self, card: &Card) -> bool {
        let idle = card.idle.map(|idle| card.used + idle);
        self.is_within_its_life(card) && idle.is_none_or(|until| self.now < until)
    }

    fn is_within_its_life(&self, card: &Card) -> bool {
        self.is_ours(card) && card.began <= self.now + SKEW && self.now < card.expires
    }

    fn is_ours(&self, card: &Card) -> bool {
        self.keys.contains(&card.key)
    }

    /// Whether neither a logout nor a new password has ended a card.
    fn is_current(&self, card: &Card) -> bool {
        let account = self.accounts.get(&card.user);
        self.fate(card) == Fate::Open
            && account.is_some_and(|account| account.password == card.password)
    }

    fn is_at_home(&self, card: &Card, place: Place) -> bool {
        self.rules.protection == Protection::None || card.place == Some(place)
    }

    /// A session in use: stale from another client, renewed from time to time, signed with the newest key.
    fn keep(&mut self, mut card: Card, browser: Browser) -> Card {
        let place = self.places[&browser];
        let before = card.clone();
        if !self.is_at_home(&card, place) {
            card.shown = None;
        }
        let renewal = card.idle.map(|idle| (idle / 12).clamp(1, RENEWAL));
        let is_renewed = renewal.is_some_and(|renewal| self.now >= card.used + renewal);
        if is_renewed {
            card.used = self.now;
        }
        let is_resigned = card.key != self.keys[0];
        self.sign_anew(&mut card, place);
        if card != before {
            self.set_session(browser, Some(card.clone()));
        }
        // The remember cookie is read only if it can change, if the session has none, and at each renewal.
        if (is_resigned || is_renewed || self.rules.refresh || !card.remembered)
            && let Some(remember) = self.jars[&browser].remember.clone()
            && self.is_ours(&remember)
        {
            self.keep_remember(&remember, &card, browser);
        }
        card
    }

    /// The remember cookie beside a session: the one of another login is removed.
    fn keep_remember(&mut self, before: &Card, session: &Card, browser: Browser) {
        let account = &self.accounts[&session.user];
        if !self.goes_with(before, session) {
            self.set_remember(browser, None);
        } else if account.password == before.password {
            let mut card = before.clone();
            self.refresh(&mut card);
            self.sign_anew(&mut card, self.places[&browser]);
            if card != *before {
                self.set_remember(browser, Some(card));
            }
        }
    }

    fn goes_with(&self, remember: &Card, session: &Card) -> bool {
        remember.login == session.login
            && remember.session == session.session
            && remember.user == session.user
            && self.is_valid(remember)
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
            remembered: true,
            ..remember.clone()
        };
        let before = remember.clone();
        self.refresh(&mut remember);
        self.sign_anew(&mut remember, place);
        self.set_session(browser, Some(session.clone()));
        if remember != before {
            self.set_remember(browser, Some(remember));
        }
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
        self.end(login);
        let Jar { session, remember } = self.jars[&browser].clone();
        if session.is_none_or(|card| self.is_ours(&card)) {
            self.set_session(browser, None);
        }
        if remember.is_none_or(|card| self.is_ours(&card)) {
            self.set_remember(browser, None);
        }
        None
    }

    /// Ends a login, and every one that has taken its place.
    fn end(&mut self, login: usize) {
        let mut next = Some(login);
        while let Some(login) = next {
            next = self.replaced.remove(&login).map(|(next, _)| next);
            self.ended.insert(login);
        }
    }

    /// Puts a new login in the place of old ones. Whatever had taken their place before ends.
    fn replace(&mut self, logins: &BTreeSet<usize>, next: usize) {
        for login in logins {
            self.end(*login);
        }
        for login in logins {
            self.ended.remove(login);
            self.replaced.insert(*login, (next, self.now));
        }
    }

    fn end_all(&mut self, user: User) {
        let all = self.logins.iter().enumerate();
        let of_user = all.filter(|(_, owner)| **owner == user);
        self.ended_with_user.extend(of_user.map(|(login, _)| login));
        let earliest = self.earliest.entry(user).or_default();
        *earliest = self.now.max(*earliest) + 1;
    }

    /// The logins of the cookies of a browser, as far as the site can read them.
    fn logins_of(&self, shown: &Jar) -> BTreeSet<usize> {
        let cards = [&shown.session, &shown.remember].into_iter().flatten();
        let ours = cards.filter(|card| self.is_ours(card));
        ours.map(|card| card.login).collect()
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
        let login = self.logins.len();
        self.replace(&self.logins_of(&shown), login);
        let session = Card {
            login,
            session: self.next_session(),
            remembered: remember.is_some() || kept.is_some(),
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
            remembered: false,
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
        self.set_session(browser, Some(session));
        // Another application's remember cookie stays.
        if remember.is_some() || shown.remember.is_none_or(|card| self.is_ours(&card)) {
            self.set_remember(browser, remember);
        }
        303
    }

    fn next_session(&mut self) -> usize {
        self.sessions += 1;
        self.sessions
    }

    fn logout(&mut self, browser: Browser) {
        let shown = self.jars[&browser].clone();
        for login in self.logins_of(&shown) {
            self.end(login);
        }
        self.changes = Changes::default();
        if shown.session.is_some_and(|card| self.is_ours(&card)) {
            self.set_session(browser, None);
        }
        if shown.remember.is_some_and(|card| self.is_ours(&card)) {
            self.set_remember(browser, None);
        }
    }

    /// Ends all logins of the user; if a request under way has just replaced the session, of its user.
    fn logout_everywhere(&mut self, browser: Browser) -> u16 {
        let shown = self.jars[&browser].clone();
        let user = match self.visit(browser) {
            Some(session) => Some(session.user),
            None => [&shown.session, &shown.remember]
                .into_iter()
                .flatten()
                .find(|card| self.is_late(self.fate(card)) && self.is_within_its_life(card))
                .map(|card| card.user),
        };
        let Some(user) = user else {
            return 401;
        };
        self.end_all(user);
        self.jars.insert(browser, shown);
        self.logout(browser);
        200
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

    /// Makes the login fresh under a new session id, which ends every copy of the old cookies.
    fn confirmed(&mut self, browser: Browser, old: Card) {
        let session = self.next_session();
        let entry = (session, old.session, self.now);
        self.confirmed.insert(old.login, entry);
        let password = self.accounts[&old.user].password;
        let (key, place) = (self.keys[0], self.places[&browser]);
        let renewed = |card: Card| Card {
            session,
            password,
            key,
            place: Some(place),
            ..card
        };
        if let Some(remember) = self.jars[&browser].remember.clone()
            && self.goes_with(&remember, &old)
        {
            self.set_remember(browser, Some(renewed(remember)));
        }
        let session = Card {
            used: self.now,
            shown: Some(self.now),
            ..renewed(old)
        };
        self.set_session(browser, Some(session));
    }

    fn restart(&mut self) {
        if self.rules.list == List::InProcess {
            self.now += RESTART;
            self.ended.clear();
            self.ended_with_user.clear();
            self.replaced.clear();
            self.confirmed.clear();
            self.earliest.clear();
        }
    }
}
