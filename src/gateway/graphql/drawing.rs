//! Working graphs: things that a client draws, where new ones go, and what joins them. The client says what it has; what it
//! may see of that is read each time.

mod answers;
mod placing;

use std::collections::HashSet;
use std::time::{Duration, Instant};

use async_graphql::{Context, Enum, ID, InputObject, Object, Result};
use storage::End;
use storage::ids::ThingId;

use super::connection::page;
use super::declared::auth;
use super::relations::Direction;
use super::{DateTime, read, stop};
use crate::gateway::errors::Failure;
use crate::graphs::{self, SpotRefused, Spots};
use crate::read;
use answers::{Between, Expanded, Neighbour, NeighbourConnection, NeighbourEdge, Placed, kinds};
pub(super) use answers::{Drawn, drawn};

/// Things that are put on a graph by their ids, at a time.
const SEEDS_MAX: usize = 100;
/// Neighbours that come with one step unless asked otherwise, and at most.
const EXPAND: usize = 25;
const EXPAND_MAX: usize = 100;
/// Relations between two things unless asked otherwise, and at most.
const BETWEEN: usize = 100;
const BETWEEN_MAX: usize = 100;
/// Edges are looked at for so long; then the drawing shows what it has.
const TIME_MAX: Duration = Duration::from_secs(5);

#[derive(Default)]
pub(super) struct DrawingQuery;

/// Neighbours that a thing leads to over relations of a kind, in a direction.
#[derive(InputObject)]
struct GraphWish {
    kind: String,
    direction: Direction,
}

/// Which neighbours come first.
#[derive(Clone, Copy, PartialEq, Eq, Enum)]
enum GraphOrder {
    /// Those of the weightiest relation, then of the most.
    Strongest,
    /// Those whose relation was recorded last.
    Newest,
    /// Those that lead to most things.
    MostConnected,
    /// Those that lead to fewest.
    LeastConnected,
}

#[Object]
impl DrawingQuery {
    /// Puts things on a drawing: what they are, where they go, and what joins them to each other and to what is there. `nodes` is
    /// what is drawn already, a line for each: id, x, y and `p` if it is pinned, with tabs between. None of it moves. New things
    /// go round `near` if that is given, else round what they are joined to.
    #[graphql(directive = auth::apply("entity.read".to_owned(), None))]
    async fn graph_add(
        &self,
        context: &Context<'_>,
        ids: Vec<ID>,
        nodes: Option<String>,
        near: Option<ID>,
        as_of: Option<DateTime>,
    ) -> Result<Drawn> {
        let stop = in_time(context);
        read(context, move |app, principal, view| {
            if ids.len() > SEEDS_MAX {
                let message = format!("{} ids; put at most {SEEDS_MAX} on a graph at a time", ids.len());
                return Err(Failure::bad_request(message));
            }
            let (reader, spots) = (app.reader(view, principal)?, spots(nodes)?);
            let mut drawing = reader.drawing(as_of.map(|time| time.0), &stop);
            let ids = ids.iter().map(|id| id.as_str());
            placing::add(&mut drawing, &spots, ids, near.as_deref().map(String::as_str))
        })
        .await
    }

    /// The neighbours of a thing that are not drawn yet, the first of them placed round it; null if there is no such thing. `among`
    /// says over which relations; without it, all.
    #[graphql(directive = auth::apply("entity.read".to_owned(), None))]
    #[allow(clippy::too_many_arguments, reason = "the arguments are the contract's")]
    async fn graph_expand(
        &self,
        context: &Context<'_>,
        id: ID,
        nodes: Option<String>,
        among: Option<Vec<GraphWish>>,
        order: Option<GraphOrder>,
        first: Option<i32>,
        as_of: Option<DateTime>,
    ) -> Result<Option<Expanded>> {
        let stop = in_time(context);
        read(context, move |app, principal, view| {
            let count = super::first(first, EXPAND, EXPAND_MAX)?;
            let (reader, spots) = (app.reader(view, principal)?, spots(nodes)?);
            let mut drawing = reader.drawing(as_of.map(|time| time.0), &stop);
            placing::expand(&mut drawing, &spots, &id, &wishes(among), order_of(order), count)
        })
        .await
    }

    /// Everything that a thing leads to, as a list; null if there is no such thing. `find` is in the title or the id.
    #[graphql(directive = auth::apply("entity.read".to_owned(), None))]
    #[allow(clippy::too_many_arguments, reason = "the arguments are the contract's")]
    async fn graph_neighbours(
        &self,
        context: &Context<'_>,
        id: ID,
        among: Option<Vec<GraphWish>>,
        order: Option<GraphOrder>,
        find: Option<String>,
        first: Option<i32>,
        after: Option<String>,
        as_of: Option<DateTime>,
    ) -> Result<Option<NeighbourConnection>> {
        let stop = in_time(context);
        read(context, move |app, principal, view| {
            let first = super::first(first, EXPAND, EXPAND_MAX)?;
            let reader = app.reader(view, principal)?;
            let mut drawing = reader.drawing(as_of.map(|time| time.0), &stop);
            let Some(thing) = drawing.find(&id)? else { return Ok(None) };
            let kinds = kinds(drawing.degree(thing)?);
            let all = drawing.neighbours(thing, &wishes(among), order_of(order), &HashSet::new())?;
            let (of, found) = (all.len(), matching(&mut drawing, all, find.as_deref())?);
            let matching = found.len();
            let page = page(found, first, after.as_deref(), |thing| format!("{}/{thing}", *id))?;
            let mut edges = Vec::new();
            for (thing, cursor) in page.nodes {
                let node = drawing.node(thing)?.map(Neighbour::from);
                edges.extend(node.map(|node| NeighbourEdge { node, cursor }));
            }
            let truncated = drawing.is_truncated();
            Ok(Some(NeighbourConnection {
                edges,
                page_info: page.info,
                kinds,
                of: of as u64,
                matching: matching as u64,
                truncated,
            }))
        })
        .await
    }

    /// What is drawn, read anew: things that are no longer there, or not at that time, are left out.
    #[graphql(directive = auth::apply("entity.read".to_owned(), None))]
    async fn graph_show(
        &self,
        context: &Context<'_>,
        nodes: String,
        as_of: Option<DateTime>,
    ) -> Result<Drawn> {
        let stop = in_time(context);
        read(context, move |app, principal, view| {
            let (reader, spots) = (app.reader(view, principal)?, spots(Some(nodes))?);
            let mut drawing = reader.drawing(as_of.map(|time| time.0), &stop);
            let found = placing::found(&drawing, &spots)?;
            drawn(&mut drawing, found.into_iter().map(|(thing, spot)| (thing, spot.at, spot.pinned)))
        })
        .await
    }

    /// A new place for everything that is drawn and not pinned.
    #[graphql(directive = auth::apply("entity.read".to_owned(), None))]
    async fn graph_arrange(
        &self,
        context: &Context<'_>,
        nodes: String,
        as_of: Option<DateTime>,
    ) -> Result<Vec<Placed>> {
        let stop = in_time(context);
        read(context, move |app, principal, view| {
            let (reader, spots) = (app.reader(view, principal)?, spots(Some(nodes))?);
            placing::arrange(&mut reader.drawing(as_of.map(|time| time.0), &stop), &spots)
        })
        .await
    }

    /// Every relation between two things, with what each source says of it; null if one of the things is not there.
    #[graphql(directive = auth::apply("relation.read".to_owned(), None))]
    async fn graph_between(
        &self,
        context: &Context<'_>,
        from: ID,
        to: ID,
        first: Option<i32>,
        as_of: Option<DateTime>,
    ) -> Result<Option<Between>> {
        read(context, move |app, principal, view| {
            let limit = super::first(first, BETWEEN, BETWEEN_MAX)?;
            let reader = app.reader(view, principal)?;
            let found = reader.between(&from, &to, as_of.map(|time| time.0), limit)?;
            Ok(found.map(Between::from))
        })
        .await
    }
}

/// Whether reading edges has taken too long, or the request has no time left.
pub(super) fn in_time(context: &Context<'_>) -> impl Fn() -> bool + Send + 'static {
    let (late, begun) = (stop(context), Instant::now());
    move || begun.elapsed() > TIME_MAX || late()
}

/// What a client says it draws.
pub(super) fn spots(nodes: Option<String>) -> Result<Spots, Failure> {
    let refused = |refused: SpotRefused| Failure::bad_request(refused.to_string());
    graphs::Spots::read(&nodes.unwrap_or_default()).map_err(refused)
}

/// Those whose title or id holds the text, whatever its case.
fn matching(
    drawing: &mut read::Drawing<'_, '_>,
    all: Vec<ThingId>,
    find: Option<&str>,
) -> Result<Vec<ThingId>, Failure> {
    let Some(find) = find.map(str::to_lowercase).filter(|find| !find.is_empty()) else { return Ok(all) };
    let mut found = Vec::new();
    for thing in all {
        let holds = |text: &str| text.to_lowercase().contains(&find);
        if drawing.node(thing)?.is_some_and(|node| holds(&node.title) || holds(&node.id)) {
            found.push(thing);
        }
    }
    Ok(found)
}

fn wishes(among: Option<Vec<GraphWish>>) -> Vec<read::Wish> {
    let ends = |direction| match direction {
        Direction::Out => &[End::Out][..],
        Direction::In => &[End::In],
        Direction::Both => &[End::Out, End::In],
    };
    let among = among.into_iter().flatten();
    among
        .flat_map(|GraphWish { kind, direction }| {
            ends(direction).iter().map(move |end| read::Wish { kind: kind.clone(), end: *end })
        })
        .collect()
}

fn order_of(order: Option<GraphOrder>) -> read::Order {
    match order {
        None | Some(GraphOrder::Strongest) => read::Order::Strongest,
        Some(GraphOrder::Newest) => read::Order::Newest,
        Some(GraphOrder::MostConnected) => read::Order::MostConnected,
        Some(GraphOrder::LeastConnected) => read::Order::LeastConnected,
    }
}
