//! The space gate: writes are refused while there is still room, because an engine that has met a full
//! disk has to be closed and opened again.

use std::path::Path;

use crate::error::{Error, Result};

/// Writes stop when less than this is free.
const FREE_BYTES_MIN: u64 = 64 * 1024 * 1024;
/// And when less than so many batches of this size would fit.
const BATCHES_MIN: u64 = 8;

/// Refuses a batch of `batch_bytes` if the disk under `directory` is nearly full.
pub(crate) fn check(directory: &Path, batch_bytes: u64) -> Result<()> {
    let disk = rustix::fs::statvfs(directory).map_err(|error| Error::Io(error.to_string()))?;
    let free_bytes = disk.f_bavail.saturating_mul(disk.f_frsize);
    let needed_bytes = FREE_BYTES_MIN.max(batch_bytes.saturating_mul(BATCHES_MIN));
    if free_bytes < needed_bytes {
        return Err(Error::NoSpace { free_bytes, needed_bytes });
    }
    Ok(())
}
