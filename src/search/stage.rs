//! The vector stage: a question's vector, what is near it, and how near what words found is.
//!
//! It has a thread of its own and one deadline for all of it, and whoever waits for it waits no longer: what is stuck is left
//! behind.
//!
//! What was left behind ends when it next looks at the clock. So many may be at work at a time, stuck ones among them; when there
//! is no place the answer goes without a vector stage at once.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::time::{Duration, Instant};

use index::text::{Allowed, TimeRange};
use index::vector::Near;
use storage::ids::{Lsn, ThingId};
use storage::model::Form;

use super::reason::Reason;

/// Vector stages at a time, those that were left behind included.
const STAGES_MAX: usize = 32;
/// The stack of one, in bytes.
const STACK_BYTES: usize = 512 << 10;

/// What finds by meaning: a model and an index that was made with it.
pub trait Meaning: Send + Sync {
    /// The record up to which the index reflects the log.
    fn position(&self) -> Lsn;

    /// The vector of a text.
    ///
    /// # Errors
    /// Why there is none.
    fn encode(&self, text: &str, deadline: Instant) -> Result<Arc<[f32]>, Reason>;

    /// The nearest documents that pass, the best passage of each, best first.
    ///
    /// # Errors
    /// Why there are none; `Deadline` if `stop` said so before all was looked at.
    fn nearest(
        &self,
        vector: &[f32],
        k: usize,
        among: &Among,
        stop: &dyn Fn() -> bool,
    ) -> Result<Vec<Near>, Reason>;

    /// The vectors that are stored of a thing, of those of its documents that pass; at most so many.
    ///
    /// # Errors
    /// Why nobody knows.
    fn stored(&self, thing: ThingId, max: usize, among: &Among) -> Result<Vec<Vec<f32>>, Reason>;

    /// How near each of some things is: the best of its passages that pass.
    ///
    /// # Errors
    /// Why nobody knows.
    fn cosines(&self, vector: &[f32], of: &[ThingId], among: &Among) -> Result<Vec<Option<Near>>, Reason>;
}

/// What a question asks of a document beside its meaning.
#[derive(Clone, Debug)]
pub struct Among {
    /// The labels that the reader may see, and chose.
    pub labels: Allowed,
    /// Only entities, or only relations.
    pub form: Option<Form>,
    /// Only what was observed, or else recorded, in this time.
    pub time: Option<TimeRange>,
    /// Whether to find what its source took back.
    pub include_revoked: bool,
}

/// The steps of a vector stage.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Step {
    /// The question becomes a vector.
    Encode,
    /// What is near it is looked for.
    Walk,
    /// What words found is compared with it.
    Complete,
}

impl Step {
    /// Its name in metrics.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Step::Encode => "encode",
            Step::Walk => "walk",
            Step::Complete => "complete",
        }
    }
}

/// The places for vector stages of a node.
#[derive(Clone, Default)]
pub struct Stages {
    at_work: Arc<AtomicUsize>,
}

/// What a vector stage is asked.
pub struct Asked {
    /// By what it finds.
    pub meaning: Arc<dyn Meaning>,
    /// The question.
    pub text: String,
    /// How many documents are wanted.
    pub k: usize,
    /// Which may be among them.
    pub among: Among,
}

/// A vector stage at work, as who waits for it sees it.
pub struct Stage {
    begun: Instant,
    budget: Duration,
    deadline: Instant,
    gave_up: Arc<AtomicBool>,
    done: Receiver<Done>,
    things: SyncSender<(Vec<ThingId>, Instant)>,
    /// How long each step took, as far as they are done; the one at which it was left behind as well.
    steps: Vec<(Step, Duration)>,
    step: Step,
}

/// A step that is done: when, how long it took, and what it found.
struct Done {
    step: Step,
    at: Instant,
    took: Duration,
    found: Result<Found, Reason>,
}

enum Found {
    Vector,
    Near(Vec<Near>),
    Cosines(Vec<Option<Near>>),
}

/// A place, given back when it is dropped.
struct Place(Arc<AtomicUsize>);

impl Drop for Place {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Stages {
    /// Begins a vector stage that may take so long for everything.
    ///
    /// # Errors
    /// `Busy` if there is no place.
    pub fn begin(&self, asked: Asked, budget: Duration) -> Result<Stage, Reason> {
        let (begun, place) = (Instant::now(), self.enter()?);
        let deadline = begun + budget;
        let gave_up = Arc::new(AtomicBool::new(false));
        // Each holds all that is ever sent: the stage waits for nobody who has gone.
        let (tell, done) = sync_channel(3);
        let (things, wanted) = sync_channel(1);
        let work = Work { asked, deadline, gave_up: Arc::clone(&gave_up), tell, wanted };
        let thread = std::thread::Builder::new().name("vector-stage".to_owned()).stack_size(STACK_BYTES);
        let started = thread.spawn(move || {
            let _place = place;
            work.run();
        });
        started.map_err(|_| Reason::Busy)?;
        let (steps, step) = (Vec::new(), Step::Encode);
        Ok(Stage { begun, budget, deadline, gave_up, done, things, steps, step })
    }

    /// How many are at work.
    #[must_use]
    pub fn at_work(&self) -> usize {
        self.at_work.load(Ordering::Relaxed)
    }

    fn enter(&self) -> Result<Place, Reason> {
        let place = Place(Arc::clone(&self.at_work));
        if self.at_work.fetch_add(1, Ordering::Relaxed) < STAGES_MAX { Ok(place) } else { Err(Reason::Busy) }
    }
}

impl Stage {
    /// What is near the question.
    ///
    /// # Errors
    /// Why nobody knows; `Deadline` when there is no time left.
    pub fn near(&mut self) -> Result<Vec<Near>, Reason> {
        loop {
            if let Found::Near(near) = self.next()? {
                return Ok(near);
            }
        }
    }

    /// Asks how near each of some things is; once, after [`Stage::near`]. It has the time that is left of the budget: what the
    /// words took meanwhile is not its own.
    pub fn compare(&mut self, things: Vec<ThingId>) {
        self.deadline = Instant::now() + self.budget.saturating_sub(self.took());
        // One that has ended has told why.
        let _ = self.things.try_send((things, self.deadline));
    }

    /// How near each of the things is that it was asked to compare.
    ///
    /// # Errors
    /// As for [`Stage::near`].
    pub fn cosines(&mut self) -> Result<Vec<Option<Near>>, Reason> {
        loop {
            if let Found::Cosines(cosines) = self.next()? {
                return Ok(cosines);
            }
        }
    }

    /// How long each step took.
    #[must_use]
    pub fn steps(&self) -> &[(Step, Duration)] {
        &self.steps
    }

    /// How long it took in all.
    #[must_use]
    pub fn took(&self) -> Duration {
        self.steps.iter().map(|(_, took)| *took).sum()
    }

    fn next(&mut self) -> Result<Found, Reason> {
        let waits = Instant::now();
        match self.done.recv_timeout(self.deadline.saturating_duration_since(waits)) {
            Ok(done) if done.at <= self.deadline => {
                self.steps.push((done.step, done.took));
                self.step = if done.step == Step::Encode { Step::Walk } else { Step::Complete };
                done.found
            }
            // It panicked: in time it does not end without a word otherwise.
            Err(RecvTimeoutError::Disconnected) if Instant::now() < self.deadline => {
                Err(Reason::EncoderFailed)
            }
            Ok(_) | Err(_) => {
                self.leave_behind(waits);
                Err(Reason::Deadline)
            }
        }
    }

    /// Nobody waits any longer than until the deadline; who comes later has not waited at all.
    fn leave_behind(&mut self, waits: Instant) {
        self.gave_up.store(true, Ordering::Relaxed);
        let end = if waits < self.deadline { Instant::now() } else { self.deadline };
        let whole = match self.step {
            Step::Complete => {
                self.budget.saturating_sub(self.deadline.saturating_duration_since(end))
                    + end.saturating_duration_since(self.deadline)
            }
            Step::Encode | Step::Walk => end.saturating_duration_since(self.begun),
        };
        self.steps.push((self.step, whole.saturating_sub(self.took())));
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        self.gave_up.store(true, Ordering::Relaxed);
    }
}

/// A vector stage, as its own thread sees it.
struct Work {
    asked: Asked,
    deadline: Instant,
    gave_up: Arc<AtomicBool>,
    tell: SyncSender<Done>,
    wanted: Receiver<(Vec<ThingId>, Instant)>,
}

impl Work {
    fn run(self) {
        let Asked { meaning, text, k, among } = &self.asked;
        let stop = || self.gave_up.load(Ordering::Relaxed) || Instant::now() >= self.deadline;
        let begun = Instant::now();
        let vector = match meaning.encode(text, self.deadline) {
            Ok(vector) => vector,
            Err(reason) => return self.tell(Step::Encode, begun, Err(reason)),
        };
        self.tell(Step::Encode, begun, Ok(Found::Vector));
        let begun = Instant::now();
        self.tell(Step::Walk, begun, meaning.nearest(&vector, *k, among, &stop).map(Found::Near));
        // Until whoever asked has the words' part, or has gone.
        let Ok((things, deadline)) = self.wanted.recv() else { return };
        let begun = Instant::now();
        if begun < deadline {
            self.tell(Step::Complete, begun, meaning.cosines(&vector, &things, among).map(Found::Cosines));
        }
    }

    /// Who asked may have gone.
    fn tell(&self, step: Step, begun: Instant, found: Result<Found, Reason>) {
        let at = Instant::now();
        let _ = self.tell.try_send(Done { step, at, took: at - begun, found });
    }
}
