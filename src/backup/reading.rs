//! Reads a backup: its digests, its rows, its files.

use std::collections::VecDeque;
use std::fs::{self, File};
use std::io::{BufReader, Write};
use std::path::{Component, Path, PathBuf};

use sha2::{Digest, Sha256};
use storage::backup::{Blocks, Gone, Merged};
use storage::{Error, Result};

use super::frames::{Frame, Kind};
use super::giving::hex;
use super::manifest::{Manifest, Part};
use super::place::{self, Place};
use super::{damaged, io};

/// What may be put into a data directory from a backup.
const DIRECTORIES: [&str; 3] = ["keys", "decisions", "rejects"];
const BUFFER_BYTES: usize = 1 << 20;

/// Checks that a part is the file that was written.
///
/// # Errors
/// `Corrupt` naming it if it is missing, cut short or changed; `Io` if it cannot be read.
pub(super) fn check_part(directory: &Path, part: &Part, progress: &mut dyn FnMut(u64)) -> Result<()> {
    let path = directory.join(&part.name);
    let name = path.display();
    let (mut sha256, mut bytes) = (Sha256::new(), 0);
    let read = place::each_piece(&path, &mut |piece| {
        sha256.update(piece);
        bytes += piece.len() as u64;
        progress(piece.len() as u64);
    });
    match read {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return Err(damaged(format!("`{name}` is missing")));
        }
        read => read.map_err(|error| io(&path, &error))?,
    }
    if bytes != part.bytes {
        return Err(damaged(format!("`{name}` has {bytes} bytes, not {}", part.bytes)));
    }
    match hex(&sha256.finalize()) == part.sha256 {
        true => Ok(()),
        false => Err(damaged(format!("`{name}` is not the file that was written: its digest differs"))),
    }
}

/// The rows of a chain of backups, the newest of each.
pub(super) fn rows(place: &Place, chain: &[Manifest]) -> Result<Merged<Rows>> {
    let rows = |manifest: &Manifest| Rows {
        directory: place.directory(&manifest.name),
        parts: manifest.parts.iter().map(|part| part.name.clone()).collect(),
        open: None,
    };
    let gone = Gone::of(chain.iter().skip(1).map(rows))?;
    Merged::new(chain.iter().map(rows), gone)
}

/// The blocks of one backup.
pub(super) struct Rows {
    directory: PathBuf,
    parts: VecDeque<String>,
    open: Option<(BufReader<File>, String)>,
}

impl Blocks for Rows {
    fn next(&mut self) -> Result<Option<Vec<u8>>> {
        loop {
            let Some((file, name)) = &mut self.open else {
                let Some(name) = self.parts.pop_front() else {
                    return Ok(None);
                };
                self.open = Some((open(&self.directory.join(&name))?, name));
                continue;
            };
            let at = self.directory.join(&*name);
            match Frame::read(file).map_err(|error| named(error, &at))? {
                Some(frame) if frame.kind == Kind::Rows => {
                    return frame.block().map(Some).map_err(|error| named(error, &at));
                }
                // Files are for others to read.
                Some(_) | None => self.open = None,
            }
        }
    }
}

/// Writes the files of a backup below a directory.
///
/// # Errors
/// `Corrupt` if a path leads elsewhere; `Io` if they cannot be read or written.
pub(super) fn write_files(place: &Place, manifest: &Manifest, to: &Path) -> Result<()> {
    let directory = place.directory(&manifest.name);
    for part in &manifest.parts {
        let path = directory.join(&part.name);
        let (mut file, mut writing): (_, Option<(String, File)>) = (open(&path)?, None);
        while let Some(frame) = Frame::read(&mut file).map_err(|error| named(error, &path))? {
            if frame.kind != Kind::File {
                break;
            }
            let piece = frame.piece().map_err(|error| named(error, &path))?;
            let target = to.join(below(&piece.path)?);
            if writing.as_ref().is_none_or(|(path, _)| *path != piece.path) {
                let parent = target.parent().unwrap_or(to);
                fs::create_dir_all(parent).map_err(|error| io(parent, &error))?;
                writing = Some((piece.path, place::create(&target)?));
            }
            let (_, writing) = writing.as_mut().expect("opened above");
            writing.write_all(&piece.bytes).map_err(|error| io(&target, &error))?;
        }
    }
    Ok(())
}

/// A path that stays below the data directory, in one of the directories that a backup holds files of.
fn below(path: &str) -> Result<&Path> {
    let mut parts = Path::new(path).components();
    let first = parts.next().and_then(|first| first.as_os_str().to_str());
    let is_known = first.is_some_and(|first| DIRECTORIES.contains(&first));
    match is_known && parts.all(|part| matches!(part, Component::Normal(_))) {
        true => Ok(Path::new(path)),
        false => Err(damaged(format!("a file `{path}`, which is no part of a data directory"))),
    }
}

fn open(path: &Path) -> Result<BufReader<File>> {
    let file = File::open(path).map_err(|error| io(path, &error))?;
    Ok(BufReader::with_capacity(BUFFER_BYTES, file))
}

fn named(error: Error, path: &Path) -> Error {
    match error {
        Error::Corrupt { what, detail } => {
            Error::Corrupt { what, detail: format!("`{}`: {detail}", path.display()) }
        }
        error => error,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_file_of_a_backup_leaves_the_data_directory() {
        assert!(below("keys/ledger.key").is_ok() && below("decisions/1/00000001.log").is_ok());
        for path in ["/etc/passwd", "../x", "keys/../../x", "store.redb", "", "index/x", "/keys/x"] {
            assert!(below(path).is_err(), "{path}");
        }
    }
}
