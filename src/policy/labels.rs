//! From a policy to the labels that a principal may see.
//!
//! A query does not ask the policy about things. It carries the set of allowed labels, and an index tests a bit.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use roaring::RoaringBitmap;
use storage::ids::{LabelId, TenantId};
use storage::model::Label;

use super::{Action, Attributes, Decision, Policy, PolicyVersion, Principal, Resource};

/// The most answers that are kept, of all tenants together (one of 4,096 labels takes at most 16 KiB).
pub const ALLOWED_ENTRIES_MAX: usize = 1024;

/// The labels that a principal may see: those decided so far.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Allowed {
    labels: RoaringBitmap,
    decided: usize,
    /// What was decided, each decision once: few policies decide many labels.
    decisions: Vec<Arc<Decision>>,
    /// By label id, its decision's place in `decisions`.
    by_label: Vec<u16>,
}

/// A label that was not decided.
const UNDECIDED: u16 = u16::MAX;

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
    attributes: Attributes,
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

    /// What was decided on a label, and which policies decided; `None` if it was not decided yet.
    #[must_use]
    pub fn decision(&self, label: LabelId) -> Option<&Arc<Decision>> {
        let place = self.by_label.get(label.0 as usize)?;
        self.decisions.get(usize::from(*place))
    }

    /// How many labels were decided, and how many of them are allowed.
    #[must_use]
    pub fn decided(&self) -> (usize, u64) {
        (self.decided, self.labels.len())
    }

    fn remember(&mut self, label: LabelId, decision: Decision) {
        let known = self.decisions.iter().position(|known| **known == decision);
        let place = known.unwrap_or_else(|| {
            self.decisions.push(Arc::new(decision));
            self.decisions.len() - 1
        });
        let at = label.0 as usize;
        if self.by_label.len() <= at {
            self.by_label.resize(at + 1, UNDECIDED);
        }
        // There are no more decisions than labels, and of those at most `LABELS_MAX`.
        self.by_label[at] = u16::try_from(place).unwrap_or(UNDECIDED);
    }

    fn extend(&mut self, policy: &Policy, principal: &Principal, action: Action, known: KnownLabels<'_>) {
        let question = policy.question(principal, action);
        for (id, label) in &known.labels[self.decided..] {
            let decision = question.of(Resource::Label(known.tenant, label));
            if decision.allowed {
                self.labels.insert(id.0);
            }
            self.remember(*id, decision);
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
            attributes: principal.attributes(),
        }
    }
}

#[cfg(test)]
mod tests;
