//! Saved graphs: kept, listed, opened, let go of. What one shows is read anew for whoever opens it.

use std::collections::BTreeSet;

use async_graphql::{Context, ID, Object, Result, SimpleObject};
use axum::http::StatusCode;
use storage::View;
use storage::commands::{Command, DeleteGraph, SaveGraph};
use storage::ids::{LabelId, ThingId};
use storage::model::{self, GraphNode};
use storage::rows::GraphRow;

use super::connection::{connection, page};
use super::declared::{auth, public};
use super::drawing::{Drawn, drawn, in_time, spots};
use super::idempotency::writer;
use super::{Changed, DateTime, read};
use crate::app::{App, Shared};
use crate::gateway::errors::Failure;
use crate::graphs::{Point, Spots};
use crate::policy::{Action, Principal};
use crate::read::{Reader, Shown};

/// Graphs on a page unless asked otherwise, and at most.
const LIMIT: usize = 50;
const LIMIT_MAX: usize = 100;
/// Random bytes in the id of a new graph.
const ID_BYTES: usize = 16;

#[derive(Default)]
pub(super) struct GraphsQuery;

#[derive(Default)]
pub(super) struct GraphsMutation;

/// A saved graph, without what is on it.
#[derive(SimpleObject)]
#[graphql(directive = public::apply())]
struct Graph {
    id: ID,
    name: String,
    /// What its maker says of it.
    note: String,
    /// Whether others may open it who may see all that its maker saw on it.
    shared: bool,
    /// Whether it is the caller's, and so his to change.
    own: bool,
    /// To be sent with the next change.
    version: u64,
    made_at: DateTime,
    saved_at: DateTime,
}

/// A saved graph, and what the caller may see of what is on it.
#[derive(SimpleObject)]
#[graphql(directive = public::apply())]
struct OpenGraph {
    graph: Graph,
    drawn: Drawn,
}

connection! {
    /// Saved graphs, the one that was saved last in front.
    GraphConnection of GraphEdge of Graph
}

#[Object]
impl GraphsQuery {
    /// The caller's graphs, and those that others share with him.
    #[graphql(directive = auth::apply("entity.read".to_owned(), None))]
    async fn graphs(
        &self,
        context: &Context<'_>,
        first: Option<i32>,
        after: Option<String>,
    ) -> Result<GraphConnection> {
        read(context, move |app, principal, view| {
            let first = super::first(first, LIMIT, LIMIT_MAX)?;
            let reader = app.reader(view, principal)?;
            let mut graphs = view.graphs(principal.tenant)?;
            graphs.retain(|(_, row)| may_open(principal, &reader, row));
            graphs.sort_by(|one, other| (other.1.saved_us, &other.0).cmp(&(one.1.saved_us, &one.0)));
            let page = page(graphs, first, after.as_deref(), |(id, _)| format!("graph/{id}"))?;
            let mut edges = Vec::new();
            for ((_, row), cursor) in page.nodes {
                let saved = view.graph_saved(principal.tenant, row.version())?;
                edges.extend(
                    saved.map(|saved| GraphEdge { node: Graph::new(principal, &row, saved), cursor }),
                );
            }
            Ok(GraphConnection { edges, page_info: page.info })
        })
        .await
    }

    /// A saved graph, now or as it would have looked at a time; null if there is no such graph.
    #[graphql(directive = auth::apply("entity.read".to_owned(), None))]
    async fn graph(
        &self,
        context: &Context<'_>,
        id: ID,
        as_of: Option<DateTime>,
    ) -> Result<Option<OpenGraph>> {
        let stop = in_time(context);
        read(context, move |app, principal, view| {
            let reader = app.reader(view, principal)?;
            let Some((row, saved)) = open(principal, view, &reader, &id)? else { return Ok(None) };
            let mut drawing = reader.drawing(as_of.map(|time| time.0), &stop);
            let nodes = saved
                .nodes
                .iter()
                .map(|node| (ThingId(node.thing), Point { x: node.x, y: node.y }, node.pinned));
            let drawn = drawn(&mut drawing, nodes)?;
            Ok(Some(OpenGraph { graph: Graph::new(principal, &row, saved), drawn }))
        })
        .await
    }
}

#[Object]
impl GraphsMutation {
    /// Keeps a graph: a new one, or with `id` and `version` in place of one of the caller's. `nodes` is what is drawn, a line for
    /// each: id, x, y and `p` if it is pinned, with tabs between. What the caller may not see is left out.
    #[graphql(directive = auth::apply("entity.read".to_owned(), None))]
    #[allow(clippy::too_many_arguments, reason = "the arguments are the contract's")]
    async fn graph_save(
        &self,
        context: &Context<'_>,
        id: Option<ID>,
        version: Option<u64>,
        name: String,
        note: Option<String>,
        shared: Option<bool>,
        nodes: String,
    ) -> Result<Graph> {
        let (stop, about) = (in_time(context), id.clone());
        let seen = read(context, move |app, principal, view| {
            let reader = app.reader(view, principal)?;
            if let Some(id) = about {
                own(principal, view, &reader, &id)?;
            }
            seen(&reader, &spots(Some(nodes))?, &stop)
        })
        .await?;
        let (principal, writer) = (context.data::<Principal>()?, writer(context)?);
        let new = || writer.random::<ID_BYTES>().iter().map(|byte| format!("{byte:02x}")).collect();
        let graph = model::Graph {
            id: id.map_or_else(new, String::from),
            name,
            note: note.unwrap_or_default(),
            shared: shared.unwrap_or_default(),
            nodes: seen.nodes,
            labels: numbers(&seen.shown.things),
            relation_labels: numbers(&seen.shown.relations),
            replaces: version.unwrap_or_default(),
        };
        let save = SaveGraph { tenant: principal.tenant, actor: principal.actor, graph: graph.clone() };
        let applied = writer.write("graph", Command::SaveGraph(save)).await?;
        kept(context, graph, applied.lsn.0).await
    }

    /// Lets go of a graph of the caller's, or of a shared one that an admin may see.
    #[graphql(directive = auth::apply("entity.read".to_owned(), None))]
    async fn graph_delete(&self, context: &Context<'_>, id: ID) -> Result<Changed> {
        let about = id.clone();
        read(context, move |app, principal, view| may_delete(app, principal, view, &about)).await?;
        let principal = context.data::<Principal>()?;
        let delete = DeleteGraph { tenant: principal.tenant, actor: principal.actor, id: id.into() };
        let applied = writer(context)?.write("delete", Command::DeleteGraph(delete)).await?;
        Ok(Changed { lsn: applied.lsn.0, changed: true })
    }
}

/// What goes into a saved graph.
struct Seen {
    nodes: Vec<GraphNode>,
    shown: Shown,
}

/// What the caller may see of what he draws, and under which labels.
fn seen(reader: &Reader<'_>, spots: &Spots, stop: &dyn Fn() -> bool) -> Result<Seen, Failure> {
    let mut drawing = reader.drawing(None, stop);
    let (mut nodes, mut things) = (Vec::new(), std::collections::HashSet::new());
    for spot in &spots.0 {
        let Some(thing) = drawing.find(&spot.id)? else { continue };
        drawing.node(thing)?;
        things.insert(thing);
        nodes.push(GraphNode { thing: thing.0, x: spot.at.x, y: spot.at.y, pinned: spot.pinned });
    }
    if nodes.is_empty() {
        return Err(Failure::bad_request("a graph with nothing on it; put something on it, then save it"));
    }
    drawing.ties_among(&things)?;
    // A label that was not met would open the graph to who may not see it.
    if drawing.is_truncated() {
        let message = "the graph has too many relations to be saved; take some of its things off";
        return Err(Failure::new(StatusCode::UNPROCESSABLE_ENTITY, "graph_too_large", message));
    }
    Ok(Seen { nodes, shown: drawing.shown().clone() })
}

/// Whoever opens a graph may see every label that its maker was shown on it: name and note are his words about those.
fn may_open(principal: &Principal, reader: &Reader<'_>, row: &GraphRow) -> bool {
    (row.shared || is_own(principal, row)) && reader.sees(&row.labels, &row.relation_labels)
}

fn is_own(principal: &Principal, row: &GraphRow) -> bool {
    row.maker == principal.actor.0
}

fn open(
    principal: &Principal,
    view: &View,
    reader: &Reader<'_>,
    id: &str,
) -> Result<Option<(GraphRow, model::Graph)>, Failure> {
    let row = view.graph(principal.tenant, id)?.filter(|row| may_open(principal, reader, row));
    let Some(row) = row else { return Ok(None) };
    let saved = view.graph_saved(principal.tenant, row.version())?;
    Ok(saved.map(|saved| (row, saved)))
}

/// Refuses a graph that is not the caller's to change; one that he may not open is absent.
fn own(principal: &Principal, view: &View, reader: &Reader<'_>, id: &str) -> Result<(), Failure> {
    match open(principal, view, reader, id)? {
        None => Err(Failure::not_found("graph", id)),
        Some((row, _)) if is_own(principal, &row) => Ok(()),
        Some(_) => {
            let message = "the graph is somebody else's; save it as one of your own, without its id";
            Err(Failure::new(StatusCode::FORBIDDEN, "not_yours", message))
        }
    }
}

/// What somebody left behind who is gone is let go of by who manages tokens.
fn may_delete(app: &App, principal: &Principal, view: &View, id: &str) -> Result<(), Failure> {
    let reader = app.reader(view, principal)?;
    match own(principal, view, &reader, id) {
        Err(failure) if failure.code == "not_yours" => app.check(principal, Action::TokenManage),
        decided => decided,
    }
}

/// What was kept, as it is listed.
async fn kept(context: &Context<'_>, graph: model::Graph, lsn: u64) -> Result<Graph> {
    let (app, principal) = (context.data::<Shared>()?, context.data::<Principal>()?.clone());
    let (app, id) = (app.clone(), graph.id.clone());
    let row = tokio::task::spawn_blocking(move || app.view()?.graph(principal.tenant, &id)).await?;
    let row = row.map_err(Failure::from)?;
    let row = row.ok_or_else(|| Failure::not_found("graph", &graph.id))?;
    let row = GraphRow { version: lsn, ..row };
    Ok(Graph::new(context.data::<Principal>()?, &row, graph))
}

fn numbers(labels: &BTreeSet<LabelId>) -> Vec<u32> {
    labels.iter().map(|label| label.0).collect()
}

impl Graph {
    fn new(principal: &Principal, row: &GraphRow, saved: model::Graph) -> Graph {
        Graph {
            id: saved.id.into(),
            name: saved.name,
            note: saved.note,
            shared: row.shared,
            own: is_own(principal, row),
            version: row.version,
            made_at: DateTime(row.made_us),
            saved_at: DateTime(row.saved_us),
        }
    }
}
