//! The file of weights: its length in eight bytes and a table as JSON, then the weights side by side.

use std::collections::HashMap;
use std::ops::Range;

use serde::Deserialize;

use super::super::Unusable;
use super::wrong;

/// Of the length of the table.
const LENGTH_BYTES: usize = 8;
const TABLE_BYTES_MAX: usize = 16 << 20;

/// The table of a file.
pub(super) struct Tensors<'w> {
    table: HashMap<&'w str, Listed>,
    data: Range<usize>,
}

/// A weight: what it is, and where it lies in the file.
pub(super) struct Tensor {
    pub(super) kind: Kind,
    pub(super) shape: Vec<i64>,
    pub(super) at: Range<usize>,
}

#[derive(Clone, Copy)]
pub(super) enum Kind {
    F32,
    F16,
}

#[derive(Deserialize)]
struct Listed {
    dtype: String,
    shape: Vec<u32>,
    data_offsets: [usize; 2],
}

impl<'w> Tensors<'w> {
    pub(super) fn read(file: &'w [u8]) -> Result<Tensors<'w>, Unusable> {
        let short = || wrong("the file ends within its table".to_owned());
        let (length, rest) = file.split_first_chunk::<LENGTH_BYTES>().ok_or_else(short)?;
        let length = usize::try_from(u64::from_le_bytes(*length)).ok();
        let length = length.filter(|length| *length <= TABLE_BYTES_MAX).ok_or_else(short)?;
        let table = rest.get(..length).ok_or_else(short)?;
        let broken = |error: serde_json::Error| wrong(format!("the table of weights: {error}"));
        let mut listed: HashMap<&str, &serde_json::value::RawValue> =
            serde_json::from_slice(table).map_err(broken)?;
        listed.remove("__metadata__");
        let table = listed.into_iter().map(|(name, value)| Ok((name, serde_json::from_str(value.get())?)));
        let table = table.collect::<serde_json::Result<_>>().map_err(broken)?;
        Ok(Tensors { table, data: LENGTH_BYTES + length..file.len() })
    }

    pub(super) fn find(&self, name: &str) -> Result<Tensor, Unusable> {
        let listed = self.table.get(name).ok_or_else(|| wrong(format!("`{name}` is missing")))?;
        let kind = match listed.dtype.as_str() {
            "F32" => Kind::F32,
            "F16" => Kind::F16,
            other => return Err(wrong(format!("`{name}` holds {other}; known: F32, F16"))),
        };
        let [from, to] = listed.data_offsets.map(|offset| self.data.start.checked_add(offset));
        let is_aligned = |from: &usize| from.is_multiple_of(align_of::<f32>());
        let at = from.filter(is_aligned).zip(to).map(|(from, to)| from..to);
        let at = at.filter(|at| at.start <= at.end && at.end <= self.data.end);
        let at = at.ok_or_else(|| wrong(format!("`{name}` does not lie in the file")))?;
        Ok(Tensor { kind, shape: listed.shape.iter().map(|length| i64::from(*length)).collect(), at })
    }
}
