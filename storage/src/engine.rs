//! The engine below the tables: redb with a checksum on every row and a journal in front, or memory.
//!
//! redb verifies nothing on ordinary reads, so each value carries a checksum over its table, its key
//! and itself: a flipped bit, a swapped page or a row in the wrong place is an error, not an answer. An older version of a
//! page is none of these. It shows in the checksum that redb keeps of each page in its parent, which is looked at when a
//! store is opened, and by [`crate::Store::check_pages`] of one that is open.

mod ahead;
mod disk;
mod entry;
mod filling;
mod journal;
mod pages;
mod recent;
mod settled;

use std::fs;
use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock, RwLock};

/// A place where an engine keeps its bytes; tests bring one that loses power.
pub use redb::StorageBackend as Backend;
use redb::{Database, TableDefinition};
use xxhash_rust::xxh3::{Xxh3, xxh3_64};

use crate::error::{Error, Result};
use crate::tables::Table;
use crate::tx::{Changes, Memory, Read, Visit, merged};

pub(crate) use disk::{Disk, sync_parent};
pub(crate) use filling::Filling;
pub use pages::Pace;
pub(crate) use pages::Pages;
use recent::Recent;
use settled::Settled;

type Bytes = &'static [u8];
type MakeBackend = Box<dyn Fn(EngineFile) -> Box<dyn Backend> + Send + Sync>;

/// What the engine adds to a value.
pub(crate) const CHECKSUM_BYTES: usize = 4;
/// What helps against damaged pages.
const ADVICE: &str = "restore a backup, or set `checked_bytes_max` to 0 to serve what can still be read";
/// The longest journal: so much, at most, is read again after a crash,
const JOURNAL_BYTES_MAX: u64 = 32 << 20;
/// and of a node with little memory.
const JOURNAL_BYTES_MIN: u64 = 1 << 20;
/// Rows up to this size are laid out in one piece to be hashed: beginning a hash in pieces costs more.
const ONE_PIECE_BYTES_MAX: usize = 512;

/// A file of an engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum EngineFile {
    /// What redb keeps.
    Database,
    /// What was committed and is not in there yet.
    Journal,
}

/// How the engine keeps its bytes.
pub enum EngineOptions {
    /// In files of a data directory.
    File {
        /// The database file; the journal is beside it, under its name and `.journal`.
        path: PathBuf,
        /// Most bytes of pages kept in memory. What the journal has is kept beside them: a quarter as much, as bytes of the journal.
        cache_bytes_max: usize,
        /// A file of up to so many bytes is checked page by page before a store begins with it.
        checked_bytes_max: u64,
    },
    /// Behind backends that are made anew for each opening.
    Backend {
        /// Makes one.
        make: MakeBackend,
        /// Whether a database is checked page by page before a store begins with it.
        checked: bool,
        /// The longest journal, in bytes.
        journal_bytes_max: u64,
    },
    /// In memory, gone with the process.
    Memory,
}

impl std::fmt::Debug for EngineOptions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            EngineOptions::File { path, .. } => f.debug_tuple("File").field(path).finish(),
            EngineOptions::Backend { .. } => f.write_str("Backend"),
            EngineOptions::Memory => f.write_str("Memory"),
        }
    }
}

impl EngineOptions {
    /// What is in the journal is in memory as well.
    fn journal_bytes_max(&self) -> u64 {
        match self {
            EngineOptions::File { cache_bytes_max, .. } => {
                (*cache_bytes_max as u64 / 4).clamp(JOURNAL_BYTES_MIN, JOURNAL_BYTES_MAX)
            }
            EngineOptions::Backend { journal_bytes_max, .. } => *journal_bytes_max,
            EngineOptions::Memory => 0,
        }
    }
}

/// The journal of a database file.
pub(crate) fn journal_of(database: &Path) -> PathBuf {
    let mut name = database.as_os_str().to_owned();
    name.push(".journal");
    PathBuf::from(name)
}

/// An open engine.
pub(crate) enum Engine {
    Disk(Disk),
    Memory(RwLock<Arc<Memory>>),
}

/// A database that is closed with care: closing commits, and on damaged pages redb panics in it.
pub(crate) struct Closing(Option<Database>);

impl Closing {
    fn open(&self) -> &Database {
        self.0.as_ref().expect("taken only when dropped")
    }
}

impl Drop for Closing {
    fn drop(&mut self) {
        let database = self.0.take();
        // There is nobody to tell: what was acknowledged is durable, and opening it checks the rest.
        let _ = catch_unwind(AssertUnwindSafe(|| drop(database)));
    }
}

/// Why the engine is of no more use, if it is. redb refuses everything, reads too, from its first
/// failed operation on, and nobody knows what a panic left behind: both end with a new opening.
type Broken = Arc<OnceLock<String>>;

/// An unchanging picture of the tables.
pub(crate) enum Snapshot {
    /// What the database has, over it what it is taking in, and what came since.
    Disk {
        settled: Arc<Settled>,
        taking: Recent,
        recent: Recent,
        broken: Broken,
    },
    Memory(Arc<Memory>),
}

impl Engine {
    /// Opens what is there, or makes it.
    pub(crate) fn open(options: &EngineOptions) -> Result<Engine> {
        Engine::open_checked(options, false)
    }

    /// The same for a store that begins with it: every page is looked at, if the options ask for it.
    pub(crate) fn begin(options: &EngineOptions) -> Result<Engine> {
        let checked = match options {
            EngineOptions::File { path, checked_bytes_max, .. } => {
                fs::metadata(path).is_ok_and(|file| file.len() <= *checked_bytes_max)
            }
            EngineOptions::Backend { checked, .. } => *checked,
            EngineOptions::Memory => false,
        };
        match Engine::open_checked(options, checked) {
            Err(Error::Corrupt { what: what @ "database", detail }) if checked => Err(Error::Corrupt {
                what,
                detail: format!("a page is damaged, or an older version of itself ({detail}); {ADVICE}"),
            }),
            opened => opened,
        }
    }

    fn open_checked(options: &EngineOptions, checked: bool) -> Result<Engine> {
        match options {
            EngineOptions::Memory => Ok(Engine::Memory(RwLock::default())),
            on_disk => Disk::open(on_disk, checked).map(Engine::Disk),
        }
    }

    /// Why the engine must be opened anew, if it must.
    pub(crate) fn broken(&self) -> Option<&str> {
        match self {
            Engine::Disk(disk) => disk.broken(),
            Engine::Memory(_) => None,
        }
    }

    /// Makes the changes durable, all or none.
    pub(crate) fn commit(&self, changes: Vec<Changes>) -> Result<()> {
        match self {
            Engine::Disk(disk) => disk.commit(changes),
            Engine::Memory(memory) => {
                let mut memory = memory.write().map_err(|_| lock_broken())?;
                Arc::make_mut(&mut memory).apply(changes);
                Ok(())
            }
        }
    }

    /// How many bytes the database's file may grow by when it takes in what is in the journal alone.
    pub(crate) fn settling_bytes(&self) -> u64 {
        match self {
            Engine::Disk(disk) => disk.settling_bytes(),
            Engine::Memory(_) => 0,
        }
    }

    /// Whether the database should take in what the journal has before that is full.
    pub(crate) fn is_filling(&self) -> bool {
        match self {
            Engine::Disk(disk) => disk.is_filling(),
            Engine::Memory(_) => false,
        }
    }

    /// Has the database take in what was committed so far, beside others who commit.
    pub(crate) fn take_in(&self) -> Result<()> {
        match self {
            Engine::Disk(disk) => disk.take_in(),
            Engine::Memory(_) => Ok(()),
        }
    }

    /// Has the database's file hold everything that was committed.
    pub(crate) fn settle(&self) -> Result<()> {
        match self {
            Engine::Disk(disk) => disk.settle(),
            Engine::Memory(_) => Ok(()),
        }
    }

    pub(crate) fn snapshot(&self) -> Result<Snapshot> {
        match self {
            Engine::Disk(disk) => Ok(disk.snapshot()),
            Engine::Memory(memory) => {
                Ok(Snapshot::Memory(Arc::clone(&*memory.read().map_err(|_| lock_broken())?)))
            }
        }
    }
}

impl Read for Snapshot {
    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>> {
        match self {
            Snapshot::Disk { settled, taking, recent, broken } => {
                match recent.get(table, key).or_else(|| taking.get(table, key)) {
                    Some(value) => Ok(value.map(<[u8]>::to_vec)),
                    None => guard("reading", broken, || settled.get(table, key)),
                }
            }
            Snapshot::Memory(memory) => memory.get(table, key),
        }
    }

    fn scan(&self, table: Table, from: &[u8], to: Option<&[u8]>, visit: Visit<'_>) -> Result<()> {
        match self {
            Snapshot::Disk { settled, taking, recent, broken } => apart(visit, |visit| {
                let settled = |visit: Visit<'_>| settled.scan(table, from, to, visit);
                let base = |visit: Visit<'_>| merged::scan(taking.range(table, from, to), settled, visit);
                guard("reading", broken, || merged::scan(recent.range(table, from, to), base, visit))
            }),
            Snapshot::Memory(memory) => memory.scan(table, from, to, visit),
        }
    }

    fn last_at(&self, table: Table, from: &[u8], at: &[u8]) -> Result<Option<(Vec<u8>, Vec<u8>)>> {
        match self {
            Snapshot::Disk { settled, taking, recent, broken } => guard("reading", broken, || {
                let settled = |at: &[u8]| settled.last_at(table, from, at);
                let base =
                    |at: &[u8]| merged::last_at(from, at, settled, |at| taking.last_at(table, from, at));
                merged::last_at(from, at, base, |at| recent.last_at(table, from, at))
            }),
            Snapshot::Memory(memory) => memory.last_at(table, from, at),
        }
    }
}

/// A value as it is stored, laid out in `room`.
fn summed<'r>(room: &'r mut Vec<u8>, table: Table, key: &[u8], value: &[u8]) -> &'r [u8] {
    room.clear();
    room.extend_from_slice(value);
    room.extend_from_slice(&checksum(table, key, value));
    room
}

/// Damaged pages can make redb panic; at this edge a panic becomes an error, and marks the engine.
fn guard<T>(doing: &'static str, broken: &Broken, act: impl FnOnce() -> Result<T>) -> Result<T> {
    let marked = |error: Error| {
        broken.get_or_init(|| error.to_string());
        error
    };
    match catch_unwind(AssertUnwindSafe(act)) {
        Ok(Err(error @ Error::Io(_))) => Err(marked(error)),
        Ok(result) => result,
        Err(panic) => Err(marked(panicked(doing, &*panic))),
    }
}

/// Keeps the visitor's own failures and panics apart from those of the engine that calls it.
fn apart(visit: Visit<'_>, scan: impl FnOnce(Visit<'_>) -> Result<()>) -> Result<()> {
    let mut ended = None;
    let scanned = scan(&mut |key, value| {
        match catch_unwind(AssertUnwindSafe(|| visit(key, value))) {
            Ok(Ok(flow)) => return Ok(flow),
            Ok(Err(error)) => ended = Some(Ok(error)),
            Err(panic) => ended = Some(Err(panic)),
        }
        Ok(ControlFlow::Break(()))
    });
    match ended {
        None => scanned,
        Some(Ok(error)) => Err(error),
        Some(Err(panic)) => resume_unwind(panic),
    }
}

fn verified<'v>(table: Table, key: &[u8], stored: &'v [u8]) -> Result<&'v [u8]> {
    let split = stored.len().checked_sub(CHECKSUM_BYTES).map(|at| stored.split_at(at));
    match split {
        Some((value, sum)) if sum == checksum(table, key, value) => Ok(value),
        _ => Err(Error::Corrupt { what: table.name(), detail: format!("checksum of row {}", hex(key)) }),
    }
}

/// Half of an XXH3-64 over table, key and value.
fn checksum(table: Table, key: &[u8], value: &[u8]) -> [u8; CHECKSUM_BYTES] {
    let place = [table as u8, key.len() as u8];
    let sum = if key.len() + value.len() <= ONE_PIECE_BYTES_MAX - place.len() {
        let mut piece = [0; ONE_PIECE_BYTES_MAX];
        let mut end = 0;
        for part in [&place, key, value] {
            piece[end..end + part.len()].copy_from_slice(part);
            end += part.len();
        }
        xxh3_64(&piece[..end])
    } else {
        let mut hash = Xxh3::new();
        hash.update(&place);
        hash.update(key);
        hash.update(value);
        hash.digest()
    };
    (sum as u32).to_be_bytes()
}

fn definition(table: Table) -> TableDefinition<'static, Bytes, Bytes> {
    TableDefinition::new(table.name())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().take(64).map(|byte| format!("{byte:02x}")).collect()
}

fn io(error: impl Into<redb::Error>) -> Error {
    match error.into() {
        redb::Error::DatabaseAlreadyOpen => Error::InUse { path: PathBuf::new(), pid: 0 },
        redb::Error::Corrupted(detail) => Error::Corrupt { what: "database", detail },
        error => Error::Io(error.to_string()),
    }
}

fn panicked(doing: &'static str, panic: &(dyn std::any::Any + Send)) -> Error {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    let text = text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_default();
    Error::Corrupt { what: "database", detail: format!("{doing} met damaged pages: {text}") }
}

fn lock_broken() -> Error {
    Error::Io("a thread panicked while it held the tables".to_owned())
}

/// Lets a boxed backend stand where redb wants a type.
#[derive(Debug)]
struct Boxed(Box<dyn Backend>);

impl redb::StorageBackend for Boxed {
    fn len(&self) -> std::result::Result<u64, std::io::Error> {
        self.0.len()
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> std::result::Result<(), std::io::Error> {
        self.0.read(offset, out)
    }

    fn set_len(&self, len: u64) -> std::result::Result<(), std::io::Error> {
        self.0.set_len(len)
    }

    fn sync_data(&self) -> std::result::Result<(), std::io::Error> {
        self.0.sync_data()
    }

    fn write(&self, offset: u64, data: &[u8]) -> std::result::Result<(), std::io::Error> {
        self.0.write(offset, data)
    }

    fn close(&self) -> std::result::Result<(), std::io::Error> {
        self.0.close()
    }
}

#[cfg(test)]
mod tests;
