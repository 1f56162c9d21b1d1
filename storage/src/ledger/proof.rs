//! Proofs that a record is in a tree, and that a tree grew out of an earlier one (RFC 9162, section 2.1).
//!
//! A proof is a list of subtree roots. Which ones is a question of numbers alone, so it is answered first, as ranges of
//! leaves (`path`, `growth`); only then are hashes read, a tile at a time and each tile once.

use std::collections::BTreeMap;
use std::ops::Range;

use super::error::{Error, Result};
use super::tree::{EMPTY_ROOT, Frontier, Hash, TILE_HEIGHT, TILE_WIDTH, node_hash};

/// Where the hashes of a tree are read from.
pub trait Hashes {
    /// What a failed read says; [`Error`] joins it when the numbers are wrong.
    type Error: From<Error>;

    /// Reads the hashes `range` of tile level `level`.
    ///
    /// At level 0 these are leaf hashes, to be recomputed from the log; above, those that [`Frontier::push`] reported.
    /// The range begins at a multiple of 256, holds 1 to 256 hashes, and ends within the tree that is asked about.
    fn read(&self, level: u8, range: Range<u64>) -> Result<Vec<Hash>, Self::Error>;
}

/// Proves that leaf `index` is in the tree of the first `size` leaves.
///
/// Reads at most two tiles of each level. The proof holds one hash for each level of the tree, the leaf's sibling first.
///
/// # Errors
///
/// [`Error::OutOfRange`] if `index` is not below `size`; else what reading says.
pub fn inclusion<H: Hashes>(hashes: &H, size: u64, index: u64) -> Result<Vec<Hash>, H::Error> {
    if index >= size {
        return Err(Error::OutOfRange { what: "index", given: index, size }.into());
    }
    Reader::new(hashes, size).roots(path(index, 0..size))
}

/// Proves that the tree of the first `new` leaves begins with the tree of the first `old` ones.
///
/// Empty if both are the same or `old` is 0: there is nothing to show then.
///
/// # Errors
///
/// [`Error::OutOfRange`] if `old` is above `new`; else what reading says.
pub fn consistency<H: Hashes>(hashes: &H, old: u64, new: u64) -> Result<Vec<Hash>, H::Error> {
    match old {
        0 => Ok(Vec::new()),
        _ if old > new => Err(Error::OutOfRange { what: "size", given: old, size: new }.into()),
        _ => Reader::new(hashes, new).roots(growth(old, 0..new, true)),
    }
}

/// Reads the frontier of the first `size` leaves: at most one tile of each level.
///
/// # Errors
///
/// What reading says.
pub fn frontier_at<H: Hashes>(hashes: &H, size: u64) -> Result<Frontier, H::Error> {
    let roots = Reader::new(hashes, size).roots(perfect_subtrees(size))?;
    Ok(Frontier::from_parts(size, roots))
}

/// Computes the root of the first `size` leaves: at most one tile of each level is read.
///
/// # Errors
///
/// What reading says.
pub fn root_at<H: Hashes>(hashes: &H, size: u64) -> Result<Hash, H::Error> {
    Ok(frontier_at(hashes, size)?.root())
}

/// Checks a proof of [`inclusion`] against a root that is already trusted (RFC 9162, 2.1.3.2).
///
/// # Errors
///
/// [`Error::OutOfRange`] or [`Error::Mismatch`] if the leaf is not shown to be at that place under that root.
pub fn verify_inclusion(root: &Hash, size: u64, index: u64, leaf: &Hash, proof: &[Hash]) -> Result<()> {
    if index >= size {
        return Err(Error::OutOfRange { what: "index", given: index, size });
    }
    let mut climb = Climb { node: index, last: size - 1 };
    let mut hash = *leaf;
    for sibling in proof {
        hash = match climb.step().ok_or_else(|| wrong_length(proof))? {
            Side::Left => node_hash(sibling, &hash),
            Side::Right => node_hash(&hash, sibling),
        };
    }
    if climb.last != 0 {
        return Err(wrong_length(proof));
    }
    equal("root", &hash, root)
}

/// Checks a proof of [`consistency`] between two roots (RFC 9162, 2.1.4.2).
///
/// # Errors
///
/// [`Error::OutOfRange`] or [`Error::Mismatch`] if the new tree is not shown to begin with the old one.
pub fn verify_consistency(
    old: u64,
    old_root: &Hash,
    new: u64,
    new_root: &Hash,
    proof: &[Hash],
) -> Result<()> {
    if old > new {
        return Err(Error::OutOfRange { what: "size", given: old, size: new });
    }
    if old == 0 || old == new {
        return verify_nothing_to_show(old, old_root, new_root, proof);
    }
    // A perfect old tree is itself the first hash of its proof, and therefore left out of it.
    let own_root = old.is_power_of_two().then_some(old_root);
    let mut hashes = own_root.into_iter().chain(proof);
    let first = hashes.next().ok_or_else(|| wrong_length(proof))?;
    let (mut in_old, mut in_new) = (*first, *first);
    let mut climb = Climb { node: old - 1, last: new - 1 };
    climb.skip_while_right_child();
    for hash in hashes {
        match climb.step().ok_or_else(|| wrong_length(proof))? {
            Side::Left => {
                in_old = node_hash(hash, &in_old);
                in_new = node_hash(hash, &in_new);
            }
            Side::Right => in_new = node_hash(&in_new, hash),
        }
    }
    if climb.last != 0 {
        return Err(wrong_length(proof));
    }
    equal("old root", &in_old, old_root)?;
    equal("new root", &in_new, new_root)
}

fn verify_nothing_to_show(old: u64, old_root: &Hash, new_root: &Hash, proof: &[Hash]) -> Result<()> {
    if !proof.is_empty() {
        return Err(wrong_length(proof));
    }
    let wanted = if old == 0 { &EMPTY_ROOT } else { new_root };
    equal("old root", old_root, wanted)
}

/// The way from a node up to the root: the two counters that RFC 9162 calls `fn` and `sn`.
struct Climb {
    node: u64,
    last: u64,
}

/// On which side of the node its sibling stands.
enum Side {
    Left,
    Right,
}

impl Climb {
    /// Goes up to the next level that has a sibling; `None` at the root.
    fn step(&mut self) -> Option<Side> {
        if self.last == 0 {
            return None;
        }
        let side = if self.node & 1 == 1 || self.node == self.last { Side::Left } else { Side::Right };
        if matches!(side, Side::Left) && self.node & 1 == 0 {
            // The last node of an uneven level goes up unhashed until it is a right child.
            self.up(self.node.trailing_zeros());
        }
        self.up(1);
        Some(side)
    }

    fn skip_while_right_child(&mut self) {
        self.up(self.node.trailing_ones());
    }

    fn up(&mut self, levels: u32) {
        self.node = self.node.checked_shr(levels).unwrap_or(0);
        self.last = self.last.checked_shr(levels).unwrap_or(0);
    }
}

/// PATH of RFC 9162, 2.1.3.1: the leaves under each hash of an inclusion proof.
fn path(index: u64, leaves: Range<u64>) -> Vec<Range<u64>> {
    if leaves.end - leaves.start == 1 {
        return Vec::new();
    }
    let (left, right) = split(&leaves);
    let (inside, sibling) = if left.contains(&index) { (left, right) } else { (right, left) };
    let mut ranges = path(index, inside);
    ranges.push(sibling);
    ranges
}

/// SUBPROOF of RFC 9162, 2.1.4.1: the leaves under each hash of a consistency proof; `old` is an end, not a length.
fn growth(old: u64, leaves: Range<u64>, known: bool) -> Vec<Range<u64>> {
    if old == leaves.end {
        return if known { Vec::new() } else { vec![leaves] };
    }
    let (left, right) = split(&leaves);
    let (mut ranges, other) = match old <= left.end {
        true => (growth(old, left, known), right),
        false => (growth(old, right, false), left),
    };
    ranges.push(other);
    ranges
}

/// The perfect subtrees of a tree, largest first: one for each one-bit of its size.
fn perfect_subtrees(size: u64) -> Vec<Range<u64>> {
    let mut start = 0;
    let mut ranges = Vec::new();
    while start < size {
        let width = 1 << (size - start).ilog2();
        ranges.push(start..start + width);
        start += width;
    }
    ranges
}

/// Splits two or more leaves as RFC 9162 does: left gets the largest power of two that leaves something for right.
fn split(leaves: &Range<u64>) -> (Range<u64>, Range<u64>) {
    let width = 1 << (leaves.end - leaves.start - 1).ilog2();
    let middle = leaves.start + width;
    (leaves.start..middle, middle..leaves.end)
}

/// Computes subtree roots for one tree, and reads each tile once for all of them.
struct Reader<'a, H> {
    hashes: &'a H,
    size: u64,
    tiles: BTreeMap<(u8, u64), Vec<Hash>>,
}

impl<'a, H: Hashes> Reader<'a, H> {
    fn new(hashes: &'a H, size: u64) -> Self {
        Reader { hashes, size, tiles: BTreeMap::new() }
    }

    fn roots(&mut self, ranges: Vec<Range<u64>>) -> Result<Vec<Hash>, H::Error> {
        ranges.into_iter().map(|leaves| self.root(leaves)).collect()
    }

    /// The root over `leaves`, which RFC 9162's splitting made: so if it is a power of two wide, it is aligned.
    fn root(&mut self, leaves: Range<u64>) -> Result<Hash, H::Error> {
        if (leaves.end - leaves.start).is_power_of_two() {
            return self.perfect(leaves);
        }
        let (left, right) = split(&leaves);
        Ok(node_hash(&self.root(left)?, &self.root(right)?))
    }

    /// Climbs from the highest tile level that has hashes within `leaves`.
    fn perfect(&mut self, leaves: Range<u64>) -> Result<Hash, H::Error> {
        let level = (leaves.end - leaves.start).ilog2() / TILE_HEIGHT;
        let height = level * TILE_HEIGHT;
        let (from, to) = (leaves.start >> height, leaves.end >> height);
        let tile = self.tile(level, from / TILE_WIDTH)?;
        let first = (from % TILE_WIDTH) as usize;
        let mut row = tile[first..first + (to - from) as usize].to_vec();
        while row.len() > 1 {
            row = row.as_chunks().0.iter().map(|[left, right]| node_hash(left, right)).collect();
        }
        Ok(row[0])
    }

    fn tile(&mut self, level: u32, index: u64) -> Result<&[Hash], H::Error> {
        let key = (level as u8, index);
        if !self.tiles.contains_key(&key) {
            let from = index * TILE_WIDTH;
            let to = (self.size >> (level * TILE_HEIGHT)).min(from + TILE_WIDTH);
            let tile = self.hashes.read(key.0, from..to)?;
            if tile.len() as u64 != to - from {
                let detail = format!("{} of {} at level {level} from {from}", tile.len(), to - from);
                return Err(Error::mismatch("number of hashes", detail).into());
            }
            self.tiles.insert(key, tile);
        }
        Ok(&self.tiles[&key])
    }
}

fn wrong_length(proof: &[Hash]) -> Error {
    Error::mismatch("length of the proof", format!("{} hashes do not fit the sizes", proof.len()))
}

fn equal(what: &'static str, computed: &Hash, wanted: &Hash) -> Result<()> {
    if computed == wanted {
        return Ok(());
    }
    Err(Error::mismatch(what, format!("computed {}, wanted {}", hex(computed), hex(wanted))))
}

fn hex(hash: &Hash) -> String {
    hash.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests;
