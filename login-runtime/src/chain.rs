//! A list that only grows: added to through a shared reference, read without a lock.

use std::iter::successors;
use std::sync::OnceLock;

pub(crate) struct Chain<T>(OnceLock<Box<Link<T>>>);

struct Link<T> {
    value: T,
    next: Chain<T>,
}

impl<T> Default for Chain<T> {
    fn default() -> Self {
        Chain(OnceLock::new())
    }
}

impl<T> Chain<T> {
    pub(crate) fn push(&self, value: T) {
        let mut chain = self;
        let mut link = Box::new(Link {
            value,
            next: Chain::default(),
        });
        while let Err(refused) = chain.0.set(link) {
            link = refused;
            if let Some(taken) = chain.0.get() {
                chain = &taken.next;
            }
        }
    }

    /// The values, in the order in which they were added.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &T> {
        successors(self.0.get(), |link| link.next.0.get()).map(|link| &link.value)
    }
}

#[cfg(test)]
mod tests {
    use super::Chain;

    #[test]
    fn values_come_in_the_order_of_their_adding() {
        let chain = Chain::default();
        assert_eq!(chain.iter().next(), None);
        for value in 1..=3 {
            chain.push(value);
        }
        assert!(chain.iter().eq(&[1, 2, 3]));
    }
}
