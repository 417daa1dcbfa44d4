//! Which login view answers for which path, and which paths are login pages themselves.

use crate::config::{Config, View};
use crate::redirect::local::{is_under, path_of, same_path};

impl Config {
    /// The login view for a path: that of the longest mount point around it, else the manager's.
    pub(crate) fn login_view_of(&self, path: &str) -> Option<&View> {
        self.mount_login_views
            .iter()
            .find(|(base, _)| is_under(path, base))
            .map(|(_, view)| view)
            .or(self.login_view.as_ref())
    }

    /// Whether a path is a login or refresh page, to which nobody should come back.
    pub(crate) fn is_login_path(&self, target: &str) -> bool {
        self.login_paths()
            .any(|path| same_path(path, path_of(target)))
    }

    pub(crate) fn login_paths(&self) -> impl Iterator<Item = &str> {
        let mounted = self.mount_login_views.iter().map(|(_, view)| view);
        self.login_view
            .iter()
            .chain(&self.refresh_view)
            .chain(mounted)
            .filter_map(|view| match view {
                View::Local(path) => Some(path_of(path)),
                View::External(_) => None,
            })
    }
}
