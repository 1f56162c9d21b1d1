//! Measuring, again and again, how much of what is nearest walks find: with a few vectors at a time, on a thread that takes what others
//! leave of the processors.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use index::vector::Recall;
use storage::ids::TenantId;

use super::{Runner, Shared};

/// A measurement begins so long after another: each holds one processor for a quarter of a second at most.
pub const MEASURE_EVERY: Duration = Duration::from_secs(5);
/// A measurement ends after this, with what it has.
const TURN_MAX: Duration = Duration::from_millis(250);
/// Vectors of a measurement.
const SAMPLES: usize = 4;
/// Fewer say little of a segment.
const SAMPLES_MIN: usize = 40;
/// A segment that is known as far as that is measured once in so many turns.
const TURNS: u32 = 12;
/// Measurements that are kept, the last of them.
const KEPT: usize = 50;
/// A build would not have such a graph walked.
const RECALL_MIN: f64 = 0.95;
/// How much the thread gives way, of 19.
const NICENESS: i32 = 19;

/// A measurement that goes on.
pub(super) struct Measuring {
    tenant: TenantId,
    /// Which build's segment it is of.
    builds: u64,
    thread: JoinHandle<index::Result<Recall>>,
}

/// What was measured of a segment.
#[derive(Default)]
pub(super) struct Measured {
    turn: u64,
    at: Option<Instant>,
    last: VecDeque<Recall>,
    is_low: bool,
}

impl Measured {
    /// What walks found of what is nearest, if enough is known to say.
    pub(super) fn share(&self) -> Option<f64> {
        let all = self.sum();
        (all.samples >= SAMPLES_MIN).then(|| all.share())
    }

    fn sum(&self) -> Recall {
        self.last.iter().fold(Recall::default(), |sum, recall| sum + *recall)
    }

    fn is_due(&self, every: Duration) -> bool {
        self.sum().samples < SAMPLES_MIN || self.at.is_none_or(|at| at.elapsed() >= every * TURNS)
    }

    /// Takes a measurement in; whether the share is too low now, and was not before.
    fn take(&mut self, recall: Recall) -> bool {
        self.last.push_back(recall);
        if self.last.len() > KEPT {
            self.last.pop_front();
        }
        let was_low = self.is_low;
        self.is_low = self.share().is_some_and(|share| share < RECALL_MIN);
        self.is_low && !was_low
    }
}

impl Runner {
    /// Takes over the measurement that is done, and begins another when it is time.
    pub(super) fn see_to_measuring(&mut self) {
        if let Some(measuring) = self.measuring.take_if(|measuring| measuring.thread.is_finished()) {
            self.take_measured(measuring);
        }
        if self.measuring.is_some() || self.measured_at.elapsed() < self.terms.measure_every {
            return;
        }
        if let Some(tenant) = self.next_measured() {
            self.measured_at = Instant::now();
            self.begin_measuring(tenant);
        }
    }

    /// Waits for a measurement that goes on.
    pub(super) fn end_measuring(&mut self) {
        if let Some(measuring) = self.measuring.take() {
            let _ = measuring.thread.join();
        }
    }

    /// Whoever was measured longest ago, of those where anything is walked.
    fn next_measured(&self) -> Option<TenantId> {
        let due = self.units.iter().filter(|(_, vector)| {
            vector.measured.is_due(self.terms.measure_every)
                && vector.unit.follower().reader().pin().has_graph()
        });
        due.min_by_key(|(_, vector)| vector.measured.at).map(|(tenant, _)| *tenant)
    }

    fn begin_measuring(&mut self, tenant: TenantId) {
        let Some(vector) = self.units.get_mut(&tenant) else { return };
        let (pinned, turn) = (vector.unit.follower().reader().pin(), vector.measured.turn);
        vector.measured.turn += 1;
        vector.measured.at = Some(self.measured_at);
        let shared = Arc::clone(&self.shared);
        let measure = move || {
            let _ = rustix::process::setpriority_process(None, NICENESS);
            let measured = catch_unwind(AssertUnwindSafe(|| pinned.recall(turn, SAMPLES, &until(&shared))));
            measured.unwrap_or_else(|_| Err(index::Error::Io("it stopped unexpectedly".to_owned())))
        };
        match std::thread::Builder::new().name("measure".to_owned()).spawn(measure) {
            Ok(thread) => self.measuring = Some(Measuring { tenant, builds: vector.builds, thread }),
            Err(error) => tracing::error!(%error, %tenant, "no thread to measure a segment"),
        }
    }

    fn take_measured(&mut self, measuring: Measuring) {
        let Measuring { tenant, builds, thread } = measuring;
        let Some(vector) = self.units.get_mut(&tenant).filter(|vector| vector.builds == builds) else {
            return;
        };
        match thread.join() {
            Ok(Ok(recall)) => {
                if vector.measured.take(recall) {
                    let recall = vector.measured.share();
                    tracing::warn!(%tenant, recall, "walks find too little; have the segment built anew");
                }
            }
            // What is damaged is found by the next step, too, and begins anew.
            Ok(Err(error)) => tracing::warn!(%error, %tenant, "cannot measure a segment"),
            Err(_) => {}
        }
        self.publish(tenant);
    }
}

/// When to stop: the node's end, or the end of the turn.
fn until(shared: &Shared) -> impl Fn() -> bool {
    let begun = Instant::now();
    move || shared.is_stopping() || begun.elapsed() >= TURN_MAX
}

#[cfg(test)]
mod tests {
    use super::*;

    fn measured(found: usize) -> Recall {
        Recall { samples: 4, found, wanted: 40 }
    }

    #[test]
    fn a_share_is_said_when_enough_is_known_and_that_it_is_low_once() {
        let mut all = Measured::default();
        assert!(
            (0..9)
                .all(|_| !all.take(measured(40)) && all.share().is_none() && all.is_due(Duration::MAX / 12))
        );
        all.take(measured(40));
        assert_eq!(all.share(), Some(1.0));
        let told: Vec<bool> = (0..KEPT).map(|_| all.take(measured(30))).collect();
        assert_eq!(told.iter().filter(|told| **told).count(), 1);
        assert_eq!(all.share(), Some(0.75), "only the last count");
        assert!((0..KEPT).all(|_| !all.take(measured(40))));
    }

    #[test]
    fn a_segment_that_is_known_waits_longer_for_its_turn() {
        let mut all = Measured { at: Some(Instant::now()), ..Measured::default() };
        assert!(all.is_due(Duration::from_secs(60)));
        assert!((0..10).all(|_| !all.take(measured(40))));
        assert!(!all.is_due(Duration::from_secs(60)));
        assert!(all.is_due(Duration::ZERO));
    }
}
