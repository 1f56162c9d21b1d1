//! Power cuts.

use crate::campaign::{Broken, Campaign, counts};
use crate::disk::{Cut, Disk};
use crate::seed::Seeded;
use crate::verdict::{Violation, judge};
use crate::workload::{Workload, new_disk};

const CUTS: Campaign = Campaign { name: "cuts", unit: "cuts", per_seed: 40 };
/// Cuts in a plain test run.
const COUNT: u64 = 2_000;

#[test]
fn a_power_cut_loses_no_acknowledged_batch_and_halves_none() {
    let cores = std::thread::available_parallelism().map_or(1, |n| n.get());
    CUTS.run(0, COUNT, cores, &|seed| simulate(seed).map(|_| counts([("cuts", CUTS.per_seed)])));
}

/// The same check finds a store that acknowledges before the sync: such is every store on a disk
/// whose syncs are answered and not done.
#[test]
fn an_acknowledgement_before_the_sync_is_found() {
    let (mut lost, mut cuts) = (0, 0);
    let lying = |disk: &Disk| {
        disk.lie_about_syncs();
        disk.clone()
    };
    for seed in 1..=4 {
        each_cut(seed, lying, &mut |_, _, judged| {
            cuts += 1;
            lost += u64::from(matches!(judged, Err(Violation::AcknowledgedBatchLost { .. })));
        })
        .expect("without a cut nothing is lost");
    }
    assert_eq!(cuts, 4 * CUTS.per_seed);
    assert!(lost >= cuts / 8, "acknowledged batch lost: found in {lost} of {cuts} cuts");
}

#[test]
fn a_seed_always_gives_the_same_run() {
    for seed in 0..4 {
        assert_eq!(digest(seed), digest(seed), "seed {seed}");
    }
    assert_ne!(digest(0), digest(1));
}

fn digest(seed: u64) -> u64 {
    simulate(seed).expect("no violation")
}

/// Runs the workload of a seed and judges its cuts. Gives a digest of all that happened on the disk.
fn simulate(seed: u64) -> Result<u64, Broken> {
    let (mut digest, mut failed) = (0u64, None);
    each_cut(seed, Disk::clone, &mut |cut, trace, judged| {
        digest = digest.rotate_left(7) ^ trace;
        if let Err(violation) = judged {
            failed.get_or_insert(violation.broken(&cut));
        }
    })
    .map_err(|violation| violation.broken(&"no cut"))?;
    failed.map_or(Ok(digest), Err)
}

/// Lives through the workload of a seed on a disk that is prepared for it, and cuts it in many places.
fn each_cut(
    seed: u64,
    prepare: impl Fn(&Disk) -> Disk,
    judged: &mut dyn FnMut(Cut, u64, Result<(), Violation>),
) -> Result<(), Violation> {
    let (workload, disk) = (Workload::draw(seed), prepare(&new_disk()?));
    let acknowledged = workload.run(&disk)?;
    let (trace, mut seeded) = (disk.trace(), Seeded::new(seed, 4));
    for _ in 0..CUTS.per_seed {
        let cut = Cut::draw(&mut seeded, disk.operations());
        let held = acknowledged.iter().filter(|at| **at <= cut.at).count();
        let left = Disk::of(disk.after(cut));
        let verdict = judge(&workload, left.clone(), held, &mut Seeded::new(cut.seed, 7));
        judged(cut, trace ^ left.trace(), verdict);
    }
    Ok(())
}
