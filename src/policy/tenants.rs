//! What a principal may do on a tenant itself, decided once.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use storage::ids::TenantId;

use super::{Action, Attributes, Decision, Policy, PolicyVersion, Principal, Resource};

/// Answers that are kept, of all tenants together.
const ENTRIES_MAX: usize = 1024;

/// Remembers what policies said of actions on tenants: to decide takes some 20 µs, and every write asks.
#[derive(Debug, Default)]
pub struct TenantCache {
    entries: Mutex<HashMap<Key, Arc<Decision>>>,
}

/// Everything that such a decision depends on. Policies cannot ask for more of a principal.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Key {
    policy: PolicyVersion,
    action: Action,
    tenant: TenantId,
    attributes: Attributes,
}

impl TenantCache {
    /// What [`Policy::decide`] says of `action` on the tenant that the principal asks about.
    #[must_use]
    pub fn decide(&self, policy: &Policy, principal: &Principal, action: Action) -> Arc<Decision> {
        let (version, tenant, attributes) = (policy.version(), principal.tenant, principal.attributes());
        let key = Key { policy: version, action, tenant, attributes };
        if let Some(known) = self.entries().get(&key) {
            return Arc::clone(known);
        }
        let decision = Arc::new(policy.decide(principal, action, Resource::Tenant(tenant)));
        // With no policy that says so it may be that nothing could be decided this time.
        if !decision.policies.is_empty() {
            self.keep(key, &decision);
        }
        decision
    }

    fn keep(&self, key: Key, decision: &Arc<Decision>) {
        let mut entries = self.entries();
        if entries.len() >= ENTRIES_MAX {
            entries.clear();
        }
        entries.insert(key, Arc::clone(decision));
    }

    fn entries(&self) -> MutexGuard<'_, HashMap<Key, Arc<Decision>>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
