//! From a policy to the labels that a principal may see.
//!
//! A query does not ask the policy about things. It carries the set of allowed labels, and an index tests a bit.

use std::collections::{BTreeSet, HashMap};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use roaring::RoaringBitmap;
use storage::ids::{LabelId, TenantId};
use storage::model::{Classification, Label, Purposes, Role};

use super::{Action, Policy, PolicyVersion, Principal, Resource};

/// The most answers that are kept, of all tenants together (a bitmap of 4,096 labels takes at most 8 KiB).
pub const ALLOWED_ENTRIES_MAX: usize = 1024;

/// The labels that a principal may see: those decided so far.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Allowed {
    labels: RoaringBitmap,
    decided: usize,
}

/// The labels of one tenant, in the order in which they appeared.
#[derive(Clone, Copy, Debug)]
pub struct KnownLabels<'a> {
    /// The tenant that they belong to.
    pub tenant: TenantId,
    /// Changes whenever a label that is known already gets other attributes.
    pub version: u64,
    /// Every label; only ever extended while `version` stays.
    pub labels: &'a [(LabelId, Label)],
}

/// Remembers which labels are allowed, and decides only the labels that are new.
#[derive(Debug, Default)]
pub struct AllowedCache {
    entries: Mutex<HashMap<Key, Arc<Allowed>>>,
    hits: AtomicU64,
    misses: AtomicU64,
}

/// Everything that a decision depends on besides the label. Policies cannot ask for more of a principal.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Key {
    policy: PolicyVersion,
    labels_tenant: TenantId,
    labels_version: u64,
    action: Action,
    tenant: TenantId,
    role: Role,
    clearance: Classification,
    purposes_in_use: Purposes,
    scopes: BTreeSet<String>,
    compartments: BTreeSet<String>,
}

impl Allowed {
    /// Whether things with this label may be seen. A label that was not decided yet may not.
    #[must_use]
    pub fn contains(&self, label: LabelId) -> bool {
        self.labels.contains(label.0)
    }

    /// Whether each of the `known` labels may be seen, so that a query on a view that knows no more needs no filter.
    #[must_use]
    pub fn all(&self, known: usize) -> bool {
        known <= self.decided && self.labels.len() == self.decided as u64
    }

    /// Whether nothing may be seen.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.labels.is_empty()
    }

    /// The allowed label ids, for an index to test.
    #[must_use]
    pub fn labels(&self) -> &RoaringBitmap {
        &self.labels
    }

    fn extend(&mut self, policy: &Policy, principal: &Principal, action: Action, known: KnownLabels<'_>) {
        for (id, label) in &known.labels[self.decided..] {
            let resource = Resource::Label(known.tenant, label);
            if policy.decide(principal, action, resource).allowed {
                self.labels.insert(id.0);
            }
        }
        self.decided = known.labels.len();
    }
}

impl AllowedCache {
    /// The labels that `principal` may see for `action`: for each, what [`Policy::decide`] says.
    ///
    /// The answer may cover labels that appeared after `known` was read, decided for another request.
    #[must_use]
    pub fn allowed(
        &self,
        policy: &Policy,
        principal: &Principal,
        action: Action,
        known: KnownLabels<'_>,
    ) -> Arc<Allowed> {
        let key = Key::of(policy, principal, action, known);
        let before = self.entries().get(&key).cloned().unwrap_or_default();
        if before.decided >= known.labels.len() {
            self.hits.fetch_add(1, Ordering::Relaxed);
            return before;
        }
        self.misses.fetch_add(1, Ordering::Relaxed);
        // Decided outside the lock: a tenant with many new labels keeps nobody waiting.
        let mut allowed = Arc::unwrap_or_clone(before);
        allowed.extend(policy, principal, action, known);
        self.keep(key, Arc::new(allowed))
    }

    /// How often the answer was known, and how often the policy had to be asked.
    #[must_use]
    pub fn asked(&self) -> (u64, u64) {
        (self.hits.load(Ordering::Relaxed), self.misses.load(Ordering::Relaxed))
    }

    /// Keeps the answer that covers more labels, whichever request was first.
    fn keep(&self, key: Key, allowed: Arc<Allowed>) -> Arc<Allowed> {
        let mut entries = self.entries();
        // Emptied when full, not trimmed one by one: most of a full cache is answers of older policies and labels,
        // and an answer is cheap to give again (tens of microseconds a label).
        if entries.len() >= ALLOWED_ENTRIES_MAX && !entries.contains_key(&key) {
            entries.clear();
        }
        let kept = entries.entry(key).or_default();
        if kept.decided < allowed.decided {
            *kept = allowed;
        }
        Arc::clone(kept)
    }

    fn entries(&self) -> MutexGuard<'_, HashMap<Key, Arc<Allowed>>> {
        // Whatever panicked, an entry is replaced as a whole: the map is as good as before.
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Key {
    fn of(policy: &Policy, principal: &Principal, action: Action, known: KnownLabels<'_>) -> Key {
        Key {
            policy: policy.version(),
            labels_tenant: known.tenant,
            labels_version: known.version,
            action,
            tenant: principal.tenant,
            role: principal.role,
            clearance: principal.clearance,
            purposes_in_use: principal.purposes_in_use,
            scopes: principal.scopes.clone(),
            compartments: principal.compartments.clone(),
        }
    }
}

#[cfg(test)]
mod tests;
