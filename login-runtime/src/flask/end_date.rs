//! The date at which Flask's cookies are no longer read.

use std::time::SystemTime;

use crate::clock::UnixTime;

const DAY: u64 = 24 * 60 * 60;

/// How far ahead the date may be, in days: a remember cookie of Flask-Login lasts a year.
const LATEST: u64 = 400;

/// How many days after the date a launch still works.
const GRACE: u64 = 30;

/// Checks the date; also returns a warning if it has passed.
///
/// # Errors
///
/// Why the launch stops.
pub(super) fn check(
    date: Option<&str>,
    now: UnixTime,
) -> Result<(UnixTime, Option<String>), String> {
    let Some(date) = date else {
        return Err(format!(
            "`accept_flask` has no end date; add `.until(\"2027-03-31\")`, the day from which Flask's cookies are no \
             longer read, at most {LATEST} days from now"
        ));
    };
    let Some(until) = parse(date) else {
        let date = date.escape_debug();
        return Err(format!(
            "`accept_flask`: the end date `{date}` is not a day such as `2027-03-31`"
        ));
    };
    if until > now.plus(LATEST * DAY) {
        return Err(format!(
            "`accept_flask`: the end date {date} is more than {LATEST} days from now; every remember cookie of \
             Flask has expired sooner, so choose an earlier day"
        ));
    }
    if now >= until.plus(GRACE * DAY) {
        return Err(format!(
            "`accept_flask`: the end date {date} passed more than {GRACE} days ago, so nobody comes across from Flask any \
             more; remove the call of `accept_flask` and the feature `flask`"
        ));
    }
    let warning = (now >= until).then(|| {
        format!(
            "`accept_flask`: the end date {date} has passed, so Flask's cookies are not read any more; remove the call: \
             {GRACE} days after that date it stops the launch"
        )
    });
    Ok((until, warning))
}

/// Reads a day; it begins at midnight UTC.
fn parse(date: &str) -> Option<UnixTime> {
    let time = humantime::parse_rfc3339(&format!("{date}T00:00:00Z")).ok()?;
    let since = time.duration_since(SystemTime::UNIX_EPOCH).ok()?;
    Some(UnixTime::from_secs(since.as_secs()))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    /// 2027-01-15, at noon.
    const NOW: UnixTime = UnixTime::from_secs(1_800_014_400);

    #[test]
    fn a_day_begins_at_midnight() {
        assert_eq!(
            parse("2027-01-15"),
            Some(UnixTime::from_secs(1_799_971_200))
        );
        for text in [
            "",
            "2027-1-15",
            "15.01.2027",
            "2027-02-30",
            "2027-01-15T00:00:00Z",
            "tomorrow",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }

    #[test]
    fn a_launch_needs_a_date_that_is_near() {
        let error = |date| check(date, NOW).unwrap_err();
        assert!(error(None).contains("has no end date"));
        assert!(error(Some("soon")).contains("is not a day"));
        assert!(error(Some("2028-02-20")).contains("more than 400 days from now"));
        assert!(error(Some("2026-12-16")).contains("passed more than 30 days ago"));
        assert_eq!(check(Some("2028-02-19"), NOW).unwrap().1, None);
        assert_eq!(check(Some("2027-01-16"), NOW).unwrap().1, None);
        for past in ["2027-01-15", "2026-12-17"] {
            let warning = check(Some(past), NOW).unwrap().1.unwrap();
            assert!(warning.contains("has passed"), "{warning}");
        }
    }
}
