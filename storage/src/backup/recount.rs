//! The ledgers of a backup, recomputed from its rows as they pass by.

use std::collections::BTreeMap;

use crate::error::{Error, Result};
use crate::ids::TenantId;
use crate::ledger::Frontier;
use crate::record::Row;
use crate::rows::{HeadRow, NodeRow, decode};
use crate::tables::{Table, key_u32, key_u64};
use crate::verify::TenantRoot;

/// What was counted so far.
#[derive(Default)]
pub struct Recount {
    node: NodeRow,
    heads: BTreeMap<TenantId, HeadRow>,
    trees: BTreeMap<TenantId, Frontier>,
}

impl Recount {
    /// Takes a row; they come table by table and in order.
    ///
    /// # Errors
    /// `Corrupt` if a row cannot be read, or the log has a hole.
    pub fn push(&mut self, table: Table, key: &[u8], value: &[u8]) -> Result<()> {
        match table {
            Table::Node => self.node = decode(value, "node row")?,
            Table::Heads => drop(self.heads.insert(TenantId(key_u32(key, 0)), decode(value, "head row")?)),
            Table::Log => self.log(key, value)?,
            _ => {}
        }
        Ok(())
    }

    /// The node's row, and the ledger of each tenant.
    ///
    /// # Errors
    /// `Corrupt` if a ledger is not the one that its tenant's head tells of.
    pub fn end(self) -> Result<(NodeRow, BTreeMap<String, TenantRoot>)> {
        let Recount { node, heads, mut trees } = self;
        let mut roots = BTreeMap::new();
        for (tenant, head) in heads {
            let tree = trees.remove(&tenant).unwrap_or_default();
            if tree.encode() != head.frontier && !(tree.size() == 0 && head.head().0 == 0) {
                return Err(hole(&head.name, tree.size()));
            }
            roots.insert(head.name, TenantRoot { size: tree.size(), root: tree.root() });
        }
        match trees.first_key_value() {
            None => Ok((node, roots)),
            Some((tenant, tree)) => Err(hole(&tenant.to_string(), tree.size())),
        }
    }

    fn log(&mut self, key: &[u8], value: &[u8]) -> Result<()> {
        let (tenant, row) = (TenantId(key_u32(key, 0)), Row::parse(value)?);
        let tree = self.trees.entry(tenant).or_default();
        for (lsn, place) in (key_u64(key, 4)..).zip(0..row.len()) {
            let record = row.record(place)?;
            if record.lsn.0 != lsn || lsn != tree.size() + 1 {
                return Err(hole(&tenant.to_string(), tree.size()));
            }
            tree.push(record.leaf().hash(), &mut Vec::new());
        }
        Ok(())
    }
}

fn hole(tenant: &str, size: u64) -> Error {
    let detail =
        format!("the ledger of tenant {tenant} is not the one that its head tells of, after {size} records");
    Error::Corrupt { what: "backup", detail }
}
