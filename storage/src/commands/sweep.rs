//! Goes through the log for bodies that nothing cites any more.

use std::collections::BTreeSet;
use std::ops::ControlFlow;

use prost::Message;

use super::graph;
use super::redact::record;
use crate::batch::Batch;
use crate::error::Result;
use crate::ids::{ActorId, Lsn, TenantId, ThingId};
use crate::model::{Graph, Hold, Selection};
use crate::record::{Kind, Record, Row};
use crate::rows::GraphRow;
use crate::tables::{Key, Table, key_u64};
use crate::tx::{Read, Tx};

/// Packed rows of so many bytes are gone through at a time.
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

/// Goes through a part of the log, from a position on. A graph on which something is that is gone is saved without it.
pub(super) fn sweep(batch: &mut Batch<'_>, tenant: TenantId, from: Lsn, rule: Rule) -> Result<Swept> {
    batch.close_row(tenant)?;
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

/// The records of a part of the log that may go, and where the next part begins.
fn candidates(tx: &dyn Read, tenant: TenantId, from: Lsn) -> Result<(Vec<Record>, Option<Lsn>)> {
    let prefix = Key::of(tenant);
    let from = from.max(Lsn::FIRST);
    let start = tx.last_at(Table::Log, prefix.bytes(), Key::of(tenant).and(&from).bytes())?;
    let start = start.map_or_else(|| prefix.bytes().to_vec(), |(key, _)| key);
    let (mut found, mut bytes, mut next) = (Vec::new(), 0, None);
    tx.scan(Table::Log, &start, prefix.end().as_deref(), &mut |key, row| {
        if bytes >= BYTES_MAX {
            next = Some(Lsn(key_u64(key, 4)));
            return Ok(ControlFlow::Break(()));
        }
        bytes += row.len();
        let row = Row::parse(row)?;
        for place in 0..row.len() {
            if may_go(row.kind(place)?) {
                found.push(row.record(place)?);
            }
        }
        Ok(ControlFlow::Continue(()))
    })?;
    found.retain(|record| record.body().is_some());
    Ok((found, next))
}

/// What is said goes with the rows that cite it; nothing else here is about a thing.
fn may_go(kind: Kind) -> bool {
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
