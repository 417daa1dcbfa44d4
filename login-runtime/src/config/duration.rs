//! Durations as people write them: whole seconds, or text such as "30 days".

use std::time::Duration;

use rocket::figment::value::Value;

pub(super) const MINUTE: u64 = 60;
pub(super) const HOUR: u64 = 60 * MINUTE;
pub(super) const DAY: u64 = 24 * HOUR;

pub(super) const fn seconds(count: u64) -> Duration {
    Duration::from_secs(count)
}

pub(super) use seconds as second;

pub(super) const fn minutes(count: u64) -> Duration {
    Duration::from_secs(count.saturating_mul(60))
}

pub(super) const fn hours(count: u64) -> Duration {
    Duration::from_secs(count.saturating_mul(HOUR))
}

pub(super) use hours as hour;

pub(super) const fn days(count: u64) -> Duration {
    Duration::from_secs(count.saturating_mul(DAY))
}

/// The setting of the idle timeout: a duration, or `None` for "off".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct IdleTimeout(pub(crate) Option<Duration>);

impl From<Duration> for IdleTimeout {
    fn from(timeout: Duration) -> Self {
        Self(Some(timeout))
    }
}

impl IdleTimeout {
    pub(super) fn parse(value: &Value) -> Result<Self, String> {
        match value {
            Value::Bool(_, false) => Ok(Self(None)),
            value => parse(value)
                .map(Self::from)
                .map_err(|why| format!("{why}, or `false` for no timeout")),
        }
    }
}

/// Parses a duration of the configuration, because serde's own form is a table of seconds and nanoseconds.
pub(super) fn parse(value: &Value) -> Result<Duration, String> {
    const FORM: &str = r#"write whole seconds, or text such as "30 days""#;

    match value {
        Value::String(_, text) => humantime::parse_duration(text)
            .map_err(|why| format!("`{text}` is not a duration ({why}); {FORM}")),
        Value::Num(_, number) => number
            .to_u128_lossy()
            .and_then(|seconds| u64::try_from(seconds).ok())
            .map(Duration::from_secs)
            .ok_or_else(|| format!("is not a number of seconds; {FORM}")),
        _ => Err(format!("is not a duration; {FORM}")),
    }
}

/// Prints a duration in its largest whole unit, up to days; humantime's `format_duration` would print months and years.
pub(super) fn describe(seconds: u64) -> String {
    const UNITS: [(u64, &str); 3] = [(DAY, "day"), (HOUR, "hour"), (MINUTE, "minute")];

    let (length, unit) = UNITS
        .into_iter()
        .find(|(length, _)| seconds != 0 && seconds.is_multiple_of(*length))
        .unwrap_or((1, "second"));
    let count = seconds.checked_div(length).unwrap_or(seconds);
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {unit}{plural}")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn seconds_and_text_are_durations() {
        assert_eq!(parse(&Value::from(90u64)), Ok(Duration::from_secs(90)));
        assert_eq!(parse(&Value::from(90i64)), Ok(Duration::from_secs(90)));
        assert_eq!(
            parse(&Value::from("30 days")),
            Ok(Duration::from_secs(30 * 86_400))
        );
        assert_eq!(
            parse(&Value::from("1h 30m")),
            Ok(Duration::from_secs(5_400))
        );
    }

    #[test]
    fn anything_else_is_refused_with_the_fix() {
        for value in [
            Value::from("soon"),
            Value::from("3600"),
            Value::from(""),
            Value::from(-1i64),
            Value::from(1.5),
            Value::from(u128::MAX),
            Value::from(true),
            Value::from(vec![1, 2]),
        ] {
            let why = parse(&value).unwrap_err();
            assert!(why.contains("write whole seconds"), "{value:?}: {why}");
        }
    }

    #[test]
    fn only_false_turns_the_idle_timeout_off() {
        let hour = IdleTimeout(Some(Duration::from_secs(3_600)));
        assert_eq!(
            IdleTimeout::parse(&Value::from(false)),
            Ok(IdleTimeout(None))
        );
        assert_eq!(IdleTimeout::parse(&Value::from("1h")), Ok(hour));
        let why = IdleTimeout::parse(&Value::from(true)).unwrap_err();
        assert!(why.contains("`false`"), "{why}");
    }

    #[test]
    fn days_stay_days() {
        assert_eq!(describe(401 * 86_400), "401 days");
        assert_eq!(describe(86_400), "1 day");
        assert_eq!(describe(5_400), "90 minutes");
        assert_eq!(describe(7_200), "2 hours");
        assert_eq!(describe(61), "61 seconds");
        assert_eq!(describe(0), "0 seconds");
    }
}
