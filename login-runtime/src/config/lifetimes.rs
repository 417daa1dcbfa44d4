//! How long logins last, in seconds.

use std::time::Duration;

use super::Settings;
use super::duration::{IdleTimeout, describe};
use super::error::Report;

const HOUR: u64 = 60 * 60;
const DAY: u64 = 24 * HOUR;

/// Browsers keep no cookie for longer (RFC 6265bis, section 5.5).
const MAX_LIFETIME: u64 = 400 * DAY;

pub(super) struct Lifetimes {
    pub(super) session: u64,
    pub(super) permanent_session: u64,
    pub(super) idle: Option<u64>,
    pub(super) fresh: Option<u64>,
    pub(super) remember: u64,
}

impl Lifetimes {
    pub(super) fn checked(settings: &Settings, report: &mut Report) -> Self {
        let mut kept = |setting: &str, given: Option<Duration>, default: u64| {
            let seconds = given.map_or(default, |given| given.as_secs());
            let mistake = if seconds == 0 {
                "is less than a second; nothing would last".to_owned()
            } else if seconds > MAX_LIFETIME {
                format!(
                    "{} is more than the 400 days that browsers keep a cookie; set 400 days or less",
                    describe(seconds)
                )
            } else {
                return seconds;
            };
            report.mistake(format!("login.{setting}"), mistake);
            default
        };
        let session = kept("session_lifetime", settings.session_lifetime, DAY);
        let permanent_session = kept(
            "permanent_session_lifetime",
            settings.permanent_session_lifetime,
            31 * DAY,
        );
        let remember = kept(
            "remember_cookie_duration",
            settings.remember_cookie_duration,
            365 * DAY,
        );

        let mut within_session = |setting: &str, given: Duration| {
            let seconds = given.as_secs();
            if seconds == 0 {
                report.mistake(
                    format!("login.{setting}"),
                    "is less than a second; nothing would last",
                );
            } else if seconds > session {
                report.mistake(
                    format!("login.{setting}"),
                    format!(
                        "{} is more than `login.session_lifetime`; set {} or less",
                        describe(seconds),
                        describe(session)
                    ),
                );
            }
            seconds
        };
        let idle = match settings.session_idle_timeout {
            // A short session needs no shorter timeout to be set as well.
            None => Some(HOUR.min(session)),
            Some(IdleTimeout(given)) => {
                given.map(|given| within_session("session_idle_timeout", given))
            }
        };
        let fresh = settings
            .fresh_lifetime
            .map(|given| within_session("fresh_lifetime", given));

        Self {
            session,
            permanent_session,
            idle,
            fresh,
            remember,
        }
    }
}
