//! Who may use a route: the rule, the decision, and the guards that ask for it.

pub(crate) mod argument;
pub(crate) mod attribute;
pub(crate) mod condition;
pub(crate) mod decide;
pub(crate) mod declared;
pub(crate) mod denial;
pub(crate) mod group;
pub(crate) mod guard;
pub(crate) mod launch;
pub(crate) mod user;
