//! The files of what was named: folders as they are, zip files and parts of one unpacked beside.

use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use tempfile::TempDir;
use zip::ZipArchive;

use crate::cli::{Failure, Result};

/// A model has no more files than this around it,
const FILES_MAX: usize = 10_000;
/// in folders so deep,
const DEPTH_MAX: usize = 8;
/// and is no larger than this.
const UNPACKED_BYTES_MAX: u64 = 8 << 30;

/// A file that was found: its path within what was named, and where it is.
pub(super) struct Found {
    pub(super) within: PathBuf,
    pub(super) path: PathBuf,
    /// Which of those that were named it is from.
    pub(super) named: usize,
}

/// What was unpacked is there as long as this is.
pub(super) struct Unpacked {
    pub(super) files: Vec<Found>,
    folder: TempDir,
    folders: usize,
}

/// Finds the files below everything that was named, those nearest to it first.
pub(super) fn unpack(named: &[PathBuf]) -> Result<Unpacked> {
    let folder = TempDir::with_prefix("intelgraph-model-")
        .map_err(|error| unreadable(&std::env::temp_dir(), &error))?;
    let mut unpacked = Unpacked { files: Vec::new(), folder, folders: 0 };
    for (number, path) in named.iter().enumerate() {
        unpacked.add(path, number)?;
    }
    unpacked.join_parts()?;
    unpacked.files.sort_by_key(|found| (found.named, found.within.components().count()));
    Ok(unpacked)
}

impl Unpacked {
    fn add(&mut self, path: &Path, named: usize) -> Result<()> {
        let metadata = fs::metadata(path).map_err(|error| unreadable(path, &error))?;
        if metadata.is_dir() {
            return self.walk(path, Path::new(""), named, 0);
        }
        if part_number(path).is_none() && is_zip(path)? {
            return self.unzip(path, named);
        }
        let within = PathBuf::from(path.file_name().unwrap_or_default());
        self.found(Found { within, path: path.to_owned(), named })
    }

    fn found(&mut self, found: Found) -> Result<()> {
        self.files.push(found);
        match self.files.len() > FILES_MAX {
            true => Err(Failure::bad_input(format!("more than {FILES_MAX} files; name the model alone"))),
            false => Ok(()),
        }
    }

    fn walk(&mut self, folder: &Path, within: &Path, named: usize, depth: usize) -> Result<()> {
        if depth > DEPTH_MAX {
            let message = format!("`{}` lies deeper than {DEPTH_MAX} folders", folder.display());
            return Err(Failure::bad_input(message));
        }
        for entry in fs::read_dir(folder).map_err(|error| unreadable(folder, &error))? {
            let entry = entry.map_err(|error| unreadable(folder, &error))?;
            let (path, within) = (entry.path(), within.join(entry.file_name()));
            let metadata = fs::metadata(&path).map_err(|error| unreadable(&path, &error))?;
            if metadata.is_dir() {
                self.walk(&path, &within, named, depth + 1)?;
            } else if metadata.is_file() {
                self.found(Found { within, path, named })?;
            }
        }
        Ok(())
    }

    fn unzip(&mut self, path: &Path, named: usize) -> Result<()> {
        let broken = |error: zip::result::ZipError| {
            Failure::bad_input(format!("`{}` is not a whole zip file: {error}", path.display()))
        };
        let file = File::open(path).map_err(|error| unreadable(path, &error))?;
        let mut archive = ZipArchive::new(file).map_err(broken)?;
        let bytes = archive.decompressed_size().unwrap_or_default();
        if bytes > u128::from(UNPACKED_BYTES_MAX) || archive.len() > FILES_MAX {
            let message =
                format!("`{}` holds {bytes} bytes; a model has {UNPACKED_BYTES_MAX}", path.display());
            return Err(Failure::bad_input(message));
        }
        let folder = self.folder.path().join(self.folders.to_string());
        self.folders += 1;
        archive.extract(&folder).map_err(broken)?;
        self.walk(&folder, Path::new(""), named, 0)
    }

    /// A zip file that came in parts, `NAME.zip.001` and so on, is put together.
    fn join_parts(&mut self) -> Result<()> {
        let (mut parts, files): (Vec<_>, Vec<_>) =
            self.files.drain(..).partition(|found| part_number(&found.path).is_some());
        self.files = files;
        parts.sort_by_key(|part| part_number(&part.path));
        let Some(first) = parts.first() else { return Ok(()) };
        let is_next = |(number, part): (usize, &Found)| part_number(&part.path) == Some(number + 1);
        if !parts.iter().enumerate().all(is_next) {
            return Err(Failure::bad_input(
                "the parts of a zip file must be .001, .002 and so on, each once",
            ));
        }
        let (path, named) = (self.folder.path().join("joined.zip"), first.named);
        let mut joined = File::create(&path).map_err(|error| unreadable(&path, &error))?;
        for part in &parts {
            let copied = File::open(&part.path).and_then(|mut file| io::copy(&mut file, &mut joined));
            copied.map_err(|error| unreadable(&part.path, &error))?;
        }
        self.unzip(&path, named)
    }
}

/// The number of a part of a zip file.
fn part_number(path: &Path) -> Option<usize> {
    let (name, number) = path.file_name()?.to_str()?.rsplit_once('.')?;
    let number = number.parse().ok().filter(|_| number.len() == 3)?;
    name.ends_with(".zip").then_some(number)
}

fn is_zip(path: &Path) -> Result<bool> {
    let mut begin = Vec::new();
    let read = File::open(path).and_then(|file| file.take(4).read_to_end(&mut begin));
    read.map_err(|error| unreadable(path, &error))?;
    Ok(begin == b"PK\x03\x04")
}

pub(super) fn unreadable(path: &Path, error: &io::Error) -> Failure {
    Failure::bad_input(format!("file `{}`: {error}", path.display()))
}
