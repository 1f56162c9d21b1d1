//! The edges at the ends of a thing.

use std::ops::ControlFlow;

use super::View;
use crate::batch::id_u32;
use crate::error::Result;
use crate::ids::{LabelId, SymbolId, TenantId, ThingId};
use crate::tables::{Key, Table, key_u32, key_u64};
use crate::tx::Read;

/// Which end of its edges a thing is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// Edges that leave it.
    Out,
    /// Edges that point to it.
    In,
}

/// One edge of a thing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Edge {
    /// The relation's kind.
    pub kind: SymbolId,
    /// The relation, a thing of its own.
    pub relation: ThingId,
    /// The thing at the other end.
    pub other: ThingId,
    /// The relation's only label; `LabelId::SYSTEM` if it has several, or drew this edge only once: its
    /// rows tell.
    pub label: LabelId,
}

impl View {
    /// Visits the edges at one end of a thing, ordered by kind, relation and other end; those after
    /// `after`, of one kind if `kind` is given.
    ///
    /// # Errors
    /// See [`View::node`], and whatever the visitor returns.
    pub fn edges(
        &self,
        tenant: TenantId,
        thing: ThingId,
        end: End,
        kind: Option<SymbolId>,
        after: Option<Edge>,
        visit: &mut dyn FnMut(Edge) -> Result<ControlFlow<()>>,
    ) -> Result<()> {
        let table = match end {
            End::Out => Table::EdgesOut,
            End::In => Table::EdgesIn,
        };
        let mut prefix = Key::of(tenant).and(&thing);
        if let Some(kind) = kind {
            prefix = prefix.and(&kind);
        }
        let from = match after {
            Some(edge) => {
                past(&Key::of(tenant).and(&thing).and(&edge.kind).and(&edge.relation).and(&edge.other))
            }
            None => prefix.bytes().to_vec(),
        };
        // A cursor of another question must not lead in front of what this one asks for.
        let from = from.max(prefix.bytes().to_vec());
        self.scan(table, &from, prefix.end().as_deref(), &mut |key, value| visit(edge(key, value)?))
    }
}

/// The smallest key above this one.
fn past(key: &Key) -> Vec<u8> {
    let mut bytes = key.bytes().to_vec();
    bytes.push(0);
    bytes
}

fn edge(key: &[u8], value: &[u8]) -> Result<Edge> {
    Ok(Edge {
        kind: SymbolId(key_u32(key, 12)),
        relation: ThingId(key_u64(key, 16)),
        other: ThingId(key_u64(key, 24)),
        label: LabelId(id_u32(value, "edge label")?),
    })
}
