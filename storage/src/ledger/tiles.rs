//! Exports: a tenant's ledger as a directory of plain files (C2SP tlog-tiles), to be served or checked by anyone.
//!
//! ```text
//! checkpoint                 the signed checkpoint, written last
//! vkey                       the key it is signed with, as text
//! tile/entries/000           entry bundle: 256 times a big-endian u16 length (72) and the leaf data
//! tile/entries/x001/234.p/7  the last bundle of 1,234 * 256 + 7 records: index in groups of three digits, then width
//! tile/0/000                 256 leaf hashes
//! tile/1/000.p/4             the roots of 4 full tiles of the level below
//! ```
//!
//! Bodies are not among them: an export shows that a history is whole without showing what it says.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;

use super::error::{Error, Result};
use super::leaf::{LEAF_BYTES, Leaf};
use super::note::{Checkpoint, Signer, Vkey};
use super::tree::{Coord, Frontier, Hash, TILE_HEIGHT, TILE_WIDTH};

pub use verify::{PROBLEMS_MAX, Report, verify_dir};

mod verify;

/// Exports the leaves of `checkpoint`, in order, to the empty or new directory `dir`.
///
/// See [`Export`], which it drives.
///
/// # Errors
///
/// What the iterator says; [`Error::Mismatch`] if the leaves are not those of the checkpoint; [`Error::Io`].
pub fn export<E: From<Error>>(
    dir: &Path,
    checkpoint: &Checkpoint,
    signer: &Signer,
    leaves: impl IntoIterator<Item = Result<Leaf, E>>,
) -> Result<(), E> {
    let mut export = Export::create(dir)?;
    for leaf in leaves {
        export.push(&leaf?)?;
    }
    Ok(export.finish(checkpoint, signer)?)
}

/// An export that is being written, leaf by leaf, in about 90 KiB of memory whatever the size.
///
/// Each file is written under another name and then renamed, so a reader never sees half of one. The checkpoint comes
/// last, after everything else is durable: a directory without it is an export that was broken off.
pub struct Export<'d> {
    dir: &'d Path,
    frontier: Frontier,
    entries: Vec<u8>,
    /// For each tile level, the hashes of its last tile as far as they go.
    tiles: Vec<Vec<Hash>>,
}

impl<'d> Export<'d> {
    /// Begins an export in a directory that is empty, or is made here.
    ///
    /// # Errors
    ///
    /// [`Error::Io`], also if the directory is not empty: files of an older tree would stay among the new ones.
    pub fn create(dir: &'d Path) -> Result<Export<'d>> {
        fs::create_dir_all(dir).map_err(Error::io(dir))?;
        if fs::read_dir(dir).map_err(Error::io(dir))?.next().is_some() {
            let occupied =
                io::Error::new(io::ErrorKind::DirectoryNotEmpty, "an export needs an empty directory");
            return Err(Error::io(dir)(occupied));
        }
        Ok(Export { dir, frontier: Frontier::default(), entries: Vec::new(), tiles: vec![Vec::new()] })
    }

    /// Adds the next leaf, and writes the files that it fills.
    ///
    /// # Errors
    ///
    /// [`Error::Io`].
    pub fn push(&mut self, leaf: &Leaf) -> Result<()> {
        self.entries.extend_from_slice(&ENTRY_PREFIX);
        self.entries.extend_from_slice(&leaf.0);
        let mut completed = vec![(Coord { level: 0, index: self.frontier.size() }, leaf.hash())];
        self.frontier.push(completed[0].1, &mut completed);
        completed.into_iter().try_for_each(|(at, hash)| self.add(at, hash))
    }

    /// Writes the partial tiles, waits for the disk, then signs and writes the checkpoint.
    ///
    /// # Errors
    ///
    /// [`Error::Mismatch`] if the leaves do not add up to the checkpoint, in which case nothing is signed; [`Error::Io`].
    pub fn finish(self, checkpoint: &Checkpoint, signer: &Signer) -> Result<()> {
        self.check(checkpoint)?;
        self.finish_signed(&signer.sign(checkpoint)?, signer.vkey())
    }

    /// Does what [`Export::finish`] does, with a checkpoint that was signed elsewhere.
    ///
    /// # Errors
    ///
    /// [`Error::BadSignature`] if the key did not sign it; else as for [`Export::finish`].
    pub fn finish_signed(mut self, note: &str, vkey: &Vkey) -> Result<()> {
        self.check(&Checkpoint::open(note, vkey)?)?;
        for level in 0..self.tiles.len() {
            if !self.tiles[level].is_empty() {
                self.write_tile(level)?;
            }
        }
        write(self.dir, "vkey", format!("{vkey}\n").as_bytes())?;
        sync(self.dir)?;
        write(self.dir, "checkpoint", note.as_bytes())?;
        sync_one(&self.dir.join("checkpoint"))?;
        sync_one(self.dir)
    }

    fn add(&mut self, at: Coord, hash: Hash) -> Result<()> {
        let level = usize::from(at.level);
        if level == self.tiles.len() {
            self.tiles.push(Vec::new());
        }
        self.tiles[level].push(hash);
        match self.tiles[level].len() as u64 == TILE_WIDTH {
            true => self.write_tile(level),
            false => Ok(()),
        }
    }

    /// Writes the last tile of a level, and with a tile of level 0 its entry bundle.
    fn write_tile(&mut self, level: usize) -> Result<()> {
        let hashes = std::mem::take(&mut self.tiles[level]);
        let count = self.frontier.size() >> (TILE_HEIGHT * level as u32);
        let place = Place {
            kind: Kind::Hashes(level as u8),
            index: (count - 1) / TILE_WIDTH,
            width: hashes.len() as u64,
        };
        write(self.dir, &place.path(), hashes.as_flattened())?;
        if level == 0 {
            let entries = std::mem::take(&mut self.entries);
            write(self.dir, &Place { kind: Kind::Entries, ..place }.path(), &entries)?;
        }
        Ok(())
    }

    fn check(&self, checkpoint: &Checkpoint) -> Result<()> {
        let (size, root) = (self.frontier.size(), self.frontier.root());
        if (size, root) == (checkpoint.size, checkpoint.root) {
            return Ok(());
        }
        let detail =
            format!("its {} records have another root, or are not the {size} that came", checkpoint.size);
        Err(Error::mismatch("checkpoint of the export", detail))
    }
}

/// The length before each entry of a bundle: all leaves are equally long.
const ENTRY_PREFIX: [u8; 2] = (LEAF_BYTES as u16).to_be_bytes();

/// One file of hashes or entries: number `index` of its kind, `width` hashes or entries wide.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Place {
    kind: Kind,
    index: u64,
    width: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Entries,
    /// Hashes of this tile level.
    Hashes(u8),
}

impl Place {
    /// The file that holds item `item` of its kind, in a tree of `size` records.
    fn holding(kind: Kind, item: u64, size: u64) -> Place {
        let level = match kind {
            Kind::Entries => 0,
            Kind::Hashes(level) => u32::from(level),
        };
        let index = item / TILE_WIDTH;
        let width = (size >> (TILE_HEIGHT * level)).saturating_sub(index * TILE_WIDTH).min(TILE_WIDTH);
        Place { kind, index, width }
    }

    /// The path below the export's directory.
    fn path(&self) -> String {
        let kind = match self.kind {
            Kind::Entries => "entries".to_owned(),
            Kind::Hashes(level) => level.to_string(),
        };
        let mut index = format!("{:03}", self.index % 1000);
        let mut rest = self.index / 1000;
        while rest > 0 {
            index = format!("x{:03}/{index}", rest % 1000);
            rest /= 1000;
        }
        let partial = if self.width < TILE_WIDTH { format!(".p/{}", self.width) } else { String::new() };
        format!("tile/{kind}/{index}{partial}")
    }
}

fn write(dir: &Path, name: &str, bytes: &[u8]) -> Result<()> {
    let path = dir.join(name);
    let parent = path.parent().expect("a file of an export is in a directory");
    fs::create_dir_all(parent).map_err(Error::io(parent))?;
    let unfinished = path.with_extension("tmp");
    let mut file = File::create(&unfinished).map_err(Error::io(&unfinished))?;
    file.write_all(bytes).map_err(Error::io(&unfinished))?;
    fs::rename(&unfinished, &path).map_err(Error::io(&path))
}

/// Waits until everything below `dir` is on the disk.
///
/// One pass at the end, not one wait for each file: by then most of it is written, and a million records make 8,000 files.
fn sync(dir: &Path) -> Result<()> {
    for entry in fs::read_dir(dir).map_err(Error::io(dir))? {
        let path = entry.map_err(Error::io(dir))?.path();
        match path.is_dir() {
            true => sync(&path)?,
            false => sync_one(&path)?,
        }
    }
    sync_one(dir)
}

fn sync_one(path: &Path) -> Result<()> {
    File::open(path).and_then(|file| file.sync_all()).map_err(Error::io(path))
}

#[cfg(test)]
mod tests;
