use std::cell::RefCell;
use std::collections::BTreeSet;

use ct_merkle::mem_backed_tree::MemoryBackedTree;
use proptest::prelude::*;
use sha2::Sha256;

use super::super::tree::tests::{frontier, leaves, naive_root};
use super::super::tree::{Coord, leaf_hash};
use super::*;

/// A log as the store keeps it: leaves, and the completed hashes; it notes which tiles were read.
struct Log {
    leaves: Vec<Hash>,
    stored: BTreeMap<Coord, Hash>,
    reads: RefCell<Vec<(u8, Range<u64>)>>,
}

impl Log {
    fn new(size: u64) -> Log {
        let leaves = leaves(size);
        let stored = frontier(&leaves).1.into_iter().collect();
        Log { leaves, stored, reads: RefCell::default() }
    }

    fn root(&self, size: u64) -> Hash {
        naive_root(&self.leaves[..size as usize])
    }
}

impl Hashes for Log {
    type Error = Error;

    fn read(&self, level: u8, range: Range<u64>) -> Result<Vec<Hash>> {
        assert!(
            range.start.is_multiple_of(256) && (1..=256).contains(&(range.end - range.start)),
            "{range:?}"
        );
        self.reads.borrow_mut().push((level, range.clone()));
        match level {
            0 => Ok(self.leaves[range.start as usize..range.end as usize].to_vec()),
            _ => Ok(range.map(|index| self.stored[&Coord { level, index }]).collect()),
        }
    }
}

#[test]
fn root_of_every_earlier_size() {
    let log = Log::new(600);
    for size in 0..=600 {
        assert_eq!(root_at(&log, size).expect("in memory"), log.root(size), "size {size}");
        let grown = frontier(&log.leaves[..size as usize]).0;
        assert_eq!(frontier_at(&log, size).expect("in memory"), grown, "size {size}");
    }
}

#[test]
fn every_record_of_small_trees_is_proved() {
    let log = Log::new(70);
    for size in 1..=70 {
        for index in 0..size {
            let proof = inclusion(&log, size, index).expect("in memory");
            let leaf = log.leaves[index as usize];
            verify_inclusion(&log.root(size), size, index, &leaf, &proof).expect("own proof");
        }
    }
}

#[test]
fn every_growth_of_small_trees_is_proved() {
    let log = Log::new(70);
    for new in 0..=70 {
        for old in 0..=new {
            let proof = consistency(&log, old, new).expect("in memory");
            verify_consistency(old, &log.root(old), new, &log.root(new), &proof).expect("own proof");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn inclusion_holds_and_any_changed_byte_breaks_it(size in 1_u64..600, at: prop::sample::Index) {
        let log = Log::new(size);
        let index = at.index(size as usize) as u64;
        let (root, leaf) = (log.root(size), log.leaves[index as usize]);
        let proof = inclusion(&log, size, index).expect("in memory");
        verify_inclusion(&root, size, index, &leaf, &proof).expect("own proof");

        each_changed_byte(&proof, |bad| assert!(verify_inclusion(&root, size, index, &leaf, bad).is_err()));
        each_changed_byte(&[root], |bad| assert!(verify_inclusion(&bad[0], size, index, &leaf, &proof).is_err()));
        each_changed_byte(&[leaf], |bad| assert!(verify_inclusion(&root, size, index, &bad[0], &proof).is_err()));
        for other in (0..size).filter(|other| *other != index) {
            prop_assert!(verify_inclusion(&root, size, other, &leaf, &proof).is_err());
        }
        each_wrong_length(&proof, |bad| assert!(verify_inclusion(&root, size, index, &leaf, bad).is_err()));
    }

    #[test]
    fn consistency_holds_and_any_changed_byte_breaks_it(new in 2_u64..600, at: prop::sample::Index) {
        let log = Log::new(new);
        let old = 1 + at.index(new as usize - 1) as u64;
        let (old_root, new_root) = (log.root(old), log.root(new));
        let proof = consistency(&log, old, new).expect("in memory");
        verify_consistency(old, &old_root, new, &new_root, &proof).expect("own proof");

        each_changed_byte(&proof, |bad| assert!(verify_consistency(old, &old_root, new, &new_root, bad).is_err()));
        each_changed_byte(&[old_root], |bad| assert!(verify_consistency(old, &bad[0], new, &new_root, &proof).is_err()));
        each_changed_byte(&[new_root], |bad| assert!(verify_consistency(old, &old_root, new, &bad[0], &proof).is_err()));
        each_wrong_length(&proof, |bad| assert!(verify_consistency(old, &old_root, new, &new_root, bad).is_err()));
    }

    /// Another implementation makes the same proofs, hash for hash.
    #[test]
    fn proofs_are_those_of_ct_merkle(new in 1_u64..600, at: prop::sample::Index) {
        let log = Log::new(new);
        let mut other = MemoryBackedTree::<Sha256, Vec<u8>>::new();
        (0..new).for_each(|index| other.push(index.to_be_bytes().to_vec()));
        let index = at.index(new as usize) as u64;

        let ours = inclusion(&log, new, index).expect("in memory");
        let theirs = other.prove_inclusion(index as usize);
        prop_assert_eq!(ours.as_flattened(), theirs.as_bytes());
        let ours = consistency(&log, index + 1, new).expect("in memory");
        let theirs = other.prove_consistency((new - index - 1) as usize);
        if index + 1 < new {
            prop_assert_eq!(ours.as_flattened(), theirs.as_bytes());
        }
    }
}

#[test]
fn large_trees_are_proved_from_a_few_tiles() {
    let size = 2 * 65_536 + 3 * 256 + 17;
    let log = Log::new(size);
    let (frontier, _) = frontier(&log.leaves);
    for index in [0, 255, 65_535, 70_000, 131_072, size - 18, size - 1] {
        log.reads.borrow_mut().clear();
        let proof = inclusion(&log, size, index).expect("in memory");
        let leaf = log.leaves[index as usize];
        verify_inclusion(&frontier.root(), size, index, &leaf, &proof).expect("own proof");
        let reads = log.reads.take();
        assert!(reads.len() <= 6, "{reads:?}");
        let distinct: BTreeSet<_> = reads.iter().map(|(level, range)| (level, range.start)).collect();
        assert_eq!(distinct.len(), reads.len(), "each tile is read once");
    }
}

#[test]
fn what_the_tree_does_not_have_is_refused() {
    let log = Log::new(5);
    let refused = |result: Result<Vec<Hash>>| matches!(result, Err(Error::OutOfRange { .. }));
    assert!(refused(inclusion(&log, 5, 5)));
    assert!(refused(inclusion(&log, 0, 0)));
    assert!(refused(consistency(&log, 5, 4)));
    let leaf = leaf_hash(b"x");
    assert!(verify_inclusion(&leaf, 0, 0, &leaf, &[]).is_err());
    assert!(verify_consistency(0, &leaf, 5, &log.root(5), &[]).is_err(), "the old root of nothing is fixed");
    assert!(verify_consistency(5, &leaf, 5, &log.root(5), &[]).is_err());
}

#[test]
fn absurd_sizes_do_not_panic() {
    let hash = leaf_hash(b"x");
    for length in 0..70 {
        let proof = vec![hash; length];
        assert!(verify_inclusion(&hash, u64::MAX, u64::MAX - 1, &hash, &proof).is_err());
        assert!(verify_consistency(u64::MAX - 1, &hash, u64::MAX, &hash, &proof).is_err());
        assert!(verify_consistency(1 << 63, &hash, u64::MAX, &hash, &proof).is_err());
    }
}

fn each_changed_byte(hashes: &[Hash], check: impl Fn(&[Hash])) {
    let mut changed = hashes.to_vec();
    for hash in 0..hashes.len() {
        for byte in 0..32 {
            changed[hash][byte] ^= 1 << (byte % 8);
            check(&changed);
            changed[hash][byte] = hashes[hash][byte];
        }
    }
}

fn each_wrong_length(proof: &[Hash], check: impl Fn(&[Hash])) {
    check(&[proof, &[[7; 32]]].concat());
    (0..proof.len()).for_each(|length| check(&proof[..length]));
}
