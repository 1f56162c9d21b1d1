//! A file of decisions, and the row of files of a tenant.
//!
//! ```text
//! decisions/<tenant>/<number>.log    a line for each entry: CRC-32 of the JSON in 8 hex digits, a space, the JSON
//!                                    first line: {"format":2,"segment":<number>,"begun_us":<time>}
//! ```
//!
//! The last file is written to, those before it are closed. Each line stands by itself: one that is damaged is named
//! and left out. A line that a crash cut off at the end is taken off before anything is added.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use storage::model::DecisionSegment;

use super::Entry;

/// A file that is longer than this, in bytes, is closed.
pub const SEGMENT_BYTES_MAX: u64 = 1 << 20;
/// A file that is older than this is closed with the next entry: an hour.
const SEGMENT_AGE_MAX_US: i64 = 3_600_000_000;
/// Files that are kept of a tenant; the oldest goes when there are more.
pub const SEGMENTS_MAX: usize = 64;

/// 2 since entries name requests. Files of format 1 are read, and not added to.
const FORMAT: u32 = 2;
const FORMAT_READ_MIN: u32 = 1;

/// The files of one tenant.
#[derive(Debug)]
pub(super) struct Segments {
    directory: PathBuf,
    open: Option<Open>,
}

/// The file that is written to.
#[derive(Debug)]
struct Open {
    number: u64,
    file: File,
    bytes: u64,
    begun_us: i64,
}

/// What a file holds.
#[derive(Debug, Default)]
pub(super) struct Contents {
    /// Line, from 1, and entry.
    pub(super) entries: Vec<(u64, Entry)>,
    /// The lines that cannot be read, and why.
    pub(super) damaged: Vec<(u64, String)>,
    pub(super) sha256: [u8; 32],
}

#[derive(Serialize, Deserialize)]
struct Head {
    format: u32,
    segment: u64,
    begun_us: i64,
}

impl Segments {
    pub(super) fn new(directory: PathBuf) -> Segments {
        Segments { directory, open: None }
    }

    /// Appends entries, durably; at `now_us` (microseconds since 1970) if a new file has to be begun.
    pub(super) fn append(&mut self, entries: &[Entry], now_us: i64) -> io::Result<()> {
        let mut open = match self.open.take() {
            Some(open) if !open.is_full(now_us) => open,
            Some(open) => Open::begin(&self.directory, open.number + 1, now_us)?,
            None => self.go_on(now_us)?,
        };
        let text: String = entries.iter().map(line).collect();
        open.file.write_all(text.as_bytes())?;
        open.file.sync_data()?;
        open.bytes += text.len() as u64;
        // Not before it is durable: after a failure the file is looked at anew.
        self.open = Some(open);
        Ok(())
    }

    /// The files that nothing is added to any more, at `now_us`; oldest first.
    pub(super) fn closed(&self, now_us: i64) -> io::Result<Vec<u64>> {
        let mut numbers = numbers(&self.directory)?;
        let last_is_open = match &self.open {
            Some(open) => !open.is_full(now_us),
            None => true,
        };
        if last_is_open {
            numbers.pop();
        }
        Ok(numbers)
    }

    /// What the ledger is to hold of a closed file.
    pub(super) fn seal(&self, number: u64) -> io::Result<DecisionSegment> {
        let bytes = fs::read(path(&self.directory, number))?;
        let sha256 = Sha256::digest(&bytes).to_vec();
        Ok(DecisionSegment { number, sha256, bytes: bytes.len() as u64 })
    }

    /// Deletes what is too old to be kept, if the ledger has it.
    pub(super) fn retire(&self, is_recorded: &dyn Fn(u64) -> bool) -> io::Result<()> {
        let numbers = numbers(&self.directory)?;
        let surplus = numbers.len().saturating_sub(SEGMENTS_MAX);
        let old = numbers.into_iter().take(surplus).filter(|number| is_recorded(*number));
        old.into_iter().try_for_each(|number| fs::remove_file(path(&self.directory, number)))
    }

    /// The last file, if it can be gone on with; else a new one.
    fn go_on(&self, now_us: i64) -> io::Result<Open> {
        fs::create_dir_all(&self.directory)?;
        match numbers(&self.directory)?.pop() {
            None => Open::begin(&self.directory, 1, now_us),
            Some(last) => match Open::resume(&self.directory, last)? {
                Some(open) if !open.is_full(now_us) => Ok(open),
                _ => Open::begin(&self.directory, last + 1, now_us),
            },
        }
    }
}

impl Open {
    fn begin(directory: &Path, number: u64, now_us: i64) -> io::Result<Open> {
        let head = line(&Head { format: FORMAT, segment: number, begun_us: now_us });
        let mut file = OpenOptions::new().append(true).create_new(true).open(path(directory, number))?;
        file.write_all(head.as_bytes())?;
        file.sync_data()?;
        File::open(directory)?.sync_all()?;
        Ok(Open { number, file, bytes: head.len() as u64, begun_us: now_us })
    }

    /// Opens a file to add to it, less a line that was cut off; `None` if it does not begin as those of this format do.
    fn resume(directory: &Path, number: u64) -> io::Result<Option<Open>> {
        let path = path(directory, number);
        let bytes = fs::read(&path)?;
        let whole = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        // Nothing is taken off that was whole: the file is closed as it is.
        if is_line_without_end(&bytes[whole..]) {
            return Ok(None);
        }
        let head = bytes[..whole].split(|byte| *byte == b'\n').next().and_then(head);
        let Some(head) = head.filter(|head| head.format == FORMAT) else { return Ok(None) };
        let file = OpenOptions::new().append(true).open(&path)?;
        file.set_len(whole as u64)?;
        Ok(Some(Open { number, file, bytes: whole as u64, begun_us: head.begun_us }))
    }

    fn is_full(&self, now_us: i64) -> bool {
        self.bytes >= SEGMENT_BYTES_MAX || now_us.saturating_sub(self.begun_us) >= SEGMENT_AGE_MAX_US
    }
}

/// Reads a file. What cannot be read of it is named, never an error; a last line without an end is not there yet.
pub(super) fn read(directory: &Path, number: u64) -> io::Result<Contents> {
    let bytes = fs::read(path(directory, number))?;
    let mut contents = Contents { sha256: Sha256::digest(&bytes).into(), ..Contents::default() };
    for (at, line) in (1..).zip(bytes.split_inclusive(|byte| *byte == b'\n')) {
        let Some(line) = line.strip_suffix(b"\n") else {
            if is_line_without_end(line) {
                contents.damaged.push((at, "it does not end as a line does".to_owned()));
            }
            break;
        };
        if at == 1 {
            if head(line).is_none() {
                contents.damaged.push((at, "it does not begin as a segment does".to_owned()));
            }
            continue;
        }
        match json(line).and_then(|json| serde_json::from_slice(json).map_err(|error| error.to_string())) {
            Ok(entry) => contents.entries.push((at, entry)),
            Err(why) => contents.damaged.push((at, why)),
        }
    }
    Ok(contents)
}

/// The numbers of the files in a directory, in order; none if there is no directory.
pub(super) fn numbers(directory: &Path) -> io::Result<Vec<u64>> {
    let entries = match fs::read_dir(directory) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries?,
    };
    let mut numbers = Vec::new();
    for entry in entries {
        let name = entry?.file_name();
        let number = name.to_str().and_then(|name| name.strip_suffix(".log")?.parse::<u64>().ok());
        numbers.extend(number);
    }
    numbers.sort_unstable();
    Ok(numbers)
}

pub(super) fn path(directory: &Path, number: u64) -> PathBuf {
    directory.join(format!("{number:08}.log"))
}

fn line(content: &impl Serialize) -> String {
    let json = serde_json::to_string(content).expect("plain data is written as JSON");
    format!("{:08x} {json}\n", crc32fast::hash(json.as_bytes()))
}

fn head(line: &[u8]) -> Option<Head> {
    let head: Head = serde_json::from_slice(json(line).ok()?).ok()?;
    (FORMAT_READ_MIN..=FORMAT).contains(&head.format).then_some(head)
}

/// Whether what stands behind the last end of a line is a line with another byte for its end: no crash writes that.
fn is_line_without_end(rest: &[u8]) -> bool {
    rest.split_last().is_some_and(|(_, line)| json(line).is_ok())
}

/// The JSON of a line whose checksum fits.
fn json(line: &[u8]) -> Result<&[u8], String> {
    let damaged = || "its checksum does not fit".to_owned();
    let (crc, json) = line.split_at_checked(9).ok_or_else(damaged)?;
    let fits = crc == format!("{:08x} ", crc32fast::hash(json)).as_bytes();
    if fits { Ok(json) } else { Err(damaged()) }
}
