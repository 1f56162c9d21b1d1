//! Writing a segment's file.

use serde_json::{Value, json};
use storage::ids::Lsn;

use super::{Curve, FORM, HEADING_BYTES, HEADING_FRONT, SECTIONS, Segment};
use crate::error::{Error, Result};
use crate::vector::graph::Graph;
use crate::vector::home::{File, Home};
use crate::vector::rows::{Codes, Row};
use crate::vector::vectors;

/// Vectors are written so many bytes at a time.
const WRITE_BYTES: usize = 1 << 20;

/// What a segment is made of, beside its vectors.
pub(in crate::vector) struct Parts {
    /// By label, thing and passage.
    pub(in crate::vector) rows: Vec<Row>,
    pub(in crate::vector) codes: Codes,
    pub(in crate::vector) graph: Graph,
    pub(in crate::vector) curve: Curve,
    pub(in crate::vector) position: Lsn,
}

/// Where the vectors of rows come from: gives that of a row to what it is handed.
pub(in crate::vector) type Vectors<'a> = dyn FnMut(usize, &mut dyn FnMut(&[f32])) -> Result<()> + 'a;

/// Writes a segment, makes it last and opens it. Nothing is left if it does not come to its end.
pub(in crate::vector) fn write(
    home: &Home,
    (name, owner): (&str, &str),
    parts: Parts,
    vectors: &mut Vectors<'_>,
    stop: &dyn Fn() -> bool,
) -> Result<Segment> {
    let dimension = parts.codes.dimension;
    match write_file(home, (name, owner), &parts, vectors, stop) {
        Ok(()) => {}
        Err(error) => {
            home.abandon(name);
            return Err(error);
        }
    }
    drop(parts);
    let file = home.open(name)?.ok_or_else(|| Error::Io(format!("`{name}` is gone")))?;
    Segment::open(file, name, owner, dimension)
}

fn write_file(
    home: &Home,
    (name, owner): (&str, &str),
    parts: &Parts,
    vectors: &mut Vectors<'_>,
    stop: &dyn Fn() -> bool,
) -> Result<()> {
    let file = home.create(name)?;
    let mut at = HEADING_BYTES;
    let mut sections = Vec::new();
    for (name, bytes) in SECTIONS.iter().zip(parts.sections()) {
        file.write(at, &bytes)?;
        let (len, sum) = (bytes.len() as u64, crc32fast::hash(&bytes));
        sections.push(json!({"name": name, "at": at, "bytes": len, "crc32": sum}));
        at += len;
    }
    let end = write_vectors(&file, at, parts, vectors, stop)?;
    let heading = json!({
        "owner": owner,
        "position": parts.position.0,
        "rows": parts.rows.len(),
        "dimension": parts.codes.dimension,
        "width": parts.curve.width,
        "curve": parts.curve.points,
        "sections": sections,
        "vectors_at": at,
        "bytes": end,
    });
    file.write(0, &heading_bytes(&heading)?)?;
    file.sync()?;
    if stop() {
        return Err(Error::Stopped);
    }
    home.publish(name)
}

impl Parts {
    fn sections(&self) -> [Vec<u8>; 4] {
        let rows = self.rows.iter().flat_map(|row| row.to_bytes()).collect();
        let codes = bytemuck::cast_slice(&self.codes.bytes).to_vec();
        let scales = self.codes.scales.iter().flat_map(|scale| [scale.step, scale.slack]);
        let scales = scales.flat_map(f32::to_le_bytes).collect();
        [rows, codes, scales, self.graph.to_bytes()]
    }
}

fn write_vectors(
    file: &File,
    mut at: u64,
    parts: &Parts,
    vectors: &mut Vectors<'_>,
    stop: &dyn Fn() -> bool,
) -> Result<u64> {
    let mut bytes = Vec::with_capacity(WRITE_BYTES + vectors::bytes_of(parts.codes.dimension));
    for (number, row) in parts.rows.iter().enumerate() {
        vectors(number, &mut |vector| vectors::write(&row.text, vector, &mut bytes))?;
        if bytes.len() >= WRITE_BYTES {
            if stop() {
                return Err(Error::Stopped);
            }
            file.write(at, &bytes)?;
            at += bytes.len() as u64;
            bytes.clear();
        }
    }
    file.write(at, &bytes)?;
    Ok(at + bytes.len() as u64)
}

fn heading_bytes(heading: &Value) -> Result<Vec<u8>> {
    let text = heading.to_string();
    let mut bytes = vec![0; HEADING_BYTES as usize];
    let Some(space) = bytes.get_mut(HEADING_FRONT..HEADING_FRONT + text.len()) else {
        return Err(Error::Io(format!("a heading of {} bytes does not fit", text.len())));
    };
    space.copy_from_slice(text.as_bytes());
    bytes[12..16].copy_from_slice(&(text.len() as u32).to_le_bytes());
    let sum = crc32fast::hash(&bytes[12..]);
    bytes[..8].copy_from_slice(FORM);
    bytes[8..12].copy_from_slice(&sum.to_le_bytes());
    Ok(bytes)
}
