//! What is drawn, as clients read it.

use std::collections::HashMap;

use async_graphql::{ID, SimpleObject};
use storage::End;
use storage::ids::ThingId;

use super::Direction;
use crate::gateway::errors::Failure;
use crate::gateway::graphql::DateTime;
use crate::gateway::graphql::connection::PageInfo;
use crate::gateway::graphql::declared::{auth, public};
use crate::graphs::Point;
use crate::read::{self, Degree, Drawing, Node, Tie};

/// Things on a drawing, and what joins them.
#[derive(SimpleObject)]
#[graphql(directive = public::apply())]
pub(in crate::gateway::graphql) struct Drawn {
    pub(super) nodes: Vec<DrawnNode>,
    /// What joins them to each other and to what was drawn before, each pair and kind once.
    #[graphql(directive = auth::apply("relation.read".to_owned(), None))]
    pub(super) edges: Option<Vec<DrawnEdge>>,
    /// Whether reading ended before everything was looked at.
    pub(super) truncated: bool,
}

/// Neighbours of a thing on a drawing.
#[derive(SimpleObject)]
#[graphql(directive = public::apply())]
pub(super) struct Expanded {
    /// Those that were added.
    pub(super) nodes: Vec<DrawnNode>,
    /// What joins them to each other and to what was drawn before, each pair and kind once.
    #[graphql(directive = auth::apply("relation.read".to_owned(), None))]
    pub(super) edges: Option<Vec<DrawnEdge>>,
    /// How many were wanted and not drawn yet.
    pub(super) of: u64,
    /// How many of those were not added.
    pub(super) rest: u64,
    /// Whether reading ended before everything was looked at.
    pub(super) truncated: bool,
}

/// A thing on a drawing.
#[derive(SimpleObject)]
#[graphql(directive = public::apply())]
pub(super) struct DrawnNode {
    id: ID,
    /// The type as given.
    r#type: String,
    /// The canonical type that it was mapped to: `Person`, `Organization`, `Asset`, `Location`, `Event`, `Document`, `Claim` or `Case`.
    base: Option<String>,
    /// The best visible name, else the id.
    title: String,
    /// `active`, `revoked` or `deprecated`.
    status: String,
    /// To the right of the middle, in pixels.
    x: i32,
    /// Below the middle, in pixels.
    y: i32,
    pinned: bool,
    /// To how many things it leads.
    degree: u64,
    /// The same by kind of relation and direction.
    kinds: Vec<DrawnKind>,
}

/// To how many things something leads over relations of a kind.
#[derive(SimpleObject)]
#[graphql(directive = public::apply())]
pub(super) struct DrawnKind {
    kind: String,
    direction: Direction,
    count: u64,
}

/// The relations of one kind from one thing to another.
#[derive(SimpleObject)]
#[graphql(directive = public::apply())]
pub(super) struct DrawnEdge {
    from: ID,
    to: ID,
    kind: String,
    /// How many they are.
    relations: u64,
    /// The greatest weight of any.
    weight: Option<f64>,
}

/// Where a thing goes.
#[derive(SimpleObject)]
#[graphql(directive = public::apply())]
pub(super) struct Placed {
    id: ID,
    x: i32,
    y: i32,
}

/// A thing that another leads to.
#[derive(SimpleObject)]
#[graphql(directive = public::apply())]
pub(super) struct Neighbour {
    id: ID,
    /// The type as given.
    r#type: String,
    /// The canonical type that it was mapped to.
    base: Option<String>,
    title: String,
}

/// What a thing leads to, a page at a time.
#[derive(SimpleObject)]
#[graphql(directive = public::apply())]
pub(super) struct NeighbourConnection {
    pub(super) edges: Vec<NeighbourEdge>,
    pub(super) page_info: PageInfo,
    /// To how many things it leads, by kind of relation and direction, whatever was asked for.
    pub(super) kinds: Vec<DrawnKind>,
    /// How many there are over the relations that were asked for.
    pub(super) of: u64,
    /// How many of those have the text in them.
    pub(super) matching: u64,
    /// Whether reading ended before everything was looked at.
    pub(super) truncated: bool,
}

/// A neighbour, with its place in the list.
#[derive(SimpleObject)]
#[graphql(directive = public::apply())]
pub(super) struct NeighbourEdge {
    pub(super) node: Neighbour,
    /// To be sent as `after` for what follows.
    pub(super) cursor: String,
}

/// What joins two things.
#[derive(SimpleObject)]
#[graphql(directive = public::apply())]
pub(super) struct Between {
    relations: Vec<Joining>,
    /// How many there are.
    of: u64,
    /// Whether reading ended before everything was looked at.
    truncated: bool,
}

/// A relation between two things, with what is said of it.
#[derive(SimpleObject)]
#[graphql(directive = public::apply())]
struct Joining {
    id: ID,
    kind: String,
    from: ID,
    to: ID,
    /// What is said of it, recorded last in front.
    statements: Vec<JoiningStatement>,
}

/// What one source says of a relation.
#[derive(SimpleObject)]
#[graphql(directive = public::apply())]
struct JoiningStatement {
    source: String,
    /// `active`, `revoked` or `deprecated`.
    status: String,
    weight: Option<f64>,
    since: Option<DateTime>,
    until: Option<DateTime>,
    recorded_at: DateTime,
    lsn: u64,
}

/// Things at their places, those of them that may be seen, and what joins them.
pub(in crate::gateway::graphql) fn drawn(
    drawing: &mut Drawing<'_, '_>,
    things: impl Iterator<Item = (ThingId, Point, bool)>,
) -> Result<Drawn, Failure> {
    let (mut nodes, mut ids) = (Vec::new(), HashMap::new());
    for (thing, at, pinned) in things {
        let Some(node) = drawing.node(thing)? else { continue };
        ids.insert(thing, node.id.clone());
        let found = drawing.degree(thing)?;
        nodes.push(DrawnNode::new(node, at, pinned, (found.all as u64, kinds(found))));
    }
    let ties = drawing.ties_among(&ids.keys().copied().collect())?;
    Ok(Drawn { nodes, edges: Some(edges(ties, &ids)), truncated: drawing.is_truncated() })
}

impl DrawnNode {
    pub(super) fn new(node: Node, at: Point, pinned: bool, kinds: (u64, Vec<DrawnKind>)) -> DrawnNode {
        DrawnNode {
            id: node.id.into(),
            r#type: node.thing_type,
            base: node.base.map(|base| base.to_string()),
            title: node.title,
            status: node.status.to_string(),
            x: at.x,
            y: at.y,
            pinned,
            degree: kinds.0,
            kinds: kinds.1,
        }
    }
}

impl Placed {
    pub(super) fn new(id: String, at: Point) -> Placed {
        Placed { id: id.into(), x: at.x, y: at.y }
    }
}

pub(super) fn kinds(degree: Degree) -> Vec<DrawnKind> {
    let direction = |end| if end == End::Out { Direction::Out } else { Direction::In };
    let kind = |(kind, end, count)| DrawnKind { kind, direction: direction(end), count: count as u64 };
    degree.by_kind.into_iter().map(kind).collect()
}

pub(super) fn edges(ties: Vec<Tie>, ids: &HashMap<ThingId, String>) -> Vec<DrawnEdge> {
    let edge = |tie: Tie| {
        let (from, to) = (ids.get(&tie.from)?.into(), ids.get(&tie.to)?.into());
        Some(DrawnEdge { from, to, kind: tie.kind, relations: tie.relations as u64, weight: tie.weight })
    };
    ties.into_iter().filter_map(edge).collect()
}

impl From<Node> for Neighbour {
    fn from(node: Node) -> Neighbour {
        let base = node.base.map(|base| base.to_string());
        Neighbour { id: node.id.into(), r#type: node.thing_type, base, title: node.title }
    }
}

impl From<read::Between> for Between {
    fn from(between: read::Between) -> Between {
        Between {
            relations: between.joining.into_iter().map(Into::into).collect(),
            of: between.of as u64,
            truncated: between.truncated,
        }
    }
}

impl From<read::Joining> for Joining {
    fn from(joining: read::Joining) -> Joining {
        Joining {
            id: joining.id.into(),
            kind: joining.kind,
            from: joining.from.into(),
            to: joining.to.into(),
            statements: joining.statements.into_iter().map(JoiningStatement::from).collect(),
        }
    }
}

impl From<read::JoiningStatement> for JoiningStatement {
    fn from(said: read::JoiningStatement) -> JoiningStatement {
        JoiningStatement {
            source: said.source,
            status: said.status.to_string(),
            weight: said.weight,
            since: said.since_us.map(DateTime),
            until: said.until_us.map(DateTime),
            recorded_at: DateTime(said.recorded_us),
            lsn: said.lsn.0,
        }
    }
}
