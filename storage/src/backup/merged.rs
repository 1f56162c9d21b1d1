//! A full backup and the increments on it, as one row of rows: of each key the newest.

use super::{Gone, Reader, TakeRow, damaged};
use crate::error::Result;
use crate::tables::Table;

/// Where blocks come from, in order.
pub trait Blocks {
    /// The next block; `None` at the end.
    ///
    /// # Errors
    /// Whatever reading it fails with.
    fn next(&mut self) -> Result<Option<Vec<u8>>>;
}

/// Backups that are read together.
pub struct Merged<B> {
    /// The oldest first.
    sources: Vec<Source<B>>,
    gone: Gone,
}

pub(super) struct Source<B> {
    blocks: B,
    /// The row that is next; `None` at the end.
    pub(super) reader: Option<Reader>,
}

impl<B: Blocks> Merged<B> {
    /// Begins to read a full backup and its increments, oldest first, which say what is `gone`.
    ///
    /// # Errors
    /// `Corrupt` if a block is none; whatever reading fails with.
    pub fn new(sources: impl IntoIterator<Item = B>, gone: Gone) -> Result<Merged<B>> {
        Ok(Merged { sources: sources.into_iter().map(Source::begin).collect::<Result<_>>()?, gone })
    }

    /// Visits the rows that there are in the end, table by table and in order.
    ///
    /// # Errors
    /// As for [`Merged::new`], and whatever the visitor returns.
    pub fn each(mut self, visit: TakeRow<'_>) -> Result<()> {
        let mut last: Option<(Table, Vec<u8>)> = None;
        while let Some(newest) = self.first_row() {
            let (older, newer) = self.sources.split_at_mut(newest);
            let reader = newer[0].reader.as_ref().expect("the first row has a reader");
            let (table, key) = (reader.table, reader.key.as_slice());
            if last
                .as_ref()
                .is_some_and(|(before, key_before)| (*before, key_before.as_slice()) >= (table, key))
            {
                return Err(damaged("rows are out of order"));
            }
            if let Some(value) = reader.value()
                && !self.gone.has_name(table, key, value)
            {
                visit(table, key, value)?;
            }
            for source in older.iter_mut().filter(|source| source.row() == Some((table, key))) {
                source.advance()?;
            }
            let (before, key_before) = last.get_or_insert_with(|| (table, Vec::new()));
            *before = table;
            key_before.clear();
            key_before.extend_from_slice(key);
            newer[0].advance()?;
        }
        Ok(())
    }

    /// The source of the first row; of several the newest.
    fn first_row(&self) -> Option<usize> {
        let mut first: Option<(usize, (Table, &[u8]))> = None;
        for (place, source) in self.sources.iter().enumerate() {
            if let Some(row) = source.row()
                && first.is_none_or(|(_, best)| row <= best)
            {
                first = Some((place, row));
            }
        }
        first.map(|(place, _)| place)
    }
}

impl<B: Blocks> Source<B> {
    /// Blocks in front of their first row.
    pub(super) fn begin(blocks: B) -> Result<Source<B>> {
        let mut source = Source { blocks, reader: None };
        source.next_block()?;
        Ok(source)
    }

    fn row(&self) -> Option<(Table, &[u8])> {
        self.reader.as_ref().map(|reader| (reader.table, reader.key.as_slice()))
    }

    pub(super) fn advance(&mut self) -> Result<()> {
        let has_more = self.reader.as_mut().map_or(Ok(false), Reader::advance)?;
        if has_more { Ok(()) } else { self.next_block() }
    }

    fn next_block(&mut self) -> Result<()> {
        self.reader = self.blocks.next()?.map(Reader::new).transpose()?;
        let has_row = self.reader.as_mut().map_or(Ok(true), Reader::advance)?;
        if has_row { Ok(()) } else { Err(damaged("a block without a row")) }
    }
}
