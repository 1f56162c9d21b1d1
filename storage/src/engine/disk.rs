//! An engine on a disk: redb, and in front of it a journal.
//!
//! A commit is durable in the journal, and readers find it in memory, over what redb has. When the journal is full redb takes in all
//! of it in one transaction, and again when it is closed. A commit that is too large for the journal goes to redb at once.
//!
//! Whoever commits waits for that, so redb can be had to take in most of it before, while others commit: what is left in the journal
//! then is passed over after a crash.

use std::fs::{File, OpenOptions};
use std::io::ErrorKind;
use std::ops::Bound;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError};

use prost::Message;
use redb::backends::FileBackend;
use redb::{Database, ReadableDatabase, ReadableTable, TableDefinition, WriteTransaction};
use xxhash_rust::xxh3::xxh3_64;

use super::ahead::DatabaseFile;
use super::journal::{Journal, Mark};
use super::{
    Backend, Boxed, Broken, Closing, EngineFile, EngineOptions, Pages, Recent, Settled, Snapshot, definition,
    guard, io, journal_of, panicked, summed,
};
use crate::error::{Error, Result};
use crate::tables::Table;
use crate::tx::Changes;
use crate::tx::merged::Change;

/// The database takes in what the journal has when so many rows were removed: it has them all the same, and who looks for the first of a
/// table that is emptied from its front passes over each.
const REMOVED_MAX: usize = 2048;
/// What the database's file may grow by for a row: few may share a page.
const ROW_BYTES: u64 = 4096;

/// What the database says of its journal: one row, beside the tables of the store.
const MARK: TableDefinition<'static, &[u8], &[u8]> = TableDefinition::new("journal");
const SUM_BYTES: usize = 8;

pub(crate) struct Disk {
    // Dropped in this order: what reads the database before it, and the database before anybody else may have the journal.
    // Locked in this order: the journal, the turn to write to the database, what is shown.
    shown: Mutex<Shown>,
    turn: Mutex<()>,
    is_filling: AtomicBool,
    database: Closing,
    journal: Mutex<Journal>,
    broken: Broken,
}

/// What readers see: all that was committed. What the database has, over that what it is taking in, and over both what came since.
struct Shown {
    settled: Arc<Settled>,
    taking: Recent,
    recent: Recent,
}

impl Disk {
    /// Opens what is there, or makes it, and reads again what only the journal holds.
    pub(super) fn open(options: &EngineOptions, checked: bool) -> Result<Disk> {
        let opened = catch_unwind(AssertUnwindSafe(|| {
            if !checked {
                check_free_pages(options)?;
            }
            let database = Closing(Some(open_database(options, checked)?));
            let (journal, bytes_max) = (open_journal(options)?, options.journal_bytes_max());
            let mut recent = Recent::none();
            let journal = match mark(database.open())? {
                Some(mark) if mark.is_open => {
                    Journal::recover(journal, bytes_max, mark, &mut |changes| recent.add(changes))?
                }
                mark => Journal::at_rest(journal, bytes_max, mark.map_or(0, |mark| mark.round)),
            };
            let settled = Arc::new(Settled::of(database.open())?);
            let shown = Mutex::new(Shown { settled, taking: Recent::none(), recent });
            let (turn, is_filling, broken) = Default::default();
            Ok(Disk { shown, turn, is_filling, database, journal: Mutex::new(journal), broken })
        }));
        opened.map_err(|panic| panicked("opening", &*panic))?
    }

    pub(super) fn broken(&self) -> Option<&str> {
        self.broken.get().map(String::as_str)
    }

    /// Makes the changes durable, all or none.
    pub(super) fn commit(&self, changes: Vec<Changes>) -> Result<()> {
        guard("commit", &self.broken, || {
            let mut journal = self.journal();
            let is_crowded = self.shown().recent.removed() >= REMOVED_MAX;
            if !is_crowded && journal.take(&changes) {
                self.commit_to_journal(&mut journal, changes)
            } else {
                self.commit_to_database(&mut journal, &changes, true)
            }
        })
    }

    /// Has the database's file hold everything that was committed.
    pub(super) fn settle(&self) -> Result<()> {
        guard("commit", &self.broken, || match &mut *self.journal() {
            journal if journal.used_bytes() == 0 => Ok(()),
            journal => self.commit_to_database(journal, &[], true),
        })
    }

    /// Whether the journal is half full.
    pub(super) fn is_filling(&self) -> bool {
        self.is_filling.load(Ordering::Relaxed)
    }

    /// Has the database take in what was committed so far, while others go on to commit; nothing is left to do for who commits later
    /// but to begin the journal again. Nothing is done while somebody else writes to the database.
    pub(super) fn take_in(&self) -> Result<()> {
        let journal = self.journal();
        let _turn = match self.turn.try_lock() {
            Ok(turn) => turn,
            Err(TryLockError::Poisoned(turn)) => turn.into_inner(),
            Err(TryLockError::WouldBlock) => return Ok(()),
        };
        if self.shown().len() == 0 {
            return Ok(());
        }
        let (mark, taking) = (journal.taken_mark(), self.shown().begin_taking());
        drop(journal);
        let taken = guard("commit", &self.broken, || self.take(&taking, mark));
        // Whatever it was: the next time would begin with what came since.
        taken.inspect_err(|error| {
            self.broken.get_or_init(|| error.to_string());
        })
    }

    fn take(&self, taking: &Recent, mark: Mark) -> Result<()> {
        let settled = self.write_durably(|transaction| {
            write_recent(transaction, taking)?;
            write_mark(transaction, mark)
        })?;
        let mut shown = self.shown();
        (shown.settled, shown.taking) = (settled, Recent::none());
        Ok(())
    }

    pub(super) fn settling_bytes(&self) -> u64 {
        let rows = self.shown().len() as u64;
        rows * ROW_BYTES + 2 * self.journal().used_bytes()
    }

    pub(super) fn snapshot(&self) -> Snapshot {
        let Shown { settled, taking, recent } = &*self.shown();
        Snapshot::Disk {
            settled: Arc::clone(settled),
            taking: taking.clone(),
            recent: recent.clone(),
            broken: Arc::clone(&self.broken),
        }
    }

    /// In this order: what readers see is durable. None of them waits while rows are added: nobody else changes what is shown.
    fn commit_to_journal(&self, journal: &mut Journal, changes: Vec<Changes>) -> Result<()> {
        journal.append()?;
        let mut recent = self.shown().recent.clone();
        recent.add(changes);
        self.shown().recent = recent;
        self.is_filling.store(journal.is_half_full(), Ordering::Relaxed);
        Ok(())
    }

    fn commit_to_database(&self, journal: &mut Journal, changes: &[Changes], goes_on: bool) -> Result<()> {
        let _turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        let mark = journal.next_mark(goes_on)?;
        let (taking, recent) = self.shown().rows();
        let settled = self.write_durably(|transaction| {
            write_recent(transaction, &taking)?;
            write_recent(transaction, &recent)?;
            write_tables(transaction, changes)?;
            write_mark(transaction, mark)
        })?;
        journal.begin(mark);
        *self.shown() = Shown { settled, taking: Recent::none(), recent: Recent::none() };
        self.is_filling.store(false, Ordering::Relaxed);
        Ok(())
    }

    /// Quick repair also commits in two phases: reopening after a crash needs no walk through the file, and a
    /// second crash meanwhile cannot roll a commit back.
    fn write_durably(&self, write: impl FnOnce(&WriteTransaction) -> Result<()>) -> Result<Arc<Settled>> {
        let mut transaction = self.database.open().begin_write().map_err(io)?;
        transaction.set_quick_repair(true);
        written(transaction, write)?.commit().map_err(io)?;
        Ok(Arc::new(Settled::of(self.database.open())?))
    }

    fn shown(&self) -> MutexGuard<'_, Shown> {
        self.shown.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn journal(&self) -> MutexGuard<'_, Journal> {
        self.journal.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Shown {
    /// What came since the database took in something is what it takes in now.
    fn begin_taking(&mut self) -> Recent {
        self.taking = std::mem::replace(&mut self.recent, Recent::none());
        self.taking.clone()
    }

    fn rows(&self) -> (Recent, Recent) {
        (self.taking.clone(), self.recent.clone())
    }

    fn len(&self) -> usize {
        self.taking.len() + self.recent.len()
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        // There is nobody to tell: what was acknowledged is in the journal, and is read again if this fails.
        let _ = guard("closing", &self.broken, || match (self.broken(), &mut *self.journal()) {
            (None, journal) if journal.is_open() => self.commit_to_database(journal, &[], false),
            _ => Ok(()),
        });
    }
}

fn open_database(options: &EngineOptions, checked: bool) -> Result<Database> {
    let mut builder = Database::builder();
    builder.set_check_integrity_on_open(checked);
    match options {
        EngineOptions::File { path, cache_bytes_max, .. } => {
            let file = DatabaseFile::open(path).map_err(io)?;
            builder.set_cache_size(*cache_bytes_max).create_with_backend(file).map_err(unopened)
        }
        EngineOptions::Backend { make, .. } => {
            builder.create_with_backend(Boxed(make(EngineFile::Database))).map_err(unopened)
        }
        EngineOptions::Memory => Err(Error::Io("memory is no disk".to_owned())),
    }
}

/// A file that is none of redb's, or too short to be whole, is damage, and no disk that fails.
fn unopened(error: redb::DatabaseError) -> Error {
    match error.into() {
        redb::Error::Io(error)
            if matches!(error.kind(), ErrorKind::InvalidData | ErrorKind::UnexpectedEof) =>
        {
            Error::Corrupt { what: "database", detail: format!("{error}; restore a backup") }
        }
        error => io(error),
    }
}

/// Which pages are free redb keeps in a few pages, and commits by them, be it only to close. It meets damage there with a panic
/// within a panic, which ends the process: they are looked at before, even where nobody asked for a look at all pages.
fn check_free_pages(options: &EngineOptions) -> Result<()> {
    // What there is of a new file, and of one whose header is damaged, redb itself knows best.
    let Ok(Some(pages)) = Pages::begin(options) else { return Ok(()) };
    pages.check_system().map_err(|error| match error {
        Error::Corrupt { what, detail } => Error::Corrupt {
            what,
            detail: format!("{detail}, and nothing can be written by it; restore a backup"),
        },
        error => error,
    })
}

fn open_journal(options: &EngineOptions) -> Result<Box<dyn Backend>> {
    match options {
        EngineOptions::File { path, .. } => open_file(&journal_of(path)),
        EngineOptions::Backend { make, .. } => Ok(make(EngineFile::Journal)),
        EngineOptions::Memory => Err(Error::Io("memory is no disk".to_owned())),
    }
}

fn open_file(path: &Path) -> Result<Box<dyn Backend>> {
    let failed = |error: std::io::Error| Error::io(path, &error);
    let is_new = !path.exists();
    let mut options = OpenOptions::new();
    let file = options.read(true).write(true).create(true).truncate(false).open(path).map_err(failed)?;
    // A file whose name a power cut takes has lost everything.
    if is_new {
        sync_parent(path).map_err(failed)?;
    }
    Ok(Box::new(FileBackend::new(file).map_err(io)?))
}

/// Makes the name of a file durable.
pub(crate) fn sync_parent(path: &Path) -> std::io::Result<()> {
    File::open(path.parent().unwrap_or(Path::new(".")))?.sync_all()
}

/// A transaction that was written in. On damaged pages redb panics, and does so again when the transaction is let go of: were
/// that while the first panic unwinds, the process would end, so it is let go of afterwards.
fn written(
    transaction: WriteTransaction,
    write: impl FnOnce(&WriteTransaction) -> Result<()>,
) -> Result<WriteTransaction> {
    match catch_unwind(AssertUnwindSafe(|| write(&transaction))) {
        Ok(Ok(())) => Ok(transaction),
        failed => {
            let _ = catch_unwind(AssertUnwindSafe(|| drop(transaction)));
            Err(failed.map_or_else(|panic| resume_unwind(panic), |written| written.expect_err("it failed")))
        }
    }
}

fn mark(database: &Database) -> Result<Option<Mark>> {
    let table = match database.begin_read().map_err(io)?.open_table(MARK) {
        Err(redb::TableError::TableDoesNotExist(_)) => return Ok(None),
        table => table.map_err(io)?,
    };
    let row = table.get([].as_slice()).map_err(io)?;
    row.map(|row| decode_mark(row.value())).transpose()
}

fn decode_mark(row: &[u8]) -> Result<Mark> {
    let split = row.len().checked_sub(SUM_BYTES).map(|at| row.split_at(at));
    split
        .filter(|(mark, sum)| **sum == xxh3_64(mark).to_be_bytes())
        .and_then(|(mark, _)| Mark::decode(mark).ok())
        .ok_or_else(|| Error::Corrupt { what: "database", detail: "what it says of its journal".to_owned() })
}

fn write_mark(transaction: &WriteTransaction, mark: Mark) -> Result<()> {
    let mut row = mark.encode_to_vec();
    row.extend_from_slice(&xxh3_64(&row).to_be_bytes());
    let mut table = transaction.open_table(MARK).map_err(io)?;
    table.insert([].as_slice(), row.as_slice()).map_err(io)?;
    Ok(())
}

fn write_recent(transaction: &WriteTransaction, recent: &Recent) -> Result<()> {
    Table::ALL.iter().try_for_each(|table| write_table(transaction, *table, recent.all(*table)))
}

fn write_tables(transaction: &WriteTransaction, changes: &[Changes]) -> Result<()> {
    Table::ALL.iter().zip(changes).try_for_each(|(table, changes)| {
        let changes = changes.iter().map(|(key, value)| (key.as_slice(), value.as_deref()));
        write_table(transaction, *table, changes)
    })
}

fn write_table<'c>(
    transaction: &WriteTransaction,
    table: Table,
    changes: impl Iterator<Item = Change<'c>>,
) -> Result<()> {
    let mut changes = changes.peekable();
    if changes.peek().is_none() {
        return Ok(());
    }
    let mut rows = transaction.open_table(definition(table)).map_err(io)?;
    // Things are numbered as they come: new rows lie past the end, where whole pages are filled at once.
    let end = match table {
        Table::Things => {
            Some(rows.last().map_err(io)?.map_or_else(Vec::new, |(key, _)| key.value().to_vec()))
        }
        _ => None,
    };
    let is_before = |key: &[u8]| end.as_ref().is_none_or(|end| key <= end.as_slice());
    let mut stored = Vec::new();
    while let Some((key, change)) = changes.next_if(|(key, _)| is_before(key)) {
        match change {
            Some(value) => rows.insert(key, summed(&mut stored, table, key, value)).map_err(io)?,
            None => rows.remove(key).map_err(io)?,
        };
    }
    if changes.peek().is_none() {
        return Ok(());
    }
    let mut at_end = rows.upper_bound_mut(Bound::<&[u8]>::Unbounded).map_err(io)?;
    for (key, change) in changes {
        if let Some(value) = change {
            at_end.insert_before(key, summed(&mut stored, table, key, value)).map_err(io)?;
        }
    }
    at_end.close().map_err(io)
}
