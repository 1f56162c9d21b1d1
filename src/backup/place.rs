//! A directory of backups: which there are, and which builds on which.

use std::fs::{self, File, OpenOptions};
use std::io::Read;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use storage::{Error, Result};

use super::manifest::Manifest;
use super::{FORMAT, damaged, io};

const FORMAT_FILE: &str = "format";
const FORMAT_PREFIX: &str = "intelgraph backup format ";
const LOCK: &str = "lock";
/// What an unfinished backup is called at the end.
pub(super) const PARTIAL: &str = ".partial";
/// Increments on one full backup; after so many the next one is full: each is one more file to be read side by side.
pub(super) const INCREMENTS_MAX: usize = 256;

/// A directory of backups.
#[derive(Debug)]
pub struct Place {
    path: PathBuf,
    /// Held by who adds a backup.
    lock: Option<File>,
}

impl Place {
    /// A directory that may hold backups; `None` if it is none of ours.
    ///
    /// # Errors
    /// `NewerFormat` if a newer program made it, `Io` if it cannot be read.
    pub fn at(path: &Path) -> Result<Option<Place>> {
        let text = match fs::read_to_string(path.join(FORMAT_FILE)) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) if error.kind() == std::io::ErrorKind::InvalidData => return Ok(None),
            text => text.map_err(|error| io(path, &error))?,
        };
        let Some(number) = text.strip_prefix(FORMAT_PREFIX) else {
            return Ok(None);
        };
        let found =
            number.trim().parse().map_err(|_| damaged(format!("`{}`: its format", path.display())))?;
        match found > FORMAT {
            true => Err(Error::NewerFormat { found, known: FORMAT }),
            false => Ok(Some(Place { path: path.to_owned(), lock: None })),
        }
    }

    /// The same to add to: made if it is not there or empty, and held against others who add.
    ///
    /// # Errors
    /// `Invalid` if something else is there, `Busy` if somebody adds a backup; as for [`Place::at`].
    pub fn to_add_to(path: &Path) -> Result<Place> {
        fs::DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(|error| io(path, &error))?;
        if Place::at(path)?.is_none() {
            if fs::read_dir(path).map_err(|error| io(path, &error))?.next().is_some() {
                let limit = "it holds something else; name a new directory, or one that holds backups";
                return Err(Error::invalid("not a directory of backups", &path.display().to_string(), limit));
            }
            write_synced(&path.join(FORMAT_FILE), format!("{FORMAT_PREFIX}{FORMAT}\n").as_bytes())?;
            sync(path)?;
        }
        let lock_path = path.join(LOCK);
        let lock = OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(&lock_path);
        let lock = lock.map_err(|error| io(&lock_path, &error))?;
        lock.try_lock().map_err(|_| Error::Busy { what: "backups are written here", limit: 1 })?;
        let place = Place { path: path.to_owned(), lock: Some(lock) };
        place.remove_partial()?;
        Ok(place)
    }

    /// The directory itself.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The directory of a backup.
    pub(super) fn directory(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// The names of the backups, oldest first.
    ///
    /// # Errors
    /// `Io` if the directory cannot be read.
    pub fn names(&self) -> Result<Vec<String>> {
        let mut names: Vec<_> = self.entries()?.into_iter().filter(|name| number(name).is_some()).collect();
        names.sort_by_key(|name| number(name));
        Ok(names)
    }

    /// The manifest of a backup.
    ///
    /// # Errors
    /// `Corrupt` if it is damaged, or that of another backup; `NewerFormat` if a newer program wrote it.
    pub fn manifest(&self, name: &str) -> Result<Manifest> {
        let manifest = Manifest::read(&self.directory(name))?;
        match manifest.name == name {
            true => Ok(manifest),
            false => Err(damaged(format!("`{name}` is the backup `{}` under another name", manifest.name))),
        }
    }

    /// A backup and all that it builds on, from the full one on.
    ///
    /// # Errors
    /// `Corrupt` naming the first that is not what the one behind it was built on; as for [`Place::manifest`].
    pub fn chain(&self, name: &str) -> Result<Vec<Manifest>> {
        let mut chain = vec![self.manifest(name)?];
        while let Some(base) = &chain[0].builds_on {
            let on = format!("`{}` builds on `{}`", chain[0].name, base.name);
            if number(&base.name).is_none() || !self.directory(&base.name).is_dir() {
                return Err(damaged(format!("{on}, which is not there")));
            }
            let before = self.manifest(&base.name)?;
            let (of, own) = ((&before.node, before.epoch), (&chain[0].node, chain[0].epoch));
            if of != own {
                let (node, epoch) = own;
                return Err(damaged(format!(
                    "{on}, which is of node {}, epoch {}; itself it is of node {node}, epoch {epoch}",
                    of.0, of.1
                )));
            }
            if before.sha256() != base.manifest_sha256 || before.commit != base.commit {
                return Err(damaged(format!(
                    "{on}, but that is another backup than the one it was taken after"
                )));
            }
            chain.insert(0, before);
        }
        Ok(chain)
    }

    /// The number of the next backup.
    pub(super) fn next_number(&self) -> Result<u32> {
        Ok(self.names()?.iter().filter_map(|name| number(name)).max().unwrap_or_default() + 1)
    }

    /// Whether somebody else is kept from adding.
    pub(super) fn is_held(&self) -> bool {
        self.lock.is_some()
    }

    /// What was cut off is of no use to anybody.
    fn remove_partial(&self) -> Result<()> {
        for name in self.entries()?.iter().filter(|name| name.ends_with(PARTIAL)) {
            let path = self.path.join(name);
            fs::remove_dir_all(&path).map_err(|error| io(&path, &error))?;
        }
        Ok(())
    }

    fn entries(&self) -> Result<Vec<String>> {
        let failed = |error: std::io::Error| io(&self.path, &error);
        let entries = fs::read_dir(&self.path).map_err(failed)?;
        let name =
            |entry: std::io::Result<fs::DirEntry>| Ok(entry?.file_name().to_string_lossy().into_owned());
        entries.map(name).collect::<std::io::Result<_>>().map_err(failed)
    }
}

/// A directory of backups, or one of the backups in it: the place, and the name of the backup that is meant.
///
/// # Errors
/// `Invalid` if it is neither, or holds no backup.
pub(super) fn find(path: &Path) -> Result<(Place, String)> {
    if let Some(place) = Place::at(path)? {
        let newest = place.names()?.pop();
        let newest = newest.ok_or_else(|| not_one(path, "there is no backup in it yet"))?;
        return Ok((place, newest));
    }
    let whole = fs::canonicalize(path).map_err(|error| not_one(path, &error.to_string()))?;
    let name = whole.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let place = whole.parent().map(Place::at).transpose()?.flatten().filter(|_| number(&name).is_some());
    let limit = "name the directory that `intelgraph backup` wrote to, or one of the backups in it";
    Ok((place.ok_or_else(|| not_one(path, limit))?, name))
}

fn not_one(path: &Path, limit: &str) -> Error {
    Error::invalid("not a backup", &path.display().to_string(), limit)
}

/// The number of a backup, by its name.
fn number(name: &str) -> Option<u32> {
    let (number, kind) = name.split_once('-')?;
    let is_number = number.len() >= 4 && number.bytes().all(|byte| byte.is_ascii_digit());
    number.parse().ok().filter(|_| is_number && ["full", "increment"].contains(&kind))
}

/// Writes a file that only its owner can read, durably.
pub(super) fn write_synced(path: &Path, bytes: &[u8]) -> Result<()> {
    use std::io::Write;
    let mut file = create(path)?;
    file.write_all(bytes).and_then(|()| file.sync_all()).map_err(|error| io(path, &error))
}

/// A new file that only its owner can read.
pub(super) fn create(path: &Path) -> Result<File> {
    let file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path);
    file.map_err(|error| io(path, &error))
}

/// Makes the names in a directory durable.
pub(super) fn sync(path: &Path) -> Result<()> {
    File::open(path).and_then(|directory| directory.sync_all()).map_err(|error| io(path, &error))
}

/// Reads a file piece by piece.
pub(super) fn each_piece(path: &Path, visit: &mut dyn FnMut(&[u8])) -> std::io::Result<()> {
    let (mut file, mut buffer) = (File::open(path)?, vec![0; 1 << 20]);
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(()),
            read => visit(&buffer[..read]),
        }
    }
}
