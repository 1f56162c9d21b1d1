//! The data directory: who holds it, which format it has, and where its files are.
//!
//! ```text
//! lock        held while a process has the directory open; holds its process id
//! format      the format of everything here, readable by a program of any age
//! store.redb  the database, and beside it in store.redb.journal what was committed and it has not taken in yet
//! anchor      the last signed checkpoints, outside the database ([`crate::anchor`])
//! keys/       the node's signing key
//! admin.sock  there while a node runs: what its own user may ask of it
//! index/      derived files; may be deleted while the node is stopped
//! models/     models of vectors, which their publishers made; may be installed again
//! ballast     nothing: room that is given up for what cannot wait ([`crate::Space`])
//! restoring/  there while a backup is being restored: what is in it is not whole yet
//! decisions/  what the shell's policy decided, by tenant; closed files are in the ledger by their digest
//! ```

mod compacting;
mod restoring;

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{ErrorKind, Read, Seek, Write};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use crate::engine::{EngineOptions, journal_of, sync_parent};
use crate::error::{Error, Result};
use crate::space::Space;
use crate::store::{FORMAT, Options, Store};

pub use compacting::Compacted;
pub use restoring::Restoring;

const DATABASE: &str = "store.redb";
const JOURNAL: &str = "store.redb.journal";
/// A database that is not in its place yet.
const BESIDE: &str = "store.new";
const FORMAT_PREFIX: &str = "intelgraph data format ";
/// A database of up to so many bytes is checked page by page when it is opened.
pub const CHECKED_BYTES_MAX: u64 = 256 << 20;
/// Page cache while an empty store is made.
const NEW_CACHE_BYTES: usize = 1 << 20;

/// A data directory, held by this process until it is dropped.
#[derive(Debug)]
pub struct Directory {
    path: PathBuf,
    checked_bytes_max: u64,
    _lock: File,
}

impl Directory {
    /// Takes hold of a data directory; makes it if it is not there.
    ///
    /// # Errors
    /// `InUse` if another process has it, `NewerFormat` if a newer program wrote it, `Io` if it cannot
    /// be made or written.
    pub fn hold(path: &Path) -> Result<Directory> {
        let failed = |error: std::io::Error| io(path, &error);
        create(path).map_err(failed)?;
        let lock = lock(path)?;
        restoring::check_none(path)?;
        check_format(path)?;
        for part in ["keys", "index"] {
            fs::create_dir_all(path.join(part)).map_err(failed)?;
        }
        Ok(Directory { path: path.to_owned(), checked_bytes_max: CHECKED_BYTES_MAX, _lock: lock })
    }

    /// The same directory, whose database is checked page by page when it is opened if it has at most so many bytes.
    #[must_use]
    pub fn checking(self, checked_bytes_max: u64) -> Directory {
        Directory { checked_bytes_max, ..self }
    }

    /// Opens the store in it, with a page cache of at most `cache_bytes_max`. `new_node_id` names a
    /// node that begins with this opening.
    ///
    /// # Errors
    /// See [`Store::open`]; `NoSpace` if a new store would not fit, `Corrupt` if the directory was
    /// used before and its database is gone.
    pub fn open_store(&self, cache_bytes_max: usize, new_node_id: String) -> Result<Store> {
        if !self.database().exists() {
            self.begin_store(new_node_id)?;
        }
        // A copy that was cut off holds what the database may be rid of since.
        remove_database(&self.path.join(BESIDE))?;
        self.write_format()?;
        Store::open(self.options(self.database(), cache_bytes_max, String::new()))
    }

    /// Makes a store beside its place and puts it there whole: a database cut off while it is made
    /// could not be told from a damaged one. What was used before is never made anew.
    fn begin_store(&self, new_node_id: String) -> Result<()> {
        let (path, beside) = (self.database(), self.path.join(BESIDE));
        if !self.is_new() {
            return Err(Error::Corrupt {
                what: "data directory",
                detail: format!("`{}` is missing; restore a backup", path.display()),
            });
        }
        Space::check(&self.path, 0)?;
        remove_database(&beside)?;
        drop(Store::open(self.options(beside.clone(), NEW_CACHE_BYTES, new_node_id))?);
        put_database_in_place(&beside, &path)
    }

    fn options(&self, path: PathBuf, cache_bytes_max: usize, new_node_id: String) -> Options {
        Options {
            engine: EngineOptions::File { path, cache_bytes_max, checked_bytes_max: self.checked_bytes_max },
            space: Some(self.path.clone()),
            new_node_id,
        }
    }

    /// Checks the file that says which format the files of a directory are of. A node may run on it.
    ///
    /// # Errors
    /// `Corrupt` if it is missing or says nothing, `NewerFormat` if a newer program wrote it.
    pub fn check_format(path: &Path) -> Result<()> {
        match check_format(path)? {
            Some(_) => Ok(()),
            None => Err(Error::Corrupt { what: "format file", detail: "it is missing".to_owned() }),
        }
    }

    /// The directory itself.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The directory of the node's keys.
    #[must_use]
    pub fn keys(&self) -> PathBuf {
        self.path.join("keys")
    }

    /// The directory of derived files.
    #[must_use]
    pub fn index(&self) -> PathBuf {
        self.path.join("index")
    }

    /// The file of the last checkpoints.
    #[must_use]
    pub fn anchor(&self) -> PathBuf {
        self.path.join("anchor")
    }

    /// The file of the database.
    #[must_use]
    pub fn database(&self) -> PathBuf {
        self.path.join(DATABASE)
    }

    fn is_new(&self) -> bool {
        !self.path.join("format").exists()
    }

    /// Before anything is written of a newer format: an older program refuses from then on.
    fn write_format(&self) -> Result<()> {
        if check_format(&self.path)? != Some(FORMAT) {
            replace_file(&self.path.join("format"), format!("{FORMAT_PREFIX}{FORMAT}\n").as_bytes())?;
        }
        Ok(())
    }
}

/// Makes a data directory, if it is not there: nobody else may look into it.
fn create(path: &Path) -> std::io::Result<()> {
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent)?;
    }
    DirBuilder::new().recursive(true).mode(0o700).create(path)
}

/// Removes a database that was left over, if there is one.
fn remove_database(path: &Path) -> Result<()> {
    remove(path)?;
    remove(&journal_of(path))
}

/// Removes a file that was left over, if there is one.
fn remove(path: &Path) -> Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(io(path, &error)),
        _ => Ok(()),
    }
}

fn lock(path: &Path) -> Result<File> {
    let failed = |error: std::io::Error| io(path, &error);
    let mut lock = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(path.join("lock"))
        .map_err(failed)?;
    if lock.try_lock().is_err() {
        let mut text = String::new();
        lock.read_to_string(&mut text).map_err(failed)?;
        return Err(Error::InUse { path: path.to_owned(), pid: text.trim().parse().unwrap_or(0) });
    }
    lock.set_len(0).map_err(failed)?;
    lock.rewind().map_err(failed)?;
    writeln!(lock, "{}", std::process::id()).map_err(failed)?;
    Ok(lock)
}

/// The format of a directory, `None` if it says nothing of one yet.
fn check_format(path: &Path) -> Result<Option<u32>> {
    let text = match fs::read(path.join("format")) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        text => text.map_err(|error| io(path, &error))?,
    };
    let text = String::from_utf8_lossy(&text);
    let found = text.strip_prefix(FORMAT_PREFIX).and_then(|rest| rest.strip_suffix('\n')?.parse().ok());
    match found {
        Some(found) if found > FORMAT => Err(Error::NewerFormat { found, known: FORMAT }),
        Some(1..) => Ok(found),
        Some(0) | None => Err(Error::Corrupt {
            what: "format file",
            detail: format!("`{}`", text.chars().take(80).collect::<String>()),
        }),
    }
}

/// Puts a file in place whole: written beside, synced, renamed, and the directory synced.
pub(crate) fn replace_file(path: &Path, bytes: &[u8]) -> Result<()> {
    let failed = |error: std::io::Error| io(path, &error);
    let beside = path.with_extension("new");
    let mut file = File::create(&beside).map_err(failed)?;
    file.write_all(bytes).map_err(failed)?;
    file.sync_all().map_err(failed)?;
    put_in_place(&beside, path)
}

/// Renames a file that is durable, durably.
fn put_in_place(beside: &Path, path: &Path) -> Result<()> {
    fs::rename(beside, path).and_then(|()| sync_parent(path)).map_err(|error| io(path, &error))
}

/// Puts a database in place that was closed. Its journals go afterwards: the one of the database before is not read for this one.
fn put_database_in_place(beside: &Path, path: &Path) -> Result<()> {
    put_in_place(beside, path)?;
    remove(&journal_of(beside))?;
    remove(&journal_of(path))
}

fn io(path: &Path, error: &std::io::Error) -> Error {
    Error::io(path, error)
}
