//! Which changes of this server are on their way, so that the follower notices when the store has lost one of them.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::revocation::log::{Epoch, OpId};

/// A store that loses power may come back without the newest changes, and give their numbers to others. What a reader
/// has not yet read, it cannot miss: so each server remembers the numbers of its own changes until it has read them.
#[derive(Default)]
pub(super) struct Progress(Mutex<State>);

#[derive(Default)]
struct State {
    epoch: Option<Epoch>,
    /// How often the whole table was read.
    generation: u64,
    flights: HashMap<OpId, Flight>,
}

#[derive(Default)]
struct Flight {
    /// The number of its last record, once the store has confirmed it.
    number: Option<u64>,
    /// The number of the last record that the follower has read; 0 before the first one.
    seen: u64,
}

/// Under which circumstances a change was begun.
#[derive(Clone, Copy)]
pub(super) struct Start {
    pub(super) epoch: Epoch,
    generation: u64,
}

impl Progress {
    /// Begins a change, or repeats it; `None` before the store was read for the first time.
    pub(super) fn begin(&self, op: OpId) -> Option<Start> {
        let mut state = self.state();
        let epoch = state.epoch?;
        state.flights.entry(op).or_default();
        Some(Start {
            epoch,
            generation: state.generation,
        })
    }

    /// Notes that the store has confirmed a change, whose entries are in the copy now. Returns `false` if the whole table
    /// was read in between: the store may have lost the change, and nobody has looked for it.
    pub(super) fn confirm(&self, op: OpId, number: Option<u64>, start: Start) -> bool {
        let mut state = self.state();
        let is_current = state.generation == start.generation;
        match (number, state.flights.get_mut(&op)) {
            (Some(number), Some(flight)) if is_current && flight.seen < number => {
                flight.number = Some(number);
            }
            _ => {
                state.flights.remove(&op);
            }
        }
        is_current
    }

    /// Forgets a change that was given up.
    pub(super) fn give_up(&self, op: OpId) {
        self.state().flights.remove(&op);
    }

    /// Notes that the follower has read a record of a change. The change is over with its last one: the store may have
    /// lost that one alone.
    pub(super) fn see(&self, op: OpId, number: u64) {
        let mut state = self.state();
        let Some(flight) = state.flights.get_mut(&op) else {
            return;
        };
        flight.seen = number;
        if flight.number.is_some_and(|last| last <= number) {
            state.flights.remove(&op);
        }
    }

    /// The largest number of this server's changes that the log must have.
    pub(super) fn due(&self) -> u64 {
        let state = self.state();
        let numbers = state.flights.values().filter_map(|flight| flight.number);
        numbers.max().unwrap_or(0)
    }

    /// Whether the log has been read up to `head`, and a change with a number up to there was not in it.
    pub(super) fn misses_one(&self, head: u64) -> bool {
        let state = self.state();
        let mut numbers = state.flights.values().filter_map(|flight| flight.number);
        numbers.any(|number| number <= head)
    }

    /// Notes that the whole table was read. Call it before looking for what only the copy has: a change that is confirmed
    /// earlier is in the copy, and one that is confirmed later learns of it.
    pub(super) fn start_over(&self, epoch: Epoch) {
        let mut state = self.state();
        state.epoch = Some(epoch);
        state.generation = state.generation.saturating_add(1);
        state.flights.retain(|_, flight| flight.number.is_none());
    }

    /// How many changes are on their way.
    #[cfg(test)]
    pub(super) fn count(&self) -> usize {
        self.state().flights.len()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
