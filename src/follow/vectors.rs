//! The runner of the vector indexes: a thread of its own, since an encoder is slow and words must not wait for it.
//!
//! It follows the log as the text runner does, as long as there is a model; with another model every index begins anew. In
//! the window of the day for it, or at once where an operator says so, it has what came since the last build sealed, on
//! another thread, and goes on following meanwhile.

mod building;
mod measuring;
mod stoppable;
mod wishes;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use index::embed::Encoder;
use index::follower::{Follower as _, Limits, State, Unit};
use index::vector::{Found, Home, Reader, VectorIndex};
use storage::ids::{Lsn, TenantId};
use storage::{Store, View};

use self::building::Building;
use self::measuring::{Measured, Measuring};
use self::stoppable::Stoppable;
use self::wishes::Wishes;
use super::window::Window;
use crate::commit::Tail;
use crate::embedding::Encoding;

pub use self::measuring::MEASURE_EVERY;

/// Without news the runner looks again after this.
const IDLE: Duration = Duration::from_secs(1);
/// Records in a step: a stop is not waited for long.
const RECORDS_MAX: usize = 256;
/// Texts that are encoded in a step, about: then it is another tenant's turn, and what is done is searchable.
const TEXTS_MAX: usize = 16;
/// Fewer new vectors are not worth a build by themselves.
const BUILD_VECTORS_MIN: usize = 1_000;
/// Nor is less than one in so many of all.
const BUILD_SHARE: usize = 20;

/// Gives the encoder of documents, if there is one now.
pub type Encoders = Arc<dyn Fn() -> Encoding + Send + Sync>;

/// How vector indexes are kept.
#[derive(Clone, Copy, Debug)]
pub struct Terms {
    /// When segments are built.
    pub window: Window,
    /// Memory that a build may take, in bytes.
    pub build_bytes_max: usize,
    /// How long after one measurement of what walks find another begins.
    pub measure_every: Duration,
}

/// The vector indexes, as everybody but the runner sees them.
#[derive(Clone)]
pub struct Vectors {
    shared: Arc<Shared>,
    tail: Arc<Tail>,
}

/// How a tenant's vector index is doing.
#[derive(Clone, Debug, PartialEq)]
pub struct Status {
    /// `no_model`, `missing`, `current`, `lagging`, `rebuilding`, `damaged` or `failed`.
    pub state: &'static str,
    /// Everything up to this record has its vectors.
    pub position: Lsn,
    /// Why, if it is rebuilding, damaged or failed.
    pub reason: Option<String>,
    /// Records that could not be indexed.
    pub skipped: u64,
    /// Vectors that came since the last build.
    pub fresh: usize,
    /// Vectors in the segment.
    pub sealed: usize,
    /// The build that goes on: rows done, of all.
    pub building: Option<(usize, usize)>,
    /// Builds that have ended since the index was opened,
    pub builds: u64,
    /// and how the last one did.
    pub built: Option<Result<String, String>>,
    /// The share of what is nearest that walks found, by the last measurements; none where nothing is walked, and before
    /// there are enough of them.
    pub recall: Option<f64>,
}

impl Status {
    fn of(state: &'static str) -> Status {
        let (position, reason, skipped) = (Lsn::NONE, None, 0);
        let (fresh, sealed, building, builds, built, recall) = (0, 0, None, 0, None, None);
        Status { state, position, reason, skipped, fresh, sealed, building, builds, built, recall }
    }
}

#[derive(Default)]
struct Shared {
    units: Mutex<HashMap<TenantId, Published>>,
    wishes: Mutex<Wishes>,
    moved: Condvar,
    has_model: AtomicBool,
    stopping: AtomicBool,
}

struct Published {
    reader: Reader,
    status: Status,
    scrubbed: Lsn,
}

impl Vectors {
    /// Starts the runner over the indexes in a directory.
    ///
    /// # Errors
    /// If the thread cannot be started.
    pub fn start(
        home: PathBuf,
        encoders: Encoders,
        terms: Terms,
        (store, tail): (Arc<Store>, Arc<Tail>),
    ) -> std::io::Result<(Vectors, JoinHandle<()>)> {
        let shared = Arc::new(Shared::default());
        let runner = Runner {
            home: home.join("vectors"),
            encoders,
            terms,
            store,
            tail: Arc::clone(&tail),
            shared: Arc::clone(&shared),
            encoder: None,
            units: BTreeMap::new(),
            building: None,
            built: BTreeSet::new(),
            measuring: None,
            measured_at: Instant::now(),
        };
        let thread = std::thread::Builder::new().name("vectors".to_owned()).spawn(move || runner.run())?;
        Ok((Vectors { shared, tail }, thread))
    }

    /// The vector index of a tenant, if it is open; what is in it may be behind the log, see [`Vectors::status`].
    #[must_use]
    pub fn reader(&self, tenant: TenantId) -> Option<Reader> {
        self.shared.units().get(&tenant).map(|unit| unit.reader.clone())
    }

    /// How a tenant's index is doing.
    #[must_use]
    pub fn status(&self, tenant: TenantId) -> Status {
        if !self.shared.has_model.load(Ordering::Relaxed) {
            return Status::of("no_model");
        }
        self.shared.units().get(&tenant).map_or(Status::of("missing"), |unit| unit.status.clone())
    }

    /// Waits until a record has its vectors; false if the index made no progress for `patience`. A build is none: it
    /// follows meanwhile.
    #[must_use]
    pub fn wait(&self, tenant: TenantId, lsn: Lsn, patience: Duration) -> bool {
        let position = |units: &HashMap<TenantId, Published>| {
            units.get(&tenant).map_or(Lsn::NONE, |unit| unit.reader.pin().position())
        };
        let mut units = self.shared.units();
        let (mut seen, mut since) = (position(&units), Instant::now());
        while seen < lsn {
            if since.elapsed() >= patience || self.shared.is_stopping() {
                return false;
            }
            let waited = self.shared.moved.wait_timeout(units, IDLE);
            units = waited.unwrap_or_else(PoisonError::into_inner).0;
            if position(&units) > seen {
                (seen, since) = (position(&units), Instant::now());
            }
        }
        true
    }

    /// Has a segment built now; false if there is no index to build one of.
    #[must_use]
    pub fn build_now(&self, tenant: TenantId) -> bool {
        let is_there = self.shared.units().contains_key(&tenant);
        if is_there {
            self.shared.wishes().builds.insert(tenant);
            self.tail.publish();
        }
        is_there
    }

    /// Has the files of every index read and held against their checksums; what does not match is rebuilt.
    pub fn check_all(&self) {
        let tenants: Vec<_> = self.shared.units().keys().copied().collect();
        self.shared.wishes().checks.extend(tenants);
        self.tail.publish();
    }

    /// Has the files of a tenant's index rid of what was erased up to a record, and waits for it; false if that takes
    /// longer than `patience`, and then it goes on all the same. Without a model there are no files in use.
    #[must_use]
    pub fn scrub(&self, tenant: TenantId, upto: Lsn, patience: Duration) -> bool {
        let mut wishes = self.shared.wishes();
        let wanted = wishes.scrubs.entry(tenant).or_default();
        *wanted = upto.max(*wanted);
        drop(wishes);
        self.tail.publish();
        let is_missing = |units: &mut HashMap<TenantId, Published>| {
            !self.shared.stopping.load(Ordering::Relaxed)
                && units.get(&tenant).is_none_or(|unit| unit.scrubbed < upto)
                && self.shared.wishes().scrubs.contains_key(&tenant)
        };
        let waited = self.shared.moved.wait_timeout_while(self.shared.units(), patience, is_missing);
        drop(waited);
        !self.shared.wishes().scrubs.contains_key(&tenant)
    }

    /// Tells the runner to end after its present text.
    pub fn stop(&self) {
        self.shared.stopping.store(true, Ordering::Relaxed);
        self.shared.moved.notify_all();
    }
}

impl Shared {
    fn units(&self) -> MutexGuard<'_, HashMap<TenantId, Published>> {
        self.units.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wishes(&self) -> MutexGuard<'_, Wishes> {
        self.wishes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::Relaxed)
    }
}

struct Runner {
    home: PathBuf,
    encoders: Encoders,
    terms: Terms,
    store: Arc<Store>,
    tail: Arc<Tail>,
    shared: Arc<Shared>,
    /// Whose vectors the units have.
    encoder: Option<Arc<dyn Encoder>>,
    units: BTreeMap<TenantId, Vector>,
    building: Option<Building>,
    /// Tenants that were built in this window.
    built: BTreeSet<TenantId>,
    measuring: Option<Measuring>,
    /// When the last measurement began.
    measured_at: Instant,
}

/// The vector unit of a tenant.
struct Vector {
    unit: Unit<VectorIndex>,
    /// What was damaged, until it is there again.
    damaged: Option<String>,
    scrubbed: Lsn,
    builds: u64,
    built: Option<Result<String, String>>,
    measured: Measured,
}

impl Vector {
    fn new(index: VectorIndex) -> Vector {
        Vector {
            unit: Unit::new(index),
            damaged: None,
            scrubbed: Lsn::NONE,
            builds: 0,
            built: None,
            measured: Measured::default(),
        }
    }

    fn state(&self) -> (&'static str, Option<String>) {
        match (self.unit.state(), &self.damaged) {
            (State::Failed(why), _) => ("failed", Some(why.clone())),
            (_, Some(damage)) => ("damaged", Some(damage.clone())),
            (State::Current, None) => ("current", None),
            (State::Lagging(_), None) => ("lagging", None),
            (State::Rebuilding(why), None) => ("rebuilding", Some(why.clone())),
        }
    }
}

impl Runner {
    fn run(mut self) {
        let mut moves = 0;
        while !self.shared.is_stopping() {
            let more = match self.store.view() {
                Ok(view) => self.round(&view),
                // The store is being reopened; its view comes back.
                Err(_) => false,
            };
            if !more {
                moves = self.tail.wait(moves, IDLE);
            }
        }
        self.end_build(None);
        self.end_measuring();
    }

    /// One bounded step of every unit that lags; whether any has more to do.
    fn round(&mut self, view: &View) -> bool {
        if !self.look_for_model() {
            return false;
        }
        let tenants = match view.tenants() {
            Ok(tenants) => tenants,
            Err(error) => {
                tracing::error!(%error, "cannot list the tenants");
                return false;
            }
        };
        if self.encoder.is_none() {
            self.delete_unused(tenants.into_iter().map(|(tenant, _)| tenant));
            return false;
        }
        let mut more = false;
        for (tenant, head) in tenants {
            if self.shared.is_stopping() {
                break;
            }
            more |= self.step(view, tenant, head.head());
        }
        self.see_to_builds();
        self.see_to_measuring();
        more
    }

    /// With another model, or none, what there is is let go of; each index sees by itself whether its files are of its model. False as long as
    /// nobody knows which model there is.
    fn look_for_model(&mut self) -> bool {
        let encoder = match (self.encoders)() {
            Encoding::Unknown => return false,
            known => known.encoder(),
        };
        let digest =
            |encoder: &Option<Arc<dyn Encoder>>| encoder.as_ref().map(|encoder| encoder.model().digest);
        if digest(&encoder) == digest(&self.encoder) {
            return true;
        }
        self.end_build(None);
        self.shared.has_model.store(encoder.is_some(), Ordering::Relaxed);
        self.encoder = encoder;
        self.units.clear();
        self.shared.units().clear();
        true
    }

    fn step(&mut self, view: &View, tenant: TenantId, head: Lsn) -> bool {
        if !self.units.contains_key(&tenant) && !self.open(view, tenant) {
            return false;
        }
        self.mend(tenant);
        let Some(vector) = self.units.get_mut(&tenant) else { return false };
        if vector.unit.follower().position() >= head && matches!(vector.unit.state(), State::Current) {
            self.fulfil(tenant, view);
            return false;
        }
        let texts_max = self.encoder.as_ref().map_or(1, |encoder| encoder.at_once()).max(TEXTS_MAX);
        let limits = Limits { records_max: RECORDS_MAX, texts_max, ..Limits::default() };
        let (shared, before) = (Arc::clone(&self.shared), vector.unit.state().clone());
        let stop = || shared.is_stopping();
        let step = AssertUnwindSafe(|| vector.unit.step(view, limits, &stop));
        let Ok(stepped) = catch_unwind(step) else {
            self.give_up(tenant);
            return false;
        };
        match &stepped {
            Ok(progress) if progress.to != Lsn::NONE => vector.damaged = None,
            // What fails again and again for the same reason is said once.
            Err(error) if !self.shared.is_stopping() && *vector.unit.state() != before => {
                tracing::warn!(%error, %tenant, "vector index step failed");
            }
            _ => {}
        }
        self.publish(tenant);
        self.fulfil(tenant, view);
        stepped.is_ok_and(|progress| !progress.is_current())
    }

    /// What a reader found to be damaged begins anew.
    fn mend(&mut self, tenant: TenantId) {
        let Some(vector) = self.units.get(&tenant) else { return };
        let Some(reason) = vector.unit.follower().damage().map(str::to_owned) else { return };
        self.begin_anew(tenant, &reason);
    }

    fn begin_anew(&mut self, tenant: TenantId, reason: &str) {
        tracing::warn!(%tenant, reason, "vector index is damaged and is being rebuilt");
        self.end_build(Some(tenant));
        let Some(vector) = self.units.get_mut(&tenant) else { return };
        (vector.damaged, vector.measured) = (Some(reason.to_owned()), Measured::default());
        let reset = vector.unit.follower_mut().reset();
        self.publish(tenant);
        if let Err(error) = reset {
            tracing::error!(%error, %tenant, "cannot empty a vector index");
            self.units.remove(&tenant);
        }
    }

    /// What stopped half way is not gone on with: the unit is opened anew, from its files.
    fn give_up(&mut self, tenant: TenantId) {
        tracing::error!(%tenant, "the vector index stopped unexpectedly; opening it anew");
        self.end_build(Some(tenant));
        self.units.remove(&tenant);
        if let Some(unit) = self.shared.units().get_mut(&tenant) {
            unit.status.state = "failed";
            unit.status.reason = Some("it stopped unexpectedly; see the node's log".to_owned());
        }
    }

    fn open(&mut self, view: &View, tenant: TenantId) -> bool {
        let Some(encoder) = &self.encoder else { return false };
        let encoder = Stoppable { encoder: Arc::clone(encoder), shared: Arc::clone(&self.shared) };
        let home = Home::directory(self.home.join(tenant.to_string()));
        let opened = view
            .origin(tenant)
            .map_err(index::Error::from)
            .and_then(|origin| VectorIndex::open(home, tenant, &origin, Arc::new(encoder)));
        match opened {
            Ok((index, found)) => {
                if let Found::Damage(reason) = found {
                    tracing::warn!(%tenant, reason, "vector index cannot be used and is being rebuilt");
                }
                self.units.insert(tenant, Vector::new(index));
                self.publish(tenant);
                true
            }
            Err(error) => {
                tracing::error!(%error, %tenant, "cannot open the vector index");
                false
            }
        }
    }

    fn publish(&self, tenant: TenantId) {
        let Some(vector) = self.units.get(&tenant) else { return };
        let (state, reason) = vector.state();
        let follower = vector.unit.follower();
        let (fresh, sealed) = follower.sizes();
        let status = Status {
            state,
            position: follower.position(),
            reason,
            skipped: vector.unit.skipped().count,
            fresh,
            sealed,
            building: self.building.as_ref().filter(|building| building.tenant == tenant).map(Building::done),
            builds: vector.builds,
            built: vector.built.clone(),
            recall: vector.measured.share(),
        };
        let published = Published { reader: follower.reader(), status, scrubbed: vector.scrubbed };
        self.shared.units().insert(tenant, published);
        self.shared.moved.notify_all();
    }
}

#[cfg(test)]
mod tests;
