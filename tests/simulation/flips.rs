//! Bits that flip in the file of a closed store, and nobody notices: until it is read.

use std::collections::BTreeMap;

use storage::Error;

use crate::disk::Disk;
use crate::seed::Seeded;
use crate::workload::{Workload, new_disk, try_open};

const FLIPS_PER_SEED: usize = 25;
const SEEDS: u64 = 20;
const PAGE_BYTES: usize = 4096;

/// What a flipped bit came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Outcome {
    /// Everything reads as it should.
    Harmless,
    /// The store did not open, and said why.
    RefusedToOpen,
    /// Reading failed with an error.
    ReadFailed,
    /// Something read wrong, or was missing; verification says so.
    FoundByVerify,
    /// Something read wrong, or was missing, and nothing says so.
    Silent,
}

#[test]
fn a_flipped_bit_is_never_a_silent_wrong_answer() {
    let mut outcomes: BTreeMap<Outcome, u64> = BTreeMap::new();
    let mut silent = Vec::new();
    for seed in 0..SEEDS {
        let workload = Workload::draw(seed);
        let disk = new_disk().expect("a sound disk");
        workload.run(&disk).expect("a sound disk");
        let (bytes, mut seeded) = (disk.bytes(), Seeded::new(seed, 6));
        for _ in 0..FLIPS_PER_SEED {
            let bit = draw_bit(&bytes, &mut seeded);
            let outcome = flip(&workload, bytes.clone(), bit);
            *outcomes.entry(outcome).or_default() += 1;
            if outcome == Outcome::Silent {
                silent.push((seed, bit));
            }
        }
    }
    println!("{} flips: {outcomes:?}", SEEDS as usize * FLIPS_PER_SEED);
    assert_eq!(silent, [], "wrong answers by (seed, bit); {outcomes:?}");
}

/// A bit of a page that holds something: most of a small file is empty.
fn draw_bit(bytes: &[u8], seeded: &mut Seeded) -> usize {
    let used: Vec<_> =
        bytes.chunks(PAGE_BYTES).enumerate().filter(|(_, page)| page.iter().any(|byte| *byte != 0)).collect();
    let (page, _) = used[seeded.below(used.len())];
    page * PAGE_BYTES * 8 + seeded.below(PAGE_BYTES * 8)
}

fn flip(workload: &Workload, mut bytes: Vec<u8>, bit: usize) -> Outcome {
    bytes[bit / 8] ^= 1 << (bit % 8);
    let disk = Disk::of(bytes);
    let store = match try_open(&disk) {
        Ok(store) => store,
        Err(_) => return Outcome::RefusedToOpen,
    };
    let view = store.view().expect("just opened");
    match crate::observe::observe(&view) {
        Ok(found) if workload.is_last_state(&found) => Outcome::Harmless,
        // Two ways to ask that disagree: whoever asks one way only is misled.
        Err(error) if !matches!(error, Error::Corrupt { what: "view", .. }) => Outcome::ReadFailed,
        _ => match view.verify(&mut |_| ()) {
            Ok(report) if report.problems.is_empty() => Outcome::Silent,
            _ => Outcome::FoundByVerify,
        },
    }
}
