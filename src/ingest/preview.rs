//! What an import would make of a file, by its first bytes: nothing is written, and nothing but the file is looked at.

use std::io::Read;
use std::ops::ControlFlow;

use serde::Serialize;
use serde_json::value::RawValue;
use storage::model::{Classification, Licence, Purposes, Retention, Said, SourceSpec};

use super::files::csv::preview::Description;
use super::files::csv::{Declared, Known, SAMPLE_BYTES, Sample};
use super::files::{Fatal, Format, Import, Item, Reject, decompress};
use crate::export::jsonl;

/// So much of a file is looked at, in bytes.
pub const BYTES_MAX: usize = SAMPLE_BYTES;
/// Rows that are shown, and things of one row,
const ROWS_MAX: usize = 20;
/// and rejects; the rest are counted.
const REJECTS_MAX: usize = 20;

/// What is asked for.
#[derive(Clone, Debug)]
pub struct Request {
    /// The format of the file.
    pub format: Format,
    /// Its name.
    pub name: String,
    /// The source that would say it, if it has a name already.
    pub source: Option<String>,
    /// What its columns are, if that is said.
    pub mapping: Option<Declared>,
}

/// A file as an import would take it.
#[derive(Debug, Serialize)]
pub struct Preview {
    /// The name of the file.
    pub file: String,
    /// Its format.
    pub format: String,
    /// So many bytes were looked at, decompressed;
    pub bytes: u64,
    /// and whether that was all.
    pub whole: bool,
    /// What its columns are, if it is a table.
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    pub table: Option<Description>,
    /// Its first rows, and what becomes of them.
    pub rows: Vec<Row>,
    /// Things that the bytes hold,
    pub things: u64,
    /// and so many that would be refused;
    pub rejected: u64,
    /// the first of them.
    pub rejects: Vec<Rejected>,
    /// What ends the reading of the file, if anything does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// A row or an object, as a line of JSONL would say it.
#[derive(Debug, Serialize)]
pub struct Row {
    /// The line on which it starts, from 1.
    pub line: u64,
    /// What is said.
    pub becomes: Vec<Box<RawValue>>,
}

/// Something that would be refused.
#[derive(Debug, Serialize)]
pub struct Rejected {
    line: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    column: Option<String>,
    code: &'static str,
    reason: String,
    value: String,
}

/// Looks at a file that begins with these bytes; `is_all`: it has no more.
#[must_use]
pub fn of(request: Request, bytes: &[u8], is_all: bool) -> Preview {
    let mut preview = Preview {
        file: request.name.clone(),
        format: request.format.to_string(),
        bytes: 0,
        whole: is_all,
        table: None,
        rows: Vec::new(),
        things: 0,
        rejected: 0,
        rejects: Vec::new(),
        error: None,
    };
    if let Err(fatal) = preview.look(request, bytes, is_all) {
        preview.error = Some(fatal.to_string());
    }
    preview
}

impl Preview {
    fn look(&mut self, request: Request, bytes: &[u8], is_all: bool) -> Result<(), Fatal> {
        let (plain, is_whole) = plain(bytes, is_all)?;
        self.bytes = plain.len() as u64;
        self.whole = is_whole;
        let sample = Sample { bytes: plain, is_whole };
        let mut import = Import::new(terms(request.source));
        if request.format == Format::Csv {
            let known = Known::of(&sample, request.mapping.as_ref(), &request.name)?;
            self.table = Some(Description::of(&sample, &known)?);
        }
        import.mapping = request.mapping;
        let whole_rows = if is_whole { &sample.bytes[..] } else { to_last_line(&sample.bytes) };
        let read = import.read(request.format, &request.name, &mut &whole_rows[..], &mut |item| {
            self.take(item);
            ControlFlow::Continue(())
        });
        match read {
            // A bundle is cut in the middle wherever one stops to look.
            Err(Fatal::Truncated { .. }) if !is_whole => Ok(()),
            read => read.map(|_| ()),
        }
    }

    fn take(&mut self, item: Item) {
        match item {
            Item::Said { line, mut said } => {
                self.things += 1;
                // Components of vectors are in no answer, and nobody would read them.
                said.parts.iter_mut().for_each(|part| part.embedding = None);
                self.show(line, &said);
            }
            Item::Reject(Reject { line, column, code, reason, value }) => {
                self.rejected += 1;
                if self.rejects.len() < REJECTS_MAX {
                    self.rejects.push(Rejected { line, column, code, reason, value });
                }
            }
        }
    }

    fn show(&mut self, line: u64, said: &Said) {
        let becomes =
            |said: &Said| RawValue::from_string(jsonl::line(said)).expect("a line of JSONL is JSON");
        let has_room = self.rows.len() < ROWS_MAX;
        // A row of a table becomes several things; of other formats many may stand on one line.
        let is_table = self.table.is_some();
        match self.rows.last_mut().filter(|row| is_table && row.line == line) {
            Some(row) if row.becomes.len() == ROWS_MAX => {}
            Some(row) => row.becomes.push(becomes(said)),
            None if has_room => self.rows.push(Row { line, becomes: vec![becomes(said)] }),
            None => {}
        }
    }
}

/// The first bytes, decompressed, and whether they are all. Compressed bytes that are cut off give what they give.
fn plain(bytes: &[u8], is_all: bool) -> Result<(Vec<u8>, bool), Fatal> {
    let mut reader = decompress::open(bytes, u64::MAX)?;
    let mut plain = Vec::new();
    let mut piece = [0; 64 * 1024];
    while plain.len() < BYTES_MAX {
        let room = piece.len().min(BYTES_MAX - plain.len());
        match reader.read(&mut piece[..room]) {
            Ok(0) => return Ok((plain, is_all)),
            Ok(count) => plain.extend_from_slice(&piece[..count]),
            Err(_) if !is_all && !plain.is_empty() => return Ok((plain, false)),
            Err(error) => return Err(error.into()),
        }
    }
    Ok((plain, false))
}

/// Up to the last line that is whole; all of it if there is none.
fn to_last_line(bytes: &[u8]) -> &[u8] {
    memchr::memrchr2(b'\n', b'\r', bytes).map_or(bytes, |end| &bytes[..=end])
}

/// Terms to read by: nothing is written under them.
fn terms(source: Option<String>) -> SourceSpec {
    SourceSpec {
        name: source.unwrap_or_else(|| "preview".to_owned()),
        purposes: Purposes::ALL,
        licence: Licence::OpenDataOk,
        retention: Retention::Standard365d,
        classification: Classification::Internal,
        personal: false,
    }
}
