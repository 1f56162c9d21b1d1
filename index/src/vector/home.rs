//! Where a vector index lives: a few files, each of which is written once or grows at its end.
//!
//! Files are read, not mapped: a map of a file that somebody cuts ends the process.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::error::{Error, Result};

/// Where an index lives. A clone is the same place.
#[derive(Clone, Debug)]
pub struct Home(Kind);

#[derive(Clone, Debug)]
enum Kind {
    Directory(PathBuf),
    Memory(Arc<Mutex<BTreeMap<String, Bytes>>>),
}

type Bytes = Arc<Mutex<Vec<u8>>>;

/// A file of an index.
#[derive(Debug)]
pub(super) enum File {
    Disk(fs::File),
    Memory(Bytes),
}

impl Home {
    /// A directory of its own; it is made if it is not there.
    pub fn directory(path: impl Into<PathBuf>) -> Home {
        Home(Kind::Directory(path.into()))
    }

    /// Memory, for tests and simulations.
    #[must_use]
    pub fn memory() -> Home {
        Home(Kind::Memory(Arc::default()))
    }

    /// The names of all files, in order; the directory is made if it is not there.
    pub(super) fn names(&self) -> Result<Vec<String>> {
        let mut names: Vec<String> = match &self.0 {
            Kind::Directory(path) => {
                if !path.exists() {
                    fs::create_dir_all(path)?;
                    sync_parent(path)?;
                }
                let entries = fs::read_dir(path)?.collect::<std::io::Result<Vec<_>>>()?;
                entries.into_iter().filter_map(|entry| entry.file_name().into_string().ok()).collect()
            }
            Kind::Memory(files) => held(files).keys().cloned().collect(),
        };
        names.sort();
        Ok(names)
    }

    /// A file that is there; `None` if it is not.
    pub(super) fn open(&self, name: &str) -> Result<Option<File>> {
        match &self.0 {
            Kind::Directory(path) => {
                let opened = fs::File::options().read(true).write(true).open(path.join(name));
                match opened {
                    Ok(file) => Ok(Some(File::Disk(file))),
                    Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
                    Err(error) => Err(error.into()),
                }
            }
            Kind::Memory(files) => Ok(held(files).get(name).map(|bytes| File::Memory(Arc::clone(bytes)))),
        }
    }

    /// A new file under a name for the time being, instead of any that is there.
    pub(super) fn create(&self, name: &str) -> Result<File> {
        match &self.0 {
            Kind::Directory(path) => {
                let mut options = fs::File::options();
                options.read(true).write(true).create(true).truncate(true);
                Ok(File::Disk(options.open(path.join(beginning(name)))?))
            }
            Kind::Memory(files) => {
                let bytes = Bytes::default();
                held(files).insert(beginning(name), Arc::clone(&bytes));
                Ok(File::Memory(bytes))
            }
        }
    }

    /// Gives a file that is written and durable its name, durably.
    pub(super) fn publish(&self, name: &str) -> Result<()> {
        match &self.0 {
            Kind::Directory(path) => {
                fs::rename(path.join(beginning(name)), path.join(name))?;
                Ok(fs::File::open(path)?.sync_all()?)
            }
            Kind::Memory(files) => {
                let mut files = held(files);
                let bytes = files.remove(&beginning(name));
                files.extend(bytes.map(|bytes| (name.to_owned(), bytes)));
                Ok(())
            }
        }
    }

    /// Removes what [`Home::create`] began and nobody published.
    pub(super) fn abandon(&self, name: &str) {
        // What stays in spite of it is removed at the next opening.
        drop(self.remove(&beginning(name)));
    }

    /// Removes a file, if it is there. Whoever has it open can go on reading it.
    pub(super) fn remove(&self, name: &str) -> Result<()> {
        match &self.0 {
            Kind::Directory(path) => match fs::remove_file(path.join(name)) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error.into()),
                _ => Ok(()),
            },
            Kind::Memory(files) => {
                held(files).remove(name);
                Ok(())
            }
        }
    }
}

impl File {
    pub(super) fn len(&self) -> Result<u64> {
        match self {
            File::Disk(file) => Ok(file.metadata()?.len()),
            File::Memory(bytes) => Ok(held(bytes).len() as u64),
        }
    }

    /// Reads so many bytes; an error of the kind `Damaged` if there are fewer.
    pub(super) fn read(&self, at: u64, into: &mut [u8]) -> Result<()> {
        match self {
            File::Disk(file) => match file.read_exact_at(into, at) {
                Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => Err(cut()),
                other => Ok(other?),
            },
            File::Memory(bytes) => {
                let bytes = held(bytes);
                let at = usize::try_from(at).unwrap_or(usize::MAX);
                let found = bytes.get(at..at.saturating_add(into.len())).ok_or_else(cut)?;
                into.copy_from_slice(found);
                Ok(())
            }
        }
    }

    pub(super) fn write(&self, at: u64, from: &[u8]) -> Result<()> {
        match self {
            File::Disk(file) => Ok(file.write_all_at(from, at)?),
            File::Memory(bytes) => {
                let (mut bytes, at) = (held(bytes), at as usize);
                if bytes.len() < at + from.len() {
                    bytes.resize(at + from.len(), 0);
                }
                bytes[at..at + from.len()].copy_from_slice(from);
                Ok(())
            }
        }
    }

    pub(super) fn sync(&self) -> Result<()> {
        match self {
            File::Disk(file) => Ok(file.sync_data()?),
            File::Memory(_) => Ok(()),
        }
    }

    /// Cuts off what follows.
    pub(super) fn cut(&self, len: u64) -> Result<()> {
        match self {
            File::Disk(file) => Ok(file.set_len(len)?),
            File::Memory(bytes) => {
                held(bytes).truncate(len as usize);
                Ok(())
            }
        }
    }
}

fn beginning(name: &str) -> String {
    format!("{name}.new")
}

fn cut() -> Error {
    damaged("a file is shorter than it should be")
}

pub(super) fn damaged(detail: impl Into<String>) -> Error {
    Error::Damaged { what: "vector index", detail: detail.into() }
}

fn held<T>(memory: &Mutex<T>) -> MutexGuard<'_, T> {
    memory.lock().unwrap_or_else(PoisonError::into_inner)
}

fn sync_parent(path: &Path) -> Result<()> {
    let Some(parent) = path.parent().filter(|parent| !parent.as_os_str().is_empty()) else {
        return Ok(());
    };
    fs::File::open(parent)?.sync_all().map_err(Error::from)
}
