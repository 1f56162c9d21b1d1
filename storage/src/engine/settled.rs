//! The tables as the database's file has them: an unchanging picture, with every row held against its checksum.

use std::ops::Bound;
use std::sync::OnceLock;

use redb::{Database, ReadTransaction, ReadableDatabase};

use super::{Bytes, definition, io, verified};
use crate::error::Result;
use crate::tables::Table;
use crate::tx::Visit;

type Rows = redb::ReadOnlyTable<Bytes, Bytes>;

pub(crate) struct Settled {
    read: ReadTransaction,
    /// Opened when they are first asked for; `None` is one to which nothing was ever written.
    tables: Vec<OnceLock<Option<Rows>>>,
}

impl Settled {
    /// The last commit of a database.
    pub(super) fn of(database: &Database) -> Result<Settled> {
        let tables = Table::ALL.iter().map(|_| OnceLock::new()).collect();
        Ok(Settled { read: database.begin_read().map_err(io)?, tables })
    }

    pub(super) fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>> {
        let Some(rows) = self.rows(table)? else {
            return Ok(None);
        };
        let stored = rows.get(key).map_err(io)?;
        stored.map(|stored| Ok(verified(table, key, stored.value())?.to_vec())).transpose()
    }

    pub(super) fn scan(&self, table: Table, from: &[u8], to: Option<&[u8]>, visit: Visit<'_>) -> Result<()> {
        let Some(rows) = self.rows(table)? else {
            return Ok(());
        };
        let upper = to.map_or(Bound::Unbounded, |to| Bound::Excluded(to.max(from)));
        for row in rows.range::<&[u8]>((Bound::Included(from), upper)).map_err(io)? {
            let (key, value) = row.map_err(io)?;
            if visit(key.value(), verified(table, key.value(), value.value())?)?.is_break() {
                break;
            }
        }
        Ok(())
    }

    pub(super) fn last_at(&self, table: Table, from: &[u8], at: &[u8]) -> Result<Option<(Vec<u8>, Vec<u8>)>> {
        let Some(rows) = self.rows(table)? else {
            return Ok(None);
        };
        let bounds = (Bound::Included(from), Bound::Included(at));
        let Some(row) = rows.range::<&[u8]>(bounds).map_err(io)?.next_back() else {
            return Ok(None);
        };
        let (key, value) = row.map_err(io)?;
        let body = verified(table, key.value(), value.value())?.to_vec();
        Ok(Some((key.value().to_vec(), body)))
    }

    fn rows(&self, table: Table) -> Result<Option<&Rows>> {
        let slot = &self.tables[table as usize];
        if let Some(opened) = slot.get() {
            return Ok(opened.as_ref());
        }
        let opened = match self.read.open_table(definition(table)) {
            Ok(opened) => Some(opened),
            Err(redb::TableError::TableDoesNotExist(_)) => None,
            Err(error) => return Err(io(error)),
        };
        Ok(slot.get_or_init(|| opened).as_ref())
    }
}
