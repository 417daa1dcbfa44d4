//! Makes a change: decides it in Rust, and writes it in one step.

use std::collections::HashMap;

use redis::{cmd, pipe};
use rocket::async_trait;
use rocket_login::store::{
    Appended, Change, Entry, EntryError, Epoch, Key, OpId, Record, RevocationError, Rows, UnixTime,
};

use super::read::{Meta, known};
use super::{Names, RedisLog, parse, script};
use crate::error::StoreError;

impl RedisLog {
    /// Makes a change; `None` if another one came between.
    pub(super) async fn attempt(
        &self,
        epoch: &Epoch,
        change: &Change,
    ) -> Result<Option<Appended>, RevocationError> {
        let Names {
            table,
            untils,
            log,
            op,
        } = &self.names;
        let op = format!("{op}:{}", change.op());
        let keys: Vec<_> = change.keys().map(|key| key.to_string()).collect();
        let commands = [
            cmd("HMGET")
                .arg(table)
                .arg(&["@form", "@epoch", "@time"])
                .to_owned(),
            cmd("GET").arg(&op).take(),
            cmd("TIME"),
            cmd("HMGET").arg(table).arg("@epoch").arg(&keys).take(),
        ];
        let (meta, answer, (clock, _), entries): Before =
            self.ask(&self.commands, commands).await?;
        let Some((_, time)) = known(meta)?.filter(|(held, _)| held == epoch) else {
            return Ok(Some(Appended::Changed));
        };
        if let Some(answer) = answer {
            self.replicate(Some(&op)).await?;
            return Ok(Some(read_answer(&answer, change.op())?));
        }
        let now = clock.max(time);
        let mut rows = Attempt {
            log: self,
            read: keys.into_iter().zip(entries.into_iter().skip(1)).collect(),
            written: Vec::new(),
        };
        let mut appended = change.apply(&mut rows, UnixTime::from_secs(now)).await?;
        let Appended::Written { had_ended, records } = &mut appended else {
            return Ok(Some(appended));
        };
        if records.is_empty() {
            return Ok(Some(appended));
        }
        let mut arguments = vec![epoch.to_string(), now.to_string(), change.op().to_string()];
        arguments.push(had_ended.to_string());
        arguments.push(rows.read.len().to_string());
        for (key, text) in rows.read {
            arguments.extend([key, text.unwrap_or_default()]);
        }
        for entry in &rows.written {
            let until = entry.until().as_secs().to_string();
            arguments.extend([entry.key().to_string(), entry.to_string(), until]);
        }
        let commit = include_str!("../lua/commit.lua");
        let commit = script(commit, &[table, untils, log, &op], &arguments);
        let (outcome, number): (String, u64) = self.run(commit).await?;
        match outcome.as_str() {
            "written" => {
                for record in records {
                    record.number = record.number.saturating_add(number);
                }
                self.replicate(None).await?;
                Ok(Some(appended))
            }
            "changed" => Ok(Some(Appended::Changed)),
            _ => Ok(None),
        }
    }

    /// Waits until the replicas have confirmed what was written. `touched` is a key of it, if another connection may
    /// have written it: `WAIT` counts only what its own connection has written.
    async fn replicate(&self, touched: Option<&str>) -> Result<(), StoreError> {
        if self.replicas == 0 {
            return Ok(());
        }
        let mut connection = self.connection(&self.commands).await?;
        let mut wait = pipe();
        if let Some(key) = touched {
            wait.cmd("EXPIRE").arg(key).arg(7_200).ignore();
        }
        let timeout = self.replica_timeout;
        wait.cmd("WAIT")
            .arg(self.replicas)
            .arg(timeout.as_millis().max(1).to_string());
        let answer = wait.query_async(&mut connection);
        let answer = self.commands.answer(timeout, answer).await;
        let (confirmed,): (usize,) = answer.map_err(|error| self.error(error))?;
        if confirmed < self.replicas {
            let wanted = self.replicas;
            return Err(StoreError::Replicas { confirmed, wanted });
        }
        Ok(())
    }
}

/// What is read before a change: the list, the answer to an earlier call, the clock, and the entries.
type Before = (Meta, Option<String>, (u64, u64), Vec<Option<String>>);

/// What a change reads before it is written, and what it will write.
struct Attempt<'a> {
    log: &'a RedisLog,
    read: HashMap<String, Option<String>>,
    written: Vec<Entry>,
}

#[async_trait]
impl Rows for Attempt<'_> {
    async fn read(&mut self, key: &Key) -> Result<Option<Entry>, RevocationError> {
        if let Some(entry) = self.written.iter().rfind(|entry| entry.key() == *key) {
            return Ok(Some(*entry));
        }
        let name = key.to_string();
        if !self.read.contains_key(&name) {
            let mut read = cmd("HGET");
            read.arg(&self.log.names.table).arg(&name);
            let (text,) = self.log.ask(&self.log.commands, [read]).await?;
            self.read.insert(name.clone(), text);
        }
        let text = self.read.get(&name).and_then(Option::as_deref);
        Ok(text.map(|text| parse(&name, text)).transpose()?)
    }

    /// Returns how manieth it is: the script gives out the numbers.
    async fn write(&mut self, entry: &Entry) -> Result<u64, RevocationError> {
        self.written.push(*entry);
        Ok(self.written.len() as u64)
    }
}

/// Reads what `commit.lua` has kept of a change: the number before it, whether the login had ended, and a line for each
/// entry.
fn read_answer(text: &str, op: OpId) -> Result<Appended, StoreError> {
    let mut lines = text.lines();
    let first = lines.next().and_then(|line| line.split_once(' '));
    let (number, had_ended) = first.ok_or(EntryError::Malformed)?;
    let number: u64 = number.parse().map_err(|_| EntryError::Malformed)?;
    let had_ended = had_ended.parse().map_err(|_| EntryError::Malformed)?;
    let records = lines.zip(number.saturating_add(1)..).map(|(line, number)| {
        let entry = line.parse()?;
        Ok(Record { number, op, entry })
    });
    let records = records.collect::<Result<_, EntryError>>()?;
    Ok(Appended::Written { had_ended, records })
}
