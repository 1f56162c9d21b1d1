//! Things, and what was said of them before.

use std::ops::ControlFlow;

use super::View;
use crate::error::{Error, Result};
use crate::ids::{TenantId, ThingId};
use crate::model::Form;
use crate::rows::{BeforeRow, ThingRow, decode};
use crate::tables::{Key, Table, key_u64};
use crate::tx::Read;

impl View {
    /// The thing of an id.
    ///
    /// # Errors
    /// See [`View::node`].
    pub fn thing_by_id(&self, tenant: TenantId, id: &str) -> Result<Option<(ThingId, ThingRow)>> {
        match crate::commands::thing_by_id(self, tenant, id)? {
            Some((thing, row)) if !self.is_thing_hidden(tenant, thing)? => {
                Ok(Some((thing, self.shown(tenant, thing, row)?)))
            }
            _ => Ok(None),
        }
    }

    /// A thing by its number. One that was erased is there without an id, and nothing is said of it: numbers of things
    /// are kept in indexes and on drawings.
    ///
    /// # Errors
    /// `Corrupt` if it has no row and nothing of the tenant was ever erased; see [`View::node`].
    pub fn thing(&self, tenant: TenantId, thing: ThingId) -> Result<ThingRow> {
        match crate::commands::thing_row(self, tenant, thing) {
            Ok(row) => self.shown(tenant, thing, row),
            Err(Error::Corrupt { .. }) if self.was_erased(tenant, thing)? => {
                Ok(ThingRow { form: Form::Entity.code().into(), ..ThingRow::default() })
            }
            Err(error) => Err(error),
        }
    }

    /// Whether a thing may be one that was erased. That no other row is missing is for `verify` to find.
    fn was_erased(&self, tenant: TenantId, thing: ThingId) -> Result<bool> {
        let head = self.head(tenant)?;
        let there = self.get(Table::Things, Key::of(tenant).and(&thing).bytes())?.is_some();
        Ok(head.erased > 0 && thing.0 < head.next_thing && !there)
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
            let thing = ThingId(key_u64(key, 4));
            if self.is_thing_hidden(tenant, thing)? {
                return Ok(ControlFlow::Continue(()));
            }
            visit(thing, self.shown(tenant, thing, decode(value, "thing row")?)?)
        })
    }

    /// What was said of a thing and replaced since, oldest first.
    ///
    /// # Errors
    /// See [`View::node`].
    pub fn before(&self, tenant: TenantId, thing: ThingId) -> Result<Vec<BeforeRow>> {
        let mut rows = Vec::new();
        self.each(Table::Before, &Key::of(tenant).and(&thing), &mut |_, value| {
            let row: BeforeRow = decode(value, "before row")?;
            if !self.is_hidden(tenant, thing, &row.said)? {
                rows.push(row);
            }
            Ok(())
        })?;
        Ok(rows)
    }
}
