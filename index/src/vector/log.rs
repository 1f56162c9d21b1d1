//! What came since the last build, in a file that grows at its end.
//!
//! Frames follow each other: a vector each, or a commit, which holds a position and everything that changed up to it.
//! The checksum of a frame goes over that of the frame before, so that nothing old is taken for new. What follows the last
//! frame that is whole is cut off: the follower is then where that frame was, and does what is missing again. Vectors
//! that no commit names yet are kept all the same; they are what costs time.

use std::collections::HashMap;
use std::sync::Arc;

use storage::ids::{LabelId, Lsn, ThingId};

use super::home::{File, Home, damaged};
use super::rows::{Key, Row};
use super::vectors::{self, Buffer};
use crate::error::Result;

/// Counts every change of the form of a file: an index of another form is built anew.
const FORM: &[u8; 8] = b"IGVLOG01";
/// Length and checksum before a frame's body.
const FRAME_BYTES: u64 = 8;
const VECTOR: u32 = 1;
const COMMIT: u32 = 2;

/// Whose log it is, and what it goes on from: a text, which must be the same to the byte.
pub(super) type Heading = String;

/// A log, open to be gone on with.
pub(super) struct Log {
    pub(super) file: Arc<File>,
    pub(super) name: String,
    dimension: usize,
    len: u64,
    sum: u32,
    /// Where the vector of a text is.
    pool: HashMap<[u8; 16], u64>,
    unsynced: usize,
}

/// What one commit changed: the passages of a document, or none any more.
pub(super) type Changes = Vec<(Key, Vec<Row>)>;

/// A commit, as it was found.
pub(super) struct Commit {
    pub(super) position: Lsn,
    pub(super) changes: Changes,
}

impl Log {
    /// A new log, which nobody finds before it is published.
    pub(super) fn create(home: &Home, name: &str, heading: &Heading, dimension: usize) -> Result<Log> {
        let file = Arc::new(home.create(name)?);
        let mut log = Log::new(file, name, dimension);
        log.append(&head(heading))?;
        Ok(log)
    }

    fn new(file: Arc<File>, name: &str, dimension: usize) -> Log {
        let (pool, name) = (HashMap::new(), name.to_owned());
        Log { file, name, dimension, len: 0, sum: 0, pool, unsynced: 0 }
    }

    /// The heading of a log, if it is whole.
    pub(super) fn heading(file: &File) -> Result<Option<Heading>> {
        let len = file.len()?;
        let Some((body, _, _)) = frame(file, 0, 0, len)? else { return Ok(None) };
        let text = body.strip_prefix(FORM).map(<[u8]>::to_vec);
        Ok(text.and_then(|text| String::from_utf8(text).ok()))
    }

    /// Reads a log to the last frame that is whole, and cuts off what follows. `visit` sees every commit, at a moment at
    /// which the vectors that it names can be read.
    pub(super) fn open(
        file: Arc<File>,
        name: &str,
        dimension: usize,
        visit: &mut dyn FnMut(&Log, Commit) -> Result<()>,
    ) -> Result<Log> {
        let mut log = Log::new(file, name, dimension);
        let end = log.file.len()?;
        let mut is_heading = true;
        while let Some((body, next, sum)) = frame(&log.file, log.len, log.sum, end)? {
            if !is_heading && !log.take(&body, visit)? {
                break;
            }
            is_heading = false;
            (log.len, log.sum) = (next, sum);
        }
        if log.len < end {
            log.file.cut(log.len)?;
        }
        Ok(log)
    }

    /// Takes in a frame; false if it makes no sense.
    fn take(&mut self, body: &[u8], visit: &mut dyn FnMut(&Log, Commit) -> Result<()>) -> Result<bool> {
        let mut bytes = Bytes(body);
        match bytes.u32() {
            Some(VECTOR) => {
                let Some(text) = bytes.text() else { return Ok(false) };
                let at = self.len + FRAME_BYTES + 20;
                // The frame is whole; so is the vector, unless it was written by another program.
                let is_vector = bytes.0.len() == vectors::bytes_of(self.dimension);
                if is_vector {
                    self.pool.insert(text, at);
                }
                Ok(is_vector)
            }
            Some(COMMIT) => match read_commit(&mut bytes) {
                Some(commit) if self.holds(&commit.changes) => {
                    visit(self, commit)?;
                    Ok(true)
                }
                _ => Ok(false),
            },
            _ => Ok(false),
        }
    }

    fn holds(&self, changes: &Changes) -> bool {
        changes.iter().flat_map(|(_, rows)| rows).all(|row| self.pool.contains_key(&row.text))
    }

    /// Where the vector of a text is, if it is here.
    pub(super) fn vector(&self, text: &[u8; 16]) -> Option<u64> {
        self.pool.get(text).copied()
    }

    /// Keeps a vector.
    pub(super) fn add_vector(&mut self, text: &[u8; 16], vector: &[f32]) -> Result<()> {
        let mut body = VECTOR.to_le_bytes().to_vec();
        body.extend_from_slice(text);
        vectors::write(text, vector, &mut body);
        let at = self.append(&body)?;
        self.pool.insert(*text, at + 20);
        self.unsynced += 1;
        Ok(())
    }

    /// Makes vectors last that were kept since, if there are so many of them.
    pub(super) fn sync_vectors(&mut self, at_least: usize) -> Result<()> {
        if self.unsynced >= at_least.max(1) {
            self.file.sync()?;
            self.unsynced = 0;
        }
        Ok(())
    }

    /// Writes a commit and makes it last.
    pub(super) fn commit(&mut self, position: Lsn, changes: &[(Key, Vec<Row>)]) -> Result<()> {
        let (len, sum) = (self.len, self.sum);
        self.append(&write_commit(position, changes))?;
        if let Err(error) = self.file.sync() {
            // It is written over by the next one.
            (self.len, self.sum) = (len, sum);
            return Err(error);
        }
        self.unsynced = 0;
        Ok(())
    }

    /// How long the file is.
    pub(super) fn len(&self) -> u64 {
        self.len
    }

    /// Whether all of the file is as it was written.
    pub(super) fn check(file: &File, len: u64, dimension: usize) -> Result<()> {
        let (mut at, mut sum) = (0, 0);
        let mut buffer = Buffer::new(dimension);
        while at < len {
            let Some((body, next, next_sum)) = frame(file, at, sum, len)? else {
                return Err(damaged(format!("the log's frame at byte {at} does not match its checksum")));
            };
            let mut bytes = Bytes(&body);
            if bytes.u32() == Some(VECTOR)
                && let Some(text) = bytes.text()
            {
                buffer.read(file, at + FRAME_BYTES + 20, &text)?;
            }
            (at, sum) = (next, next_sum);
        }
        Ok(())
    }

    /// Where the body of the frame begins that was added.
    fn append(&mut self, body: &[u8]) -> Result<u64> {
        let len = u32::try_from(body.len()).map_err(|_| damaged("a frame of more than 4 GiB"))?;
        let sum = sum_of(self.sum, len, body);
        let mut frame = Vec::with_capacity(body.len() + FRAME_BYTES as usize);
        frame.extend_from_slice(&len.to_le_bytes());
        frame.extend_from_slice(&sum.to_le_bytes());
        frame.extend_from_slice(body);
        self.file.write(self.len, &frame)?;
        let at = self.len + FRAME_BYTES;
        self.len += frame.len() as u64;
        self.sum = sum;
        Ok(at)
    }
}

fn head(heading: &Heading) -> Vec<u8> {
    [FORM.as_slice(), heading.as_bytes()].concat()
}

/// The body of the frame at a place, where the next one begins, and its checksum; `None` if it is not whole.
fn frame(file: &File, at: u64, before: u32, end: u64) -> Result<Option<(Vec<u8>, u64, u32)>> {
    if at + FRAME_BYTES > end {
        return Ok(None);
    }
    let mut front = [0; 8];
    file.read(at, &mut front)?;
    let mut bytes = Bytes(&front);
    let (len, wanted) = (bytes.u32().unwrap_or(0), bytes.u32().unwrap_or(0));
    let next = at + FRAME_BYTES + u64::from(len);
    if next > end {
        return Ok(None);
    }
    let mut body = vec![0; len as usize];
    file.read(at + FRAME_BYTES, &mut body)?;
    let sum = sum_of(before, len, &body);
    Ok((sum == wanted).then_some((body, next, sum)))
}

fn sum_of(before: u32, len: u32, body: &[u8]) -> u32 {
    let mut sum = crc32fast::Hasher::new();
    sum.update(&before.to_le_bytes());
    sum.update(&len.to_le_bytes());
    sum.update(body);
    sum.finalize()
}

fn write_commit(position: Lsn, changes: &[(Key, Vec<Row>)]) -> Vec<u8> {
    let mut body = COMMIT.to_le_bytes().to_vec();
    body.extend_from_slice(&position.0.to_le_bytes());
    for ((thing, label), rows) in changes {
        body.extend_from_slice(&thing.0.to_le_bytes());
        body.extend_from_slice(&label.0.to_le_bytes());
        body.extend_from_slice(&(rows.len() as u32).to_le_bytes());
        rows.iter().for_each(|row| body.extend_from_slice(&row.to_bytes()));
    }
    body
}

fn read_commit(bytes: &mut Bytes<'_>) -> Option<Commit> {
    let position = Lsn(bytes.u64()?);
    let mut changes = Vec::new();
    while !bytes.0.is_empty() {
        let key = (ThingId(bytes.u64()?), LabelId(bytes.u32()?));
        let count = bytes.u32()?;
        let mut rows = Vec::new();
        for _ in 0..count {
            rows.push(Row::from_bytes(bytes.take()?));
        }
        changes.push((key, rows));
    }
    Some(Commit { position, changes })
}

/// Bytes that are read from their front.
pub(super) struct Bytes<'a>(pub(super) &'a [u8]);

impl<'a> Bytes<'a> {
    pub(super) fn take<const N: usize>(&mut self) -> Option<&'a [u8; N]> {
        let (front, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(front)
    }

    pub(super) fn u32(&mut self) -> Option<u32> {
        self.take().map(|bytes| u32::from_le_bytes(*bytes))
    }

    pub(super) fn u64(&mut self) -> Option<u64> {
        self.take().map(|bytes| u64::from_le_bytes(*bytes))
    }

    fn text(&mut self) -> Option<[u8; 16]> {
        self.take().copied()
    }
}
