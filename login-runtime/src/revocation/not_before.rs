//! The time before which a user's logins have ended, and the login that is spared.

use crate::clock::UnixTime;
use crate::token::LoginId;

#[derive(Clone, Copy, Debug)]
pub(super) struct NotBefore {
    pub(super) at: UnixTime,
    /// A login that `at` does not end, and the time before which it has ended all the same.
    spared: Option<(LoginId, UnixTime)>,
}

impl NotBefore {
    pub(super) fn new(at: UnixTime, except: Option<LoginId>) -> Self {
        let spared = except.map(|login| (login, UnixTime::from_secs(0)));
        Self { at, spared }
    }

    /// The time before which this login has ended, if its date counts.
    pub(super) fn ends(&self, login: LoginId) -> UnixTime {
        match self.spared {
            Some((spared, floor)) if spared == login => floor,
            _ => self.at,
        }
    }

    /// Whatever one of the two has ended has ended.
    pub(super) fn joined(self, other: Self) -> Self {
        let (later, other) = if self.at >= other.at {
            (self, other)
        } else {
            (other, self)
        };
        let spared = later
            .spared
            .map(|(login, floor)| (login, floor.max(other.ends(login))));
        Self {
            at: later.at,
            spared: spared.filter(|(_, floor)| *floor < later.at),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn any() -> impl Strategy<Value = NotBefore> {
        (1..6_u64, proptest::option::of(0..3_u8)).prop_map(|(at, except)| {
            NotBefore::new(
                UnixTime::from_secs(at),
                except.map(|byte| LoginId([byte; 16])),
            )
        })
    }

    proptest! {
        #[test]
        fn what_one_of_several_has_ended_has_ended(all in proptest::collection::vec(any(), 1..5)) {
            let joined = all.iter().copied().reduce(NotBefore::joined).unwrap();
            for login in (0..4_u8).map(|byte| LoginId([byte; 16])) {
                let latest = all.iter().map(|one| one.ends(login)).max().unwrap();
                prop_assert_eq!(joined.ends(login), latest);
            }
        }
    }
}
