//! Reading as somebody: what a view holds, seen through what a principal may see.
//!
//! Everything that leaves the node about things passes [`Reader`]; what is not visible is absent.

mod between;
mod entity;
mod graphs;
mod kinds;
mod leaving;
mod path;
mod relations;

use std::cell::OnceCell;
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use storage::ids::{LabelId, SourceId, TenantId, ThingId};
use storage::model::Form;
use storage::rows::{SaidRow, ThingRow};
use storage::{Edge, End, Result, View};

use crate::policy::{Action, Allowed, Uses};

pub use between::{Between, Joining, JoiningStatement};
pub use entity::{Attribute, Change, Entity, Receipt, Statement};
pub use graphs::{Degree, Drawing, Node, Order, Shown, Tie, Wish};
pub use kinds::{EDGES_COUNTED_MAX, KindCount, Kinds};
pub use leaving::{Counts, Exit, Extent, Leaving};
pub use path::{PATHS_MAX, Paths};
pub use relations::{Direction, Other, Page, Place, Relation, Wanted};

/// A view of one tenant, through what a principal may see.
pub struct Reader<'v> {
    view: &'v View,
    tenant: TenantId,
    entities: Arc<Allowed>,
    relations: Arc<Allowed>,
    uses: Uses,
    sources: OnceCell<HashMap<SourceId, String>>,
}

impl<'v> Reader<'v> {
    /// Reads `tenant` through the labels allowed for reading entities and relations, noting what it shows in `uses`.
    #[must_use]
    pub fn new(
        view: &'v View,
        tenant: TenantId,
        entities: Arc<Allowed>,
        relations: Arc<Allowed>,
        uses: Uses,
    ) -> Reader<'v> {
        Reader { view, tenant, entities, relations, uses, sources: OnceCell::new() }
    }

    /// Where it notes what it shows.
    #[must_use]
    pub fn uses(&self) -> &Uses {
        &self.uses
    }

    /// Whether the reader may see every part of what is said of a thing and something of all that it joins, deleted or not.
    ///
    /// # Errors
    /// As for reading the view.
    pub fn covers(&self, id: &str) -> Result<bool> {
        let Some((thing, row)) = self.view.thing_by_id(self.tenant, id)? else { return Ok(false) };
        let allowed = self.allowed(&row)?;
        if !row.said.iter().all(|said| allowed.contains(said.label())) {
            return Ok(false);
        }
        for end in row.said.iter().flat_map(|said| ends(thing, said)) {
            let end = self.view.thing(self.tenant, end)?;
            let allowed = self.allowed(&end)?;
            if !end.said.iter().any(|said| allowed.contains(said.label())) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// The labels under which the reader may see something of a thing now; `None` if it may see nothing of it.
    ///
    /// # Errors
    /// As for reading the view.
    pub fn labels(&self, id: &str) -> Result<Option<BTreeSet<LabelId>>> {
        let Some((thing, row)) = self.find(id, None)? else { return Ok(None) };
        let readable = self.readable(thing, &row, None)?;
        Ok(Some(readable.iter().map(SaidRow::label).collect()))
    }

    fn allowed(&self, row: &ThingRow) -> Result<&Allowed> {
        Ok(match row.form()? {
            Form::Entity => &self.entities,
            Form::Relation => &self.relations,
        })
    }

    /// The thing of an id, if the reader may know of it.
    fn find(&self, id: &str, as_of_us: Option<i64>) -> Result<Option<(ThingId, ThingRow)>> {
        let found = self.view.thing_by_id(self.tenant, id)?;
        let Some((thing, row)) = found else { return Ok(None) };
        if self.readable(thing, &row, as_of_us)?.is_empty() {
            // Asked for by its id and denied, if it is not just gone.
            let (form, allowed) = (row.form()?, self.allowed(&row)?);
            let hidden = row.said.iter().filter(|said| !allowed.contains(said.label()));
            hidden.for_each(|said| self.note(form, said));
            return Ok(None);
        }
        Ok(Some((thing, row)))
    }

    /// Notes that something said of a thing is shown, or was asked for and may not be.
    fn note(&self, form: Form, said: &SaidRow) {
        let (action, allowed) = match form {
            Form::Entity => (Action::EntityRead, &self.entities),
            Form::Relation => (Action::RelationRead, &self.relations),
        };
        self.uses.used(action, allowed, said.label());
    }

    /// What may be read of a thing by itself: of a relation only what draws edges between things that
    /// may be seen, since it names them.
    ///
    /// # Errors
    /// As for reading the view.
    pub fn readable(&self, thing: ThingId, row: &ThingRow, as_of_us: Option<i64>) -> Result<Vec<SaidRow>> {
        let mut readable = Vec::new();
        for said in self.said(thing, row, as_of_us)? {
            if self.ends_are_visible(thing, &said, as_of_us)? {
                readable.push(said);
            }
        }
        Ok(readable)
    }

    fn ends_are_visible(&self, thing: ThingId, said: &SaidRow, as_of_us: Option<i64>) -> Result<bool> {
        for end in ends(thing, said) {
            let row = self.view.thing(self.tenant, end)?;
            if !self.is_visible(end, &row, as_of_us)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn is_visible(&self, thing: ThingId, row: &ThingRow, as_of_us: Option<i64>) -> Result<bool> {
        Ok(!self.said(thing, row, as_of_us)?.is_empty())
    }

    /// What may be seen of a thing: what each source says now, or said at a time.
    fn said(&self, thing: ThingId, row: &ThingRow, as_of_us: Option<i64>) -> Result<Vec<SaidRow>> {
        let allowed = self.allowed(row)?;
        let said = match as_of_us {
            None if row.is_deleted() => Vec::new(),
            None => row.said.clone(),
            Some(time_us) => self.said_at(thing, row, time_us)?,
        };
        Ok(said.into_iter().filter(|said| allowed.contains(said.label())).collect())
    }

    /// What the node had recorded by a time, and what held then.
    fn said_at(&self, thing: ThingId, row: &ThingRow, time_us: i64) -> Result<Vec<SaidRow>> {
        if row.was_deleted_at(time_us) {
            return Ok(Vec::new());
        }
        let replaced_later = self.view.before(self.tenant, thing)?.into_iter();
        let replaced_later =
            replaced_later.filter(|before| before.replaced_us > time_us).map(|before| before.said);
        let held = |said: &SaidRow| {
            said.recorded_us <= time_us
                && said.since_us.is_none_or(|since| since <= time_us)
                && said.until_us.is_none_or(|until| time_us < until)
        };
        Ok(row.said.iter().cloned().chain(replaced_later).filter(held).collect())
    }

    /// Who says something.
    ///
    /// # Errors
    /// As for reading the view.
    pub fn source_of(&self, said: &SaidRow) -> Result<String> {
        self.source_name(said.source)
    }

    /// The name of a source.
    fn source_name(&self, source: u32) -> Result<String> {
        if self.sources.get().is_none() {
            let sources = self.view.sources(self.tenant)?;
            let _ = self.sources.set(sources.into_iter().map(|(source, spec)| (source, spec.name)).collect());
        }
        let names = self.sources.get().expect("set above");
        Ok(names.get(&SourceId(source)).cloned().unwrap_or_default())
    }
}

/// What a thing joins, by what is said of it.
fn ends(thing: ThingId, said: &SaidRow) -> impl Iterator<Item = ThingId> {
    said.edges.iter().flat_map(|edge| [edge.from(), edge.to()]).filter(move |end| *end != thing)
}

/// Whether what is said draws an edge, seen from the thing at one of its ends. Former edges stay in the
/// tables, and a relation may draw several.
fn draws(said: &SaidRow, near: ThingId, end: End, edge: Edge) -> bool {
    let (from, to) = match end {
        End::Out => (near, edge.other),
        End::In => (edge.other, near),
    };
    said.edges.iter().any(|drawn| (drawn.from(), drawn.to(), drawn.kind) == (from, to, edge.kind.0))
}
