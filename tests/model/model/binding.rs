//! Logins that are bound to the device of a browser.

use super::{Card, Change, Fate, Jar, Model, SKEW, Verdict};
use crate::history::{Bind, Browser, Place};

/// How long a bound session needs no new proof.
const PROVEN: u64 = 10 * 60;
/// How long an unbound session is accepted after a bound one of the same login was seen.
const GRACE: u64 = 30;
/// How long a browser may take to register, and to answer a challenge.
const TO_REGISTER: u64 = 5 * 60;
const TO_PROVE: u64 = 60;
/// Stands for the page that loads the same address again.
pub(crate) const AGAIN: u16 = 1;

/// What a card of a bound login says besides.
#[derive(Clone, PartialEq)]
pub(super) struct Bound {
    /// The registration.
    pub(super) binding: usize,
    /// Whose key was registered.
    pub(super) device: Browser,
    /// Until when no new proof is needed.
    pub(super) proven: u64,
    /// The unbound session that ends when this one is seen.
    pub(super) replaces: Option<usize>,
}

/// What the site asks a device to sign. Signed, as a card is.
#[derive(Clone)]
pub(super) struct Challenge {
    pub(super) login: usize,
    /// For a registration: the session that was offered to be bound.
    pub(super) session: Option<usize>,
    pub(super) at: u64,
    pub(super) key: u8,
}

/// A signed challenge, and whose key has signed it.
#[derive(Clone)]
pub(super) struct Proof {
    pub(super) challenge: Challenge,
    pub(super) device: Browser,
}

/// What a browser knows about its binding.
#[derive(Clone, Default)]
pub(super) struct Notes {
    /// The last offer to bind a login.
    pub(super) offer: Option<Challenge>,
    /// The login that it has bound.
    pub(super) login: Option<usize>,
    pub(super) challenge: Option<Challenge>,
    pub(super) proof: Option<Proof>,
}

/// What came of the end of an unbound session, when a bound one that replaces it was seen.
enum Claim {
    Holds,
    Lost,
    /// Two devices have registered, so the login ends.
    TwoDevices,
}

impl Model {
    /// What a browser does about its binding; 0 if it has nothing to send.
    pub(super) fn bind(&mut self, browser: Browser, bind: Bind) -> u16 {
        match bind {
            Bind::Register { lost } => self.unless_lost(browser, lost, Self::register),
            Bind::Prove { lost } => self.unless_lost(browser, lost, Self::prove),
            Bind::Ask => self.refresh(browser, None),
            Bind::Refresh => match self.refresh(browser, None) {
                403 => self.prove(browser),
                status => status,
            },
            Bind::Replay => match self.notes[&browser].proof.clone() {
                Some(proof) => self.refresh(browser, Some(&proof)),
                None => 0,
            },
        }
    }

    pub(super) fn set_device(&mut self, browser: Browser, card: Option<Card>) {
        self.changes.device = Change::to(card.as_ref());
        if card.is_none() {
            self.changes.copy = Change::Remove;
            self.jar(browser).copy = None;
        }
        self.jar(browser).device = card;
    }

    /// Offers to bind a login that begins or is confirmed.
    pub(super) fn offer(&mut self, browser: Browser, session: &Card) {
        if self.rules.device && session.bound.is_none() {
            let offer = self.challenge(session.login, Some(session.session));
            self.note(browser).offer = Some(offer);
        }
    }

    fn challenge(&self, login: usize, session: Option<usize>) -> Challenge {
        let (at, key) = (self.now, self.keys[0]);
        Challenge {
            login,
            session,
            at,
            key,
        }
    }

    fn note(&mut self, browser: Browser) -> &mut Notes {
        self.notes.entry(browser).or_default()
    }

    /// A request whose answer may get lost on its way.
    fn unless_lost(
        &mut self,
        browser: Browser,
        lost: bool,
        request: fn(&mut Self, Browser) -> u16,
    ) -> u16 {
        let before = (self.jars[&browser].clone(), self.notes[&browser].clone());
        let status = request(self, browser);
        if lost {
            let (jar, notes) = before;
            self.jars.insert(browser, jar);
            self.notes.insert(browser, notes);
        }
        status
    }

    /// A bound login goes on after a link from another site, which comes without its session cookie: the page loads again
    /// from this site, which gives the browser time for a proof.
    pub(super) fn link(&mut self, browser: Browser) -> u16 {
        let has_session = self.jars[&browser].session.is_some();
        match self.look(browser).private {
            200 => 200,
            _ if self.rules.device && !has_session => AGAIN,
            status => status,
        }
    }

    /// Answers the last offer. The key takes the place of the remember cookie.
    fn register(&mut self, browser: Browser) -> u16 {
        let Some(offer) = self.notes[&browser].offer.clone() else {
            return 0;
        };
        let jar = self.jars[&browser].clone();
        let place = self.places[&browser];
        let Some(unbound) = jar.session else {
            return 401;
        };
        let offered = (offer.login, offer.session);
        if !self.is_valid(&unbound)
            || self.is_unproven(&unbound)
            || offered != (unbound.login, Some(unbound.session))
            || !self.is_answered(&offer, TO_REGISTER)
        {
            return 401;
        }
        let session = self.bound_session(&unbound, browser);
        let replaces = match self.fate(&unbound) {
            Fate::Open => Some(unbound.session),
            Fate::Replaced { by: Some(by), .. } if by == session => None,
            Fate::Replaced { by: Some(by), .. } if self.bindings.contains_key(&by) => {
                self.end(unbound.login);
                return 401;
            }
            Fate::Replaced { .. } | Fate::Ended => return 401,
        };
        if !self.is_at_home(&unbound, place) || !self.is_of_its_user(&unbound) {
            return 401;
        }
        let password = self.accounts[&unbound.user].password;
        let remember = jar
            .remember
            .filter(|card| self.goes_with(card, &unbound) && card.password == password);
        let session = Card {
            session,
            remembered: remember.is_some(),
            key: self.keys[0],
            place: Some(place),
            bound: Some(Bound {
                binding: self.bindings[&session],
                device: browser,
                proven: offer.at + PROVEN,
                replaces,
            }),
            ..unbound
        };
        let lasting = remember.as_ref().unwrap_or(&session);
        let device = Card {
            used: lasting.used,
            expires: lasting.expires,
            idle: None,
            ..session.clone()
        };
        if remember.is_some() {
            self.set_remember(browser, None);
        }
        self.note(browser).login = Some(session.login);
        self.set_session(browser, Some(session));
        self.set_device(browser, Some(device));
        200
    }

    /// The session that a key gets for an unbound one.
    fn bound_session(&mut self, unbound: &Card, browser: Browser) -> usize {
        let registration = (unbound.login, unbound.session, browser, unbound.key);
        if let Some(session) = self.registered.get(&registration) {
            return *session;
        }
        let session = self.next_session();
        self.registered.insert(registration, session);
        self.bindings.insert(session, session);
        session
    }

    fn is_answered(&self, challenge: &Challenge, within: u64) -> bool {
        self.keys.contains(&challenge.key) && self.now < challenge.at + within
    }

    /// Whether the user of a card is there, may log in, and has the same password.
    fn is_of_its_user(&self, card: &Card) -> bool {
        let account = self.accounts.get(&card.user);
        account.is_some_and(|account| {
            account.password == card.password && (account.active || card.forced)
        })
    }

    fn prove(&mut self, browser: Browser) -> u16 {
        let Some(challenge) = self.notes[&browser].challenge.clone() else {
            return 0;
        };
        let device = browser;
        let proof = Proof { challenge, device };
        self.note(browser).proof = Some(proof.clone());
        self.refresh(browser, Some(&proof))
    }

    /// Gives the browser its next session, for a proof by the key that was registered.
    fn refresh(&mut self, browser: Browser, proof: Option<&Proof>) -> u16 {
        let Some(login) = self.notes[&browser].login else {
            return 0;
        };
        let Some(mut device) = self.jars[&browser].device.clone() else {
            return 401;
        };
        if !self.is_ours(&device) {
            return 503;
        }
        if device.login != login || self.now >= device.expires {
            return 401;
        }
        let Some(bound) = device.bound.clone() else {
            return 401;
        };
        let latest = match self.latest(browser, &mut device) {
            Ok(latest) => latest,
            Err(status) => return status,
        };
        let proof = proof.filter(|proof| {
            let challenge = &proof.challenge;
            challenge.login == login
                && challenge.session.is_none()
                && self.is_answered(challenge, TO_PROVE)
        });
        let Some(proof) = proof else {
            let challenge = self.challenge(login, None);
            self.note(browser).challenge = Some(challenge);
            return 403;
        };
        if proof.device != bound.device {
            return 401;
        }
        let card = latest.as_ref().unwrap_or(&device).clone();
        let replaces = card.bound.as_ref().and_then(|bound| bound.replaces);
        if let Some(unbound) = replaces
            && !self.is_claimed(&card, unbound)
        {
            return 401;
        }
        if !self.is_of_its_user(&card) {
            return 401;
        }
        let session = latest.unwrap_or_else(|| Card {
            used: self.now,
            expires: self.now + self.rules.session,
            idle: self.rules.idle,
            shown: None,
            permanent: false,
            ..device.clone()
        });
        let renewed = |card: Card| Card {
            session: session.session,
            password: self.accounts[&card.user].password,
            key: self.keys[0],
            place: Some(self.places[&browser]),
            bound: Some(Bound {
                proven: proof.challenge.at + PROVEN,
                replaces: None,
                ..bound.clone()
            }),
            ..card
        };
        let mut device = renewed(device);
        if device.remembered {
            self.refresh_memory(&mut device);
        } else {
            device.used = session.used;
        }
        let session = renewed(session.clone());
        self.set_session(browser, Some(session));
        self.set_device(browser, Some(device));
        200
    }

    fn is_claimed(&mut self, card: &Card, unbound: usize) -> bool {
        matches!(self.claim(card, unbound), Claim::Holds)
    }

    /// The session that a refresh goes on with: the one in use last. `None` if a device that is remembered begins a new one.
    /// The device is as old as its last proof, so it goes on with the session that a confirmation has begun since.
    fn latest(&mut self, browser: Browser, device: &mut Card) -> Result<Option<Card>, u16> {
        let Jar { session, copy, .. } = self.jars[&browser].clone();
        let binding = |card: &Card| card.bound.as_ref().map(|bound| bound.binding);
        let (login, of) = (device.login, binding(device));
        let of_device = |card: &Card| card.login == login && binding(card) == of;
        let mut is_late = false;
        let mut latest: Option<Card> = None;
        for mut card in [session, copy].into_iter().flatten().filter(of_device) {
            if !self.is_valid(&card) {
                continue;
            }
            let fate = self.fate(&card);
            if self.is_late(fate) {
                is_late = true;
                continue;
            }
            if fate != Fate::Open {
                let replaces = card.bound.as_ref().and_then(|bound| bound.replaces);
                if let Some(unbound) = replaces
                    && !self.is_claimed(&card, unbound)
                {
                    return Err(401);
                }
                continue;
            }
            if let Some(other) = latest {
                let shown = card.shown.min(other.shown);
                card = if other.used > card.used { other } else { card };
                card.shown = shown;
            }
            latest = Some(card);
        }
        if latest.is_some() {
            return Ok(latest);
        }
        if device.remembered {
            let fate = self.fate(device);
            is_late |= self.is_late(fate);
            if let Fate::Replaced { by: Some(by), .. } = fate
                && !self.is_late(fate)
                && self.bindings.get(&by).copied() == of
            {
                device.session = by;
                if let Some(bound) = &mut device.bound {
                    bound.replaces = None;
                }
            }
            if self.fate(device) == Fate::Open {
                return Ok(None);
            }
        }
        Err(if is_late { 503 } else { 401 })
    }

    /// Judges a card. A bound session that is seen for the first time ends the unbound one before.
    pub(super) fn see(&mut self, card: &Card, place: Place) -> Verdict {
        let replaces = card.bound.as_ref().and_then(|bound| bound.replaces);
        let Some(unbound) = replaces else {
            return self.judge(card, place);
        };
        if !self.is_valid(card) || self.is_unproven(card) || self.is_late(self.fate(card)) {
            return self.judge(card, place);
        }
        match self.claim(card, unbound) {
            Claim::Holds => self.judge(card, place),
            Claim::Lost => Verdict::Refused,
            Claim::TwoDevices => Verdict::Stolen,
        }
    }

    /// Ends an unbound session for a bound one.
    fn claim(&mut self, card: &Card, unbound: usize) -> Claim {
        let old = Card {
            session: unbound,
            ..card.clone()
        };
        match self.fate(&old) {
            Fate::Open => {
                let entry = (card.session, unbound, self.now);
                self.confirmed.insert(card.login, entry);
                Claim::Holds
            }
            Fate::Replaced { by: Some(by), .. } if by == card.session => Claim::Holds,
            Fate::Replaced { by: Some(by), .. } if self.bindings.contains_key(&by) => {
                self.end(card.login);
                Claim::TwoDevices
            }
            Fate::Replaced { .. } | Fate::Ended => Claim::Lost,
        }
    }

    /// Whether an unbound session has been replaced by a bound one so recently that requests may be under way.
    pub(super) fn is_in_grace(&self, card: &Card) -> bool {
        match self.fate(card) {
            Fate::Replaced { at, by: Some(by) } => {
                card.bound.is_none() && self.bindings.contains_key(&by) && self.now < at + GRACE
            }
            _ => false,
        }
    }

    /// Whether the last proof of a bound session is too old.
    pub(super) fn is_unproven(&self, card: &Card) -> bool {
        let bound = card.bound.as_ref();
        bound.is_some_and(|bound| self.now >= bound.proven + SKEW)
    }
}
