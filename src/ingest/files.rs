//! Files: a reader of bytes becomes things and rejects, one object at a time.
//!
//! Reading is pure and sequential. What is broken in one object is a [`Reject`] with its line; only what makes the rest
//! unreadable ends a file, and then everything before it was handed out.

pub mod csv;
pub mod decompress;
mod fatal;
pub(in crate::ingest) mod fields;
mod jsonl;
mod labels;
mod markings;
pub mod objects;
mod reject;
mod stix;

use std::io::Read;
use std::ops::ControlFlow;
use std::str::FromStr;

use storage::model::{Said, SourceSpec};

pub use fatal::Fatal;
pub(crate) use reject::is_whole as is_reject_whole;
pub use reject::{Reject, VALUE_CHARS_MAX};

use jsonl::Jsonl;
use labels::Labels;
use markings::Markings;
use objects::{Found, Objects, Shape};
use stix::{Refused, Stix};

/// The format of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// A STIX 2.1 bundle.
    Stix,
    /// One JSON object a line.
    Jsonl,
    /// A table: rows of cells.
    Csv,
}

/// What a file holds, in its order.
#[derive(Debug)]
pub enum Item {
    /// What the source says of one thing.
    Said {
        /// The line on which it starts, from 1.
        line: u64,
        /// What it says; valid by [`Said::validate`].
        said: Said,
    },
    /// Something that is left out.
    Reject(Reject),
}

/// What was read of a file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Objects handed out.
    pub said: u64,
    /// Objects left out.
    pub rejected: u64,
    /// Bytes read, decompressed.
    pub bytes: u64,
    /// Whether the taker stopped it before the end.
    pub stopped: bool,
    /// STIX: TLP definitions with ids of their own that came after an object that uses them. Those objects were
    /// classified without them; reading the import's files again with the same [`Import`] puts that right.
    pub late_markings: Vec<String>,
}

/// The files of one import: they share the terms of their source, its labels and the markings they define.
pub struct Import {
    labels: Labels,
    markings: Markings,
    /// What the columns of CSV files are; looked up in each file, unless it is said.
    pub mapping: Option<csv::Declared>,
    mapping_used: Option<csv::Used>,
    /// Most bytes that one compressed file may hold.
    pub decompressed_bytes_max: u64,
}

impl Import {
    /// An import on the terms of `source`, which is valid by [`SourceSpec::validate`].
    #[must_use]
    pub fn new(source: SourceSpec) -> Import {
        Import {
            labels: Labels::new(source),
            markings: Markings::default(),
            mapping: None,
            mapping_used: None,
            decompressed_bytes_max: decompress::DECOMPRESSED_BYTES_MAX,
        }
    }

    /// Reads one file that is called `name`, compressed or plain, and hands each item to `take` until that breaks off.
    ///
    /// # Errors
    /// What makes the rest of the file unreadable; the items before it were handed out and stand.
    pub fn read(
        &mut self,
        format: Format,
        name: &str,
        reader: &mut dyn Read,
        take: &mut dyn FnMut(Item) -> ControlFlow<()>,
    ) -> Result<Summary, Fatal> {
        let mut reader = decompress::open(reader, self.decompressed_bytes_max)?;
        let mut summary = match format {
            Format::Stix => {
                let mut stix = Stix::new(&mut self.labels, &mut self.markings);
                each(reader, Shape::Bundle, &mut |text| stix.said(text), take)?
            }
            Format::Jsonl => {
                let mut jsonl = Jsonl::new(&mut self.labels);
                let said = &mut |line: &str| Ok(jsonl.said(line)?);
                each(reader, Shape::Lines, said, take)?
            }
            Format::Csv => {
                let sample = csv::Sample::take(&mut reader)?;
                let known = csv::Known::of(&sample, self.mapping.as_ref(), name)?;
                self.mapping_used = Some(known.declared.used.clone());
                csv::read(&known, sample, reader, &mut self.labels, take)?
            }
        };
        if format == Format::Stix {
            summary.late_markings = self.markings.late().to_vec();
        }
        Ok(summary)
    }

    /// The mapping by which the last CSV file was read.
    pub fn take_mapping_used(&mut self) -> Option<csv::Used> {
        self.mapping_used.take()
    }
}

/// Hands out what `said` makes of each object.
fn each(
    reader: impl Read,
    shape: Shape,
    said: &mut dyn FnMut(&str) -> Result<Said, Refused>,
    take: &mut dyn FnMut(Item) -> ControlFlow<()>,
) -> Result<Summary, Fatal> {
    let mut objects = Objects::new(reader, shape);
    let mut summary = Summary::default();
    while let Some(found) = objects.next()? {
        let item = item(found, said)?;
        match &item {
            Item::Said { .. } => summary.said += 1,
            Item::Reject(_) => summary.rejected += 1,
        }
        if take(item).is_break() {
            summary.stopped = true;
            break;
        }
    }
    summary.bytes = objects.offset();
    Ok(summary)
}

fn item(found: Found<'_>, said: &mut dyn FnMut(&str) -> Result<Said, Refused>) -> Result<Item, Fatal> {
    let piece = match found {
        Found::Object(piece) => piece,
        Found::Rejected(reject) => return Ok(Item::Reject(reject)),
    };
    match said(piece.text) {
        Ok(said) => Ok(Item::Said { line: piece.line, said }),
        Err(Refused::Reject(reject)) => Ok(Item::Reject(reject.at(piece.line))),
        Err(Refused::Fatal(fatal)) => Err(fatal),
    }
}

impl std::fmt::Display for Format {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Format::Stix => "stix",
            Format::Jsonl => "jsonl",
            Format::Csv => "csv",
        })
    }
}

impl FromStr for Format {
    type Err = storage::Error;

    fn from_str(text: &str) -> Result<Format, storage::Error> {
        match text {
            "stix" => Ok(Format::Stix),
            "jsonl" => Ok(Format::Jsonl),
            "csv" => Ok(Format::Csv),
            _ => Err(storage::Error::invalid("unknown format", text, "one of stix, jsonl, csv")),
        }
    }
}

#[cfg(test)]
mod tests;
