//! What is over, for who purges it.

use std::ops::ControlFlow;

use super::View;
use crate::commands::{Held, is_bare};
use crate::error::Result;
use crate::ids::{Lsn, SourceId, TenantId, ThingId};
use crate::model::Retention;
use crate::rows::{BeforeRow, SaidRow, ThingRow, decode};
use crate::tables::{Key, Table, key_u64};
use crate::tx::Read;

/// Something that a source said and that is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Due {
    /// Who said it.
    pub source: SourceId,
    /// How long it was kept.
    pub tier: Retention,
    /// The record that holds it.
    pub lsn: Lsn,
}

impl View {
    /// Visits the things of which something is over at a time and not held, with what that is; a thing may come twice,
    /// once with what stood last and once with what stood before. One of which nothing is left comes with nothing.
    ///
    /// # Errors
    /// See [`View::node`], and whatever the visitor returns.
    pub fn due(
        &self,
        tenant: TenantId,
        now_us: i64,
        visit: &mut dyn FnMut(ThingId, Vec<Due>) -> Result<()>,
    ) -> Result<()> {
        let (whole, held) = (self.whole(), Held::of(self, tenant)?);
        whole.things(tenant, &mut |thing, row| {
            let due: Vec<_> = row.said.iter().filter_map(|said| Due::of(said, now_us)).collect();
            if (!due.is_empty() || is_bare(&whole, tenant, thing, &row)?) && held.on(thing, &row).is_none() {
                visit(thing, due)?;
            }
            Ok(ControlFlow::Continue(()))
        })?;
        whole.each(Table::Before, &Key::of(tenant), &mut |key, row| {
            let (thing, row): (_, BeforeRow) = (ThingId(key_u64(key, 4)), decode(row, "before row")?);
            let Some(due) = Due::of(&row.said, now_us) else { return Ok(()) };
            if held.is_empty() || !whole.is_held(tenant, thing, &held, due.source)? {
                visit(thing, vec![due])?;
            }
            Ok(())
        })
    }

    fn is_held(&self, tenant: TenantId, thing: ThingId, held: &Held, source: SourceId) -> Result<bool> {
        let row = self.get(Table::Things, Key::of(tenant).and(&thing).bytes())?;
        let row: ThingRow = row.map(|row| decode(&row, "thing row")).transpose()?.unwrap_or_default();
        Ok(held.on(thing, &row).or_else(|| held.source(source)).is_some())
    }
}

impl Due {
    fn of(said: &SaidRow, now_us: i64) -> Option<Due> {
        let tier = Retention::from_code(said.keep).ok()?;
        said.is_due(now_us).then(|| Due { source: SourceId(said.source), tier, lsn: said.lsn() })
    }
}
