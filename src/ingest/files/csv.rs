//! CSV: a row becomes what its source says of one thing, and of the relations that its cells name.
//!
//! What each column is says a mapping; without one it is looked up in the first [`SAMPLE_BYTES`] of the file. Rows that
//! have more or fewer cells than the header are refused, never padded.

mod cell;
mod dialect;
mod infer;
mod mapping;
mod plan;
pub mod preview;
mod rows;

use std::io::{Cursor, Read};
use std::ops::ControlFlow;

pub use cell::Kind;
pub use dialect::{Dialect, Written};
pub use mapping::{Column, Declared, MAPPING_BYTES_MAX, Mapping, Role, Used};

use super::labels::Labels;
use super::{Fatal, Item, Summary};
use plan::Plan;
use rows::{Found, Rows};

/// So many bytes of a file are looked at to find out what its columns are.
pub const SAMPLE_BYTES: usize = 2 << 20;
/// Most columns of a file.
pub const COLUMNS_MAX: usize = 1024;

/// The first bytes of a file.
pub struct Sample {
    /// The bytes.
    pub bytes: Vec<u8>,
    /// Whether the file has no more.
    pub is_whole: bool,
}

impl Sample {
    /// Reads up to [`SAMPLE_BYTES`].
    ///
    /// # Errors
    /// What the reader fails with.
    pub fn take(reader: &mut dyn Read) -> std::io::Result<Sample> {
        let mut bytes = Vec::new();
        reader.take(SAMPLE_BYTES as u64).read_to_end(&mut bytes)?;
        let is_whole = bytes.len() < SAMPLE_BYTES;
        Ok(Sample { bytes, is_whole })
    }
}

/// A file whose columns are known: by a mapping that was declared, or by its own first rows.
pub(in crate::ingest) struct Known {
    pub(super) declared: Declared,
    dialect: Dialect,
}

impl Known {
    /// What the columns of a file are that is called `name` and begins like this.
    pub(in crate::ingest) fn of(
        sample: &Sample,
        declared: Option<&Declared>,
        name: &str,
    ) -> Result<Known, Fatal> {
        refuse_others(&sample.bytes)?;
        let said = declared.map(|declared| &declared.mapping);
        let ascii = |given: Option<char>| given.and_then(|given| u8::try_from(given).ok());
        let dialect = Dialect::detect(
            &sample.bytes,
            ascii(said.and_then(|said| said.delimiter)),
            ascii(said.and_then(|said| said.quote)),
        );
        let declared = match declared {
            Some(declared) => declared.clone(),
            None => Declared::inferred(infer::mapping(sample, dialect, name)?),
        };
        Ok(Known { declared, dialect })
    }
}

/// Hands out what the rows say. `known` was made of the same sample, which the reader is behind.
pub(super) fn read(
    known: &Known,
    sample: Sample,
    rest: impl Read,
    labels: &mut Labels,
    take: &mut dyn FnMut(Item) -> ControlFlow<()>,
) -> Result<Summary, Fatal> {
    let mut rows = Rows::new(Cursor::new(sample.bytes).chain(rest), known.dialect);
    let mut plan = Plan::new(&known.declared.mapping, &mut rows)?;
    let mut summary = Summary::default();
    let mut items = Vec::new();
    while let Some(found) = rows.next()? {
        match found {
            Found::Rejected(reject) => items.push(Item::Reject(reject)),
            Found::Row(row) => plan.said(row, labels, &mut items),
        }
        for item in items.drain(..) {
            match &item {
                Item::Said { .. } => summary.said += 1,
                Item::Reject(_) => summary.rejected += 1,
            }
            if take(item).is_break() {
                summary.stopped = true;
                return Ok(Summary { bytes: rows.offset(), ..summary });
            }
        }
    }
    Ok(Summary { bytes: rows.offset(), ..summary })
}

/// What is surely no CSV, or one that cannot be read.
fn refuse_others(bytes: &[u8]) -> Result<(), Fatal> {
    let found = match bytes {
        [0xFE, 0xFF, ..] | [0xFF, 0xFE, ..] => "it is UTF-16; save it as UTF-8",
        _ if bytes.iter().take(4096).any(|byte| *byte == 0) => "it holds zero bytes, and is no text",
        _ if bytes.iter().all(u8::is_ascii_whitespace) => {
            "it is empty; there must be a row that names the columns"
        }
        _ => return Ok(()),
    };
    Err(Fatal::NotCsv { found: found.to_owned() })
}

#[cfg(test)]
mod tests;
