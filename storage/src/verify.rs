//! Verification: everything that the store promises about itself, recomputed from its rows.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use sha2::{Digest, Sha256};

use crate::error::{Error, Result};
use crate::ids::{Lsn, TenantId, ThingId};
use crate::ledger::{Frontier, Hash};
use crate::record::{Content, Kind};
use crate::rows::{HeadRow, SaidRow, ThingRow};
use crate::tables::{Key, Table, key_u64};
use crate::tx::Read;
use crate::view::{End, View};

/// Problems beyond this many are counted only.
const PROBLEMS_MAX: usize = 100;

/// What a verification found.
#[derive(Clone, Debug)]
pub struct Report {
    /// The last commit.
    pub commit: u64,
    /// The epoch of the ledgers.
    pub epoch: u32,
    /// Bytes of the rows read.
    pub bytes: u64,
    /// The ledger of each tenant, recomputed from its log.
    pub roots: BTreeMap<String, TenantRoot>,
    /// What is wrong, in words; empty if nothing is.
    pub problems: Vec<String>,
}

/// Size and root of a tenant's ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TenantRoot {
    /// Records in the ledger.
    pub size: u64,
    /// The root of its tree.
    pub root: Hash,
}

impl View {
    /// Reads every row and recomputes every ledger, name, edge and digest.
    ///
    /// Takes as long as reading the store does. `progress` receives the bytes read so far.
    ///
    /// # Errors
    /// `Io` or `Poisoned` if reading itself fails; damage is not an error but a problem in the report.
    pub fn verify(&self, progress: &mut dyn FnMut(u64)) -> Result<Report> {
        let mut check = Check {
            view: self,
            problems: Vec::new(),
            bytes: 0,
            progress,
        };
        let node = check.or_problem(self.node())?.unwrap_or_default();
        for table in Table::ALL {
            check.rows(*table)?;
        }
        let mut roots = BTreeMap::new();
        for (tenant, head) in check.or_problem(self.tenants())?.unwrap_or_default() {
            if let Some(root) = check.ledger(tenant, &head)? {
                roots.insert(head.name.clone(), root);
            }
            check.things(tenant, &head)?;
        }
        let Check {
            problems, bytes, ..
        } = check;
        Ok(Report {
            commit: node.commit,
            epoch: node.epoch,
            bytes,
            roots,
            problems,
        })
    }
}

struct Check<'v> {
    view: &'v View,
    problems: Vec<String>,
    bytes: u64,
    progress: &'v mut dyn FnMut(u64),
}

impl Check<'_> {
    fn problem(&mut self, problem: String) {
        if self.problems.len() < PROBLEMS_MAX {
            self.problems.push(problem);
        }
    }

    /// Damage becomes a problem, other errors stay errors.
    fn or_problem<T>(&mut self, result: Result<T>) -> Result<Option<T>> {
        match result {
            Ok(value) => Ok(Some(value)),
            Err(error @ (Error::Io(_) | Error::Poisoned { .. })) => Err(error),
            Err(damage) => {
                self.problem(damage.to_string());
                Ok(None)
            }
        }
    }

    /// Reads every row of a table, and with it every checksum. Damage ends the reading of that table:
    /// behind a damaged key nobody knows what follows.
    fn rows(&mut self, table: Table) -> Result<()> {
        let mut bytes = 0;
        let scanned = self.view.scan(table, &[], None, &mut |key, value| {
            bytes += (key.len() + value.len()) as u64;
            Ok(ControlFlow::Continue(()))
        });
        self.bytes += bytes;
        (self.progress)(self.bytes);
        self.or_problem(scanned)?;
        Ok(())
    }

    /// Recomputes a tenant's tree from its log, and compares it with all that is stored of it.
    fn ledger(&mut self, tenant: TenantId, head: &HeadRow) -> Result<Option<TenantRoot>> {
        let (mut frontier, mut completed) = (Frontier::default(), Vec::new());
        let mut time_us = i64::MIN;
        let mut backwards = None;
        let read = self.view.records(tenant, Lsn::FIRST, &mut |record| {
            frontier.push(record.leaf().hash(), &mut completed);
            if record.time_us < time_us {
                backwards.get_or_insert(record.lsn);
            }
            time_us = record.time_us;
            Ok(ControlFlow::Continue(()))
        });
        if self.or_problem(read)?.is_none() {
            return Ok(None);
        }
        if let Some(lsn) = backwards {
            self.problem(format!("log of {}: time goes back at {lsn}", head.name));
        }
        if frontier.size() != head.head().0 || frontier.encode() != head.frontier {
            let (size, head_lsn) = (frontier.size(), head.head());
            self.problem(format!(
                "ledger of {}: the log has {size} records, the head says {head_lsn}",
                head.name
            ));
        }
        for (coord, root) in completed {
            let key = Key::of(tenant).and(&coord.level).and(&coord.index);
            let stored = self.view.get(Table::Subtrees, key.bytes());
            if self.or_problem(stored)?.flatten().as_deref() != Some(&root) {
                self.problem(format!(
                    "ledger of {}: subtree {}/{}",
                    head.name, coord.level, coord.index
                ));
            }
        }
        Ok(Some(TenantRoot {
            size: frontier.size(),
            root: frontier.root(),
        }))
    }

    /// Checks that names lead to things and back, and every thing's assertions and edges.
    fn things(&mut self, tenant: TenantId, head: &HeadRow) -> Result<()> {
        let mut rows = Vec::new();
        let read = self.view.things(tenant, &mut |thing, row| {
            rows.push((thing, row));
            Ok(ControlFlow::Continue(()))
        });
        self.or_problem(read)?;
        let known = rows.len() as u64;
        if known != head.entities + head.relations {
            let counted = head.entities + head.relations;
            self.problem(format!(
                "things of {}: {known} rows, the head counts {counted}",
                head.name
            ));
        }
        for (thing, row) in rows {
            self.thing(tenant, thing, &row)?;
        }
        self.edges(tenant)
    }

    fn thing(&mut self, tenant: TenantId, thing: ThingId, row: &ThingRow) -> Result<()> {
        let name = self
            .view
            .get(Table::Names, Key::of(tenant).and(row.id.as_str()).bytes());
        if self.or_problem(name)?.flatten().as_deref() != Some(&thing.0.to_be_bytes()) {
            self.problem(format!("things: the name of {thing} does not lead to it"));
        }
        for said in &row.said {
            self.said(tenant, thing, said)?;
            for edge in &said.edges {
                self.edge(tenant, thing, End::Out, edge.from(), edge.to(), edge.kind)?;
                self.edge(tenant, thing, End::In, edge.to(), edge.from(), edge.kind)?;
            }
        }
        Ok(())
    }

    fn said(&mut self, tenant: TenantId, thing: ThingId, said: &SaidRow) -> Result<()> {
        let Some(record) = self.or_problem(self.view.record(tenant, said.lsn()))? else {
            return Ok(());
        };
        if record.kind != Kind::Asserted || record.label != said.label() {
            self.problem(format!(
                "things: {thing} cites record {}, which is not its assertion",
                said.lsn
            ));
        }
        if let Content::Held { body, .. } = &record.content
            && Sha256::digest(body)[..16] != said.digest
        {
            self.problem(format!(
                "things: {thing} cites record {} with another digest",
                said.lsn
            ));
        }
        Ok(())
    }

    fn edge(
        &mut self,
        tenant: TenantId,
        relation: ThingId,
        end: End,
        near: ThingId,
        far: ThingId,
        kind: u32,
    ) -> Result<()> {
        let table = match end {
            End::Out => Table::EdgesOut,
            End::In => Table::EdgesIn,
        };
        let key = Key::of(tenant)
            .and(&near)
            .and(&crate::ids::SymbolId(kind))
            .and(&relation)
            .and(&far);
        let row = self.view.get(table, key.bytes());
        if self.or_problem(row)?.flatten().is_none() {
            self.problem(format!("{}: no row for relation {relation}", table.name()));
        }
        Ok(())
    }

    /// Every edge row must be cited by its relation.
    fn edges(&mut self, tenant: TenantId) -> Result<()> {
        for table in [Table::EdgesOut, Table::EdgesIn] {
            let prefix = Key::of(tenant);
            let mut keys = Vec::new();
            let read = self.view.scan(
                table,
                prefix.bytes(),
                prefix.end().as_deref(),
                &mut |key, _| {
                    keys.push((
                        ThingId(key_u64(key, 4)),
                        ThingId(key_u64(key, 16)),
                        ThingId(key_u64(key, 24)),
                    ));
                    Ok(ControlFlow::Continue(()))
                },
            );
            self.or_problem(read)?;
            for (near, relation, far) in keys {
                self.cited(tenant, table, near, relation, far)?;
            }
        }
        Ok(())
    }

    fn cited(
        &mut self,
        tenant: TenantId,
        table: Table,
        near: ThingId,
        relation: ThingId,
        far: ThingId,
    ) -> Result<()> {
        let ends = if table == Table::EdgesOut {
            (near, far)
        } else {
            (far, near)
        };
        let row = self.or_problem(self.view.thing(tenant, relation))?;
        let cited = row.is_some_and(|row| {
            row.said
                .iter()
                .flat_map(|said| &said.edges)
                .any(|edge| (edge.from(), edge.to()) == ends)
        });
        if !cited {
            self.problem(format!(
                "{}: a row that relation {relation} does not cite",
                table.name()
            ));
        }
        Ok(())
    }
}
