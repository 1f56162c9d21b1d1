//! Looks for bodies that nothing cites any more. The log is gone through once: what may go by itself is listed on the way, and
//! looked at in the list from then on. Who appends pays nothing for it.

use std::collections::BTreeSet;
use std::ops::ControlFlow;

use prost::Message;

use super::graph;
use super::redact::record;
use crate::batch::Batch;
use crate::error::{Error, Result};
use crate::ids::{ActorId, Lsn, TenantId, ThingId};
use crate::model::{Graph, Hold, Selection};
use crate::record::{Kind, Record, Row};
use crate::rows::GraphRow;
use crate::tables::{Key, Table, key_u64};
use crate::tx::{Read, Tx};

/// Of the log, or of bodies, so many bytes are gone through at a time.
const BYTES_MAX: usize = 4 << 20;
/// What a graph is called from which something was taken: its name and note may speak of that.
const NAMELESS: &str = "Redacted";

/// Which bodies go beside those that name what is no longer there: those that were replaced, of records that are old
/// and in front of what every follower has taken in. None, by default.
#[derive(Clone, Copy, Default)]
pub(super) struct Rule {
    /// Recorded before this, microseconds since 1970.
    pub(super) replaced_before_us: i64,
    /// And in front of this.
    pub(super) below: Lsn,
}

/// What a part of the log holds that goes.
#[derive(Default)]
pub(super) struct Swept {
    /// Records to be erased.
    pub(super) bodies: BTreeSet<Lsn>,
    /// Where the next part begins; `None` behind the last.
    pub(super) next: Option<Lsn>,
}

/// Goes through a part of what may go, from a position on. A graph on which something is that is gone is saved without it.
pub(super) fn sweep(batch: &mut Batch<'_>, tenant: TenantId, from: Lsn, rule: Rule) -> Result<Swept> {
    batch.close_row(tenant)?;
    if !list_more(batch, tenant)? {
        return Ok(Swept { next: Some(from), ..Swept::default() });
    }
    let (candidates, next) = candidates(batch, tenant, from)?;
    let mut swept = Swept { next, ..Swept::default() };
    for record in candidates {
        let is_old = record.time_us < rule.replaced_before_us && record.lsn < rule.below;
        let goes =
            names_the_gone(batch, tenant, &record)? || (is_old && is_replaced(batch, tenant, &record)?);
        if goes {
            swept.bodies.insert(record.lsn);
        }
    }
    Ok(swept)
}

/// Lists what may go of a part of the log that was not gone through yet; whether that was the last part.
fn list_more(batch: &mut Batch<'_>, tenant: TenantId) -> Result<bool> {
    let head = batch.counters(tenant)?.clone();
    let from = Lsn(head.loose_to).max(Lsn::FIRST);
    if from > head.head() {
        return Ok(true);
    }
    let (found, next) = part_of_log(batch, tenant, from)?;
    for (lsn, has_body) in found {
        let key = Key::of(tenant).and(&lsn);
        match has_body {
            true => batch.put(Table::Loose, key.bytes(), Vec::new()),
            // A program that knows of no list may have taken it.
            false => batch.delete(Table::Loose, key.bytes()),
        }
    }
    if next <= from {
        return Err(Error::Corrupt { what: "log", detail: format!("no record at {from}") });
    }
    batch.counters(tenant)?.loose_to = next.0;
    Ok(next > head.head())
}

/// The records of a part of the log that may go, and whether they still have bodies; and where the next part begins.
fn part_of_log(tx: &dyn Read, tenant: TenantId, from: Lsn) -> Result<(Vec<(Lsn, bool)>, Lsn)> {
    let prefix = Key::of(tenant);
    let start = tx.last_at(Table::Log, prefix.bytes(), Key::of(tenant).and(&from).bytes())?;
    let start = start.map_or_else(|| prefix.bytes().to_vec(), |(key, _)| key);
    let (mut found, mut bytes, mut next) = (Vec::new(), 0, from);
    tx.scan(Table::Log, &start, prefix.end().as_deref(), &mut |key, row| {
        bytes += row.len();
        let (row, first) = (Row::parse(row)?, key_u64(key, 4));
        for place in 0..row.len() {
            if may_go(row.kind(place)?) {
                let record = row.record(place)?;
                found.push((record.lsn, record.body().is_some()));
            }
        }
        next = Lsn(first + row.len() as u64);
        Ok(if bytes < BYTES_MAX { ControlFlow::Continue(()) } else { ControlFlow::Break(()) })
    })?;
    Ok((found, next))
}

/// Records of the list, and where the next part of it begins.
fn candidates(tx: &dyn Read, tenant: TenantId, from: Lsn) -> Result<(Vec<Record>, Option<Lsn>)> {
    let (prefix, start) = (Key::of(tenant), Key::of(tenant).and(&from));
    let (mut found, mut bytes, mut next) = (Vec::new(), 0, None);
    tx.scan(Table::Loose, start.bytes(), prefix.end().as_deref(), &mut |key, _| {
        let lsn = Lsn(key_u64(key, 4));
        if bytes >= BYTES_MAX {
            next = Some(lsn);
            return Ok(ControlFlow::Break(()));
        }
        let record = listed(tx, tenant, lsn)?;
        bytes += record.header.len() + record.body().map_or(0, <[u8]>::len);
        found.push(record);
        Ok(ControlFlow::Continue(()))
    })?;
    Ok((found, next))
}

fn listed(tx: &dyn Read, tenant: TenantId, lsn: Lsn) -> Result<Record> {
    let found = tx.last_at(Table::Log, Key::of(tenant).bytes(), Key::of(tenant).and(&lsn).bytes())?;
    let missing = || Error::Corrupt { what: "loose", detail: format!("no record at {lsn}") };
    let (key, row) = found.ok_or_else(missing)?;
    let record = Row::parse(&row)?.record((lsn.0 - key_u64(&key, 4)) as usize)?;
    if record.lsn == lsn { Ok(record) } else { Err(missing()) }
}

/// Whether a body of this kind may go by itself. What is said goes with the rows that cite it; nothing else is about a thing.
pub(crate) fn may_go(kind: Kind) -> bool {
    matches!(kind, Kind::Withdrawn | Kind::Deleted | Kind::Restored | Kind::GraphSaved | Kind::HoldSet)
}

fn names_the_gone(batch: &mut Batch<'_>, tenant: TenantId, record: &Record) -> Result<bool> {
    let body = record.body().unwrap_or_default();
    match record.kind {
        Kind::GraphSaved => shows_the_gone(batch, tenant, record.lsn, &Graph::from_body(body)?),
        Kind::HoldSet => holds_the_gone(batch, tenant, record.lsn, &Hold::from_body(body)?),
        _ => is_gone(batch, tenant, body),
    }
}

fn is_gone(tx: &dyn Read, tenant: TenantId, id: &[u8]) -> Result<bool> {
    Ok(tx.get(Table::Names, Key::of(tenant).and(id).bytes())?.is_none())
}

/// A hold on what is gone was removed before, or is of a store from before a redaction that is done again.
fn holds_the_gone(batch: &mut Batch<'_>, tenant: TenantId, lsn: Lsn, hold: &Hold) -> Result<bool> {
    let Selection::Thing(id) = hold.selection()? else { return Ok(false) };
    if !is_gone(batch, tenant, id.as_bytes())? {
        return Ok(false);
    }
    batch.delete(Table::Holds, Key::of(tenant).and(&lsn).bytes());
    Ok(true)
}

/// Whether something on a graph is gone; the graph is saved without it.
fn shows_the_gone(batch: &mut Batch<'_>, tenant: TenantId, lsn: Lsn, graph: &Graph) -> Result<bool> {
    let mut left = graph.clone();
    left.nodes.clear();
    for node in &graph.nodes {
        if is_there(batch, tenant, ThingId(node.thing))? {
            left.nodes.push(*node);
        }
    }
    if left.nodes.len() == graph.nodes.len() {
        return Ok(false);
    }
    if let Some(row) = graph::graph_row(batch, tenant, &graph.id)?
        && row.version() == lsn
    {
        save_what_is_left(batch, tenant, left, &row)?;
    }
    Ok(true)
}

fn save_what_is_left(batch: &mut Batch<'_>, tenant: TenantId, left: Graph, before: &GraphRow) -> Result<()> {
    // What goes by its age may still be spoken of.
    let (name, note) = match is_redacting(batch, tenant)? {
        true => (NAMELESS.to_owned(), String::new()),
        false => (left.name, left.note),
    };
    let graph = Graph { name, note, replaces: before.version, ..left };
    let (maker, saved_us) = (ActorId(before.maker), batch.time_us(tenant)?);
    let lsn = record(batch, tenant, maker, Kind::GraphSaved, graph.encode_to_vec())?;
    let row = GraphRow::of(&graph, maker, lsn, saved_us, Some(before));
    batch.put(Table::Graphs, graph::key(tenant, &graph.id).bytes(), row.encode_to_vec());
    Ok(())
}

fn is_redacting(tx: &dyn Read, tenant: TenantId) -> Result<bool> {
    let (prefix, mut found) = (Key::of(tenant), false);
    tx.scan(Table::Erasing, prefix.bytes(), prefix.end().as_deref(), &mut |_, _| {
        found = true;
        Ok(ControlFlow::Break(()))
    })?;
    Ok(found)
}

/// Whether nobody can read a record any more because of what was recorded since.
fn is_replaced(tx: &dyn Read, tenant: TenantId, record: &Record) -> Result<bool> {
    match record.kind {
        Kind::Withdrawn => Ok(true),
        Kind::GraphSaved => {
            let graph = Graph::from_body(record.body().unwrap_or_default())?;
            let row = graph::graph_row(tx, tenant, &graph.id)?;
            Ok(row.is_none_or(|row| row.version() != record.lsn))
        }
        _ => Ok(false),
    }
}

fn is_there(tx: &dyn Read, tenant: TenantId, thing: ThingId) -> Result<bool> {
    Ok(tx.get(Table::Things, Key::of(tenant).and(&thing).bytes())?.is_some())
}
