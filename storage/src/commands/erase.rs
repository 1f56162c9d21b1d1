//! Takes what a redaction is of out of the store, in steps that hold up nobody: each is a commit of its own, and leaves a
//! store that is whole. A node that stops in between goes on where it was.
//!
//! A thing goes with all that joins it to others, since a relation names both of its ends; what a source said goes with
//! the things of which nobody else says anything.

use std::collections::BTreeSet;
use std::ops::ControlFlow;

use prost::Message;

use super::delete::thing_row;
use super::hold::Held;
use super::redact::{erasing_row, refuse};
use super::{Applied, Effect, progress, sweep};
use crate::batch::{Batch, scan_prefix};
use crate::error::{Error, Result};
use crate::ids::{Lsn, SourceId, TenantId, ThingId};
use crate::model::Form;
use crate::rows::{BeforeRow, EdgeRow, ErasingRow, PendingRow, Stage, ThingRow, decode};
use crate::tables::{Key, Table, key_u32, key_u64};
use crate::tx::{Read, Tx};

/// Things that a step removes at most,
const THINGS_MAX: usize = 256;
/// and rows that it looks at.
const ROWS_MAX: usize = 2048;

/// Takes one more step of a redaction; [`Effect::More`] while another is needed.
#[derive(Clone, Debug)]
pub struct EraseSome {
    /// Whose.
    pub tenant: TenantId,
    /// The record with which it began.
    pub redaction: Lsn,
}

/// A redaction at work.
struct Erasing<'b, 'a> {
    batch: &'b mut Batch<'a>,
    tenant: TenantId,
    redaction: Lsn,
    row: ErasingRow,
    /// Records whose bodies go at the end of the step.
    bodies: BTreeSet<Lsn>,
}

pub(super) fn some(batch: &mut Batch<'_>, command: &EraseSome) -> Result<Applied> {
    let (tenant, redaction) = (command.tenant, command.redaction);
    let missing = || Error::NotFound { what: "redaction", name: redaction.to_string() };
    let row = erasing_row(batch, tenant, redaction)?.ok_or_else(missing)?;
    let mut erasing = Erasing { batch, tenant, redaction, row, bodies: BTreeSet::new() };
    match erasing.row.stage()? {
        Stage::Waiting => erasing.waiting()?,
        Stage::Events => erasing.events()?,
        Stage::Former => erasing.former()?,
        Stage::Things => erasing.things()?,
        Stage::Log => erasing.log()?,
        Stage::Gone => {}
    }
    erasing.finish()
}

impl Erasing<'_, '_> {
    fn finish(self) -> Result<Applied> {
        let Erasing { batch, tenant, redaction, mut row, bodies } = self;
        let erased = batch.erase(tenant, &bodies)?;
        row.redaction.records += erased.records;
        row.redaction.bytes += erased.bytes;
        let effect = if row.stage()? == Stage::Gone { Effect::Done } else { Effect::More };
        batch.put(Table::Erasing, Key::of(tenant).and(&redaction).bytes(), row.encode_to_vec());
        Ok(Applied { lsn: batch.counters(tenant)?.head(), effect })
    }

    /// Up to [`ROWS_MAX`] rows of a table of the tenant from the cursor on; enters the `next` stage if there are no more.
    fn rows(&mut self, table: Table, next: Stage) -> Result<Vec<(Vec<u8>, Vec<u8>)>> {
        let prefix = Key::of(self.tenant);
        let from = self.row.cursor.clone().max(prefix.bytes().to_vec());
        let mut rows = Vec::new();
        self.batch.scan(table, &from, prefix.end().as_deref(), &mut |key, row| {
            rows.push((key.to_vec(), row.to_vec()));
            Ok(if rows.len() < ROWS_MAX { ControlFlow::Continue(()) } else { ControlFlow::Break(()) })
        })?;
        match rows.last() {
            Some((last, _)) if rows.len() == ROWS_MAX => self.row.cursor = [last.as_slice(), &[0]].concat(),
            _ => self.row.enter(next),
        }
        Ok(rows)
    }

    /// Relations that wait for their ends: those that name the thing, or that the source said.
    fn waiting(&mut self) -> Result<()> {
        let of_source = self.row.source();
        let next = if of_source.is_some() { Stage::Events } else { Stage::Things };
        let id = match self.row.thing() {
            Some(thing) => thing_if_there(self.batch, self.tenant, thing)?.map(|row| row.id),
            None => None,
        };
        for (key, row) in self.rows(Table::Pending, next)? {
            let row: PendingRow = decode(&row, "pending row")?;
            let goes = match of_source {
                Some(source) => row.source == source.0,
                None => id.as_ref().is_some_and(|id| names(&row, id)),
            };
            if goes {
                self.batch.delete(Table::Pending, &key);
                self.batch.counters(self.tenant)?.pending -= 1;
            }
        }
        Ok(())
    }

    /// What is remembered of a source's events and of the files that it was read from.
    fn events(&mut self) -> Result<()> {
        let source = self.row.source().unwrap_or_default();
        if self.row.cursor.is_empty() {
            progress::forget(self.batch, self.tenant, source)?;
        }
        for (key, _) in self.rows(Table::Events, Stage::Former)? {
            if key_u32(&key, 8) == source.0 {
                self.batch.delete(Table::Events, &key);
                self.batch.counters(self.tenant)?.events -= 1;
            }
        }
        Ok(())
    }

    /// What the source said before and replaced.
    fn former(&mut self) -> Result<()> {
        let source = self.row.source().unwrap_or_default();
        for (key, row) in self.rows(Table::Before, Stage::Things)? {
            let row: BeforeRow = decode(&row, "before row")?;
            if row.said.source != source.0 {
                continue;
            }
            let thing = ThingId(key_u64(&key, 4));
            let links = all_links(self.batch, self.tenant, thing)?;
            self.batch.delete(Table::Before, &key);
            self.bodies.insert(row.said.lsn());
            redraw(self.batch, self.tenant, thing, &links)?;
        }
        Ok(())
    }

    fn things(&mut self) -> Result<()> {
        match self.row.source() {
            Some(source) => self.things_of(source),
            None => self.thing(),
        }
    }

    /// The thing, behind all that joins it to others.
    fn thing(&mut self) -> Result<()> {
        let thing = self.row.thing().unwrap_or_default();
        if self.remove_with_joined(thing, THINGS_MAX)? < THINGS_MAX {
            self.row.enter(Stage::Log);
        }
        Ok(())
    }

    /// What the source says, and the things of which nobody else says anything.
    fn things_of(&mut self, source: SourceId) -> Result<()> {
        let held = Held::of(self.batch, self.tenant)?;
        let mut removed = 0;
        for (key, _) in self.rows(Table::Things, Stage::Log)? {
            let thing = ThingId(key_u64(&key, 4));
            // What goes with a thing in front of it is gone already.
            let Some(row) = thing_if_there(self.batch, self.tenant, thing)? else { continue };
            if row.said_by(source).next().is_none() {
                continue;
            }
            let others_speak = row.said.iter().any(|said| said.source != source.0);
            if others_speak || held.on_all_of(self.batch, self.tenant, thing)?.is_some() {
                self.unsay(thing, row, source)?;
                continue;
            }
            removed += self.remove_with_joined(thing, THINGS_MAX)?;
            if removed >= THINGS_MAX {
                // This thing may have more around it: begin with it again.
                self.row.stage = Stage::Things as u32;
                self.row.cursor = key;
                return Ok(());
            }
        }
        Ok(())
    }

    /// Takes back what a source says of a thing that stays.
    fn unsay(&mut self, thing: ThingId, mut row: ThingRow, source: SourceId) -> Result<()> {
        let links = all_links(self.batch, self.tenant, thing)?;
        self.bodies.extend(row.said_by(source).map(|said| said.lsn()));
        row.said.retain(|said| said.source != source.0);
        let key = Key::of(self.tenant).and(&thing);
        self.batch.put(Table::Things, key.bytes(), row.encode_to_vec());
        redraw(self.batch, self.tenant, thing, &links)
    }

    /// Removes a thing and what joins it to others, which goes first; so many things at most. How many went.
    fn remove_with_joined(&mut self, thing: ThingId, limit: usize) -> Result<usize> {
        for removed in 0..limit {
            if thing_if_there(self.batch, self.tenant, thing)?.is_none() {
                return Ok(removed);
            }
            let outermost = outermost(self.batch, self.tenant, thing)?;
            self.remove(outermost)?;
        }
        Ok(limit)
    }

    fn remove(&mut self, thing: ThingId) -> Result<()> {
        let tenant = self.tenant;
        let row = thing_row(self.batch, tenant, thing)?;
        for link in all_links(self.batch, tenant, thing)? {
            delete_edge(self.batch, tenant, thing, &link);
        }
        for (key, before) in before_rows(self.batch, tenant, thing)? {
            self.bodies.insert(before.said.lsn());
            self.batch.delete(Table::Before, &key);
        }
        self.bodies.extend(row.said.iter().map(|said| said.lsn()));
        delete_thing(self.batch, tenant, thing, &row)?;
        let hash = self.batch.hash_of_thing(tenant, &row.id)?;
        refuse(self.batch, tenant, &hash, self.redaction)
    }

    /// Records that name what is gone.
    fn log(&mut self) -> Result<()> {
        let from = Lsn(key_u64(&self.row.cursor, 0));
        let swept = sweep::sweep(self.batch, self.tenant, from, sweep::Rule::default())?;
        self.bodies.extend(swept.bodies);
        match swept.next {
            Some(next) => self.row.cursor = next.0.to_be_bytes().to_vec(),
            None => self.row.enter(Stage::Gone),
        }
        Ok(())
    }
}

/// The row of a thing, unless it is gone.
pub(super) fn thing_if_there(tx: &dyn Read, tenant: TenantId, thing: ThingId) -> Result<Option<ThingRow>> {
    let row = tx.get(Table::Things, Key::of(tenant).and(&thing).bytes())?;
    row.map(|row| decode(&row, "thing row")).transpose()
}

/// Removes a thing of which nothing is left but its name.
pub(super) fn delete_thing(
    batch: &mut Batch<'_>,
    tenant: TenantId,
    thing: ThingId,
    row: &ThingRow,
) -> Result<()> {
    batch.delete(Table::Things, Key::of(tenant).and(&thing).bytes());
    batch.delete(Table::Names, Key::of(tenant).and(row.id.as_str()).bytes());
    let counters = batch.counters(tenant)?;
    match row.form()? {
        Form::Entity => counters.entities -= 1,
        Form::Relation => counters.relations -= 1,
    }
    Ok(())
}

/// Whether a relation that waits is the thing of an id, or is joined to it.
fn names(row: &PendingRow, id: &str) -> bool {
    row.parts.iter().any(|part| {
        let said = &part.assertion;
        said.id == id || said.edges.iter().any(|edge| edge.from == id || edge.to == id)
    })
}

/// Hands out the relations that are or were joined to a thing, until there are no more or `take` wants none.
pub(super) fn joined(
    tx: &dyn Read,
    tenant: TenantId,
    thing: ThingId,
    take: &mut dyn FnMut(ThingId) -> bool,
) -> Result<()> {
    let (prefix, mut wanted) = (Key::of(tenant).and(&thing), true);
    for table in [Table::EdgesOut, Table::EdgesIn] {
        tx.scan(table, prefix.bytes(), prefix.end().as_deref(), &mut |key, _| {
            wanted = wanted && take(ThingId(key_u64(key, 16)));
            Ok(if wanted { ControlFlow::Continue(()) } else { ControlFlow::Break(()) })
        })?;
    }
    Ok(())
}

/// Whether anything is or was joined to a thing.
fn is_joined(tx: &dyn Read, tenant: TenantId, thing: ThingId) -> Result<bool> {
    let mut found = false;
    joined(tx, tenant, thing, &mut |_| {
        found = true;
        false
    })?;
    Ok(found)
}

/// Whether nothing is left of a thing but its name.
pub(crate) fn is_bare(tx: &dyn Read, tenant: TenantId, thing: ThingId, row: &ThingRow) -> Result<bool> {
    Ok(row.said.is_empty() && before_rows(tx, tenant, thing)?.is_empty() && !is_joined(tx, tenant, thing)?)
}

/// A thing to which nothing is joined that is not on the way to it: relations of relations go first.
fn outermost(tx: &dyn Read, tenant: TenantId, thing: ThingId) -> Result<ThingId> {
    let (mut at, mut seen) = (thing, BTreeSet::from([thing]));
    loop {
        let mut next = None;
        joined(tx, tenant, at, &mut |relation| {
            next = seen.insert(relation).then_some(relation);
            next.is_none()
        })?;
        match next {
            Some(relation) => at = relation,
            None => return Ok(at),
        }
    }
}

pub(super) fn before_rows(
    tx: &dyn Read,
    tenant: TenantId,
    thing: ThingId,
) -> Result<Vec<(Vec<u8>, BeforeRow)>> {
    let mut rows = Vec::new();
    scan_prefix(tx, Table::Before, &Key::of(tenant).and(&thing), &mut |key, row| {
        rows.push((key.to_vec(), decode(row, "before row")?));
        Ok(())
    })?;
    Ok(rows)
}

/// Whether a source said something of a thing that was replaced.
pub(super) fn said_before(tx: &dyn Read, tenant: TenantId, thing: ThingId, source: SourceId) -> Result<bool> {
    Ok(before_rows(tx, tenant, thing)?.iter().any(|(_, before)| before.said.source == source.0))
}

/// The links that a thing draws, and those that it drew.
pub(super) fn all_links(tx: &dyn Read, tenant: TenantId, thing: ThingId) -> Result<BTreeSet<EdgeRow>> {
    let mut links = thing_row(tx, tenant, thing)?.links();
    links.extend(
        before_rows(tx, tenant, thing)?.iter().flat_map(|(_, before)| before.said.edges.iter().copied()),
    );
    Ok(links)
}

/// Draws the edges of a thing as its rows say now; `links` are those that it had.
pub(super) fn redraw(
    batch: &mut Batch<'_>,
    tenant: TenantId,
    thing: ThingId,
    links: &BTreeSet<EdgeRow>,
) -> Result<()> {
    if links.is_empty() {
        return Ok(());
    }
    let row = thing_row(batch, tenant, thing)?;
    let (now, left) = (row.links(), all_links(batch, tenant, thing)?);
    for link in links.difference(&left) {
        delete_edge(batch, tenant, thing, link);
    }
    for link in &now {
        super::assert::put_edge(batch, tenant, thing, link, row.edge_label());
    }
    for link in left.difference(&now) {
        super::assert::put_edge(batch, tenant, thing, link, crate::ids::LabelId::SYSTEM);
    }
    Ok(())
}

fn delete_edge(batch: &mut Batch<'_>, tenant: TenantId, relation: ThingId, link: &EdgeRow) {
    let (out, into) = link.keys(tenant, relation);
    batch.delete(Table::EdgesOut, out.bytes());
    batch.delete(Table::EdgesIn, into.bytes());
}
