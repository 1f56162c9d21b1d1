//! What is being redacted is hidden from readers from the first moment on; and what is known of redactions and holds.

use std::collections::HashSet;

use super::View;
use crate::commands::{Held, all_erasing, erasing_row, redaction_row};
use crate::error::Result;
use crate::ids::{Lsn, SourceId, TenantId, ThingId};
use crate::model::{Assertion, Selection, SourceSpec};
use crate::record::{Content, Kind, Record};
use crate::rows::{BeforeRow, ErasingRow, HoldRow, RedactionRow, SaidRow, ThingRow, decode};
use crate::tables::{Key, Table, key_u64};
use crate::tx::Read;

/// What redactions that are not done hide.
#[derive(Default)]
pub(crate) struct Hidden {
    things: HashSet<(TenantId, ThingId)>,
    sources: HashSet<(TenantId, SourceId)>,
}

impl Hidden {
    fn of(view: &View) -> Result<Hidden> {
        let mut hidden = Hidden::default();
        for (tenant, _, row) in all_erasing(view)? {
            hidden.things.extend(row.thing().map(|thing| (tenant, thing)));
            hidden.sources.extend(row.source().map(|source| (tenant, source)));
        }
        Ok(hidden)
    }

    fn is_empty(&self) -> bool {
        self.things.is_empty() && self.sources.is_empty()
    }

    /// Whether something that is said of a thing is hidden: it is of it, by it, or joins something to it.
    fn hides(&self, tenant: TenantId, thing: ThingId, said: &SaidRow) -> bool {
        let is_hidden = |thing| self.things.contains(&(tenant, thing));
        is_hidden(thing)
            || self.sources.contains(&(tenant, SourceId(said.source)))
            || said.edges.iter().any(|edge| is_hidden(edge.from()) || is_hidden(edge.to()))
    }
}

impl View {
    /// This view with nothing hidden, for who looks after the store itself.
    pub(crate) fn whole(&self) -> View {
        let whole = View::new(std::sync::Arc::clone(&self.snapshot));
        let _ = whole.hidden.set(Hidden::default());
        whole
    }

    /// This view as it is at a time, microseconds since 1970: what is over by then is hidden.
    #[must_use]
    pub fn at(&self, now_us: i64) -> View {
        View { now_us: Some(now_us), ..self.clone() }
    }

    fn hidden(&self) -> Result<&Hidden> {
        if self.hidden.get().is_none() {
            let hidden = Hidden::of(self)?;
            let _ = self.hidden.set(hidden);
        }
        Ok(self.hidden.get().expect("set above"))
    }

    /// A row as readers may have it.
    pub(super) fn shown(&self, tenant: TenantId, thing: ThingId, mut row: ThingRow) -> Result<ThingRow> {
        let hidden = self.hidden()?;
        if hidden.is_empty() && self.now_us.is_none() {
            return Ok(row);
        }
        for place in (0..row.said.len()).rev() {
            if self.is_hidden(tenant, thing, &row.said[place])? {
                row.said.remove(place);
            }
        }
        Ok(row)
    }

    /// Whether something that is said of a thing is hidden.
    pub(super) fn is_hidden(&self, tenant: TenantId, thing: ThingId, said: &SaidRow) -> Result<bool> {
        Ok(self.hidden()?.hides(tenant, thing, said) || self.is_over(tenant, thing, said)?)
    }

    /// What is held is not over, however old.
    fn is_over(&self, tenant: TenantId, thing: ThingId, said: &SaidRow) -> Result<bool> {
        if !self.now_us.is_some_and(|now_us| said.is_due(now_us)) {
            return Ok(false);
        }
        if self.held.get().is_none() {
            let held = self.tenants()?.into_iter().map(|(tenant, _)| Ok((tenant, Held::of(self, tenant)?)));
            let _ = self.held.set(held.collect::<Result<_>>()?);
        }
        let held = self.held.get().and_then(|held| held.get(&tenant));
        Ok(held.is_none_or(|held| !held.covers(thing, said)))
    }

    /// Whether all of a thing is hidden.
    pub(super) fn is_thing_hidden(&self, tenant: TenantId, thing: ThingId) -> Result<bool> {
        Ok(self.hidden()?.things.contains(&(tenant, thing)))
    }

    /// The record at a position as who may see its label may have it: of what is being redacted, or is over, the digest.
    ///
    /// # Errors
    /// See [`View::record`].
    pub fn record_shown(&self, tenant: TenantId, lsn: Lsn) -> Result<Record> {
        let record = self.record(tenant, lsn)?;
        let is_of_a_thing =
            matches!(record.kind, Kind::Asserted | Kind::Withdrawn | Kind::Deleted | Kind::Restored);
        let hidden = match record.body() {
            Some(body) if is_of_a_thing => self.is_body_hidden(tenant, &record, body)?,
            _ => false,
        };
        let content = Content::Erased { digest: record.digest() };
        Ok(if hidden { Record { content, ..record } } else { record })
    }

    fn is_body_hidden(&self, tenant: TenantId, record: &Record, body: &[u8]) -> Result<bool> {
        let id = match record.kind {
            Kind::Asserted => Assertion::from_body(body)?.id,
            _ => String::from_utf8_lossy(body).into_owned(),
        };
        let Some((thing, row)) = crate::commands::thing_by_id(self, tenant, &id)? else { return Ok(false) };
        if self.is_thing_hidden(tenant, thing)? {
            return Ok(true);
        }
        let before = Key::of(tenant).and(&thing).and(&record.lsn);
        let before = self.get(Table::Before, before.bytes())?;
        let before = before.map(|row| decode::<BeforeRow>(&row, "before row")).transpose()?;
        let said = row.said.iter().chain(before.iter().map(|before| &before.said));
        for said in said.filter(|said| said.lsn() == record.lsn) {
            if self.is_hidden(tenant, thing, said)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The id of the thing, or the name of the source, that a redaction is of, while the store has it.
    ///
    /// # Errors
    /// See [`View::node`].
    pub fn being_erased(&self, tenant: TenantId, row: &ErasingRow) -> Result<Option<Selection>> {
        if let Some(thing) = row.thing() {
            let row = self.get(Table::Things, Key::of(tenant).and(&thing).bytes())?;
            let row: Option<ThingRow> = row.map(|row| decode(&row, "thing row")).transpose()?;
            return Ok(row.map(|row| Selection::Thing(row.id)));
        }
        let Some(source) = row.source() else { return Ok(None) };
        let spec = self.get(Table::Sources, Key::of(tenant).and(&source).bytes())?;
        spec.map(|spec| Ok(Selection::Source(SourceSpec::decode(&spec)?.name))).transpose()
    }

    /// Every redaction of every tenant that is not done.
    ///
    /// # Errors
    /// See [`View::node`].
    pub fn erasing(&self) -> Result<Vec<(TenantId, Lsn, ErasingRow)>> {
        all_erasing(self)
    }

    /// A redaction, done or not, by the record with which it began.
    ///
    /// # Errors
    /// See [`View::node`].
    pub fn redaction(&self, tenant: TenantId, begun: Lsn) -> Result<Option<RedactionRow>> {
        match redaction_row(self, tenant, begun)? {
            Some(row) => Ok(Some(row)),
            None => Ok(erasing_row(self, tenant, begun)?.map(|row| row.redaction)),
        }
    }

    /// Every redaction of a tenant, oldest first.
    ///
    /// # Errors
    /// See [`View::node`].
    pub fn redactions(&self, tenant: TenantId) -> Result<Vec<(Lsn, RedactionRow)>> {
        let mut redactions = Vec::new();
        self.each(Table::Redactions, &Key::of(tenant), &mut |key, row| {
            redactions.push((Lsn(key_u64(key, 4)), decode(row, "redaction row")?));
            Ok(())
        })?;
        self.each(Table::Erasing, &Key::of(tenant), &mut |key, row| {
            let row: ErasingRow = decode(row, "erasing row")?;
            redactions.push((Lsn(key_u64(key, 4)), row.redaction));
            Ok(())
        })?;
        redactions.sort_by_key(|(begun, _)| *begun);
        Ok(redactions)
    }

    /// Every hold of a tenant that stands, oldest first.
    ///
    /// # Errors
    /// See [`View::node`].
    pub fn holds(&self, tenant: TenantId) -> Result<Vec<(Lsn, HoldRow)>> {
        crate::commands::holds(self, tenant)
    }
}
