//! Graphs that somebody saved.

use super::View;
use crate::error::Result;
use crate::ids::{Lsn, TenantId};
use crate::model::Graph;
use crate::rows::{GraphRow, decode};
use crate::tables::{Key, Table};

impl View {
    /// Who saved a graph, when, and what one must be allowed to see to open it.
    ///
    /// # Errors
    /// See [`View::node`].
    pub fn graph(&self, tenant: TenantId, id: &str) -> Result<Option<GraphRow>> {
        crate::commands::graph_row(self, tenant, id)
    }

    /// Every graph of a tenant, by id.
    ///
    /// # Errors
    /// See [`View::node`].
    pub fn graphs(&self, tenant: TenantId) -> Result<Vec<(String, GraphRow)>> {
        let (mut graphs, prefix) = (Vec::new(), Key::of(tenant));
        let id_at = prefix.bytes().len();
        self.each(Table::Graphs, &prefix, &mut |key, value| {
            let id = String::from_utf8_lossy(&key[id_at..]).into_owned();
            graphs.push((id, decode(value, "graph row")?));
            Ok(())
        })?;
        Ok(graphs)
    }

    /// A graph as it was saved; `None` if its body was erased.
    ///
    /// # Errors
    /// See [`View::record`].
    pub fn graph_saved(&self, tenant: TenantId, version: Lsn) -> Result<Option<Graph>> {
        self.record(tenant, version)?.body().map(Graph::from_body).transpose()
    }
}
