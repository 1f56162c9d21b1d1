//! The rows of the journal as readers see them: what was committed and the database has not taken in yet, in memory (elsewhere called
//! a memtable). A clone shares all of it and does not change.

use std::borrow::Borrow;
use std::cmp::Ordering;
use std::ops::Bound;
use std::sync::Arc;

use imbl::OrdSet;

use crate::tables::Table;
use crate::tx::Changes;
use crate::tx::merged::Change;

#[derive(Clone)]
pub(crate) struct Recent {
    /// In the order of [`Table::ALL`].
    tables: Arc<Vec<OrdSet<Row>>>,
    removed: usize,
}

/// A row by its key. Key and value are in one piece of memory: to find a row is to touch some of them, and each is far from the others.
#[derive(Clone)]
struct Row {
    bytes: Arc<[u8]>,
    key_bytes: u32,
    is_removed: bool,
}

impl Recent {
    pub(super) fn none() -> Recent {
        Recent { tables: Arc::new(vec![OrdSet::new(); Table::ALL.len()]), removed: 0 }
    }

    pub(super) fn add(&mut self, changes: Vec<Changes>) {
        let tables = Arc::make_mut(&mut self.tables);
        for (rows, changes) in tables.iter_mut().zip(changes) {
            for (key, value) in changes {
                self.removed += usize::from(value.is_none());
                let replaced = rows.insert(Row::new(&key, value.as_deref()));
                self.removed -= usize::from(replaced.is_some_and(|row| row.is_removed));
            }
        }
    }

    /// How many rows there are, those among them that were removed.
    pub(super) fn len(&self) -> usize {
        self.tables.iter().map(OrdSet::len).sum()
    }

    /// How many rows were removed.
    pub(super) fn removed(&self) -> usize {
        self.removed
    }

    /// What became of a key, if anything: its value, or that it has none.
    pub(super) fn get(&self, table: Table, key: &[u8]) -> Option<Option<&[u8]>> {
        self.tables[table as usize].get(key).map(Row::value)
    }

    /// Every change to a table, in key order.
    pub(super) fn all(&self, table: Table) -> impl Iterator<Item = Change<'_>> {
        self.tables[table as usize].iter().map(Row::change)
    }

    /// Those from `from` up to but without `to`.
    pub(super) fn range<'r>(
        &'r self,
        table: Table,
        from: &[u8],
        to: Option<&[u8]>,
    ) -> impl Iterator<Item = Change<'r>> + use<'r> {
        let upper = to.map_or(Bound::Unbounded, |to| Bound::Excluded(to.max(from)));
        let rows = self.tables[table as usize].range::<_, [u8]>((Bound::Included(from), upper));
        rows.map(Row::change)
    }

    /// The last one from `from` up to `at`.
    pub(super) fn last_at(&self, table: Table, from: &[u8], at: &[u8]) -> Option<Change<'_>> {
        let row = self.tables[table as usize].get_prev(at)?;
        Some(row.change()).filter(|(key, _)| *key >= from)
    }
}

impl Row {
    fn new(key: &[u8], value: Option<&[u8]>) -> Row {
        let (bytes, key_bytes) = ([key, value.unwrap_or_default()].concat().into(), key.len() as u32);
        Row { bytes, key_bytes, is_removed: value.is_none() }
    }

    fn key(&self) -> &[u8] {
        &self.bytes[..self.key_bytes as usize]
    }

    fn value(&self) -> Option<&[u8]> {
        (!self.is_removed).then(|| &self.bytes[self.key_bytes as usize..])
    }

    fn change(&self) -> Change<'_> {
        (self.key(), self.value())
    }
}

impl Borrow<[u8]> for Row {
    fn borrow(&self) -> &[u8] {
        self.key()
    }
}

impl PartialEq for Row {
    fn eq(&self, other: &Row) -> bool {
        self.key() == other.key()
    }
}

impl Eq for Row {}

impl PartialOrd for Row {
    fn partial_cmp(&self, other: &Row) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Row {
    fn cmp(&self, other: &Row) -> Ordering {
        self.key().cmp(other.key())
    }
}
