//! Reads the table and the log, and begins them.

use rocket_login::store::{Entry, Epoch, OpId, Position, Record, Since};

use super::{PAGE, SqlLog, parse, signed, unsigned};
use crate::connection::{Argument, Connection};
use crate::error::StoreError;

impl SqlLog {
    pub(super) async fn read_table(
        &self,
        entry: &mut (dyn FnMut(Entry) + Send),
    ) -> Result<Position, StoreError> {
        let mut connection = self.connections.connection().await?;
        let sql = format!("SELECT {}", self.dialect.is_in_memory);
        let is_in_memory: Vec<(bool,)> = self.fetch(&mut connection, &sql, &[]).await?;
        if is_in_memory == [(true,)] {
            return Err(StoreError::InMemory);
        }
        self.head(&mut connection).await?;
        let position = self.position(&mut connection).await?;
        let mut last = String::new();
        loop {
            let sql =
                "SELECT key, entry FROM rocket_login_entries WHERE key > $1 ORDER BY key LIMIT $2";
            let arguments = [Argument::Text(&last), Argument::Number(PAGE)];
            let page: Vec<(String, String)> = self.fetch(&mut connection, sql, &arguments).await?;
            let Some((key, _)) = page.last() else {
                break;
            };
            last.clone_from(key);
            for (key, text) in &page {
                entry(parse(key, text)?);
            }
        }
        match self.head(&mut connection).await? {
            Some(head) if head.epoch == position.epoch => {
                self.connections.give_back(connection);
                Ok(position)
            }
            _ => Err(StoreError::RemovedMeanwhile),
        }
    }

    /// Returns the position of the newest record; begins the list if there is none, and a new epoch if a part of it is
    /// lost.
    pub(super) async fn position(
        &self,
        connection: &mut Connection,
    ) -> Result<Position, StoreError> {
        self.run(connection, self.dialect.begin).await?;
        // Two servers may find no row to lock.
        let insert = "INSERT INTO rocket_login_store (id, epoch, number, time) \
                      VALUES (1, '', 0, 0) ON CONFLICT DO NOTHING";
        self.change(connection, insert, &[]).await?;
        let lock = format!(
            "SELECT epoch, number FROM rocket_login_store {}",
            self.dialect.lock
        );
        let rows: Vec<(String, i64)> = self.fetch(connection, &lock, &[]).await?;
        let newest = "SELECT number, op FROM rocket_login_log ORDER BY number DESC LIMIT 1";
        let newest: Vec<(i64, String)> = self.fetch(connection, newest, &[]).await?;
        let (epoch, number) = rows
            .into_iter()
            .next()
            .ok_or(StoreError::RemovedMeanwhile)?;
        let (newest, op) = match newest.into_iter().next() {
            Some((newest, op)) => (newest, op.parse()?),
            None => (0, OpId::NONE),
        };
        let position = if epoch.is_empty() || newest != number {
            let epoch = Epoch::generate().map_err(StoreError::Random)?;
            self.run(connection, "DELETE FROM rocket_login_log").await?;
            let update = "UPDATE rocket_login_store SET epoch = $1, number = 0";
            self.change(connection, update, &[Argument::Text(&epoch.to_string())])
                .await?;
            Position {
                epoch,
                number: 0,
                op: OpId::NONE,
            }
        } else {
            Position {
                epoch: epoch.parse()?,
                number: unsigned(number)?,
                op,
            }
        };
        self.run(connection, "COMMIT").await?;
        Ok(position)
    }

    pub(super) async fn read_log(&self, position: &Position) -> Result<Since, StoreError> {
        let number = signed(position.number);
        let is_replica = self.dialect.is_replica;
        let sql = format!(
            "SELECT here.is_replica, (SELECT COALESCE(MAX(version), 0) FROM rocket_login_schema), \
                    store.epoch, store.number, log.number, log.op, log.entry \
             FROM (SELECT {is_replica} AS is_replica) AS here \
             LEFT JOIN rocket_login_store AS store ON store.id = 1 \
             LEFT JOIN rocket_login_log AS log ON log.number BETWEEN $1 AND $1 + {PAGE} \
             ORDER BY log.number"
        );
        let mut connection = self.connections.unchecked_connection().await?;
        let lines: Vec<Line> = self
            .fetch(&mut connection, &sql, &[Argument::Number(number)])
            .await?;
        self.connections.give_back(connection);
        let mut head = None;
        let mut op = OpId::NONE;
        let mut records = Vec::new();
        for (is_replica, found, epoch, newest, number, line_op, entry) in lines {
            self.check(is_replica, found)?;
            let (Some(epoch), Some(newest)) = (epoch, newest) else {
                return Ok(Since::Changed);
            };
            head = Some((epoch, unsigned(newest)?));
            let (Some(number), Some(line_op), Some(entry)) = (number, line_op, entry) else {
                continue;
            };
            let number = unsigned(number)?;
            if number == position.number {
                op = line_op.parse()?;
            } else {
                let (op, entry) = (line_op.parse()?, entry.parse()?);
                records.push(Record { number, op, entry });
            }
        }
        let Some((epoch, newest)) = head else {
            return Ok(Since::Changed);
        };
        Ok(Since::read(position, (epoch.parse()?, newest), op, records))
    }
}

/// Whether it is a replica, the version of the tables, the epoch and the newest number; a record, if there is one.
type Line = (
    bool,
    i64,
    Option<String>,
    Option<i64>,
    Option<i64>,
    Option<String>,
    Option<String>,
);
