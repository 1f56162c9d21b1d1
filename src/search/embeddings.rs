//! The vectors that the index holds of a thing, of those of its assertions whose embeddings whoever asks may have.

use index::vector::{Filter, Pinned, Stored, embedded};
use storage::View;
use storage::ids::Lsn;
use storage::model::Licence;
use storage::rows::SaidRow;

use super::reason::Reason;
use super::{labels, meaning};
use crate::app::App;
use crate::gateway::Failure;
use crate::policy::{Action, Allowed, Principal};
use crate::read::Reader;

/// The vectors of a thing.
pub(crate) struct Embeddings {
    /// Of which assertion and passage each is, in the order in which they were said.
    pub(crate) all: Vec<Embedding>,
    /// Why nobody can tell which there are.
    pub(crate) reason: Option<Reason>,
}

/// A vector: all but its components.
pub(crate) struct Embedding {
    /// Who says what it was made of.
    pub(crate) source: String,
    /// The record that says it.
    pub(crate) lsn: Lsn,
    /// The licence that it carries itself.
    pub(crate) licence: Licence,
    /// What it was made of.
    pub(crate) passage: String,
    index: Pinned,
    stored: Stored,
}

impl Embedding {
    /// The name of the model that made it.
    pub(crate) fn model(&self) -> &str {
        &self.index.model().name
    }

    /// Whether it came with the data.
    pub(crate) fn is_supplied(&self) -> bool {
        self.stored.is_supplied
    }

    /// Where its passage begins in what was said.
    pub(crate) fn start(&self) -> u32 {
        self.stored.passage.start
    }

    /// Its components.
    pub(crate) fn components(&self) -> Result<Vec<f32>, Failure> {
        Ok(self.index.vector(&self.stored)?)
    }
}

/// The vectors of a thing; `None` if there is no such thing for whoever asks.
pub(crate) fn embeddings(
    app: &App,
    principal: &Principal,
    view: &View,
    id: &str,
) -> Result<Option<Embeddings>, Failure> {
    let reader = app.reader(view, principal)?;
    let Some((thing, row)) = view.thing_by_id(principal.tenant, id)? else { return Ok(None) };
    // Which also notes who asked for what is hidden.
    if reader.labels(id)?.is_none() {
        return Ok(None);
    }
    let allowed = app.allowed(view, principal, Action::EmbeddingRead)?;
    let index = match meaning::pinned(&app.embedding, &app.vectors, principal.tenant) {
        Ok(index) => index,
        Err(reason) => return Ok(Some(Embeddings { all: Vec::new(), reason: Some(reason) })),
    };
    let among = labels(app, view, principal, &allowed)?;
    let filter = Filter { labels: &among, form: None, time: None, include_revoked: true };
    let held = index.stored(thing, &filter);
    let mut said = reader.readable(thing, &row, None)?;
    said.sort_by_key(SaidRow::lsn);
    let mut all = Vec::new();
    for said in said {
        all.extend(of(&reader, (view, principal), &allowed, (&index, held.as_slice()), &said)?);
    }
    Ok(Some(Embeddings { all, reason: None }))
}

/// The vectors of one assertion; none if they may not be had, or the index has not come to it yet.
fn of(
    reader: &Reader<'_>,
    (view, principal): (&View, &Principal),
    allowed: &Allowed,
    (index, held): (&Pinned, &[Stored]),
    said: &SaidRow,
) -> Result<Vec<Embedding>, Failure> {
    let label = said.label();
    reader.uses().used(Action::EmbeddingRead, allowed, label);
    if !allowed.contains(label) || said.lsn() > index.position() {
        return Ok(Vec::new());
    }
    let Some(assertion) = view.assertion(principal.tenant, said.lsn())? else { return Ok(Vec::new()) };
    let (text, source) = (embedded(&assertion), reader.source_of(said)?);
    let licence = Action::EmbeddingRead.sees(&view.label(principal.tenant, label)?).licence;
    let embedding = |stored: &Stored| {
        let passage = stored.passage.start as usize..stored.passage.end as usize;
        Embedding {
            source: source.clone(),
            lsn: said.lsn(),
            licence,
            passage: text.get(passage).unwrap_or_default().to_owned(),
            index: index.clone(),
            stored: stored.clone(),
        }
    };
    Ok(held.iter().filter(|stored| stored.label == label).map(embedding).collect())
}
