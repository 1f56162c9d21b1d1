//! The RFC 6962 tree and its right edge.

use sha2::{Digest, Sha256};

use super::error::{Error, Result};

/// A SHA-256 hash: of a leaf, of a node, or of a whole tree.
pub type Hash = [u8; 32];

/// The root of the tree that has no leaves: SHA-256 of nothing.
pub const EMPTY_ROOT: Hash = [
    0xe3, 0xb0, 0xc4, 0x42, 0x98, 0xfc, 0x1c, 0x14, 0x9a, 0xfb, 0xf4, 0xc8, 0x99, 0x6f, 0xb9, 0x24, 0x27,
    0xae, 0x41, 0xe4, 0x64, 0x9b, 0x93, 0x4c, 0xa4, 0x95, 0x99, 0x1b, 0x78, 0x52, 0xb8, 0x55,
];

/// Binary levels in one tile; a full tile holds `2^TILE_HEIGHT` hashes.
pub const TILE_HEIGHT: u32 = 8;

/// Hashes in a full tile.
pub const TILE_WIDTH: u64 = 1 << TILE_HEIGHT;

/// The largest tree: Go's verifiers count in signed numbers.
pub const SIZE_MAX: u64 = i64::MAX as u64;

/// The right edge of a tree: the roots of the perfect subtrees that its leaves fall into, largest first.
///
/// It is all that appending needs, so a tenant's head carries it and a commit reads nothing else of the tree. There are
/// as many hashes as one-bits in the size: at most 64, and 2 KiB.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Frontier {
    size: u64,
    hashes: Vec<Hash>,
}

/// The place of a stored hash: number `index` of tile level `level`.
///
/// It is the root over leaves `index * 256^level` up to `(index + 1) * 256^level`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Coord {
    /// Tile level; 0 are the leaf hashes, and those are never stored.
    pub level: u8,
    /// Position among the hashes of that level, from 0.
    pub index: u64,
}

impl Frontier {
    /// Number of leaves so far; the next leaf gets this index.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Appends a leaf hash, in constant time on average.
    ///
    /// Each full 256-leaf, 65,536-leaf, ... subtree that it completes is added to `completed`, lowest level first: those
    /// are the hashes to store, in the same commit as the leaf.
    pub fn push(&mut self, leaf: Hash, completed: &mut Vec<(Coord, Hash)>) {
        let mut root = leaf;
        // One-bits at the end of the old size are the perfect subtrees that the new leaf closes.
        for height in 1..=self.size.trailing_ones() {
            let left = self.hashes.pop().expect("the frontier has a hash for each one-bit of its size");
            root = node_hash(&left, &root);
            if height % TILE_HEIGHT == 0 {
                completed.push((coord(height, self.size), root));
            }
        }
        self.hashes.push(root);
        self.size += 1;
    }

    /// The root of the whole tree.
    pub fn root(&self) -> Hash {
        let from_the_right = self.hashes.iter().rev().copied();
        from_the_right.reduce(|right, left| node_hash(&left, &right)).unwrap_or(EMPTY_ROOT)
    }

    /// The frontier's bytes: the size as a big-endian u64, then the hashes, largest subtree first.
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(8 + 32 * self.hashes.len());
        bytes.extend_from_slice(&self.size.to_be_bytes());
        bytes.extend(self.hashes.iter().flatten());
        bytes
    }

    /// Reads what [`Frontier::encode`] wrote.
    ///
    /// # Errors
    ///
    /// [`Error::Malformed`] if there are not exactly as many hashes as the size demands, or it is above [`SIZE_MAX`]. The hashes themselves cannot
    /// be judged here: compare the root, or read the frontier again with [`frontier_at`](super::proof::frontier_at).
    pub fn decode(bytes: &[u8]) -> Result<Frontier> {
        let (size, rest) = bytes.split_first_chunk().ok_or_else(|| malformed(bytes.len(), 8))?;
        let size = u64::from_be_bytes(*size);
        if size > SIZE_MAX {
            return Err(Error::malformed("frontier", format!("its size {size} is above {SIZE_MAX}")));
        }
        let (hashes, left_over) = rest.as_chunks();
        if hashes.len() != size.count_ones() as usize || !left_over.is_empty() {
            return Err(malformed(bytes.len(), 8 + 32 * size.count_ones() as usize));
        }
        Ok(Frontier { size, hashes: hashes.to_vec() })
    }

    /// Puts together a frontier from subtree roots, largest first; their number must be that of `size`'s one-bits.
    pub(super) fn from_parts(size: u64, hashes: Vec<Hash>) -> Frontier {
        debug_assert_eq!(hashes.len(), size.count_ones() as usize);
        Frontier { size, hashes }
    }
}

/// Hashes the data of a leaf: SHA-256(0x00 || data).
pub fn leaf_hash(data: &[u8]) -> Hash {
    Sha256::new().chain_update([0]).chain_update(data).finalize().into()
}

/// Hashes two neighbours into their parent: SHA-256(0x01 || left || right).
pub fn node_hash(left: &Hash, right: &Hash) -> Hash {
    Sha256::new().chain_update([1]).chain_update(left).chain_update(right).finalize().into()
}

/// The place of the subtree of `2^height` leaves that holds leaf `leaf`; `height` is a multiple of the tile height.
fn coord(height: u32, leaf: u64) -> Coord {
    let level = u8::try_from(height / TILE_HEIGHT).expect("a tree of u64 leaves has at most 8 tile levels");
    Coord { level, index: leaf.checked_shr(height).unwrap_or(0) }
}

fn malformed(found_bytes: usize, wanted_bytes: usize) -> Error {
    Error::malformed("frontier", format!("{found_bytes} bytes where {wanted_bytes} were expected"))
}

#[cfg(test)]
pub(super) mod tests;
