//! The database: SQLite in memory, with the same contents at each start.

use std::sync::{Arc, Mutex, PoisonError};

use auth_runtime::objects::{Sql, Value};
use rusqlite::{Connection, Params, Row};

use crate::failure::Failure;

/// One connection, since SQLite allows only one writer at a time.
pub type Database = Arc<Mutex<Connection>>;

/// Opens the database, with the same people and repositories each time.
///
/// # Errors
///
/// The database cannot be filled.
pub fn open_database() -> rusqlite::Result<Database> {
    let connection = Connection::open_in_memory()?;
    connection.execute_batch("PRAGMA foreign_keys = ON")?;
    connection.execute_batch(include_str!("schema.sql"))?;
    connection.execute_batch(include_str!("seed.sql"))?;
    Ok(Arc::new(Mutex::new(connection)))
}

/// The queries of the service. Calls of the database block, so they run on tokio's blocking threads.
///
/// All SQL consists of `&'static str`, in a [`Sql`] condition too, so that input of a request cannot become
/// part of it.
#[derive(Clone)]
pub(crate) struct Store(Database);

impl Store {
    pub(crate) fn new(database: Database) -> Self {
        Self(database)
    }

    /// Returns all rows, each converted by `read`.
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

    /// Returns all rows that meet a condition, which stands for `{}` in the query. The parameters of the
    /// query come behind those of the condition.
    pub(crate) async fn permitted<T, const N: usize>(
        &self,
        sql: &'static str,
        condition: Sql,
        parameters: [rusqlite::types::Value; N],
        read: fn(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Vec<T>, Failure>
    where
        T: Send + 'static,
    {
        let sql = sql.replace("{}", condition.text());
        let condition = condition.parameters().iter().map(parameter);
        let parameters: Vec<_> = condition.chain(parameters).collect();
        self.work(move |database| {
            let mut statement = database.prepare_cached(&sql)?;
            let rows = statement.query_map(rusqlite::params_from_iter(parameters), read)?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
        .await
    }

    /// Returns the first row, or [`Failure::NotFound`] without one.
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

    /// Changes rows. Returns [`Failure::NotFound`] if no row was changed.
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

    /// Runs several statements as a transaction.
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
            // A panic leaves no transaction open: a transaction ends when it is dropped.
            work(&mut connection.lock().unwrap_or_else(PoisonError::into_inner))
        });
        done.await.unwrap_or(Err(Failure::Broken))
    }
}

/// A value of a condition. An object is found by its id.
fn parameter(value: &Value) -> rusqlite::types::Value {
    use rusqlite::types::Value as Column;
    match value {
        Value::Text(text) | Value::Reference(_, text) => Column::Text(text.clone()),
        Value::Number(number) => Column::Integer(*number),
        Value::Flag(flag) => Column::Integer(i64::from(*flag)),
        // No column has a list; NULL equals nothing.
        _ => Column::Null,
    }
}
