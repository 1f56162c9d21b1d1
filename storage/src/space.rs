//! The space gate: writes are refused while there is still room, because an engine that has met a full
//! disk has to be closed and opened again.

use std::path::Path;

use crate::error::{Error, Result};

/// Writes stop when less than this is free.
const FREE_BYTES_MIN: u64 = 64 * 1024 * 1024;
/// And when less than so many batches of this size would fit.
const BATCHES_MIN: u64 = 8;

/// How much room there is, and how much writes need.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Space {
    /// What is free, in bytes.
    pub free_bytes: u64,
    /// Below this, in bytes, writes stop.
    pub needed_bytes: u64,
}

impl Space {
    /// The disk under a directory.
    ///
    /// # Errors
    /// `Io` if it cannot be asked.
    pub fn under(directory: &Path) -> Result<Space> {
        let disk = rustix::fs::statvfs(directory).map_err(|error| Error::Io(error.to_string()))?;
        let free_bytes = disk.f_bavail.saturating_mul(disk.f_frsize);
        Ok(Space { free_bytes, needed_bytes: FREE_BYTES_MIN })
    }
}

/// Refuses a batch of `batch_bytes` if the disk under `directory` is nearly full.
pub(crate) fn check(directory: &Path, batch_bytes: u64) -> Result<()> {
    let Space { free_bytes, needed_bytes } = Space::under(directory)?;
    let needed_bytes = needed_bytes.max(batch_bytes.saturating_mul(BATCHES_MIN));
    if free_bytes < needed_bytes {
        return Err(Error::NoSpace { free_bytes, needed_bytes });
    }
    Ok(())
}
