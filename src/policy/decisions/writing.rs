//! The thread that writes what waits, and records in the ledger which files are closed.

use std::collections::{BTreeMap, HashMap};
use std::io;
use std::path::Path;
use std::sync::{Arc, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use storage::Store;
use storage::commands::{CloseDecisions, Command};
use storage::ids::TenantId;

use super::segment::Segments;
use super::{Counted, DecisionLog, Entry, Made, WAITING_WRITE, WRITE_EVERY, Waiting};
use crate::commit;
use crate::node;

/// Starts the thread. It ends with the tail's closing, after it has written what waited.
///
/// # Errors
/// If no thread can be started.
pub fn start(log: Arc<DecisionLog>, store: Arc<Store>, commit: commit::Handle) -> io::Result<JoinHandle<()>> {
    let writing = move || {
        let mut writer = Writer { log, store, commit, tenants: BTreeMap::new() };
        writer.find_tenants();
        while !writer.commit.tail().is_closed() {
            writer.turn(WRITE_EVERY);
        }
        writer.turn(Duration::ZERO);
    };
    std::thread::Builder::new().name("decisions".to_owned()).spawn(writing)
}

struct Writer {
    log: Arc<DecisionLog>,
    store: Arc<Store>,
    commit: commit::Handle,
    tenants: BTreeMap<TenantId, Segments>,
}

impl Writer {
    /// Waits for something to do, at most so long, and does it.
    fn turn(&mut self, wait: Duration) {
        let (waiting, wanted) = self.log.take(wait);
        for (tenant, entries) in by_tenant(&waiting) {
            if let Err(error) = self.segments(tenant).append(&entries, node::now_us()) {
                tracing::error!(%error, %tenant, entries = entries.len(), "decisions could not be written");
                self.log.put_back(tenant, &waiting);
            }
        }
        self.log.wrote(wanted);
        let tenants: Vec<_> = self.tenants.keys().copied().collect();
        for tenant in tenants {
            if let Err(error) = self.close(tenant) {
                tracing::warn!(%error, %tenant, "a closed file of decisions is not recorded yet");
            }
        }
    }

    /// Records the closed files that the ledger does not have yet, and lets the oldest go.
    fn close(&mut self, tenant: TenantId) -> anyhow::Result<()> {
        let segments = &self.tenants[&tenant];
        let closed = segments.closed(node::now_us())?;
        if closed.is_empty() {
            return Ok(());
        }
        let view = self.store.view()?;
        let is_recorded = |number| view.decision_segment(tenant, number).is_ok_and(|found| found.is_some());
        // The oldest first, one by one: so where the last is recorded all are, and one look a second is enough.
        let last_recorded = closed.iter().rposition(|number| is_recorded(*number));
        for number in &closed[last_recorded.map_or(0, |at| at + 1)..] {
            let segment = segments.seal(*number)?;
            let command = Command::CloseDecisions(CloseDecisions { tenant, segment });
            for answer in self.commit.submit_blocking(vec![command])? {
                answer?;
            }
        }
        Ok(segments.retire(&is_recorded)?)
    }

    /// What an earlier life of the node left behind.
    fn find_tenants(&mut self) {
        for tenant in tenants_below(&self.log.directory).unwrap_or_default() {
            self.segments(tenant);
        }
    }

    fn segments(&mut self, tenant: TenantId) -> &mut Segments {
        let directory = self.log.directory_of(tenant);
        self.tenants.entry(tenant).or_insert_with(|| Segments::new(directory))
    }
}

impl DecisionLog {
    /// What waits, once there is reason to write it; and how often it was wanted written.
    fn take(&self, wait: Duration) -> (Waiting, u64) {
        let idle = |waiting: &mut Waiting| waiting.count < WAITING_WRITE && waiting.wanted == waiting.written;
        let waited = self.changed.wait_timeout_while(self.waiting(), wait, idle);
        let (mut waiting, _) = waited.unwrap_or_else(PoisonError::into_inner);
        let wanted = waiting.wanted;
        let by = std::mem::take(&mut waiting.by);
        waiting.count = 0;
        (Waiting { by, ..Waiting::default() }, wanted)
    }

    fn wrote(&self, wanted: u64) {
        self.waiting().written = wanted;
        self.changed.notify_all();
    }

    /// What could not be written waits again, as far as there is room.
    fn put_back(&self, tenant: TenantId, taken: &Waiting) {
        for (who, made) in taken.by.iter().filter(|(who, _)| who.tenant == tenant) {
            let made = made.iter().map(|(what, Counted { decision, count, requests, .. })| {
                (*what, Made { decision: Arc::clone(decision), count: *count, requests: requests.clone() })
            });
            self.add(who, made);
        }
    }
}

/// Entries to write, by tenant; denials first.
pub(super) fn by_tenant(waiting: &Waiting) -> HashMap<TenantId, Vec<Entry>> {
    let mut entries = HashMap::<TenantId, Vec<Entry>>::new();
    for (who, made) in &waiting.by {
        let written = made.iter().map(|(what, counted)| Entry::of(who, *what, counted));
        entries.entry(who.tenant).or_default().extend(written);
    }
    for entries in entries.values_mut() {
        entries.sort_by_key(|entry| (entry.allowed, entry.first_us));
    }
    entries
}

fn tenants_below(directory: &Path) -> io::Result<Vec<TenantId>> {
    let mut tenants = Vec::new();
    for entry in std::fs::read_dir(directory)? {
        let tenant = entry?.file_name().to_str().and_then(|name| name.parse::<u32>().ok());
        tenants.extend(tenant.map(TenantId));
    }
    Ok(tenants)
}
