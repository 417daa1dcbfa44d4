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
    /// Whether logins are offered to be bound to the device of their browser.
    pub(crate) device: bool,
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
    Bind(Browser, Bind),
    /// Drops the session cookie, as a browser does when the time of a bound one has come.
    Drop(Browser),
    /// Follows a link from another site to a page that requires a login.
    Link(Browser),
    /// Requests that are under way at the same time.
    AtOnce {
        browser: Browser,
        acts: Vec<Act>,
        /// Whether the responses arrive in the other order.
        backwards: bool,
    },
}

/// What a browser does that can bind its logins to the device.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Bind {
    /// Binds the login that was offered last to the key of this browser.
    Register {
        /// Whether the browser never gets the answer.
        lost: bool,
    },
    /// Asks for a challenge, and keeps it.
    Ask,
    /// Signs the challenge that the browser keeps.
    Prove { lost: bool },
    /// Asks for a challenge and signs it.
    Refresh,
    /// Sends the last proof again, or the one of the browser that was copied.
    Replay,
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
    Register,
    Prove,
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
            Act::Register => Step::Bind(browser, Bind::Register { lost: false }),
            Act::Prove => Step::Bind(browser, Bind::Prove { lost: false }),
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
    prop_oneof![
        1 => (rules(false), vec(step(), 1..=most)),
        1 => (rules(false), vec(patience(), 1..=most)),
        2 => (rules(true), bound(most)),
    ]
    .prop_map(|(rules, steps)| History { rules, steps })
}

/// Logins that are bound at once, and what may become of them.
fn bound(most: usize) -> impl Strategy<Value = Vec<Step>> {
    let more = vec(
        prop_oneof![
            1 => begin(),
            12 => bound_step().prop_map(|step| vec![step]),
        ],
        1..=most - 2,
    );
    (begin(), more).prop_map(move |(begin, more)| {
        let steps = begin.into_iter().chain(more.concat());
        steps.take(most).collect()
    })
}

/// A login, perhaps a theft, the registration, and perhaps a request that shows what it has set.
fn begin() -> impl Strategy<Value = Vec<Step>> {
    let login = (owner(), user(), option::of(Just(365 * DAY)));
    (login, option::of(loot()), any::<bool>()).prop_map(
        |((browser, user, remember), stolen, shows)| {
            let theft = stolen.map(|which| Step::Steal {
                from: browser,
                to: Browser::Thief,
                which,
            });
            let login = [Act::Login(user, remember).step(browser)];
            let register = [Act::Register.step(browser)];
            let show = shows.then_some(Step::Look(browser));
            let begin = login.into_iter().chain(theft).chain(register).chain(show);
            begin.collect()
        },
    )
}

fn bound_step() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => step(),
        6 => bound_wait().prop_map(Step::Wait),
        24 => (who(), bind()).prop_map(|(browser, bind)| Step::Bind(browser, bind)),
        1 => Just(Step::Bind(Browser::Thief, Bind::Register { lost: false })),
        3 => who().prop_map(Step::Look),
        3 => owner().prop_map(Step::Drop),
        2 => owner().prop_map(Step::Link),
        4 => (owner(), loot())
            .prop_map(|(from, which)| Step::Steal { from, to: Browser::Thief, which }),
        1 => theft(),
        2 => (owner(), user()).prop_map(|(browser, user)| Step::Confirm(browser, user)),
        3 => bound_at_once(),
    ]
}

fn bind() -> impl Strategy<Value = Bind> {
    let lost = || option::weighted(0.2, Just(())).prop_map(|lost| lost.is_some());
    prop_oneof![
        8 => Just(Bind::Refresh),
        2 => lost().prop_map(|lost| Bind::Register { lost }),
        5 => Just(Bind::Ask),
        6 => lost().prop_map(|lost| Bind::Prove { lost }),
        3 => Just(Bind::Replay),
    ]
}

/// Mostly the same browser, so that something becomes of its login.
fn owner() -> impl Strategy<Value = Browser> {
    prop_oneof![3 => Just(Browser::Phone), 1 => browser()]
}

/// The owner, or somebody who has copied the cookies.
fn who() -> impl Strategy<Value = Browser> {
    prop_oneof![2 => owner(), 1 => Just(Browser::Thief)]
}

fn loot() -> impl Strategy<Value = Which> {
    prop_oneof![2 => Just(Which::Both), 1 => which()]
}

/// Times around what ends a proof, a challenge and an unbound session.
fn bound_wait() -> impl Strategy<Value = u64> {
    let boundaries = vec![1, 30, 60, 4 * MINUTE, 5 * MINUTE, 10 * MINUTE, 11 * MINUTE];
    (select(boundaries), 0..3_u64).prop_map(|(boundary, less)| boundary.saturating_sub(less).max(1))
}

fn bound_at_once() -> impl Strategy<Value = Step> {
    let act = prop_oneof![
        2 => Just(Act::Look),
        2 => Just(Act::Register),
        3 => Just(Act::Prove),
        1 => Just(Act::Logout),
        1 => user().prop_map(Act::Confirm),
        1 => user().prop_map(|user| Act::Login(user, None)),
    ];
    requests(owner(), act)
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

fn rules(device: bool) -> impl Strategy<Value = Rules> {
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
            move |(protection, list, session, permanent, idle, fresh, refresh)| Rules {
                protection,
                list,
                session,
                permanent,
                idle,
                fresh,
                refresh,
                device,
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
    requests(browser(), act)
}

/// Requests of one browser at the same time.
fn requests(
    browser: impl Strategy<Value = Browser>,
    act: impl Strategy<Value = Act>,
) -> impl Strategy<Value = Step> {
    (browser, vec(act, 2..=3), any::<bool>()).prop_map(|(browser, acts, backwards)| Step::AtOnce {
        browser,
        acts,
        backwards,
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
