//! Relations of a thing, a page at a time.

use async_graphql::{Context, Enum, ID, Object, Result, SimpleObject};
use storage::ids::{LabelId, SymbolId, ThingId};
use storage::{Edge, End};

use super::connection::{PageInfo, connection, expired};
use super::declared::{auth, public};
use super::{DateTime, read};
use crate::gateway::errors::Failure;
use crate::policy::Principal;
use crate::{read, sealed};

/// Relations on a page unless asked otherwise, and at most.
const LIMIT: usize = 100;
const LIMIT_MAX: usize = 1000;

#[derive(Default)]
pub(super) struct RelationsQuery;

/// Which edges of a thing.
#[derive(Clone, Copy, PartialEq, Eq, Enum)]
pub(super) enum Direction {
    Out,
    In,
    Both,
}

/// A relation between two things.
#[derive(SimpleObject)]
#[graphql(directive = public::apply())]
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
    recorded_at: DateTime,
    lsn: u64,
    /// The thing at the end that was not asked about.
    other: Option<RelationEnd>,
}

/// A thing at an end of a relation.
#[derive(SimpleObject)]
#[graphql(directive = public::apply())]
pub(super) struct RelationEnd {
    id: ID,
    r#type: String,
    title: String,
}

/// How the relations of a thing are made up.
#[derive(SimpleObject)]
#[graphql(directive = public::apply())]
struct RelationKinds {
    kinds: Vec<RelationKind>,
    /// False if there are more than are counted.
    complete: bool,
}

/// So many relations of one kind at one end of a thing.
#[derive(SimpleObject)]
#[graphql(directive = public::apply())]
struct RelationKind {
    kind: String,
    /// `OUT` or `IN`.
    direction: Direction,
    count: u64,
}

connection! {
    /// A page of relations.
    RelationConnection of RelationEdge of Relation {
        /// The same without their places.
        #[graphql(deprecation = "use `edges`")]
        relations: Vec<Relation>,
        /// To be sent as `after` for the next page; null on the last.
        #[graphql(deprecation = "use `pageInfo`")]
        next_cursor: Option<String>,
    }
}

#[Object]
impl RelationsQuery {
    /// The relations of a thing; null if there is no such thing.
    #[graphql(directive = auth::apply("relation.read".to_owned(), None))]
    #[allow(clippy::too_many_arguments, reason = "the arguments are the contract's")]
    async fn relations(
        &self,
        context: &Context<'_>,
        id: ID,
        as_of: Option<DateTime>,
        kind: Option<String>,
        direction: Option<Direction>,
        first: Option<i32>,
        after: Option<String>,
    ) -> Result<Option<RelationConnection>> {
        let others = context.look_ahead().field("edges").field("node").field("other").exists();
        read(context, move |app, principal, view| {
            let places = Places { secret: &app.replay_secret, purpose: purpose(principal, &id) };
            let wanted = read::Wanted {
                direction: direction.unwrap_or(Direction::Both).into(),
                kind: kind.as_deref(),
                as_of_us: as_of.map(|time| time.0),
                others,
                limit: super::first(first, LIMIT, LIMIT_MAX)?,
                from: after.as_deref().map_or(Ok(START), |cursor| places.place(cursor))?,
            };
            let page = app.reader(view, principal)?.relations(&id, &wanted)?;
            Ok(page.map(|page| places.connection(page)))
        })
        .await
    }

    /// How many relations of each kind a thing has in each direction; null if there is no such thing.
    #[graphql(directive = auth::apply("relation.read".to_owned(), None))]
    async fn relation_kinds(
        &self,
        context: &Context<'_>,
        id: ID,
        as_of: Option<DateTime>,
    ) -> Result<Option<RelationKinds>> {
        read(context, move |app, principal, view| {
            Ok(app.reader(view, principal)?.kinds(&id, as_of.map(|time| time.0))?.map(Into::into))
        })
        .await
    }
}

const START: read::Place = read::Place { end: End::Out, after: None };

/// Whose cursors these are, and of which list: nobody else's lead anywhere.
fn purpose(principal: &Principal, id: &str) -> String {
    format!("relations\n{}\n{}\n{id}", principal.tenant, principal.token_id)
}

/// Places in a list as cursors. They hold numbers of things, which would tell how many there are; so they are sealed.
struct Places<'a> {
    secret: &'a [u8; 32],
    purpose: String,
}

impl Places<'_> {
    fn cursor(&self, place: read::Place) -> String {
        let mut bytes = vec![u8::from(place.end == End::In)];
        if let Some(edge) = place.after {
            bytes.extend(edge.kind.0.to_be_bytes());
            bytes.extend(edge.relation.0.to_be_bytes());
            bytes.extend(edge.other.0.to_be_bytes());
        }
        sealed::seal(self.secret, &self.purpose, &bytes)
    }

    fn place(&self, cursor: &str) -> Result<read::Place, Failure> {
        let bytes = sealed::open(self.secret, &self.purpose, cursor).ok_or_else(expired)?;
        let (end, edge) = bytes.split_first().ok_or_else(expired)?;
        let end = if *end == 0 { End::Out } else { End::In };
        let after = if edge.is_empty() { None } else { Some(self::edge(edge).ok_or_else(expired)?) };
        Ok(read::Place { end, after })
    }

    fn connection(&self, page: read::Page) -> RelationConnection {
        let next = page.next.map(|place| self.cursor(place));
        let edges = page.relations.iter().map(|relation| RelationEdge {
            cursor: self.cursor(relation.place),
            node: relation.clone().into(),
        });
        RelationConnection {
            edges: edges.collect(),
            page_info: PageInfo { has_next_page: next.is_some(), end_cursor: next.clone() },
            relations: page.relations.into_iter().map(Into::into).collect(),
            next_cursor: next,
        }
    }
}

fn edge(bytes: &[u8]) -> Option<Edge> {
    let (kind, rest) = bytes.split_first_chunk::<4>()?;
    let (relation, other) = rest.split_first_chunk::<8>()?;
    Some(Edge {
        kind: SymbolId(u32::from_be_bytes(*kind)),
        relation: ThingId(u64::from_be_bytes(*relation)),
        other: ThingId(u64::from_be_bytes(other.try_into().ok()?)),
        label: LabelId::SYSTEM,
    })
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
            recorded_at: DateTime(relation.recorded_us),
            lsn: relation.lsn.0,
            other: relation.other.map(Into::into),
        }
    }
}

impl From<read::Other> for RelationEnd {
    fn from(other: read::Other) -> RelationEnd {
        RelationEnd { id: other.id.into(), r#type: other.thing_type, title: other.title }
    }
}

impl RelationEnd {
    /// Where a relation leaves and where it leads; neither, if it is none.
    pub(super) fn both(
        joined: Option<(read::Other, read::Other)>,
    ) -> (Option<RelationEnd>, Option<RelationEnd>) {
        joined.map(|(from, to)| (from.into(), to.into())).unzip()
    }
}

impl From<read::Kinds> for RelationKinds {
    fn from(kinds: read::Kinds) -> RelationKinds {
        let kind = |counted: read::KindCount| RelationKind {
            kind: counted.kind,
            direction: if counted.end == End::Out { Direction::Out } else { Direction::In },
            count: counted.count,
        };
        RelationKinds { kinds: kinds.counts.into_iter().map(kind).collect(), complete: kinds.complete }
    }
}
