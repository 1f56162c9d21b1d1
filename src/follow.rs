//! The runner: one thread that drives every follower of every tenant towards the end of the log.
//!
//! Nothing in the write path knows of it. It wakes when the log grows, takes bounded steps in turn, and
//! publishes how far each unit is; a unit that fails is tried again later and slows nobody.

pub mod vectors;
mod window;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use index::follower::{Limits, State, Unit};
use index::text::{Found, Home, Reader, TextIndex, WRITER_BYTES};
use storage::ids::{Lsn, TenantId};
use storage::{Store, View};

use crate::commit::Tail;

pub use vectors::{Terms, Vectors};
pub use window::Window;

/// Without news the runner looks again after this: a failed unit gets another try.
const IDLE: Duration = Duration::from_secs(1);
/// A log that grows all the time is gone after in turns: behind each a rest that is so many times as long, and at most so long. A commit
/// of an index costs as much as thousands of records, so what gathers meanwhile costs next to nothing.
const REST_TIMES: u32 = 3;
const REST_MAX: Duration = Duration::from_millis(100);
/// A writer that had nothing to do for so long is closed, and its memory freed.
const WRITER_IDLE: Duration = Duration::from_secs(10);
/// Writers open at a time.
const WRITERS_MAX: usize = 4;

/// The indexes, as everybody but the runner sees them.
#[derive(Clone)]
pub struct Follow {
    shared: Arc<Shared>,
    tail: Arc<Tail>,
}

/// How far a unit is.
#[derive(Clone, Debug)]
pub struct Status {
    /// `current`, `lagging`, `rebuilding` or `failed`.
    pub state: &'static str,
    /// Everything up to this record is searchable.
    pub position: Lsn,
    /// Why, if it is rebuilding or failed.
    pub reason: Option<String>,
    /// Records that could not be indexed.
    pub skipped: u64,
}

#[derive(Default)]
struct Shared {
    units: Mutex<HashMap<TenantId, Published>>,
    /// Tenants whose files are to be rid of what was erased up to a record.
    scrubs: Mutex<HashMap<TenantId, Lsn>>,
    /// Tenants whose files are to be held against their checksums.
    checks: Mutex<BTreeSet<TenantId>>,
    moved: Condvar,
    stopping: AtomicBool,
}

struct Published {
    reader: Reader,
    status: Status,
    scrubbed: Lsn,
}

impl Follow {
    /// Starts the runner over the indexes in a directory.
    ///
    /// `writers_bytes` is for all writers together, but for moments in which a tenant has just come: a lone tenant's
    /// writer has all of it, and makes fewer and larger segments.
    ///
    /// # Errors
    /// If the thread cannot be started.
    pub fn start(
        home: PathBuf,
        writers_bytes: usize,
        (store, tail): (Arc<Store>, Arc<Tail>),
    ) -> std::io::Result<(Follow, JoinHandle<()>)> {
        let shared = Arc::new(Shared::default());
        let (units, woken_by) = (BTreeMap::new(), Arc::clone(&tail));
        let runner =
            Runner { home, writers_bytes, store, tail: woken_by, shared: Arc::clone(&shared), units };
        let thread = std::thread::Builder::new().name("follow".to_owned()).spawn(move || runner.run())?;
        Ok((Follow { shared, tail }, thread))
    }

    /// The text index of a tenant, waiting for it to be opened, and to hold something: a tenant may be a moment old, or the
    /// node. None if it is being built and has nothing to show yet.
    #[must_use]
    pub fn text_soon(&self, tenant: TenantId, patience: Duration) -> Option<Reader> {
        let is_there = |unit: &Published| unit.status.position != Lsn::NONE || unit.status.state == "current";
        let making = |units: &mut HashMap<TenantId, Published>| !units.get(&tenant).is_some_and(is_there);
        let waited = self.shared.moved.wait_timeout_while(self.shared.units(), patience, making);
        let units = waited.unwrap_or_else(PoisonError::into_inner).0;
        units.get(&tenant).filter(|unit| is_there(unit)).map(|unit| unit.reader.clone())
    }

    /// How far a tenant's index is.
    #[must_use]
    pub fn status(&self, tenant: TenantId) -> Status {
        let unknown = Status { state: "rebuilding", position: Lsn::NONE, reason: None, skipped: 0 };
        self.shared.units().get(&tenant).map_or(unknown, |unit| unit.status.clone())
    }

    /// Waits until a record is searchable; false if the index made no progress for `patience`.
    #[must_use]
    pub fn wait(&self, tenant: TenantId, lsn: Lsn, patience: Duration) -> bool {
        let position = |units: &HashMap<TenantId, Published>| {
            units.get(&tenant).map_or(Lsn::NONE, |unit| unit.status.position)
        };
        let mut units = self.shared.units();
        let (mut seen, mut since) = (position(&units), Instant::now());
        while seen < lsn {
            if since.elapsed() >= patience || self.shared.stopping.load(Ordering::Relaxed) {
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

    /// Has the files of a tenant's index rid of what was erased up to a record, and waits for it; false if that takes
    /// longer than `patience`, and then it goes on all the same.
    #[must_use]
    pub fn scrub(&self, tenant: TenantId, upto: Lsn, patience: Duration) -> bool {
        let mut scrubs = self.shared.scrubs.lock().unwrap_or_else(PoisonError::into_inner);
        let wanted = scrubs.entry(tenant).or_default();
        *wanted = upto.max(*wanted);
        drop(scrubs);
        // The runner sleeps until a log grows.
        self.tail.publish();
        let is_missing = |units: &mut HashMap<TenantId, Published>| {
            !self.shared.stopping.load(Ordering::Relaxed)
                && units.get(&tenant).is_none_or(|unit| unit.scrubbed < upto)
        };
        let waited = self.shared.moved.wait_timeout_while(self.shared.units(), patience, is_missing);
        let units = waited.unwrap_or_else(PoisonError::into_inner).0;
        units.get(&tenant).is_some_and(|unit| unit.scrubbed >= upto)
    }

    /// Has the files of every index read and held against their checksums; what does not match is rebuilt.
    pub fn check_all(&self) {
        let tenants: Vec<_> = self.shared.units().keys().copied().collect();
        self.shared.checks().extend(tenants);
        self.tail.publish();
    }

    /// Tells the runner to end after its present step.
    pub fn stop(&self) {
        self.shared.stopping.store(true, Ordering::Relaxed);
        self.shared.moved.notify_all();
    }
}

impl Shared {
    fn units(&self) -> MutexGuard<'_, HashMap<TenantId, Published>> {
        self.units.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn checks(&self) -> MutexGuard<'_, BTreeSet<TenantId>> {
        self.checks.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Up to which record a tenant's files are to be scrubbed, if they are.
    fn scrub_wanted(&self, tenant: TenantId) -> Option<Lsn> {
        self.scrubs.lock().unwrap_or_else(PoisonError::into_inner).get(&tenant).copied()
    }

    fn scrubbed(&self, tenant: TenantId, upto: Lsn) {
        let mut scrubs = self.scrubs.lock().unwrap_or_else(PoisonError::into_inner);
        if scrubs.get(&tenant).is_some_and(|wanted| *wanted <= upto) {
            scrubs.remove(&tenant);
        }
    }
}

struct Runner {
    home: PathBuf,
    writers_bytes: usize,
    store: Arc<Store>,
    tail: Arc<Tail>,
    shared: Arc<Shared>,
    units: BTreeMap<TenantId, Text>,
}

/// The text unit of a tenant.
struct Text {
    unit: Unit<TextIndex>,
    busy: Instant,
    scrubbed: Lsn,
}

impl Text {
    fn is_current_at(&self, head: Lsn) -> bool {
        use index::follower::Follower as _;
        self.unit.follower().position() >= head && matches!(self.unit.state(), State::Current)
    }
}

impl Runner {
    fn run(mut self) {
        let mut moves = 0;
        while !self.is_stopping() {
            let began = Instant::now();
            let more = match self.store.view() {
                Ok(view) => self.round(&view),
                // The store is being reopened; its view comes back.
                Err(_) => false,
            };
            if !more {
                let rested_at = Instant::now() + (began.elapsed() * REST_TIMES).min(REST_MAX);
                self.close_idle_writers();
                moves = self.tail.wait(moves, IDLE);
                std::thread::sleep(rested_at.saturating_duration_since(Instant::now()));
            }
        }
    }

    /// One bounded step of every unit that lags; whether any has more to do.
    fn round(&mut self, view: &View) -> bool {
        let tenants = match view.tenants() {
            Ok(tenants) => tenants,
            Err(error) => {
                tracing::error!(%error, "cannot list the tenants");
                return false;
            }
        };
        let mut more = false;
        for (tenant, head) in tenants {
            if self.is_stopping() {
                break;
            }
            more |= self.step(view, tenant, head.head());
        }
        more
    }

    fn step(&mut self, view: &View, tenant: TenantId, head: Lsn) -> bool {
        if !self.units.contains_key(&tenant) && !self.open(view, tenant) {
            return false;
        }
        if self.units.get(&tenant).is_none_or(|text| text.is_current_at(head)) {
            self.scrub(tenant);
            self.check(tenant);
            return false;
        }
        self.make_room_for_writer(tenant);
        let writers = self.units.len().clamp(1, self.writers_max());
        let writer_bytes = self.writers_bytes / writers;
        let shared = Arc::clone(&self.shared);
        let Some(text) = self.units.get_mut(&tenant) else { return false };
        text.busy = Instant::now();
        text.unit.follower_mut().set_writer_bytes(writer_bytes);
        let stop = || shared.stopping.load(Ordering::Relaxed);
        let step = AssertUnwindSafe(|| text.unit.step(view, Limits::default(), &stop));
        let Ok(stepped) = catch_unwind(step) else {
            self.give_up(tenant);
            return false;
        };
        if let Err(error) = &stepped
            && !self.shared.stopping.load(Ordering::Relaxed)
        {
            tracing::warn!(%error, %tenant, "text index step failed");
        }
        publish(&self.shared, tenant, text);
        // A log that grows all the time is never read to its end.
        self.scrub(tenant);
        self.check(tenant);
        stepped.is_ok_and(|progress| !progress.is_current())
    }

    /// Rewrites the files that hold words of what was erased, if that is wanted.
    fn scrub(&mut self, tenant: TenantId) {
        use index::follower::Follower as _;
        let Some(upto) = self.shared.scrub_wanted(tenant) else { return };
        let Some(text) = self.units.get_mut(&tenant) else { return };
        let position = text.unit.follower().position();
        if position < upto {
            return;
        }
        match catch_unwind(AssertUnwindSafe(|| text.unit.follower_mut().scrub())) {
            Ok(Ok(())) => {
                text.scrubbed = position;
                self.shared.scrubbed(tenant, position);
                publish(&self.shared, tenant, text);
            }
            Ok(Err(error)) => tracing::warn!(%error, %tenant, "cannot rid the text index of what was erased"),
            Err(_) => self.give_up(tenant),
        }
    }

    /// Reads the files, if that is wanted. What is damaged is opened anew, and so built anew.
    fn check(&mut self, tenant: TenantId) {
        if !self.shared.checks().remove(&tenant) {
            return;
        }
        let Some(text) = self.units.get_mut(&tenant) else { return };
        match catch_unwind(AssertUnwindSafe(|| text.unit.follower_mut().check())) {
            Ok(Ok(None)) => {}
            Ok(Ok(Some(reason))) => {
                tracing::warn!(%tenant, reason, "the text index is damaged; opening it anew");
                self.units.remove(&tenant);
            }
            Ok(Err(error)) => tracing::warn!(%error, %tenant, "cannot check the text index"),
            Err(_) => self.give_up(tenant),
        }
    }

    /// What stopped half way is not gone on with: the unit is opened anew, from its files.
    fn give_up(&mut self, tenant: TenantId) {
        tracing::error!(%tenant, "the text index stopped unexpectedly; opening it anew");
        self.units.remove(&tenant);
        if let Some(unit) = self.shared.units().get_mut(&tenant) {
            unit.status.state = "failed";
            unit.status.reason = Some("it stopped unexpectedly; see the node's log".to_owned());
        }
    }

    fn open(&mut self, view: &View, tenant: TenantId) -> bool {
        let home = Home::directory(self.home.join("text").join(tenant.to_string()));
        let opened = view
            .origin(tenant)
            .map_err(index::Error::from)
            .and_then(|origin| TextIndex::open(home, tenant, &origin));
        match opened {
            Ok((index, found)) => {
                if let Found::Damage(reason) = found {
                    tracing::warn!(%tenant, reason, "text index was damaged and is being rebuilt");
                }
                let text = Text { unit: Unit::new(index), busy: Instant::now(), scrubbed: Lsn::NONE };
                publish(&self.shared, tenant, &text);
                self.units.insert(tenant, text);
                true
            }
            Err(error) => {
                tracing::error!(%error, %tenant, "cannot open the text index");
                false
            }
        }
    }

    /// Closes the writer that was idle longest if opening one more would be one too many.
    fn make_room_for_writer(&mut self, tenant: TenantId) {
        let has_writer = |text: &Text| text.unit.follower().has_writer();
        if self.units.get(&tenant).is_some_and(has_writer) {
            return;
        }
        let open = self.units.values().filter(|text| has_writer(text)).count();
        if open >= self.writers_max() {
            let idlest = self
                .units
                .values_mut()
                .filter(|text| text.unit.follower().has_writer())
                .min_by_key(|text| text.busy);
            idlest.map(close_writer);
        }
    }

    fn writers_max(&self) -> usize {
        (self.writers_bytes / WRITER_BYTES).clamp(1, WRITERS_MAX)
    }

    fn close_idle_writers(&mut self) {
        for text in self.units.values_mut().filter(|text| text.busy.elapsed() > WRITER_IDLE) {
            if text.unit.follower().has_writer() {
                close_writer(text);
            }
        }
    }

    fn is_stopping(&self) -> bool {
        self.shared.stopping.load(Ordering::Relaxed)
    }
}

fn close_writer(text: &mut Text) {
    if let Err(error) = text.unit.follower_mut().close_writer() {
        tracing::warn!(%error, "cannot close a text writer");
    }
}

fn publish(shared: &Shared, tenant: TenantId, text: &Text) {
    use index::follower::Follower as _;
    let (state, reason) = match text.unit.state() {
        State::Current => ("current", None),
        State::Lagging(_) => ("lagging", None),
        State::Rebuilding(why) => ("rebuilding", Some(why.clone())),
        State::Failed(why) => ("failed", Some(why.clone())),
    };
    let follower = text.unit.follower();
    let status = Status { state, position: follower.position(), reason, skipped: text.unit.skipped().count };
    shared.units().insert(tenant, Published { reader: follower.reader(), status, scrubbed: text.scrubbed });
    shared.moved.notify_all();
}
