//! Mistakes in the settings: errors that stop the launch, and warnings.

use std::collections::BTreeMap;
use std::fmt;

use rocket::figment::Metadata;

use super::names::key_of;

/// A mistake that stops the launch: which setting is wrong, why, how to fix it, and where it was set.
///
/// It never shows the value of a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LaunchError {
    origin: Origin,
    mistake: String,
}

impl fmt::Display for LaunchError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}`: {}", self.origin.key, self.mistake)?;
        match self.origin.place.as_str() {
            "" => Ok(()),
            place => write!(f, " ({place})"),
        }
    }
}

const BY_METHOD: &str = "set by a method of `LoginManager`";

/// Where a setting was set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Origin {
    /// For example `login.realms.staff.login_view`.
    key: String,
    /// For example `in TOML file Rocket.toml`; empty if unknown.
    place: String,
}

impl Origin {
    pub(super) fn new(key: String, place: String) -> Self {
        Self { key, place }
    }

    pub(super) fn method(name: &str) -> Self {
        Self::new(format!("login.{}", key_of(name)), BY_METHOD.to_owned())
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}`", self.key)?;
        match self.place.as_str() {
            "" => Ok(()),
            place => write!(f, " ({place})"),
        }
    }
}

/// Names a place in Rocket's configuration: a file, or the environment.
pub(super) fn place_of(metadata: Option<&Metadata>) -> String {
    metadata.map_or_else(String::new, |metadata| match &metadata.source {
        Some(source) => format!("in {} {source}", metadata.name),
        None => format!("in {}", metadata.name),
    })
}

/// The mistakes and warnings that the checks have found so far.
#[derive(Debug, Default)]
pub(super) struct Report {
    pub(super) errors: Vec<LaunchError>,
    pub(super) warnings: Vec<String>,
    origins: BTreeMap<String, Origin>,
}

impl Report {
    /// Records where a setting was set, for the mistakes that a check finds later.
    pub(super) fn found(&mut self, name: impl Into<String>, origin: Origin) {
        self.origins.insert(name.into(), origin);
    }

    pub(super) fn is_given(&self, name: &str) -> bool {
        self.origins.contains_key(name)
    }

    pub(super) fn is_by_method(&self, name: &str) -> bool {
        let origin = self.origins.get(name);
        origin.is_some_and(|origin| origin.place == BY_METHOD)
    }

    /// Adds a mistake in a setting, or in a part of it, such as `trusted_origins.0`.
    pub(super) fn mistake(&mut self, setting: &str, mistake: impl Into<String>) {
        let (name, part) = match setting.split_once('.') {
            Some((name, part)) => (name, format!(".{part}")),
            None => (setting, String::new()),
        };
        let mut origin = self
            .origins
            .get(name)
            .cloned()
            .unwrap_or_else(|| Origin::new(format!("login.{}", key_of(name)), String::new()));
        origin.key.push_str(&part);
        let mistake = mistake.into();
        self.errors.push(LaunchError { origin, mistake });
    }

    /// Adds a mistake at a key of Rocket's configuration.
    pub(super) fn mistake_at(
        &mut self,
        key: &str,
        mistake: impl Into<String>,
        source: Option<&Metadata>,
    ) {
        let origin = Origin::new(key.to_owned(), place_of(source));
        let mistake = mistake.into();
        self.errors.push(LaunchError { origin, mistake });
    }

    /// Whether a mistake in this setting was already found, for all managers or in a realm.
    pub(super) fn is_wrong(&self, name: &str) -> bool {
        let end = format!(".{name}");
        self.errors
            .iter()
            .any(|error| error.origin.key.ends_with(&end))
    }

    /// Warns if a method hides a setting of the configuration; a realm may override what it shares with others.
    pub(super) fn hidden_by_method(&mut self, name: &str, realm: Option<&str>) {
        let table = realm.map_or_else(
            || "login.".to_owned(),
            |realm| format!("login.realms.{realm}."),
        );
        let Some(hidden) = self.origins.get(name) else {
            return;
        };
        if hidden.key.starts_with(&table) {
            let method = if name == "mount_login_views" {
                "mount_login_view"
            } else {
                name
            };
            self.warnings.push(format!(
                "{hidden} has no effect, because the method `{method}` of `LoginManager` is called too, and it wins; \
                 remove one of them"
            ));
        }
    }

    /// Adds a warning about a key of Rocket's configuration, as in "`key` (in TOML file Rocket.toml) is not read".
    pub(super) fn warning_at(&mut self, key: &str, warning: &str, source: Option<&Metadata>) {
        let origin = Origin::new(key.to_owned(), place_of(source));
        self.warnings.push(format!("{origin} {warning}"));
    }

    pub(super) fn warning(&mut self, warning: impl Into<String>) {
        self.warnings.push(warning.into());
    }

    /// Returns the report for the check of one setting.
    pub(super) fn on(&mut self, setting: &'static str) -> Check<'_> {
        Check {
            setting,
            report: self,
        }
    }
}

/// The check of one setting.
pub(super) struct Check<'a> {
    setting: &'static str,
    report: &'a mut Report,
}

impl Check<'_> {
    pub(super) fn mistake(&mut self, mistake: impl Into<String>) {
        self.report.mistake(self.setting, mistake);
    }

    /// Adds a mistake in a part of the setting, such as an entry of its list.
    pub(super) fn mistake_in(&mut self, part: &str, mistake: impl Into<String>) {
        self.report
            .mistake(&format!("{}.{part}", self.setting), mistake);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_names_its_setting_first_and_its_place_last() {
        let mut report = Report::default();
        report.mistake("audience", "is empty");
        let place = "in TOML file Rocket.toml".to_owned();
        report.found(
            "login_view",
            Origin::new("login.realms.staff.login_view".to_owned(), place),
        );
        report.mistake("login_view", "is no path");
        report.mistake("login_view.0", "is no path");
        let errors: Vec<_> = report.errors.iter().map(ToString::to_string).collect();
        assert_eq!(
            errors,
            [
                "`login.audience`: is empty",
                "`login.realms.staff.login_view`: is no path (in TOML file Rocket.toml)",
                "`login.realms.staff.login_view.0`: is no path (in TOML file Rocket.toml)",
            ]
        );
    }
}
