//! Every page of a database that is open, held against the checksum that its parent has of it, while others read and write.
//!
//! redb looks at these checksums only when it opens a file. So it is given one to open: what the file held at a commit. Pages
//! of the rows stay as they are for as long as somebody reads that commit. Those of redb's own tables (which pages are free)
//! do not, but are few: they are looked at first, while nobody writes.
//!
//! Whoever opens a file is told by its header where both trees begin; here the header says so of one tree at a time. That is
//! all that is known of redb's format, and a test opens what it was changed to. Nothing is ever written.

use std::fs::File;
use std::io;
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use redb::{Database, DatabaseError, StorageBackend};
use xxhash_rust::xxh3::xxh3_128;

use super::ahead::Ahead;
use super::{Backend, EngineFile, EngineOptions, panicked};
use crate::error::{Error, Result};

/// Hears how many bytes were read so far. It may take its time, and end the reading.
pub type Pace = Box<dyn Fn(u64) -> Result<()> + Send + Sync>;

/// Page cache while pages are looked at: each is needed once.
const CACHE_BYTES: usize = 1 << 20;
/// How much is read between two words about it.
const TOLD_EVERY_BYTES: u64 = 1 << 20;
/// redb has verified the pages of a file when its repair is so far; where they do not fit it stops before that.
const VERIFIED: f64 = 0.5;

/// The header: a byte of flags, of which the lowest bit tells which of two slots counts,
const HEADER_BYTES: u64 = 4096;
const FLAGS_AT: usize = 9;
const SLOTS: [Range<usize>; 2] = [64..192, 192..320];
/// and in a slot whether there are rows, whether there are tables of redb's own, and behind all that a checksum.
const HAS_ROWS_AT: usize = 1;
const HAS_SYSTEM_AT: usize = 2;
const SUM_AT: usize = 112;

/// A database as it was at a commit.
pub(crate) struct Pages {
    file: Arc<Source>,
    bytes: u64,
    header: Vec<u8>,
}

/// Where its bytes are.
#[derive(Debug)]
enum Source {
    File(Ahead),
    Backend(Box<dyn Backend>),
}

impl Pages {
    /// The database as it is now; nobody must write meanwhile. `None` of one that is nowhere but in memory.
    pub(crate) fn begin(options: &EngineOptions) -> Result<Option<Pages>> {
        let file = match options {
            EngineOptions::File { path, .. } => {
                Source::File(Ahead::new(File::open(path).map_err(io_failed)?))
            }
            EngineOptions::Backend { make, .. } => Source::Backend(make(EngineFile::Database)),
            EngineOptions::Memory => return Ok(None),
        };
        let bytes = file.len().map_err(io_failed)?;
        let mut header = vec![0; HEADER_BYTES.min(bytes) as usize];
        file.read(0, &mut header).map_err(io_failed)?;
        match is_whole(&header) {
            true => Ok(Some(Pages { file: Arc::new(file), bytes, header })),
            false => Err(damaged("its header does not match its checksum")),
        }
    }

    /// Looks at the pages of redb's own tables. Nobody must write until this is done.
    pub(crate) fn check_system(&self) -> Result<()> {
        self.check(HAS_ROWS_AT, Box::new(|_| Ok(())))
    }

    /// Looks at the pages of the rows. Somebody must have the commit in view until this is done.
    pub(crate) fn check_rows(&self, pace: Pace) -> Result<()> {
        self.check(HAS_SYSTEM_AT, pace)
    }

    /// Has redb open the file, less one of its trees, and stop when it has verified it.
    fn check(&self, without: usize, pace: Pace) -> Result<()> {
        let read = Arc::new(Reading {
            file: Arc::clone(&self.file),
            bytes: self.bytes,
            header: Mutex::new(less(self.header.clone(), without)),
            last: AtomicU64::new(0),
            read: AtomicU64::new(0),
            pace,
            ended: Mutex::default(),
        });
        let is_verified = Arc::new(AtomicBool::new(false));
        let verified = Arc::clone(&is_verified);
        let mut builder = Database::builder();
        builder.set_cache_size(CACHE_BYTES).set_check_integrity_on_open(true).set_repair_callback(
            move |at| {
                verified.fetch_or(at.progress() > VERIFIED, Ordering::Relaxed);
                if at.progress() > 0.0 {
                    at.abort();
                }
            },
        );
        let backend = AsOfThen(Arc::clone(&read));
        let opened = catch_unwind(AssertUnwindSafe(|| builder.create_with_backend(backend).map(drop)));
        if let Some(ended) = read.ended().take() {
            return Err(ended);
        }
        match opened.map_err(|panic| panicked("reading pages", &*panic))? {
            // Nothing was ever written to it.
            Ok(()) => Ok(()),
            Err(DatabaseError::RepairAborted) if is_verified.load(Ordering::Relaxed) => Ok(()),
            Err(error) => Err(read.mismatch(&error)),
        }
    }
}

/// The header, without a tree.
fn less(mut header: Vec<u8>, tree_at: usize) -> Vec<u8> {
    let at = slot(header[FLAGS_AT]);
    let slot = &mut header[at];
    slot[tree_at] = 0;
    let sum = xxh3_128(&slot[..SUM_AT]);
    slot[SUM_AT..].copy_from_slice(&sum.to_le_bytes());
    header
}

fn is_whole(header: &[u8]) -> bool {
    let slot = header.get(FLAGS_AT).and_then(|flags| header.get(slot(*flags)));
    slot.is_some_and(|slot| slot[SUM_AT..] == xxh3_128(&slot[..SUM_AT]).to_le_bytes())
}

fn slot(flags: u8) -> Range<usize> {
    SLOTS[usize::from(flags & 1)].clone()
}

impl Source {
    fn len(&self) -> io::Result<u64> {
        match self {
            Source::File(file) => file.len(),
            Source::Backend(backend) => backend.len(),
        }
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        match self {
            Source::File(file) => file.read(offset, out),
            Source::Backend(backend) => backend.read(offset, out),
        }
    }
}

/// A reading of all pages.
struct Reading {
    file: Arc<Source>,
    bytes: u64,
    /// Opening a file marks its header.
    header: Mutex<Vec<u8>>,
    /// Where the last page was that was read: of those that do not fit nothing is read any more.
    last: AtomicU64,
    read: AtomicU64,
    pace: Pace,
    /// Why the reading was ended, if it was.
    ended: Mutex<Option<Error>>,
}

impl Reading {
    fn header(&self) -> MutexGuard<'_, Vec<u8>> {
        self.header.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn ended(&self) -> MutexGuard<'_, Option<Error>> {
        self.ended.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reads a page. Why it cannot be read is kept: of whatever else redb says the page is the reason.
    fn page(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let read = self.count(offset, out.len() as u64).and_then(|()| match self.file.read(offset, out) {
            Err(error) if error.kind() != io::ErrorKind::UnexpectedEof => Err(io_failed(error)),
            read => Ok(read),
        });
        read.unwrap_or_else(|error| {
            let told = io::Error::other(error.to_string());
            *self.ended() = Some(error);
            Err(told)
        })
    }

    fn count(&self, offset: u64, bytes: u64) -> Result<()> {
        self.last.store(offset, Ordering::Relaxed);
        let before = self.read.fetch_add(bytes, Ordering::Relaxed);
        let is_told = (before + bytes) / TOLD_EVERY_BYTES > before / TOLD_EVERY_BYTES;
        if is_told { (self.pace)(before + bytes) } else { Ok(()) }
    }

    fn mismatch(&self, why: &DatabaseError) -> Error {
        let at = self.last.load(Ordering::Relaxed);
        damaged(&format!("the page at byte {at} is damaged, or an older version of itself ({why})"))
    }
}

/// What redb is given to open.
struct AsOfThen(Arc<Reading>);

impl std::fmt::Debug for AsOfThen {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.file.fmt(f)
    }
}

impl StorageBackend for AsOfThen {
    fn len(&self) -> io::Result<u64> {
        Ok(self.0.bytes)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let length = out.len() as u64;
        if offset + length <= HEADER_BYTES {
            out.copy_from_slice(&self.0.header()[offset as usize..(offset + length) as usize]);
            return Ok(());
        }
        self.0.page(offset, out)
    }

    fn set_len(&self, _len: u64) -> io::Result<()> {
        Err(written())
    }

    fn sync_data(&self) -> io::Result<()> {
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        let end = offset as usize + data.len();
        match self.0.header().get_mut(offset as usize..end) {
            Some(header) => {
                header.copy_from_slice(data);
                Ok(())
            }
            None => Err(written()),
        }
    }
}

fn written() -> io::Error {
    io::Error::other("pages are only looked at")
}

fn io_failed(error: io::Error) -> Error {
    Error::Io(format!("reading pages: {error}"))
}

fn damaged(how: &str) -> Error {
    Error::Corrupt { what: "database", detail: how.to_owned() }
}
