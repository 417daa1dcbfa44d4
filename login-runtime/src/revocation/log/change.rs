//! A change of the table of ended logins, and what a store does with it in one atomic step.

use std::fmt;

use data_encoding::HEXLOWER;

use super::entry::{Entry, Key, Subject};
use super::{OpId, Record, RevocationError};
use crate::clock::UnixTime;
use crate::token::LoginId;

/// A change of the table, for [`RevocationLog::append`](super::RevocationLog::append).
///
/// # Example
///
/// The arguments for a store that makes the change in its own language:
///
/// ```rust
/// use rocket_login::store::{Change, Entry};
///
/// fn arguments(change: &Change) -> Vec<String> {
///     let mut arguments = vec![change.op().to_string(), change.login()];
///     arguments.push(change.refuses().to_string());
///     arguments.push(change.dates().to_string());
///     let guards = change.guards().iter();
///     arguments.extend(guards.map(|guard| format!("{} {}", guard.key, guard.after.as_secs())));
///     arguments.extend(change.entries().iter().map(Entry::to_string));
///     arguments.extend(change.keys().map(|key| key.to_string()));
///     arguments
/// }
/// ```
#[derive(Clone)]
pub struct Change {
    pub(crate) op: OpId,
    pub(crate) login: Option<LoginId>,
    pub(crate) guards: Vec<Guard>,
    pub(crate) refuses: bool,
    pub(crate) dates: bool,
    pub(crate) entries: Vec<Entry>,
}

/// A condition under which a login had ended before a [`Change`].
///
/// The example of [`Change`] shows it.
#[derive(Clone, Copy)]
pub struct Guard {
    /// The key of an entry that may have ended the login.
    pub key: Key,
    /// The login had ended if the entry exists and ends it at a later time than this.
    ///
    /// The entry ends it at its AT, or at its FLOOR if its NEXT is [`Change::login`].
    pub after: UnixTime,
}

/// What a store answers to [`RevocationLog::append`](super::RevocationLog::append).
///
/// The example of [`RevocationLog`](super::RevocationLog) shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Appended {
    /// The change is made, by this call or by an earlier one with the same op id.
    Written {
        /// Whether a guard held when it was made.
        had_ended: bool,
        /// The records that it has written to the log, each with the entry as it is in the table.
        records: Vec<Record>,
    },
    /// A guard held, and the change gives way: nothing was changed.
    Before,
    /// The store has another epoch: nothing was changed. The caller reads a snapshot, writes what only its own copy has,
    /// and repeats the change.
    Changed,
}

/// The table and the log, inside the transaction in which a store makes a change.
///
/// The example of [`RevocationLog`](super::RevocationLog) shows it.
#[rocket::async_trait]
pub trait Rows: Send {
    /// Returns the entry of the table under a key.
    ///
    /// # Errors
    ///
    /// If it cannot be read.
    async fn read(&mut self, key: &Key) -> Result<Option<Entry>, RevocationError>;

    /// Puts an entry into the table, in place of the one under its key, appends it to the log with the op id of the
    /// change, and returns the number of the record.
    ///
    /// # Errors
    ///
    /// If it cannot be written.
    async fn write(&mut self, entry: &Entry) -> Result<u64, RevocationError>;
}

impl Change {
    /// A change whose entry the store dates.
    pub(crate) fn of(op: OpId, entry: Entry) -> Self {
        Self {
            op,
            login: None,
            guards: Vec::new(),
            refuses: false,
            dates: true,
            entries: vec![entry],
        }
    }

    /// Entries from the copy of a server, which the store has lost.
    pub(crate) fn merge(op: OpId, entries: Vec<Entry>) -> Self {
        Self {
            op,
            login: None,
            guards: Vec::new(),
            refuses: false,
            dates: false,
            entries,
        }
    }

    /// Returns its op id.
    #[must_use]
    pub fn op(&self) -> OpId {
        self.op
    }

    /// Returns the id of the login that the guards are about, in hexadecimal digits; `-` if there are no guards.
    #[must_use]
    pub fn login(&self) -> String {
        match self.login {
            Some(login) => HEXLOWER.encode(&login.0),
            None => "-".to_owned(),
        }
    }

    /// Returns its guards.
    #[must_use]
    pub fn guards(&self) -> &[Guard] {
        &self.guards
    }

    /// Returns whether a guard that holds stops the change. A confirmation gives way to a logout; a logout is made in
    /// any case, and only answers that the login had ended.
    #[must_use]
    pub fn refuses(&self) -> bool {
        self.refuses
    }

    /// Returns whether the store gives the entries their AT: the later one of its time and of the AT that stands under
    /// the key, plus 1. If not, the entries come from the copy of a server, and keep theirs.
    #[must_use]
    pub fn dates(&self) -> bool {
        self.dates
    }

    /// Returns the entries to join into the table, in this order.
    #[must_use]
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// Returns the keys that [`apply`](Self::apply) reads first, so that a store can fetch them at once. It may read
    /// more, one after another: the logins that have replaced one that ends.
    pub fn keys(&self) -> impl Iterator<Item = Key> {
        let guards = self.guards.iter().map(|guard| guard.key);
        guards.chain(self.entries.iter().map(Entry::key))
    }

    /// Makes the change: what a store must do after it has compared the epoch and the op id.
    ///
    /// `now` is the store's time. The steps:
    ///
    /// 1. `had_ended` is whether a guard holds. If one does and the change [`refuses`](Self::refuses), answer
    ///    [`Appended::Before`].
    /// 2. For each entry E: let OLD be the entry in the table under its key. If the change [`dates`](Self::dates), the AT
    ///    of E becomes the later one of `now` and OLD's AT, plus 1. Let NEW be E [joined](Entry::joined) with OLD, and write it if
    ///    it is not OLD.
    /// 3. If E is of a login: each NEXT of OLD and of E that is not NEW's has lost its place, and ends with every login
    ///    that has replaced it. That is, begin with this login and UNTIL of NEW, and for each login of the chain:
    ///    - stop if it is NEW's NEXT, or if its entry has the same NEXT as NEW (and not `-`);
    ///    - stop if the change does not [date](Self::dates) and its entry has NEXT `-` or a FLOOR that is not 0: it has ended
    ///      before, and what has replaced it since is another matter;
    ///    - UNTIL becomes the later one of itself and that of its entry;
    ///    - write as its entry: AT, the later one of `now` and of the entry's AT, plus 1; NEXT `-`; FLOOR 0; this UNTIL. But if
    ///      the change does not [date](Self::dates) and its entry has a NEXT that is not `-`: this NEXT, and a FLOOR of AT minus 1;
    ///    - go on with the NEXT that its entry had, or stop if there was none.
    /// 4. Answer [`Appended::Written`] with everything that was written.
    ///
    /// # Errors
    ///
    /// The errors of `rows`; the transaction must then be rolled back.
    ///
    /// The example of [`RevocationLog`](super::RevocationLog) shows it.
    pub async fn apply<R: Rows + ?Sized>(
        &self,
        rows: &mut R,
        now: UnixTime,
    ) -> Result<Appended, RevocationError> {
        let mut had_ended = false;
        for guard in &self.guards {
            let entry = rows.read(&guard.key).await?;
            had_ended |= entry.is_some_and(|entry| self.ends_at(&entry) > guard.after);
        }
        if had_ended && self.refuses {
            return Ok(Appended::Before);
        }
        let mut written = Writer {
            op: self.op,
            rows,
            now,
            records: Vec::new(),
        };
        for entry in &self.entries {
            written.enter(*entry, self.dates).await?;
        }
        Ok(Appended::Written {
            had_ended,
            records: written.records,
        })
    }

    fn ends_at(&self, entry: &Entry) -> UnixTime {
        self.login.map_or(entry.at, |login| entry.ends(login))
    }
}

struct Writer<'r, R: ?Sized> {
    op: OpId,
    rows: &'r mut R,
    now: UnixTime,
    records: Vec<Record>,
}

impl<R: Rows + ?Sized> Writer<'_, R> {
    async fn enter(&mut self, mut entry: Entry, dates: bool) -> Result<(), RevocationError> {
        let old = self.rows.read(&entry.key).await?;
        if dates {
            entry.at = self.date(old.as_ref());
        }
        let new = old.map_or(entry, |old| old.joined(entry));
        if old != Some(new) {
            self.write(new).await?;
        }
        let kept = new.successor();
        let lost = [old.as_ref().and_then(Entry::successor), entry.successor()];
        for lost in lost.into_iter().flatten() {
            if Some(lost) != kept {
                self.end_chain(lost, &new, dates).await?;
            }
        }
        Ok(())
    }

    /// Ends a login that is no longer in its place, and along the chain those that have replaced it, but not the one
    /// that is in the place now.
    async fn end_chain(
        &mut self,
        first: LoginId,
        place: &Entry,
        dates: bool,
    ) -> Result<(), RevocationError> {
        let kept = place.successor();
        let mut until = place.until;
        let mut login = Some(first);
        while let Some(id) = login.filter(|id| Some(*id) != kept) {
            let key = Key {
                subject: Subject::Login(id),
                ..place.key
            };
            let old = self.rows.read(&key).await?;
            login = old.as_ref().and_then(Entry::successor);
            if login.is_some() && login == kept {
                return Ok(());
            }
            if !dates && old.is_some_and(|old| old.has_ended_for_good()) {
                return Ok(());
            }
            until = old.map_or(until, |old| old.until.max(until));
            let at = self.date(old.as_ref());
            // What is repaired may stop at a login that goes on, and a later logout must find the way to it.
            let next = old.and_then(|old| old.next).filter(|_| !dates);
            let floor = next.map_or(0, |_| at.as_secs().saturating_sub(1));
            self.write(Entry {
                at,
                next,
                floor: UnixTime::from_secs(floor),
                key,
                until,
            })
            .await?;
        }
        Ok(())
    }

    fn date(&self, old: Option<&Entry>) -> UnixTime {
        old.map_or(self.now, |old| old.at.max(self.now)).plus(1)
    }

    async fn write(&mut self, entry: Entry) -> Result<(), RevocationError> {
        let number = self.rows.write(&entry).await?;
        self.records.push(Record {
            number,
            op: self.op,
            entry,
        });
        Ok(())
    }
}

/// Prints neither an id nor a user.
impl fmt::Debug for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Change")
            .field("op", &self.op)
            .field("refuses", &self.refuses)
            .field("dates", &self.dates)
            .field("entries", &self.entries)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Guard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Guard")
            .field("key", &self.key)
            .field("after", &self.after)
            .finish()
    }
}
