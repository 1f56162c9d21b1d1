//! Tenants, tokens, runs, what waits, and the tables that give words their numbers.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use prost::Message;

use super::Check;
use super::log::Told;
use crate::changes::noted_bytes;
use crate::commands::{flag_key, graph_key, in_time, taken_at};
use crate::error::Result;
use crate::ids::TenantId;
use crate::rows::{HeadRow, NodeRow, OnceRow, RunRow, decode};
use crate::tables::{Key, Table, key_u64};
use crate::tx::Read;

impl Check<'_> {
    pub(super) fn tenants(&mut self, node: &NodeRow, heads: &[(TenantId, HeadRow)]) -> Result<()> {
        let made = u64::from(node.next_tenant.saturating_sub(1));
        self.agree(format_args!("heads"), heads.len() as u64, made);
        for (tenant, head) in heads {
            let found = self.view.tenant(&head.name);
            if self.or_problem(found)?.flatten() != Some(*tenant) {
                self.problem(format!("tenants: the name {} does not lead to {tenant}", head.name));
            }
        }
        let names = self.count(Table::Tenants, &Key::default())?;
        self.agree(format_args!("tenants"), names, made);
        Ok(())
    }

    /// Every token is a record of some tenant, and has an actor of its own; so has whom an outside issuer named.
    pub(super) fn tokens(&mut self, node: &NodeRow, told: u64, subjects: u64) -> Result<()> {
        let tokens = self.count(Table::Tokens, &Key::default())?;
        self.agree(format_args!("tokens"), tokens, told);
        self.agree(format_args!("actors"), node.next_actor.saturating_sub(1), tokens + subjects);
        Ok(())
    }

    /// The epoch is the last that any ledger tells of; a tenant made after it tells of none.
    pub(super) fn epoch(&mut self, node: &NodeRow, tenants: usize) -> Result<()> {
        if tenants > 0 {
            self.agree(format_args!("epoch"), node.epoch, self.epoch);
        }
        Ok(())
    }

    /// What is noted for backups is counted by the node alone.
    pub(super) fn changes(&mut self, node: &NodeRow) -> Result<()> {
        let noted = noted_bytes(self.view);
        if let Some(bytes) = self.or_problem(noted)? {
            self.agree(format_args!("bytes of changes noted"), bytes, node.changes_bytes);
        }
        Ok(())
    }

    pub(super) fn subjects(&mut self, tenant: TenantId, head: &HeadRow, told: &Told) -> Result<()> {
        let subjects = self.count(Table::Subjects, &Key::of(tenant))?;
        self.agree(format_args!("subjects of {}", head.name), subjects, told.subjects);
        let denied = self.count(Table::DeniedTokens, &Key::of(tenant))?;
        self.agree(format_args!("denied tokens of {}", head.name), denied, told.denied_tokens);
        Ok(())
    }

    pub(super) fn runs(&mut self, tenant: TenantId, head: &HeadRow, told: &Told) -> Result<()> {
        let (mut began, mut ended) = (0, 0);
        let prefix = Key::of(tenant);
        let scanned =
            self.view.scan(Table::Runs, prefix.bytes(), prefix.end().as_deref(), &mut |key, row| {
                let (run, row): (_, RunRow) = (key_u64(key, 4), decode(row, "run row")?);
                began += u64::from(told.began.contains(run));
                ended += u64::from(told.ended.contains(run) && row.end.is_some());
                Ok(ControlFlow::Continue(()))
            });
        self.or_problem(scanned)?;
        self.agree(format_args!("runs of {} that began", head.name), began, told.began.len());
        self.agree(format_args!("runs of {} that ended", head.name), ended, told.ended.len());
        Ok(())
    }

    /// What waits is no record; only the head counts it.
    pub(super) fn pending(&mut self, tenant: TenantId, head: &HeadRow) -> Result<()> {
        let waiting = self.count(Table::Pending, &Key::of(tenant))?;
        self.agree(format_args!("pending of {}", head.name), waiting, head.pending);
        Ok(())
    }

    /// So it is with files that were read in part.
    pub(super) fn progress(&mut self, tenant: TenantId, head: &HeadRow) -> Result<()> {
        let remembered = self.count(Table::Progress, &Key::of(tenant))?;
        self.agree(format_args!("files of {} read in part", head.name), remembered, head.progress);
        Ok(())
    }

    /// What is remembered of events is no record; the head counts it, and none came after the log's end.
    pub(super) fn events(&mut self, tenant: TenantId, head: &HeadRow) -> Result<()> {
        let (view, prefix) = (self.view, Key::of(tenant));
        let mut remembered = 0;
        let scanned = view.scan(Table::Events, prefix.bytes(), prefix.end().as_deref(), &mut |key, row| {
            remembered += 1;
            let taken = taken_at(key, row)?;
            if taken > head.head() {
                self.problem(format!("events of {}: one was taken at {taken}, behind the log", head.name));
            }
            Ok(ControlFlow::Continue(()))
        });
        self.or_problem(scanned)?;
        self.agree(format_args!("events of {}", head.name), remembered, head.events);
        Ok(())
    }

    /// Every policy that was set has its row, with the digest of its text, and no other has one.
    pub(super) fn policies(&mut self, tenant: TenantId, head: &HeadRow, told: &Told) -> Result<()> {
        self.digests(tenant, head, Table::Policies, &told.policies)
    }

    /// So it is with closed segments of decisions.
    pub(super) fn decisions(&mut self, tenant: TenantId, head: &HeadRow, told: &Told) -> Result<()> {
        self.digests(tenant, head, Table::Decisions, &told.decisions)
    }

    fn digests(
        &mut self,
        tenant: TenantId,
        head: &HeadRow,
        table: Table,
        told: &BTreeMap<u64, Vec<u8>>,
    ) -> Result<()> {
        for (number, digest) in told {
            if !self.holds(table, &Key::of(tenant).and(number), digest)? {
                self.problem(format!("{} of {}: the row of {number}", table.name(), head.name));
            }
        }
        let rows = self.count(table, &Key::of(tenant))?;
        self.agree(format_args!("{} of {}", table.name(), head.name), rows, told.len() as u64);
        Ok(())
    }

    /// Every graph that was saved and not deleted has its row, as its last record made it, and no other has one.
    pub(super) fn graphs(&mut self, tenant: TenantId, head: &HeadRow, told: &Told) -> Result<()> {
        for (id, row) in &told.graphs {
            let mut row = row.clone();
            if told.erasure.graphs
                && let Some(Some(stored)) = self.or_problem(self.view.graph(tenant, id))?
            {
                // Of a graph whose first version is erased only the row tells when it was made.
                row.made_us = row.made_us.min(stored.made_us);
            }
            if !self.holds(Table::Graphs, &graph_key(tenant, id), &row.encode_to_vec())? {
                self.problem(format!("graphs of {}: the row of {id}", head.name));
            }
        }
        let rows = self.count(Table::Graphs, &Key::of(tenant))?;
        self.agree(format_args!("graphs of {}", head.name), rows, told.graphs.len() as u64);
        Ok(())
    }

    /// Every flag that is set has its row, as its last record made it, and no other has one.
    pub(super) fn flags(&mut self, tenant: TenantId, head: &HeadRow, told: &Told) -> Result<()> {
        for (flag, row) in &told.flags {
            if !self.holds(Table::Flags, &flag_key(tenant, flag), &row.encode_to_vec())? {
                self.problem(format!("flags of {}: the row of {flag}", head.name));
            }
        }
        let rows = self.count(Table::Flags, &Key::of(tenant))?;
        self.agree(format_args!("flags of {}", head.name), rows, told.flags.len() as u64);
        Ok(())
    }

    /// A flag is stopped if the ledgers say so; one of a tenant that came later says nothing of it.
    pub(super) fn stopped(&mut self, node: &NodeRow, told: &BTreeMap<String, bool>) {
        let told = told.iter().filter(|(_, is_stopped)| **is_stopped).map(|(flag, _)| flag);
        if !node.stopped.iter().eq(told) {
            self.problem(format!("flags that are stopped: {:?} is not what the ledgers say", node.stopped));
        }
    }

    /// Nor is what was carried out once; each is there by its key and by its time.
    pub(super) fn once(&mut self, tenant: TenantId, head: &HeadRow) -> Result<()> {
        let prefix = Key::of(tenant);
        let mut known = 0;
        let view = self.view;
        let scanned = view.scan(Table::Once, prefix.bytes(), prefix.end().as_deref(), &mut |key, row| {
            known += 1;
            let row: OnceRow = decode(row, "once row")?;
            let in_time = in_time(tenant, row.at_us, &Key::default().and(key));
            if !self.holds(Table::OnceInTime, &in_time, &[])? {
                self.problem(format!("once of {}: a row that is in no order of time", head.name));
            }
            Ok(ControlFlow::Continue(()))
        });
        self.or_problem(scanned)?;
        self.agree(format_args!("once of {}", head.name), known, head.once);
        let ordered = self.count(Table::OnceInTime, &prefix)?;
        self.agree(format_args!("once in time of {}", head.name), ordered, head.once);
        Ok(())
    }

    /// Words, labels and sources: a number leads to a word, and the word back to the number.
    pub(super) fn dictionaries(&mut self, tenant: TenantId, head: &HeadRow) -> Result<()> {
        let word = |row: &[u8]| Ok(row.to_vec());
        self.dictionary(tenant, Table::Words, Table::Symbols, head.next_symbol, &word)?;
        self.dictionary(tenant, Table::Labels, Table::LabelIds, head.next_label, &word)?;
        let name = |row: &[u8]| Ok(crate::model::SourceSpec::decode(row)?.name.into_bytes());
        self.dictionary(tenant, Table::Sources, Table::SourceNames, head.next_source, &name)
    }

    fn dictionary(
        &mut self,
        tenant: TenantId,
        words: Table,
        numbers: Table,
        next: u32,
        word: &dyn Fn(&[u8]) -> Result<Vec<u8>>,
    ) -> Result<()> {
        let (view, prefix) = (self.view, Key::of(tenant));
        let (mut known, id_at) = (0, prefix.bytes().len());
        let scanned = view.scan(words, prefix.bytes(), prefix.end().as_deref(), &mut |key, row| {
            known += 1;
            if !self.holds(numbers, &Key::of(tenant).and(word(row)?.as_slice()), &key[id_at..])? {
                self.problem(format!(
                    "{}: a row that does not lead to one of {}",
                    numbers.name(),
                    words.name()
                ));
            }
            Ok(ControlFlow::Continue(()))
        });
        self.or_problem(scanned)?;
        let given = u64::from(next.saturating_sub(1));
        self.agree(format_args!("{}", words.name()), known, given);
        let back = self.count(numbers, &prefix)?;
        self.agree(format_args!("{}", numbers.name()), back, given);
        Ok(())
    }
}
