//! A new database that is given all its rows in order: pages are filled one after the other, and nothing is written twice.

use std::ops::Bound;
use std::path::{Path, PathBuf};

use redb::Database;

use super::{Broken, Closing, definition, guard, io, summed};
use crate::error::{Error, Result};
use crate::tables::Table;

/// Rows are handed to the engine when they have so many bytes,
const ROWS_BYTES: usize = 8 << 20;
/// and made durable when so many have been handed over: what is not is in memory.
const COMMIT_BYTES: usize = 128 << 20;

/// A database under construction.
pub(crate) struct Filling {
    path: PathBuf,
    database: Closing,
    transaction: Option<redb::WriteTransaction>,
    table: Table,
    rows: Vec<(Vec<u8>, Vec<u8>)>,
    bytes: usize,
    uncommitted_bytes: usize,
}

impl Filling {
    /// Makes a database where no file is.
    pub(crate) fn create(path: &Path, cache_bytes_max: usize) -> Result<Filling> {
        let database = Database::builder()
            .set_cache_size(cache_bytes_max)
            .create(path)
            .map_err(|error| at(path, error))?;
        Ok(Filling {
            path: path.to_owned(),
            database: Closing(Some(database)),
            transaction: None,
            table: Table::Node,
            rows: Vec::new(),
            bytes: 0,
            uncommitted_bytes: 0,
        })
    }

    /// Adds a row behind all that were added.
    pub(crate) fn push(&mut self, table: Table, key: &[u8], value: &[u8]) -> Result<()> {
        if table != self.table || self.bytes >= ROWS_BYTES {
            self.hand_over()?;
            self.table = table;
        }
        let mut stored = Vec::with_capacity(value.len() + super::CHECKSUM_BYTES);
        summed(&mut stored, table, key, value);
        self.rows.push((key.to_vec(), stored));
        self.bytes += key.len() + value.len();
        Ok(())
    }

    /// Makes everything durable.
    pub(crate) fn end(mut self) -> Result<()> {
        self.hand_over()?;
        self.commit()
    }

    fn hand_over(&mut self) -> Result<()> {
        if self.rows.is_empty() {
            return Ok(());
        }
        let rows = std::mem::take(&mut self.rows);
        let transaction = match self.transaction.take() {
            Some(transaction) => transaction,
            None => self.database.open().begin_write().map_err(|error| at(&self.path, error))?,
        };
        guard("restoring", &Broken::default(), || {
            append(&transaction, self.table, &rows).map_err(|error| at(&self.path, error))
        })?;
        self.transaction = Some(transaction);
        self.uncommitted_bytes += std::mem::take(&mut self.bytes);
        if self.uncommitted_bytes >= COMMIT_BYTES { self.commit() } else { Ok(()) }
    }

    fn commit(&mut self) -> Result<()> {
        self.uncommitted_bytes = 0;
        let Some(mut transaction) = self.transaction.take() else {
            return Ok(());
        };
        transaction.set_quick_repair(true);
        guard("restoring", &Broken::default(), || transaction.commit().map_err(|error| at(&self.path, error)))
    }
}

fn append(
    transaction: &redb::WriteTransaction,
    table: Table,
    rows: &[(Vec<u8>, Vec<u8>)],
) -> Result<(), redb::Error> {
    let mut into = transaction.open_table(definition(table))?;
    let mut at_end = into.upper_bound_mut(Bound::<&[u8]>::Unbounded)?;
    for (key, value) in rows {
        at_end.insert_before(key.as_slice(), value.as_slice())?;
    }
    Ok(at_end.close()?)
}

/// A disk that is full is told from one that fails.
fn at(path: &Path, error: impl Into<redb::Error>) -> Error {
    match error.into() {
        redb::Error::Io(error) => Error::io(path, &error),
        error => io(error),
    }
}
