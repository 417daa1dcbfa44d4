//! Histories: the settings of a site, and then what happens, step by step.

use std::fmt;

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::{Just, Strategy, any, prop_oneof};
use proptest::sample::select;

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum User {
    Alice,
    Bob,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Browser {
    Phone,
    Laptop,
    Thief,
}

/// The address and the program of a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    Home,
    Office,
    OtherBrowser,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Protection {
    Basic,
    Strong,
    None,
}

/// Where the list of ended logins is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum List {
    /// A restart forgets them.
    InProcess,
    Shared,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Which {
    Both,
    Session,
    Remember,
}

/// The site's settings; durations are seconds.
#[derive(Clone, Debug)]
pub(crate) struct Rules {
    pub(crate) protection: Protection,
    pub(crate) list: List,
    pub(crate) session: u64,
    pub(crate) permanent: u64,
    pub(crate) idle: Option<u64>,
    pub(crate) fresh: Option<u64>,
    /// Whether each use prolongs a remember cookie.
    pub(crate) refresh: bool,
}

#[derive(Clone, Debug)]
pub(crate) enum Step {
    Look(Browser),
    Wait(u64),
    Login {
        browser: Browser,
        user: User,
        /// For how long.
        remember: Option<u64>,
        permanent: bool,
        stale: bool,
        force: bool,
    },
    Steal {
        from: Browser,
        to: Browser,
        which: Which,
    },
    Logout(Browser),
    LogoutEverywhere(Browser),
    /// An administrator ends all logins of a user.
    EndAll(User),
    Confirm(Browser, User),
    NewPassword(Browser, u8),
    /// Forgets what does not outlive the browser.
    Close(Browser),
    Move(Browser, Place),
    SetPassword(User, u8),
    SetActive(User, bool),
    Delete(User),
    Create(User, u8),
    /// A restart with one more key, the newest.
    NewKey(u8),
    /// A restart without the retired keys.
    DropOldKeys,
    Restart,
    /// Requests that are under way at the same time.
    AtOnce {
        browser: Browser,
        acts: Vec<Act>,
        /// Whether the responses arrive in the other order.
        backwards: bool,
    },
}

/// One of several requests at the same time.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Act {
    /// May restore, renew or sign a login again.
    Look,
    Logout,
    LogoutEverywhere,
    Confirm(User),
    Login(User, Option<u64>),
}

impl Act {
    pub(crate) fn step(self, browser: Browser) -> Step {
        match self {
            Act::Look => Step::Look(browser),
            Act::Logout => Step::Logout(browser),
            Act::LogoutEverywhere => Step::LogoutEverywhere(browser),
            Act::Confirm(user) => Step::Confirm(browser, user),
            Act::Login(user, remember) => Step::Login {
                browser,
                user,
                remember,
                permanent: false,
                stale: false,
                force: false,
            },
        }
    }
}

#[derive(Clone)]
pub(crate) struct History {
    pub(crate) rules: Rules,
    pub(crate) steps: Vec<Step>,
}

impl User {
    pub(crate) const ALL: [User; 2] = [User::Alice, User::Bob];

    pub(crate) fn id(self) -> &'static str {
        match self {
            User::Alice => "alice",
            User::Bob => "bob",
        }
    }
}

impl Browser {
    pub(crate) const ALL: [Browser; 3] = [Browser::Phone, Browser::Laptop, Browser::Thief];

    /// Where it is at first.
    pub(crate) fn home(self) -> Place {
        match self {
            Browser::Phone | Browser::Laptop => Place::Home,
            Browser::Thief => Place::Office,
        }
    }
}

impl Place {
    pub(crate) fn client(self) -> (&'static str, &'static str) {
        match self {
            Place::Home => ("192.0.2.1", "Firefox"),
            Place::Office => ("198.51.100.1", "Firefox"),
            Place::OtherBrowser => ("192.0.2.1", "Chrome"),
        }
    }
}

/// One line a step, as a report of a failure shows it.
impl fmt::Debug for History {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{:?}", self.rules)?;
        self.steps
            .iter()
            .try_for_each(|step| writeln!(f, "  {step:?}"))
    }
}

/// Any history with at most this many steps. Simpler ones come first, for shrinking.
pub(crate) fn histories(most: usize) -> impl Strategy<Value = History> {
    let steps = prop_oneof![vec(step(), 1..=most), vec(patience(), 1..=most)];
    (rules(), steps).prop_map(|(rules, steps)| History { rules, steps })
}

/// Few steps over a long time, like months of use.
fn patience() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => browser().prop_map(Step::Look),
        4 => wait().prop_map(Step::Wait),
        1 => login(),
        1 => theft(),
        1 => browser().prop_map(Step::Close),
    ]
}

fn rules() -> impl Strategy<Value = Rules> {
    (
        select(vec![
            Protection::Basic,
            Protection::None,
            Protection::Strong,
        ]),
        select(vec![List::Shared, List::InProcess]),
        select(vec![DAY, 2 * HOUR]),
        select(vec![31 * DAY, 3 * HOUR]),
        select(vec![Some(HOUR), Some(10 * MINUTE), Some(5), None]),
        select(vec![None, Some(20 * MINUTE)]),
        any::<bool>(),
    )
        .prop_map(
            |(protection, list, session, permanent, idle, fresh, refresh)| Rules {
                protection,
                list,
                session,
                permanent,
                idle,
                fresh,
                refresh,
            },
        )
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => browser().prop_map(Step::Look),
        5 => wait().prop_map(Step::Wait),
        6 => login(),
        4 => theft(),
        2 => browser().prop_map(Step::Logout),
        1 => browser().prop_map(Step::LogoutEverywhere),
        1 => user().prop_map(Step::EndAll),
        3 => (browser(), user()).prop_map(|(browser, user)| Step::Confirm(browser, user)),
        1 => (browser(), password())
            .prop_map(|(browser, password)| Step::NewPassword(browser, password)),
        3 => browser().prop_map(Step::Close),
        2 => (browser(), place()).prop_map(|(browser, place)| Step::Move(browser, place)),
        1 => (user(), password()).prop_map(|(user, password)| Step::SetPassword(user, password)),
        2 => (user(), any::<bool>())
            .prop_map(|(user, passive)| Step::SetActive(user, !passive)),
        1 => user().prop_map(Step::Delete),
        2 => (user(), password()).prop_map(|(user, password)| Step::Create(user, password)),
        2 => (0..5_u8).prop_map(Step::NewKey),
        1 => Just(Step::DropOldKeys),
        1 => Just(Step::Restart),
        6 => at_once(),
    ]
}

fn at_once() -> impl Strategy<Value = Step> {
    let act = prop_oneof![
        2 => Just(Act::Look),
        2 => Just(Act::Logout),
        1 => Just(Act::LogoutEverywhere),
        3 => user().prop_map(Act::Confirm),
        2 => (user(), option::of(Just(365 * DAY))).prop_map(|(user, remember)| Act::Login(user, remember)),
    ];
    (browser(), vec(act, 2..=3), any::<bool>()).prop_map(|(browser, acts, backwards)| {
        Step::AtOnce {
            browser,
            acts,
            backwards,
        }
    })
}

fn theft() -> impl Strategy<Value = Step> {
    (browser(), browser(), which()).prop_map(|(from, to, which)| Step::Steal { from, to, which })
}

fn login() -> impl Strategy<Value = Step> {
    let duration = select(vec![365 * DAY, HOUR, 3 * HOUR, 400 * DAY, 60]);
    (
        browser(),
        user(),
        option::of(duration),
        option::weighted(0.2, Just(())),
        option::weighted(0.1, Just(())),
        any::<bool>(),
    )
        .prop_map(
            |(browser, user, remember, permanent, stale, force)| Step::Login {
                browser,
                user,
                remember,
                permanent: permanent.is_some(),
                stale: stale.is_some(),
                force,
            },
        )
}

/// Times around every boundary of the settings.
fn wait() -> impl Strategy<Value = u64> {
    let boundaries = vec![
        1,
        5,
        50,
        60,
        5 * MINUTE,
        10 * MINUTE,
        20 * MINUTE,
        HOUR,
        2 * HOUR,
        3 * HOUR,
        DAY,
        31 * DAY,
        200 * DAY,
        365 * DAY,
        400 * DAY,
    ];
    (select(boundaries), 0..3_u64).prop_map(|(boundary, less)| boundary.saturating_sub(less).max(1))
}

fn browser() -> impl Strategy<Value = Browser> {
    select(Browser::ALL.to_vec())
}

fn user() -> impl Strategy<Value = User> {
    select(User::ALL.to_vec())
}

fn place() -> impl Strategy<Value = Place> {
    select(vec![Place::Home, Place::Office, Place::OtherBrowser])
}

fn which() -> impl Strategy<Value = Which> {
    select(vec![Which::Both, Which::Session, Which::Remember])
}

fn password() -> impl Strategy<Value = u8> {
    0..3_u8
}
