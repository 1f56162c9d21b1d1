//! Rows: a passage of a document each, with the bytes by which its vector is compared.
//!
//! A component of a vector is a byte in memory; the vector itself stays in its file. How far a product of bytes may be from
//! the true one is known for each row, so that a scan by bytes still gives the exact answer: whatever could be among the
//! best is read from the file.

use simsimd::SpatialSimilarity;
use storage::ids::{LabelId, ThingId};

/// A row's document is revoked or deprecated.
pub(super) const REVOKED: u32 = 1;
/// A row's document is a relation.
pub(super) const RELATION: u32 = 2;
/// Nothing is there any more: what was here is erased, its place in the graph is not.
pub(super) const VOID: u32 = 4;
/// A row's vector came with the data: it is of all that is said, and no text was encoded.
pub(super) const SUPPLIED: u32 = 8;

/// How far the length of a vector may be from 1.
const UNIT_TOLERANCE: f32 = 1e-3;
/// What the sums themselves may lose, of products of vectors of unit length.
const ROUNDING: f32 = 1e-5;

/// What a document is known by.
pub(super) type Key = (ThingId, LabelId);

/// A passage of a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Row {
    pub(super) thing: ThingId,
    pub(super) label: LabelId,
    pub(super) time_us: i64,
    pub(super) flags: u32,
    /// From this byte of the document's text,
    pub(super) start: u32,
    /// until before this one.
    pub(super) end: u32,
    /// A digest of what the vector was made of, and of the model.
    pub(super) text: [u8; 16],
}

impl Row {
    pub(super) const BYTES: usize = 48;

    pub(super) fn key(&self) -> Key {
        (self.thing, self.label)
    }

    pub(super) fn to_bytes(self) -> [u8; Row::BYTES] {
        let mut bytes = [0; Row::BYTES];
        bytes[..8].copy_from_slice(&self.thing.0.to_le_bytes());
        bytes[8..16].copy_from_slice(&self.time_us.to_le_bytes());
        bytes[16..32].copy_from_slice(&self.text);
        let numbers = [self.label.0, self.flags, self.start, self.end];
        for (number, bytes) in numbers.into_iter().zip(bytes[32..].chunks_exact_mut(4)) {
            bytes.copy_from_slice(&number.to_le_bytes());
        }
        bytes
    }

    pub(super) fn from_bytes(bytes: &[u8; Row::BYTES]) -> Row {
        let number = |at: usize| u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]]);
        let long = |at: usize| u64::from(number(at)) | u64::from(number(at + 4)) << 32;
        let mut text = [0; 16];
        text.copy_from_slice(&bytes[16..32]);
        Row {
            thing: ThingId(long(0)),
            label: LabelId(number(32)),
            time_us: long(8) as i64,
            flags: number(36),
            start: number(40),
            end: number(44),
            text,
        }
    }
}

/// A vector in bytes.
#[derive(Clone)]
pub(super) struct Code {
    pub(super) bytes: Vec<i8>,
    pub(super) scale: Scale,
}

/// What the bytes of a vector stand for.
#[derive(Clone, Copy, Default)]
pub(super) struct Scale {
    /// A component is its byte times this.
    pub(super) step: f32,
    /// How long the difference between the vector and what its bytes stand for is.
    pub(super) slack: f32,
}

impl Code {
    pub(super) fn of(vector: &[f32]) -> Code {
        let largest = vector.iter().fold(0_f32, |largest, part| largest.max(part.abs()));
        let step = if largest > 0.0 { largest / 127.0 } else { 1.0 };
        let bytes: Vec<i8> = vector.iter().map(|part| (part / step).round() as i8).collect();
        let rest = vector.iter().zip(&bytes).map(|(part, byte)| f64::from(*part - f32::from(*byte) * step));
        let slack = rest.map(|rest| rest * rest).sum::<f64>().sqrt() as f32;
        Code { bytes, scale: Scale { step, slack: slack * 1.0001 } }
    }
}

/// Vectors in bytes, one after the other.
#[derive(Clone, Default)]
pub(super) struct Codes {
    pub(super) dimension: usize,
    pub(super) bytes: Vec<i8>,
    pub(super) scales: Vec<Scale>,
}

impl Codes {
    pub(super) fn new(dimension: usize) -> Codes {
        Codes { dimension, ..Codes::default() }
    }

    pub(super) fn push(&mut self, code: &Code) {
        self.bytes.extend_from_slice(&code.bytes);
        self.scales.push(code.scale);
    }

    pub(super) fn len(&self) -> usize {
        self.scales.len()
    }

    pub(super) fn of(&self, row: usize) -> &[i8] {
        &self.bytes[row * self.dimension..(row + 1) * self.dimension]
    }

    pub(super) fn code(&self, row: usize) -> Code {
        Code { bytes: self.of(row).to_vec(), scale: self.scales[row] }
    }

    /// About the cosine of a row and a vector.
    pub(super) fn about(&self, row: usize, to: &Code) -> f32 {
        product(self.of(row), &to.bytes) * self.scales[row].step * to.scale.step
    }

    /// As [`Codes::about`], but for the factor that belongs to the vector: what orders rows.
    pub(super) fn towards(&self, row: usize, to: &[i8]) -> f32 {
        product(self.of(row), to) * self.scales[row].step
    }

    /// About the cosine of two rows.
    pub(super) fn between(&self, one: usize, other: usize) -> f32 {
        product(self.of(one), self.of(other)) * self.scales[one].step * self.scales[other].step
    }

    /// What the cosine of a row and a vector is at most, if it is about so much.
    pub(super) fn most(&self, row: usize, to: &Code, about: f32) -> f32 {
        about + to.scale.slack + (1.0 + to.scale.slack) * self.scales[row].slack + ROUNDING
    }
}

fn product(one: &[i8], other: &[i8]) -> f32 {
    i8::dot(one, other).unwrap_or_default() as f32
}

/// The cosine of two vectors of unit length.
pub(super) fn cosine(one: &[f32], other: &[f32]) -> f32 {
    f32::dot(one, other).unwrap_or_default() as f32
}

/// What is wrong with a vector, which is told without any of its components.
pub(super) fn flaw(vector: &[f32], dimension: usize) -> Option<String> {
    if vector.len() != dimension {
        return Some(format!("a vector of {} components, {dimension} are expected", vector.len()));
    }
    if vector.iter().any(|part| !part.is_finite()) {
        return Some("a vector with a component that is not a number".to_owned());
    }
    let length = vector.iter().map(|part| f64::from(*part).powi(2)).sum::<f64>().sqrt() as f32;
    ((length - 1.0).abs() > UNIT_TOLERANCE).then(|| "a vector that is not of unit length".to_owned())
}

/// A set of rows.
#[derive(Clone, Default)]
pub(super) struct Bits(Vec<u64>);

impl Bits {
    pub(super) fn none(rows: usize) -> Bits {
        Bits(vec![0; rows.div_ceil(64)])
    }

    pub(super) fn has(&self, row: usize) -> bool {
        self.0.get(row / 64).is_some_and(|word| word & (1 << (row % 64)) != 0)
    }

    /// Adds a row; whether it is new.
    pub(super) fn add(&mut self, row: usize) -> bool {
        if self.0.len() <= row / 64 {
            self.0.resize(row / 64 + 1, 0);
        }
        let (word, bit) = (&mut self.0[row / 64], 1 << (row % 64));
        let is_new = *word & bit == 0;
        *word |= bit;
        is_new
    }

    pub(super) fn count(&self) -> usize {
        self.0.iter().map(|word| word.count_ones() as usize).sum()
    }
}
