//! The database: SQLite in the process, in memory, filled with the same small world at each start.

use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::{Connection, Params, Row};

use crate::failure::Failure;

/// One connection, which SQLite would let only one writer use at a time anyway. What it does blocks, so it
/// is done on tokio's threads for that, and never on those that serve.
///
/// SQL is `&'static str` throughout: nothing that a request says can become part of it.
#[derive(Clone)]
pub(crate) struct Store(Arc<Mutex<Connection>>);

impl Store {
    pub(crate) fn new() -> rusqlite::Result<Self> {
        let connection = Connection::open_in_memory()?;
        connection.execute_batch("PRAGMA foreign_keys = ON")?;
        connection.execute_batch(include_str!("schema.sql"))?;
        connection.execute_batch(include_str!("seed.sql"))?;
        Ok(Self(Arc::new(Mutex::new(connection))))
    }

    /// All rows, as `read` reads each.
    pub(crate) async fn all<T, P>(
        &self,
        sql: &'static str,
        parameters: P,
        read: fn(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Vec<T>, Failure>
    where
        T: Send + 'static,
        P: Params + Send + 'static,
    {
        self.work(move |database| {
            let mut statement = database.prepare_cached(sql)?;
            let rows = statement.query_map(parameters, read)?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
        .await
    }

    /// The first row; [`Failure::NotFound`] if there is none.
    pub(crate) async fn one<T, P>(
        &self,
        sql: &'static str,
        parameters: P,
        read: fn(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<T, Failure>
    where
        T: Send + 'static,
        P: Params + Send + 'static,
    {
        self.work(move |database| {
            let mut statement = database.prepare_cached(sql)?;
            Ok(statement.query_row(parameters, read)?)
        })
        .await
    }

    /// Changes rows; [`Failure::NotFound`] if there were none to change.
    pub(crate) async fn change<P>(&self, sql: &'static str, parameters: P) -> Result<(), Failure>
    where
        P: Params + Send + 'static,
    {
        let changed = self.work(move |database| {
            let mut statement = database.prepare_cached(sql)?;
            Ok(statement.execute(parameters)?)
        });
        match changed.await? {
            0 => Err(Failure::NotFound),
            _ => Ok(()),
        }
    }

    /// Several statements that hold together, or not at all.
    pub(crate) async fn transaction<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, Failure> {
        self.work(move |database| {
            let transaction = database.transaction()?;
            let result = work(&transaction)?;
            transaction.commit()?;
            Ok(result)
        })
        .await
    }

    async fn work<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Connection) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, Failure> {
        let connection = Arc::clone(&self.0);
        let done = tokio::task::spawn_blocking(move || {
            // Whoever panicked with it left no transaction open: those end when they are dropped.
            work(&mut connection.lock().unwrap_or_else(PoisonError::into_inner))
        });
        done.await.unwrap_or(Err(Failure::Broken))
    }
}
