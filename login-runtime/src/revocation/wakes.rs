//! Wakes what waits for the end of a login.

use rocket::tokio::sync::Notify;
use rocket::tokio::sync::futures::Notified;

use crate::token::LoginId;

/// Whoever is woken looks at the list again. A logout wakes whoever waits for one of the logins in its part, a 256th of all.
pub(crate) struct Wakes(Box<[Notify; PARTS]>);

const PARTS: usize = 256;

impl Default for Wakes {
    fn default() -> Self {
        Self(Box::new(std::array::from_fn(|_| Notify::new())))
    }
}

impl Wakes {
    /// Returns a future that resolves with the next change of a login. It misses none from this call on, even if it is not
    /// yet polled.
    pub(crate) fn of(&self, login: LoginId) -> Notified<'_> {
        self.part(login).notified()
    }

    /// Call it after the list has changed.
    pub(super) fn login(&self, login: LoginId) {
        self.part(login).notify_waiters();
    }

    /// For a change that is not about a single login.
    pub(super) fn everybody(&self) {
        for part in &*self.0 {
            part.notify_waiters();
        }
    }

    #[expect(clippy::indexing_slicing, reason = "a byte, and 256 parts")]
    fn part(&self, LoginId([first, ..]): LoginId) -> &Notify {
        &self.0[usize::from(first)]
    }
}

#[cfg(test)]
mod tests {
    use rocket::futures::FutureExt as _;

    use super::*;

    #[test]
    fn a_change_wakes_who_waits_for_its_login_and_the_end_of_all_wakes_everybody() {
        let wakes = Wakes::default();
        let of = |first| wakes.of(LoginId([first; 16]));
        let (one, two, both) = (of(1), of(2), [of(1), of(2)]);
        wakes.login(LoginId([1; 16]));
        assert!(one.now_or_never().is_some());
        assert!(two.now_or_never().is_none());
        wakes.everybody();
        for woken in both {
            assert!(woken.now_or_never().is_some());
        }
    }

    #[test]
    fn what_comes_after_the_change_is_not_woken_by_it() {
        let wakes = Wakes::default();
        wakes.everybody();
        assert!(wakes.of(LoginId([1; 16])).now_or_never().is_none());
    }
}
