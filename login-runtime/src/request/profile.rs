//! Whether the application runs in the debug profile.

use rocket::{Config, Request};

/// Whether a developer reads the log, so that it may say at the normal level what any client can cause.
pub(crate) fn is_debug(req: &Request<'_>) -> bool {
    *req.rocket().figment().profile() == Config::DEBUG_PROFILE
}
