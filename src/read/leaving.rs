//! What may leave: of a thing that a reader sees, what licence and policy let out.

use std::cell::RefCell;
use std::cmp::Reverse;
use std::collections::{HashMap, HashSet};
use std::ops::ControlFlow;
use std::sync::Arc;

use storage::Result;
use storage::ids::{LabelId, SourceId, ThingId};
use storage::model::{Assertion, Embedding, Label, Part, Said};
use storage::rows::{SaidRow, ThingRow};

use super::Reader;
use crate::policy::{Action, Allowed};

/// How much is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extent {
    /// Of all sources together, what is shown.
    Shown,
    /// All that one source says.
    Source(SourceId),
}

/// A thing that leaves.
#[derive(Clone, Debug)]
pub struct Leaving {
    /// What is said of it.
    pub said: Said,
    /// When the newest of that was recorded, microseconds since 1970.
    pub recorded_us: i64,
}

/// How many things leave, and of how many something stays.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Things that leave, whole or in part.
    pub written: u64,
    /// Things of which the reader sees something that may not leave.
    pub withheld: u64,
}

/// What leaves of a view, for one reader.
pub struct Exit<'r, 'v> {
    reader: &'r Reader<'v>,
    allowed: Arc<Allowed>,
    /// The labels whose embeddings may be had.
    embeddings: Arc<Allowed>,
    wanted: Extent,
    /// Only these, if they are named.
    among: Option<Vec<ThingId>>,
    labels: RefCell<HashMap<LabelId, Arc<Label>>>,
}

impl<'r, 'v> Exit<'r, 'v> {
    /// What of that may leave by the labels `allowed`; the vectors that came with it, by the labels `embeddings`, too.
    #[must_use]
    pub fn new(
        reader: &'r Reader<'v>,
        (allowed, embeddings): (Arc<Allowed>, Arc<Allowed>),
        wanted: Extent,
        among: Option<Vec<ThingId>>,
    ) -> Exit<'r, 'v> {
        Exit { reader, allowed, embeddings, wanted, among, labels: RefCell::default() }
    }

    /// Counts it, without reading any of it.
    ///
    /// # Errors
    /// As for reading the view; or what `stop` asks for.
    pub fn count(&self, stop: &dyn Fn() -> bool) -> Result<Counts> {
        let mut counts = Counts::default();
        self.things(&mut |thing, row| {
            let (leaving, staying) = self.divided(thing, row)?;
            counts.written += u64::from(!leaving.is_empty());
            counts.withheld += u64::from(!staying.is_empty());
            Ok(if stop() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
        })?;
        Ok(counts)
    }

    /// Hands out each thing that leaves, in the order in which they were first said.
    ///
    /// # Errors
    /// As for reading the view, and whatever `take` returns.
    pub fn each(&self, take: &mut dyn FnMut(Leaving) -> Result<ControlFlow<()>>) -> Result<()> {
        self.things(&mut |thing, row| {
            let (leaving, staying) = self.divided(thing, row)?;
            for said in leaving.iter().chain(&staying) {
                self.reader.uses.used(Action::EntityExport, &self.allowed, said.label());
            }
            match self.said(&leaving)? {
                Some(leaving) => take(leaving),
                None => Ok(ControlFlow::Continue(())),
            }
        })
    }

    fn things(&self, visit: &mut dyn FnMut(ThingId, &ThingRow) -> Result<ControlFlow<()>>) -> Result<()> {
        let Reader { view, tenant, .. } = *self.reader;
        let Some(among) = &self.among else {
            return view.things(tenant, &mut |thing, row| visit(thing, &row));
        };
        for thing in among {
            if visit(*thing, &view.thing(tenant, *thing)?)?.is_break() {
                return Ok(());
            }
        }
        Ok(())
    }

    /// What is wanted and seen of a thing: what may leave, and what may not.
    fn divided(&self, thing: ThingId, row: &ThingRow) -> Result<(Vec<SaidRow>, Vec<SaidRow>)> {
        let is_wanted = |said: &SaidRow| match self.wanted {
            Extent::Shown => true,
            Extent::Source(source) => said.source == source.0,
        };
        // Most things are of other sources: what is not wanted need not be looked at.
        if !row.said.iter().any(is_wanted) {
            return Ok((Vec::new(), Vec::new()));
        }
        let readable = self.reader.readable(thing, row, None)?.into_iter().filter(is_wanted);
        Ok(readable.partition(|said| self.allowed.contains(said.label())))
    }

    /// The statements put together again.
    fn said(&self, rows: &[SaidRow]) -> Result<Option<Leaving>> {
        let Reader { view, tenant, .. } = *self.reader;
        let mut statements = Vec::with_capacity(rows.len());
        for row in rows {
            if let Some(assertion) = view.assertion(tenant, row.lsn())? {
                statements.push((row, assertion));
            }
        }
        if self.wanted == Extent::Shown {
            statements.sort_by_key(|(row, assertion)| {
                let observed_us = assertion.observed_at_us.unwrap_or(row.recorded_us);
                Reverse((row.is_active(), observed_us, row.lsn))
            });
        }
        let Some((_, first)) = statements.first() else { return Ok(None) };
        let parts = statements.iter().map(|(row, assertion)| self.part(row.label(), assertion));
        let mut said = first.said(parts.collect::<Result<_>>()?)?;
        if self.wanted == Extent::Shown {
            show(&mut said, statements.iter().map(|(_, assertion)| assertion));
        }
        let recorded_us = rows.iter().map(|row| row.recorded_us).max().unwrap_or_default();
        Ok(Some(Leaving { said, recorded_us }))
    }

    fn part(&self, label: LabelId, assertion: &Assertion) -> Result<Part> {
        let (claims, texts) = (assertion.claims.clone(), assertion.texts.clone());
        Ok(Part { label: self.label(label)?, claims, texts, embedding: self.embedding(label, assertion) })
    }

    /// The vector that came with what a source says. What is shown of all sources together is of none of them, and has none.
    fn embedding(&self, label: LabelId, assertion: &Assertion) -> Option<Embedding> {
        let embedding = assertion.embedding.as_ref().filter(|_| self.wanted != Extent::Shown)?;
        self.reader.uses.used(Action::EmbeddingRead, &self.embeddings, label);
        self.embeddings.contains(label).then(|| embedding.clone())
    }

    /// Labels are few, and things many.
    fn label(&self, id: LabelId) -> Result<Arc<Label>> {
        if let Some(label) = self.labels.borrow().get(&id) {
            return Ok(Arc::clone(label));
        }
        let label = Arc::new(self.reader.view.label(self.reader.tenant, id)?);
        self.labels.borrow_mut().insert(id, Arc::clone(&label));
        Ok(label)
    }
}

/// Of claims by one name the first is shown; tags are those of all.
fn show<'a>(said: &mut Said, statements: impl Iterator<Item = &'a Assertion>) {
    let mut seen = HashSet::new();
    for part in &mut said.parts {
        part.claims.retain(|claim| seen.insert(claim.name.clone()));
    }
    for tag in statements.flat_map(|assertion| &assertion.tags) {
        if !said.tags.contains(tag) {
            said.tags.push(tag.clone());
        }
    }
}
