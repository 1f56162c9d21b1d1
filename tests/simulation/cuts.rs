//! Power cuts.

use std::collections::BTreeSet;
use std::io::Write;
use std::ops::Range;
use std::panic::catch_unwind;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::disk::{Cut, Disk};
use crate::seed::Seeded;
use crate::verdict::{Violation, judge};
use crate::workload::{Workload, new_disk};

pub(crate) const CUTS_PER_SEED: u64 = 40;
/// Cuts in a plain test run.
const CUTS: u64 = 2_000;

#[test]
fn a_power_cut_loses_no_acknowledged_batch_and_halves_none() {
    let seeds = Seeds::new(range_from_environment());
    let work = || {
        while let Some(seed) = seeds.claim() {
            let judged = catch_unwind(|| simulate(seed));
            let panicked = || Err(format!("panicked\n  again: {}", again(seed)));
            seeds.finish(seed, judged.unwrap_or_else(|_| panicked()));
        }
    };
    std::thread::scope(|scope| {
        let cores = std::thread::available_parallelism().map_or(1, |n| n.get());
        let workers: Vec<_> = (0..cores).map(|_| scope.spawn(work)).collect();
        let done = || workers.iter().all(|worker| worker.is_finished());
        while !done() {
            wait(Duration::from_secs(2), done);
            seeds.report();
        }
    });
    if let Some(report) = seeds.state().failed.take() {
        panic!("{report}");
    }
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
    assert_eq!(cuts, 4 * CUTS_PER_SEED);
    assert!(lost >= cuts / 8, "acknowledged batch lost: found in {lost} of {cuts} cuts");
}

#[test]
fn a_seed_always_gives_the_same_run() {
    for seed in 0..4 {
        let once = simulate(seed).expect("no violation");
        assert_eq!(simulate(seed), Ok(once), "seed {seed}");
    }
    assert_ne!(simulate(0), simulate(1));
}

/// Runs the workload of a seed and judges its cuts. Gives a digest of all that happened on the disk,
/// or a report that says how to get the same again.
fn simulate(seed: u64) -> Result<u64, String> {
    let report = |options: &dyn std::fmt::Debug, violation: &Violation| {
        format!("{violation}\n  {options:?}\n  again: {}", again(seed))
    };
    let (mut digest, mut failed) = (0u64, None);
    each_cut(seed, Disk::clone, &mut |cut, trace, judged| {
        digest = digest.rotate_left(7) ^ trace;
        if let Err(violation) = judged {
            failed.get_or_insert(report(&cut, &violation));
        }
    })
    .map_err(|violation| report(&"no cut", &violation))?;
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
    for _ in 0..CUTS_PER_SEED {
        let cut = Cut::draw(&mut seeded, disk.operations());
        let held = acknowledged.iter().filter(|at| **at <= cut.at).count();
        let left = Disk::of(disk.after(cut));
        let verdict = judge(&workload, left.clone(), held, &mut Seeded::new(cut.seed, 7));
        judged(cut, trace ^ left.trace(), verdict);
    }
    Ok(())
}

/// The seeds of a run, handed out in order.
struct Seeds {
    range: Range<u64>,
    began: Instant,
    state: Mutex<State>,
}

struct State {
    next: u64,
    running: BTreeSet<u64>,
    finished: u64,
    failed: Option<String>,
}

impl Seeds {
    fn new(range: Range<u64>) -> Seeds {
        let state = State { next: range.start, running: BTreeSet::new(), finished: 0, failed: None };
        Seeds { range, began: Instant::now(), state: Mutex::new(state) }
    }

    fn claim(&self) -> Option<u64> {
        let mut state = self.state();
        if state.failed.is_some() || !self.range.contains(&state.next) {
            return None;
        }
        let seed = state.next;
        state.next += 1;
        state.running.insert(seed);
        Some(seed)
    }

    fn finish(&self, seed: u64, judged: Result<u64, String>) {
        let mut state = self.state();
        state.running.remove(&seed);
        state.finished += 1;
        if let Err(report) = judged {
            state.failed.get_or_insert(report);
        }
    }

    /// Past the test harness, which holds back what tests print.
    fn report(&self) {
        let state = self.state();
        let (cuts, all) = (state.finished * CUTS_PER_SEED, self.range.clone().count() as u64 * CUTS_PER_SEED);
        let rate = cuts as f64 / self.began.elapsed().as_secs_f64();
        let rest = state.running.first().copied().unwrap_or(state.next)..self.range.end;
        let rest = if rest.is_empty() {
            String::new()
        } else {
            format!("; the rest: INTELGRAPH_SIM_SEED={}..{}", rest.start, rest.end)
        };
        let line = format!("{cuts} of {all} power cuts, {rate:.0}/s{rest}\n");
        std::io::stderr().write_all(line.as_bytes()).expect("stderr is open");
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn again(seed: u64) -> String {
    format!("INTELGRAPH_SIM_SEED={seed}..{}", seed + 1)
}

fn range_from_environment() -> Range<u64> {
    let number = |text: &str| text.trim().parse::<u64>().expect("seeds and cuts are numbers");
    let cuts = std::env::var("INTELGRAPH_SIM_CUTS").map_or(CUTS, |cuts| number(&cuts));
    let seeds = std::env::var("INTELGRAPH_SIM_SEED").unwrap_or_else(|_| "0".to_owned());
    match seeds.split_once("..") {
        Some((first, end)) => number(first)..number(end),
        None => number(&seeds)..number(&seeds) + cuts.div_ceil(CUTS_PER_SEED),
    }
}

fn wait(most: Duration, done: impl Fn() -> bool) {
    let until = Instant::now() + most;
    while Instant::now() < until && !done() {
        std::thread::sleep(Duration::from_millis(10));
    }
}
