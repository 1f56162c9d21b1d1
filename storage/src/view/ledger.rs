//! A tenant's ledger tree.

use std::ops::{ControlFlow, Range};

use super::View;
use crate::error::{Error, Result};
use crate::ids::{Lsn, TenantId};
use crate::ledger::{self, Hash, Hashes};
use crate::tables::{Key, Table};
use crate::tx::Read;

impl View {
    /// The name of a tenant's ledger: `intelgraph/<node>/<tenant>/<epoch>`.
    ///
    /// # Errors
    /// `NotFound` if there is no such tenant; see [`View::node`].
    pub fn origin(&self, tenant: TenantId) -> Result<String> {
        let (node, head) = (self.node()?, self.head(tenant)?);
        Ok(format!("intelgraph/{}/{}/{}", node.node_id, head.name, node.epoch))
    }

    /// The hashes of a tenant's ledger tree, for proofs.
    #[must_use]
    pub fn ledger(&self, tenant: TenantId) -> Ledger<'_> {
        Ledger { view: self, tenant }
    }
}

/// The hashes of a tenant's ledger tree: leaves are recomputed from the log, the rest is stored.
pub struct Ledger<'v> {
    view: &'v View,
    tenant: TenantId,
}

impl Hashes for Ledger<'_> {
    type Error = Error;

    fn read(&self, level: u8, range: Range<u64>) -> Result<Vec<Hash>> {
        if level == 0 { self.leaves(range) } else { self.subtrees(level, range) }
    }
}

impl Ledger<'_> {
    fn leaves(&self, range: Range<u64>) -> Result<Vec<Hash>> {
        let mut hashes = Vec::with_capacity((range.end - range.start) as usize);
        self.view.records(self.tenant, Lsn(range.start + 1), &mut |record| {
            hashes.push(record.leaf().hash());
            let more = (hashes.len() as u64) < range.end - range.start;
            Ok(if more { ControlFlow::Continue(()) } else { ControlFlow::Break(()) })
        })?;
        Ok(hashes)
    }

    fn subtrees(&self, level: u8, range: Range<u64>) -> Result<Vec<Hash>> {
        let mut hashes = Vec::new();
        let key = |index: u64| Key::of(self.tenant).and(&level).and(&index);
        let (from, to) = (key(range.start), key(range.end));
        self.view.scan(Table::Subtrees, from.bytes(), Some(to.bytes()), &mut |_, value| {
            hashes.push(crate::model::exactly(value, "subtree root")?);
            Ok(ControlFlow::Continue(()))
        })?;
        Ok(hashes)
    }

    /// The leaf data of every record up to a size, in order: what an export holds.
    ///
    /// # Errors
    /// See [`View::records`], and whatever the visitor returns.
    pub fn entries(&self, size: u64, visit: &mut dyn FnMut(ledger::Leaf) -> Result<()>) -> Result<()> {
        let mut left = size;
        if left == 0 {
            return Ok(());
        }
        self.view.records(self.tenant, Lsn::FIRST, &mut |record| {
            visit(record.leaf())?;
            left -= 1;
            Ok(if left > 0 { ControlFlow::Continue(()) } else { ControlFlow::Break(()) })
        })
    }
}
