//! Which code can break, in which ways, and the switch that breaks it.

use std::sync::{Arc, Mutex};

use rocket::tokio::task::yield_now;
use rocket_login::EventKind;

/// Code of the application that the library runs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Point {
    UserLoader,
    /// A request guard of the user loader.
    LoaderGuard,
    RequestLoader,
    UnauthorizedHandler,
    NeedsRefreshHandler,
    ForbiddenHandler,
    LocalizeCallback,
    Condition,
    GroupCondition,
    Revoke,
    RevokeUser,
    RevokeRealm,
    Status,
    Date,
    Listener(EventKind),
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Fault {
    Fails,
    PanicsAtOnce,
    PanicsLater,
    /// For ever.
    Hangs,
}

impl Point {
    /// The faults that are possible with the signature of the code.
    pub fn faults(self) -> &'static [Fault] {
        use Fault::{Fails, Hangs, PanicsAtOnce, PanicsLater};
        match self {
            Point::LocalizeCallback => &[PanicsAtOnce],
            Point::Listener(_) => &[PanicsAtOnce, PanicsLater, Hangs],
            _ => &[Fails, PanicsAtOnce, PanicsLater, Hangs],
        }
    }

    /// The status of a request whose outcome depends on the point.
    pub fn status(self, fault: Fault) -> u16 {
        let is_of_the_list = matches!(
            self,
            Point::Revoke | Point::RevokeUser | Point::RevokeRealm | Point::Status | Point::Date
        );
        match fault {
            Fault::PanicsAtOnce | Fault::PanicsLater if !is_of_the_list => 500,
            // Guards and handlers choose the status of their failure.
            Fault::Fails if self == Point::LoaderGuard || self.answers() => 502,
            _ => 503,
        }
    }

    /// Whether it answers refused requests.
    fn answers(self) -> bool {
        matches!(
            self,
            Point::UnauthorizedHandler | Point::NeedsRefreshHandler | Point::ForbiddenHandler
        )
    }
}

/// Breaks one point in one way, and counts how often it was reached.
#[derive(Clone, Default)]
pub struct Switch(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    armed: Option<(Point, Fault)>,
    seen: Seen,
}

#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Seen {
    /// How often the broken point was reached.
    pub reached: usize,
    /// How often the handler of a guarded route has run.
    pub ran: usize,
}

impl Switch {
    pub fn arm(&self, point: Point, fault: Fault) {
        *self.0.lock().unwrap() = State {
            armed: Some((point, fault)),
            seen: Seen::default(),
        };
    }

    /// Repairs everything, and returns what was seen since the switch was armed.
    pub fn disarm(&self) -> Seen {
        std::mem::take(&mut *self.0.lock().unwrap()).seen
    }

    pub fn ran(&self) {
        self.0.lock().unwrap().seen.ran += 1;
    }

    /// Marks a point in code that cannot wait. Panics if the fault is `PanicsAtOnce`.
    pub fn reach(&self, point: Point) -> Option<Fault> {
        let mut state = self.0.lock().unwrap();
        let fault = state.armed.filter(|armed| armed.0 == point)?.1;
        state.seen.reached += 1;
        drop(state);
        assert!(fault != Fault::PanicsAtOnce, "{point:?}, on purpose");
        Some(fault)
    }

    /// Marks a point in async code.
    pub async fn pass(&self, point: Point) -> Result<(), &'static str> {
        match self.reach(point) {
            Some(fault) => fault.happen().await,
            None => Ok(()),
        }
    }
}

impl Fault {
    pub async fn happen(self) -> Result<(), &'static str> {
        match self {
            Fault::Hangs => std::future::pending().await,
            Fault::Fails => Err("on purpose"),
            Fault::PanicsAtOnce | Fault::PanicsLater => {
                yield_now().await;
                panic!("later, on purpose")
            }
        }
    }
}
