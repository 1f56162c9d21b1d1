//! The relations of a thing, a page at a time.

use std::ops::ControlFlow;

use storage::ids::{LabelId, Lsn, SymbolId, ThingId};
use storage::model::{Form, Status};
use storage::rows::{SaidRow, ThingRow};
use storage::{Edge, End, Result};

use super::{Reader, draws};
use crate::policy::Action;

/// Which edges of a thing are wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// Those that leave it.
    Out,
    /// Those that point to it.
    In,
    /// Both, those that leave it first.
    Both,
}

/// What is asked of the relations of a thing.
#[derive(Clone, Debug)]
pub struct Wanted<'a> {
    /// At which end.
    pub direction: Direction,
    /// Of one kind only.
    pub kind: Option<&'a str>,
    /// At a time, microseconds since 1970.
    pub as_of_us: Option<i64>,
    /// Whether the things at the other ends are wanted, too.
    pub others: bool,
    /// At most so many.
    pub limit: usize,
    /// Those from this place on.
    pub from: Place,
}

/// A place in the list of a thing's relations.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// At which end of its edges.
    pub end: End,
    /// After which edge; `None`: from the first on.
    pub after: Option<Edge>,
}

/// A relation as a reader sees it.
#[derive(Clone, Debug)]
pub struct Relation {
    /// Its id.
    pub id: String,
    /// Its kind.
    pub kind: String,
    /// The id it leaves.
    pub from: String,
    /// The id it points to.
    pub to: String,
    /// Its weight.
    pub weight: Option<f64>,
    /// Since when it holds, microseconds since 1970.
    pub since_us: Option<i64>,
    /// Until when it holds, microseconds since 1970.
    pub until_us: Option<i64>,
    /// Who says so.
    pub source: String,
    /// Whether the source stands by it.
    pub status: Status,
    /// When it was recorded, microseconds since 1970.
    pub recorded_us: i64,
    /// The record.
    pub lsn: Lsn,
    /// The thing at the other end, if it was asked for.
    pub other: Option<Other>,
    /// Where it stands in the list.
    pub place: Place,
}

/// The thing at the other end of a relation.
#[derive(Clone, Debug)]
pub struct Other {
    /// Its id.
    pub id: String,
    /// Its type, as given.
    pub thing_type: String,
    /// The best visible name, else the id.
    pub title: String,
}

/// A page of relations.
#[derive(Clone, Debug, Default)]
pub struct Page {
    /// The relations.
    pub relations: Vec<Relation>,
    /// Where the next page begins, if there is more.
    pub next: Option<Place>,
}

/// The thing whose relations are listed; the reader may see it.
#[derive(Clone, Copy)]
struct Near<'a> {
    thing: ThingId,
    id: &'a str,
}

impl Reader<'_> {
    /// The relations of a thing that the reader may see, with both their ends; `None` if the thing
    /// itself may not be seen.
    ///
    /// # Errors
    /// As for reading the view.
    pub fn relations(&self, id: &str, wanted: &Wanted<'_>) -> Result<Option<Page>> {
        let Some((thing, _)) = self.find(id, wanted.as_of_us)? else { return Ok(None) };
        let near = Near { thing, id };
        self.uses.filtered(Action::RelationRead, &self.relations);
        let kind = match wanted.kind {
            None => None,
            Some(kind) => match self.view.symbol(self.tenant, kind)? {
                None => return Ok(Some(Page::default())),
                known => known,
            },
        };
        let mut page = Page::default();
        for end in wanted.ends() {
            if page.next.is_none() {
                self.fill(&mut page, near, *end, kind, wanted)?;
            }
        }
        Ok(Some(page))
    }

    fn fill(
        &self,
        page: &mut Page,
        near: Near<'_>,
        end: End,
        kind: Option<SymbolId>,
        wanted: &Wanted<'_>,
    ) -> Result<()> {
        let after = wanted.from.after.filter(|_| wanted.from.end == end);
        let mut last = after;
        self.view.edges(self.tenant, near.thing, end, kind, after, &mut |edge| {
            let Some(relation) = self.relation(near, end, edge, wanted)? else {
                return Ok(ControlFlow::Continue(()));
            };
            if page.relations.len() == wanted.limit {
                page.next = Some(Place { end, after: last });
                return Ok(ControlFlow::Break(()));
            }
            page.relations.push(relation);
            last = Some(edge);
            Ok(ControlFlow::Continue(()))
        })
    }

    /// What draws an edge, unless it or its other end is hidden: the relation, what is said of it, and the other end.
    pub(super) fn drawn(
        &self,
        near: ThingId,
        end: End,
        edge: Edge,
        as_of_us: Option<i64>,
    ) -> Result<Option<(ThingRow, SaidRow, ThingRow)>> {
        if edge.label != LabelId::SYSTEM && !self.relations.contains(edge.label) && as_of_us.is_none() {
            return Ok(None);
        }
        let row = self.view.thing(self.tenant, edge.relation)?;
        let said = self.said(edge.relation, &row, as_of_us)?;
        let drawn = said.into_iter().filter(|said| draws(said, near, end, edge));
        let Some(said) = drawn.max_by_key(|said| said.lsn) else { return Ok(None) };
        let other = self.view.thing(self.tenant, edge.other)?;
        Ok(self.is_visible(edge.other, &other, as_of_us)?.then_some((row, said, other)))
    }

    fn relation(
        &self,
        near: Near<'_>,
        end: End,
        edge: Edge,
        wanted: &Wanted<'_>,
    ) -> Result<Option<Relation>> {
        let Some((row, said, other_row)) = self.drawn(near.thing, end, edge, wanted.as_of_us)? else {
            return Ok(None);
        };
        self.note(Form::Relation, &said);
        let other = if wanted.others { Some(self.other(edge.other, &other_row)?) } else { None };
        let near = near.id.to_owned();
        let (from, to) = if end == End::Out { (near, other_row.id) } else { (other_row.id, near) };
        Ok(Some(Relation {
            id: row.id,
            kind: self.view.word(self.tenant, edge.kind)?,
            from,
            to,
            weight: said.weight,
            since_us: said.since_us,
            until_us: said.until_us,
            source: self.source_name(said.source)?,
            status: Status::from_code(said.status)?,
            recorded_us: said.recorded_us,
            lsn: said.lsn(),
            other,
            place: Place { end, after: Some(edge) },
        }))
    }

    /// A thing by what names it; the reader may see it.
    fn other(&self, thing: ThingId, row: &ThingRow) -> Result<Other> {
        Ok(Other {
            id: row.id.clone(),
            thing_type: self.view.word(self.tenant, row.symbol())?,
            title: self.title(thing, row)?,
        })
    }

    /// The things that a statement joins: where the first of its edges leaves and where it leads; `None` if it draws none.
    /// Whoever may read the statement may see both.
    ///
    /// # Errors
    /// As for reading the view.
    pub fn joined(&self, said: &SaidRow) -> Result<Option<(Other, Other)>> {
        let Some(edge) = said.edges.first() else { return Ok(None) };
        let end = |thing: ThingId| self.other(thing, &self.view.thing(self.tenant, thing)?);
        Ok(Some((end(edge.from())?, end(edge.to())?)))
    }

    /// What names a thing; `None` if the reader may not know of it.
    ///
    /// # Errors
    /// As for reading the view.
    pub fn named(&self, id: &str) -> Result<Option<Other>> {
        self.find(id, None)?.map(|(thing, row)| self.other(thing, &row)).transpose()
    }
}

impl Wanted<'_> {
    /// The ends that are still to be read.
    fn ends(&self) -> &'static [End] {
        match (self.direction, self.from.end) {
            (Direction::Out, _) => &[End::Out],
            (Direction::In, _) | (Direction::Both, End::In) => &[End::In],
            (Direction::Both, End::Out) => &[End::Out, End::In],
        }
    }
}
