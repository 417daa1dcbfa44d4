//! Mistakes in the settings: what stops a launch, and what is only worth a warning.

use std::fmt;

/// A mistake that stops the launch: which setting is wrong, why, and how to mend it.
///
/// All mistakes are found at once, so there may be several of these. None shows the value of a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LaunchError {
    setting: String,
    mistake: String,
}

impl LaunchError {
    pub(crate) fn new(setting: impl Into<String>, mistake: impl Into<String>) -> Self {
        Self {
            setting: setting.into(),
            mistake: mistake.into(),
        }
    }
}

impl fmt::Display for LaunchError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}`: {}", self.setting, self.mistake)
    }
}

impl std::error::Error for LaunchError {}

/// What the checks have found so far.
#[derive(Debug, Default)]
pub(super) struct Report {
    pub(super) errors: Vec<LaunchError>,
    pub(super) warnings: Vec<String>,
}

impl Report {
    pub(super) fn mistake(&mut self, setting: impl Into<String>, mistake: impl Into<String>) {
        self.errors.push(LaunchError::new(setting, mistake));
    }

    /// Whether there is a mistake in a setting already.
    pub(super) fn names(&self, setting: &str) -> bool {
        self.errors.iter().any(|error| error.setting == setting)
    }

    pub(super) fn warning(&mut self, warning: impl Into<String>) {
        self.warnings.push(warning.into());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_names_its_setting_first() {
        let error = LaunchError::new("login.audience", "is empty");
        assert_eq!(error.to_string(), "`login.audience`: is empty");
    }
}
