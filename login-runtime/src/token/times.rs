//! Expiry, renewal and freshness, judged from a token's times and the clock alone.

use crate::token::{Flags, Kind, Token};

/// How far in the future a token's times may lie, for clocks of several servers: 60 seconds.
pub(crate) const SKEW: u64 = 60;

/// The longest time between two renewals of a session in use: 5 minutes.
const RENEW_AFTER: u64 = 5 * 60;

/// The longest life of a remember token, which is what browsers keep a cookie: 400 days.
pub(crate) const MAX_REMEMBER: u64 = 400 * 24 * 60 * 60;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lapsed {
    /// A time lies further in the future than clocks may differ.
    Future,
    /// The absolute lifetime is over.
    Expired,
    /// Nothing was asked for longer than the idle timeout.
    Idle,
}

/// Whether a token holds at `now`; a permanent login has no idle timeout.
pub(crate) fn check(token: &Token, now: u64, idle: Option<u64>) -> Result<(), Lapsed> {
    let latest = now.saturating_add(SKEW);
    if token.created_at.max(token.renewed_at).max(token.auth_at) > latest {
        return Err(Lapsed::Future);
    }
    if now >= token.expires_at {
        return Err(Lapsed::Expired);
    }
    match idle {
        Some(idle)
            if !token.flags.contains(Flags::PERMANENT)
                && now >= token.renewed_at.saturating_add(idle) =>
        {
            Err(Lapsed::Idle)
        }
        _ => Ok(()),
    }
}

/// Whether a session in use should be re-issued, so that the idle timeout starts anew.
pub(crate) fn renewal_due(token: &Token, now: u64, idle: Option<u64>) -> bool {
    let Some(idle) = idle else { return false };
    !token.flags.contains(Flags::PERMANENT)
        && now
            >= token
                .renewed_at
                .saturating_add((idle / 12).clamp(1, RENEW_AFTER))
}

/// Whether a login is fresh: it was made with credentials, at most `window` seconds ago.
pub(crate) fn is_fresh(auth_at: u64, now: u64, window: Option<u64>) -> bool {
    auth_at != 0 && window.is_none_or(|window| now < auth_at.saturating_add(window))
}

/// The times of a remember token that is renewed: its own duration again, 400 days in all at most.
pub(crate) fn renew_remember(token: &mut Token, now: u64) {
    let duration = token.expires_at.saturating_sub(token.renewed_at);
    token.renewed_at = now;
    token.expires_at = now
        .saturating_add(duration)
        .min(token.created_at.saturating_add(MAX_REMEMBER));
}

/// When the last token that shares this one's session id can have expired.
///
/// A renewal that is under way may have given the remember token its duration once more.
pub(crate) fn dead_until(token: &Token, now: u64, longest_session: u64) -> u64 {
    let remembered_until = match token.kind {
        Kind::Remember => now
            .saturating_add(token.expires_at.saturating_sub(token.renewed_at))
            .saturating_add(SKEW)
            .max(token.expires_at),
        Kind::Session if token.flags.contains(Flags::REMEMBERED) => {
            token.created_at.saturating_add(MAX_REMEMBER)
        }
        Kind::Session => return token.expires_at,
    };
    remembered_until.saturating_add(longest_session)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::token::SessionId;

    const HOUR: u64 = 3600;

    fn token() -> Token {
        Token {
            kind: Kind::Session,
            flags: Flags::default(),
            session_id: SessionId([7; 16]),
            auth_at: 1_000_000,
            created_at: 1_000_000,
            renewed_at: 1_000_000,
            expires_at: 1_000_000 + 24 * HOUR,
            session_hash: [0; 16],
            protection: [0; 16],
            uid: "1".into(),
        }
    }

    #[test]
    fn a_token_holds_until_its_last_second() {
        let token = token();
        assert_eq!(check(&token, token.expires_at - 1, None), Ok(()));
        assert_eq!(check(&token, token.expires_at, None), Err(Lapsed::Expired));
    }

    #[test]
    fn idleness_ends_a_session_but_not_a_permanent_one() {
        let mut token = token();
        let now = token.renewed_at + HOUR;
        assert_eq!(check(&token, now - 1, Some(HOUR)), Ok(()));
        assert_eq!(check(&token, now, Some(HOUR)), Err(Lapsed::Idle));
        token.flags = token.flags.with(Flags::PERMANENT);
        assert_eq!(check(&token, now, Some(HOUR)), Ok(()));
    }

    #[test]
    fn sixty_seconds_in_the_future_is_a_clock_and_sixty_one_a_forgery() {
        let fields: [fn(&mut Token) -> &mut u64; 3] = [
            |token| &mut token.created_at,
            |token| &mut token.renewed_at,
            |token| &mut token.auth_at,
        ];
        for field in fields {
            let mut token = token();
            *field(&mut token) = 2_000_000;
            token.expires_at = 3_000_000;
            assert_eq!(check(&token, 2_000_000 - SKEW, None), Ok(()));
            assert_eq!(
                check(&token, 2_000_000 - SKEW - 1, None),
                Err(Lapsed::Future)
            );
        }
    }

    #[test]
    fn clocks_at_the_ends_of_time_do_no_harm() {
        let mut token = token();
        for now in [0, 1, u64::MAX - 1, u64::MAX] {
            assert!(check(&token, now, Some(u64::MAX)).is_err());
        }
        token.expires_at = u64::MAX;
        token.created_at = u64::MAX;
        assert_eq!(check(&token, 0, Some(HOUR)), Err(Lapsed::Future));
        renew_remember(&mut token, u64::MAX);
        assert!(renewal_due(&token, u64::MAX, Some(u64::MAX)));
    }

    #[test]
    fn a_session_in_use_is_renewed_every_five_minutes_at_most() {
        let token = token();
        assert!(!renewal_due(&token, token.renewed_at + 299, Some(HOUR)));
        assert!(renewal_due(&token, token.renewed_at + 300, Some(HOUR)));
        assert!(renewal_due(&token, token.renewed_at + 5, Some(60)));
        assert!(!renewal_due(&token, token.renewed_at + HOUR, None));
    }

    #[test]
    fn a_session_is_dead_only_when_its_remember_token_is() {
        let mut token = token();
        let now = token.created_at + HOUR;
        assert_eq!(dead_until(&token, now, HOUR), token.expires_at);
        token.flags = token.flags.with(Flags::REMEMBERED);
        assert_eq!(
            dead_until(&token, now, HOUR),
            token.created_at + MAX_REMEMBER + HOUR
        );
        token.kind = Kind::Remember;
        assert_eq!(
            dead_until(&token, now, HOUR),
            token.expires_at + HOUR + SKEW + HOUR
        );
    }

    #[test]
    fn freshness_ends_with_its_window_and_needs_credentials() {
        assert!(is_fresh(100, 10_000, None));
        assert!(!is_fresh(0, 10, None));
        assert!(is_fresh(100, 699, Some(600)));
        assert!(!is_fresh(100, 700, Some(600)));
    }

    #[test]
    fn a_remember_token_lives_for_400_days_at_most() {
        assert_eq!(MAX_REMEMBER, 34_560_000);
    }

    #[test]
    fn a_renewed_remember_token_keeps_its_duration_and_its_cap() {
        let mut token = token();
        token.expires_at = token.created_at + HOUR;
        let now = token.created_at + 600;
        renew_remember(&mut token, now);
        assert_eq!(token.expires_at, now + HOUR);
        let last = token.created_at + MAX_REMEMBER - 60;
        renew_remember(&mut token, last);
        assert_eq!(token.expires_at, token.created_at + MAX_REMEMBER);
    }
}
