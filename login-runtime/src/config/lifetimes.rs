//! How long logins last, in seconds.

use std::time::Duration;

use super::duration::{IdleTimeout, days, describe, hours};
use super::error::{Check, Report};
use super::settings::Values;

/// Browsers keep no cookie for longer (RFC 6265bis, section 5.5).
const MAX_LIFETIME: u64 = days(400).as_secs();

const NOTHING: &str = "is less than a second, so nothing would last; set 1 second or more";

/// Checks the lifetime of a cookie; a wrong one becomes the longest, so that the other checks can go on.
pub(super) fn lifetime(given: Duration, check: &mut Check<'_>) -> u64 {
    valid(given).unwrap_or_else(|mistake| {
        check.mistake(mistake);
        MAX_LIFETIME
    })
}

fn valid(given: Duration) -> Result<u64, String> {
    match given.as_secs() {
        0 => Err(NOTHING.to_owned()),
        seconds if seconds > MAX_LIFETIME => Err(format!(
            "{} is more than the 400 days that browsers keep a cookie; set 400 days or less",
            describe(seconds)
        )),
        seconds => Ok(seconds),
    }
}

/// Checks the idle timeout, which must not exceed the session's lifetime; `None` is off.
pub(super) fn idle_timeout(values: &Values, report: &mut Report) -> Option<u64> {
    let IdleTimeout(timeout) = values.session_idle_timeout;
    let session = valid(values.session_lifetime).unwrap_or(MAX_LIFETIME);
    // The default is shortened to a shorter session.
    if !report.is_given("session_idle_timeout") {
        return timeout.map(|timeout| timeout.as_secs().min(session));
    }
    let mut check = report.on("session_idle_timeout");
    if timeout.is_some_and(|timeout| timeout.is_zero()) {
        check.mistake(
            "is zero; for no timeout write `false`, which is `None` in the method, and otherwise 1 second or more",
        );
        return timeout.map(|_| 0);
    }
    timeout.map(|timeout| within(session, timeout, &mut check))
}

/// Checks how long a login is fresh, which must not exceed the session's lifetime; `None` is as long as the session.
pub(super) fn fresh_lifetime(values: &Values, report: &mut Report) -> Option<u64> {
    let session = valid(values.session_lifetime).unwrap_or(MAX_LIFETIME);
    let fresh = values.fresh_lifetime?;
    Some(within(session, fresh, &mut report.on("fresh_lifetime")))
}

/// Checks how much longer a login is fresh for a form that was opened in time.
pub(super) fn grace_period(given: Duration, check: &mut Check<'_>) -> u64 {
    if given > hours(1) {
        check.mistake(
            "is more than an hour; set what filling in a form takes, such as `\"10 minutes\"`",
        );
    }
    given.as_secs()
}

fn within(session: u64, given: Duration, check: &mut Check<'_>) -> u64 {
    let seconds = given.as_secs();
    if seconds == 0 {
        check.mistake(NOTHING);
    } else if seconds > session {
        check.mistake(format!(
            "{} is more than `login.session_lifetime`; set {} or less",
            describe(seconds),
            describe(session)
        ));
    }
    seconds
}
