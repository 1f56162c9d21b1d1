//! Keeps graphs, and lets go of them.

use prost::Message;

use super::{Applied, Effect};
use crate::batch::{Batch, head_row, scan_prefix};
use crate::error::{Error, Result};
use crate::ids::{ActorId, LabelId, Lsn, TenantId};
use crate::model::Graph;
use crate::record::{Draft, Kind};
use crate::rows::{GraphRow, HeadRow, decode};
use crate::tables::{Key, Table};
use crate::tx::{Read, Tx};

/// Most graphs of one maker.
pub const GRAPHS_OF_MAKER_MAX: usize = 500;
/// Most graphs of a tenant.
pub const GRAPHS_MAX: usize = 10_000;

/// Keeps a graph: a new one, or in place of the version that its maker saw. Only its maker changes it.
#[derive(Clone, Debug)]
pub struct SaveGraph {
    /// Whose graph.
    pub tenant: TenantId,
    /// Who keeps it.
    pub actor: ActorId,
    /// The graph, and the version that it replaces.
    pub graph: Graph,
}

/// Lets go of a graph. Who may is for the shell to decide.
#[derive(Clone, Debug)]
pub struct DeleteGraph {
    /// Whose graph.
    pub tenant: TenantId,
    /// Who lets go of it.
    pub actor: ActorId,
    /// Its id.
    pub id: String,
}

pub(super) fn save(batch: &mut Batch<'_>, command: &SaveGraph) -> Result<Applied> {
    let before = check(batch, command)?;
    let (tenant, graph) = (command.tenant, &command.graph);
    let saved_us = batch.time_us(tenant)?;
    let lsn = record(batch, tenant, command.actor, Kind::GraphSaved, graph.encode_to_vec())?;
    let row = GraphRow::of(graph, command.actor, lsn, saved_us, before.as_ref());
    batch.put(Table::Graphs, key(tenant, &graph.id).bytes(), row.encode_to_vec());
    let effect = if before.is_some() { Effect::Updated } else { Effect::Created };
    Ok(Applied { lsn, effect })
}

pub(super) fn delete(batch: &mut Batch<'_>, command: &DeleteGraph) -> Result<Applied> {
    let (tenant, id) = (command.tenant, &command.id);
    head_row(batch, tenant)?;
    graph_row(batch, tenant, id)?.ok_or_else(|| missing(id))?;
    batch.delete(Table::Graphs, key(tenant, id).bytes());
    let lsn = record(batch, tenant, command.actor, Kind::GraphDeleted, id.as_bytes().to_vec())?;
    Ok(Applied { lsn, effect: Effect::Done })
}

/// The row that is replaced; `None` for a new graph. Another maker's is as absent as none, and two who save over one
/// version do not overwrite each other unseen: the second is refused.
fn check(batch: &mut Batch<'_>, command: &SaveGraph) -> Result<Option<GraphRow>> {
    let (tenant, graph) = (command.tenant, &command.graph);
    graph.validate()?;
    names_what_is_there(graph, batch.counters(tenant)?)?;
    let seen = Lsn(graph.replaces);
    match graph_row(batch, tenant, &graph.id)? {
        Some(row) if row.maker != command.actor.0 => Err(missing(&graph.id)),
        Some(row) if row.version() != seen => {
            Err(Error::Superseded { what: "graph", seen, now: row.version() })
        }
        None if seen != Lsn::NONE => Err(missing(&graph.id)),
        None => within_limits(batch, command).map(|()| None),
        found => Ok(found),
    }
}

/// Things and labels are numbered from 1 without a gap.
fn names_what_is_there(graph: &Graph, head: &HeadRow) -> Result<()> {
    let thing = graph.nodes.iter().map(|node| node.thing).find(|thing| !(1..head.next_thing).contains(thing));
    if let Some(thing) = thing {
        return Err(Error::NotFound { what: "thing", name: thing.to_string() });
    }
    let label =
        graph.labels.iter().chain(&graph.relation_labels).find(|label| !(1..head.next_label).contains(label));
    label.map_or(Ok(()), |label| Err(Error::NotFound { what: "label", name: label.to_string() }))
}

fn within_limits(tx: &dyn Read, command: &SaveGraph) -> Result<()> {
    let (mut all, mut own) = (0, 0);
    scan_prefix(tx, Table::Graphs, &Key::of(command.tenant), &mut |_, row| {
        all += 1;
        own += usize::from(decode::<GraphRow>(row, "graph row")?.maker == command.actor.0);
        Ok(())
    })?;
    let limit = |what, count: usize, max: usize| match count < max {
        true => Ok(()),
        false => Err(Error::invalid(what, &count.to_string(), format!("at most {max}; delete one first"))),
    };
    limit("graphs of one maker", own, GRAPHS_OF_MAKER_MAX)?;
    limit("graphs of a tenant", all, GRAPHS_MAX)
}

/// The row of a graph, if there is one.
pub(crate) fn graph_row(tx: &dyn Read, tenant: TenantId, id: &str) -> Result<Option<GraphRow>> {
    let row = tx.get(Table::Graphs, key(tenant, id).bytes())?;
    row.map(|row| decode(&row, "graph row")).transpose()
}

/// Where the row of a graph is.
pub(crate) fn key(tenant: TenantId, id: &str) -> Key {
    Key::of(tenant).and(id)
}

fn missing(id: &str) -> Error {
    Error::NotFound { what: "graph", name: id.to_owned() }
}

fn record(batch: &mut Batch<'_>, tenant: TenantId, actor: ActorId, kind: Kind, body: Vec<u8>) -> Result<Lsn> {
    let draft = Draft { kind, actor, purpose: 0, retention: 0, label: LabelId::SYSTEM, body };
    batch.append(tenant, &draft)
}
