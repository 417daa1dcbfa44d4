//! Reads Rocket's request-local cache without creating a value.

use rocket::Request;
use rocket::futures::FutureExt as _;

/// Returns the value of type `T` in the request's cache, if there is one.
///
/// Rocket can only "get or create", and creating a value would cost every request that never asked for its user. So the
/// future that would create the value is never ready: the cache either answers at once or not at all.
pub(crate) fn peek<'r, T: Send + Sync + 'static>(req: &'r Request<'_>) -> Option<&'r T> {
    req.local_cache_async(std::future::pending::<T>())
        .now_or_never()
}
