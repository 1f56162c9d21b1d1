//! A data directory under construction: everything is made in `restoring/` and moved to its place when it is whole. A
//! restore that was cut off leaves that directory, which keeps a node from starting there and lets a restore begin again.

use std::fs::{self, File};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use super::compacting::copy;
use super::{
    BESIDE, DATABASE, FORMAT_PREFIX, JOURNAL, NEW_CACHE_BYTES, create, io, lock, put_database_in_place,
    replace_file,
};
use crate::backup::TakeRow;
use crate::engine::{EngineOptions, Filling};
use crate::error::{Error, Result};
use crate::space::Space;
use crate::store::{FORMAT, Options, Store};

const STAGE: &str = "restoring";
/// What a restore makes, and may have left; and what is on an empty disk.
const OURS: [&str; 10] =
    ["lock", "format", DATABASE, JOURNAL, "anchor", "ballast", "keys", "decisions", "rejects", STAGE];
const LOST_AND_FOUND: &str = "lost+found";

/// A data directory under construction, held by this process.
pub struct Restoring {
    path: PathBuf,
    stage: PathBuf,
    _lock: File,
}

/// Where rows come from: everything that is given to `push` is in the database, in that order.
pub(super) type Pour<'p> = &'p mut dyn FnMut(TakeRow<'_>) -> Result<()>;

impl Restoring {
    /// Begins a data directory where none is: in a directory that is not there or empty, or where a restore was cut off.
    ///
    /// # Errors
    /// `Invalid` if there is something else, `InUse` if it is being restored already, `NoSpace` if `bytes` would not fit.
    pub fn begin(path: &Path, bytes: u64) -> Result<Restoring> {
        let failed = |error: std::io::Error| io(path, &error);
        create(path).map_err(failed)?;
        let stage = path.join(STAGE);
        let was_cut_off = stage.is_dir();
        let is_left = |name: &String| was_cut_off && OURS.contains(&name.as_str());
        let others: Vec<_> =
            names(path)?.into_iter().filter(|name| name != LOST_AND_FOUND && !is_left(name)).collect();
        if let Some(other) = others.first() {
            let limit = format!("it holds `{other}`; restore into a directory that is new or empty");
            return Err(Error::invalid("not an empty directory", &path.display().to_string(), limit));
        }
        fs::create_dir_all(&stage).map_err(failed)?;
        let lock = lock(path)?;
        for name in OURS.iter().filter(|name| **name != "lock" && **name != STAGE) {
            remove_all(&path.join(name))?;
        }
        remove_all(&stage)?;
        fs::create_dir(&stage).map_err(failed)?;
        Space::check(path, bytes)?;
        Ok(Restoring { path: path.to_owned(), stage, _lock: lock })
    }

    /// Where the directory's other files are made.
    #[must_use]
    pub fn stage(&self) -> &Path {
        &self.stage
    }

    /// Makes the database of rows that come in order.
    ///
    /// # Errors
    /// Whatever `pour` returns; `Io` if the disk fails.
    pub fn fill(&self, cache_bytes_max: usize, pour: Pour<'_>) -> Result<()> {
        let mut filling = Filling::create(&self.stage.join(DATABASE), cache_bytes_max.max(NEW_CACHE_BYTES))?;
        pour(&mut |table, key, value| filling.push(table, key, value))?;
        filling.end()
    }

    /// Opens the database that was filled.
    ///
    /// # Errors
    /// See [`Store::open`].
    pub fn open_store(&self, cache_bytes_max: usize) -> Result<Store> {
        Store::open(Options {
            // Filled a moment ago, and verified as soon as it is open.
            engine: EngineOptions::File {
                path: self.stage.join(DATABASE),
                cache_bytes_max,
                checked_bytes_max: 0,
            },
            space: Some(self.path.clone()),
            new_node_id: String::new(),
        })
    }

    /// Writes the database anew, without what was erased since it was filled.
    ///
    /// # Errors
    /// As for [`Restoring::open_store`].
    pub fn rewrite(&self, cache_bytes_max: usize) -> Result<()> {
        let (path, beside) = (self.stage.join(DATABASE), self.stage.join(BESIDE));
        let store = self.open_store(cache_bytes_max)?;
        copy(&store, &beside, cache_bytes_max, &mut |_| ())?;
        drop(store);
        put_database_in_place(&beside, &path)
    }

    /// Puts everything in place. Until the last step nobody takes the directory for a node's.
    ///
    /// # Errors
    /// `Io` if the disk fails; the restore is to be begun again then.
    pub fn put_in_place(self) -> Result<()> {
        replace_file(&self.stage.join("format"), format!("{FORMAT_PREFIX}{FORMAT}\n").as_bytes())?;
        sync_all(&self.stage)?;
        for name in names(&self.stage)? {
            let (from, to) = (self.stage.join(&name), self.path.join(&name));
            fs::rename(&from, &to).map_err(|error| io(&to, &error))?;
        }
        sync(&self.path)?;
        fs::remove_dir(&self.stage).map_err(|error| io(&self.stage, &error))?;
        sync(&self.path)
    }
}

/// Refuses a directory whose restore was cut off.
pub(super) fn check_none(path: &Path) -> Result<()> {
    match path.join(STAGE).exists() {
        false => Ok(()),
        true => Err(Error::Corrupt {
            what: "data directory",
            detail: format!("`{}`: a restore was cut off here; restore the backup again", path.display()),
        }),
    }
}

fn names(path: &Path) -> Result<Vec<String>> {
    let failed = |error: std::io::Error| io(path, &error);
    let entries = fs::read_dir(path).map_err(failed)?;
    let name = |entry: std::io::Result<fs::DirEntry>| Ok(entry?.file_name().to_string_lossy().into_owned());
    entries.map(name).collect::<std::io::Result<_>>().map_err(failed)
}

fn remove_all(path: &Path) -> Result<()> {
    let removed = if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) };
    match removed {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(io(path, &error)),
        _ => Ok(()),
    }
}

/// Makes everything below a directory durable.
fn sync_all(path: &Path) -> Result<()> {
    for name in names(path)? {
        let below = path.join(name);
        if below.is_dir() { sync_all(&below)? } else { sync(&below)? }
    }
    sync(path)
}

fn sync(path: &Path) -> Result<()> {
    File::open(path).and_then(|file| file.sync_all()).map_err(|error| io(path, &error))
}
