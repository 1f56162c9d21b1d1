//! A tenant's policy, and which files of its decisions are closed.

use super::View;
use crate::batch::scan_prefix;
use crate::error::Result;
use crate::ids::{Lsn, TenantId};
use crate::model::PolicySet;
use crate::tables::{Key, Table, key_u64};
use crate::tx::Read;

impl View {
    /// The version of a tenant's policy: the position of the record that set it; `None` if it never set one.
    ///
    /// # Errors
    /// See [`View::node`].
    pub fn policy(&self, tenant: TenantId) -> Result<Option<Lsn>> {
        Ok(crate::commands::current_policy(self, tenant)?.map(|(version, _)| version))
    }

    /// Every version of a tenant's policy, oldest first.
    ///
    /// # Errors
    /// See [`View::node`].
    pub fn policies(&self, tenant: TenantId) -> Result<Vec<Lsn>> {
        let mut versions = Vec::new();
        scan_prefix(self, Table::Policies, &Key::of(tenant), &mut |key, _| {
            versions.push(Lsn(key_u64(key, 4)));
            Ok(())
        })?;
        Ok(versions)
    }

    /// A policy as it was set; `None` if that record set none, or its body was erased.
    ///
    /// # Errors
    /// See [`View::record`].
    pub fn policy_set(&self, tenant: TenantId, version: Lsn) -> Result<Option<PolicySet>> {
        if self.get(Table::Policies, Key::of(tenant).and(&version).bytes())?.is_none() {
            return Ok(None);
        }
        self.record(tenant, version)?.body().map(PolicySet::from_body).transpose()
    }

    /// The SHA-256 of a closed segment of the decision log; `None` if it is not recorded as closed.
    ///
    /// # Errors
    /// See [`View::node`].
    pub fn decision_segment(&self, tenant: TenantId, number: u64) -> Result<Option<Vec<u8>>> {
        self.get(Table::Decisions, Key::of(tenant).and(&number).bytes())
    }

    /// The numbers of the segments that are recorded as closed, in order.
    ///
    /// # Errors
    /// See [`View::node`].
    pub fn decision_segments(&self, tenant: TenantId) -> Result<Vec<u64>> {
        let mut numbers = Vec::new();
        scan_prefix(self, Table::Decisions, &Key::of(tenant), &mut |key, _| {
            numbers.push(key_u64(key, 4));
            Ok(())
        })?;
        Ok(numbers)
    }
}
