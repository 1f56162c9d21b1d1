//! Checks an export from its records up, believing nothing but a key.
//!
//! Two trees are grown side by side, one from the entry bundles and one from the tiles of level 0. Where they part, the
//! signed root says which of the two was changed, and so the file that is named is the damaged one.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use super::super::error::{Error, Result};
use super::super::leaf::{LEAF_BYTES, Leaf};
use super::super::note::{self, Checkpoint, NOTE_BYTES_MAX, Vkey};
use super::super::tree::{Coord, EMPTY_ROOT, Frontier, Hash, TILE_WIDTH};
use super::{ENTRY_PREFIX, Kind, Place};

/// The most problems in a report; after so many the rest is not looked at.
pub const PROBLEMS_MAX: usize = 100;

/// What was found in an export.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// The ledger's name. This and the next two are what the checkpoint claims; without `ok` nobody vouches for it.
    pub origin: String,
    /// Number of records.
    pub size: u64,
    /// Root over them.
    pub root: Hash,
    /// Whether the signature is good, and every file is there and right.
    pub ok: bool,
    /// What is wrong, each with the file it is in; at most [`PROBLEMS_MAX`].
    pub problems: Vec<String>,
}

/// Checks the export in `dir` against the key that its reader trusts; the `vkey` file in it is only compared.
///
/// Every hash is computed anew from the records. Damaged, missing, cut and overlong files are problems in the report,
/// never a panic. Memory stays below 200 KiB whatever the size.
///
/// # Errors
///
/// [`Error::Io`] if `dir` is not a readable directory.
pub fn verify_dir(dir: &Path, key: &Vkey) -> Result<Report> {
    std::fs::read_dir(dir).map_err(Error::io(dir))?;
    let mut problems = Vec::new();
    check_vkey(dir, key, &mut problems);
    let checkpoint = read_checkpoint(dir, key, &mut problems);
    if let Some(checkpoint) = &checkpoint {
        let mut audit = Audit::new(dir, checkpoint, problems);
        audit.run();
        problems = audit.into_problems();
    }
    problems.truncate(PROBLEMS_MAX);
    let unknown = || Checkpoint { origin: String::new(), size: 0, root: EMPTY_ROOT };
    let Checkpoint { origin, size, root } = checkpoint.unwrap_or_else(unknown);
    Ok(Report { origin, size, root, ok: problems.is_empty(), problems })
}

fn check_vkey(dir: &Path, key: &Vkey, problems: &mut Vec<String>) {
    match read_text(dir, "vkey").map(|text| text.trim_end() == key.to_string()) {
        Ok(true) => {}
        Ok(false) => problems.push("vkey: it is not the key that was given".to_owned()),
        Err(problem) => problems.push(problem),
    }
}

/// Reads the checkpoint, even one with a false signature: its claims tell what else to look at.
fn read_checkpoint(dir: &Path, key: &Vkey, problems: &mut Vec<String>) -> Option<Checkpoint> {
    let text = read_text(dir, "checkpoint").map_err(|problem| problems.push(problem)).ok()?;
    match Checkpoint::open(&text, key) {
        Ok(checkpoint) => Some(checkpoint),
        Err(error) => {
            problems.push(format!("checkpoint: {error}"));
            Checkpoint::parse(note::unverified_text(&text).ok()?).ok()
        }
    }
}

struct Audit<'a> {
    dir: &'a Path,
    checkpoint: &'a Checkpoint,
    problems: Vec<String>,
    disputes: Vec<Dispute>,
    by_entries: Frontier,
    by_tiles: Frontier,
    /// For each tile level from 1, the tile that is being compared.
    upper: Vec<Option<Tile>>,
}

/// A file whose hashes are not those of both trees.
struct Dispute {
    file: String,
    /// First record that is not as it should be.
    record: u64,
    /// The tree that it agrees with, if any.
    side: Option<Side>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Side {
    Entries,
    Tiles,
}

/// A stored tile; without hashes if it is unreadable or already disputed.
struct Tile {
    place: Place,
    hashes: Option<Vec<Hash>>,
}

impl<'a> Audit<'a> {
    fn new(dir: &'a Path, checkpoint: &'a Checkpoint, problems: Vec<String>) -> Self {
        let (by_entries, by_tiles) = (Frontier::default(), Frontier::default());
        Audit { dir, checkpoint, problems, disputes: Vec::new(), by_entries, by_tiles, upper: Vec::new() }
    }

    fn run(&mut self) {
        let size = self.checkpoint.size;
        while self.by_entries.size() < size && !self.is_full() {
            self.check_bundle(self.by_entries.size());
        }
    }

    fn is_full(&self) -> bool {
        self.problems.len() + self.disputes.len() >= PROBLEMS_MAX
    }

    /// Checks the entry bundle that begins with record `start`, its tile of level 0, and what they complete above.
    fn check_bundle(&mut self, start: u64) {
        let bundle = Place::holding(Kind::Entries, start, self.checkpoint.size);
        let tile = Place { kind: Kind::Hashes(0), ..bundle };
        let entries = read_entries(self.dir, bundle).map_err(|problem| self.problems.push(problem)).ok();
        let hashes = read_hashes(self.dir, tile).map_err(|problem| self.problems.push(problem)).ok();
        if let (Some(entries), Some(hashes)) = (&entries, &hashes)
            && let Some(at) = entries.iter().zip(hashes).position(|(entry, hash)| entry != hash)
        {
            let record = start + at as u64;
            self.disputes.push(Dispute { file: bundle.path(), record, side: Some(Side::Entries) });
            self.disputes.push(Dispute { file: tile.path(), record, side: Some(Side::Tiles) });
        }
        // One unreadable file is stood in for by the other, so that the rest can still be judged.
        let nothing = || vec![EMPTY_ROOT; bundle.width as usize];
        let entries = entries.or_else(|| hashes.clone()).unwrap_or_else(nothing);
        let hashes = hashes.unwrap_or_else(|| entries.clone());
        self.grow(&entries, &hashes);
    }

    fn grow(&mut self, entries: &[Hash], hashes: &[Hash]) {
        let (mut by_entries, mut by_tiles) = (Vec::new(), Vec::new());
        entries.iter().for_each(|hash| self.by_entries.push(*hash, &mut by_entries));
        hashes.iter().for_each(|hash| self.by_tiles.push(*hash, &mut by_tiles));
        for ((at, entry_hash), (_, tile_hash)) in by_entries.into_iter().zip(by_tiles) {
            self.check_upper(at, entry_hash, tile_hash);
        }
    }

    /// Compares one stored hash with what both trees make of the records below it.
    fn check_upper(&mut self, at: Coord, by_entries: Hash, by_tiles: Hash) {
        let tile = self.upper_tile(at);
        let place = tile.place;
        let Some(stored) = tile.hashes.as_ref().map(|hashes| hashes[(at.index % TILE_WIDTH) as usize]) else {
            return;
        };
        if stored == by_entries && stored == by_tiles {
            return;
        }
        // The first dispute stands for the whole tile, unless it is only an echo of one below.
        let side = match stored {
            _ if stored == by_entries => Some(Side::Entries),
            _ if stored == by_tiles => Some(Side::Tiles),
            _ => None,
        };
        if side.is_none() {
            tile.hashes = None;
        }
        let record = at.index << (u32::from(at.level) * super::TILE_HEIGHT);
        self.disputes.push(Dispute { file: place.path(), record, side });
    }

    fn upper_tile(&mut self, at: Coord) -> &mut Tile {
        let slot = usize::from(at.level) - 1;
        if slot == self.upper.len() {
            self.upper.push(None);
        }
        let place = Place::holding(Kind::Hashes(at.level), at.index, self.checkpoint.size);
        if self.upper[slot].as_ref().is_none_or(|tile| tile.place != place) {
            let hashes = read_hashes(self.dir, place).map_err(|problem| self.problems.push(problem)).ok();
            self.upper[slot] = Some(Tile { place, hashes });
        }
        self.upper[slot].as_mut().expect("it was filled above")
    }

    /// Settles the disputes by the root that was signed.
    fn into_problems(self) -> Vec<String> {
        let Audit { checkpoint, mut problems, disputes, by_entries, by_tiles, .. } = self;
        if by_entries.size() < checkpoint.size {
            problems.extend(disputes.into_iter().map(|dispute| dispute.unsettled()));
            return problems;
        }
        let truth = match checkpoint.root {
            root if root == by_entries.root() => Some(Side::Entries),
            root if root == by_tiles.root() => Some(Side::Tiles),
            _ => None,
        };
        if truth.is_none() {
            problems.push("checkpoint: its root is not that of the files here".to_owned());
        }
        let wrong = disputes.into_iter().filter(|dispute| truth.is_none() || dispute.side != truth);
        problems.extend(wrong.map(
            |dispute| {
                if truth.is_some() { dispute.settled() } else { dispute.unsettled() }
            },
        ));
        problems
    }
}

impl Dispute {
    fn settled(self) -> String {
        format!("{}: changed at index {}: it does not lead to the signed root", self.file, self.record)
    }

    fn unsettled(self) -> String {
        format!("{}: at index {} it does not agree with its neighbours", self.file, self.record)
    }
}

fn read_entries(dir: &Path, place: Place) -> Result<Vec<Hash>, String> {
    let file = place.path();
    let bytes = read(dir, &file, (ENTRY_PREFIX.len() + LEAF_BYTES) as u64 * place.width)?;
    let entries = bytes.as_chunks::<{ ENTRY_PREFIX.len() + LEAF_BYTES }>().0.iter();
    let hash = |(at, entry): (usize, &[u8; ENTRY_PREFIX.len() + LEAF_BYTES])| match entry.split_first_chunk()
    {
        Some((&ENTRY_PREFIX, data)) => {
            Ok(Leaf(data.try_into().expect("the rest of an entry is a leaf")).hash())
        }
        _ => Err(format!("{file}: entry {at} does not begin with the length {LEAF_BYTES}")),
    };
    entries.enumerate().map(hash).collect()
}

fn read_hashes(dir: &Path, place: Place) -> Result<Vec<Hash>, String> {
    let bytes = read(dir, &place.path(), 32 * place.width)?;
    Ok(bytes.as_chunks().0.to_vec())
}

/// Reads a file that must be `wanted` bytes long, and never more than one byte beyond that.
fn read(dir: &Path, file: &str, wanted: u64) -> Result<Vec<u8>, String> {
    let bytes = read_up_to(dir, file, wanted + 1)?;
    match bytes.len() as u64 {
        length if length == wanted => Ok(bytes),
        length if length > wanted => Err(format!("{file}: longer than {wanted} bytes")),
        length => Err(format!("{file}: {length} bytes long, not {wanted}")),
    }
}

fn read_text(dir: &Path, file: &str) -> Result<String, String> {
    let bytes = read_up_to(dir, file, NOTE_BYTES_MAX as u64 + 1)?;
    String::from_utf8(bytes).map_err(|_| format!("{file}: not UTF-8"))
}

fn read_up_to(dir: &Path, file: &str, limit: u64) -> Result<Vec<u8>, String> {
    let read = || {
        let path = dir.join(file);
        // Opening a pipe would wait for a writer.
        if !path.metadata()?.is_file() {
            return Err(io::Error::other("not a file"));
        }
        let mut bytes = Vec::new();
        File::open(path)?.take(limit).read_to_end(&mut bytes)?;
        Ok(bytes)
    };
    read().map_err(|error: io::Error| match error.kind() {
        io::ErrorKind::NotFound => format!("{file}: missing"),
        _ => format!("{file}: {error}"),
    })
}
