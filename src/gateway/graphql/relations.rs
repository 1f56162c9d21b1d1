//! Relations of a thing, a page at a time.

use async_graphql::{Context, Enum, ID, Object, Result, SimpleObject};
use storage::ids::{LabelId, SymbolId, ThingId};
use storage::{Edge, End};

use super::{DateTime, read};
use crate::gateway::errors::Failure;
use crate::read;

/// Relations on a page unless asked otherwise, and at most.
const LIMIT: usize = 100;
const LIMIT_MAX: usize = 1000;

#[derive(Default)]
pub(super) struct RelationsQuery;

/// Which edges of a thing.
#[derive(Clone, Copy, PartialEq, Eq, Enum)]
enum Direction {
    Out,
    In,
    Both,
}

/// A relation between two things.
#[derive(SimpleObject)]
struct Relation {
    id: ID,
    kind: String,
    from: ID,
    to: ID,
    weight: Option<f64>,
    since: Option<DateTime>,
    until: Option<DateTime>,
    source: String,
    /// `active`, `revoked` or `deprecated`.
    status: String,
}

/// A page of relations.
#[derive(SimpleObject)]
struct RelationPage {
    relations: Vec<Relation>,
    /// To be sent as `after` for the next page; null on the last.
    next_cursor: Option<String>,
}

#[Object]
impl RelationsQuery {
    /// The relations of a thing; null if there is no such thing.
    #[allow(clippy::too_many_arguments, reason = "the arguments are the contract's")]
    async fn relations(
        &self,
        context: &Context<'_>,
        id: ID,
        as_of: Option<DateTime>,
        kind: Option<String>,
        direction: Option<Direction>,
        limit: Option<i32>,
        after: Option<String>,
    ) -> Result<Option<RelationPage>> {
        read(context, move |app, principal, view| {
            let wanted = read::Wanted {
                direction: direction.unwrap_or(Direction::Both).into(),
                kind: kind.as_deref(),
                as_of_us: as_of.map(|time| time.0),
                limit: super::limit(limit, LIMIT, LIMIT_MAX)?,
                from: after.as_deref().map_or(Ok(START), place)?,
            };
            let page = app.reader(view, principal)?.relations(&id, &wanted)?;
            Ok(page.map(RelationPage::from))
        })
        .await
    }
}

const START: read::Place = read::Place { end: End::Out, after: None };

/// A place as text: end, then the parts of the edge. It holds ids only, and is checked when it comes back.
fn cursor(place: read::Place) -> String {
    let end = if place.end == End::Out { "out" } else { "in" };
    match place.after {
        None => end.to_owned(),
        Some(edge) => format!("{end}.{:x}.{:x}.{:x}", edge.kind.0, edge.relation.0, edge.other.0),
    }
}

fn place(cursor: &str) -> Result<read::Place, Failure> {
    let broken =
        || Failure::bad_request(format!("`after` is no cursor: `{cursor}`; send the `nextCursor` of a page"));
    let mut parts = cursor.split('.');
    let end = match parts.next() {
        Some("out") => End::Out,
        Some("in") => End::In,
        _ => return Err(broken()),
    };
    let numbers = parts
        .map(|part| u64::from_str_radix(part, 16))
        .collect::<Result<Vec<_>, _>>()
        .map_err(|_| broken())?;
    let after = match numbers.as_slice() {
        [] => None,
        &[kind, relation, other] => Some(Edge {
            kind: SymbolId(u32::try_from(kind).map_err(|_| broken())?),
            relation: ThingId(relation),
            other: ThingId(other),
            label: LabelId::SYSTEM,
        }),
        _ => return Err(broken()),
    };
    Ok(read::Place { end, after })
}

impl From<Direction> for read::Direction {
    fn from(direction: Direction) -> read::Direction {
        match direction {
            Direction::Out => read::Direction::Out,
            Direction::In => read::Direction::In,
            Direction::Both => read::Direction::Both,
        }
    }
}

impl From<read::Page> for RelationPage {
    fn from(page: read::Page) -> RelationPage {
        RelationPage {
            relations: page.relations.into_iter().map(Into::into).collect(),
            next_cursor: page.next.map(cursor),
        }
    }
}

impl From<read::Relation> for Relation {
    fn from(relation: read::Relation) -> Relation {
        Relation {
            id: relation.id.into(),
            kind: relation.kind,
            from: relation.from.into(),
            to: relation.to.into(),
            weight: relation.weight,
            since: relation.since_us.map(DateTime),
            until: relation.until_us.map(DateTime),
            source: relation.source,
            status: relation.status.to_string(),
        }
    }
}
