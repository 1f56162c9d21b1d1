//! What others want of the runner beside following: erasing, checking, building.

use std::collections::{BTreeSet, HashMap};
use std::panic::{AssertUnwindSafe, catch_unwind};

use index::follower::{Follower as _, State};
use storage::ids::{Lsn, TenantId};

use super::Runner;

/// What others want of the runner.
#[derive(Default)]
pub(super) struct Wishes {
    /// Tenants whose files are to be rid of what was erased up to a record.
    pub(super) scrubs: HashMap<TenantId, Lsn>,
    pub(super) builds: BTreeSet<TenantId>,
    /// Tenants whose files are to be read and held against their checksums.
    pub(super) checks: BTreeSet<TenantId>,
}

impl Runner {
    /// Does what others want of a unit.
    pub(super) fn fulfil(&mut self, tenant: TenantId) {
        self.scrub(tenant);
        if self.shared.wishes().checks.remove(&tenant) {
            self.check(tenant);
        }
    }

    fn check(&mut self, tenant: TenantId) {
        let Some(vector) = self.units.get(&tenant) else { return };
        let stop = || self.shared.is_stopping();
        let checked = vector.unit.follower().check(&stop);
        match checked {
            Err(error @ index::Error::Damaged { .. }) => self.begin_anew(tenant, &error.to_string()),
            Err(error) if !self.shared.is_stopping() => {
                tracing::warn!(%error, %tenant, "cannot check the vector index");
            }
            _ => {}
        }
    }

    /// Rewrites the files that hold vectors of what was erased, if that is wanted.
    fn scrub(&mut self, tenant: TenantId) {
        let Some(upto) = self.shared.wishes().scrubs.get(&tenant).copied() else { return };
        let Some(vector) = self.units.get(&tenant) else { return };
        if vector.unit.follower().position() < upto {
            // It may not get on for long; who is to be forgotten does not wait for that.
            if let State::Failed(reason) = vector.unit.state().clone() {
                self.forget_all(tenant, &reason);
            }
            return;
        }
        // What is being built may hold it, too.
        self.end_build(Some(tenant));
        let Some(vector) = self.units.get_mut(&tenant) else { return };
        let position = vector.unit.follower().position();
        match catch_unwind(AssertUnwindSafe(|| vector.unit.follower_mut().scrub())) {
            Ok(Ok(())) => {
                vector.scrubbed = position;
                let mut wishes = self.shared.wishes();
                if wishes.scrubs.get(&tenant).is_some_and(|wanted| *wanted <= position) {
                    wishes.scrubs.remove(&tenant);
                }
                drop(wishes);
                self.publish(tenant);
            }
            Ok(Err(error @ index::Error::Damaged { .. })) => self.begin_anew(tenant, &error.to_string()),
            Ok(Err(error)) => {
                tracing::warn!(%error, %tenant, "cannot rid the vector index of what was erased")
            }
            Err(_) => self.give_up(tenant),
        }
    }

    fn forget_all(&mut self, tenant: TenantId, reason: &str) {
        self.begin_anew(tenant, reason);
        if self.units.get(&tenant).is_some_and(|vector| vector.unit.follower().position() == Lsn::NONE) {
            self.shared.wishes().scrubs.remove(&tenant);
            self.shared.moved.notify_all();
        }
    }

    /// Where nobody reads and nobody follows, nothing of what was erased may stay.
    pub(super) fn delete_unused(&self, tenants: impl Iterator<Item = TenantId>) {
        let mut wishes = self.shared.wishes();
        for tenant in tenants.filter(|tenant| wishes.scrubs.contains_key(tenant)).collect::<Vec<_>>() {
            match std::fs::remove_dir_all(self.home.join(tenant.to_string())) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                    tracing::warn!(%error, %tenant, "cannot delete a vector index that is out of use");
                }
                _ => {
                    wishes.scrubs.remove(&tenant);
                }
            }
        }
        self.shared.moved.notify_all();
    }
}
