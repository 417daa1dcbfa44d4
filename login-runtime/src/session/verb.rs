//! One use of a verb: the log says where it was refused, failed or never awaited, because the application may drop the
//! error or the verb itself.

use std::panic::Location;

use rocket::http::Status;
use tracing::{error, info, warn};

use super::LoginError;
use crate::realm::RealmCore;

/// A verb of `LoginSession` at the place where the application uses it.
pub(super) struct Verb {
    name: &'static str,
    place: &'static Location<'static>,
    is_awaited: bool,
}

impl Verb {
    #[track_caller]
    pub(super) fn new(name: &'static str) -> Self {
        Verb {
            name,
            place: Location::caller(),
            is_awaited: false,
        }
    }

    pub(super) fn begin(&mut self) {
        self.is_awaited = true;
    }

    /// Does what the verb is for.
    pub(super) async fn run<T>(
        mut self,
        core: &RealmCore,
        work: impl Future<Output = Result<T, LoginError>>,
    ) -> Result<T, LoginError> {
        self.begin();
        work.await.inspect_err(|error| self.log(error, core))
    }

    /// Logs why the verb was refused or failed.
    pub(super) fn log(&self, error: &LoginError, core: &RealmCore) {
        let Verb { name, place, .. } = self;
        match error {
            // Already in the log, with the reason.
            LoginError::CrossSite => {}
            LoginError::SafeMethod => {
                warn!("`{name}` at {place} was refused: {error}");
            }
            LoginError::Unavailable(failure) => {
                let line = format_args!("`{name}` at {place} failed: {error}");
                core.log_failure(failure, line);
            }
            _ if error.status().code >= Status::InternalServerError.code => {
                error!("`{name}` at {place} failed: {error}");
            }
            // At the normal level, because any client can cause the line.
            _ => info!("`{name}` at {place} was refused: {error}"),
        }
    }
}

impl Drop for Verb {
    fn drop(&mut self) {
        if !self.is_awaited {
            error!(
                "`{name}` at {place} did nothing, because it was never awaited: write `.await?` after it",
                name = self.name,
                place = self.place,
            );
        }
    }
}
