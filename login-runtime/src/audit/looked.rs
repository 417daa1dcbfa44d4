//! A mounted route beside who may use it, for the search for doubtful guards.

use super::known::{Identity, KnownRoute};
use super::pattern::{covers, has_static_query};
use super::{Access, AuditedRoute};
use crate::access::guard::Need;

/// A route, and who may use it.
pub(super) struct Looked<'a> {
    pub(super) known: &'a KnownRoute<'a>,
    pub(super) identity: Option<Identity<'a>>,
    access: Access,
    /// Neither guarded nor marked, so that it may be open by accident.
    pub(super) is_unmarked: bool,
}

impl<'a> Looked<'a> {
    pub(super) fn new(known: &'a KnownRoute<'a>, audited: &AuditedRoute) -> Self {
        Looked {
            known,
            identity: Identity::of_route(known.route),
            access: audited.access,
            is_unmarked: audited.access == Access::Unguarded && !audited.is_ambiguous,
        }
    }

    pub(super) fn is_guarded(&self) -> bool {
        matches!(self.access, Access::Login | Access::FreshLogin)
    }

    pub(super) fn path(&self) -> &str {
        self.known.route.uri.path()
    }

    pub(super) fn base(&self) -> &str {
        self.known.route.uri.base()
    }

    pub(super) fn forwards(&self) -> bool {
        self.known.any(|guard| guard.forward)
    }

    /// `#[public]` opens nothing where the guard of the group refuses.
    pub(super) fn is_public_in_vain(&self) -> bool {
        let mut attributes = self.known.attributes.iter();
        self.is_guarded() && attributes.any(|it| it.guard.need == Need::Nothing)
    }

    /// Whether this route answers all requests for the other one.
    pub(super) fn hides(&self, other: &Self) -> bool {
        let (first, second) = (self.known.route, other.known.route);
        first.method == second.method
            && first.rank < second.rank
            && first.format.is_none()
            && !has_static_query(first)
            && !self.known.is_file_server()
            && covers(self.path(), other.path())
    }
}
