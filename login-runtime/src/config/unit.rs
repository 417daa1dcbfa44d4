//! Numbers that are probably not meant in seconds.

use rocket::figment::value::Value;

use super::duration::{DAY, HOUR, MINUTE, describe};

/// The shortest plausible time of each setting, in seconds.
const SHORTEST: [(&str, u64); 6] = [
    ("session_lifetime", 5 * MINUTE),
    ("permanent_session_lifetime", HOUR),
    ("remember_cookie_duration", DAY),
    ("session_idle_timeout", 3 * MINUTE),
    ("fresh_lifetime", 2 * MINUTE),
    ("fresh_grace_period", 30),
];

/// 8, 12 and 24 hours, a week and a year, in minutes.
const COUNTS_OF_MINUTES: [u64; 5] = [480, 720, 1_440, 10_080, 525_600];

/// Returns a warning for a number of seconds that looks like minutes, days or milliseconds. Text names its unit.
pub(super) fn warning(name: &str, value: &Value) -> Option<String> {
    let Value::Num(_, number) = value else {
        return None;
    };
    let number = u64::try_from(number.to_u128_lossy()?).ok()?;
    let probable = probably(name, number)?;
    let seconds = describe(number);
    Some(format!(
        "is the number {number}, which means {seconds}; write the unit, such as `\"{probable}\"`, or `\"{seconds}\"` if \
         that is right"
    ))
}

fn probably(name: &str, number: u64) -> Option<String> {
    let shortest = SHORTEST.iter().find(|(setting, _)| *setting == name);
    let (is_short, is_lifetime) = match shortest {
        Some((_, shortest)) => (number < *shortest, name.ends_with("_lifetime")),
        None if name == "loader_timeout" => return (number > MINUTE).then(|| milliseconds(number)),
        None => return None,
    };
    let is_long_login = ["permanent_session_lifetime", "remember_cookie_duration"].contains(&name);
    if number == 0 {
        None
    } else if is_short && is_long_login && number <= 400 {
        Some(format!("{number} days"))
    } else if is_short || is_lifetime && COUNTS_OF_MINUTES.contains(&number) {
        Some(format!("{number} minutes"))
    } else {
        // Nobody counts so many seconds in round minutes but not in days.
        let is_round = number.is_multiple_of(60_000) && !number.is_multiple_of(DAY);
        (is_round && number > 3 * DAY).then(|| milliseconds(number))
    }
}

fn milliseconds(number: u64) -> String {
    describe(number.div_euclid(1_000))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn meant(name: &str, number: u64) -> Option<String> {
        let warning = warning(name, &Value::from(number))?;
        Some(warning.split('`').nth(1)?.to_owned())
    }

    #[test]
    fn a_number_that_is_plausible_in_another_unit_only_is_doubted() {
        for (name, number, probable) in [
            ("session_lifetime", 30, "\"30 minutes\""),
            ("session_lifetime", 1_440, "\"1440 minutes\""),
            ("session_lifetime", 28_800_000, "\"8 hours\""),
            ("permanent_session_lifetime", 31, "\"31 days\""),
            ("remember_cookie_duration", 365, "\"365 days\""),
            ("remember_cookie_duration", 43_200, "\"43200 minutes\""),
            ("session_idle_timeout", 15, "\"15 minutes\""),
            ("fresh_lifetime", 10, "\"10 minutes\""),
            ("fresh_grace_period", 5, "\"5 minutes\""),
            ("loader_timeout", 2_000, "\"2 seconds\""),
        ] {
            assert_eq!(meant(name, number).as_deref(), Some(probable), "{name}");
        }
    }

    #[test]
    fn what_sensible_operators_write_is_not_doubted() {
        for (name, numbers) in [
            (
                "session_lifetime",
                &[
                    300, 900, 1_800, 3_600, 28_800, 43_200, 86_400, 604_800, 2_592_000,
                ][..],
            ),
            (
                "permanent_session_lifetime",
                &[3_600, 43_200, 86_400, 2_678_400],
            ),
            (
                "remember_cookie_duration",
                &[86_400, 604_800, 1_209_600, 2_592_000, 8_640_000, 31_536_000],
            ),
            ("session_idle_timeout", &[180, 300, 600, 1_440, 3_600]),
            ("fresh_lifetime", &[120, 300, 600]),
            ("fresh_grace_period", &[0, 30, 60, 600]),
            ("loader_timeout", &[1, 5, 30, 60]),
            ("revocation_capacity", &[1, 10]),
        ] {
            for number in numbers {
                assert_eq!(meant(name, *number), None, "{name} = {number}");
            }
        }
        assert_eq!(
            warning("session_lifetime", &Value::from("30 seconds")),
            None
        );
    }
}
