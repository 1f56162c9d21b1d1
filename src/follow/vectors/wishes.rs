//! What others want of the runner beside following: erasing, checking, building.

use std::collections::{BTreeSet, HashMap};
use std::panic::{AssertUnwindSafe, catch_unwind};

use index::follower::{Follower as _, State};
use index::vector::VectorIndex;
use storage::View;
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
    pub(super) fn fulfil(&mut self, tenant: TenantId, view: &View) {
        self.scrub(tenant, view);
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

    /// Rewrites the files that hold vectors of what was erased, if that is wanted. Who is to be forgotten does not wait until
    /// the index has caught up: it is compared with the view, and what it has yet to read holds nothing of what was erased.
    fn scrub(&mut self, tenant: TenantId, view: &View) {
        let Some(upto) = self.shared.wishes().scrubs.get(&tenant).copied() else { return };
        // What is being built may hold it, too.
        self.end_build(Some(tenant));
        let Some(vector) = self.units.get_mut(&tenant) else { return };
        let scrub = AssertUnwindSafe(|| scrub(vector.unit.follower_mut(), view, upto));
        match catch_unwind(scrub) {
            Ok(Ok(None)) => {}
            Ok(Ok(Some(scrubbed))) => {
                vector.scrubbed = scrubbed;
                let mut wishes = self.shared.wishes();
                if wishes.scrubs.get(&tenant).is_some_and(|wanted| *wanted <= scrubbed) {
                    wishes.scrubs.remove(&tenant);
                }
                drop(wishes);
                self.publish(tenant);
            }
            Ok(Err(error @ index::Error::Damaged { .. })) => self.begin_anew(tenant, &error.to_string()),
            Ok(Err(error)) => {
                tracing::warn!(%error, %tenant, "cannot rid the vector index of what was erased");
                // It may not get on for long.
                if let Some(State::Failed(reason)) =
                    self.units.get(&tenant).map(|vector| vector.unit.state().clone())
                {
                    self.forget_all(tenant, &reason);
                }
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

/// Rids an index of what was erased; up to which record, if that can be said. One that is at its beginning begins anew.
fn scrub(index: &mut VectorIndex, view: &View, upto: Lsn) -> index::Result<Option<Lsn>> {
    let (position, head) = (index.position(), view.head(index.tenant())?.head());
    if position >= upto {
        return index.scrub().map(|()| Some(position));
    }
    if head < upto {
        return Ok(None);
    }
    match position {
        Lsn::NONE => index.reset()?,
        _ => index.forget_erased(view)?,
    }
    Ok(Some(head))
}
