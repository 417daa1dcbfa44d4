//! What a route asks of whoever comes, as its attribute or its group says it.

/// A route's rule; written by the attributes, and by [`RouteGuard`](crate::RouteGuard).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rule {
    pub(crate) need: Need,
    pub(crate) forward: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Need {
    /// Anybody may come: the route is meant to be open.
    Nothing,
    /// Somebody is logged in.
    Login,
    /// Somebody is logged in freshly, within this many seconds or the `fresh_lifetime`.
    Fresh { within: Option<u64> },
    /// Nobody is logged in; who is goes elsewhere.
    Anonymous { redirect: &'static str },
}

impl Rule {
    const fn new(need: Need) -> Self {
        Rule {
            need,
            forward: false,
        }
    }

    /// A route that is meant to be open.
    #[must_use]
    pub const fn public() -> Self {
        Self::new(Need::Nothing)
    }

    /// A route for the logged in.
    #[must_use]
    pub const fn login() -> Self {
        Self::new(Need::Login)
    }

    /// A route for the freshly logged in.
    #[must_use]
    pub const fn fresh_login() -> Self {
        Self::new(Need::Fresh { within: None })
    }

    /// A route for those who are not logged in; others are sent to `redirect`, a path of this site.
    #[must_use]
    pub const fn anonymous(redirect: &'static str) -> Self {
        Self::new(Need::Anonymous { redirect })
    }

    /// Asks for a fresh login, with credentials given at most this many seconds ago.
    #[must_use]
    pub const fn within(mut self, seconds: u64) -> Self {
        self.need = Need::Fresh {
            within: Some(seconds),
        };
        self
    }

    /// Forwards a refused request to the next route that matches, instead of refusing it.
    #[must_use]
    pub const fn forward(mut self) -> Self {
        self.forward = true;
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_asks_for_a_fresh_login() {
        let fresh = Need::Fresh { within: Some(60) };
        for rule in [Rule::fresh_login(), Rule::login(), Rule::public()] {
            assert_eq!(rule.within(60).need, fresh);
        }
    }
}
