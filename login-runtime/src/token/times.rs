//! Expiry, renewal and freshness: pure functions of a token's times and the clock.

use crate::clock::UnixTime;
use crate::token::{Flags, Kind, Token};

/// How far in the future a token's times may be, because the clocks of servers differ: 60 seconds.
pub(crate) const SKEW: u64 = 60;

/// The longest time between two renewals of a session that is in use: 5 minutes.
pub(crate) const RENEW_AFTER: u64 = 5 * 60;

/// The longest lifetime of a remember token, because browsers keep no cookie longer: 400 days.
pub(crate) const MAX_REMEMBER: u64 = 400 * 24 * 60 * 60;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lapsed {
    /// A time is further in the future than clocks may differ.
    Future,
    /// The absolute lifetime has ended.
    Expired,
    /// The session was not used for the idle timeout.
    Idle,
    /// The session is bound to a device, which has not proven itself in time.
    Unproven,
}

/// Checks that a token is valid at `now`.
pub(crate) fn check(token: &Token, now: UnixTime, idle: Option<u64>) -> Result<(), Lapsed> {
    let latest = now.plus(SKEW);
    // `created_at` is the time of the list of ended logins, whose clock may be ahead of this one.
    if token.renewed_at > latest || token.auth_at.is_some_and(|auth_at| auth_at > latest) {
        return Err(Lapsed::Future);
    }
    if now >= token.expires_at {
        return Err(Lapsed::Expired);
    }
    if idle_end(token, idle).is_some_and(|end| now >= end) {
        return Err(Lapsed::Idle);
    }
    match token.bound_until {
        Some(bound_until) if now >= bound_until.plus(SKEW) => Err(Lapsed::Unproven),
        _ => Ok(()),
    }
}

/// Returns when a token ends that is neither renewed nor proven again.
pub(crate) fn ends_at(token: &Token, idle: Option<u64>) -> UnixTime {
    let end = unused_until(token, idle);
    match token.bound_until {
        Some(bound_until) => end.min(bound_until.plus(SKEW)),
        None => end,
    }
}

/// Returns when a token ends that is not renewed.
pub(crate) fn unused_until(token: &Token, idle: Option<u64>) -> UnixTime {
    match idle_end(token, idle) {
        Some(end) => end.min(token.expires_at),
        None => token.expires_at,
    }
}

/// Returns when a token has been idle for too long; a permanent login has no idle timeout.
fn idle_end(token: &Token, idle: Option<u64>) -> Option<UnixTime> {
    let idle = idle.filter(|_| !token.flags.contains(Flags::PERMANENT));
    idle.map(|idle| token.renewed_at.plus(idle))
}

/// Whether a session that is in use must be renewed, so that the idle timeout starts again.
pub(crate) fn renewal_due(token: &Token, now: UnixTime, idle: Option<u64>) -> bool {
    let Some(idle) = idle else { return false };
    !token.flags.contains(Flags::PERMANENT)
        && now >= token.renewed_at.plus((idle / 12).clamp(1, RENEW_AFTER))
}

/// Whether a login is fresh: the user gave credentials less than `window` seconds ago.
pub(crate) fn is_fresh(auth_at: Option<UnixTime>, now: UnixTime, window: Option<u64>) -> bool {
    auth_at.is_some_and(|auth_at| window.is_none_or(|window| now < auth_at.plus(window)))
}

/// Renews a remember token for its duration, but for at most 400 days in total.
pub(crate) fn renew_remember(token: &mut Token, now: UnixTime) {
    let duration = token.expires_at.since(token.renewed_at);
    token.renewed_at = now;
    token.expires_at = now.plus(duration).min(token.created_at.plus(MAX_REMEMBER));
}

/// Returns when all tokens of this token's login have expired.
///
/// The remember token may have been renewed to its limit, and may restore a session in its last second.
pub(crate) fn dead_until(token: &Token, longest_session: u64) -> UnixTime {
    let is_remembered = token.kind == Kind::Remember || token.flags.contains(Flags::REMEMBERED);
    if is_remembered {
        let last_restored = token.created_at.plus(MAX_REMEMBER).plus(longest_session);
        token.expires_at.max(last_restored)
    } else {
        token.expires_at
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::token::{LoginId, SessionId};

    const HOUR: u64 = 3600;

    fn at(seconds: u64) -> UnixTime {
        UnixTime::from_secs(seconds)
    }

    fn token() -> Token {
        let uid = "1".into();
        let mut token = Token::begin(
            Kind::Session,
            (LoginId([7; 16]), SessionId([7; 8])),
            uid,
            (at(1_000_000), at(1_000_000)),
            24 * HOUR,
        );
        token.auth_at = Some(at(1_000_000));
        token
    }

    #[test]
    fn a_token_is_valid_until_its_last_second() {
        let mut token = token();
        token.expires_at = at(2_000_000);
        assert_eq!(check(&token, at(1_999_999), None), Ok(()));
        assert_eq!(check(&token, at(2_000_000), None), Err(Lapsed::Expired));
    }

    #[test]
    fn idleness_ends_a_session_but_not_a_permanent_one() {
        let mut token = token();
        let now = token.renewed_at.plus(HOUR);
        let before = token.renewed_at.plus(HOUR - 1);
        assert_eq!(check(&token, before, Some(HOUR)), Ok(()));
        assert_eq!(check(&token, now, Some(HOUR)), Err(Lapsed::Idle));
        token.flags.insert(Flags::PERMANENT);
        assert_eq!(check(&token, now, Some(HOUR)), Ok(()));
    }

    #[test]
    fn a_token_is_refused_from_the_second_in_which_it_ends() {
        let mut token = token();
        for bound_until in [None, Some(token.created_at.plus(600))] {
            token.bound_until = bound_until;
            for idle in [None, Some(HOUR), Some(100 * HOUR)] {
                for _ in 0..2 {
                    token.flags.toggle(Flags::PERMANENT);
                    let end = ends_at(&token, idle);
                    assert!(check(&token, end, idle).is_err());
                    assert_eq!(check(&token, at(end.as_secs() - 1), idle), Ok(()));
                }
            }
        }
    }

    #[test]
    fn a_bound_session_is_valid_until_its_proof_is_a_minute_too_old() {
        let mut token = token();
        token.bound_until = Some(token.created_at.plus(600));
        let check = |seconds| check(&token, token.created_at.plus(seconds), Some(HOUR));
        assert_eq!(check(600 + SKEW - 1), Ok(()));
        assert_eq!(check(600 + SKEW), Err(Lapsed::Unproven));
        // What ends a login comes before what another proof repairs.
        assert_eq!(check(HOUR), Err(Lapsed::Idle));
        assert_eq!(check(24 * HOUR), Err(Lapsed::Expired));
    }

    #[test]
    fn a_token_may_be_sixty_seconds_in_the_future_and_not_sixty_one() {
        let fields: [fn(&mut Token, UnixTime); 2] = [
            |token, time| token.renewed_at = time,
            |token, time| token.auth_at = Some(time),
        ];
        for set in fields {
            let mut token = token();
            set(&mut token, at(2_000_000));
            token.expires_at = at(3_000_000);
            assert_eq!(check(&token, at(2_000_000 - SKEW), None), Ok(()));
            assert_eq!(
                check(&token, at(2_000_000 - SKEW - 1), None),
                Err(Lapsed::Future)
            );
        }
    }

    #[test]
    fn extreme_times_do_no_harm() {
        let mut token = token();
        for now in [0, 1, u64::MAX - 1, u64::MAX] {
            assert!(check(&token, at(now), Some(u64::MAX)).is_err());
        }
        let last = at(u64::MAX);
        token.expires_at = last;
        token.created_at = last;
        assert_eq!(check(&token, at(0), Some(HOUR)), Err(Lapsed::Future));
        renew_remember(&mut token, last);
        assert!(renewal_due(&token, last, Some(u64::MAX)));
    }

    #[test]
    fn a_session_in_use_is_renewed_at_most_every_five_minutes() {
        let token = token();
        assert!(!renewal_due(&token, token.renewed_at.plus(299), Some(HOUR)));
        assert!(renewal_due(&token, token.renewed_at.plus(300), Some(HOUR)));
        assert!(renewal_due(&token, token.renewed_at.plus(5), Some(60)));
        assert!(!renewal_due(&token, token.renewed_at.plus(HOUR), None));
    }

    #[test]
    fn a_session_has_expired_only_when_its_remember_token_has() {
        let mut token = token();
        assert_eq!(dead_until(&token, HOUR), token.expires_at);
        let last_restored = token.created_at.plus(MAX_REMEMBER + HOUR);
        token.flags.insert(Flags::REMEMBERED);
        assert_eq!(dead_until(&token, HOUR), last_restored);
        token.kind = Kind::Remember;
        token.flags.remove(Flags::REMEMBERED);
        assert_eq!(dead_until(&token, HOUR), last_restored);
        // A permanent session that was given under a longer setting.
        token.expires_at = last_restored.plus(1);
        assert_eq!(dead_until(&token, HOUR), token.expires_at);
    }

    #[test]
    fn freshness_ends_with_its_window_and_needs_credentials() {
        let auth_at = Some(at(100));
        assert!(is_fresh(auth_at, at(10_000), None));
        assert!(!is_fresh(None, at(10), None));
        assert!(is_fresh(auth_at, at(699), Some(600)));
        assert!(!is_fresh(auth_at, at(700), Some(600)));
    }

    #[test]
    fn a_remember_token_lives_for_400_days_at_most() {
        assert_eq!(MAX_REMEMBER, 34_560_000);
    }

    #[test]
    fn a_renewed_remember_token_keeps_its_duration_and_its_cap() {
        let mut token = token();
        token.expires_at = token.created_at.plus(HOUR);
        let now = token.created_at.plus(600);
        renew_remember(&mut token, now);
        assert_eq!(token.expires_at, now.plus(HOUR));
        let last = token.created_at.plus(MAX_REMEMBER - 60);
        renew_remember(&mut token, last);
        assert_eq!(token.expires_at, token.created_at.plus(MAX_REMEMBER));
    }
}
