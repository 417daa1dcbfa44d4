//! Makes a change in one transaction.

use std::collections::HashMap;

use rocket::async_trait;
use rocket_login::store::{
    Appended, Change, Entry, Epoch, Key, Record, RevocationError, Rows, UnixTime,
};

use super::{SqlLog, signed, unsigned};
use crate::connection::{Argument, Connection};
use crate::error::StoreError;

impl SqlLog {
    pub(super) async fn write(
        &self,
        epoch: &Epoch,
        change: &Change,
    ) -> Result<Appended, RevocationError> {
        let mut connection = self.connections.connection().await?;
        self.run(&mut connection, self.dialect.begin).await?;
        let lock = format!("SELECT id FROM rocket_login_store {}", self.dialect.lock);
        let _: Vec<(i64,)> = self.fetch(&mut connection, &lock, &[]).await?;
        let Some(head) = self
            .head(&mut connection)
            .await?
            .filter(|head| head.epoch == *epoch)
        else {
            return self.finish(connection, "ROLLBACK", Appended::Changed).await;
        };
        if let Some(answer) = self.answer(&mut connection, change).await? {
            return self.finish(connection, "ROLLBACK", answer).await;
        }
        let now = head.clock.max(head.time);
        let mut rows = Transaction {
            log: self,
            connection: &mut connection,
            known: HashMap::new(),
            number: unsigned(head.number)?,
        };
        rows.read_all(change.keys().map(|key| key.to_string()).collect())
            .await?;
        let appended = change
            .apply(&mut rows, UnixTime::from_secs(unsigned(now)?))
            .await?;
        let Appended::Written { had_ended, records } = &appended else {
            return self.finish(connection, "ROLLBACK", appended).await;
        };
        let op = change.op().to_string();
        for Record { number, entry, .. } in records {
            let (key, text) = (entry.key().to_string(), entry.to_string());
            let log = "INSERT INTO rocket_login_log (number, op, entry, had_ended, time) \
                       VALUES ($1, $2, $3, $4, $5)";
            let arguments = [
                Argument::Number(signed(*number)),
                Argument::Text(&op),
                Argument::Text(&text),
                Argument::Flag(*had_ended),
                Argument::Number(now),
            ];
            self.change(&mut connection, log, &arguments).await?;
            let put = "INSERT INTO rocket_login_entries (key, entry, until) VALUES ($1, $2, $3) \
                       ON CONFLICT (key) DO UPDATE SET entry = excluded.entry, until = excluded.until";
            let until = Argument::Number(signed(entry.until().as_secs()));
            let arguments = [Argument::Text(&key), Argument::Text(&text), until];
            self.change(&mut connection, put, &arguments).await?;
        }
        let update = "UPDATE rocket_login_store SET number = $1, time = $2";
        let number = records
            .last()
            .map_or(head.number, |record| signed(record.number));
        let arguments = [Argument::Number(number), Argument::Number(now)];
        self.change(&mut connection, update, &arguments).await?;
        self.finish(connection, "COMMIT", appended).await
    }

    async fn finish(
        &self,
        mut connection: Connection,
        statement: &str,
        appended: Appended,
    ) -> Result<Appended, RevocationError> {
        self.run(&mut connection, statement).await?;
        self.connections.give_back(connection);
        Ok(appended)
    }

    /// What a change with the same op id has answered.
    async fn answer(
        &self,
        connection: &mut Connection,
        change: &Change,
    ) -> Result<Option<Appended>, StoreError> {
        let sql =
            "SELECT had_ended, number, entry FROM rocket_login_log WHERE op = $1 ORDER BY number";
        let op = change.op().to_string();
        let lines: Vec<(bool, i64, String)> =
            self.fetch(connection, sql, &[Argument::Text(&op)]).await?;
        let Some((had_ended, ..)) = lines.first() else {
            return Ok(None);
        };
        let records = lines.iter().map(|(_, number, text)| {
            let (number, entry) = (unsigned(*number)?, text.parse()?);
            Ok(Record {
                number,
                op: change.op(),
                entry,
            })
        });
        Ok(Some(Appended::Written {
            had_ended: *had_ended,
            records: records.collect::<Result<_, StoreError>>()?,
        }))
    }
}

/// The entries that a change reads inside its transaction.
struct Transaction<'a> {
    log: &'a SqlLog,
    connection: &'a mut Connection,
    known: HashMap<String, Option<Entry>>,
    number: u64,
}

impl Transaction<'_> {
    async fn read_all(&mut self, keys: Vec<String>) -> Result<(), StoreError> {
        let entries = self.log.entries(self.connection, &keys).await?;
        self.known.extend(keys.into_iter().map(|key| {
            let entry = entries.get(&key).copied();
            (key, entry)
        }));
        Ok(())
    }
}

#[async_trait]
impl Rows for Transaction<'_> {
    async fn read(&mut self, key: &Key) -> Result<Option<Entry>, RevocationError> {
        let name = key.to_string();
        if !self.known.contains_key(&name) {
            self.read_all(vec![name.clone()]).await?;
        }
        Ok(self.known.get(&name).copied().flatten())
    }

    /// Keeps the entry for later reads; it is written when the whole change is known.
    async fn write(&mut self, entry: &Entry) -> Result<u64, RevocationError> {
        self.known.insert(entry.key().to_string(), Some(*entry));
        self.number = self.number.saturating_add(1);
        Ok(self.number)
    }
}
