//! Things: their names, what is and was said of them, and their edges.

use std::ops::ControlFlow;

use roaring::RoaringTreemap;
use sha2::{Digest, Sha256};

use super::Check;
use super::log::Told;
use crate::error::Result;
use crate::ids::{LabelId, TenantId, ThingId};
use crate::model::Form;
use crate::record::{Content, Kind};
use crate::rows::{EdgeRow, HeadRow, SaidRow, ThingRow};
use crate::tables::{Key, Table};
use crate::tx::Read;

/// About what one row of what is said takes, in bytes, with the record that is looked up for it.
const SAID_BYTES: usize = 512;

/// What the things of a tenant add up to.
#[derive(Default)]
struct Sum {
    entities: u64,
    relations: u64,
    edges: u64,
    hidden: usize,
    /// Positions of the assertions that things cite, now and before.
    cited: RoaringTreemap,
    cited_twice: u64,
}

impl Check<'_> {
    /// Checks every thing of a tenant, and that all of them together are what the head counts and the
    /// log tells.
    pub(super) fn things(&mut self, tenant: TenantId, head: &HeadRow, told: &Told) -> Result<()> {
        let (view, mut sum) = (self.view, Sum::default());
        let read = view.things(tenant, &mut |thing, row| {
            self.thing(tenant, thing, &row, told, &mut sum)?;
            Ok(ControlFlow::Continue(()))
        });
        self.or_problem(read)?;
        let name = &head.name;
        self.agree(format_args!("entities of {name}"), sum.entities, head.entities);
        self.agree(format_args!("relations of {name}"), sum.relations, head.relations);
        let hidden = self.hidden_and_there(tenant, told)?;
        self.agree(format_args!("hidden things of {name}"), sum.hidden, hidden);
        self.agree(format_args!("assertions of {name} cited twice"), sum.cited_twice, 0);
        if sum.cited != told.asserted {
            let (cited, told) = (sum.cited.len(), told.asserted.len());
            self.problem(format!("things of {name}: {cited} assertions cited, the log has {told} or others"));
        }
        let names = self.count(Table::Names, &Key::of(tenant))?;
        self.agree(format_args!("names of {name}"), names, head.entities + head.relations);
        for table in [Table::EdgesOut, Table::EdgesIn] {
            let rows = self.count(table, &Key::of(tenant))?;
            self.agree(format_args!("{} of {name}", table.name()), rows, sum.edges);
        }
        Ok(())
    }

    /// How many of the things that were hidden are there: a redaction takes the thing first, and then what named it.
    fn hidden_and_there(&mut self, tenant: TenantId, told: &Told) -> Result<usize> {
        let mut there = 0;
        for id in told.hidden.keys() {
            let name = self.view.get(Table::Names, Key::of(tenant).and(id.as_str()).bytes());
            there += usize::from(self.or_problem(name)?.flatten().is_some());
        }
        Ok(there)
    }

    fn thing(
        &mut self,
        tenant: TenantId,
        thing: ThingId,
        row: &ThingRow,
        told: &Told,
        sum: &mut Sum,
    ) -> Result<()> {
        self.step(row.id.len() + row.said.len() * SAID_BYTES)?;
        match row.form() {
            Ok(Form::Entity) => sum.entities += 1,
            Ok(Form::Relation) => sum.relations += 1,
            Err(error) => self.problem(error.to_string()),
        }
        if !self.holds(Table::Names, &Key::of(tenant).and(row.id.as_str()), &thing.0.to_be_bytes())? {
            self.problem(format!("things: the name of {thing} does not lead to it"));
        }
        let hidden = told.hidden.get(&row.id).copied().unwrap_or(0);
        self.agree(format_args!("times that {thing} was hidden and shown"), row.deletions_us.len(), hidden);
        sum.hidden += usize::from(hidden > 0);
        let before = self.or_problem(self.view.before(tenant, thing))?.unwrap_or_default();
        for said in row.said.iter().chain(before.iter().map(|before| &before.said)) {
            sum.cited_twice += u64::from(!sum.cited.insert(said.lsn));
            self.said(tenant, thing, said)?;
        }
        let (now, mut links) = (row.links(), row.links());
        links.extend(before.iter().flat_map(|before| &before.said.edges));
        sum.edges += links.len() as u64;
        links.iter().try_for_each(|link| {
            let label = if now.contains(link) { row.edge_label() } else { LabelId::SYSTEM };
            self.link(tenant, thing, link, label)
        })
    }

    fn said(&mut self, tenant: TenantId, thing: ThingId, said: &SaidRow) -> Result<()> {
        let Some(record) = self.or_problem(self.view.record(tenant, said.lsn()))? else {
            return Ok(());
        };
        if record.kind != Kind::Asserted || record.label != said.label() {
            self.problem(format!("things: {thing} cites record {}, which is not its assertion", said.lsn));
        }
        // One without a body is cited by nothing, and not among those that the log tells of.
        if let Content::Held { body, .. } = &record.content
            && Sha256::digest(body)[..16] != said.digest
        {
            self.problem(format!("things: {thing} cites record {} with another digest", said.lsn));
        }
        Ok(())
    }

    /// Both ends of a link have their row; and as there are no more rows than links, no others.
    fn link(&mut self, tenant: TenantId, relation: ThingId, link: &EdgeRow, label: LabelId) -> Result<()> {
        let (out, into) = link.keys(tenant, relation);
        for (table, key) in [(Table::EdgesOut, out), (Table::EdgesIn, into)] {
            if !self.holds(table, &key, &label.0.to_be_bytes())? {
                self.problem(format!("{}: the row of relation {relation}", table.name()));
            }
        }
        Ok(())
    }
}
