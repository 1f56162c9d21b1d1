//! Imports that are going, each with how far it has come: in memory, for who watches. What lasts is the record of the run.

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use storage::ids::{RunId, TenantId};
use storage::model::RunCounts;

/// Rates are over so long.
const WINDOW: Duration = Duration::from_secs(5);
/// Between two looks that a rate is made of.
const SAMPLE_EVERY: Duration = Duration::from_millis(400);

/// The imports that are going.
#[derive(Default)]
pub struct Going(Mutex<HashMap<(TenantId, RunId), Arc<Course>>>);

/// An import that is listed until this is dropped.
pub(super) struct Listed<'g> {
    going: &'g Going,
    key: (TenantId, RunId),
}

/// How far one import has come.
#[derive(Default)]
pub struct Course {
    read: Arc<AtomicU64>,
    bytes: Option<u64>,
    request: Option<Arc<str>>,
    state: Mutex<State>,
}

struct State {
    began: Instant,
    files: usize,
    file: String,
    phase: Phase,
    counts: RunCounts,
    samples: VecDeque<Sample>,
}

/// What an import is at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// It reads its files.
    Reading,
    /// What waited for its ends is said.
    Settling,
}

#[derive(Clone, Copy)]
struct Sample {
    at: Instant,
    bytes: u64,
    objects: u64,
}

/// An import as it is at one moment.
#[derive(Clone, Debug)]
pub struct Look {
    /// What it is at.
    pub phase: Phase,
    /// Which file is being read, the first being 1,
    pub files: usize,
    /// and its name.
    pub file: String,
    /// What became of the objects so far; those on their way to the disk are read, and nothing else yet.
    pub counts: RunCounts,
    /// Bytes read,
    pub bytes_read: u64,
    /// of so many, if that is known.
    pub bytes: Option<u64>,
    /// Since it began.
    pub took: Duration,
    /// Lately, each second.
    pub bytes_per_second: f64,
    /// Lately, each second.
    pub objects_per_second: f64,
}

impl Going {
    /// Lists an import until what is returned is dropped.
    pub(super) fn list(&self, tenant: TenantId, run: RunId, course: Arc<Course>) -> Listed<'_> {
        self.table().insert((tenant, run), course);
        Listed { going: self, key: (tenant, run) }
    }

    /// How far a run is, if it is going.
    pub(crate) fn course(&self, tenant: TenantId, run: RunId) -> Option<Arc<Course>> {
        self.table().get(&(tenant, run)).cloned()
    }

    fn table(&self) -> MutexGuard<'_, HashMap<(TenantId, RunId), Arc<Course>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Listed<'_> {
    fn drop(&mut self) {
        self.going.table().remove(&self.key);
    }
}

impl Course {
    /// An import that begins now: it counts the bytes it reads in `read`, of so many, and came by that request.
    pub(super) fn new(read: Arc<AtomicU64>, bytes: Option<u64>, request: Option<Arc<str>>) -> Course {
        Course { read, bytes, request, state: Mutex::default() }
    }

    /// The request that it came by, as its client named it.
    pub(crate) fn request(&self) -> Option<&str> {
        self.request.as_deref()
    }

    pub(super) fn at_file(&self, name: &str) {
        let mut state = self.state();
        state.files += 1;
        name.clone_into(&mut state.file);
    }

    pub(super) fn settles(&self) {
        self.state().phase = Phase::Settling;
    }

    pub(super) fn counted(&self, counts: RunCounts) {
        self.state().counts = counts;
    }

    /// How far it is at a moment.
    pub(crate) fn look(&self, now: Instant) -> Look {
        let bytes_read = self.read.load(Ordering::Relaxed);
        let mut state = self.state();
        let sample = Sample { at: now, bytes: bytes_read, objects: state.counts.read };
        let since = state.since(sample);
        let seconds = now.saturating_duration_since(since.at).as_secs_f64().max(f64::EPSILON);
        let per_second = |from: u64, to: u64| to.saturating_sub(from) as f64 / seconds;
        Look {
            phase: state.phase,
            files: state.files,
            file: state.file.clone(),
            counts: state.counts,
            bytes_read,
            bytes: self.bytes,
            took: now.saturating_duration_since(state.began),
            bytes_per_second: per_second(since.bytes, sample.bytes),
            objects_per_second: per_second(since.objects, sample.objects),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for State {
    fn default() -> State {
        let began = Instant::now();
        let samples = VecDeque::from([Sample { at: began, bytes: 0, objects: 0 }]);
        let (files, file, counts) = Default::default();
        State { began, files, file, phase: Phase::Reading, counts, samples }
    }
}

impl State {
    /// Notes how it is now; how it was when the window began.
    fn since(&mut self, now: Sample) -> Sample {
        let is_past = |sample: &Sample, time| now.at.saturating_duration_since(sample.at) >= time;
        while self.samples.len() > 1 && is_past(&self.samples[1], WINDOW) {
            self.samples.pop_front();
        }
        if self.samples.back().is_none_or(|last| is_past(last, SAMPLE_EVERY)) {
            self.samples.push_back(now);
        }
        self.samples.front().copied().unwrap_or(now)
    }
}

impl Phase {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Phase::Reading => "reading",
            Phase::Settling => "settling",
        }
    }
}

impl Look {
    /// How long it goes on at this rate, if that can be told.
    pub(crate) fn left(&self) -> Option<Duration> {
        let bytes = self.bytes.filter(|_| self.phase == Phase::Reading)?.checked_sub(self.bytes_read)?;
        let seconds = bytes as f64 / self.bytes_per_second;
        Duration::try_from_secs_f64(seconds).ok()
    }
}

#[cfg(test)]
mod tests;
