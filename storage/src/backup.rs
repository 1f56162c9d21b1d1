//! What a backup holds of the database: the rows of one view, or those that changed since another, as blocks in order; and
//! what a restore makes of them: one row of rows again, in which the newest wins.
//!
//! ```text
//! block   table u8, then rows in order: key (`packed.rs`), length of the value + 1 (0: the row is gone), value
//! ```
//!
//! A block holds rows of one table; blocks come in the order of the tables. What is noted for increments is in none: it is
//! about the node that was, not about the one that is restored. That a name is gone is told by its thing alone ([`Gone`]).

mod gone;
mod merged;
mod recount;

use std::ops::ControlFlow;

use crate::error::{Error, Result};
use crate::ids::CommitNo;
use crate::packed::{push_key, push_length, take_key, take_length};
use crate::tables::Table;
use crate::tx::Read;
use crate::view::View;

pub use gone::Gone;
use merged::Source;
pub use merged::{Blocks, Merged};
pub use recount::Recount;

/// A block is handed out when it has so many bytes; a large row makes it longer.
pub const BLOCK_BYTES: usize = 1 << 20;

/// Receives rows, table by table and in order.
pub type TakeRow<'t> = &'t mut dyn FnMut(Table, &[u8], &[u8]) -> Result<()>;

/// Receives blocks, in order.
pub type TakeBlock<'t> = &'t mut dyn FnMut(Vec<u8>) -> Result<()>;

impl View {
    /// Every row, as blocks.
    ///
    /// # Errors
    /// `Corrupt` if a row is damaged: what is backed up has been checked; see [`View::node`], and whatever `take` returns.
    pub fn blocks(&self, take: TakeBlock<'_>) -> Result<()> {
        let mut out = Writer::new(take);
        for table in Table::ALL.iter().filter(|table| **table != Table::Changed) {
            self.scan(*table, &[], None, &mut |key, value| {
                out.push(*table, key, Some(value))?;
                Ok(ControlFlow::Continue(()))
            })?;
        }
        out.end()
    }

    /// The keys of a table.
    ///
    /// # Errors
    /// As for [`View::blocks`], and whatever the visitor returns.
    pub fn keys_of(&self, table: Table, visit: &mut dyn FnMut(&[u8]) -> Result<()>) -> Result<()> {
        self.scan(table, &[], None, &mut |key, _| {
            visit(key)?;
            Ok(ControlFlow::Continue(()))
        })
    }

    /// Every row that changed after a commit, as it is now, or as gone.
    ///
    /// # Errors
    /// As for [`View::blocks`]. Whether all changes are known is to be asked before: [`View::notes_changes_since`].
    pub fn changed_blocks(&self, since: CommitNo, take: TakeBlock<'_>) -> Result<()> {
        let mut out = Writer::new(take);
        out.push(Table::Node, &[], self.get(Table::Node, &[])?.as_deref())?;
        self.changed_keys(since, &mut |table, key| out.push(table, key, self.get(table, key)?.as_deref()))?;
        out.end()
    }
}

/// A block under construction.
struct Writer<'t> {
    take: TakeBlock<'t>,
    block: Vec<u8>,
    table: Table,
    last: Vec<u8>,
}

impl<'t> Writer<'t> {
    fn new(take: TakeBlock<'t>) -> Writer<'t> {
        Writer { take, block: Vec::new(), table: Table::Node, last: Vec::new() }
    }

    fn push(&mut self, table: Table, key: &[u8], value: Option<&[u8]>) -> Result<()> {
        if table != self.table || self.block.len() >= BLOCK_BYTES {
            self.hand_out()?;
        }
        if self.block.is_empty() {
            self.table = table;
            self.block.push(table as u8);
        }
        push_key(&mut self.block, &mut self.last, key);
        match value {
            None => push_length(&mut self.block, 0),
            Some(value) => {
                push_length(&mut self.block, value.len() + 1);
                self.block.extend_from_slice(value);
            }
        }
        Ok(())
    }

    fn hand_out(&mut self) -> Result<()> {
        self.last.clear();
        if self.block.is_empty() { Ok(()) } else { (self.take)(std::mem::take(&mut self.block)) }
    }

    fn end(mut self) -> Result<()> {
        self.hand_out()
    }
}

/// A block that is read row by row.
struct Reader {
    block: Vec<u8>,
    at: usize,
    table: Table,
    key: Vec<u8>,
    /// Where the value of the row is in the block; `None` if the row is gone.
    value: Option<std::ops::Range<usize>>,
}

impl Reader {
    /// A block in front of its first row.
    fn new(block: Vec<u8>) -> Result<Reader> {
        let table = block.first().and_then(|table| Table::ALL.get(usize::from(*table)));
        let table = *table.ok_or_else(|| damaged("a table that is none"))?;
        Ok(Reader { block, at: 1, table, key: Vec::new(), value: None })
    }

    /// Goes on to the next row; false at the end.
    fn advance(&mut self) -> Result<bool> {
        if self.at == self.block.len() {
            return Ok(false);
        }
        let mut rest = &self.block[self.at..];
        take_key(&mut rest, &mut self.key)?;
        let length = take_length(&mut rest)?;
        let start = self.block.len() - rest.len();
        self.value = length.checked_sub(1).map(|length| start..start.saturating_add(length));
        self.at = self.value.as_ref().map_or(start, |value| value.end);
        if self.at > self.block.len() {
            return Err(damaged("a value is cut short"));
        }
        Ok(true)
    }

    fn value(&self) -> Option<&[u8]> {
        self.value.clone().map(|value| &self.block[value])
    }
}

fn damaged(how: &str) -> Error {
    Error::Corrupt { what: "backup", detail: how.to_owned() }
}
