//! What users may expect of their logins: browsers and one site, without the format of a cookie,
//! the bytes of a key or a request.
//!
//! The model follows README.md, SECURITY.md and docs/DEVICE-BOUND.md. Nobody can change the contents of a signed cookie, so a
//! browser holds cards, and a thief has a copy of a card. The site knows its users, its keys
//! and the logins that have ended, and nothing else.

pub(crate) mod binding;

use std::collections::{BTreeMap, BTreeSet};

use self::binding::{Bound, Notes};
use crate::history::{Act, Browser, List, Place, Protection, Rules, Step, User, Which};

/// How often a session in use is renewed at most. The idle timeout starts at the last renewal.
const RENEWAL: u64 = 5 * 60;
/// How far two clocks may differ.
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
    bound: Option<Bound>,
}

#[derive(Clone, Default)]
struct Jar {
    session: Option<Card>,
    remember: Option<Card>,
    /// The device, and the latest session that it is for: only the routes of the binding see them.
    device: Option<Card>,
    copy: Option<Card>,
}

/// What a response does to the cookies.
#[derive(Clone, Default)]
struct Changes {
    session: Change,
    remember: Change,
    device: Change,
    copy: Change,
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
    Replaced {
        at: u64,
        /// The session, if it is of the same login.
        by: Option<usize>,
    },
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
    /// A bound session without a proof for its time: refused, and no cookie is touched.
    Unproven,
    /// A bound session from another client, from which it must be proven.
    Moved,
}

/// What a browser sees of the site, and which cookies it has afterwards.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct View {
    pub(crate) me: String,
    pub(crate) private: u16,
    pub(crate) fresh: u16,
    pub(crate) status: String,
    pub(crate) bound: bool,
    /// Session, remember, device, and the device's copy of the session: when the browser drops them. 0 for one that ends
    /// with the browser.
    pub(crate) cookies: [Option<u64>; 4],
}

#[derive(Clone)]
pub(crate) struct Model {
    rules: Rules,
    now: u64,
    /// The newest first.
    keys: Vec<u8>,
    accounts: BTreeMap<User, Account>,
    jars: BTreeMap<Browser, Jar>,
    notes: BTreeMap<Browser, Notes>,
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
    /// The bound sessions, and the registration of each.
    bindings: BTreeMap<usize, usize>,
    /// The session that a registration begins. The same key gets the same one, unless the site has a new key meanwhile.
    registered: BTreeMap<(usize, usize, Browser, u8), usize>,
    /// What the response to the present request does.
    changes: Changes,
    /// The session of the last look.
    shown: Option<Card>,
    /// The earliest date of a new login: after the second in which all logins of the user were ended.
    earliest: BTreeMap<User, u64>,
}

/// Until when a browser keeps a session cookie, as the site has told it; 0 until the browser is closed.
fn session_lasts(card: &Card) -> u64 {
    match &card.bound {
        Some(bound) => bound.proven.min(card.expires),
        None => copy_lasts(card),
    }
}

fn device_lasts(card: &Card) -> u64 {
    if card.remembered {
        card.expires
    } else {
        copy_lasts(card)
    }
}

fn copy_lasts(card: &Card) -> u64 {
    if card.permanent { card.expires } else { 0 }
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
            notes: Browser::ALL
                .map(|browser| (browser, Notes::default()))
                .into(),
            places: Browser::ALL.map(|browser| (browser, browser.home())).into(),
            logins: Vec::new(),
            ended: BTreeSet::new(),
            ended_with_user: BTreeSet::new(),
            replaced: BTreeMap::new(),
            confirmed: BTreeMap::new(),
            sessions: 0,
            bindings: BTreeMap::new(),
            registered: BTreeMap::new(),
            changes: Changes::default(),
            shown: None,
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
                let stolen = self.jars[&from].clone();
                let jar = self.jar(to);
                if which != Which::Remember {
                    jar.session = stolen.session;
                    jar.copy = stolen.copy;
                }
                if which != Which::Session {
                    jar.remember = stolen.remember;
                    jar.device = stolen.device;
                }
                if which == Which::Both {
                    self.notes.insert(to, self.notes[&from].clone());
                }
            }
            Step::Close(browser) => {
                let jar = self.jar(browser);
                jar.session.take_if(|card| session_lasts(card) == 0);
                jar.device.take_if(|card| device_lasts(card) == 0);
                jar.copy.take_if(|card| copy_lasts(card) == 0);
            }
            Step::Bind(browser, bind) => return self.bind(browser, bind),
            Step::Drop(browser) => self.jar(browser).session = None,
            Step::Link(browser) => return self.link(browser),
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
        self.shown.clone_from(&session);
        let me = session.as_ref().map(|session| session.user);
        let active = me.is_some_and(|user| self.accounts[&user].active);
        let shown = session.as_ref().and_then(|session| session.shown);
        let window = self.rules.fresh;
        let fresh =
            active && shown.is_some_and(|at| window.is_none_or(|window| self.now < at + window));
        let jar = &self.jars[&browser];
        let bound = session
            .as_ref()
            .is_some_and(|session| session.bound.is_some());
        let remembered = session.is_some_and(|session| {
            let remember = jar.remember.as_ref();
            session.bound.is_some() && session.remembered
                || remember.is_some_and(|card| self.goes_with(card, &session))
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
            bound,
            cookies: [
                jar.session.as_ref().map(session_lasts),
                jar.remember.as_ref().map(|card| card.expires),
                jar.device.as_ref().map(device_lasts),
                jar.copy.as_ref().map(copy_lasts),
            ],
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
            response.device.apply(&mut jar.device);
            response.copy.apply(&mut jar.copy);
        }
        self.jars.insert(browser, jar);
        statuses
    }

    /// A bound session has its copy, and is gone at once if it comes too late.
    fn set_session(&mut self, browser: Browser, card: Option<Card>) {
        if let Some(card) = card.as_ref().filter(|card| card.bound.is_some()) {
            self.changes.copy = Change::Set(card.clone());
            self.jar(browser).copy = Some(card.clone());
        }
        let now = self.now;
        let card = card.filter(|card| card.bound.as_ref().is_none_or(|it| now < it.proven));
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
        let Jar {
            session, remember, ..
        } = self.jars[&browser].clone();
        let [mut bad_session, mut bad_remember] = [false; 2];
        if let Some(card) = session {
            match self.see(&card, place) {
                Verdict::Holds => return Some(self.keep(card, browser)),
                Verdict::Refused => bad_session = true,
                Verdict::Stolen => return self.seize(card.login, browser),
                Verdict::Moved => {
                    self.set_session(browser, None);
                    return None;
                }
                Verdict::Late | Verdict::Unproven => return None,
                Verdict::Foreign => {}
            }
        }
        if let Some(card) = remember {
            match self.see(&card, place) {
                Verdict::Holds => return Some(self.restore(card, browser)),
                Verdict::Refused => bad_remember = true,
                Verdict::Stolen => return self.seize(card.login, browser),
                Verdict::Late | Verdict::Unproven | Verdict::Moved => return None,
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
        } else if self.is_valid(card) && self.is_unproven(card) {
            Verdict::Unproven
        } else if self.is_late(fate) && !(self.is_valid(card) && self.is_in_grace(card)) {
            Verdict::Late
        } else if !self.is_open(card) || !self.is_valid(card) || !self.is_current(card) || !may_be {
            Verdict::Refused
        } else if self.rules.protection == Protection::Strong
            && card.place != Some(place)
            && !card.permanent
        {
            if card.bound.is_some() {
                return Verdict::Moved;
            }
            Verdict::Stolen
        } else {
            Verdict::Holds
        }
    }

    fn fate(&self, card: &Card) -> Fate {
        let fate = self.fate_of_itself(card);
        if !self.ended_with_user.contains(&card.login) {
            return fate;
        }
        match fate {
            Fate::Replaced { at, .. } if at + 1 >= self.earliest[&card.user] => {
                Fate::Replaced { at, by: None }
            }
            _ => Fate::Ended,
        }
    }

    /// The fate of a login, whatever has ended all logins of its user.
    fn fate_of_itself(&self, card: &Card) -> Fate {
        if self.ended.contains(&card.login) {
            return Fate::Ended;
        }
        if let Some((next, at)) = self.replaced.get(&card.login) {
            return if self.goes_on(*next) {
                Fate::Replaced { at: *at, by: None }
            } else {
                Fate::Ended
            };
        }
        match self.confirmed.get(&card.login) {
            Some((current, ..)) if *current == card.session => Fate::Open,
            Some((current, previous, at)) => {
                let binding = self.bindings.get(&card.session);
                let is_of_device = binding.is_some() && binding == self.bindings.get(current);
                let by = (*previous == card.session || is_of_device).then_some(*current);
                if by.is_none() && binding.is_some() {
                    return Fate::Ended;
                }
                Fate::Replaced { at: *at, by }
            }
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
        matches!(fate, Fate::Replaced { at, .. } if self.now < at + LATE)
    }

    /// Whether a session is open, or was bound a moment ago.
    fn is_open(&self, card: &Card) -> bool {
        self.fate(card) == Fate::Open || self.is_in_grace(card)
    }

    /// Whether a card is signed by this site and has not expired.
    fn is_valid(&self, card: &Card) -> bool {
        let idle = card.idle.map(|idle| card.used + idle);
        self.is_within_its_life(card) && idle.is_none_or(|until| self.now < until)
    }

    fn is_within_its_life(&self, card: &Card) -> bool {
        self.is_ours(card) && self.now < card.expires
    }

    fn is_ours(&self, card: &Card) -> bool {
        self.keys.contains(&card.key)
    }

    /// Whether no new password has ended a card.
    fn is_current(&self, card: &Card) -> bool {
        let account = self.accounts.get(&card.user);
        account.is_some_and(|account| account.password == card.password)
    }

    fn is_at_home(&self, card: &Card, place: Place) -> bool {
        self.rules.protection == Protection::None || card.place == Some(place)
    }

    /// A session in use: stale from another client, renewed from time to time, signed with the newest key.
    fn keep(&mut self, mut card: Card, browser: Browser) -> Card {
        let place = self.places[&browser];
        let before = card.clone();
        let is_at_home = self.is_at_home(&card, place);
        match &mut card.bound {
            // The next proof accepts its client.
            Some(bound) => bound.replaces = None,
            None if is_at_home => {}
            None => card.shown = None,
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
        card.shown = card.shown.filter(|_| is_at_home);
        card
    }

    /// The remember cookie beside a session: the one of another login is removed.
    fn keep_remember(&mut self, before: &Card, session: &Card, browser: Browser) {
        let account = &self.accounts[&session.user];
        if !self.goes_with(before, session) {
            self.set_remember(browser, None);
        } else if account.password == before.password {
            let mut card = before.clone();
            self.refresh_memory(&mut card);
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
        let session = Card {
            key: self.keys[0],
            place: Some(place),
            used: self.now,
            expires: self.now + self.rules.session,
            idle: self.rules.idle,
            shown: None,
            remembered: true,
            ..remember.clone()
        };
        let before = remember.clone();
        self.refresh_memory(&mut remember);
        self.sign_anew(&mut remember, place);
        self.set_session(browser, Some(session.clone()));
        if remember != before {
            self.set_remember(browser, Some(remember));
        }
        session
    }

    /// Extends a remember cookie by its own duration, up to 400 days, if the settings say so.
    fn refresh_memory(&self, remember: &mut Card) {
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
        let Jar {
            session, remember, ..
        } = self.jars[&browser].clone();
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
            .filter(|card| card.user == user && self.fate(card) == Fate::Open)
            .filter(|card| self.is_valid(card) && self.is_current(card));
        // Only the end of all logins of a user looks at this date. Everything else counts from now.
        let began = self.now.max(self.earliest.get(&user).copied().unwrap_or(0));
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
            used: self.now,
            expires: self.now
                + if permanent {
                    self.rules.permanent
                } else {
                    self.rules.session
                },
            idle: self.rules.idle.filter(|_| !permanent),
            shown: fresh.then_some(self.now),
            permanent,
            forced: !account.active,
            bound: None,
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
                expires: self.now + seconds,
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
        self.offer(browser, &session);
        self.set_session(browser, Some(session));
        if self.rules.device {
            self.set_device(browser, None);
        }
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
        if self.rules.device {
            self.set_device(browser, None);
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
                .find(|card| {
                    let holds = self.is_within_its_life(card) && !self.is_unproven(card);
                    holds && self.is_late(self.fate(card))
                })
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
        self.confirmed(browser, session)
    }

    /// Changes the password. Requires a fresh login, and keeps only this login.
    fn new_password(&mut self, browser: Browser, password: u8) -> u16 {
        let status = self.look(browser).fresh;
        // The browser may already have dropped what the request still showed.
        if status == 200
            && let Some(session) = self.shown.clone()
        {
            self.take(&Step::SetPassword(session.user, password));
            return self.confirmed(browser, session);
        }
        status
    }

    /// Makes the login fresh under a new session id, which ends every copy of the old cookies. A session that a bound one
    /// has replaced cannot be confirmed.
    fn confirmed(&mut self, browser: Browser, old: Card) -> u16 {
        if self.fate(&old) != Fate::Open {
            return 401;
        }
        let session = self.next_session();
        if let Some(bound) = &old.bound {
            self.bindings.insert(session, bound.binding);
        }
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
        self.offer(browser, &session);
        self.set_session(browser, Some(session));
        200
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
