//! Things, and what was said of them before.

use std::ops::ControlFlow;

use super::View;
use crate::error::Result;
use crate::ids::{TenantId, ThingId};
use crate::rows::{BeforeRow, ThingRow, decode};
use crate::tables::{Key, Table, key_u64};
use crate::tx::Read;

impl View {
    /// The thing of an id.
    ///
    /// # Errors
    /// See [`View::node`].
    pub fn thing_by_id(&self, tenant: TenantId, id: &str) -> Result<Option<(ThingId, ThingRow)>> {
        crate::commands::thing_by_id(self, tenant, id)
    }

    /// A thing.
    ///
    /// # Errors
    /// `Corrupt` if it has no row; see [`View::node`].
    pub fn thing(&self, tenant: TenantId, thing: ThingId) -> Result<ThingRow> {
        crate::commands::thing_row(self, tenant, thing)
    }

    /// Visits every thing of a tenant, in the order in which they were first said.
    ///
    /// # Errors
    /// See [`View::node`], and whatever the visitor returns.
    pub fn things(
        &self,
        tenant: TenantId,
        visit: &mut dyn FnMut(ThingId, ThingRow) -> Result<ControlFlow<()>>,
    ) -> Result<()> {
        let prefix = Key::of(tenant);
        self.scan(Table::Things, prefix.bytes(), prefix.end().as_deref(), &mut |key, value| {
            visit(ThingId(key_u64(key, 4)), decode(value, "thing row")?)
        })
    }

    /// What was said of a thing and replaced since, oldest first.
    ///
    /// # Errors
    /// See [`View::node`].
    pub fn before(&self, tenant: TenantId, thing: ThingId) -> Result<Vec<BeforeRow>> {
        let mut rows = Vec::new();
        self.each(Table::Before, &Key::of(tenant).and(&thing), &mut |_, value| {
            rows.push(decode(value, "before row")?);
            Ok(())
        })?;
        Ok(rows)
    }
}
