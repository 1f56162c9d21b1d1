//! Places for who watches: a stream is held open for as long as its client likes.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use storage::ids::ActorId;

/// Streams of one principal at a time: the windows of a browser, and a few programs.
pub(super) const WATCHERS_PER_PRINCIPAL_MAX: usize = 16;
/// Streams in all.
pub(super) const WATCHERS_MAX: usize = 1024;

/// Who watches, and how often.
#[derive(Default)]
pub(crate) struct Watchers(Mutex<HashMap<ActorId, usize>>);

/// A place; given back when it is dropped.
pub(super) struct Place {
    watchers: Arc<Watchers>,
    actor: ActorId,
}

impl Watchers {
    /// A place for one more stream of a principal; none if he, or all together, have too many.
    pub(super) fn enter(self: &Arc<Watchers>, actor: ActorId) -> Option<Place> {
        let mut held = self.held();
        if held.values().sum::<usize>() >= WATCHERS_MAX {
            return None;
        }
        let of_actor = held.entry(actor).or_default();
        if *of_actor >= WATCHERS_PER_PRINCIPAL_MAX {
            return None;
        }
        *of_actor += 1;
        Some(Place { watchers: Arc::clone(self), actor })
    }

    fn held(&self) -> MutexGuard<'_, HashMap<ActorId, usize>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut held = self.watchers.held();
        if let Some(of_actor) = held.get_mut(&self.actor) {
            *of_actor -= 1;
            if *of_actor == 0 {
                held.remove(&self.actor);
            }
        }
    }
}
