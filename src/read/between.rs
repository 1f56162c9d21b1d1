//! What joins two things: every relation, and what each source says of it.

use std::ops::ControlFlow;

use storage::ids::{LabelId, Lsn, ThingId};
use storage::model::{Form, Status};
use storage::rows::SaidRow;
use storage::{Edge, End, Result};

use super::{Reader, draws};
use crate::policy::Action;

/// So many edges of a thing are looked at for those to another.
const EDGES_MAX: usize = 1_000_000;

/// What joins two things.
#[derive(Clone, Debug, Default)]
pub struct Between {
    /// The relations, those that leave the first thing in front.
    pub joining: Vec<Joining>,
    /// How many there are.
    pub of: usize,
    /// Whether there may be more than were looked for.
    pub truncated: bool,
}

/// A relation between two things.
#[derive(Clone, Debug)]
pub struct Joining {
    /// Its id.
    pub id: String,
    /// Its kind.
    pub kind: String,
    /// The id it leaves.
    pub from: String,
    /// The id it points to.
    pub to: String,
    /// What is said of it, recorded last in front.
    pub statements: Vec<JoiningStatement>,
}

/// What one source says of a relation.
#[derive(Clone, Debug)]
pub struct JoiningStatement {
    /// Who says so.
    pub source: String,
    /// Whether the source stands by it.
    pub status: Status,
    /// Its weight.
    pub weight: Option<f64>,
    /// Since when it holds, microseconds since 1970.
    pub since_us: Option<i64>,
    /// Until when it holds.
    pub until_us: Option<i64>,
    /// When it was recorded.
    pub recorded_us: i64,
    /// The record.
    pub lsn: Lsn,
}

impl Reader<'_> {
    /// What joins two things in either direction, now or at a time, at most `limit` relations; `None` if one of the things
    /// may not be seen.
    ///
    /// # Errors
    /// As for reading the view.
    pub fn between(
        &self,
        from: &str,
        to: &str,
        as_of_us: Option<i64>,
        limit: usize,
    ) -> Result<Option<Between>> {
        let (Some((one, _)), Some((other, _))) = (self.find(from, as_of_us)?, self.find(to, as_of_us)?)
        else {
            return Ok(None);
        };
        self.uses.filtered(Action::RelationRead, &self.relations);
        let mut between = Between::default();
        for end in [End::Out, End::In] {
            let (from, to) = if end == End::Out { (from, to) } else { (to, from) };
            for edge in self.edges_between(one, other, end, &mut between.truncated)? {
                let said = self.drawn_by(one, end, edge, as_of_us)?;
                between.of += usize::from(!said.is_empty());
                if !said.is_empty() && between.joining.len() < limit {
                    let (id, kind) = (
                        self.view.thing(self.tenant, edge.relation)?.id,
                        self.view.word(self.tenant, edge.kind)?,
                    );
                    let statements =
                        said.iter().map(|said| self.joining_statement(said)).collect::<Result<_>>()?;
                    let (from, to) = (from.to_owned(), to.to_owned());
                    between.joining.push(Joining { id, kind, from, to, statements });
                }
            }
        }
        Ok(Some(between))
    }

    fn edges_between(
        &self,
        one: ThingId,
        other: ThingId,
        end: End,
        truncated: &mut bool,
    ) -> Result<Vec<Edge>> {
        let (mut edges, mut left) = (Vec::new(), EDGES_MAX);
        self.view.edges(self.tenant, one, end, None, None, &mut |edge| {
            if edge.other == other {
                edges.push(edge);
            }
            left -= 1;
            *truncated |= left == 0;
            Ok(if left > 0 { ControlFlow::Continue(()) } else { ControlFlow::Break(()) })
        })?;
        Ok(edges)
    }

    /// What is said by those who draw an edge, if any of them stands by it.
    fn drawn_by(&self, near: ThingId, end: End, edge: Edge, as_of_us: Option<i64>) -> Result<Vec<SaidRow>> {
        if edge.label != LabelId::SYSTEM && !self.relations.contains(edge.label) && as_of_us.is_none() {
            return Ok(Vec::new());
        }
        let row = self.view.thing(self.tenant, edge.relation)?;
        let mut said = self.said(edge.relation, &row, as_of_us)?;
        said.retain(|said| draws(said, near, end, edge));
        said.sort_by_key(|said| std::cmp::Reverse(said.lsn));
        if said.iter().any(SaidRow::is_active) { Ok(said) } else { Ok(Vec::new()) }
    }

    fn joining_statement(&self, said: &SaidRow) -> Result<JoiningStatement> {
        self.note(Form::Relation, said);
        Ok(JoiningStatement {
            source: self.source_name(said.source)?,
            status: Status::from_code(said.status)?,
            weight: said.weight,
            since_us: said.since_us,
            until_us: said.until_us,
            recorded_us: said.recorded_us,
            lsn: said.lsn(),
        })
    }
}
