//! What the attributes say about their routes, collected at launch for the audit.

use std::sync::{PoisonError, RwLock};

use rocket::{Phase, Rocket};

use super::guard::RouteGuard;

/// The attribute of one route.
#[derive(Clone, Debug)]
pub(crate) struct Declaration {
    pub(crate) name: &'static str,
    pub(crate) location: &'static str,
    pub(crate) method: &'static str,
    pub(crate) uri: &'static str,
    pub(crate) guard: RouteGuard,
}

/// Every declaration of an application; the first manager puts it into Rocket's state.
#[derive(Debug, Default)]
pub(crate) struct Declared(RwLock<Vec<Declaration>>);

impl Declared {
    pub(crate) fn add<P: Phase>(rocket: &Rocket<P>, declaration: Declaration) {
        if let Some(Declared(declarations)) = rocket.state() {
            let mut declarations = declarations.write().unwrap_or_else(PoisonError::into_inner);
            declarations.push(declaration);
        }
    }

    pub(crate) fn all<P: Phase>(rocket: &Rocket<P>) -> Vec<Declaration> {
        rocket
            .state()
            .map_or_else(Vec::new, |Declared(declarations)| {
                let declarations = declarations.read().unwrap_or_else(PoisonError::into_inner);
                declarations.clone()
            })
    }
}
