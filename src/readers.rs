//! Places for readings: each holds a thread and a view. Who finds none waits his turn, but neither long nor in a long queue.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use storage::{Error, Result};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Readings at a time.
const READERS_MAX: usize = 64;
/// Readings that may wait for a place; one more is told to come back.
const WAITING_MAX: usize = 512;
/// A reading waits so long for its place.
const WAIT_MAX: Duration = Duration::from_secs(2);

/// The places, and who waits for one.
pub(crate) struct Readers {
    places: Arc<Semaphore>,
    waiting: AtomicUsize,
}

/// A place; given back when it is dropped.
pub(crate) type Place = OwnedSemaphorePermit;

impl Default for Readers {
    fn default() -> Readers {
        Readers { places: Arc::new(Semaphore::new(READERS_MAX)), waiting: AtomicUsize::new(0) }
    }
}

impl Readers {
    /// A place, and how long it took to get it.
    ///
    /// # Errors
    /// `Busy` if too many wait already, or it took too long.
    pub(crate) async fn enter(&self) -> Result<(Place, Duration)> {
        if let Ok(place) = self.places.clone().try_acquire_owned() {
            return Ok((place, Duration::ZERO));
        }
        let since = Instant::now();
        let _turn = self.queue()?;
        match tokio::time::timeout(WAIT_MAX, self.places.clone().acquire_owned()).await {
            Ok(place) => Ok((place.expect("the semaphore is never closed"), since.elapsed())),
            Err(_) => Err(busy()),
        }
    }

    /// Readings that are running.
    pub(crate) fn busy(&self) -> usize {
        READERS_MAX - self.places.available_permits()
    }

    /// Readings that wait.
    pub(crate) fn waiting(&self) -> usize {
        self.waiting.load(Ordering::Relaxed)
    }

    fn queue(&self) -> Result<Turn<'_>> {
        let turn = Turn(self);
        let before = self.waiting.fetch_add(1, Ordering::Relaxed);
        if before >= WAITING_MAX { Err(busy()) } else { Ok(turn) }
    }
}

/// Somebody who waits, until this is dropped.
struct Turn<'r>(&'r Readers);

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.0.waiting.fetch_sub(1, Ordering::Relaxed);
    }
}

fn busy() -> Error {
    Error::Busy { what: "readings are waiting", limit: WAITING_MAX }
}

#[cfg(test)]
mod tests;
