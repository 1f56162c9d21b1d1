//! Writes a database anew, row by row: no byte of what was deleted or replaced is in the new file.

use super::{BESIDE, Directory, put_database_in_place, remove_database};
use crate::engine::Filling;
use crate::error::Result;
use crate::space::Space;
use crate::store::Store;
use crate::tables::Table;
use crate::tx::Read;
use crate::verify::Report;

use std::fs;
use std::ops::ControlFlow;

/// What compacting did.
#[derive(Clone, Debug)]
pub struct Compacted {
    /// What the new database was found to hold. With problems, it was not put in place.
    pub report: Report,
    /// Bytes of the database's file before,
    pub bytes_before: u64,
    /// and after.
    pub bytes_after: u64,
}

impl Directory {
    /// Writes the database anew and puts it in place whole, once it has been verified. `progress` receives the bytes of
    /// rows written, and then those verified.
    ///
    /// # Errors
    /// `NoSpace` if both would not fit; as for [`Store::open`]. The old database stays where it is then.
    pub fn compact(&self, cache_bytes_max: usize, progress: &mut dyn FnMut(u64)) -> Result<Compacted> {
        let (path, beside) = (self.database(), self.path.join(BESIDE));
        let store = self.open_store(cache_bytes_max, String::new())?;
        let bytes_before = bytes_of(&path)?;
        // The new file is no larger than the old one.
        Space::check(self.path(), bytes_before)?;
        remove_database(&beside)?;
        // What was cut off takes the room that may have been missing.
        let copied = copy(&store, &beside, cache_bytes_max, progress);
        copied.or_else(|error| remove_database(&beside).and(Err(error)))?;
        drop(store);
        let options = self.options(beside.clone(), cache_bytes_max, String::new());
        let report = Store::open(options)?.view()?.verify(progress)?;
        let bytes_after = bytes_of(&beside)?;
        match report.problems.is_empty() {
            true => put_database_in_place(&beside, &path)?,
            false => remove_database(&beside)?,
        }
        Ok(Compacted { report, bytes_before, bytes_after })
    }
}

/// Writes every row of a store to a file that is not there yet.
pub(super) fn copy(
    store: &Store,
    to: &std::path::Path,
    cache_bytes_max: usize,
    progress: &mut dyn FnMut(u64),
) -> Result<()> {
    let (view, mut filling, mut bytes) = (store.view()?, Filling::create(to, cache_bytes_max)?, 0);
    for table in Table::ALL {
        view.scan(*table, &[], None, &mut |key, value| {
            bytes += (key.len() + value.len()) as u64;
            filling.push(*table, key, value)?;
            progress(bytes);
            Ok(ControlFlow::Continue(()))
        })?;
    }
    filling.end()
}

fn bytes_of(path: &std::path::Path) -> Result<u64> {
    fs::metadata(path).map(|file| file.len()).map_err(|error| super::io(path, &error))
}
