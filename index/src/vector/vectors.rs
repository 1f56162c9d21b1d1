//! Vectors in a file: their components and a checksum, which also binds them to their text.

use super::home::{File, damaged};
use crate::error::Result;

/// How many bytes a vector takes in a file.
pub(super) const fn bytes_of(dimension: usize) -> usize {
    dimension * 4 + 4
}

pub(super) fn write(text: &[u8; 16], vector: &[f32], into: &mut Vec<u8>) {
    let from = into.len();
    for part in vector {
        into.extend_from_slice(&part.to_le_bytes());
    }
    let sum = sum(text, &into[from..]);
    into.extend_from_slice(&sum.to_le_bytes());
}

/// Where a vector is read into.
pub(super) struct Buffer(Vec<f32>);

impl Buffer {
    pub(super) fn new(dimension: usize) -> Buffer {
        Buffer(vec![0.0; dimension + 1])
    }

    /// The vector of a text at a place of a file; `Damaged` if it is not there.
    pub(super) fn read(&mut self, file: &File, at: u64, text: &[u8; 16]) -> Result<&[f32]> {
        let bytes: &mut [u8] = bytemuck::cast_slice_mut(&mut self.0);
        file.read(at, bytes)?;
        if cfg!(target_endian = "big") {
            bytes.chunks_exact_mut(4).for_each(<[u8]>::reverse);
        }
        let (vector, found) = self.0.split_at(self.0.len() - 1);
        if !is_whole(text, vector, found[0].to_bits()) {
            return Err(damaged("a vector does not match its checksum"));
        }
        Ok(vector)
    }
}

fn is_whole(text: &[u8; 16], vector: &[f32], wanted: u32) -> bool {
    if cfg!(target_endian = "big") {
        let bytes: Vec<u8> = vector.iter().flat_map(|part| part.to_le_bytes()).collect();
        return sum(text, &bytes) == wanted;
    }
    sum(text, bytemuck::cast_slice(vector)) == wanted
}

/// Nothing is left of a vector that was erased: zeros, whose sum is that of the zeros.
fn sum(text: &[u8; 16], bytes: &[u8]) -> u32 {
    let mut sum = crc32fast::Hasher::new();
    sum.update(text);
    sum.update(bytes);
    sum.finalize()
}
