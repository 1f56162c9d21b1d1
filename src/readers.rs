//! Places for readings: each holds a thread and a view. Who finds none waits his turn, but neither long nor in a long queue.
//!
//! Tenants share them fairly. While one is alone it may have them all; as soon as another asks, too, none keeps every
//! processor busy: one is left for who asks next, and those who wait are let in by turns of their tenants.

use std::collections::{BTreeMap, VecDeque};
use std::num::NonZero;
use std::ops::Bound::{Excluded, Unbounded};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use storage::ids::TenantId;
use storage::{Error, Result};
use tokio::sync::oneshot;

/// Readings at a time.
const READERS_MAX: usize = 64;
/// Readings of a tenant that may wait for a place; one more is told to come back.
const WAITING_MAX: usize = 512;
/// A reading waits so long for its place.
const WAIT_MAX: Duration = Duration::from_secs(2);
/// A tenant that asked so recently is there.
const PRESENT: Duration = Duration::from_secs(1);

/// The places, and who waits for one.
pub(crate) struct Readers {
    turns: Arc<Mutex<Turns>>,
}

/// A place; given back when it is dropped.
#[derive(Debug)]
pub(crate) struct Place {
    tenant: TenantId,
    turns: Arc<Mutex<Turns>>,
}

/// Who has places, and whose turn is next.
#[derive(Debug)]
struct Turns {
    /// Readings of a tenant at a time, while others are there.
    fair: usize,
    running: usize,
    tenants: BTreeMap<TenantId, Share>,
    /// Who was let in last: the next turn is that of the tenant behind it.
    last: TenantId,
    /// The two tenants that asked last, and when.
    asked: [Option<(TenantId, Instant)>; 2],
}

/// What a tenant has, and who of it waits.
#[derive(Debug, Default)]
struct Share {
    running: usize,
    waiting: VecDeque<oneshot::Sender<Place>>,
}

impl Default for Readers {
    fn default() -> Readers {
        let processors = std::thread::available_parallelism().map_or(2, NonZero::get);
        Readers::sharing(processors.saturating_sub(1).max(1))
    }
}

impl Readers {
    fn sharing(fair: usize) -> Readers {
        let (tenants, last, asked) = Default::default();
        Readers { turns: Arc::new(Mutex::new(Turns { fair, running: 0, tenants, last, asked })) }
    }

    /// A place for a reading of a tenant, and how long it took to get it.
    ///
    /// # Errors
    /// `Busy` if too many of that tenant wait already, or it took too long.
    pub(crate) async fn enter(&self, tenant: TenantId) -> Result<(Place, Duration)> {
        let since = Instant::now();
        let turn = lock(&self.turns).queue(tenant, since)?;
        let_in(&self.turns);
        match tokio::time::timeout(WAIT_MAX, turn).await {
            Ok(Ok(place)) => Ok((place, since.elapsed())),
            _ => Err(busy()),
        }
    }

    /// Readings that are running.
    pub(crate) fn busy(&self) -> usize {
        lock(&self.turns).running
    }

    /// Readings that wait.
    pub(crate) fn waiting(&self) -> usize {
        lock(&self.turns).tenants.values_mut().map(Share::waiting).sum()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        lock(&self.turns).leave(self.tenant);
        let_in(&self.turns);
    }
}

/// Lets in whoever there is room for. Who has gone meanwhile gives his place back by that.
fn let_in(turns: &Arc<Mutex<Turns>>) {
    loop {
        let Some((tenant, turn)) = lock(turns).next(Instant::now()) else { return };
        drop(turn.send(Place { tenant, turns: Arc::clone(turns) }));
    }
}

impl Turns {
    fn queue(&mut self, tenant: TenantId, now: Instant) -> Result<oneshot::Receiver<Place>> {
        self.note(tenant, now);
        let share = self.tenants.entry(tenant).or_default();
        if share.waiting.len() >= WAITING_MAX && share.waiting() >= WAITING_MAX {
            return Err(busy());
        }
        let (turn, place) = oneshot::channel();
        share.waiting.push_back(turn);
        Ok(place)
    }

    /// The next to be let in, for whom a place is taken already.
    fn next(&mut self, now: Instant) -> Option<(TenantId, oneshot::Sender<Place>)> {
        if self.running >= READERS_MAX {
            return None;
        }
        let most = if self.is_shared(now) { self.fair } else { READERS_MAX };
        let has_turn = |(_, share): &(&TenantId, &Share)| !share.waiting.is_empty() && share.running < most;
        let behind = self.tenants.range((Excluded(self.last), Unbounded)).find(has_turn);
        let (&tenant, _) = behind.or_else(|| self.tenants.iter().find(has_turn))?;
        let share = self.tenants.get_mut(&tenant)?;
        let turn = share.waiting.pop_front()?;
        share.running += 1;
        self.running += 1;
        self.last = tenant;
        Some((tenant, turn))
    }

    fn leave(&mut self, tenant: TenantId) {
        self.running -= 1;
        if let Some(share) = self.tenants.get_mut(&tenant) {
            share.running -= 1;
            if share.running == 0 && share.waiting.is_empty() {
                self.tenants.remove(&tenant);
            }
        }
    }

    fn note(&mut self, tenant: TenantId, now: Instant) {
        if self.asked[0].is_some_and(|(last, _)| last != tenant) {
            self.asked[1] = self.asked[0];
        }
        self.asked[0] = Some((tenant, now));
    }

    /// Whether more than one tenant is there.
    fn is_shared(&self, now: Instant) -> bool {
        self.asked[1].is_some_and(|(_, at)| now.saturating_duration_since(at) < PRESENT)
    }
}

impl Share {
    /// How many wait, and no longer those who gave up.
    fn waiting(&mut self) -> usize {
        self.waiting.retain(|turn| !turn.is_closed());
        self.waiting.len()
    }
}

fn lock(turns: &Mutex<Turns>) -> MutexGuard<'_, Turns> {
    turns.lock().unwrap_or_else(PoisonError::into_inner)
}

fn busy() -> Error {
    Error::Busy { what: "readings are waiting", limit: WAITING_MAX }
}

#[cfg(test)]
mod tests;
