//! The space gate: writes are refused while there is still room, because an engine that has met a full
//! disk has to be closed and opened again.
//!
//! Others can fill the disk all the same. Then what cannot wait ([`Command::is_urgent`]) still has a way out: the
//! ballast, a file of nothing that is given up for it, and made again when there is room.
//!
//! [`Command::is_urgent`]: crate::commands::Command::is_urgent

use std::fs::{self, File};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};

/// Writes stop when less than this is free,
const FREE_BYTES_MIN: u64 = 64 * 1024 * 1024;
/// and those that cannot wait when less than this is.
const URGENT_FREE_BYTES_MIN: u64 = 8 * 1024 * 1024;
/// And when less than so many batches of this size would fit.
const BATCHES_MIN: u64 = 8;
/// The size of the ballast.
const BALLAST_BYTES: u64 = 32 * 1024 * 1024;
/// The ballast is made when so much more is free than writes need: it is never what makes them stop.
const BALLAST_FREE_BYTES_MIN: u64 = 4 * FREE_BYTES_MIN;

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
        Ok(Space { free_bytes: free_bytes(directory)?, needed_bytes: FREE_BYTES_MIN })
    }

    /// Refuses if so many bytes would not fit under a directory beside what writes need.
    ///
    /// # Errors
    /// `NoSpace`; `Io` if the disk cannot be asked.
    pub(crate) fn check(directory: &Path, bytes: u64) -> Result<()> {
        require(directory, free_bytes(directory)?, FREE_BYTES_MIN + bytes)
    }
}

/// How soon a batch has to be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Haste {
    /// It may be refused on a disk that is nearly full.
    CanWait,
    /// It is written as long as it fits at all.
    CannotWait,
}

/// Refuses writes on a disk that is nearly full.
#[derive(Debug)]
pub(crate) struct Gate {
    directory: PathBuf,
}

impl Gate {
    pub(crate) fn new(directory: PathBuf) -> Gate {
        Gate { directory }
    }

    /// What is free, in bytes.
    pub(crate) fn free_bytes(&self) -> Result<u64> {
        free_bytes(&self.directory)
    }

    /// Lets a batch of so many bytes pass if there is room for it where so much is `free`.
    pub(crate) fn check(&self, free: u64, batch_bytes: u64, haste: Haste) -> Result<()> {
        let batches = batch_bytes.saturating_mul(BATCHES_MIN);
        match haste {
            Haste::CanWait => {
                self.require(free, batches.max(FREE_BYTES_MIN))?;
                if free >= BALLAST_FREE_BYTES_MIN {
                    self.take_ballast();
                }
                Ok(())
            }
            Haste::CannotWait => {
                let needed = batches.max(URGENT_FREE_BYTES_MIN);
                if free < needed {
                    self.drop_ballast()?;
                }
                self.require(self.free_bytes()?, needed)
            }
        }
    }

    /// Refuses where there is not even room for what was committed and is not in the database yet.
    pub(crate) fn check_settling(&self, free: u64, settling_bytes: u64) -> Result<()> {
        self.require(free, settling_bytes)
    }

    fn require(&self, free: u64, needed: u64) -> Result<()> {
        require(&self.directory, free, needed)
    }

    /// Whether there is little more room than that needs.
    pub(crate) fn is_tight(free: u64, settling_bytes: u64) -> bool {
        free < FREE_BYTES_MIN + settling_bytes
    }

    fn ballast(&self) -> PathBuf {
        self.directory.join("ballast")
    }

    fn drop_ballast(&self) -> Result<()> {
        match fs::remove_file(self.ballast()) {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(self.failed(&error)),
            _ => Ok(()),
        }
    }

    /// Makes the ballast, if it is not there. Where that cannot be done there is none: no write is refused for it.
    fn take_ballast(&self) {
        if self.ballast().exists() {
            return;
        }
        let made = File::create(self.ballast()).is_ok_and(|file| {
            rustix::fs::fallocate(&file, rustix::fs::FallocateFlags::empty(), 0, BALLAST_BYTES).is_ok()
        });
        if !made {
            let _ = self.drop_ballast();
        }
    }

    fn failed(&self, error: &std::io::Error) -> Error {
        Error::io(&self.ballast(), error)
    }
}

fn require(directory: &Path, free_bytes: u64, needed_bytes: u64) -> Result<()> {
    match free_bytes < needed_bytes {
        true => Err(Error::NoSpace { path: directory.to_owned(), free_bytes, needed_bytes }),
        false => Ok(()),
    }
}

fn free_bytes(directory: &Path) -> Result<u64> {
    let disk = rustix::fs::statvfs(directory).map_err(|error| Error::io(directory, &error.into()))?;
    Ok(disk.f_bavail.saturating_mul(disk.f_frsize))
}
