//! An engine on a disk: redb, and in front of it a journal.
//!
//! A commit is durable in the journal, and in redb only in memory; readers see it there. When the journal is full redb makes all of it
//! durable at once, and again when it is closed. A commit that is too large for the journal is made durable at once.
//!
//! Whoever commits is answered when the journal has it. That redb shows it takes a third of a sync more, and is left to whoever comes
//! next, reader or writer: nobody sees the tables without it.

use std::fs::{File, OpenOptions};
use std::ops::Bound;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use prost::Message;
use redb::backends::FileBackend;
use redb::{Database, Durability, ReadableDatabase, ReadableTable, TableDefinition, WriteTransaction};
use xxhash_rust::xxh3::xxh3_64;

use super::journal::{Journal, Mark};
use super::{
    Backend, Boxed, Broken, Closing, EngineFile, EngineOptions, Pages, Snapshot, definition, guard, io,
    journal_of, panicked, summed,
};
use crate::error::{Error, Result};
use crate::tables::Table;
use crate::tx::Changes;

/// What the database says of its journal: one row, beside the tables of the store.
const MARK: TableDefinition<'static, &[u8], &[u8]> = TableDefinition::new("journal");
const SUM_BYTES: usize = 8;

pub(crate) struct Disk {
    // Dropped in this order: a transaction before its database, which is closed before anybody else may have the journal.
    unseen: Mutex<Option<Box<WriteTransaction>>>,
    database: Closing,
    journal: Mutex<Journal>,
    broken: Broken,
}

impl Disk {
    /// Opens what is there, or makes it, and does again what only the journal holds.
    pub(super) fn open(options: &EngineOptions, checked: bool) -> Result<Disk> {
        let opened = catch_unwind(AssertUnwindSafe(|| {
            if !checked {
                check_free_pages(options)?;
            }
            let database = Closing(Some(open_database(options, checked)?));
            let journal = open_journal(options)?;
            let journal = match mark(database.open())? {
                Some(mark) if mark.is_open => recover(database.open(), journal, mark)?,
                mark => Journal::at_rest(journal, mark.map_or(0, |mark| mark.round)),
            };
            let (unseen, broken) = Default::default();
            Ok(Disk { unseen, database, journal: Mutex::new(journal), broken })
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
            match journal.take(&changes) {
                true => self.commit_to_journal(&mut journal, changes),
                false => self.commit_to_database(&mut journal, changes, true),
            }
        })
    }

    /// Has the database's file hold everything that was committed.
    pub(super) fn settle(&self) -> Result<()> {
        guard("commit", &self.broken, || match &mut *self.journal() {
            journal if journal.unsettled_bytes() == 0 => Ok(()),
            journal => self.commit_to_database(journal, Vec::new(), true),
        })
    }

    pub(super) fn unsettled_bytes(&self) -> u64 {
        self.journal().unsettled_bytes()
    }

    pub(super) fn snapshot(&self) -> Result<Snapshot> {
        let read = guard("reading", &self.broken, || {
            self.show()?;
            self.database.open().begin_read().map_err(io)
        })?;
        let tables = Table::ALL.iter().map(|_| OnceLock::new()).collect();
        Ok(Snapshot::Redb { read, tables, broken: Arc::clone(&self.broken) })
    }

    /// In this order: what cannot be written to the tables is in no journal, and what readers see is durable.
    fn commit_to_journal(&self, journal: &mut Journal, changes: Vec<Changes>) -> Result<()> {
        self.show()?;
        let mut transaction = self.database.open().begin_write().map_err(io)?;
        transaction.set_durability(Durability::None).map_err(io)?;
        let transaction = written(transaction, |transaction| {
            write_tables(transaction, changes)?;
            journal.append()
        })?;
        *self.unseen() = Some(Box::new(transaction));
        Ok(())
    }

    /// Has redb show what the journal has.
    fn show(&self) -> Result<()> {
        let mut unseen = self.unseen();
        if let Some(cause) = self.broken() {
            return Err(Error::Poisoned { cause: cause.to_owned() });
        }
        // Marked as broken before anybody else gets as far as this: the tables lack what was acknowledged.
        unseen
            .take()
            .map_or(Ok(()), |transaction| guard("commit", &self.broken, || transaction.commit().map_err(io)))
    }

    fn unseen(&self) -> MutexGuard<'_, Option<Box<WriteTransaction>>> {
        self.unseen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Quick repair also commits in two phases: reopening after a crash needs no walk through the file, and a
    /// second crash meanwhile cannot roll a commit back.
    fn commit_to_database(&self, journal: &mut Journal, changes: Vec<Changes>, goes_on: bool) -> Result<()> {
        self.show()?;
        let mark = journal.next_mark(goes_on)?;
        let mut transaction = self.database.open().begin_write().map_err(io)?;
        transaction.set_quick_repair(true);
        let transaction = written(transaction, |transaction| {
            write_tables(transaction, changes)?;
            write_mark(transaction, mark)
        })?;
        transaction.commit().map_err(io)?;
        journal.begin(mark);
        Ok(())
    }

    fn journal(&self) -> MutexGuard<'_, Journal> {
        self.journal.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        // There is nobody to tell: what was acknowledged is in the journal, and is done again if this fails.
        let _ = guard("closing", &self.broken, || match (self.broken(), &mut *self.journal()) {
            (None, journal) if journal.is_open() => self.commit_to_database(journal, Vec::new(), false),
            _ => Ok(()),
        });
        // After a failure it is let go of: the journal has it.
        let unseen = self.unseen().take();
        let _ = catch_unwind(AssertUnwindSafe(|| drop(unseen)));
    }
}

fn open_database(options: &EngineOptions, checked: bool) -> Result<Database> {
    let mut builder = Database::builder();
    builder.set_check_integrity_on_open(checked);
    match options {
        EngineOptions::File { path, cache_bytes_max, .. } => {
            builder.set_cache_size(*cache_bytes_max).create(path).map_err(io)
        }
        EngineOptions::Backend { make, .. } => {
            builder.create_with_backend(Boxed(make(EngineFile::Database))).map_err(io)
        }
        EngineOptions::Memory => Err(Error::Io("memory is no disk".to_owned())),
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
    let failed = |error: std::io::Error| Error::Io(format!("`{}`: {error}", path.display()));
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

/// Does again what the journal holds, in one transaction. It stays in the journal: this needs no room on the disk.
fn recover(database: &Database, file: Box<dyn Backend>, mark: Mark) -> Result<Journal> {
    let mut transaction = database.begin_write().map_err(io)?;
    transaction.set_durability(Durability::None).map_err(io)?;
    let mut journal = None;
    let transaction = written(transaction, |transaction| {
        let again = &mut |changes| write_tables(transaction, changes);
        journal = Some(Journal::recover(file, mark, again)?);
        Ok(())
    })?;
    transaction.commit().map_err(io)?;
    journal.ok_or_else(|| Error::Io("the journal was not read".to_owned()))
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

fn write_tables(transaction: &WriteTransaction, changes: Vec<Changes>) -> Result<()> {
    for (table, changes) in Table::ALL.iter().zip(changes) {
        if !changes.is_empty() {
            write_table(transaction, *table, changes)?;
        }
    }
    Ok(())
}

fn write_table(transaction: &redb::WriteTransaction, table: Table, changes: Changes) -> Result<()> {
    let mut rows = transaction.open_table(definition(table)).map_err(io)?;
    let mut changes = changes.into_iter().peekable();
    // Things are numbered as they come: new rows lie past the end, where whole pages are filled at once.
    let end = match table {
        Table::Things => match rows.last().map_err(io)? {
            Some((key, _)) => Some(key.value().to_vec()),
            None => Some(Vec::new()),
        },
        _ => None,
    };
    let is_before = |key: &Vec<u8>| end.as_ref().is_none_or(|end| key <= end);
    while let Some((key, change)) = changes.next_if(|(key, _)| is_before(key)) {
        match change {
            Some(value) => {
                let value = summed(table, &key, value);
                rows.insert(key.as_slice(), value.as_slice()).map_err(io)?;
            }
            None => {
                rows.remove(key.as_slice()).map_err(io)?;
            }
        }
    }
    if changes.peek().is_none() {
        return Ok(());
    }
    let mut at_end = rows.upper_bound_mut(Bound::<&[u8]>::Unbounded).map_err(io)?;
    for (key, change) in changes {
        if let Some(value) = change {
            let value = summed(table, &key, value);
            at_end.insert_before(key.as_slice(), value.as_slice()).map_err(io)?;
        }
    }
    at_end.close().map_err(io)
}
