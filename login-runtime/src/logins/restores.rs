//! How a copied remember token is noticed: a pure decision.
//!
//! Each restore gives the browser a token with the next number. A token that comes back although its successor is in use
//! has been copied: the browser and the thief cannot both have the successor. Three things look alike and are not theft:
//! several requests at once with one token, an answer that was lost, and a browser that was killed before it wrote the
//! new token to its disk. In all three the successor has not been in use, so the same successor is issued again. A second
//! chain of tokens would hide the thief.
//!
//! | the token is | its successor | what follows |
//! | --- | --- | --- |
//! | the newest, and was issued less than a minute ago | | it is issued again |
//! | the newest | | the next one is issued |
//! | newer than the row, or there is no row | | it is issued again, as the newest |
//! | the one before the newest | has not arrived | the newest is issued again |
//! | the one before the newest | has arrived | the login ends |
//! | older | | the login ends |
//!
//! A row can be lost or behind, as after a restart with a registry in memory.

use crate::clock::UnixTime;
use crate::token::LAST_RESTORE;

/// For how many seconds requests may be under way with the token before the newest, and the browser may not have written
/// the newest to its disk.
pub(crate) const SETTLES: u64 = 60;

/// Requests that come within so many seconds share one write.
const AT_ONCE: u64 = 10;

/// What a row knows of the newest remember token of its login.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Restores {
    /// The number of the newest token: how often the login was restored.
    pub(crate) count: u32,
    /// When the newest token was issued last; `None` once a request has shown that it has arrived.
    pub(crate) unseen_since: Option<UnixTime>,
}

/// What follows when a token restores its login.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Decision {
    /// A token with this number is issued, and the row must say so.
    Issue(Restores),
    /// The newest token is issued again.
    Same,
    /// The token was copied.
    Reused,
}

impl Restores {
    /// Decides what follows when the token with the number `presented` comes back.
    pub(super) fn decide(held: Option<Self>, presented: u32, now: UnixTime) -> Decision {
        let issue = |count| {
            Decision::Issue(Self {
                count,
                unseen_since: Some(now),
            })
        };
        let Some(Self {
            count,
            unseen_since,
        }) = held
        else {
            return issue(presented);
        };
        let age = unseen_since.map(|since| now.since(since));
        match (count.checked_sub(presented), age) {
            (Some(0), Some(..SETTLES)) | (Some(1), Some(..AT_ONCE)) => Decision::Same,
            (Some(0), _) => issue(count.saturating_add(1).min(LAST_RESTORE)),
            (None, _) => issue(presented),
            // The time is the latest, so that the token before this one can be under way for a whole minute again.
            (Some(1), Some(_)) => issue(count),
            (Some(_), _) => Decision::Reused,
        }
    }

    /// Joins what two rows of one login know: the newest token, and whether it has arrived.
    pub(super) fn joined(self, other: Self) -> Self {
        if self.count != other.count {
            return if self.count > other.count {
                self
            } else {
                other
            };
        }
        Self {
            // A token that has arrived for one of them has arrived.
            unseen_since: self
                .unseen_since
                .and_then(|since| Some(since.max(other.unseen_since?))),
            ..self
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::arithmetic_side_effects, clippy::unwrap_used)]

    use proptest::prelude::*;

    use super::*;

    fn at(seconds: u64) -> UnixTime {
        UnixTime::from_secs(seconds)
    }

    /// A row whose newest token was issued at 1,000, or has arrived.
    fn row(count: u32, has_arrived: bool) -> Restores {
        Restores {
            count,
            unseen_since: (!has_arrived).then_some(at(1_000)),
        }
    }

    fn issue(count: u32, now: u64) -> Decision {
        Decision::Issue(Restores {
            count,
            unseen_since: Some(at(now)),
        })
    }

    #[test]
    fn the_newest_token_steps_at_most_once_a_minute() {
        assert_eq!(Restores::decide(Some(row(5, true)), 5, at(9)), issue(6, 9));
        let unseen = Some(row(5, false));
        for (now, decision) in [
            (999, Decision::Same),
            (1_059, Decision::Same),
            (1_060, issue(6, 1_060)),
        ] {
            assert_eq!(Restores::decide(unseen, 5, at(now)), decision);
        }
    }

    #[test]
    fn the_token_before_the_newest_gets_the_newest_until_that_has_arrived() {
        let unseen = Some(row(5, false));
        for (now, decision) in [
            (1_009, Decision::Same),
            (1_010, issue(5, 1_010)),
            (900_000, issue(5, 900_000)),
        ] {
            assert_eq!(Restores::decide(unseen, 4, at(now)), decision);
        }
        let seen = Some(row(5, true));
        assert_eq!(Restores::decide(seen, 4, at(1_000)), Decision::Reused);
    }

    #[test]
    fn an_older_token_was_copied() {
        for has_arrived in [false, true] {
            for presented in 0..=3 {
                let decision = Restores::decide(Some(row(5, has_arrived)), presented, at(1_000));
                assert_eq!(decision, Decision::Reused);
            }
        }
    }

    #[test]
    fn a_token_that_is_newer_than_the_row_is_the_newest() {
        for held in [None, Some(row(2, false)), Some(row(2, true))] {
            assert_eq!(Restores::decide(held, 7, at(9)), issue(7, 9));
        }
    }

    #[test]
    fn the_last_number_never_becomes_another() {
        let held = Some(row(LAST_RESTORE, true));
        let decision = Restores::decide(held, LAST_RESTORE, at(9));
        assert_eq!(decision, issue(LAST_RESTORE, 9));
    }

    fn any_row() -> impl Strategy<Value = Restores> {
        let unseen_since = prop::option::of((1..9_u64).prop_map(at));
        (0..4_u32, unseen_since).prop_map(|(count, unseen_since)| Restores {
            count,
            unseen_since,
        })
    }

    /// What happens to one browser.
    #[derive(Clone, Copy, Debug)]
    enum Step {
        /// It restores its login by so many requests at once, and the answers arrive or are lost.
        Restore {
            requests: u8,
            arrives: bool,
        },
        /// A request comes that was sent with its last restore.
        Straggler,
        /// It uses its session.
        Use,
        /// It loses its session.
        Close,
        /// It is killed; a new token may not be on its disk yet.
        Kill {
            wrote: bool,
            keeps_session: bool,
        },
        /// The registry loses its rows.
        Wipe,
        Wait(u64),
    }

    fn any_step() -> impl Strategy<Value = Step> {
        prop_oneof![
            4 => (1..4_u8, any::<bool>())
                .prop_map(|(requests, arrives)| Step::Restore { requests, arrives }),
            2 => Just(Step::Straggler),
            4 => Just(Step::Use),
            3 => Just(Step::Close),
            3 => any::<(bool, bool)>()
                .prop_map(|(wrote, keeps_session)| Step::Kill { wrote, keeps_session }),
            1 => Just(Step::Wipe),
            4 => prop_oneof![1..15_u64, 50..70_u64, 100..9_000_u64].prop_map(Step::Wait),
        ]
    }

    /// A browser with its registry, which follows the rules of `login::remember` and `login::search`.
    #[derive(Default)]
    struct Browser {
        now: u64,
        row: Option<Restores>,
        disk: u32,
        /// The token that is in memory only, and since when.
        memory: Option<(u32, u64)>,
        /// The number in the session, and since when it is unseen.
        session: Option<(u32, Option<u64>)>,
        /// The token of the last restore, and when.
        sent: Option<(u32, u64)>,
    }

    impl Browser {
        fn token(&self) -> u32 {
            self.memory.map_or(self.disk, |(token, _)| token)
        }

        /// Restores the login, and returns the number of the token in the answer.
        fn restore(&mut self, presented: u32) -> Result<u32, TestCaseError> {
            match Restores::decide(self.row, presented, at(self.now)) {
                Decision::Issue(row) => {
                    self.row = Some(row);
                    Ok(row.count)
                }
                Decision::Same => Ok(self.row.unwrap().count),
                Decision::Reused => Err(TestCaseError::fail("the only browser is logged out")),
            }
        }

        fn gets(&mut self, token: u32) {
            if self.token() != token {
                self.write(false);
                self.memory = Some((token, self.now));
            }
        }

        /// Writes the token to the disk, if it is in memory for long enough, or already.
        fn write(&mut self, already: bool) {
            if let Some((token, since)) = self.memory
                && (already || self.now >= since + SETTLES)
            {
                self.disk = token;
            }
        }

        fn step(&mut self, step: Step) -> Result<(), TestCaseError> {
            let now = self.now;
            match step {
                Step::Restore { requests, arrives } if self.session.is_none() => {
                    let presented = self.token();
                    self.sent = Some((presented, now));
                    let first = self.restore(presented)?;
                    for _ in 1..requests {
                        prop_assert_eq!(self.restore(presented)?, first);
                    }
                    if arrives {
                        self.gets(first);
                        self.session = Some((first, Some(now)));
                    }
                }
                Step::Straggler => {
                    if let Some((presented, sent)) = self.sent
                        && now < sent + SETTLES - AT_ONCE
                    {
                        self.restore(presented)?;
                    }
                }
                Step::Use => {
                    if let Some((count, Some(since))) = self.session
                        && now >= since + SETTLES
                    {
                        let is_behind = self.token() < count;
                        let unseen_since = is_behind.then_some(now);
                        self.gets(count);
                        self.session = Some((count, unseen_since));
                        let seen = Restores {
                            count,
                            unseen_since: unseen_since.map(at),
                        };
                        self.row = Some(self.row.map_or(seen, |row| row.joined(seen)));
                    }
                }
                Step::Close => self.session = None,
                Step::Kill {
                    wrote,
                    keeps_session,
                } => {
                    self.write(wrote);
                    self.memory = None;
                    if !keeps_session {
                        self.session = None;
                    }
                }
                Step::Wipe => self.row = None,
                Step::Wait(seconds) => self.now += seconds,
                Step::Restore { .. } => {}
            }
            Ok(())
        }
    }

    proptest! {
        #[test]
        fn rows_join_in_any_order(a in any_row(), b in any_row(), c in any_row()) {
            prop_assert_eq!(a.joined(b), b.joined(a));
            prop_assert_eq!(a.joined(b).joined(c), a.joined(b.joined(c)));
            prop_assert_eq!(a.joined(a), a);
        }

        #[test]
        fn a_browser_that_nobody_has_copied_is_never_logged_out(
            steps in prop::collection::vec(any_step(), 1..60)
        ) {
            let mut browser = Browser { now: 1_000, ..Browser::default() };
            for step in steps {
                browser.step(step)?;
            }
        }

        #[test]
        fn of_a_browser_and_a_thief_the_second_one_to_come_ends_the_login(
            restores in 1..6,
            wait in 0..9_000_u64,
        ) {
            let mut first = Browser { now: 1_000, row: Some(Restores::default()), ..Browser::default() };
            for _ in 0..restores {
                for step in [
                    Step::Close,
                    Step::Restore { requests: 2, arrives: true },
                    Step::Wait(SETTLES),
                    Step::Use,
                ] {
                    first.step(step)?;
                }
            }
            let decision = Restores::decide(first.row, 0, at(first.now + wait));
            prop_assert_eq!(decision, Decision::Reused);
        }
    }
}
