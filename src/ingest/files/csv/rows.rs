//! Splits a file into rows of cells, in bounded memory: a quote that never closes costs its row, not the machine.

use std::io::{BufRead, BufReader, Read};

use csv_core::ReadRecordResult;
use storage::model::RECORD_BYTES_MAX;

use super::super::reject::{Reject, VALUE_CHARS_MAX};
use super::COLUMNS_MAX;
use super::dialect::Dialect;

const BUFFER_BYTES: usize = 256 * 1024;
const MARK_BYTES: usize = 3;

/// The rows of a file, one after the other. Each is lent until the next is asked for.
pub(super) struct Rows<R> {
    reader: BufReader<R>,
    core: csv_core::Reader,
    dialect: Dialect,
    cells: Vec<u8>,
    ends: Vec<usize>,
    /// The line on which the next byte stands, from 1.
    line: u64,
    /// Bytes read so far.
    bytes: u64,
    started: bool,
}

/// The cells of one row.
#[derive(Clone, Copy)]
pub(super) struct Row<'a> {
    /// The line on which it starts, from 1.
    pub(super) line: u64,
    text: &'a str,
    ends: &'a [usize],
}

/// What comes next.
pub(super) enum Found<'a> {
    Row(Row<'a>),
    Rejected(Reject),
}

/// What a row turned out to be, its cells aside.
struct Taken {
    cells: usize,
    bytes: usize,
    too_wide: bool,
    too_large: bool,
    /// Whether the file ended in the middle of a quoted cell.
    is_open: bool,
}

impl<R: Read> Rows<R> {
    pub(super) fn new(reader: R, dialect: Dialect) -> Rows<R> {
        let core = csv_core::ReaderBuilder::new().delimiter(dialect.delimiter).quote(dialect.quote).build();
        Rows {
            reader: BufReader::with_capacity(BUFFER_BYTES, reader),
            core,
            dialect,
            cells: vec![0; 4096],
            ends: vec![0; 64],
            line: 1,
            bytes: 0,
            started: false,
        }
    }

    /// The next row or reject; none at the end. Empty lines are passed over.
    pub(super) fn next(&mut self) -> std::io::Result<Option<Found<'_>>> {
        if !self.started {
            self.skip_mark()?;
            self.started = true;
        }
        self.skip_line_ends()?;
        let line = self.line;
        let Some(taken) = self.take()? else { return Ok(None) };
        Ok(Some(self.found(line, &taken)))
    }

    /// How many bytes were read so far.
    pub(super) fn offset(&self) -> u64 {
        self.bytes
    }

    fn skip_mark(&mut self) -> std::io::Result<()> {
        if self.dialect.has_mark {
            let mut mark = [0; MARK_BYTES];
            self.reader.read_exact(&mut mark)?;
            self.bytes += MARK_BYTES as u64;
        }
        Ok(())
    }

    fn skip_line_ends(&mut self) -> std::io::Result<()> {
        loop {
            let ahead = self.reader.fill_buf()?;
            let count = ahead.iter().take_while(|byte| b"\r\n".contains(byte)).count();
            let more = count > 0 && count == ahead.len();
            self.line += line_ends(&ahead[..count], self.dialect);
            self.bytes += count as u64;
            self.reader.consume(count);
            if !more {
                return Ok(());
            }
        }
    }

    /// Takes the cells of one row into memory, as far as they may be there.
    fn take(&mut self) -> std::io::Result<Option<Taken>> {
        let (mut bytes, mut cells, mut quotes) = (0, 0, 0);
        let (mut too_wide, mut too_large) = (false, false);
        loop {
            let ahead = self.reader.fill_buf()?;
            let at_end = ahead.is_empty();
            let (result, read, written, ended) =
                self.core.read_record(ahead, &mut self.cells[bytes..], &mut self.ends[cells..]);
            self.line += line_ends(&ahead[..read], self.dialect);
            quotes += memchr::memchr_iter(self.dialect.quote, &ahead[..read]).count();
            self.bytes += read as u64;
            self.reader.consume(read);
            bytes += written;
            cells += ended;
            match result {
                ReadRecordResult::InputEmpty => {}
                ReadRecordResult::OutputFull if self.cells.len() < RECORD_BYTES_MAX => {
                    self.cells.resize(self.cells.len() * 2, 0);
                }
                ReadRecordResult::OutputFull => (too_large, bytes) = (true, VALUE_CHARS_MAX),
                ReadRecordResult::OutputEndsFull if self.ends.len() < COLUMNS_MAX => {
                    self.ends.resize(self.ends.len() * 2, 0);
                }
                ReadRecordResult::OutputEndsFull => (too_wide, cells) = (true, 0),
                ReadRecordResult::Record => {
                    let is_open = at_end && quotes % 2 == 1;
                    return Ok(Some(Taken { cells, bytes, too_wide, too_large, is_open }));
                }
                ReadRecordResult::End => return Ok(None),
            }
        }
    }

    fn found(&self, line: u64, taken: &Taken) -> Found<'_> {
        let shown =
            || String::from_utf8_lossy(&self.cells[..taken.bytes.min(4 * VALUE_CHARS_MAX)]).into_owned();
        let rejected = |code, reason: String| Found::Rejected(Reject::new(code, reason, &shown()).at(line));
        if taken.is_open {
            let reason = "a quote does not close before the file ends; close it, or double it if it is meant";
            return rejected("open_quote", reason.to_owned());
        }
        if taken.too_large {
            let reason = format!("a row of more than {RECORD_BYTES_MAX} bytes; is a quote not closed?");
            return rejected("record_too_large", reason);
        }
        if taken.too_wide {
            return rejected("too_many_columns", format!("a row of more than {COLUMNS_MAX} cells"));
        }
        let ends = &self.ends[..taken.cells];
        // Two cells that are no text by themselves may be some together.
        let text = std::str::from_utf8(&self.cells[..taken.bytes]).ok();
        match text.filter(|text| ends.iter().all(|end| text.is_char_boundary(*end))) {
            Some(text) => Found::Row(Row { line, text, ends }),
            None => rejected("not_utf8", "not UTF-8; save the file as UTF-8".to_owned()),
        }
    }
}

impl<'a> Row<'a> {
    /// How many cells it has.
    pub(super) fn len(&self) -> usize {
        self.ends.len()
    }

    /// A cell; empty if there is none.
    pub(super) fn cell(&self, place: usize) -> &'a str {
        let start = if place == 0 { 0 } else { self.ends.get(place - 1).copied().unwrap_or(self.text.len()) };
        let end = self.ends.get(place).copied().unwrap_or(start);
        self.text.get(start..end).unwrap_or_default()
    }

    pub(super) fn cells(&self) -> impl Iterator<Item = &'a str> {
        let row = *self;
        (0..row.len()).map(move |place| row.cell(place))
    }
}

fn line_ends(bytes: &[u8], dialect: Dialect) -> u64 {
    let end = if dialect.ends_with_cr { b'\r' } else { b'\n' };
    memchr::memchr_iter(end, bytes).count() as u64
}
