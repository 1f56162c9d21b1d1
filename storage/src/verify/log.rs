//! The log: its order, its ledger, and what it tells about all the other tables.

use std::collections::{BTreeMap, HashMap};
use std::ops::ControlFlow;

use roaring::RoaringTreemap;

use super::erasure::ToldOfErasure;
use super::{Check, TenantRoot};
use crate::commands::may_go;
use crate::error::Result;
use crate::ids::{Lsn, TenantId};
use crate::ledger::{Coord, Frontier, Hash};
use crate::model::{DecisionSegment, EpochBegan, FlagSet, Graph, PolicySet, RunEnd};
use crate::record::{Kind, Record};
use crate::rows::{FlagRow, GraphRow, HeadRow};
use crate::tables::{Key, Table};

/// What a tenant's log tells, as far as other tables must agree with it.
#[derive(Default)]
pub(super) struct Told {
    /// Positions of all assertions that have a body: each is what a source says now, or said before.
    pub(super) asserted: RoaringTreemap,
    /// The runs that began, and those that ended.
    pub(super) began: RoaringTreemap,
    pub(super) ended: RoaringTreemap,
    /// How often a thing was hidden and shown.
    pub(super) hidden: HashMap<String, usize>,
    pub(super) tokens: u64,
    /// The digest of each policy, by the position of the record that set it.
    pub(super) policies: BTreeMap<u64, Vec<u8>>,
    /// The digest of each closed segment of decisions, by its number.
    pub(super) decisions: BTreeMap<u64, Vec<u8>>,
    /// The row of each saved graph, by its id.
    pub(super) graphs: BTreeMap<String, GraphRow>,
    /// The row of each flag that is set, by its name, and whether the node was stopped from heeding it.
    pub(super) flags: BTreeMap<String, FlagRow>,
    pub(super) stopped: BTreeMap<String, bool>,
    /// Whom outside issuers named, and which of their tokens are denied.
    pub(super) subjects: u64,
    pub(super) denied_tokens: u64,
    /// Positions of records with bodies that may go by themselves.
    pub(super) loose: RoaringTreemap,
    /// What was erased, and what is held.
    pub(super) erasure: ToldOfErasure,
}

impl Told {
    fn add(&mut self, record: &Record) -> Result<()> {
        let position = record.lsn.0;
        self.erasure.add(record)?;
        if may_go(record.kind) && record.body().is_some() {
            self.loose.insert(position);
        }
        match (record.kind, record.body()) {
            (Kind::Asserted, Some(_)) => drop(self.asserted.insert(position)),
            (Kind::RunBegan, _) => drop(self.began.insert(position)),
            (Kind::RunEnded, Some(body)) => drop(self.ended.insert(RunEnd::from_body(body)?.run)),
            (Kind::Deleted | Kind::Restored, Some(id)) => {
                *self.hidden.entry(String::from_utf8_lossy(id).into_owned()).or_default() += 1;
            }
            (Kind::Token, _) => self.tokens += 1,
            (Kind::Policy, Some(body)) => {
                let digest = crate::commands::policy_digest(&PolicySet::from_body(body)?.text);
                self.policies.insert(position, digest.to_vec());
            }
            (Kind::DecisionsClosed, Some(body)) => {
                let segment = DecisionSegment::from_body(body)?;
                self.decisions.insert(segment.number, segment.sha256);
            }
            (Kind::GraphSaved, Some(body)) => {
                let graph = Graph::from_body(body)?;
                let before = self.graphs.get(&graph.id);
                let row = GraphRow::of(&graph, record.actor, record.lsn, record.time_us, before);
                self.graphs.insert(graph.id, row);
            }
            (Kind::GraphDeleted, Some(id)) => drop(self.graphs.remove(&*String::from_utf8_lossy(id))),
            (Kind::FlagSet, Some(body)) => {
                let set = FlagSet::from_body(body)?;
                match FlagRow::of(&set, record.actor, record.lsn, record.time_us) {
                    Some(row) => drop(self.flags.insert(set.flag, row)),
                    None => drop(self.flags.remove(&set.flag)),
                }
            }
            (kind @ (Kind::FlagStopped | Kind::FlagResumed), Some(flag)) => {
                let flag = String::from_utf8_lossy(flag).into_owned();
                self.stopped.insert(flag, kind == Kind::FlagStopped);
            }
            (Kind::SubjectMet, _) => self.subjects += 1,
            (Kind::OutsideTokenDenied, _) => self.denied_tokens += 1,
            _ => {}
        }
        Ok(())
    }
}

impl Check<'_> {
    /// Recomputes a tenant's tree from its log, and compares it with all that is stored of it. `None`
    /// if the log cannot be read to its end.
    pub(super) fn log(&mut self, tenant: TenantId, head: &HeadRow) -> Result<Option<(TenantRoot, Told)>> {
        let (mut frontier, mut completed) = (Frontier::default(), Vec::new());
        let (mut told, mut time_us, mut backwards) = (Told::default(), i64::MIN, None);
        let view = self.view;
        let read = view.records(tenant, Lsn::FIRST, &mut |record| {
            self.step(record.header.len() + record.body().map_or(0, <[u8]>::len))?;
            if let (Kind::EpochBegan, Some(body)) = (record.kind, record.body()) {
                self.began(head, &EpochBegan::from_body(body)?, &frontier);
            }
            frontier.push(record.leaf().hash(), &mut completed);
            if record.time_us < time_us {
                backwards.get_or_insert(record.lsn);
            }
            time_us = record.time_us;
            told.add(&record)?;
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
        self.subtrees(tenant, head, &completed)?;
        let root = TenantRoot { size: frontier.size(), root: frontier.root() };
        Ok(Some((root, told)))
    }

    /// The beginning of an epoch says which tree it goes on with, and that is the one in front of it.
    fn began(&mut self, head: &HeadRow, began: &EpochBegan, before: &Frontier) {
        if began.old_size != before.size() || began.old_root != before.root() {
            let (epoch, size) = (began.epoch, began.old_size);
            self.problem(format!(
                "ledger of {}: epoch {epoch} does not go on with the {size} records before it",
                head.name
            ));
        }
        self.epoch = self.epoch.max(began.epoch);
    }

    fn subtrees(&mut self, tenant: TenantId, head: &HeadRow, completed: &[(Coord, Hash)]) -> Result<()> {
        for (coord, root) in completed {
            let key = Key::of(tenant).and(&coord.level).and(&coord.index);
            if !self.holds(Table::Subtrees, &key, root)? {
                self.problem(format!("ledger of {}: subtree {}/{}", head.name, coord.level, coord.index));
            }
        }
        let stored = self.count(Table::Subtrees, &Key::of(tenant))?;
        self.agree(format_args!("subtrees of {}", head.name), stored, completed.len() as u64);
        Ok(())
    }
}
