//! Reads the log, and begins it.

use std::collections::HashMap;
use std::time::Duration;

use redis::{Value, cmd};
use rocket_login::store::{EntryError, Epoch, OpId, Position, Record};

use super::{ATTEMPTS, FORM, Names, RedisLog, script};
use crate::error::StoreError;
use crate::link::Link;

/// What `read.lua` returns.
pub(super) struct Read {
    /// The epoch and the newest number, if there is a list.
    pub(super) list: Option<(Epoch, u64)>,
    pub(super) at: Option<Record>,
    pub(super) after: Vec<Record>,
    pub(super) newest: Option<Record>,
}

impl RedisLog {
    /// Returns the position of the newest record; begins the list if there is none, and a new epoch if a part of it is
    /// lost.
    pub(super) async fn position(&self) -> Result<Position, StoreError> {
        let Names {
            table, untils, log, ..
        } = &self.names;
        for _ in 0..ATTEMPTS {
            let names = [(untils, "zset"), (log, "stream"), (table, "hash")];
            let types = names.map(|(name, _)| cmd("TYPE").arg(name).take());
            let types: Vec<String> = self.ask(&self.commands, types).await?;
            let mut is_new = true;
            for ((name, wanted), found) in names.into_iter().zip(types) {
                is_new = found == "none";
                if !is_new && found != wanted {
                    return Err(StoreError::Foreign(name.clone()));
                }
            }
            let Read { list, newest, .. } = self.read(&self.commands, 0, 0).await?;
            if list.is_none() && !is_new {
                return Err(StoreError::Foreign(table.clone()));
            }
            let newest = newest.map_or((0, OpId::NONE), |newest| (newest.number, newest.op));
            let before = match list {
                Some((epoch, number)) if number == newest.0 => {
                    return Ok(Position {
                        epoch,
                        number,
                        op: newest.1,
                    });
                }
                Some((epoch, _)) => epoch.to_string(),
                None => String::new(),
            };
            let epoch = Epoch::generate().map_err(StoreError::Random)?;
            let arguments = [before, epoch.to_string()];
            let begin = include_str!("../lua/begin.lua");
            let begin = script(begin, &[table, untils, log], &arguments);
            let _: Value = self.run(begin).await?;
        }
        Err(StoreError::Contended)
    }

    /// Reads the log in one step: `count` records after one of them.
    pub(super) async fn read(
        &self,
        link: &Link,
        number: u64,
        count: usize,
    ) -> Result<Read, StoreError> {
        let arguments = [id(number), count.to_string()];
        let keys = [&*self.names.table, &*self.names.log];
        let read = script(include_str!("../lua/read.lua"), &keys, &arguments);
        let ((meta, at, after, newest),): (Answer,) = self.ask(link, [read]).await?;
        Ok(Read {
            list: known(meta)?,
            at: at.first().map(record).transpose()?,
            after: after.iter().map(record).collect::<Result<_, _>>()?,
            newest: newest.first().map(record).transpose()?,
        })
    }

    /// Returns when there is a record after the position, or after `wait`.
    pub(super) async fn wait(&self, position: &Position, wait: Duration) -> Result<(), StoreError> {
        let mut connection = self.connection(&self.reader).await?;
        // 0 would wait for ever.
        let milliseconds = wait.as_millis().max(1).to_string();
        let mut read = cmd("XREAD");
        read.arg("COUNT").arg(1).arg("BLOCK").arg(milliseconds);
        read.arg("STREAMS")
            .arg(&self.names.log)
            .arg(id(position.number));
        let answer = read.query_async::<Value>(&mut connection);
        let answer = self.reader.answer(wait, answer).await;
        answer.map(drop).map_err(|error| self.error(error))
    }
}

/// The form, the epoch and a number of the table.
pub(super) type Meta = (Option<String>, Option<String>, Option<u64>);

/// The epoch and the number, if there is a list.
pub(super) fn known((form, epoch, number): Meta) -> Result<Option<(Epoch, u64)>, StoreError> {
    match form {
        None => return Ok(None),
        Some(form) if form != FORM => return Err(StoreError::Form(form)),
        Some(_) => {}
    }
    let (Some(epoch), Some(number)) = (epoch, number) else {
        return Err(EntryError::Malformed.into());
    };
    Ok(Some((epoch.parse()?, number)))
}

type Answer = (Meta, Vec<Line>, Vec<Line>, Vec<Line>);

/// A record as Redis returns it: its id and its fields.
type Line = (String, HashMap<String, String>);

fn record((id, fields): &Line) -> Result<Record, StoreError> {
    let field = |name| fields.get(name).ok_or(EntryError::Malformed);
    let number = id.strip_suffix("-0").and_then(|number| number.parse().ok());
    Ok(Record {
        number: number.ok_or(EntryError::Malformed)?,
        op: field("op")?.parse()?,
        entry: field("entry")?.parse()?,
    })
}

fn id(number: u64) -> String {
    format!("{number}-0")
}
