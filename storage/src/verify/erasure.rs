//! What was erased, what is refused because of it, and what is held.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use roaring::RoaringTreemap;

use super::Check;
use super::log::Told;
use crate::error::Result;
use crate::ids::{Lsn, TenantId};
use crate::model::{ErasureDone, Hold, RedactionBegun, RedactionLifted};
use crate::record::{Kind, Record};
use crate::rows::{HeadRow, HoldRow, RedactionRow};
use crate::tables::{Key, Table, key_u64};
use crate::tx::Read;

/// What a tenant's log tells of erasures and holds.
#[derive(Default)]
pub(super) struct ToldOfErasure {
    /// Records without their bodies.
    pub(super) bodies: u64,
    /// Whether some of them were graphs.
    pub(super) graphs: bool,
    /// Each redaction as its row should be, but for the hash, by the record with which it began.
    redactions: BTreeMap<u64, RedactionRow>,
    holds: BTreeMap<u64, HoldRow>,
}

impl ToldOfErasure {
    pub(super) fn add(&mut self, record: &Record) -> Result<()> {
        let position = record.lsn.0;
        let Some(body) = record.body() else {
            self.bodies += 1;
            self.graphs |= record.kind == Kind::GraphSaved;
            return Ok(());
        };
        match record.kind {
            Kind::RedactionBegan => {
                let of_source = RedactionBegun::from_body(body)?.of_source;
                let (actor, began_us) = (record.actor.0, record.time_us);
                let row = RedactionRow { of_source, actor, began_us, ..RedactionRow::default() };
                self.redactions.insert(position, row);
            }
            Kind::RedactionEnded => {
                let done = ErasureDone::from_body(body)?;
                let row = self.redactions.entry(done.begun).or_default();
                (row.records, row.bytes, row.ended) = (done.records, done.bytes, position);
            }
            Kind::RedactionLifted => {
                let lifted = RedactionLifted::from_body(body)?;
                self.redactions.entry(lifted.begun).or_default().lifted = position;
            }
            Kind::HoldSet => {
                let hold = Hold::from_body(body)?;
                let row = HoldRow { hold, actor: record.actor.0, since_us: record.time_us };
                self.holds.insert(position, row);
            }
            Kind::HoldRemoved => {
                self.holds.remove(&u64::from_be_bytes(crate::model::exactly(body, "removed hold")?));
            }
            _ => {}
        }
        Ok(())
    }
}

impl Check<'_> {
    pub(super) fn erasures(&mut self, tenant: TenantId, head: &HeadRow, told: &Told) -> Result<()> {
        self.loose(tenant, head, told)?;
        let told = &told.erasure;
        self.agree(format_args!("records of {} without a body", head.name), told.bodies, head.erased);
        for (begun, wanted) in &told.redactions {
            self.redaction(tenant, head, Lsn(*begun), wanted)?;
        }
        let rows = self.count(Table::Erasing, &Key::of(tenant))?
            + self.count(Table::Redactions, &Key::of(tenant))?;
        self.agree(format_args!("redactions of {}", head.name), rows, told.redactions.len() as u64);
        self.refused(tenant, head, told)?;
        let holds: BTreeMap<_, _> = self
            .or_problem(self.view.holds(tenant))?
            .unwrap_or_default()
            .into_iter()
            .map(|(lsn, row)| (lsn.0, row))
            .collect();
        if holds != told.holds {
            self.problem(format!(
                "holds of {}: {} found, the log tells of {} or others",
                head.name,
                holds.len(),
                told.holds.len()
            ));
        }
        Ok(())
    }

    /// As far as the log was gone through, what may go of it is listed, and nothing else.
    fn loose(&mut self, tenant: TenantId, head: &HeadRow, told: &Told) -> Result<()> {
        let mut listed = RoaringTreemap::new();
        let (from, to) = (Key::of(tenant), Key::of(tenant).and(&Lsn(head.loose_to)));
        let scanned = self.view.scan(Table::Loose, from.bytes(), Some(to.bytes()), &mut |key, _| {
            listed.insert(key_u64(key, 4));
            Ok(ControlFlow::Continue(()))
        });
        self.or_problem(scanned)?;
        let mut wanted = told.loose.clone();
        wanted.remove_range(head.loose_to..);
        if listed != wanted {
            let (found, wanted) = (listed.len(), wanted.len());
            self.problem(format!(
                "bodies of {} that may go: {found} listed, the log has {wanted} or others",
                head.name
            ));
        }
        Ok(())
    }

    /// A redaction that is not done counts on; of one that is done the log tells everything but of what it was.
    fn redaction(
        &mut self,
        tenant: TenantId,
        head: &HeadRow,
        begun: Lsn,
        wanted: &RedactionRow,
    ) -> Result<()> {
        let found = self.or_problem(self.view.redaction(tenant, begun))?.flatten();
        let known = found.as_ref().map(|found| RedactionRow {
            hash: Vec::new(),
            records: if wanted.ended == 0 { 0 } else { found.records },
            bytes: if wanted.ended == 0 { 0 } else { found.bytes },
            ..found.clone()
        });
        if known.as_ref() != Some(wanted) {
            self.problem(format!("redactions of {}: the row of {begun}", head.name));
        }
        Ok(())
    }

    /// Each name that is refused is so because of a redaction; how many there are only the head tells.
    fn refused(&mut self, tenant: TenantId, head: &HeadRow, told: &ToldOfErasure) -> Result<()> {
        let (view, prefix) = (self.view, Key::of(tenant));
        let mut refused = 0;
        let scanned = view.scan(Table::Refused, prefix.bytes(), prefix.end().as_deref(), &mut |_, row| {
            refused += 1;
            if !told.redactions.contains_key(&key_u64(row, 0)) {
                self.problem(format!("refused of {}: because of a redaction that never was", head.name));
            }
            Ok(ControlFlow::Continue(()))
        });
        self.or_problem(scanned)?;
        self.agree(format_args!("refused of {}", head.name), refused, head.refused);
        Ok(())
    }
}
