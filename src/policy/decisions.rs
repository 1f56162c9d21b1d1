//! The decision log: who was allowed or denied what, by which policies, how often.
//!
//! Equal decisions are counted in memory and written each second, or sooner if many wait: a crash loses at most that
//! second of them, and denials are written first. A read never waits for the log and never costs a commit. The log is a
//! row of files for each tenant (`segment`); a file that nothing is added to any more is recorded in that tenant's
//! ledger by its digest, so that who checks a tenant's ledger can check its decisions with nothing of another tenant.

mod entry;
mod page;
mod segment;
mod uses;
mod writing;

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use storage::ids::{Lsn, TenantId};

use super::{Action, Attributes, Decision, InForce, PolicyVersion, Principal};
use crate::node;

pub use entry::{Entry, On};
pub use page::{Page, Place, Used, Wanted};
pub use segment::{SEGMENT_BYTES_MAX, SEGMENTS_MAX};
pub use uses::Uses;
pub use writing::start;

/// What waits is written at least so often.
const WRITE_EVERY: Duration = Duration::from_secs(1);
/// So many different decisions are about 1 MiB, and are written at once.
const WAITING_WRITE: usize = 2_500;
/// Different decisions that may wait while the disk cannot be written; denials may be twice as many.
const WAITING_MAX: usize = 50_000;
/// Requests that are named with equal decisions: the first ones.
const REQUESTS_NAMED_MAX: usize = 8;
/// Who wants to see what waits is not kept longer than this.
const WRITTEN_TIMEOUT: Duration = Duration::from_secs(5);

/// The decisions of all tenants.
#[derive(Debug)]
pub struct DecisionLog {
    directory: PathBuf,
    waiting: Mutex<Waiting>,
    changed: Condvar,
    dropped: AtomicU64,
}

/// What is not written yet.
#[derive(Debug, Default)]
struct Waiting {
    by: HashMap<Who, HashMap<(Action, On), Counted>>,
    count: usize,
    /// How often somebody wanted all of it written, and how often that was done.
    wanted: u64,
    written: u64,
}

/// Who asked, and by which policy that was decided: with action and resource, all that a decision depends on.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Who {
    tenant: TenantId,
    token: String,
    attributes: Attributes,
    version: Lsn,
    digest: PolicyVersion,
}

/// A decision that is noted: how often it was made, and by which requests.
struct Made {
    decision: Arc<Decision>,
    count: u64,
    requests: Vec<Arc<str>>,
}

/// One decision, as often as it was made.
#[derive(Clone, Debug)]
struct Counted {
    decision: Arc<Decision>,
    count: u64,
    requests: Vec<Arc<str>>,
    first_us: i64,
    last_us: i64,
}

impl DecisionLog {
    /// The log below a directory, which is made when there is something to write.
    #[must_use]
    pub fn new(directory: PathBuf) -> DecisionLog {
        DecisionLog {
            directory,
            waiting: Mutex::default(),
            changed: Condvar::new(),
            dropped: AtomicU64::new(0),
        }
    }

    /// Notes a decision on the tenant itself.
    pub fn note(&self, principal: &Principal, in_force: &InForce, action: Action, decision: Arc<Decision>) {
        let requests = principal.request.iter().cloned().collect();
        let made = Made { decision, count: 1, requests };
        self.add(&Who::of(principal, in_force), [((action, On::Tenant), made)]);
    }

    /// Decisions that were not written because too many waited. Anything but 0 means that the disk does not keep up.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        self.dropped.load(Ordering::Relaxed)
    }

    fn add(&self, who: &Who, made: impl IntoIterator<Item = ((Action, On), Made)>) {
        let now_us = node::now_us();
        let mut waiting = self.waiting();
        let mut dropped = 0;
        for (what, made) in made {
            let count = made.count;
            if !waiting.add(who, what, made, now_us) {
                dropped += count;
            }
        }
        let many = waiting.count >= WAITING_WRITE;
        drop(waiting);
        self.dropped.fetch_add(dropped, Ordering::Relaxed);
        if many {
            self.changed.notify_all();
        }
    }

    /// Waits until all that was noted so far is written. Gives up after a few seconds: what is read then lacks the last.
    pub fn written(&self) {
        let mut waiting = self.waiting();
        waiting.wanted += 1;
        let wanted = waiting.wanted;
        self.changed.notify_all();
        let done =
            self.changed.wait_timeout_while(waiting, WRITTEN_TIMEOUT, |waiting| waiting.written < wanted);
        drop(done);
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        // Whatever panicked, counts are only ever added to.
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Waiting {
    /// False if there is no room for another decision.
    fn add(&mut self, who: &Who, what: (Action, On), made: Made, now_us: i64) -> bool {
        let room = if made.decision.allowed { WAITING_MAX } else { 2 * WAITING_MAX };
        // Looked up before it is inserted: the key is copied once a second, not for each request.
        let of_who = match self.by.get_mut(who) {
            Some(of_who) => of_who,
            None => self.by.entry(who.clone()).or_default(),
        };
        if let Some(counted) = of_who.get_mut(&what) {
            counted.count += made.count;
            counted.last_us = now_us;
            counted.name(made.requests);
            return true;
        }
        if self.count >= room {
            return false;
        }
        let Made { decision, count, requests } = made;
        of_who.insert(what, Counted { decision, count, requests, first_us: now_us, last_us: now_us });
        self.count += 1;
        true
    }
}

impl Counted {
    fn name(&mut self, requests: Vec<Arc<str>>) {
        for request in requests {
            if self.requests.len() < REQUESTS_NAMED_MAX && !self.requests.contains(&request) {
                self.requests.push(request);
            }
        }
    }
}

impl Who {
    fn of(principal: &Principal, in_force: &InForce) -> Who {
        Who {
            tenant: principal.tenant,
            token: principal.token_id.clone(),
            attributes: principal.attributes(),
            version: in_force.version,
            digest: in_force.policy.version(),
        }
    }
}

#[cfg(test)]
mod tests;
