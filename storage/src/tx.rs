//! The narrow waist: everything above sees rows as bytes in tables, and nothing of the engine below.

pub(crate) mod merged;

use std::collections::BTreeMap;
use std::ops::{Bound, ControlFlow};

use crate::error::Result;
use crate::tables::Table;
use merged::Change;

/// Receives the rows of a scan, in key order, until it breaks.
pub type Visit<'a> = &'a mut dyn FnMut(&[u8], &[u8]) -> Result<ControlFlow<()>>;

/// Receives every row of a scan, in key order.
pub(crate) type VisitAll<'a> = &'a mut dyn FnMut(&[u8], &[u8]) -> Result<()>;

/// Reading rows.
pub trait Read {
    /// The value at a key.
    ///
    /// # Errors
    /// `Corrupt` if the row does not match its checksum, `Io` if the disk fails.
    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>>;

    /// Visits the rows from `from` up to but without `to` (`None`: to the end of the table).
    ///
    /// # Errors
    /// As for [`Read::get`], and whatever the visitor returns.
    fn scan(&self, table: Table, from: &[u8], to: Option<&[u8]>, visit: Visit<'_>) -> Result<()>;

    /// The row with the greatest key that is at least `from` and at most `at`.
    ///
    /// # Errors
    /// As for [`Read::get`].
    fn last_at(&self, table: Table, from: &[u8], at: &[u8]) -> Result<Option<(Vec<u8>, Vec<u8>)>>;
}

/// Reading and changing rows. Nothing is durable until the store commits.
pub trait Tx: Read {
    /// Sets the value at a key.
    fn put(&mut self, table: Table, key: &[u8], value: Vec<u8>);

    /// Removes a key; removing what is not there is no error.
    fn delete(&mut self, table: Table, key: &[u8]);
}

/// The changes of a batch over an unchanging base. They are kept sorted, because a B-tree takes a
/// batch of random keys much faster in order; and dropping them leaves no trace.
pub struct Overlay<'a> {
    base: &'a dyn Read,
    changes: Vec<Changes>,
}

/// The changes of one table, in key order; `None` removes the key.
pub type Changes = BTreeMap<Vec<u8>, Option<Vec<u8>>>;

impl<'a> Overlay<'a> {
    /// No changes yet.
    #[must_use]
    pub fn new(base: &'a dyn Read) -> Overlay<'a> {
        Overlay { base, changes: vec![Changes::new(); Table::ALL.len()] }
    }

    /// Whether nothing was changed.
    #[must_use]
    pub fn is_unchanged(&self) -> bool {
        self.changes.iter().all(Changes::is_empty)
    }

    /// Takes over the changes of another overlay, in the order of [`Table::ALL`]: they win.
    pub(crate) fn absorb(&mut self, changes: Vec<Changes>) {
        for (own, mut other) in self.changes.iter_mut().zip(changes) {
            own.append(&mut other);
        }
    }

    /// The changes so far, by table in the order of [`Table::ALL`].
    pub(crate) fn changes(&self) -> &[Changes] {
        &self.changes
    }

    /// The changes by table, in the order of [`Table::ALL`].
    #[must_use]
    pub fn into_changes(self) -> Vec<Changes> {
        self.changes
    }
}

impl Tx for Overlay<'_> {
    fn put(&mut self, table: Table, key: &[u8], value: Vec<u8>) {
        self.changes[table as usize].insert(key.to_vec(), Some(value));
    }

    fn delete(&mut self, table: Table, key: &[u8]) {
        self.changes[table as usize].insert(key.to_vec(), None);
    }
}

impl Read for Overlay<'_> {
    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>> {
        match self.changes[table as usize].get(key) {
            Some(change) => Ok(change.clone()),
            None => self.base.get(table, key),
        }
    }

    fn scan(&self, table: Table, from: &[u8], to: Option<&[u8]>, visit: Visit<'_>) -> Result<()> {
        let changed = range(&self.changes[table as usize], from, to).map(change);
        merged::scan(changed, |visit| self.base.scan(table, from, to, visit), visit)
    }

    fn last_at(&self, table: Table, from: &[u8], at: &[u8]) -> Result<Option<(Vec<u8>, Vec<u8>)>> {
        let changes = &self.changes[table as usize];
        let last_change = |at: &[u8]| {
            let upto = changes.range::<[u8], _>((Bound::Included(from), Bound::Included(at)));
            upto.map(change).next_back()
        };
        merged::last_at(from, at, |at| self.base.last_at(table, from, at), last_change)
    }
}

/// Tables in memory: the second implementation, for tests that need no disk.
#[derive(Clone, Debug)]
pub struct Memory {
    tables: Vec<BTreeMap<Vec<u8>, Vec<u8>>>,
}

impl Default for Memory {
    fn default() -> Memory {
        Memory { tables: vec![BTreeMap::new(); Table::ALL.len()] }
    }
}

impl Memory {
    /// Applies the changes of a batch.
    pub fn apply(&mut self, changes: Vec<Changes>) {
        for (table, changes) in self.tables.iter_mut().zip(changes) {
            for (key, change) in changes {
                match change {
                    Some(value) => table.insert(key, value),
                    None => table.remove(&key),
                };
            }
        }
    }
}

impl Read for Memory {
    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>> {
        Ok(self.tables[table as usize].get(key).cloned())
    }

    fn scan(&self, table: Table, from: &[u8], to: Option<&[u8]>, visit: Visit<'_>) -> Result<()> {
        for (key, value) in range(&self.tables[table as usize], from, to) {
            if visit(key, value)?.is_break() {
                break;
            }
        }
        Ok(())
    }

    fn last_at(&self, table: Table, from: &[u8], at: &[u8]) -> Result<Option<(Vec<u8>, Vec<u8>)>> {
        let bounds = (Bound::Included(from), Bound::Included(at));
        let last = self.tables[table as usize].range::<[u8], _>(bounds).next_back();
        Ok(last.map(|(key, value)| (key.clone(), value.clone())))
    }
}

fn range<'m, V>(
    map: &'m BTreeMap<Vec<u8>, V>,
    from: &[u8],
    to: Option<&[u8]>,
) -> impl Iterator<Item = (&'m Vec<u8>, &'m V)> + use<'m, V> {
    let upper = to.map_or(Bound::Unbounded, |to| Bound::Excluded(to.max(from)));
    map.range::<[u8], _>((Bound::Included(from), upper))
}

fn change<'c>((key, value): (&'c Vec<u8>, &'c Option<Vec<u8>>)) -> Change<'c> {
    (key, value.as_deref())
}
