//! The state of a store as its readers see it, in the terms of the reference model.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;

use storage::ids::{LabelId, Lsn, RunId, SymbolId, TenantId, ThingId};
use storage::model::{
    Assertion, DecisionSegment, EpochBegan, ErasureDone, Flag, FlagSet, Graph, Hold, Label, LinkMade,
    PolicySet, RedactionBegun, RedactionLifted, RunBegin, RunEnd, Selection, SignedIn, SignedOut, SourceSpec,
    Subject, TokenSpec,
};
use storage::record::{Kind, Record};
use storage::rows::{RedactionRow, SaidRow, ThingRow, TokenRow};
use storage::{End, Error, Result, View};

use crate::reference::{
    Entry, Held, Kept, Link, Model, Redaction, Remembered, Run, Tenant, Thing, Token, Unseen, Waiting, What,
};

/// Everything that a view shows.
///
/// # Errors
/// Whatever reading fails with; `Corrupt` as well where two ways to ask the same give two answers.
pub(crate) fn observe(view: &View) -> Result<Model> {
    let node = view.node()?;
    let mut model = Model::default();
    (model.epoch, model.notes_changes) = (node.epoch - 1, node.changes_from != 0);
    model.stopped = node.stopped.iter().cloned().collect();
    for (id, row) in view.tenants()? {
        agree("tenants", &Some(id), &view.tenant(&row.name)?)?;
        agree("tenants", &(model.tenants.len() as u32 + 1), &id.0)?;
        let tenant = Observer { view, tenant: id }.tenant(row.name.clone())?;
        let (relations, entities): (Vec<_>, Vec<_>) =
            tenant.things.values().partition(|thing| thing.form == storage::model::Form::Relation);
        agree("counts", &(row.entities, row.relations), &(entities.len() as u64, relations.len() as u64))?;
        agree("head", &row.head(), &Lsn(tenant.log.len() as u64))?;
        model.tenants.push(tenant);
        for row in view.subjects(id)? {
            agree("subjects", &view.subject(id, &row.subject)?.as_ref(), &Some(&row))?;
            model.subjects.insert((id.0, row.subject), (row.actor, row.since_us, row.denied_us));
        }
        for token in model.tenants[id.0 as usize - 1].denied_tokens() {
            if view.is_denied(id, &token)? {
                model.denied_tokens.insert((id.0, token));
            }
        }
    }
    for (id, row) in view.tokens()? {
        agree("tokens", &view.token(&id)?.as_ref(), &Some(&row))?;
        model.tokens.insert(id, token(&row)?);
    }
    Ok(model)
}

fn token(row: &TokenRow) -> Result<Token> {
    let links = row.links.iter().map(|link| (link.code_sha256[0], link.expires_us));
    let sessions =
        row.sessions.iter().map(|one| (one.secret_sha256[0], one.began_us, one.seen_us, one.ends_us));
    Ok(Token {
        tenant: row.tenant,
        actor: row.actor,
        spec: TokenSpec::decode(&row.spec)?,
        created_us: row.created_us,
        revoked_us: row.revoked_us,
        made_by: row.made_by,
        used_us: row.used_us,
        links: links.collect(),
        sessions: sessions.collect(),
    })
}

struct Observer<'v> {
    view: &'v View,
    tenant: TenantId,
}

impl Observer<'_> {
    fn tenant(&self, name: String) -> Result<Tenant> {
        let (view, tenant) = (self.view, self.tenant);
        let mut things = BTreeMap::new();
        view.things(tenant, &mut |id, row| {
            things.insert(row.id.clone(), self.thing(id, &row)?);
            Ok(ControlFlow::Continue(()))
        })?;
        Ok(Tenant {
            name,
            log: self.log()?,
            labels: self.labels()?,
            sources: self.sources()?,
            edges: self.edges(&things)?,
            things,
            runs: self.runs()?,
            pending: self.pending()?,
            progress: self.progress()?,
            policies: self.policies()?,
            decisions: self.decisions()?,
            graphs: self.graphs()?,
            flags: self.flags()?,
            redactions: self.redactions()?,
            holds: self.holds()?,
            unseen: Unseen::default(),
            once: Remembered::default(),
        })
    }

    fn log(&self) -> Result<Vec<Entry>> {
        let mut log = Vec::new();
        self.view.records(self.tenant, Lsn::FIRST, &mut |record| {
            agree("log", &record.lsn, &Lsn(log.len() as u64 + 1))?;
            agree("log", &self.view.record(self.tenant, record.lsn)?, &record)?;
            log.push(entry(&record)?);
            Ok(ControlFlow::Continue(()))
        })?;
        Ok(log)
    }

    fn thing(&self, id: ThingId, row: &ThingRow) -> Result<Thing> {
        let by_id = self.view.thing_by_id(self.tenant, &row.id)?;
        agree("names", &by_id.as_ref(), &Some(&(id, row.clone())))?;
        let mut said = BTreeMap::new();
        for now in &row.said {
            said.insert((now.source, now.label), self.held(&row.id, now)?);
        }
        agree("said", &said.len(), &row.said.len())?;
        let mut before = BTreeMap::new();
        for was in self.view.before(self.tenant, id)? {
            let held = self.held(&row.id, &was.said)?;
            let was = (was.said.source, was.said.label, held, was.replaced_by, was.replaced_us);
            before.insert(was.2.lsn, was);
        }
        let (form, thing_type) = (row.form()?, self.view.word(self.tenant, row.symbol())?);
        let deletions_us = row.deletions_us.clone();
        Ok(Thing { form, thing_type, said, before, deletions_us })
    }

    /// The columns of a row repeat what its record says.
    fn held(&self, id: &str, row: &SaidRow) -> Result<Held> {
        let assertion = self.view.assertion(self.tenant, row.lsn())?;
        let assertion: Assertion = assertion.ok_or_else(|| damaged("an assertion was erased".to_owned()))?;
        agree("id", &assertion.id.as_str(), &id)?;
        let columns = (row.version_us, row.status, row.since_us, row.until_us, row.weight);
        let a = &assertion;
        agree("columns", &columns, &(a.version_us, a.status, a.since_us, a.until_us, a.weight))?;
        let mut edges = Vec::new();
        for edge in &row.edges {
            let kind = self.view.word(self.tenant, SymbolId(edge.kind))?;
            edges.push((kind, self.name(edge.from())?, self.name(edge.to())?));
        }
        let said =
            a.edges.iter().map(|edge| (edge.kind.clone(), edge.from_or(id).to_owned(), edge.to.clone()));
        agree("edges", &edges, &said.collect())?;
        let (lsn, recorded_us, asserted_us) = (row.lsn, row.recorded_us, row.asserted_us);
        Ok(Held { lsn, assertion, recorded_us, asserted_us })
    }

    fn edges(&self, things: &BTreeMap<String, Thing>) -> Result<BTreeSet<Link>> {
        let (mut out, mut into) = (BTreeSet::new(), BTreeSet::new());
        for id in things.keys() {
            out.extend(self.edges_at(id, End::Out)?);
            into.extend(self.edges_at(id, End::In)?);
        }
        agree("edges", &out, &into)?;
        Ok(out)
    }

    fn edges_at(&self, id: &str, end: End) -> Result<Vec<Link>> {
        let (thing, _) =
            self.view.thing_by_id(self.tenant, id)?.ok_or_else(|| damaged(format!("no thing `{id}`")))?;
        let mut links = Vec::new();
        self.view.edges(self.tenant, thing, end, None, None, &mut |edge| {
            let (kind, relation) = (self.view.word(self.tenant, edge.kind)?, self.name(edge.relation)?);
            let (near, far) = (id.to_owned(), self.name(edge.other)?);
            let (from, to) = if end == End::Out { (near, far) } else { (far, near) };
            links.push(Link { from, kind, relation, to, label: edge.label.0 });
            Ok(ControlFlow::Continue(()))
        })?;
        Ok(links)
    }

    fn name(&self, thing: ThingId) -> Result<String> {
        Ok(self.view.thing(self.tenant, thing)?.id)
    }

    fn labels(&self) -> Result<Vec<Label>> {
        let mut labels = Vec::new();
        for (id, label) in self.view.labels(self.tenant, LabelId::SYSTEM)? {
            labels.push(label);
            agree("labels", &id.0, &(labels.len() as u32))?;
        }
        Ok(labels)
    }

    fn sources(&self) -> Result<Vec<SourceSpec>> {
        let mut sources = Vec::new();
        for (id, source) in self.view.sources(self.tenant)? {
            agree("sources", &self.view.source(self.tenant, &source.name)?, &Some(id))?;
            sources.push(source);
            agree("sources", &id.0, &(sources.len() as u32))?;
        }
        Ok(sources)
    }

    fn runs(&self) -> Result<BTreeMap<u64, Run>> {
        let runs = self.view.runs(self.tenant)?.into_iter();
        Ok(runs
            .map(|(id, row)| {
                (id.0, Run { begin: row.begin, began_us: row.began_us, end: row.end.zip(row.ended_us) })
            })
            .collect())
    }

    fn graphs(&self) -> Result<BTreeMap<String, Kept>> {
        let mut graphs = BTreeMap::new();
        for (id, row) in self.view.graphs(self.tenant)? {
            agree("graphs", &self.view.graph(self.tenant, &id)?.as_ref(), &Some(&row))?;
            let saved = self.view.graph_saved(self.tenant, row.version())?;
            let graph = saved.ok_or_else(|| damaged(format!("the graph {id} was erased")))?;
            let columns = (&id, row.shared, &row.labels, &row.relation_labels);
            agree("graphs", &(&graph.id, graph.shared, &graph.labels, &graph.relation_labels), &columns)?;
            graphs.insert(id, (row.maker, row.made_us, graph, row.version, row.saved_us));
        }
        Ok(graphs)
    }

    fn flags(&self) -> Result<BTreeMap<String, (String, u64, u64, i64)>> {
        let rows = self.view.flags(self.tenant)?;
        for flag in Flag::ALL {
            let row = rows.iter().find(|(name, _)| name == flag.as_str()).map(|(_, row)| row);
            agree("flags", &self.view.flag(self.tenant, *flag)?.as_ref(), &row)?;
        }
        Ok(rows
            .into_iter()
            .map(|(name, row)| (name, (row.value, row.actor, row.version, row.set_us)))
            .collect())
    }

    fn redactions(&self) -> Result<BTreeMap<u64, Redaction>> {
        let mut redactions = BTreeMap::new();
        for (begun, row) in self.view.redactions(self.tenant)? {
            agree("redactions", &self.view.redaction(self.tenant, begun)?.as_ref(), &Some(&row))?;
            let RedactionRow { of_source, actor, began_us, records, ended, lifted, .. } = row;
            redactions.insert(begun.0, Redaction { of_source, actor, began_us, records, ended, lifted });
        }
        Ok(redactions)
    }

    fn holds(&self) -> Result<BTreeMap<u64, (Selection, String, u64, i64)>> {
        let holds = self.view.holds(self.tenant)?.into_iter();
        holds
            .map(|(lsn, row)| Ok((lsn.0, (row.hold.selection()?, row.hold.reason, row.actor, row.since_us))))
            .collect()
    }

    /// The workload names three files, by the first byte of their digests.
    fn progress(&self) -> Result<BTreeMap<(u32, u8), (u64, u64)>> {
        let mut progress = BTreeMap::new();
        for (source, _) in self.view.sources(self.tenant)? {
            for file in 0..3 {
                if let Some(row) = self.view.progress(self.tenant, source, &[file; 32])? {
                    progress.insert((source.0, file), (row.run, row.things));
                }
            }
        }
        Ok(progress)
    }

    fn policies(&self) -> Result<BTreeMap<u64, PolicySet>> {
        let mut policies = BTreeMap::new();
        for version in self.view.policies(self.tenant)? {
            let set = self.view.policy_set(self.tenant, version)?;
            policies.insert(version.0, set.ok_or_else(|| damaged(format!("no policy {version}")))?);
        }
        let last = policies.keys().next_back().map(|version| Lsn(*version));
        agree("policies", &self.view.policy(self.tenant)?, &last)?;
        Ok(policies)
    }

    /// The workload numbers them from 1 to 3.
    fn decisions(&self) -> Result<BTreeMap<u64, Vec<u8>>> {
        let mut decisions = BTreeMap::new();
        for number in 0..=4 {
            if let Some(digest) = self.view.decision_segment(self.tenant, number)? {
                decisions.insert(number, digest);
            }
        }
        Ok(decisions)
    }

    /// Relations wait in runs, and a run's id is a position.
    fn pending(&self) -> Result<BTreeMap<(u64, u64), Waiting>> {
        let mut pending = BTreeMap::new();
        for run in 0..=self.view.head(self.tenant)?.head().0 {
            for (number, row) in self.view.pending(self.tenant, RunId(run), 0, usize::MAX)? {
                let part =
                    |part: storage::rows::PendingPart| Ok((Label::decode(&part.label)?, part.assertion));
                let parts = row.parts.into_iter().map(part).collect::<Result<_>>()?;
                pending.insert((run, number), (row.source, row.input, row.line, parts));
            }
        }
        Ok(pending)
    }
}

fn entry(record: &Record) -> Result<Entry> {
    let Some(body) = record.body() else {
        let (kind, actor, label, purpose) = (record.kind, record.actor, record.label.0, record.header[29]);
        return Ok(Entry { kind, actor, label, purpose, time_us: record.time_us, what: What::Erased });
    };
    let what = match record.kind {
        Kind::Label => What::Label(Label::decode(body)?),
        Kind::Source => What::Source(SourceSpec::decode(body)?),
        Kind::Asserted => What::Said(Assertion::from_body(body)?),
        Kind::Token => What::Token(TokenSpec::decode(body)?),
        Kind::RunBegan => What::RunBegan(RunBegin::from_body(body)?),
        Kind::RunEnded => What::RunEnded(RunEnd::from_body(body)?),
        Kind::LinkMade => What::LinkMade(LinkMade::from_body(body)?),
        Kind::SignedIn => What::SignedIn(SignedIn::from_body(body)?),
        Kind::SignedOut => What::SignedOut(SignedOut::from_body(body)?),
        Kind::Policy => What::Policy(PolicySet::from_body(body)?),
        Kind::DecisionsClosed => What::DecisionsClosed(DecisionSegment::from_body(body)?),
        Kind::GraphSaved => What::Graph(Graph::from_body(body)?),
        Kind::FlagSet => What::Flag(FlagSet::from_body(body)?),
        Kind::EpochBegan => {
            let began = EpochBegan::from_body(body)?;
            What::Epoch(began.epoch, began.old_size, began.lacking)
        }
        Kind::SubjectMet | Kind::SubjectDenied | Kind::SubjectAdmitted | Kind::OutsideTokenDenied => {
            What::Subject(Subject::from_body(body)?)
        }
        Kind::RedactionBegan => {
            let begun = RedactionBegun::from_body(body)?;
            What::Reason(begun.reason, begun.of_source)
        }
        Kind::RedactionEnded | Kind::Purged => {
            let done = ErasureDone::from_body(body)?;
            What::Done(done.begun, done.records)
        }
        Kind::RedactionLifted => What::Done(RedactionLifted::from_body(body)?.begun, 0),
        Kind::HoldSet => {
            let hold = Hold::from_body(body)?;
            What::Hold(hold.selection()?, hold.reason)
        }
        Kind::HoldRemoved => What::Number(u64::from_be_bytes(
            body.try_into().map_err(|_| damaged("the number of a hold".to_owned()))?,
        )),
        Kind::Tenant
        | Kind::Withdrawn
        | Kind::Deleted
        | Kind::Restored
        | Kind::TokenRevoked
        | Kind::GraphDeleted
        | Kind::FlagStopped
        | Kind::FlagResumed => What::Id(String::from_utf8_lossy(body).into_owned()),
    };
    let (kind, actor, label, purpose) = (record.kind, record.actor, record.label.0, record.header[29]);
    Ok(Entry { kind, actor, label, purpose, time_us: record.time_us, what })
}

fn agree<T: PartialEq + std::fmt::Debug>(what: &str, one: &T, other: &T) -> Result<()> {
    if one == other { Ok(()) } else { Err(damaged(format!("{what}: {one:?} is not {other:?}"))) }
}

fn damaged(detail: String) -> Error {
    Error::Corrupt { what: "view", detail }
}
