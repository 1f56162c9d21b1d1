//! The lines of a file, with their numbers: plain, gzip or zstd, with a byte order mark and carriage returns or without.

use std::fs::File;
use std::io::{BufRead, BufReader, Cursor, Read};
use std::path::{Path, PathBuf};

use crate::evaluate::error::{Error, Result};
use crate::ingest::files::decompress::{self, DECOMPRESSED_BYTES_MAX};

/// Longest line, in bytes.
const LINE_BYTES_MAX: usize = 16 << 20;
/// What errors call a text that has no file.
const SENT: &str = "judged queries";
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// How a file writes what is not ASCII.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Encoding {
    /// As JSON does.
    Utf8,
    /// As collections do that are older than UTF-8: a line that is not UTF-8 is Latin-1.
    Utf8OrLatin1,
}

/// The lines of a file, one after the other.
pub(super) struct Lines {
    file: PathBuf,
    reader: BufReader<Box<dyn Read>>,
    encoding: Encoding,
    number: u64,
}

impl Lines {
    pub(super) fn open(file: &Path, encoding: Encoding) -> Result<Lines> {
        let opened = File::open(file).and_then(|opened| decompress::open(opened, DECOMPRESSED_BYTES_MAX));
        let reader = BufReader::new(opened.map_err(|cause| Error::file(file, cause))?);
        Ok(Lines { file: file.to_owned(), reader, encoding, number: 0 })
    }

    /// Those of a text that was sent, and has no file.
    pub(super) fn sent(text: Vec<u8>, encoding: Encoding) -> Lines {
        let reader: Box<dyn Read> = Box::new(Cursor::new(text));
        Lines { file: PathBuf::from(SENT), reader: BufReader::new(reader), encoding, number: 0 }
    }

    /// The next line without its end.
    pub(super) fn next(&mut self) -> Result<Option<String>> {
        let mut line = Vec::new();
        let limit = LINE_BYTES_MAX as u64 + 1;
        let read = self.reader.by_ref().take(limit).read_until(b'\n', &mut line);
        if read.map_err(|cause| Error::file(&self.file, cause))? == 0 {
            return Ok(None);
        }
        self.number += 1;
        if line.len() > LINE_BYTES_MAX {
            let start = String::from_utf8_lossy(&line[..LINE_BYTES_MAX.min(100)]).into_owned();
            return Err(self.bad("a line is too long:", &start, &format!("at most {LINE_BYTES_MAX} bytes")));
        }
        if self.number == 1 && line.starts_with(BYTE_ORDER_MARK) {
            line.drain(..BYTE_ORDER_MARK.len());
        }
        while line.last().is_some_and(|end| matches!(end, b'\n' | b'\r')) {
            line.pop();
        }
        self.text(line).map(Some)
    }

    fn text(&self, line: Vec<u8>) -> Result<String> {
        String::from_utf8(line).or_else(|refused| match self.encoding {
            Encoding::Utf8OrLatin1 => Ok(refused.as_bytes().iter().copied().map(char::from).collect()),
            Encoding::Utf8 => {
                let text = String::from_utf8_lossy(refused.as_bytes()).into_owned();
                Err(self.bad("not UTF-8:", &text, "JSON is written in UTF-8"))
            }
        })
    }

    /// The number of the line that was read last, from 1.
    pub(super) fn number(&self) -> u64 {
        self.number
    }

    /// That something is wrong in the line that was read last.
    pub(super) fn bad(&self, what: &str, value: &str, wanted: &str) -> Error {
        self.bad_at(self.number, what, value, wanted)
    }

    /// That something is wrong in a line.
    pub(super) fn bad_at(&self, line: u64, what: &str, value: &str, wanted: &str) -> Error {
        Error::line(&self.file, line, what, value, wanted)
    }
}
