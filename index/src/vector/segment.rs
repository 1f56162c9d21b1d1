//! A sealed segment: the rows of a build with their graph, in one file that never changes.
//!
//! ```text
//! heading    4,096 bytes: form, owner, model, position, counts, the width of walks, where the sections are, their checksums
//! rows       what each row is
//! codes      the vectors in bytes
//! scales     what those bytes stand for
//! graph      links
//! vectors    the vectors themselves, each with a checksum of its own
//! ```
//!
//! All but the vectors is read into memory when it is opened, and is whole then. A vector is read when it is needed and
//! held against its checksum each time, so that an opening need not read them all.

mod write;

use std::sync::Arc;

use serde_json::Value;
use storage::ids::{LabelId, Lsn, ThingId};

pub(super) use self::write::{Parts, write};
use super::graph::Graph;
use super::home::{File, damaged};
use super::rows::{Codes, Key, Row, Scale, VOID};
use super::vectors::{self, Buffer};
use crate::error::Result;

/// Counts every change of the form of the file: a segment of another form is built anew.
const FORM: &[u8; 8] = b"IGVSEG01";
/// How long the heading is, whatever it says.
const HEADING_BYTES: u64 = 4096;
/// Form, checksum and length before the heading's text.
const HEADING_FRONT: usize = 16;
/// Sections but the vectors, in their order in the file.
const SECTIONS: [&str; 4] = ["rows", "codes", "scales", "graph"];
/// Rows of vectors that are checked between two questions whether to stop.
const CHECKED_ROWS: usize = 64;

/// A segment that is open.
pub(super) struct Segment {
    pub(super) name: String,
    /// The checksum of its heading, which holds those of its sections: what a log says that it goes on from.
    pub(super) sum: u32,
    /// Everything up to here was in the snapshot that it was built from.
    pub(super) position: Lsn,
    /// By label, thing and passage.
    pub(super) rows: Vec<Row>,
    pub(super) codes: Codes,
    pub(super) graph: Graph,
    pub(super) curve: Curve,
    pub(super) file: Arc<File>,
    pub(super) documents_count: usize,
    vectors_at: u64,
    /// Rows in the order of their things.
    by_thing: Vec<u32>,
    /// Where the rows of each label begin.
    labels: Vec<(LabelId, u32)>,
}

/// How much a walk finds of what an exact search does, by its width.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Curve {
    /// Width, and the share of the ten nearest that were found.
    pub points: Vec<(u32, f32)>,
    /// The width that is taken; 0: nothing is walked, everything is compared.
    pub width: u32,
}

impl Segment {
    /// Opens a file whose heading belongs to `owner`. `Damaged` if it is not as it was written.
    pub(super) fn open(file: File, name: &str, owner: &str, dimension: usize) -> Result<Segment> {
        let (heading, sum) = heading(&file)?;
        if heading["owner"].as_str() != Some(owner) {
            return Err(damaged("a segment of another index"));
        }
        if heading["bytes"].as_u64() != Some(file.len()?) {
            return Err(damaged("a segment of another length than it says"));
        }
        let mut sections = Vec::new();
        for (section, name) in SECTIONS.iter().enumerate() {
            sections.push(read_section(&file, &heading["sections"][section], name)?);
        }
        let [rows, codes, scales, graph] = &sections[..] else { return Err(damaged("sections are missing")) };
        let rows = read_rows(rows);
        let codes = Codes { dimension, bytes: read_codes(codes), scales: read_scales(scales) };
        let vectors_at = heading["vectors_at"].as_u64().unwrap_or_default();
        if codes.bytes.len() != rows.len() * dimension || codes.len() != rows.len() {
            return Err(damaged("sections of different lengths"));
        }
        let graph = Graph::from_bytes(graph, rows.len()).ok_or_else(|| damaged("a graph that is none"))?;
        Ok(Segment {
            name: name.to_owned(),
            sum,
            position: Lsn(heading["position"].as_u64().unwrap_or_default()),
            documents_count: rows.chunk_by(|one, other| one.key() == other.key()).count(),
            by_thing: by_thing(&rows),
            labels: labels(&rows),
            rows,
            codes,
            graph,
            curve: read_curve(&heading),
            file: Arc::new(file),
            vectors_at,
        })
    }

    /// Where the vector of a row is in the file.
    pub(super) fn at(&self, row: usize) -> u64 {
        self.vectors_at + row as u64 * vectors::bytes_of(self.codes.dimension) as u64
    }

    /// The rows of a document.
    pub(super) fn document(&self, (thing, label): Key) -> std::ops::Range<usize> {
        let of = |row: &Row| (row.label, row.thing);
        let from = self.rows.partition_point(|row| of(row) < (label, thing));
        let rows =
            self.rows[from..].iter().take_while(|row| of(row) == (label, thing) && row.flags & VOID == 0);
        from..from + rows.count()
    }

    /// The rows of a thing.
    pub(super) fn of_thing(&self, thing: ThingId) -> impl Iterator<Item = usize> + '_ {
        let from = self.by_thing.partition_point(|row| self.rows[*row as usize].thing < thing);
        let rows = self.by_thing[from..].iter().map(|row| *row as usize);
        rows.take_while(move |row| self.rows[*row].thing == thing)
            .filter(|row| self.rows[*row].flags & VOID == 0)
    }

    /// Every document, with its rows.
    pub(super) fn documents(&self) -> impl Iterator<Item = (Key, std::ops::Range<usize>)> + '_ {
        let mut from = 0;
        self.rows.chunk_by(|one, other| one.key() == other.key()).filter_map(move |rows| {
            let range = from..from + rows.len();
            from = range.end;
            (rows[0].flags & VOID == 0).then(|| (rows[0].key(), range))
        })
    }

    /// The rows of each label.
    pub(super) fn labels(&self) -> impl Iterator<Item = (LabelId, std::ops::Range<usize>)> + '_ {
        let ends = self.labels.iter().skip(1).map(|(_, end)| *end as usize).chain([self.rows.len()]);
        self.labels.iter().zip(ends).map(|((label, from), end)| (*label, *from as usize..end))
    }

    /// Whether the file is as it was written, to the last vector.
    pub(super) fn check(file: &File, dimension: usize, stop: &dyn Fn() -> bool) -> Result<()> {
        let (heading, _) = heading(file)?;
        let mut rows = Vec::new();
        for (section, name) in SECTIONS.iter().enumerate() {
            let bytes = read_section(file, &heading["sections"][section], name)?;
            if *name == "rows" {
                rows = read_rows(&bytes);
            }
        }
        let vectors_at = heading["vectors_at"].as_u64().unwrap_or_default();
        let mut buffer = Buffer::new(dimension);
        for (number, row) in rows.iter().enumerate() {
            if number % CHECKED_ROWS == 0 && stop() {
                return Err(crate::error::Error::Stopped);
            }
            buffer.read(file, vectors_at + (number * vectors::bytes_of(dimension)) as u64, &row.text)?;
        }
        if heading["bytes"].as_u64() != Some(file.len()?) {
            return Err(damaged("a segment of another length than it says"));
        }
        Ok(())
    }
}

fn heading(file: &File) -> Result<(Value, u32)> {
    let mut bytes = vec![0; HEADING_BYTES as usize];
    file.read(0, &mut bytes)?;
    let mut front = super::log::Bytes(&bytes[8..]);
    let (wanted, len) = (front.u32().unwrap_or(0), front.u32().unwrap_or(0) as usize);
    if &bytes[..8] != FORM || crc32fast::hash(&bytes[12..]) != wanted {
        return Err(damaged("a segment's heading does not match its checksum"));
    }
    let text = bytes.get(HEADING_FRONT..HEADING_FRONT.saturating_add(len));
    let heading = text.and_then(|text| serde_json::from_slice(text).ok());
    heading.map(|heading| (heading, wanted)).ok_or_else(|| damaged("a segment's heading is none"))
}

/// A section, if it matches the checksum that the heading has of it.
fn read_section(file: &File, section: &Value, name: &str) -> Result<Vec<u8>> {
    let number = |field: &str| section[field].as_u64().unwrap_or_default();
    let (at, len) = (number("at"), number("bytes"));
    if at.checked_add(len).is_none_or(|end| file.len().is_ok_and(|all| end > all)) {
        return Err(damaged(format!("a segment's {name} are cut off")));
    }
    let mut bytes = vec![0; len as usize];
    file.read(at, &mut bytes)?;
    if u64::from(crc32fast::hash(&bytes)) != number("crc32") {
        return Err(damaged(format!("a segment's {name} do not match their checksum")));
    }
    Ok(bytes)
}

fn read_rows(bytes: &[u8]) -> Vec<Row> {
    bytes.as_chunks().0.iter().map(Row::from_bytes).collect()
}

fn read_codes(bytes: &[u8]) -> Vec<i8> {
    bytemuck::cast_slice(bytes).to_vec()
}

fn read_scales(bytes: &[u8]) -> Vec<Scale> {
    let number = |bytes: &[u8; 8], at: usize| {
        f32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
    };
    let scale = |bytes: &[u8; 8]| Scale { step: number(bytes, 0), slack: number(bytes, 4) };
    bytes.as_chunks().0.iter().map(scale).collect()
}

fn read_curve(heading: &Value) -> Curve {
    let point = |point: &Value| Some((point[0].as_u64()? as u32, point[1].as_f64()? as f32));
    let points = heading["curve"].as_array().into_iter().flatten().filter_map(point).collect();
    Curve { points, width: heading["width"].as_u64().unwrap_or_default() as u32 }
}

fn by_thing(rows: &[Row]) -> Vec<u32> {
    let mut by_thing: Vec<u32> = (0..rows.len() as u32).collect();
    by_thing.sort_by_key(|row| rows[*row as usize].thing);
    by_thing
}

fn labels(rows: &[Row]) -> Vec<(LabelId, u32)> {
    let mut labels = Vec::new();
    let mut from = 0;
    for rows in rows.chunk_by(|one, other| one.label == other.label) {
        labels.push((rows[0].label, from));
        from += rows.len() as u32;
    }
    labels
}
