//! What was committed and the database has not taken in yet, in a file of its own. To commit is to append to it: one write and one
//! sync, where a B-tree writes a page here and a page there, and syncs twice.
//!
//! The file is a row of sectors, each of which a power cut leaves old or new:
//!
//! ```text
//!  0.. 8  XXH3-64 over the rest
//!  8..12  round: how often the database has taken in all
//! 12..16  entry: the number of the commit in the round, from 1
//! 16..20  left: how many sectors of the entry follow
//! 20..512 what the commit changed ([`super::entry`]); nothing in the last one, the seal
//! ```
//!
//! All numbers are little-endian. A round begins at the front of the file, over what earlier ones left there; the database says which
//! round it waits for, and from which entry on. An entry is written when those before it are durable, and its sectors are written in order. So a sector that does not match
//! with something of the same entry behind it, be it the seal, is damage, and so is a gap with a later entry behind it. At the end, either is a commit
//! that was cut off, of which nobody was told. If the last entry reads as old, all of it or a sector, that is taken for a cut: nothing in
//! the file could tell.

use xxhash_rust::xxh3::xxh3_64;

use super::Backend;
use super::entry;
use crate::error::{Error, Result};
use crate::tx::Changes;

/// What a power cut does not split.
const SECTOR_BYTES: usize = 512;
const HEAD_BYTES: usize = 20;
const HELD_BYTES: usize = SECTOR_BYTES - HEAD_BYTES;
/// The file grows by so much, written with zeros: a sync has to make data durable then, and no sizes.
const STEP_BYTES: u64 = 1 << 20;
/// How much is read at once.
const CHUNK_SECTORS: u64 = 2048;

/// An open journal.
pub(super) struct Journal {
    file: Box<dyn Backend>,
    /// The database takes in what is there before it would be more than this.
    round_bytes_max: u64,
    bytes: u64,
    round: u32,
    /// Whether the database waits for entries of this round.
    is_open: bool,
    next_entry: u32,
    end: u64,
    /// The entry that is appended next, and as sectors. Kept: to have the system clear new memory for each takes longer than to fill it.
    entry: Vec<u8>,
    sectors: Vec<u8>,
}

/// What the database says of its journal.
#[derive(Clone, Copy, PartialEq, Eq, prost::Message)]
pub(super) struct Mark {
    #[prost(uint32, tag = "1")]
    pub(super) round: u32,
    /// Whether the journal may hold entries of this round. It does not once the database was closed.
    #[prost(bool, tag = "2")]
    pub(super) is_open: bool,
    /// The length of the file: it gets no shorter.
    #[prost(uint64, tag = "3")]
    pub(super) bytes: u64,
    /// How many entries of the round the database has taken in,
    #[prost(uint32, tag = "4")]
    pub(super) taken: u32,
    /// and where they end.
    #[prost(uint64, tag = "5")]
    pub(super) taken_end: u64,
}

impl Journal {
    /// A journal whose database was durable after so many rounds, and is: what the file holds does not count.
    pub(super) fn at_rest(file: Box<dyn Backend>, round_bytes_max: u64, round: u32) -> Journal {
        let (entry, sectors) = Default::default();
        Journal {
            file,
            round_bytes_max,
            bytes: 0,
            round,
            is_open: false,
            next_entry: 1,
            end: 0,
            entry,
            sectors,
        }
    }

    /// Reads what the database of this mark lacks, and gives it to `again` in order.
    pub(super) fn recover(
        file: Box<dyn Backend>,
        round_bytes_max: u64,
        mark: Mark,
        again: &mut dyn FnMut(Vec<Changes>),
    ) -> Result<Journal> {
        let bytes = file.len().map_err(io)?;
        if bytes < mark.bytes {
            return Err(damaged(format!(
                "it has {bytes} bytes, and had {}: it was cut short or is missing",
                mark.bytes
            )));
        }
        check_not_later(&*file, mark)?;
        let (entry, end) = (mark.taken + 1, mark.taken_end);
        let mut reading = Reading { round: mark.round, entry, end, ..Reading::default() };
        let (begin, sectors) = (end / SECTOR_BYTES as u64, bytes / SECTOR_BYTES as u64);
        let mut chunk = vec![0; CHUNK_SECTORS as usize * SECTOR_BYTES];
        for first in (begin..sectors).step_by(CHUNK_SECTORS as usize) {
            let count = CHUNK_SECTORS.min(sectors - first) as usize;
            let chunk = &mut chunk[..count * SECTOR_BYTES];
            file.read(first * SECTOR_BYTES as u64, chunk).map_err(io)?;
            for (place, sector) in (first..).zip(chunk.chunks(SECTOR_BYTES)) {
                reading.take(place, sector, again)?;
            }
        }
        let mut journal = Journal {
            bytes,
            is_open: true,
            next_entry: reading.entry,
            end: reading.end,
            ..Journal::at_rest(file, round_bytes_max, mark.round)
        };
        journal.forget_until(reading.cut_off)?;
        journal.write_again(reading.last, &reading.last_body)?;
        Ok(journal)
    }

    /// Makes the last entry durable: nobody may have been told of it, and now it counts. After a sync that failed the system may show
    /// what the disk never got, and think that it did; so it is written again.
    fn write_again(&mut self, at: u64, body: &[u8]) -> Result<()> {
        if !body.is_empty() {
            self.sectors.clear();
            write_sectors(&mut self.sectors, self.round, self.next_entry - 1, body);
            self.file.write(at, &self.sectors).map_err(io)?;
        }
        self.file.sync_data().map_err(io)
    }

    /// Overwrites what a cut left of an entry: it must not be taken for a part of the next one.
    fn forget_until(&mut self, cut_off: u64) -> Result<()> {
        if cut_off <= self.end {
            return Ok(());
        }
        let zeros = vec![0; (cut_off - self.end) as usize];
        self.file.write(self.end, &zeros).map_err(io)
    }

    /// Whether the database waits for entries.
    pub(super) fn is_open(&self) -> bool {
        self.is_open
    }

    /// Whether there is less room than what is taken.
    pub(super) fn is_half_full(&self) -> bool {
        self.end >= self.round_bytes_max / 2
    }

    /// How many bytes are in it.
    pub(super) fn used_bytes(&self) -> u64 {
        self.end
    }

    /// Takes changes as the entry that is appended next; false if there is no room for it: the database has to take them in.
    pub(super) fn take(&mut self, changes: &[Changes]) -> bool {
        if !self.is_open || !entry::encode(changes, &mut self.entry) {
            return false;
        }
        self.sectors.clear();
        write_sectors(&mut self.sectors, self.round, self.next_entry, &self.entry);
        self.end + self.sectors.len() as u64 <= self.round_bytes_max
    }

    /// Appends the entry that was taken; durable on return.
    pub(super) fn append(&mut self) -> Result<()> {
        let end = self.end + self.sectors.len() as u64;
        let bytes = self.bytes.max(end.next_multiple_of(STEP_BYTES));
        if end > self.bytes {
            self.file.set_len(bytes).map_err(io)?;
            self.sectors.resize((bytes - self.end) as usize, 0);
        }
        self.file.write(self.end, &self.sectors).map_err(io)?;
        self.file.sync_data().map_err(io)?;
        (self.bytes, self.end, self.next_entry) = (bytes, end, self.next_entry + 1);
        Ok(())
    }

    /// The mark of a database that has taken in what is there now.
    pub(super) fn taken_mark(&self) -> Mark {
        let (round, is_open, bytes) = (self.round, self.is_open, self.bytes);
        Mark { round, is_open, bytes, taken: self.next_entry - 1, taken_end: self.end }
    }

    /// The mark of the round that begins when the database has taken in all. What another database may
    /// have left in the file is gone before the database waits for anything there.
    pub(super) fn next_mark(&mut self, is_open: bool) -> Result<Mark> {
        if is_open && !self.is_open {
            self.begin_anew().map_err(io)?;
        }
        Ok(Mark { round: self.round + 1, is_open, bytes: self.bytes, ..Mark::default() })
    }

    fn begin_anew(&mut self) -> std::io::Result<()> {
        self.file.set_len(0)?;
        self.file.set_len(STEP_BYTES)?;
        self.file.write(0, &vec![0; STEP_BYTES as usize])?;
        self.bytes = STEP_BYTES;
        self.file.sync_data()
    }

    /// Begins the round of a mark that is durable in the database; without one that is open, nothing is kept.
    pub(super) fn begin(&mut self, mark: Mark) {
        (self.round, self.is_open) = (mark.round, mark.is_open);
        (self.next_entry, self.end) = (1, 0);
        if !mark.is_open {
            // What is left there says nothing any more: if it cannot be removed now, it is before the file is used again.
            let _ = self.file.set_len(0);
        }
    }
}

/// What the database took in is not read, and a later round begins there.
fn check_not_later(file: &dyn Backend, mark: Mark) -> Result<()> {
    let mut first = [0; SECTOR_BYTES];
    if mark.taken_end > 0 {
        file.read(0, &mut first).map_err(io)?;
    }
    match sector(&first) {
        Sector::Of { round, .. } if round > mark.round => Err(later(0, round, mark.round)),
        _ => Ok(()),
    }
}

/// What was read so far of a journal that may have been cut off.
#[derive(Default)]
struct Reading {
    round: u32,
    /// The entry that is read, or comes next,
    entry: u32,
    body: Vec<u8>,
    /// and how many of its sectors follow, once it was begun.
    left: Option<u32>,
    /// The last whole entry: where it is, and its body as it was held; and where it ends.
    last: u64,
    last_body: Vec<u8>,
    end: u64,
    /// The first sector that was not the one to come, and whether it matches nothing.
    gap: Option<u64>,
    is_damaged: bool,
    /// Where the last sector of an entry that was cut off ends.
    cut_off: u64,
}

/// What a sector says of itself.
enum Sector<'s> {
    Of { round: u32, entry: u32, left: u32, held: &'s [u8] },
    Empty,
    Damaged,
}

impl Reading {
    fn take(&mut self, place: u64, bytes: &[u8], again: &mut dyn FnMut(Vec<Changes>)) -> Result<()> {
        // A body that is whole counts, whatever became of its seal.
        if (place + 1) * SECTOR_BYTES as u64 == self.end {
            return Ok(());
        }
        match sector(bytes) {
            Sector::Of { round, .. } if round > self.round => Err(later(place, round, self.round)),
            Sector::Of { round, entry, left, held } if round == self.round => match self.gap {
                None if self.is_next(entry, left) => self.go_on(place, left, held, again),
                Some(gap) if self.is_damaged && entry >= self.entry => {
                    Err(damaged(format!("sector {gap} does not match its checksum")))
                }
                gap if entry > self.entry => Err(damaged(format!(
                    "entry {} is missing at sector {}, and entry {entry} follows",
                    self.entry,
                    gap.unwrap_or(place)
                ))),
                _ => {
                    self.gap.get_or_insert(place);
                    self.cut_off = (place + 1) * SECTOR_BYTES as u64;
                    Ok(())
                }
            },
            other => {
                if self.gap.is_none() && matches!(other, Sector::Damaged) {
                    self.is_damaged = true;
                    self.cut_off = (place + 1) * SECTOR_BYTES as u64;
                }
                self.gap.get_or_insert(place);
                Ok(())
            }
        }
    }

    fn is_next(&self, entry: u32, left: u32) -> bool {
        entry == self.entry && left > 0 && self.left.is_none_or(|before| left + 1 == before)
    }

    fn go_on(
        &mut self,
        place: u64,
        left: u32,
        held: &[u8],
        again: &mut dyn FnMut(Vec<Changes>),
    ) -> Result<()> {
        self.body.extend_from_slice(held);
        // Until it is whole, it may be one that was cut off.
        self.cut_off = (place + 1) * SECTOR_BYTES as u64;
        self.left = Some(left);
        if left > 1 {
            return Ok(());
        }
        let changes = entry::decode(&self.body);
        again(changes.ok_or_else(|| damaged(format!("entry {} cannot be read", self.entry)))?);
        (self.last, self.last_body) = (self.end, std::mem::take(&mut self.body));
        self.cut_off += SECTOR_BYTES as u64;
        (self.left, self.end, self.entry) = (None, self.cut_off, self.entry + 1);
        Ok(())
    }
}

fn sector(bytes: &[u8]) -> Sector<'_> {
    let number = |at: usize| u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]]);
    if bytes[..8] == xxh3_64(&bytes[8..]).to_le_bytes() {
        return Sector::Of {
            round: number(8),
            entry: number(12),
            left: number(16),
            held: &bytes[HEAD_BYTES..],
        };
    }
    if bytes.iter().all(|byte| *byte == 0) { Sector::Empty } else { Sector::Damaged }
}

/// An entry as it is written.
fn write_sectors(sectors: &mut Vec<u8>, round: u32, number: u32, entry: &[u8]) {
    let (count, seal) = (entry.len().div_ceil(HELD_BYTES), [].as_slice());
    for (place, held) in entry.chunks(HELD_BYTES).chain([seal]).enumerate() {
        let from = sectors.len();
        sectors.extend_from_slice(&[0; 8]);
        for field in [round, number, (count - place) as u32] {
            sectors.extend_from_slice(&field.to_le_bytes());
        }
        sectors.extend_from_slice(held);
        sectors.resize(from + SECTOR_BYTES, 0);
        let sum = xxh3_64(&sectors[from + 8..]);
        sectors[from..from + 8].copy_from_slice(&sum.to_le_bytes());
    }
}

fn later(place: u64, round: u32, awaited: u32) -> Error {
    damaged(format!(
        "sector {place} is of round {round}, and the database waits for {awaited}: the database was put back from an older copy"
    ))
}

fn io(error: std::io::Error) -> Error {
    Error::Io(format!("the journal: {error}"))
}

fn damaged(how: String) -> Error {
    Error::Corrupt { what: "journal", detail: format!("{how}; restore a backup") }
}
