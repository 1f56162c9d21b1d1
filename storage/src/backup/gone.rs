//! Things that increments say are gone. Their names go with them: no increment names what was erased before it was taken.

use std::collections::BTreeMap;

use roaring::RoaringTreemap;

use super::{Blocks, Source};
use crate::error::Result;
use crate::tables::{Table, key_u32, key_u64};

/// The things that are gone, by tenant. A number is given once in an epoch: what is gone does not come back under it.
#[derive(Debug, Default)]
pub struct Gone(BTreeMap<u32, RoaringTreemap>);

impl Gone {
    /// Reads increments.
    ///
    /// # Errors
    /// `Corrupt` if a block is none; whatever reading fails with.
    pub fn of<B: Blocks>(increments: impl IntoIterator<Item = B>) -> Result<Gone> {
        let mut gone = Gone::default();
        for blocks in increments {
            gone.read(Source::begin(blocks)?)?;
        }
        Ok(gone)
    }

    fn read<B: Blocks>(&mut self, mut source: Source<B>) -> Result<()> {
        while let Some(reader) = &source.reader {
            if reader.table == Table::Things && reader.value().is_none() {
                self.0.entry(key_u32(&reader.key, 0)).or_default().insert(key_u64(&reader.key, 4));
            }
            source.advance()?;
        }
        Ok(())
    }

    /// Whether a row is the name of a thing that is gone.
    pub(super) fn has_name(&self, table: Table, key: &[u8], value: &[u8]) -> bool {
        table == Table::Names
            && self.0.get(&key_u32(key, 0)).is_some_and(|things| things.contains(key_u64(value, 0)))
    }
}
