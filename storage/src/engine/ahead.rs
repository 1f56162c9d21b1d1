//! Reading ahead, by little at a time.
//!
//! A kernel that sees a file read in order reads ahead as much as its device is set to, which may be megabytes; meanwhile the sync
//! of a commit waits behind them. A backup, or whoever goes through a table, is as fast with far less.

use std::fs::{File, OpenOptions};
use std::io;
use std::num::NonZeroU64;
use std::ops::Bound;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use redb::backends::FileBackend;
use redb::{BackendError, DatabaseError, StorageBackend};
use rustix::fs::{Advice, fadvise};

/// So much is read ahead at a time.
const WINDOW_BYTES: u64 = 128 << 10;

/// A file of which only so much is read ahead.
#[derive(Debug)]
pub(super) struct Ahead {
    file: File,
    /// Where the last reading ended.
    read_to: AtomicU64,
    /// How far the file was read ahead.
    ahead_to: AtomicU64,
}

impl Ahead {
    pub(super) fn new(file: File) -> Ahead {
        // It is advice: a file system that takes none reads ahead as it likes.
        let _ = fadvise(&file, 0, None, Advice::Random);
        Ahead { file, read_to: AtomicU64::new(0), ahead_to: AtomicU64::new(0) }
    }

    pub(super) fn len(&self) -> io::Result<u64> {
        Ok(self.file.metadata()?.len())
    }

    pub(super) fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        // Where it is to read a damaged page may have told.
        self.read_ahead(offset, offset.saturating_add(out.len() as u64));
        self.file.read_exact_at(out, offset)
    }

    /// Who reads at the same time may be taken for one who reads in order, or not be: it is about speed alone.
    fn read_ahead(&self, offset: u64, end: u64) {
        let (before, ahead) =
            (self.read_to.swap(end, Ordering::Relaxed), self.ahead_to.load(Ordering::Relaxed));
        let is_near = |from: u64| offset.checked_sub(from).is_some_and(|distance| distance < WINDOW_BYTES);
        if !is_near(before) && !is_near(ahead.saturating_sub(WINDOW_BYTES)) {
            return;
        }
        let left = ahead.checked_sub(end).filter(|left| *left <= WINDOW_BYTES);
        if left.is_some_and(|left| left > WINDOW_BYTES / 2) {
            return;
        }
        let from = left.map_or(end, |_| ahead);
        self.ahead_to.store(from.saturating_add(WINDOW_BYTES), Ordering::Relaxed);
        let _ = fadvise(&self.file, from, NonZeroU64::new(WINDOW_BYTES), Advice::WillNeed);
    }
}

/// The file of a database.
#[derive(Debug)]
pub(super) struct DatabaseFile {
    backend: FileBackend,
    ahead: Ahead,
}

impl DatabaseFile {
    /// Opens a file, or makes it; who puts it in place makes its name durable.
    pub(super) fn open(path: &Path) -> Result<DatabaseFile, DatabaseError> {
        let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path)?;
        Ok(DatabaseFile { ahead: Ahead::new(file.try_clone()?), backend: FileBackend::new(file)? })
    }
}

impl StorageBackend for DatabaseFile {
    fn len(&self) -> io::Result<u64> {
        self.backend.len()
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.ahead.read(offset, out)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.backend.set_len(len)
    }

    fn sync_data(&self) -> io::Result<()> {
        self.backend.sync_data()
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.backend.write(offset, data)
    }

    fn close(&self) -> io::Result<()> {
        self.backend.close()
    }

    fn try_lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<bool, BackendError> {
        self.backend.try_lock_range(start, end)
    }

    fn unlock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        self.backend.unlock_range(start, end)
    }
}
